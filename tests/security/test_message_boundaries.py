"""A conversation keeps its people: whatever arrives, whoever is named, however it is edited."""

import re
from pathlib import Path

from microfedi.storage import conversations
from microfedi.storage.database import Reader
from tests.another_server import AS2, RemoteActor
from tests.app_fixture import US, App, an_app, texts
from tests.federation.outbox.world import sent

ALICE = "https://vic.example/users/alice"
BOB = "https://vic.example/users/bob"
MALLORY = "https://evil.example/users/mallory"


async def updates(app: App, sender: RemoteActor, uri: str, **fields: object) -> None:
    """Have a new version of a message arrive."""
    app.clock.forward(minutes=1)
    stamp = app.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    note = {
        "id": uri,
        "type": "Note",
        "attributedTo": sender.uri,
        "content": "<p>edited-word</p>",
        "published": "2026-11-22T12:00:00Z",
        "updated": stamp,
        "to": [US],
        "cc": [],
    } | fields
    activity = {
        "@context": AS2,
        "id": f"{uri}/updates/{stamp}",
        "type": "Update",
        "actor": sender.uri,
        "to": note["to"],
        "object": note,
    }
    await app.deliver(sender, activity)


async def people_of(app: App) -> list[set[int]]:
    """Who is in each open conversation."""

    def question(reader: Reader) -> list[set[int]]:
        found = conversations.page(reader, state="open", limit=9, now=app.clock.now)
        return [set(one.people) for one in found]

    return await app.ctx.db.read(question)


async def test_s_110_an_edit_that_names_more_people_moves_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice, mallory = app.world.actor(ALICE), app.world.actor(MALLORY)
        met = await app.follow(alice)
        await app.meet(mallory)
        uri = await app.theirs(alice, to=[US], cc=[])
        tags = [{"type": "Mention", "href": MALLORY, "name": "@mallory@evil.example"}]

        await app.login()
        talk = f"/messages/{(await app.rows())['conversations'][0][0]}"
        for audience, said in (
            ([US, MALLORY], f"no answer of yours: {MALLORY}"),
            ([US, "https://www.w3.org/ns/activitystreams#Public"], "no answer of yours: everybody"),
            ([], ""),
        ):
            await updates(app, alice, uri, to=audience, tag=tags)
            assert await people_of(app) == [{met.id}]
            assert await app.count("notes") == 0
            page = texts(await app.get(talk))
            assert said in page
            assert ("no answer of yours" in page) == bool(said)

        page = (await app.get(talk)).text
        assert "edited-word" in page
        assert (await app.post(talk, {"source": "Between the two of us"})).status_code == 303
        (create,) = await sent(app.ctx)
        assert create.object["to"] == [ALICE]
        assert create.inboxes == {f"{ALICE}/inbox"}


async def test_s_110_whoever_cannot_be_looked_up_is_named(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        met = await app.follow(alice)
        ghost = "https://ghost.example/users/casper"
        tag = {"type": "Mention", "href": ghost, "name": "@casper@ghost.example"}
        await app.theirs(alice, to=[US, ghost], cc=[], tag=[tag])
        assert await people_of(app) == [{met.id}]

        await app.login()
        talk = f"/messages/{(await app.rows())['conversations'][0][0]}"
        assert f"no answer of yours: {ghost}" in texts(await app.get(talk))
        assert (await app.post(talk, {"source": "Between the two of us"})).status_code == 303
        assert "no answer of yours" not in texts(await app.get(talk)).partition("Between the")[2]
        (create,) = await sent(app.ctx)
        assert create.object["to"] == [ALICE]


async def test_s_110_an_answer_in_a_thread_of_others_goes_to_the_conversation_alone(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        alice, bob = app.world.actor(ALICE), app.world.actor(BOB)
        await app.follow(alice)
        await app.meet(bob)
        await app.theirs(alice, to=[US, BOB], cc=[])
        await app.theirs(alice, to=[US], cc=[], content="<p>for-you-alone</p>")
        await app.login()

        for path in set(re.findall(r"/messages/\d+", (await app.get("/messages")).text)):
            page = (await app.get(path)).text
            is_alone = "for-you-alone" in page
            forged = {"source": "answer", "to": BOB, "person": "1", "visibility": "public"}
            assert (await app.post(path, forged)).status_code == 303
            create = (await sent(app.ctx))[-1]
            assert sorted(create.object["to"]) == ([ALICE] if is_alone else [ALICE, BOB])
            assert create.object["cc"] == []


async def test_s_110_ids_of_other_conversations_open_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        one = await app.message([(await app.meet(app.world.actor(ALICE))).id], "for-alice")
        two = await app.message([(await app.meet(app.world.actor(BOB))).id], "for-bob")
        await app.login()
        crossed = f"/messages/{one.conversation_id}/{two.id}"

        assert (await app.get(crossed)).status_code == 404
        for deed in ("edit", "delete"):
            answer = await app.post(f"{crossed}/{deed}", {"source": "x"})
            assert answer.status_code == 404
        assert await app.count("messages") == 2
        for path in ("/messages/0", "/messages/x", "/messages/99999999999999999999"):
            assert (await app.get(path)).status_code == 404


async def test_s_110_theirs_cannot_be_changed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        await app.theirs(alice, to=[US], cc=[], content="<p>their-word</p>")
        await app.login()
        (talk,) = set(re.findall(r"/messages/\d+", (await app.get("/messages")).text))
        (number,) = set(re.findall(rf"{talk}/(\d+)", (await app.get(talk)).text))

        answer = await app.post(f"{talk}/{number}/edit", {"source": "words-in-her-mouth"})
        assert answer.status_code == 404
        assert "their-word" in (await app.get(talk)).text
        assert "Change it" not in (await app.get(f"{talk}/{number}")).text
        await app.post(f"{talk}/{number}/delete")
        assert await sent(app.ctx) == []
        assert await app.count("messages") == 0
