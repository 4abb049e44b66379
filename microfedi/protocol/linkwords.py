"""Whether the words of a link name another place than it leads to."""

import html
import re
import unicodedata
from urllib.parse import urlsplit

from microfedi.errors import MalformedDocument
from microfedi.protocol import uris

MAX_LABEL_CHARS = 2000  # as long as an address may be; nobody takes more for one
MAX_BARE_WORDS = 3  # among which a name with dots is the address, and not a file or an abbreviation

_TAG = re.compile(r"(<[^>]*>)")
_NAME = re.compile(r"<(/?)(span|p|rp)\b")  # what pages may hide
_CLASS = re.compile(r' class="([^"]*)"')
# At most ten parts: with any number, a text of "www.1-www.1-..." took half a minute.
_HOST = r"((?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,10}[^\W\d_]{2,24})"
# What looks like an address wherever it stands: https://b.example, www.b.example, @bob@b.example.
_ADDRESS = re.compile(rf"(?:https?:\W{{1,3}}|\bwww\.|@[\w.-]+@){_HOST}", re.IGNORECASE)
# ... and among few words.
_BARE = re.compile(rf"\W*{_HOST}(?:[^\w.].*)?", re.IGNORECASE | re.DOTALL)


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
    few = words.split(maxsplit=MAX_BARE_WORDS)
    if not named and len(few) <= MAX_BARE_WORDS:
        named = [match[1] for one in few if (match := _BARE.fullmatch(one)) is not None]
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
    hidden: list[bool] = []  # of the elements that are open
    for piece in _TAG.split(label):
        tag = _NAME.match(piece)
        if tag is not None and tag[1]:
            hidden[-1:] = []
        elif tag is not None:
            named = _CLASS.search(piece)
            classes = named[1].split() if named is not None else []
            hidden.append(tag[2] == "rp" or "invisible" in classes)
        elif not piece.startswith("<") and not any(hidden):
            words.append(piece)
    looks = html.unescape("".join(words))[:MAX_LABEL_CHARS]
    plain = unicodedata.normalize("NFKC", looks)  # what looks like a dot is one
    return "".join(one for one in plain if unicodedata.category(one) != "Cf")
