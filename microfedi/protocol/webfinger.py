"""Handles (@user@host), WebFinger documents, and host-meta."""

import html
import re
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import unquote

from microfedi.protocol import uris

MAX_RESOURCE_CHARS = uris.MAX_URI_CHARS
MAX_USER_CHARS = 255  # characters; Bridgy Fed's users are whole domain names
MAX_LINKS = 50  # links of a JRD that we look at

ACTIVITY_TYPE = "application/activity+json"
LD_TYPE = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
PROFILE_REL = "http://webfinger.net/rel/profile-page"
AVATAR_REL = "http://webfinger.net/rel/avatar"
SERVICE_REL = "https://www.w3.org/ns/activitystreams#Service"  # FEP-d556

# What Mastodon takes as the user part of a remote handle.
_USER = re.compile(r"[A-Za-z0-9_]++(?:[.-]++[A-Za-z0-9_]++)*+")
_PORT = re.compile(r"[1-9][0-9]{0,4}")


@dataclass(frozen=True, slots=True)
class Handle:
    """`@user@host`. The host is lower case and ASCII, with a port only if it needs one."""

    user: str
    host: str

    def __str__(self) -> str:
        """Return it without the leading @, as it stands in `acct:`."""
        return f"{self.user}@{self.host}"

    def matches(self, other: "Handle") -> bool:
        """True if both name the same account: the user part knows no case.

        >>> Handle("Bob", "b.example").matches(Handle("bob", "b.example"))
        True
        """
        return self.host == other.host and self.user.lower() == other.user.lower()


def parse_handle(text: str) -> Handle | None:
    """Read a handle as a person types it, or as `acct:` URI; None if it is none.

    Source: RFC 7565; the user part as Mastodon accepts it.

    >>> parse_handle("@bob@B.example"), parse_handle("acct:bob@bücher.example")
    (Handle(user='bob', host='b.example'), Handle(user='bob', host='xn--bcher-kva.example'))
    >>> parse_handle("bob"), parse_handle("bob@b.example@evil.example")
    (None, None)
    """
    if len(text) > MAX_RESOURCE_CHARS:
        return None
    bare = text.strip()
    bare = bare[5:] if bare[:5].lower() == "acct:" else bare
    user, at, where = bare.removeprefix("@").partition("@")
    name, colon, port = where.partition(":")
    host = uris.ascii_host(name)
    if not at or host is None or not is_user(user):
        return None
    if colon and not (_PORT.fullmatch(port) and int(port) <= 65535):
        return None
    return Handle(user, f"{host}:{port}" if colon and port != "443" else host)


def is_user(text: str) -> bool:
    """True if this can stand before the @ of a handle.

    >>> is_user("bob"), is_user("b.example"), is_user("bob@b.example"), is_user("../bob")
    (True, True, False, False)
    """
    return len(text) <= MAX_USER_CHARS and _USER.fullmatch(text) is not None


def resource_handle(
    resource: str, *, handle: str, host: str, handle_domain: str, base_url: str
) -> Literal["owner", "instance"] | None:
    """Say whom of us a WebFinger `resource` asks for: the owner, the instance actor, or nobody.

    All the forms that others use: `acct:` URIs with the host or the handle's domain, the same
    without `acct:`, the actor's id, the page of the profile, and for the instance actor also the
    base URL (FEP-d556) and `acct:host@host`, as Mastodon asks. `host` and `handle_domain` may
    carry a port.

    >>> us = dict(handle="alice", host="a.example", handle_domain="example.com",
    ...           base_url="https://a.example")
    >>> resource_handle("acct:ALICE@example.com", **us), resource_handle("https://a.example/", **us)
    ('owner', 'instance')
    """
    if len(resource) > MAX_RESOURCE_CHARS:
        return None
    if uris.is_acceptable(resource, allow_http=True):
        return _by_uri(resource, handle=handle, base_url=base_url)
    asked = parse_handle(resource)
    if asked is None:
        # A host with a port is no user part, and yet what is asked for on a development server.
        instance = f"{host}@{host}"
        bare = resource[5:] if resource[:5].lower() == "acct:" else resource
        return "instance" if bare.lower() == instance.lower() else None
    if asked.host not in (host.lower(), handle_domain.lower()):
        return None
    if asked.user.lower() == handle.lower():
        return "owner"
    return "instance" if asked.user.lower() == host.lower() else None


def _by_uri(uri: str, *, handle: str, base_url: str) -> Literal["owner", "instance"] | None:
    if not uris.belongs_to(uri, base_url) or "?" in uri or "#" in uri:
        return None
    path = unquote(uri.split("/", 3)[3]).rstrip("/").lower() if uri.count("/") > 2 else ""
    if path in ("", "actor"):
        return "instance"
    return "owner" if path in (f"users/{handle.lower()}", f"@{handle.lower()}") else None


def owner_jrd(
    *,
    handle: str,
    handle_domain: str,
    base_url: str,
    avatar_url: str | None = None,
    avatar_type: str = "image/png",
) -> dict[str, Any]:
    """Return the WebFinger document of the owner; the subject is always the canonical handle.

    Source: RFC 7033 4.4.

    >>> owner_jrd(handle="alice", handle_domain="example.com",
    ...           base_url="https://a.example")["subject"]
    'acct:alice@example.com'
    """
    actor_uri, page_url = f"{base_url}/users/{handle}", f"{base_url}/@{handle}"
    links = [
        {"rel": PROFILE_REL, "type": "text/html", "href": page_url},
        {"rel": "self", "type": ACTIVITY_TYPE, "href": actor_uri},
    ]
    if avatar_url is not None:
        links.append({"rel": AVATAR_REL, "type": avatar_type, "href": avatar_url})
    return {
        "subject": f"acct:{handle}@{handle_domain}",
        "aliases": [page_url, actor_uri],
        "links": links,
    }


def instance_jrd(*, host: str, base_url: str, resource: str = "") -> dict[str, Any]:
    """Return the WebFinger document of the instance actor.

    Whoever asked with the base URL gets it back as the subject, and the link that FEP-d556 names.
    Whoever asked for `host@host` is a server that checks the signer of our fetches.

    >>> instance_jrd(host="a.example", base_url="https://a.example")["subject"]
    'acct:a.example@a.example'
    """
    actor_uri = f"{base_url}/actor"
    by_url = uris.is_acceptable(resource, allow_http=True)
    return {
        "subject": f"{base_url}/" if by_url else f"acct:{host}@{host}",
        "aliases": [actor_uri],
        "links": [
            {"rel": "self", "type": ACTIVITY_TYPE, "href": actor_uri},
            {"rel": SERVICE_REL, "type": ACTIVITY_TYPE, "href": actor_uri},
        ],
    }


def subject_of(jrd: dict[str, Any], asked: Handle | None = None) -> Handle | None:
    """Return the handle that a WebFinger document is about; None if it names none.

    Hubzilla used to leave the host out: then it is the one that was `asked`.

    >>> subject_of({"subject": "acct:bob@b.example"})
    Handle(user='bob', host='b.example')
    """
    subject = jrd.get("subject")
    if asked is not None and subject == f"acct:{asked.user}":
        return asked
    return parse_handle(subject) if isinstance(subject, str) else None


def actor_uri_in(jrd: dict[str, Any]) -> str | None:
    """Return the actor that a WebFinger document links to; None if there is none.

    There may be several `self` links; only one of ActivityPub's own types counts, and the type
    that everybody writes wins over the other.

    >>> actor_uri_in({"links": [{"rel": "self", "type": "text/html", "href": "https://b.example/"}]})
    """
    links = jrd.get("links")
    found: dict[str, str] = {}
    for link in links[:MAX_LINKS] if isinstance(links, list) else ():
        if not isinstance(link, dict) or link.get("rel") != "self":
            continue
        kind, href = link.get("type"), link.get("href")
        if kind in (ACTIVITY_TYPE, LD_TYPE) and uris.is_acceptable(href, allow_http=True):
            found.setdefault(kind, str(href))
    return found.get(ACTIVITY_TYPE) or found.get(LD_TYPE)


def host_meta_xml(base_url: str) -> str:
    """Return the host-meta document. Source: RFC 6415 3."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">\n'
        f'  <Link rel="lrdd" template="{html.escape(_template(base_url))}"/>\n'
        "</XRD>\n"
    )


def host_meta_json(base_url: str) -> dict[str, Any]:
    """Return the host-meta document as JSON. Source: RFC 6415 appendix A."""
    return {"links": [{"rel": "lrdd", "template": _template(base_url)}]}


def _template(base_url: str) -> str:
    return f"{base_url}/.well-known/webfinger?resource={{uri}}"
