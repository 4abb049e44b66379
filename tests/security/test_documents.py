"""What other servers may read: open posts, and closed ones only for those they are for."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from microfedi.config import Federation
from microfedi.protocol.vocab import Visibility
from microfedi.storage import pins
from tests.another_server import RemoteActor
from tests.app_fixture import ACTIVITY, BASE_URL, HANDLE, PAGE, US, App, an_app

NEVER = f"{US}/notes/AAAAAAAAAAAAAAAAAAAAAA"


def same(answer: httpx2.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    """Everything of an answer that somebody could compare."""
    headers = [(n, v) for n, v in sorted(answer.headers.multi_items()) if n != "date"]
    return answer.status_code, headers, answer.content


async def walked(app: App, url: str) -> list[Any]:
    """Every item of a collection, page after page, to its end."""
    collection = (await app.asked_by(None, url)).json()
    assert collection["id"] == url
    items = []
    following = collection["first"]
    seen = set()
    while following:
        assert following not in seen
        seen.add(following)
        page = (await app.asked_by(None, following)).json()
        assert page["id"] == following
        assert page["partOf"] == url
        items += page.get("orderedItems", page.get("items", []))
        following = page.get("next")
    return items


async def test_s_104_the_outbox_holds_and_counts_what_is_open(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        opened = []
        for n in range(23):
            await app.publish(f"closed {n}", Visibility.FOLLOWERS)
            kind = Visibility.PUBLIC if n % 2 else Visibility.UNLISTED
            opened.append((await app.publish(f"open {n}", kind)).uri)
        frank = app.world.actor("https://fol.example/users/frank")
        await app.message([(await app.followed_by(frank)).id], "between us")
        url = f"{US}/outbox"
        collection = (await app.asked_by(None, url)).json()
        assert collection["type"] == "OrderedCollection"
        assert collection["totalItems"] == 23
        items = await walked(app, url)
        assert [item["object"]["id"] for item in items] == opened[::-1]
        assert {item["type"] for item in items} == {"Create"}
        signed = (await app.asked_by(frank, f"{url}?page=true")).text
        assert "closed" not in signed


async def test_s_105_collections_of_an_open_post_count_nothing_closed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor("https://vic.example/users/alice")
        await app.followed_by(alice)
        post = await app.publish("open")
        before = [
            (await app.asked_by(None, f"{post.uri}/{name}")).text
            for name in ("replies", "likes", "shares", "replies?page=true")
        ]
        page_before = (await app.get(f"/@{HANDLE}/{post.public_id}")).text
        await app.publish("mine, closed", Visibility.FOLLOWERS, in_reply_to=post.id)
        await app.theirs(alice, inReplyTo=post.uri, to=[f"{alice.uri}/followers"], cc=[US])
        await app.theirs(alice, inReplyTo=post.uri, to=[US], cc=[])
        after = [
            (await app.asked_by(None, f"{post.uri}/{name}")).text
            for name in ("replies", "likes", "shares", "replies?page=true")
        ]
        assert after == before
        page = (await app.get(f"/@{HANDLE}/{post.public_id}")).text
        assert page.split("<main")[1] == page_before.split("<main")[1]
        open_answer = await app.theirs(alice, inReplyTo=post.uri)
        assert await walked(app, f"{post.uri}/replies") == [open_answer]
        assert (await app.asked_by(None, f"{post.uri}/replies")).json()["totalItems"] == 1


async def test_s_105_featured_and_follows_tell_nothing_closed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        frank = app.world.actor("https://fol.example/users/frank")
        await app.followed_by(frank)
        await app.follow(frank)
        opened, closed = await app.publish("o"), await app.publish("c", Visibility.FOLLOWERS)
        owner = app.ctx.owner.actor_id
        await app.ctx.db.write(lambda tx: pins.replace(tx, owner, [closed.id, opened.id]))
        featured = (await app.asked_by(None, f"{US}/featured")).json()
        assert featured["totalItems"] == 1
        assert [item["id"] for item in featured["orderedItems"]] == [opened.uri]
        for name in ("followers", "following"):
            assert (await app.asked_by(None, f"{US}/{name}")).json()["totalItems"] == 1
            assert await walked(app, f"{US}/{name}") == [frank.uri]
        page = (await app.get(f"/@{HANDLE}")).text
        assert page.count("<article") == 2  # pinned, and in the list
        await app.login()
        answer = await app.post(
            "/settings/preferences",
            {"hides_follows": "on", "message_policy": "anyone", "time_zone": "UTC"},
        )
        assert answer.status_code == 303
        for name in ("followers", "following"):
            hidden = (await app.asked_by(None, f"{US}/{name}")).json()
            assert hidden.keys() == {"@context", "id", "type"}
            for query in ("?page=true", "?page=true&before=9"):
                assert (await app.asked_by(None, f"{US}/{name}{query}")).json() == hidden
        assert "<b>1</b> follower" not in (await app.browser().get(f"/@{HANDLE}")).text


async def test_s_106_feed_profile_and_tags_show_what_is_open(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for n, kind in enumerate((Visibility.PUBLIC, Visibility.UNLISTED, Visibility.FOLLOWERS)):
            await app.publish(f"number{n} #bread", kind)
        shown = {
            path: [n for n in range(3) if f"number{n}" in (await app.get(path)).text]
            for path in (f"/@{HANDLE}", f"/@{HANDLE}/feed.atom", "/tags/bread")
        }
        assert shown[f"/@{HANDLE}"] == [0, 1]
        assert shown[f"/@{HANDLE}/feed.atom"] == [0]
        assert shown["/tags/bread"] == [0]
        assert (await app.get("/sitemap.xml")).status_code == 404


async def askers(app: App) -> tuple[RemoteActor, RemoteActor, RemoteActor]:
    """An accepted follower, a neighbour of hers on the same server, and an attacker."""
    alice = app.world.actor("https://vic.example/users/alice")
    bob = app.world.actor("https://vic.example/users/bob")
    mallory = app.world.actor("https://evil.example/users/mallory")
    await app.followed_by(alice)
    await app.meet(bob)
    await app.meet(mallory)
    return alice, bob, mallory


@pytest.mark.parametrize(
    "suffix", ["", "/activity", "/replies", "/replies?page=true", "/likes", "/shares"]
)
async def test_s_107_a_closed_post_is_not_there_for_others(suffix: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice, bob, mallory = await askers(app)
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        message = await app.message([(await app.meet(alice)).id], "For alice alone")
        for method in ("GET", "HEAD"):
            for headers in (
                ACTIVITY,
                PAGE,
                {"accept": "application/json"},
                {"accept": "*/*", "accept-language": "de"},
                ACTIVITY | {"if-none-match": "*"},
                ACTIVITY | {"range": "bytes=0-10"},
            ):
                expected = same(await app.asked_by(None, NEVER + suffix, method, **headers))
                assert expected[0] == 404
                for signer in (None, bob, mallory):
                    got = await app.asked_by(signer, closed.uri + suffix, method, **headers)
                    assert same(got) == expected, (signer and signer.uri, headers)
                for signer in (None, bob, mallory, alice):
                    got = await app.asked_by(signer, message.uri + suffix, method, **headers)
                    assert same(got) == expected, (signer and signer.uri, headers)
        allowed = await app.asked_by(alice, closed.uri + suffix)
        assert allowed.status_code == 200
        assert allowed.headers["cache-control"] == "no-store"
        assert "etag" not in allowed.headers
        assert "signature" in allowed.headers["vary"].lower()


async def test_s_107_the_page_is_not_there_either(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice, _, _ = await askers(app)
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        message = await app.message([(await app.meet(alice)).id], "For alice alone")
        for base in (f"/@{HANDLE}", f"/users/{HANDLE}/notes"):
            expected = same(await app.get(f"{base}/AAAAAAAAAAAAAAAAAAAAAA"))
            for public_id in (closed.public_id, message.public_id):
                assert same(await app.get(f"{base}/{public_id}")) == expected


async def test_s_107_a_request_or_a_former_follower_is_no_follower(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice, bob, _ = await askers(app)
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        expected = same(await app.asked_by(None, NEVER))
        asked = {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": f"{bob.uri}/follows/9",
            "type": "Follow",
            "actor": bob.uri,
            "object": US,
        }
        await app.login()
        await app.post(
            "/settings/preferences",
            {"approves_followers": "on", "message_policy": "anyone", "time_zone": "UTC"},
        )
        await app.deliver(bob, asked)
        assert same(await app.asked_by(bob, closed.uri)) == expected
        actor = await app.meet(alice)
        await app.post(f"/people/{actor.id}/reject")
        assert same(await app.asked_by(alice, closed.uri)) == expected


async def test_s_107_a_wrong_signature_is_a_strangers(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice, _, mallory = await askers(app)
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        opened = await app.publish("For all")
        expected = same(await app.asked_by(None, NEVER))
        good = alice.signed_headers("GET", closed.uri, now=app.clock.now)
        elsewhere = alice.signed_headers("GET", opened.uri, now=app.clock.now)
        borrowed = mallory.signed_headers("GET", closed.uri, now=app.clock.now, key_id=alice.key_id)
        broken = good | {"signature": good["signature"][:-20] + 'AAAAAAAAAAAAAAAAAAA"'}
        for headers in (elsewhere, borrowed, broken, {"signature": "x"}, {"signature": ""}):
            wrong = {k: v for k, v in headers.items() if k != "host"}
            assert same(await app.asked_by(None, closed.uri, **wrong)) == expected
            assert (await app.asked_by(None, opened.uri, **wrong)).status_code == 200


async def test_s_107_what_was_closed_leaves_no_grave(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice, _, _ = await askers(app)
        opened = await app.publish("For all")
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        message = await app.message([(await app.meet(alice)).id], "For alice alone")
        await app.login()
        for note in (opened, closed):
            assert (await app.post(f"/posts/{note.id}/delete")).status_code == 303
        await app.post(f"/messages/{message.conversation_id}/{message.id}/delete")
        stranger = app.browser()
        expected = same(await app.asked_by(None, NEVER))
        for uri in (closed.uri, message.uri):
            for signer in (None, alice):
                assert same(await app.asked_by(signer, uri)) == expected
        gone = await app.asked_by(None, opened.uri)
        assert gone.status_code == 410
        assert gone.json()["type"] == "Tombstone"
        assert gone.json()["id"] == opened.uri
        assert (await stranger.get(f"/@{HANDLE}/{opened.public_id}")).status_code == 410
        assert (await stranger.get(f"/@{HANDLE}/{closed.public_id}")).status_code == 404


async def test_closed_mode_is_an_island(tmp_path: Path) -> None:
    async with an_app(tmp_path, federation=Federation(mode="closed")) as app:
        alice = app.world.actor("https://vic.example/users/alice")
        note = await app.publish("Hello @alice@vic.example https://vic.example/x")
        for url in (
            US, f"{US}/outbox", f"{US}/outbox?page=true", f"{US}/featured", f"{US}/followers",
            f"{US}/following", note.uri, f"{note.uri}/activity", f"{note.uri}/replies",
            f"{BASE_URL}/actor", f"{BASE_URL}/actor/outbox", f"{BASE_URL}/nodeinfo/2.1",
            f"{BASE_URL}/.well-known/webfinger?resource=acct:{HANDLE}@us.example",
            f"{BASE_URL}/.well-known/nodeinfo", f"{BASE_URL}/.well-known/host-meta",
        ):  # fmt: skip
            for signer in (None, alice):
                answer = await app.asked_by(signer, url)
                assert answer.status_code == 404, url
        for url in (f"{US}/inbox", f"{BASE_URL}/inbox", f"{BASE_URL}/actor/inbox"):
            headers = alice.signed_headers("POST", url, b"{}", now=app.clock.now)
            answer = await app.browser().post(url, content=b"{}", headers=headers)
            assert answer.status_code == 404, url
        assert (await app.get(f"/@{HANDLE}/{note.public_id}")).status_code == 200
        await app.login()
        for data in ({"q": "@alice@vic.example"}, {"q": alice.uri}):
            assert (await app.post("/search", data)).status_code == 422
        sent = await app.post("/messages/new", {"to": "@alice@vic.example", "source": "x"})
        assert sent.status_code == 422
        assert await app.count("deliveries") == 0
        assert app.world.resolved == []
        assert app.world.dialled == []
