"""What pages say: all of it is gathered, all of it is translated, and nothing is forgotten."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message

from microfedi import words as spoken
from tests import words

_PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?([a-z%])")
_TOKENS = re.compile(
    r"(\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->"
    r"|<(?:[^<>{]|\{\{.*?\}\}|\{%.*?%\}|\{(?![{%]))*>)",
    re.DOTALL,
)
_SPOKEN_ATTRIBUTES = re.compile(r'\b(?:title|placeholder|aria-label|alt|label)="([^"]*)"')
_ADDRESS = re.compile(r"[/?][\w/?=@-]*")
# Names, addresses and examples, the same in every language.
_SAME_EVERYWHERE = (
    *("microfedi", "ALT", "@name@server.example", "@you@your.server", "en", ":name:"),
    *("microfedi doctor", "Atom", "JSON Feed", "Ctrl+Enter", "Ctrl", "Enter", "Esc", "https://"),
)

CATALOGUES = [pytest.param(path, id=path.parent.parent.name) for path in words.catalogues()]


def keys(catalog: Catalog) -> set[str | tuple[str, ...]]:
    return {one.id if isinstance(one.id, str) else tuple(one.id) for one in catalog if one.id}


def forms(one: Message) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """English and what became of it, singular and plural each."""
    theirs = (one.string,) if isinstance(one.string, str) else tuple(one.string or ())
    return ((one.id,) if isinstance(one.id, str) else tuple(one.id)), theirs


def test_the_template_is_what_is_said() -> None:
    """If not: `make words`."""
    assert keys(words.read(words.TEMPLATE)) == keys(words.gathered())


@pytest.mark.parametrize("path", CATALOGUES)
def test_everything_is_translated(path: Path) -> None:
    catalog = words.read(path)

    assert keys(catalog) == keys(words.gathered())
    assert [one.id for one in catalog if one.id and not words.is_done(one)] == []
    assert [one.id for one in catalog if one.id and one.fuzzy] == []
    assert all(
        len(forms(one)[1]) == catalog.num_plurals
        for one in catalog
        if one.id and not isinstance(one.id, str)
    )


@pytest.mark.parametrize("path", CATALOGUES)
def test_values_stand_in_both(path: Path) -> None:
    """The same names in English and in the translation; a singular may say "one" instead."""
    wrong = []
    for one in words.read(path):
        if not one.id:
            continue
        english, theirs = forms(one)
        wanted = set(_PLACEHOLDER.findall(english[-1]))
        for number, form in enumerate(theirs):
            found = set(_PLACEHOLDER.findall(form))
            may_miss = {("num", "s")} if number == 0 and len(theirs) > 1 else set()
            if not wanted - may_miss <= found <= wanted:
                wrong.append((english, form))
    assert wrong == []


@pytest.mark.parametrize("path", CATALOGUES)
def test_no_markup_comes_in_by_a_translation(path: Path) -> None:
    assert [
        one.id for one in words.read(path) if one.id and set('<>"&') & set("".join(forms(one)[1]))
    ] == []


@pytest.mark.parametrize("path", CATALOGUES)
def test_what_the_server_reads_is_what_stands_in_the_catalogue(path: Path) -> None:
    assert path.with_suffix(".mo").read_bytes() == words.compiled(words.read(path))


def unmarked(path: Path) -> Iterator[str]:
    """Words in a template that nobody could translate."""
    before = ""
    for token in _TOKENS.split(path.read_text("utf-8")):
        is_class = re.match(r"\{%-? block place", before) is not None
        before = token or before
        if token.startswith(("{{", "{%", "{#")) or is_class or _ADDRESS.fullmatch(token.strip()):
            continue
        left = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|&[a-z]+;", "", token, flags=re.DOTALL)
        for text in _SPOKEN_ATTRIBUTES.findall(left) if token.startswith("<") else [left]:
            said = text
            for same in sorted(_SAME_EVERYWHERE, key=len, reverse=True):
                said = said.replace(same, "")
            if re.search("[A-Za-z]{2}", said) and not said.endswith(('="', '"')):
                yield text.strip()


@pytest.mark.parametrize("name", [path.name for kind, path in words.sources() if kind == "jinja2"])
def test_every_word_of_a_template_is_marked(name: str) -> None:
    assert list(unmarked(words.ROOT / "templates" / name)) == []


def test_what_is_marked_is_a_whole_literal() -> None:
    """No f"..." and no sum: nobody could gather it."""
    wrong = []
    for kind, path in words.sources():
        if kind != "python":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name not in words.KEYWORDS or name in ("gettext",):
                continue
            for place in words.KEYWORDS[name] or (1,):
                said = node.args[place - 1] if len(node.args) >= place else None
                if isinstance(said, ast.JoinedStr | ast.BinOp):
                    wrong.append(f"{path.name}:{node.lineno}")
    assert wrong == []


def test_a_catalogue_speaks() -> None:
    spoken.use("de")
    try:
        assert spoken.gettext("Password") == "Passwort"
        assert spoken.ngettext("%(num)s post", "%(num)s posts", 2) == "2 Beiträge"
    finally:
        spoken.use("en")
    assert spoken.gettext("Password") == "Password"


def test_messages_are_called_sealed_and_never_end_to_end_encrypted() -> None:
    """But for what others sent so, which nobody reads here: it stands under this heading."""
    said = " ".join(text for one in words.gathered() if one.id for text in forms(one)[0])
    assert said.lower().count("end-to-end") == 1
    assert "End-to-end encrypted" in said
    assert "sealed at rest" in said
