"""Where somebody's own server lets them act on what they found elsewhere: links with a template.

A WebFinger document names pages of a server with blanks in their addresses: "follow {object}". We
fill in those of visitors' servers, and offer our own to the owner.

Source: FEP-3b86 (Activity Intents); before that, OStatus' `subscribe` link.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, Literal
from urllib.parse import quote

from microfedi.protocol import uris
from microfedi.protocol.webfinger import MAX_LINKS

NAMESPACE = "https://w3id.org/fep/3b86/"
SUBSCRIBE_REL = "http://ostatus.org/schema/1.0/subscribe"
CLOSE = "(close)"  # as on-success or on-cancel: the window was opened for this alone

Wish = Literal["follow", "reply", "favourite", "boost", "open"]

# For each wish the links that grant it, the best first, and the blank that it must have.
_WAYS: Mapping[Wish, tuple[tuple[str, str], ...]] = {
    "follow": (
        (f"{NAMESPACE}Follow", "object"),
        (SUBSCRIBE_REL, "uri"),
        (f"{NAMESPACE}Object", "object"),
    ),
    "reply": (
        (f"{NAMESPACE}Create", "inReplyTo"),
        (f"{NAMESPACE}Object", "object"),
        (SUBSCRIBE_REL, "uri"),
    ),
    "favourite": (
        (f"{NAMESPACE}Like", "object"),
        (f"{NAMESPACE}Object", "object"),
        (SUBSCRIBE_REL, "uri"),
    ),
    "boost": (
        (f"{NAMESPACE}Announce", "object"),
        (f"{NAMESPACE}Object", "object"),
        (SUBSCRIBE_REL, "uri"),
    ),
    "open": ((f"{NAMESPACE}Object", "object"), (SUBSCRIBE_REL, "uri")),
}
_BLANK = re.compile(r"\{([A-Za-z][A-Za-z0-9_-]{0,40})\}")


def own_links(base_url: str) -> list[dict[str, str]]:
    """Return the links of our own WebFinger document: what the owner can be sent here for.

    Source: FEP-3b86.

    >>> own_links("https://us.example")[0]["template"]
    'https://us.example/authorize_interaction?uri={uri}'
    """
    page = f"{base_url}/authorize_interaction"
    after = "&on-success={on-success}&on-cancel={on-cancel}"
    return [
        {"rel": SUBSCRIBE_REL, "template": f"{page}?uri={{uri}}"},
        {"rel": f"{NAMESPACE}Object", "template": f"{page}?uri={{object}}"},
        *(
            {
                "rel": f"{NAMESPACE}{intent}",
                "template": f"{page}?intent={intent}&uri={{object}}{after}",
            }
            for intent in ("Follow", "Like", "Announce")
        ),
        {
            "rel": f"{NAMESPACE}Create",
            "template": f"{base_url}/share?content={{content}}&name={{name}}&summary={{summary}}"
            f"&inReplyTo={{inReplyTo}}{after}",
        },
    ]


def templates_in(jrd: Mapping[str, Any]) -> dict[str, str]:
    """Return the templates of a WebFinger document by what they are for; nothing is checked yet.

    >>> templates_in({"links": [{"rel": SUBSCRIBE_REL, "template": "https://b.example/?{uri}"}, 1]})
    {'http://ostatus.org/schema/1.0/subscribe': 'https://b.example/?{uri}'}
    """
    links = jrd.get("links")
    found: dict[str, str] = {}
    for link in links[:MAX_LINKS] if isinstance(links, list) else ():
        if not isinstance(link, dict):
            continue
        rel = link.get("rel")
        # Emissary before 2025 wrote `href`.
        template = link.get("template") or link.get("href")
        wanted = isinstance(rel, str) and (rel == SUBSCRIBE_REL or rel.startswith(NAMESPACE))
        if wanted and isinstance(template, str) and len(template) <= uris.MAX_URI_CHARS:
            found.setdefault(str(rel), template)
    return found


def way(
    templates: Mapping[str, str],
    wish: Wish,
    *,
    uri: str,
    subject: str,
    hosts: Collection[str],
    allow_http: bool = False,
) -> str | None:
    """Return the address at which a visitor's own server grants a wish; None if there is none.

    `uri` is the id of the post or person, `subject` what a `subscribe` link gets instead (a handle,
    for somebody). Only addresses on `hosts` are given out, whatever a template says: what it names,
    after filling, is an https address of the visitor's own server or it is nothing.

    >>> way({SUBSCRIBE_REL: "https://b.example/?u={uri}"}, "follow",
    ...     uri="https://a.example/u", subject="u@a.example", hosts={"b.example"})
    'https://b.example/?u=u%40a.example'
    >>> way({SUBSCRIBE_REL: "https://evil.example/?u={uri}"}, "follow",
    ...     uri="https://a.example/u", subject="u@a.example", hosts={"b.example"}) is None
    True
    """
    values = {"object": uri, "inReplyTo": uri, "uri": subject}
    for rel, blank in _WAYS[wish]:
        template = templates.get(rel)
        if template is None or f"{{{blank}}}" not in template:
            continue
        address = filled(template, values)
        if uris.is_acceptable(address, allow_http=allow_http) and uris.authority(address) in hosts:
            return address
    return None


def filled(template: str, values: Mapping[str, str]) -> str:
    """Return a template with its blanks filled in, percent-encoded; those we do not know are empty.

    >>> filled("https://b.example/?a={object}&b={name}", {"object": "https://a.example/1?x=y&z"})
    'https://b.example/?a=https%3A%2F%2Fa.example%2F1%3Fx%3Dy%26z&b='
    """
    return _BLANK.sub(lambda match: quote(values.get(match[1], ""), safe=""), template)


def is_left_blank(value: str) -> bool:
    """True for a value that whoever filled in our template did not know, and left as it was.

    >>> is_left_blank("{on-success}"), is_left_blank("(close)"), is_left_blank("")
    (True, False, True)
    """
    return not value or _BLANK.fullmatch(value) is not None
