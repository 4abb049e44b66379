"""`make words`: gather what pages say, hand it to the translators' catalogues, and compile those.

locale/microfedi.pot is what there is to translate, locale/LANGUAGE/LC_MESSAGES/microfedi.po what
somebody made of it, microfedi.mo beside it what the server reads.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from microfedi import words

ROOT: Final = Path(__file__).resolve().parent.parent
LOCALE: Final = ROOT / "locale"
TEMPLATE: Final = LOCALE / f"{words.DOMAIN}.pot"

# The functions and errors whose words are for people, and which argument those are.
KEYWORDS: Final[dict[str, tuple[int, ...] | None]] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "mark": None,
    "InvalidInput": (2,),
    "WrongCredentials": (2,),
    **dict.fromkeys(
        (
            *("RemoteError", "RemoteGone", "RemoteRefused", "RemoteTooLarge", "ForbiddenAddress"),
            *("TooBusy", "Refused"),
        )
    ),
}
_JINJA: Final = {"silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}


def sources() -> Iterator[tuple[str, Path]]:
    """Every file with words in it, and how it is read."""
    yield from (("jinja2", path) for path in sorted(ROOT.glob("templates/*.html")))
    yield from (("python", path) for path in sorted(ROOT.glob("microfedi/**/*.py")))


def gathered() -> Catalog:
    """Return what there is to translate, by files: lines would change with every edit."""
    catalog = Catalog(project=words.DOMAIN, charset="utf-8", fuzzy=False)
    for method, path in sources():
        options = _JINJA if method == "jinja2" else {}
        name = str(path.relative_to(ROOT))
        for _line, message, _comments, _context in extract_from_file(
            method, path, keywords=KEYWORDS, options=options
        ):
            catalog.add(message, locations=[(name, 1)])
    return catalog


def read(path: Path) -> Catalog:
    """Read a catalogue."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name if path.suffix == ".po" else None)


def as_text(catalog: Catalog, *, omit_header: bool = False) -> bytes:
    """Return a catalogue as its file."""
    file = io.BytesIO()
    write_po(
        file,
        catalog,
        width=100,
        omit_header=omit_header,
        sort_output=True,
        include_lineno=False,
        ignore_obsolete=True,
    )
    return file.getvalue()


def compiled(catalog: Catalog) -> bytes:
    """Return what the server reads."""
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def catalogues() -> list[Path]:
    """Every language's catalogue."""
    return [
        LOCALE / language / "LC_MESSAGES" / f"{words.DOMAIN}.po"
        for language in words.LANGUAGES
        if language != words.DEFAULT
    ]


def main() -> None:
    template = gathered()
    TEMPLATE.write_bytes(as_text(template, omit_header=True))
    for path in catalogues():
        catalog = read(path)
        catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
        path.write_bytes(as_text(catalog))
        path.with_suffix(".mo").write_bytes(compiled(catalog))
        missing = sum(not is_done(one) for one in catalog if one.id)
        print(f"{path.relative_to(ROOT)}: {missing} of {len(catalog)} to translate")  # noqa: T201


def is_done(message: Message) -> bool:
    """Return whether a translation is whole."""
    forms = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
    return bool(forms) and all(forms)


if __name__ == "__main__":
    main()
