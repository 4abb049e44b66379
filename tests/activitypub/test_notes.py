"""Notes as other servers get them: for whom they are, and the same 404 for everybody else."""

import secrets
from pathlib import Path

import httpx2
import pytest

from microfedi.federation.outbox import announces
from microfedi.federation.outbox import notes as outbox
from microfedi.protocol.vocab import PUBLIC, Visibility
from microfedi.storage import blocks
from tests.another_server import Answer
from tests.app_fixture import ACTIVITY, BASE_URL, HANDLE, PAGE, US, App, an_app

ALICE = "https://vic.example/users/alice"
FRANK = "https://fol.example/users/frank"
MALLORY = "https://evil.example/users/mallory"


def seen(answer: httpx2.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    """All that a stranger can tell of an answer."""
    headers = [(name, value) for name, value in answer.headers.multi_items() if name != "date"]
    return answer.status_code, headers, answer.content


async def never_issued(app: App, path: str = "", **headers: str) -> httpx2.Response:
    """Ask for a note that never was."""
    return await app.get(f"/users/{HANDLE}/notes/{secrets.token_hex(16)}{path}", **headers)


async def test_a_note_is_what_was_written(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello **you** #Bread", language="en")

        answer = await app.get(f"/users/{HANDLE}/notes/{note.public_id}", **ACTIVITY)

        assert answer.headers["content-type"] == "application/activity+json"
        assert answer.headers["access-control-allow-origin"] == "*"
        document = answer.json()
        assert document["id"] == note.uri == f"{US}/notes/{note.public_id}"
        assert document["type"] == "Note"
        assert document["attributedTo"] == US
        assert document["url"] == f"{BASE_URL}/@{HANDLE}/{note.public_id}"
        assert document["to"] == [PUBLIC]
        assert document["cc"] == [f"{US}/followers"]
        assert document["published"] == "2026-11-22T12:00:01.000Z"
        assert document["content"].startswith("<p>Hello <strong>you</strong> ")
        assert document["contentMap"] == {"en": document["content"]}
        assert document["tag"] == [
            {"type": "Hashtag", "href": f"{BASE_URL}/tags/bread", "name": "#bread"}
        ]
        for name in ("replies", "likes", "shares"):
            assert document[name] == f"{note.uri}/{name}"
        page = await app.get(f"/@{HANDLE}/{note.public_id}", **ACTIVITY)
        assert page.content == answer.content
        again = await app.get(
            f"/users/{HANDLE}/notes/{note.public_id}",
            **ACTIVITY,
            **{"if-none-match": answer.headers["etag"]},
        )
        assert (again.status_code, again.content) == (304, b"")


async def test_a_browser_is_led_to_the_page(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        closed = await app.publish("Psst", Visibility.FOLLOWERS)

        answer = await app.get(f"/users/{HANDLE}/notes/{note.public_id}", **PAGE)
        hidden = await app.get(f"/users/{HANDLE}/notes/{closed.public_id}", **PAGE)

        assert (answer.status_code, answer.headers["location"]) == (
            302,
            f"/@{HANDLE}/{note.public_id}",
        )
        assert seen(hidden) == seen(await never_issued(app, **PAGE))


async def test_the_create_is_at_its_address(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        create = (await app.get(f"/users/{HANDLE}/notes/{note.public_id}/activity")).json()
        assert (create["id"], create["type"], create["actor"]) == (
            f"{note.uri}/activity",
            "Create",
            US,
        )
        assert create["object"]["id"] == note.uri


async def test_s_104_a_closed_note_is_there_for_those_it_is_for_alone(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        frank, alice = app.world.actor(FRANK), app.world.actor(ALICE)
        await app.followed_by(frank)
        await app.meet(alice)
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        assert closed.public_id

        answer = await app.asked_by(frank, closed.uri)

        assert answer.status_code == 200
        assert answer.json()["id"] == closed.uri
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers
        nothing = seen(await never_issued(app, **ACTIVITY))
        assert nothing[0] == 404
        for path in ("", "/activity", "/replies", "/replies?page=true", "/likes", "/shares"):
            url = closed.uri + path
            assert (await app.asked_by(frank, url)).status_code == 200, path
            assert seen(await app.asked_by(alice, url)) == nothing, path
            assert seen(await app.asked_by(None, url)) == nothing, path
        page = f"{BASE_URL}/@{HANDLE}/{closed.public_id}"
        assert (await app.asked_by(frank, page)).status_code == 200
        assert seen(await app.asked_by(alice, page)) == nothing


async def test_s_104_a_wrong_signature_opens_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        frank, mallory = app.world.actor(FRANK), app.world.actor(MALLORY)
        await app.followed_by(frank)
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        other = await app.publish("Also for followers", Visibility.FOLLOWERS)
        nothing = seen(await never_issued(app, **ACTIVITY))
        now = app.clock.now
        for signed in (
            # mallory in frank's name; frank's signature for something else; of yesterday
            mallory.signed_headers("GET", closed.uri, now=now, key_id=frank.key_id),
            frank.signed_headers("GET", other.uri, now=now),
            frank.signed_headers("GET", closed.uri, now=now.replace(day=21)),
            {"signature": "nonsense"},
            {"signature": ""},
            {"signature-input": "sig1=()", "signature": "sig1=::"},
        ):
            answer = await app.asked_by(None, closed.uri, **signed)
            assert seen(answer) == nothing, signed


async def test_s_104_whoever_asks_is_looked_up_for_what_is_not_there_too(tmp_path: Path) -> None:
    """Else a stranger would see by the questions at their server what exists here."""
    async with an_app(tmp_path) as app:
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        asked = []
        for number, uri in enumerate((closed.uri, f"{US}/notes/{secrets.token_hex(16)}")):
            stranger = app.world.actor(f"https://evil{number}.example/users/mallory")
            assert (await app.asked_by(stranger, uri)).status_code == 404
            asked.append(len(app.world.gets(stranger.uri)))
        assert asked == [1, 1]


async def test_a_signed_question_for_an_open_note_waits_for_nobody(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        stranger = app.world.actor(MALLORY)
        note = await app.publish("Hello")
        assert (await app.asked_by(stranger, note.uri)).status_code == 200
        assert app.world.requests == []


async def test_s_104_a_server_that_hangs_gets_the_same_answer(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        stranger = app.world.actor(MALLORY)
        app.world.serve(MALLORY, Answer(500, content_type=None))
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        nothing = seen(await never_issued(app, **ACTIVITY))
        assert seen(await app.asked_by(stranger, closed.uri)) == nothing


@pytest.mark.parametrize("how", ["person", "server"])
async def test_the_blocked_find_nothing(tmp_path: Path, how: str) -> None:
    async with an_app(tmp_path) as app:
        frank = app.world.actor(FRANK)
        met = await app.followed_by(frank)
        note = await app.publish("Hello")
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        assert (await app.asked_by(frank, closed.uri)).status_code == 200

        await app.ctx.db.write(
            lambda tx: (
                blocks.block_actor(tx, met.id, app.clock.now)
                if how == "person"
                else blocks.block_host(tx, "fol.example", app.clock.now)
            )
        )

        nothing = seen(await never_issued(app, **ACTIVITY))
        for url in (
            note.uri,
            closed.uri,
            f"{note.uri}/replies",
            f"{US}/outbox",
            f"{US}/outbox?page=true",
            f"{US}/featured",
            f"{US}/followers",
        ):
            assert seen(await app.asked_by(frank, url)) == nothing, url


async def test_s_107_a_message_is_nowhere(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        frank = app.world.actor(FRANK)
        met = await app.followed_by(frank)
        message = await app.message([met.id], "Psst")
        nothing = seen(await never_issued(app, **ACTIVITY))
        page = seen(await never_issued(app, **PAGE))
        assert (await app.get(message.uri.removeprefix(BASE_URL), **ACTIVITY)).status_code == 404
        for path in ("", "/activity", "/replies", "/likes", "/shares"):
            for signer in (None, frank):
                assert seen(await app.asked_by(signer, message.uri + path)) == nothing, path
        assert seen(await app.get(f"/@{HANDLE}/{message.public_id}", **PAGE)) == page


async def test_s_108_gone_is_only_what_was_open(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        frank = app.world.actor(FRANK)
        await app.followed_by(frank)
        opened = await app.publish("Hello")
        quiet = await app.publish("Hello, quietly", Visibility.UNLISTED)
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        for note in (opened, quiet, closed):
            await outbox.delete(app.ctx, note.id)

        for note in (opened, quiet):
            gone = await app.get(f"/users/{HANDLE}/notes/{note.public_id}", **ACTIVITY)
            assert gone.status_code == 410
            assert gone.json() == {
                "@context": "https://www.w3.org/ns/activitystreams",
                "id": note.uri,
                "type": "Tombstone",
            }
            page = await app.get(f"/@{HANDLE}/{note.public_id}", **PAGE)
            assert page.status_code == 410
        assert seen(await app.asked_by(frank, closed.uri)) == seen(
            await never_issued(app, **ACTIVITY)
        )
        assert seen(await app.get(f"/@{HANDLE}/{closed.public_id}")) == seen(
            await never_issued(app)
        )


async def test_replies_are_listed_page_by_page_the_open_ones_alone(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        note = await app.publish("Hello")
        answers = [
            (await app.publish(f"Answer {number}", in_reply_to=note.id)).uri for number in range(20)
        ]
        await app.publish("Closed answer", Visibility.FOLLOWERS, in_reply_to=note.id)
        answers.append(await app.theirs(alice, inReplyTo=note.uri))
        await app.theirs(
            alice, inReplyTo=note.uri, to=[f"{ALICE}/followers"], cc=[US], content="<p>closed</p>"
        )

        collection = (await app.get(f"/users/{HANDLE}/notes/{note.public_id}/replies")).json()
        first = (await app.get(collection["first"].removeprefix(BASE_URL))).json()
        second = (await app.get(first["next"].removeprefix(BASE_URL))).json()

        assert (collection["type"], collection["totalItems"]) == ("Collection", 21)
        assert first["type"] == "CollectionPage"
        assert first["partOf"] == second["partOf"] == collection["id"] == f"{note.uri}/replies"
        assert first["items"] == answers[:20]
        assert second["items"] == answers[20:]
        assert "next" not in second


async def test_likes_and_shares_are_numbers(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        await announces.announce(app.ctx, note.id)
        shares = (await app.get(f"/users/{HANDLE}/notes/{note.public_id}/shares")).json()
        likes = (await app.get(f"/users/{HANDLE}/notes/{note.public_id}/likes")).json()
        assert (shares["totalItems"], likes["totalItems"]) == (1, 0)
        assert not {"items", "first", "orderedItems"} & {*shares, *likes}


async def test_a_body_that_comes_with_a_question_is_not_read(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        frank = app.world.actor(FRANK)
        await app.followed_by(frank)
        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        signed = frank.signed_headers("GET", closed.uri, now=app.clock.now)
        answer = await app.client.request(
            "GET", closed.uri, headers={**ACTIVITY, **signed}, content=b"x" * 5_000_000
        )
        assert answer.status_code == 200
