"""The owner and the server as actors, over HTTP."""

from pathlib import Path

import pytest

from microfedi.federation.outbox import profile
from microfedi.storage import blocks
from tests.app_fixture import ACTIVITY, BASE_URL, HANDLE, PAGE, US, an_app

LD = {"accept": 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'}


async def test_the_actor_says_all_that_others_need(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        answer = await app.get(f"/users/{HANDLE}", **ACTIVITY)

        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/activity+json"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cache-control"] == "private, no-cache"
        assert {"Accept", "Cookie", "Signature"} <= set(answer.headers["vary"].split(", "))
        document = answer.json()
        context = document.pop("@context")
        assert context[0] == "https://www.w3.org/ns/activitystreams"
        assert "https://w3id.org/security/v1" in context
        key = document.pop("publicKey")
        assert key["id"] == f"{US}#main-key"
        assert key["owner"] == US
        assert key["publicKeyPem"].startswith("-----BEGIN PUBLIC KEY-----\n")
        (multikey,) = document.pop("assertionMethod")
        assert multikey["publicKeyMultibase"].startswith("z6Mk")
        assert {name: multikey[name] for name in ("id", "type", "controller")} == {
            "id": f"{US}#ed25519-key",
            "type": "Multikey",
            "controller": US,
        }
        (signatures, ed25519) = document.pop("generator")["implements"]
        assert signatures["href"] == "https://datatracker.ietf.org/doc/html/rfc9421"
        assert ed25519["href"].startswith(signatures["href"])
        assert document == {
            "id": US,
            "type": "Person",
            "preferredUsername": "maya",
            "webfinger": "maya@us.example",
            "name": "Maya",
            "summary": "",
            "url": "https://us.example/@maya",
            "published": "2026-11-22T12:00:00.000Z",
            "inbox": f"{US}/inbox",
            "outbox": f"{US}/outbox",
            "followers": f"{US}/followers",
            "following": f"{US}/following",
            "featured": f"{US}/featured",
            "featuredTags": f"{US}/featured_tags",
            "interactionPolicy": {
                "canFeature": {
                    "automaticApproval": [],
                    "manualApproval": ["https://www.w3.org/ns/activitystreams#Public"],
                }
            },
            "endpoints": {"sharedInbox": "https://us.example/inbox"},
            "manuallyApprovesFollowers": False,
            "discoverable": document["discoverable"],
            "indexable": document["indexable"],
            "attachment": [],
            "tag": [],
        }


async def test_both_addresses_have_both_faces(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        document = await app.get(f"/users/{HANDLE}", **ACTIVITY)
        assert (await app.get(f"/@{HANDLE}", **ACTIVITY)).content == document.content
        assert (await app.get(f"/users/{HANDLE}", **LD)).content == document.content
        to_page = await app.get(f"/users/{HANDLE}", **PAGE)
        assert (to_page.status_code, to_page.headers["location"]) == (302, f"/@{HANDLE}")
        page = await app.get(f"/@{HANDLE}", **PAGE)
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.headers["link"] == (
            f'<{US}>; rel="alternate"; type="application/activity+json", '
            '<https://us.example/@maya/feed.atom>; rel="alternate"; type="application/atom+xml", '
            '<https://us.example/@maya/feed.json>; rel="alternate"; type="application/feed+json"'
        )
        for answer in (to_page, page):
            assert {"Accept", "Cookie"} <= set(answer.headers["vary"].split(", "))
            assert answer.headers["cache-control"] == "private, no-cache"


async def test_who_has_the_actor_is_told_so_until_it_changes(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        first = await app.get(f"/users/{HANDLE}", **ACTIVITY)
        again = await app.get(
            f"/users/{HANDLE}", **ACTIVITY, **{"if-none-match": first.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]

        await profile.update(app.ctx, profile.Profile("Maya M.", "I **paint**."))

        changed = await app.get(
            f"/users/{HANDLE}", **ACTIVITY, **{"if-none-match": first.headers["etag"]}
        )
        assert changed.status_code == 200
        assert changed.json()["name"] == "Maya M."
        assert "<strong>paint</strong>" in changed.json()["summary"]


async def test_the_actor_costs_no_question_to_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with an_app(tmp_path) as app:
        first = await app.get(f"/users/{HANDLE}", **ACTIVITY)

        async def never(*_: object) -> None:
            raise AssertionError("the database was asked")

        with monkeypatch.context() as patch:
            patch.setattr(app.ctx.db, "read", never)
            patch.setattr(app.ctx.db, "write", never)
            again = await app.get(f"/users/{HANDLE}", **ACTIVITY, cookie="__Host-session=x")
        assert again.content == first.content


async def test_both_actors_are_there_for_whoever_asks_even_for_the_blocked(tmp_path: Path) -> None:
    """Or two servers that only answer the signed would wait for each other's key for ever."""
    async with an_app(tmp_path) as app:
        mallory = app.world.actor("https://evil.example/users/mallory")
        await app.ctx.db.write(lambda tx: blocks.block_host(tx, "evil.example", app.clock.now))
        for url in (f"{BASE_URL}/actor", US):
            for signer in (None, mallory):
                assert (await app.asked_by(signer, url)).status_code == 200
        assert app.world.requests == []


async def test_the_server_is_an_actor_too(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        answer = await app.get("/actor")
        assert answer.headers["content-type"] == "application/activity+json"
        document = answer.json()
        key = document.pop("publicKey")
        assert (key["id"], key["owner"]) == (f"{BASE_URL}/actor#main-key", f"{BASE_URL}/actor")
        assert document.pop("@context")
        assert document == {
            "id": f"{BASE_URL}/actor",
            "type": "Application",
            "preferredUsername": "us.example",
            "name": "us.example",
            "url": f"{BASE_URL}/",
            "inbox": f"{BASE_URL}/actor/inbox",
            "outbox": f"{BASE_URL}/actor/outbox",
            "endpoints": {"sharedInbox": f"{BASE_URL}/inbox"},
            "manuallyApprovesFollowers": True,
        }
        outbox = (await app.get("/actor/outbox")).json()
        assert (outbox["totalItems"], outbox["orderedItems"]) == (0, [])


@pytest.mark.parametrize("path", ["/inbox", f"/users/{HANDLE}/inbox", "/actor/inbox"])
async def test_an_inbox_is_for_posting(tmp_path: Path, path: str) -> None:
    async with an_app(tmp_path) as app:
        answer = await app.get(path, **ACTIVITY)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
