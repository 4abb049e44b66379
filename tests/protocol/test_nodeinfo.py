"""The NodeInfo documents, by hand."""

import pytest

from microfedi.protocol import nodeinfo


def test_the_links_name_both_versions_and_the_instance_actor() -> None:
    schema = "http://nodeinfo.diaspora.software/ns/schema/"

    assert nodeinfo.links("https://a.example") == {
        "links": [
            {"rel": f"{schema}2.0", "href": "https://a.example/nodeinfo/2.0"},
            {"rel": f"{schema}2.1", "href": "https://a.example/nodeinfo/2.1"},
            {
                "rel": "https://www.w3.org/ns/activitystreams#Application",
                "href": "https://a.example/actor",
            },
        ]
    }


@pytest.mark.parametrize("version", nodeinfo.VERSIONS)
def test_a_document_has_all_required_keys(version: nodeinfo.Version) -> None:
    found = nodeinfo.document(
        version,
        software_version="0.1.0",
        name="Alice",
        description="A personal server",
        owner_uri="https://a.example/users/alice",
        public_posts=42,
    )

    assert found == {
        "version": version,
        "software": {"name": "microfedi", "version": "0.1.0"},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": False,
        "usage": {
            "users": {"total": 1, "activeMonth": 1, "activeHalfyear": 1},
            "localPosts": 42,
        },
        "metadata": {
            "nodeName": "Alice",
            "nodeDescription": "A personal server",
            "staffAccounts": ["https://a.example/users/alice"],
            "federation": {"enabled": True},
        },
    }
