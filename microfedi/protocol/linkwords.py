"""Whether the words of a link name another place than it leads to."""

import html
import re
from urllib.parse import urlsplit

from microfedi.errors import MalformedDocument
from microfedi.protocol import uris

_SPAN = re.compile(r"(<[^>]*>)")
# At most ten parts: with any number, a text of "www.1-www.1-..." took half a minute.
_HOST = r"((?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,10}[^\W\d_]{2,24})"
# What looks like an address wherever it stands: https://b.example, www.b.example, @bob@b.example.
_ADDRESS = re.compile(rf"(?:https?://(?:[^\s/@]*@)?|\bwww\.|@[\w.-]+@){_HOST}", re.IGNORECASE)
# ... and if it is all that is read.
_BARE = re.compile(rf"{_HOST}(?::\d+)?(?:[/?#].*)?", re.IGNORECASE | re.DOTALL)


def elsewhere(label: str, href: str) -> str | None:
    """Return the host that a link leads to, if a reader of its label would expect another.

    `label` is clean HTML, of which the page hides what is of the class `invisible`; `href` is as it
    stands in HTML.

    >>> elsewhere('<span class="invisible">https://</span>bank.example', "https://evil.example/")
    'evil.example'
    >>> elsewhere("https://bank.example/login", "https://www.bank.example/login")
    >>> elsewhere("here", "https://evil.example/")
    """
    words = _read(label)
    named = [match[1] for match in _ADDRESS.finditer(words)]
    if not named and (bare := _BARE.fullmatch(words)) is not None:
        named = [bare[1]]
    if not named:
        return None
    true = _host(html.unescape(href))
    asked = [uris.ascii_host(name) for name in named]
    if true is not None and all(name is not None and uris.are_kin(name, true) for name in asked):
        return None
    return true or "?"


def _host(href: str) -> str | None:
    """Return where a browser goes, for addresses too that we would not ask ourselves."""
    try:
        return uris.host(href)
    except MalformedDocument:
        pass
    try:
        return uris.ascii_host(urlsplit(href.replace("\\", "/")).hostname or "")
    except ValueError:
        return None


def _read(label: str) -> str:
    """Return the words of a link as a reader sees them."""
    words: list[str] = []
    hidden: list[bool] = []  # of the spans that are open
    for piece in _SPAN.split(label):
        if piece.startswith("<span"):
            hidden.append("invisible" in piece)
        elif piece == "</span>":
            hidden[-1:] = []
        elif not piece.startswith("<") and not any(hidden):
            words.append(piece)
    return html.unescape("".join(words)).strip()
