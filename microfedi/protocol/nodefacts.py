"""What another server says of itself: NodeInfo, read with care.

Source: NodeInfo 1.0 to 2.1.
"""

import re
from dataclasses import dataclass
from typing import Any

from microfedi.protocol import sanitize, shapes

MAX_SOFTWARE_CHARS = 60
MAX_VERSION_CHARS = 60
MAX_USERS = 10**9

_RELS = ("2.1", "2.0", "1.1", "1.0")
_SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/"
_SOFTWARE = re.compile(r"[a-z0-9][a-z0-9 ._+-]*")


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """Software and version ("" if unsaid), how many accounts, and whether anybody may make one."""

    software: str
    version: str
    users: int | None
    open_registrations: bool | None


def link_in(document: Any) -> str | None:
    """Return where the newest NodeInfo lies that /.well-known/nodeinfo names.

    >>> link_in({"links": [{"rel": _SCHEMA + "2.0", "href": "https://b.example/n"}]})
    'https://b.example/n'
    """
    if not isinstance(document, dict):
        return None
    named: dict[str, str] = {}
    for link in list(shapes.objects(document.get("links")))[:20]:
        rel, href = link.get("rel"), link.get("href")
        if isinstance(rel, str) and isinstance(href, str) and rel.startswith(_SCHEMA):
            named.setdefault(rel.removeprefix(_SCHEMA), href)
    return next((named[one] for one in _RELS if one in named), None)


def read(document: Any) -> NodeFacts:
    """Return what a NodeInfo document says; whatever is odd in it is left out.

    >>> read({"software": {"name": "Mastodon", "version": "4.5.1"}, "openRegistrations": False})
    NodeFacts(software='mastodon', version='4.5.1', users=None, open_registrations=False)
    """
    said = document if isinstance(document, dict) else {}
    software = said.get("software")
    software = software if isinstance(software, dict) else {}
    name = sanitize.plain(_text(software.get("name")), limit=MAX_SOFTWARE_CHARS).lower()
    version = sanitize.plain(_text(software.get("version")), limit=MAX_VERSION_CHARS)
    usage = said.get("usage")
    users = usage.get("users") if isinstance(usage, dict) else None
    total = users.get("total") if isinstance(users, dict) else None
    is_count = isinstance(total, int) and not isinstance(total, bool) and 0 <= total <= MAX_USERS
    is_open = said.get("openRegistrations")
    return NodeFacts(
        name if _SOFTWARE.fullmatch(name) else "",
        version if name else "",
        total if is_count else None,
        is_open if isinstance(is_open, bool) else None,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
