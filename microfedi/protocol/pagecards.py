"""What a web page says of itself to those who link to it: a title, a few words, a picture.

Source: the Open Graph protocol; `fediverse:creator` is Mastodon's.
"""

import contextlib
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin

from microfedi.protocol import shapes, webfinger

# Characters of a page: it says so in its head, and broken HTML takes a parser quadratic time.
MAX_PAGE_CHARS = 128 * 1024
MAX_METAS = 300
MAX_TITLE_CHARS = 300
MAX_DESCRIPTION_CHARS = 500

_TITLES = ("og:title", "twitter:title")
_DESCRIPTIONS = ("og:description", "twitter:description", "description")
_PICTURES = ("og:image:secure_url", "og:image", "og:image:url", "twitter:image")
_READ = frozenset({*_TITLES, *_DESCRIPTIONS, *_PICTURES, "fediverse:creator"})


@dataclass(frozen=True, slots=True)
class PageCard:
    """All plain text; `creator` is a handle that the page names, which nobody has confirmed."""

    title: str
    description: str
    image_url: str | None
    creator: str


def read(html: str, url: str) -> PageCard:
    """Read what the page at `url` says of itself; "" for what it does not.

    >>> card = read('<title>T</title><meta property="og:image" content="/a.png">', "https://b.example/x")
    >>> card.title, card.image_url
    ('T', 'https://b.example/a.png')
    """
    reader = _Head()
    # The parser gives up at some declarations ("<![<"): what came before has been read.
    with contextlib.suppress(AssertionError):
        reader.feed(html[:MAX_PAGE_CHARS])
    said = reader.said
    picture = _first(said, _PICTURES)
    try:
        image_url = shapes.link(urljoin(url, picture.strip())) if picture else None
    except ValueError:
        image_url = None
    creator = webfinger.parse_handle(said.get("fediverse:creator", "").strip())
    return PageCard(
        title=shapes.line(_first(said, _TITLES) or reader.title, MAX_TITLE_CHARS),
        description=shapes.line(_first(said, _DESCRIPTIONS), MAX_DESCRIPTION_CHARS),
        image_url=image_url,
        creator=str(creator) if creator else "",
    )


def _first(said: dict[str, str], names: tuple[str, ...]) -> str:
    return next((said[name] for name in names if said.get(name)), "")


class _Head(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.said: dict[str, str] = {}
        self.title = ""
        self._in_title = False
        self._metas = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title":
            self._in_title = not self.title
        if tag != "meta" or self._metas >= MAX_METAS:
            return
        self._metas += 1
        fields = {name: value or "" for name, value in attrs}
        name = (fields.get("property") or fields.get("name", "")).lower()
        if name in _READ:
            self.said.setdefault(name, fields.get("content", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title = (self.title + data)[: 4 * MAX_TITLE_CHARS]
