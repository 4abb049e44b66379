"""Handles and discovery documents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microfedi.protocol import webfinger
from microfedi.protocol.webfinger import Handle

LD = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
BOB = "https://b.example/users/bob"


def asked(resource: str, base_url: str = "https://a.example", host: str = "a.example") -> object:
    return webfinger.resource_handle(
        resource, handle="alice", host=host, handle_domain="example.com", base_url=base_url
    )


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("@bob@b.example", Handle("bob", "b.example")),
        ("bob@b.example", Handle("bob", "b.example")),
        (" acct:bob@b.example ", Handle("bob", "b.example")),
        ("ACCT:Bob.The-Builder_1@B.example", Handle("Bob.The-Builder_1", "b.example")),
        ("bob@bücher.example", Handle("bob", "xn--bcher-kva.example")),
        ("bob@bob.localhost:8002", Handle("bob", "bob.localhost:8002")),
        ("bob@b.example:443", Handle("bob", "b.example")),
        ("did.example@bsky.example", Handle("did.example", "bsky.example")),
        ("", None),
        ("@", None),
        ("bob", None),
        ("@bob", None),
        ("bob@", None),
        ("@@b.example", None),
        ("bob@b.example@evil.example", None),
        ("bob@b.example/x", None),
        ("bob@b.example:99999", None),
        ("bob@b.example:", None),
        ("bob@b example", None),
        ("bob @b.example", None),
        ("-bob@b.example", None),
        ("bob-@b.example", None),
        ("bób@b.example", None),
        ("<b>@b.example", None),
        ("../bob@b.example", None),
        ("bob@127.1", None),
        ("bob@[::1]", None),
        ("https://b.example/@bob", None),
        ("a" * 256 + "@b.example", None),
        ("a-" * 50_000 + "@b.example", None),
    ],
)
def test_a_handle_is_read_as_people_type_it(typed: str, expected: Handle | None) -> None:
    assert webfinger.parse_handle(typed) == expected


@given(st.text())
def test_any_text_is_a_handle_or_none(text: str) -> None:
    found = webfinger.parse_handle(text)

    assert found is None or webfinger.parse_handle(str(found)) == found


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("acct:alice@a.example", "owner"),
        ("acct:alice@example.com", "owner"),
        ("acct:ALICE@A.EXAMPLE", "owner"),
        ("alice@a.example", "owner"),
        ("@alice@a.example", "owner"),
        ("https://a.example/users/alice", "owner"),
        ("https://a.example/@alice", "owner"),
        ("https://A.example/@Alice/", "owner"),
        ("https://a.example/%40alice", "owner"),
        ("https://a.example/", "instance"),
        ("https://a.example", "instance"),
        ("https://a.example/actor", "instance"),
        ("acct:a.example@a.example", "instance"),
        ("a.example@a.example", "instance"),
        ("acct:bob@a.example", None),
        ("acct:alice@b.example", None),
        ("https://b.example/users/alice", None),
        ("https://a.example.evil.example/", None),
        ("https://a.example/users/bob", None),
        ("https://a.example/users/alice/inbox", None),
        ("https://a.example/?x", None),
        ("http://a.example/users/alice", None),
        ("acct:", None),
        ("", None),
        ("acct:alice@" + "a" * 3000, None),
        ("acct:alice\0@a.example", None),
    ],
)
def test_every_form_of_a_resource_finds_us(resource: str, expected: str | None) -> None:
    assert asked(resource) == expected


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("acct:alice@alice.localhost:8001", "owner"),
        ("acct:alice.localhost:8001@alice.localhost:8001", "instance"),
        ("http://alice.localhost:8001/users/alice", "owner"),
        ("acct:alice@alice.localhost", None),
    ],
)
def test_a_development_server_is_found_with_its_port(resource: str, expected: str | None) -> None:
    base_url, host = "http://alice.localhost:8001", "alice.localhost:8001"

    assert asked(resource, base_url, host) == expected


def test_the_owner_is_described_under_the_canonical_handle() -> None:
    found = webfinger.owner_jrd(
        handle="alice",
        handle_domain="example.com",
        base_url="https://a.example",
        avatar_url="https://a.example/media/1.png",
    )

    assert found == {
        "subject": "acct:alice@example.com",
        "aliases": ["https://a.example/@alice", "https://a.example/users/alice"],
        "links": [
            {
                "rel": "http://webfinger.net/rel/profile-page",
                "type": "text/html",
                "href": "https://a.example/@alice",
            },
            {
                "rel": "self",
                "type": "application/activity+json",
                "href": "https://a.example/users/alice",
            },
            {
                "rel": "http://webfinger.net/rel/avatar",
                "type": "image/png",
                "href": "https://a.example/media/1.png",
            },
        ],
    }
    assert webfinger.actor_uri_in(found) == "https://a.example/users/alice"
    assert webfinger.subject_of(found) == Handle("alice", "example.com")


def test_the_instance_actor_answers_under_the_name_that_was_asked_for() -> None:
    base_url = "https://a.example"
    by_handle = webfinger.instance_jrd(
        host="a.example", base_url=base_url, resource="acct:a.example@a.example"
    )
    by_url = webfinger.instance_jrd(host="a.example", base_url=base_url, resource=base_url)

    assert by_handle["subject"] == "acct:a.example@a.example"
    assert by_url["subject"] == "https://a.example/"
    assert by_url["links"][1] == {
        "rel": "https://www.w3.org/ns/activitystreams#Service",
        "type": "application/activity+json",
        "href": "https://a.example/actor",
    }
    assert webfinger.actor_uri_in(by_handle) == "https://a.example/actor"


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ([{"rel": "self", "type": "application/activity+json", "href": BOB}], BOB),
        ([{"rel": "self", "type": LD, "href": BOB}], BOB),
        (
            [
                {"rel": "self", "type": LD, "href": f"{BOB}/ld"},
                {"rel": "self", "type": "text/html", "href": f"{BOB}/html"},
                {"rel": "self", "type": "application/activity+json", "href": BOB},
            ],
            BOB,
        ),
        ([{"rel": "self", "type": "application/ld+json", "href": BOB}], None),
        ([{"rel": "self", "type": "application/activity+json", "href": "javascript:1"}], None),
        ([{"rel": "alternate", "type": "application/activity+json", "href": BOB}], None),
        ([{"rel": "self", "type": [], "href": {}}, 7, None], None),
        ({"rel": "self"}, None),
        (None, None),
    ],
)
def test_only_a_self_link_of_the_right_type_names_the_actor(
    links: object, expected: str | None
) -> None:
    assert webfinger.actor_uri_in({"links": links}) == expected


@pytest.mark.parametrize(
    "subject", [None, 7, "acct:bob", "https://b.example/", ["acct:b@b.example"]]
)
def test_a_subject_that_is_no_handle_is_none(subject: object) -> None:
    assert webfinger.subject_of({"subject": subject}) is None


def test_a_subject_without_a_host_is_on_the_one_that_was_asked() -> None:
    bob = Handle("bob", "b.example")

    assert webfinger.subject_of({"subject": "acct:bob"}, bob) == bob
    assert webfinger.subject_of({"subject": "acct:eve"}, bob) is None


def test_host_meta_points_to_webfinger() -> None:
    template = "https://a.example/.well-known/webfinger?resource={uri}"

    assert webfinger.host_meta_xml("https://a.example") == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">\n'
        f'  <Link rel="lrdd" template="{template}"/>\n'
        "</XRD>\n"
    )
    assert webfinger.host_meta_json("https://a.example") == {
        "links": [{"rel": "lrdd", "template": template}]
    }
