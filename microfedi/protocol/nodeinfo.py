"""NodeInfo: what we tell crawlers about this server."""

from typing import Any, Literal

Version = Literal["2.0", "2.1"]
VERSIONS: tuple[Version, ...] = ("2.0", "2.1")
_SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/"


def links(base_url: str) -> dict[str, Any]:
    """Return the document at /.well-known/nodeinfo, with the instance actor as FEP-2677 asks.

    >>> links("https://a.example")["links"][0]["href"]
    'https://a.example/nodeinfo/2.0'
    """
    found = [
        {"rel": f"{_SCHEMA}{version}", "href": f"{base_url}/nodeinfo/{version}"}
        for version in VERSIONS
    ]
    application = "https://www.w3.org/ns/activitystreams#Application"
    return {"links": [*found, {"rel": application, "href": f"{base_url}/actor"}]}


def content_type(version: Version) -> str:
    """Return the Content-Type of a NodeInfo document.

    >>> content_type("2.1")
    'application/json; profile="http://nodeinfo.diaspora.software/ns/schema/2.1#"'
    """
    return f'application/json; profile="{_SCHEMA}{version}#"'


def document(
    version: Version,
    *,
    software_version: str,
    name: str,
    description: str,
    owner_uri: str,
    public_posts: int,
) -> dict[str, Any]:
    """Return the NodeInfo document of one version. One person lives here, and no other may join.

    `public_posts` counts what everybody can see anyway, and nothing else.

    Source: the NodeInfo 2.0 and 2.1 schemas, all required keys.
    """
    return {
        "version": version,
        "software": {"name": "microfedi", "version": software_version},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": {
            "users": {"total": 1, "activeMonth": 1, "activeHalfyear": 1},
            "localPosts": public_posts,
        },
        "metadata": {
            "nodeName": name,
            "nodeDescription": description,
            "staffAccounts": [owner_uri],
            "federation": {"enabled": True},
        },
    }
