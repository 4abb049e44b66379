"""How others find out that we are here, and that a closed server says nothing to servers."""

import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from microfedi.config import Federation
from microfedi.protocol.vocab import Visibility
from tests.app_fixture import ACTIVITY, BASE_URL, HANDLE, PAGE, US, an_app

FINGER = "/.well-known/webfinger"


# Where the owner is sent for what they want to do with something elsewhere.
INTENTS = [
    {
        "rel": "http://ostatus.org/schema/1.0/subscribe",
        "template": "https://us.example/authorize_interaction?uri={uri}",
    },
    {
        "rel": "https://w3id.org/fep/3b86/Object",
        "template": "https://us.example/authorize_interaction?uri={object}",
    },
    {
        "rel": "https://w3id.org/fep/3b86/Follow",
        "template": "https://us.example/authorize_interaction?intent=Follow&uri={object}"
        "&on-success={on-success}&on-cancel={on-cancel}",
    },
    {
        "rel": "https://w3id.org/fep/3b86/Like",
        "template": "https://us.example/authorize_interaction?intent=Like&uri={object}"
        "&on-success={on-success}&on-cancel={on-cancel}",
    },
    {
        "rel": "https://w3id.org/fep/3b86/Announce",
        "template": "https://us.example/authorize_interaction?intent=Announce&uri={object}"
        "&on-success={on-success}&on-cancel={on-cancel}",
    },
    {
        "rel": "https://w3id.org/fep/3b86/Create",
        "template": "https://us.example/share?content={content}&name={name}&summary={summary}"
        "&inReplyTo={inReplyTo}&on-success={on-success}&on-cancel={on-cancel}",
    },
]


@pytest.mark.parametrize(
    "resource",
    [
        "acct:maya@us.example",
        "acct%3Amaya%40us.example",
        "maya@us.example",
        "@maya@us.example",
        "acct:MAYA@US.example",
        "acct:@maya@us.example",
        f"{BASE_URL}/users/maya",
        f"{BASE_URL}/@maya",
        "acct:maya@maya.example",
    ],
)
async def test_webfinger_knows_the_owner_by_every_name(resource: str, tmp_path: Path) -> None:
    async with an_app(tmp_path, handle_domain="maya.example") as app:
        answer = await app.get(f"{FINGER}?resource={resource}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/jrd+json"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cache-control"] == "public, max-age=3600"
        assert answer.json() == {
            "subject": "acct:maya@maya.example",
            "aliases": [f"{BASE_URL}/@maya", US],
            "links": [
                {
                    "rel": "http://webfinger.net/rel/profile-page",
                    "type": "text/html",
                    "href": f"{BASE_URL}/@maya",
                },
                {"rel": "self", "type": "application/activity+json", "href": US},
                *INTENTS,
            ],
        }


async def test_without_a_domain_of_its_own_the_handle_is_at_the_servers(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for resource in ("acct:maya@us.example", "@maya@us.example", US, f"{BASE_URL}/@maya"):
            answer = await app.get(f"{FINGER}?resource={quote(resource, safe='')}")
            assert answer.json()["subject"] == "acct:maya@us.example"
            assert answer.json()["aliases"] == [f"{BASE_URL}/@maya", US]
        assert (await app.client.head(f"{FINGER}?resource=acct:maya@us.example")).status_code == 200


async def test_webfinger_is_asked_at_the_handles_domain_too(tmp_path: Path) -> None:
    async with an_app(tmp_path, handle_domain="maya.example") as app:
        there = {"host": "maya.example"}
        for resource in ("acct:maya@maya.example", "acct:maya@us.example"):
            answer = await app.get(f"{FINGER}?resource={resource}", **there)
            assert answer.json()["subject"] == "acct:maya@maya.example"
        for path in (f"/users/{HANDLE}", "/login"):
            assert (await app.get(path, **there)).status_code == 400


@pytest.mark.parametrize(
    "resource",
    [f"{BASE_URL}/", BASE_URL, f"{BASE_URL}/actor", "acct:us.example@us.example"],
)
async def test_webfinger_knows_the_server(resource: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        document = (await app.get(f"{FINGER}?resource={resource}")).json()
        named = "acct:us.example@us.example"
        assert document["subject"] == (named if resource == named else f"{BASE_URL}/")
        assert {
            "rel": "https://www.w3.org/ns/activitystreams#Service",
            "type": "application/activity+json",
            "href": f"{BASE_URL}/actor",
        } in document["links"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("?resource=", 400),
        ("?rel=self", 400),
        ("?x", 400),
        ("?resource=a@us.example&resource=maya@us.example", 400),
        ("?resource=acct:mayo@us.example", 404),
        ("?resource=acct:maya@evil.example", 404),
        ("?resource=https://evil.example/@maya", 404),
        (f"?resource={BASE_URL}/home", 404),
        ("?resource=%00", 404),
        ("?resource=%ff%fe", 404),
        ("?resource=" + "a" * 20_000, 404),
    ],
)
async def test_webfinger_knows_nobody_else(query: str, status: int, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        answer = await app.get(f"{FINGER}{query}")
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == "*"
        assert status == 404 or "resource" in answer.text


async def test_nobody_is_found_by_what_looks_like_the_owner(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for resource in (
            "acct:other@us.example", "acct:maya@us.example.evil.example",
            "https://evil.example/users/maya", f"{BASE_URL}/users/other", f"{US}?x=1",
            "http://us.example/users/maya", "mailto:a@us.example", "x", "acct:", "@@",
        ):  # fmt: skip
            answer = await app.get(f"{FINGER}?resource={quote(resource, safe='')}")
            assert answer.status_code == 404, resource
            assert answer.headers["access-control-allow-origin"] == "*"


async def test_host_meta_leads_to_webfinger(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        template = f"{BASE_URL}/.well-known/webfinger?resource={{uri}}"
        xml = await app.get("/.well-known/host-meta")
        assert xml.headers["content-type"].startswith("application/xrd+xml")
        root = ElementTree.fromstring(xml.text)  # noqa: S314 - our own words
        (link,) = root
        assert link.tag == "{http://docs.oasis-open.org/ns/xri/xrd-1.0}Link"
        assert link.attrib == {"rel": "lrdd", "template": template}
        answer = await app.get("/.well-known/host-meta.json")
        assert answer.json() == {"links": [{"rel": "lrdd", "template": template}]}


async def test_nodeinfo_counts_open_posts_now_and_then(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.publish("Hello")
        await app.publish("Among us", Visibility.FOLLOWERS)
        links = (await app.get("/.well-known/nodeinfo")).json()["links"]
        assert [one["href"] for one in links] == [
            f"{BASE_URL}/nodeinfo/2.0",
            f"{BASE_URL}/nodeinfo/2.1",
            f"{BASE_URL}/actor",
        ]

        async def posts(version: str) -> Any:
            answer = await app.get(f"/nodeinfo/{version}")
            assert answer.headers["content-type"] == (
                "application/json; "
                f'profile="http://nodeinfo.diaspora.software/ns/schema/{version}#"'
            )
            document = answer.json()
            assert document["version"] == version
            assert document["software"]["name"] == "microfedi"
            assert document["protocols"] == ["activitypub"]
            assert document["openRegistrations"] is False
            assert document["usage"]["users"]["total"] == 1
            return document["usage"]["localPosts"]

        assert await posts("2.1") == 1
        await app.publish("Hello again", Visibility.UNLISTED)
        assert await posts("2.0") == 1
        app.clock.forward(minutes=11)
        assert await posts("2.0") == 2


async def test_what_everybody_may_ask(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        robots = await app.get("/robots.txt")
        assert robots.text.startswith("User-agent: *\n")
        assert "Disallow: /media/proxy/\n" in robots.text
        security = await app.get("/.well-known/security.txt")
        assert security.headers["content-type"] == "text/plain; charset=utf-8"
        assert security.text == (
            f"Contact: {BASE_URL}/@maya\n"
            "Expires: 2027-05-21T00:00:00Z\n"
            f"Canonical: {BASE_URL}/.well-known/security.txt\n"
        )
        icon = await app.get("/favicon.ico")
        assert (icon.status_code, icon.headers["location"]) == (301, "/static/favicon.svg")
        assert (await app.get("/static/favicon.svg")).headers["content-type"] == "image/svg+xml"


async def test_health_is_the_databases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with an_app(tmp_path) as app:
        answer = await app.get("/healthz", host="127.0.0.1:8000")
        assert (answer.status_code, answer.text) == (200, "ok\n")

        async def broken(*_: object) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        with monkeypatch.context() as patch:
            patch.setattr(app.ctx.db, "read", broken)
            answer = await app.get("/healthz")
        assert answer.status_code == 503


FOR_SERVERS = [
    f"{FINGER}?resource=acct:maya@us.example",
    "/.well-known/host-meta",
    "/.well-known/host-meta.json",
    "/.well-known/nodeinfo",
    "/nodeinfo/2.0",
    "/nodeinfo/2.1",
    "/actor",
    "/actor/outbox",
    f"/users/{HANDLE}",
    f"/@{HANDLE}",
    f"/users/{HANDLE}/outbox",
    f"/users/{HANDLE}/featured",
    f"/users/{HANDLE}/followers",
    f"/users/{HANDLE}/following",
]


@pytest.mark.parametrize(
    "settings",
    [
        {"federation": Federation(mode="closed")},
        {"base_url": "http://localhost:8000"},
    ],
    ids=["closed", "trial"],
)
async def test_who_does_not_federate_says_nothing_to_servers(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    async with an_app(tmp_path, **settings) as app:
        note = await app.publish("Hello")
        paths = [*FOR_SERVERS, f"/users/{HANDLE}/notes/{note.public_id}"]
        for path in paths:
            assert (await app.get(path, **ACTIVITY)).status_code == 404, path
        for path in ("/inbox", "/actor/inbox", f"/users/{HANDLE}/inbox"):
            answer = await app.client.post(
                path, content=b"{}", headers={"content-type": "application/activity+json"}
            )
            assert answer.status_code == 404, path
        for path in (f"/@{HANDLE}", f"/@{HANDLE}/{note.public_id}", "/about", "/robots.txt"):
            assert (await app.get(path, **PAGE)).status_code == 200, path


async def test_before_setup_nobody_is_there(tmp_path: Path) -> None:
    async with an_app(tmp_path, with_owner=False) as app:
        for path in [*FOR_SERVERS, f"/@{HANDLE}/feed.atom", "/tags/x", "/.well-known/security.txt"]:
            for headers in (ACTIVITY, PAGE):
                assert (await app.get(path, **headers)).status_code == 404, path
        assert (await app.get("/", **PAGE)).status_code == 200
        assert (await app.get("/login", **PAGE)).headers["location"] == "/"
        assert (await app.get("/healthz")).status_code == 200
