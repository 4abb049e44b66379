"""The owner's text -> SafeHtml, and the mentions and hashtags in it.

The text is Markdown as people type it in a chat: emphasis, links, lists, quotes, code, headings; a
line end is a line end. No HTML, no pictures, no reference links, no code by indentation. On top of
it `@user@host`, `#word` and bare addresses become links, though not in code or inside a link.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import escape

from microfedi.errors import InvalidInput
from microfedi.protocol import sanitize

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

# Characters of a source text. Brackets cost a parser quadratic time: 10,000 of them 100 ms.
MAX_SOURCE_CHARS = 10_000
# Mentions in one text: each is looked up, and gets its delivery.
MAX_MENTIONS = 50
# Hashtags in one text that count; more are spam to whoever receives them.
MAX_HASHTAGS = 50
# Characters of a hashtag without `#`, of an address that becomes a link by itself, and of what is
# shown of an address (as Mastodon does).
MAX_HASHTAG_CHARS = 100
MAX_URL_CHARS = 2_048
SHOWN_URL_CHARS = 30
# Lists and quotes inside each other.
MAX_NESTING = 20

_MENTION = re.compile(
    r"@([A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,126}[A-Za-z0-9_])?)"
    r"@((?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W_](?:[\w-]{0,61}[^\W_])?(?::[0-9]{1,5})?)(?![\w@])"
)
# No square brackets: in `[https://a.example](https://b.example)` the address ends at the bracket.
_URL_REST = re.compile(rf"://[^\s<>\"`{{}}|\\^\[\]]{{1,{MAX_URL_CHARS}}}")
_SCHEME_BEFORE = re.compile(r"(?<!\w)https?\Z", re.IGNORECASE)
_URL_START = re.compile(r"https?://(?:www\.)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MentionTarget:
    """Somebody mentioned who was found: actor, page for people, and handle as user@host."""

    uri: str
    url: str
    handle: str


def mentions_in(source: str) -> list[str]:
    """List who is mentioned, as `user@host`, each once, in order, at most MAX_MENTIONS.

    >>> mentions_in("Hi @bob@B.example and @bob@b.example, not `@eve@c.example`")
    ['bob@b.example']
    """
    found: dict[str, str] = {}
    for token in _inline_tokens(source, "mention"):
        found.setdefault(token.content.lower(), token.content)
    return list(found.values())[:MAX_MENTIONS]


def hashtags_in(source: str) -> list[str]:
    """List the hashtags, lower-case without `#`, each once, in order, at most MAX_HASHTAGS.

    >>> hashtags_in("#Fedi, #fedi #2026 #été2026 a#b `#code`")
    ['fedi', 'été2026']
    """
    found = dict.fromkeys(token.content.lower() for token in _inline_tokens(source, "hashtag"))
    return list(found)[:MAX_HASHTAGS]


def to_html(
    source: str, *, mentions: Mapping[str, MentionTarget], tag_url: Callable[[str], str]
) -> sanitize.SafeHtml:
    """Write the owner's Markdown as HTML, the way other servers expect it.

    `mentions` has those of `mentions_in` that were found, under the same keys; the others stay
    plain text. `tag_url` says where a hashtag (lower-case, without `#`) is found, in full.

    Raises: InvalidInput("text") if the text is longer than MAX_SOURCE_CHARS.

    >>> to_html("so *nice*\\n<b>", mentions={}, tag_url=str)
    Markup('<p>so <em>nice</em><br>\\n&lt;b&gt;</p>\\n')
    """
    known = {key.lower(): target for key, target in mentions.items()}
    tokens = _parse(source)
    for token in _children(tokens):
        if token.type == "mention":
            target = known.get(token.content.lower())
            token.content = str(escape(token.markup)) if target is None else _mention_link(target)
        elif token.type == "hashtag":
            token.content = _hashtag_link(token.content, tag_url(token.content.lower()))
        elif token.type == "address":
            token.content = _address_link(token.content)
        else:
            continue
        token.type = "html_inline"  # what the renderer writes as it is
    markdown = _markdown()
    # The allowlist once more: should we or the parser ever be wrong, nothing comes of it.
    return sanitize.own(markdown.renderer.render(tokens, markdown.options, {}))


def _mention_link(target: MentionTarget) -> str:
    user = target.handle.lstrip("@").partition("@")[0]
    return (
        f'<span class="h-card" translate="no"><a href="{escape(target.url)}" class="u-url mention">'
        f"@<span>{escape(user)}</span></a></span>"
    )


def _hashtag_link(word: str, url: str) -> str:
    return (
        f'<a href="{escape(url)}" class="mention hashtag" rel="tag">'
        f"#<span>{escape(word)}</span></a>"
    )


def _address_link(url: str) -> str:
    """Show the first SHOWN_URL_CHARS of an address; all of it is there for whoever copies it."""
    start = _URL_START.match(url)
    hidden = start[0] if start else ""
    shown, rest = url[len(hidden) :][:SHOWN_URL_CHARS], url[len(hidden) :][SHOWN_URL_CHARS:]
    ellipsis = ' class="ellipsis"' if rest else ""
    return (
        f'<a href="{escape(url)}" translate="no"><span class="invisible">{escape(hidden)}</span>'
        f"<span{ellipsis}>{escape(shown)}</span>"
        + (f'<span class="invisible">{escape(rest)}</span></a>' if rest else "</a>")
    )


def _inline_tokens(source: str, kind: str) -> list["Token"]:
    return [token for token in _children(_parse(source)) if token.type == kind]


def _children(tokens: list["Token"]) -> list["Token"]:
    return [child for token in tokens for child in token.children or ()]


def _parse(source: str) -> list["Token"]:
    if len(source) > MAX_SOURCE_CHARS:
        raise InvalidInput("text", "At most %(limit)s characters, please.", limit=MAX_SOURCE_CHARS)
    return _markdown().parse(source.encode(errors="replace").decode())


def _address(state: "StateInline", silent: bool) -> bool:
    """Find an address in the text, at its colon: the scheme before it is pending already."""
    if state.src[state.pos] != ":" or state.linkLevel:
        return False
    scheme = _SCHEME_BEFORE.search(state.src[max(0, state.pos - 8) : state.pos])
    rest = _URL_REST.match(state.src, state.pos)
    if scheme is None or rest is None:
        return False
    url = scheme[0] + _without_closing(rest[0])
    if url.endswith("://"):
        return False
    if not silent:
        if not state.pending.endswith(scheme[0]):
            return False
        state.pending = state.pending[: -len(scheme[0])]
        state.push("address", "", 0).content = url
    state.pos += len(url) - len(scheme[0])
    return True


def _without_closing(url: str) -> str:
    """Leave out what belongs to the sentence: the full stop after an address, a bracket around it.

    >>> _without_closing("://a.example/x_(y)."), _without_closing("://a.example/x).")
    ('://a.example/x_(y)', '://a.example/x')
    """
    while True:
        shorter = url.rstrip(".,;:!?'*_~…")
        if shorter.endswith(")") and shorter.count(")") > shorter.count("("):
            shorter = shorter[:-1]
        if shorter == url:
            return url
        url = shorter


def _mention(state: "StateInline", silent: bool) -> bool:
    if state.src[state.pos] != "@" or state.linkLevel or _follows_a_word(state):
        return False
    match = _MENTION.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        token = state.push("mention", "", 0)
        token.content, token.markup = f"{match[1]}@{match[2].lower()}", match[0]
    state.pos = match.end()
    return True


def _hashtag(state: "StateInline", silent: bool) -> bool:
    if state.src[state.pos] != "#" or state.linkLevel or _follows_a_word(state):
        return False
    start = end = state.pos + 1
    while end < state.posMax and end - start <= MAX_HASHTAG_CHARS and _is_tag_char(state.src[end]):
        end += 1
    word = state.src[start:end]
    if not any(char.isalpha() for char in word) or len(word) > MAX_HASHTAG_CHARS:
        return False
    if not silent:
        state.push("hashtag", "", 0).content = word
    state.pos = end
    return True


def _follows_a_word(state: "StateInline") -> bool:
    before = state.src[state.pos - 1 : state.pos]
    return before.isalnum() or before in ("_", "/", "&", "@", "#") if before else False


def _is_tag_char(char: str) -> bool:
    # Vowel signs of Indic scripts are marks, and the joiners are part of the spelling there.
    return char.isalnum() or char in "_\u200c\u200d" or unicodedata.category(char)[0] == "M"


@cache
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # here, so that an idle server does without it

    markdown = MarkdownIt(
        "commonmark", {"html": False, "breaks": True, "maxNesting": MAX_NESTING, "xhtmlOut": False}
    )
    markdown.enable("strikethrough")
    # `reference` would let 10,000 characters become megabytes; the others surprise in a post.
    markdown.disable(
        ["image", "html_block", "html_inline", "reference", "lheading", "code", "hr", "entity"]
    )
    for name, rule in (("address", _address), ("mention", _mention), ("hashtag", _hashtag)):
        markdown.inline.ruler.before("emphasis", name, rule)
    return markdown
