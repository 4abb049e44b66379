"""Whether a web page names somebody's profile as the same person's: rel="me".

Source: the microformats wiki, rel-me.
"""

import html as entities
import re
from functools import cache
from urllib.parse import urljoin, urlsplit

import nh3

from microfedi.errors import MalformedDocument
from microfedi.protocol import uris

MAX_PAGE_CHARS = 512 * 1024  # of HTML; whoever puts the link far below may move it up
# Tags of a page that is read, and those that it may leave open: the parser takes quadratic time for
# what is nested, or closed without having been opened. 20,000 of the worst kind cost 1 s.
MAX_TAGS = 20_000
MAX_OPEN = 2_000
MAX_LINKS = 2_000

_LINK = re.compile(r"<(?:a|link)((?: [a-z]+=\"[^\"]*\")*)>")
_ATTRIBUTE = re.compile(r' ([a-z]+)="([^"]*)"')
_NEVER_CLOSED = re.compile(
    r"<(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr|path|use|li|p|"
    r"circle|rect|line|polygon|polyline|ellipse|option|td|tr|th|dt|dd)\b",
    re.IGNORECASE,
)


def links_back(html: str, page_url: str, profile_urls: frozenset[str]) -> bool:
    """Whether the page at `page_url` says in an `a` or `link` that it is of one of these profiles.

    >>> us, page = frozenset({"https://us.example/@maya"}), "https://b.example/"
    >>> links_back('<a rel="nofollow me" href="https://us.example/@maya/">', page, us)
    True
    >>> links_back('<!-- <a rel=me href="https://us.example/@maya"> -->', page, us)
    False
    """
    wanted = {plain for one in profile_urls if (plain := _comparable(one))}
    source = html[:MAX_PAGE_CHARS]
    tags = source.count("<")
    opened = tags - 2 * source.count("</") - len(_NEVER_CLOSED.findall(source))
    if tags > MAX_TAGS or opened > MAX_OPEN or not wanted:
        return False
    for number, found in enumerate(_LINK.finditer(_cleaner().clean(source))):
        if number >= MAX_LINKS:
            return False
        attributes = {
            name: entities.unescape(value) for name, value in _ATTRIBUTE.findall(found[1])
        }
        if "me" not in attributes.get("rel", "").lower().split():
            continue
        try:
            target = urljoin(page_url, attributes.get("href", "").strip())
        except ValueError:
            continue
        if _comparable(target) in wanted:
            return True
    return False


def may_vouch(page_url: str, *, others: frozenset[str]) -> bool:
    """Whether what a page says counts: it is https, and on no server that speaks for the profile.

    `others` are the hosts of the profile: its server could say of itself what it likes. What lies
    above or below them by name counts as the same.

    >>> may_vouch("https://ann.example/about", others=frozenset({"social.example"}))
    True
    >>> may_vouch("https://pages.social.example/", others=frozenset({"social.example"}))
    False
    """
    if not uris.is_acceptable(page_url, allow_http=False):
        return False
    host = uris.host(page_url).partition(":")[0]
    return bool(host) and not any(
        host == name or host.endswith(f".{name}") or name.endswith(f".{host}")
        for name in (one.partition(":")[0] for one in others)
    )


def same_site(asked: str, found: str) -> bool:
    """Whether a page stayed where it was asked for, after redirects; "www." makes no difference.

    A site that sends visitors anywhere must not vouch for what lies there.

    >>> same_site("https://ann.example", "https://www.ann.example/en")
    True
    >>> same_site("https://bank.example/go?to=x", "https://evil.example/")
    False
    """
    return uris.host(asked).removeprefix("www.") == uris.host(found).removeprefix("www.")


def _comparable(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = uris.authority(url)
    except (ValueError, MalformedDocument):
        return ""
    return f"{parts.scheme.lower()}://{host}{parts.path.rstrip('/')}?{parts.query}"


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags={"a", "link"},
        attributes={"a": {"href", "rel"}, "link": {"href", "rel"}},
        clean_content_tags={
            "script", "style", "template", "noscript", "iframe", "textarea", "title", "select",
        },
        link_rel=None,
        url_schemes={"https", "http"},
    )  # fmt: skip
