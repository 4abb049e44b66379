"""From a page for people to the document behind it: rel=alternate, in the header or in the page."""

import contextlib
import re
from html.parser import HTMLParser

from microfedi.protocol import answers

MAX_HEADER_CHARS = 8192  # of a Link header
MAX_LINKS = 200  # of a page
# Characters of a page: links stand in its head, and broken HTML takes a parser quadratic time.
MAX_PAGE_CHARS = 128 * 1024

_ENTRY = re.compile(r"<([^<>]{1,2048})>([^<]*)")
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,"]+))', re.IGNORECASE)
_TYPE = re.compile(r';\s*type\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]+))', re.IGNORECASE)


def in_header(link: str) -> str | None:
    """Return where a Link header says that the ActivityPub document lies; None if it does not.

    Source: RFC 8288 3.

    >>> in_header('</a>; rel="next", <https://b.example/1>; rel=alternate; '
    ...           'type="application/activity+json"')
    'https://b.example/1'
    """
    for target, parameters in _ENTRY.findall(link[:MAX_HEADER_CHARS]):
        rel, kind = _REL.search(parameters), _TYPE.search(parameters)
        if rel and kind and _is_it(rel[1] or rel[2] or "", kind[1] or kind[2] or ""):
            return str(target)
    return None


def in_page(html: str) -> str | None:
    """Return where the first <link rel=alternate> to an ActivityPub document leads.

    >>> in_page('<link rel="alternate" type="application/activity+json" href="/1">')
    '/1'
    """
    finder = _Links()
    # The parser gives up at some declarations ("<![<"): what came before has been read.
    with contextlib.suppress(AssertionError):
        finder.feed(html[:MAX_PAGE_CHARS])
    return finder.found


def _is_it(rel: str, kind: str) -> bool:
    return "alternate" in rel.lower().split() and answers.is_activity_type(kind.replace("\\", ""))


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: str | None = None
        self._seen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "link" or self.found is not None or self._seen >= MAX_LINKS:
            return
        self._seen += 1
        said = {name: value or "" for name, value in attrs}
        if _is_it(said.get("rel", ""), said.get("type", "")):
            self.found = said.get("href") or None
