"""Notes as other servers get them."""

from pathlib import Path

from microfedi.federation.outbox import announces
from microfedi.protocol.vocab import PUBLIC, Visibility
from microfedi.storage import blocks, notes
from tests.app_fixture import ACTIVITY, BASE_URL, HANDLE, PAGE, US, an_app

ALICE = "https://vic.example/users/alice"
FRANK = "https://fol.example/users/frank"
MALLORY = "https://evil.example/users/mallory"


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
        assert hidden.status_code == 404
        shown = await app.get(answer.headers["location"], **PAGE)
        assert shown.headers["content-type"] == "text/html; charset=utf-8"
        assert "Accept" in shown.headers["vary"].split(", ")


async def test_the_create_is_at_its_address(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello", Visibility.UNLISTED)
        create = (await app.get(f"/users/{HANDLE}/notes/{note.public_id}/activity")).json()
        assert (create["id"], create["type"], create["actor"]) == (
            f"{note.uri}/activity",
            "Create",
            US,
        )
        assert create["object"]["id"] == note.uri
        assert create["cc"] == [PUBLIC]


async def test_a_signed_question_for_an_open_note_waits_for_nobody(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        stranger = app.world.actor(MALLORY)
        note = await app.publish("Hello")
        assert (await app.asked_by(stranger, note.uri)).status_code == 200
        assert app.world.requests == []


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


async def test_the_owners_replies_are_listed_before_those_of_others(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        note = await app.publish("Hello")
        theirs = [await app.theirs(alice, inReplyTo=note.uri) for _ in range(21)]
        own = (await app.publish("Me too", in_reply_to=note.id)).uri
        path = f"/users/{HANDLE}/notes/{note.public_id}/replies"

        first = (await app.get(f"{path}?page=true")).json()
        second = (await app.get(first["next"].removeprefix(BASE_URL))).json()

        assert first["items"] == [own, *theirs[:19]]
        assert second["items"] == theirs[19:]
        assert second["id"] == first["next"]
        assert "next" not in second


async def test_a_thread_that_the_owner_began_has_a_collection_of_its_open_posts(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        note = await app.publish("Hello")
        first = await app.theirs(alice, inReplyTo=note.uri)
        below = await app.theirs(alice, inReplyTo=first)
        await app.theirs(alice, inReplyTo=first, to=[f"{ALICE}/followers"], cc=[US])
        await app.publish("Psst", Visibility.FOLLOWERS, in_reply_to=note.id)
        kept = await app.ctx.db.read(lambda reader: notes.by_uri(reader, below))
        assert kept is not None
        own = (await app.publish("Yes", in_reply_to=kept.id)).uri
        rest = [(await app.publish(f"{n}", in_reply_to=note.id)).uri for n in range(17)]

        document = (await app.get(f"/users/{HANDLE}/notes/{note.public_id}", **ACTIVITY)).json()
        collection = (await app.get(document["context"].removeprefix(BASE_URL))).json()
        page = (await app.get(collection["first"].removeprefix(BASE_URL))).json()
        last = (await app.get(page["next"].removeprefix(BASE_URL))).json()

        assert document["context"] == f"{note.uri}/context" == collection["id"]
        assert (collection["type"], collection["totalItems"]) == ("OrderedCollection", 21)
        assert collection["attributedTo"] == US
        assert page["type"] == "OrderedCollectionPage"
        assert page["partOf"] == last["partOf"] == collection["id"]
        assert page["orderedItems"] == [note.uri, first, below, own, *rest[:16]]
        assert last["orderedItems"] == rest[16:]
        assert "next" not in last


async def test_a_reply_names_the_context_and_conversation_of_what_it_answers(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        uri = await app.theirs(
            alice, context="https://vic.example/contexts/1", conversation="tag:vic.example:1"
        )
        kept = await app.ctx.db.read(lambda reader: notes.by_uri(reader, uri))
        assert kept is not None
        note = await app.publish("Yes", in_reply_to=kept.id)
        again = await app.publish("And", in_reply_to=note.id)

        for one in (note, again):
            path = f"/users/{HANDLE}/notes/{one.public_id}"
            document = (await app.get(path, **ACTIVITY)).json()
            assert document["context"] == "https://vic.example/contexts/1"
            assert document["conversation"] == "tag:vic.example:1"
            assert (await app.get(f"{path}/context", **ACTIVITY)).status_code == 404


async def test_the_collections_of_a_note_are_for_whoever_may_see_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        frank, mallory = app.world.actor(FRANK), app.world.actor(MALLORY)
        await app.followed_by(frank)
        met = await app.meet(mallory)
        await app.ctx.db.write(lambda tx: blocks.block_actor(tx, met.id, app.clock.now))
        note = await app.publish("Hello")
        closed = await app.publish("Psst", Visibility.FOLLOWERS)

        for name in ("context", "replies", "likes", "shares"):
            assert (await app.asked_by(None, f"{note.uri}/{name}")).status_code == 200
            assert (await app.asked_by(mallory, f"{note.uri}/{name}")).status_code == 404
            assert (await app.asked_by(None, f"{closed.uri}/{name}")).status_code == 404
            answer = await app.asked_by(frank, f"{closed.uri}/{name}")
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "no-store"
            assert answer.json()["totalItems"] == 0
