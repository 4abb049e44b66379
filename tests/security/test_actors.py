"""Area D: follows, blocks, handles, and strangers in great numbers."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from microfedi.federation import lookup
from microfedi.federation.outbox import notes
from microfedi.protocol.vocab import PUBLIC, Visibility
from microfedi.storage import actors, blocks, followers, following
from microfedi.storage.actors import Actor
from tests.another_server import ACTIVITY_JSON, Answer, RemoteActor
from tests.federation.inbox.world import (
    OWNER,
    Document,
    Scene,
    a_create,
    a_mention,
    a_note,
    a_scene,
    an_activity,
    cavage,
)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with a_scene(tmp_path) as made:
        yield made


def our_follow(actor: RemoteActor) -> Document:
    """The Follow that `scene.follow` writes down."""
    return {
        "id": f"{OWNER}/follows/{actor.username}",
        "type": "Follow",
        "actor": OWNER,
        "object": actor.uri,
    }


@pytest.mark.parametrize("kind", ["Accept", "Reject", "Undo"])
@pytest.mark.parametrize("state", ["requested", "accepted"])
async def test_s_044_only_who_was_asked_answers(
    scene: Scene, kind: str, state: following.State
) -> None:
    await scene.follow(scene.alice, state=state)
    await scene.follow(scene.mallory, state="requested")
    inline = our_follow(scene.alice)
    # With mallory's name where the inline copy says whom we asked.
    twisted = inline | {"object": scene.mallory.uri}

    async with scene.drops():
        for number, answered in enumerate((inline["id"], inline, twisted)):
            doc = an_activity(kind, scene.mallory, answered, number=number)
            assert (await scene.post(scene.mallory, doc)).status_code < 500
        for number, pair in enumerate((inline, twisted), start=7):
            if pair is twisted and kind != "Undo":
                continue  # without an id it answers our Follow of mallory, as it may
            nameless = {key: value for key, value in pair.items() if key != "id"}
            doc = an_activity(kind, scene.mallory, nameless, number=number)
            assert (await scene.post(scene.mallory, doc)).status_code < 500


@pytest.mark.parametrize("target", ["https://vic.example/users/alice", OWNER])
@pytest.mark.parametrize("kind", ["Block", "Remove", "Reject", "Undo"])
async def test_s_044_nobody_ends_the_follow_of_another(
    scene: Scene, kind: str, target: str
) -> None:
    await scene.follow(scene.alice)
    follow = an_activity("Follow", scene.frank, OWNER)
    await scene.deliver(scene.frank, follow)
    await scene.follow(scene.mallory)
    if (kind, target) == ("Block", OWNER):
        return  # that is between mallory and us, and ends nothing of frank's: see below

    before = await scene.rows()
    for number, thing in enumerate((target, follow, follow["id"], scene.frank.uri)):
        doc = an_activity(kind, scene.mallory, thing, number=number)
        assert (await scene.post(scene.mallory, doc)).status_code < 500
    await scene.process()

    after = await scene.rows()
    for table in ("followers", "following", "notifications", "outgoing", "deliveries"):
        assert after[table] == before[table]


async def test_s_044_a_block_ends_what_is_between_the_two(scene: Scene) -> None:
    await scene.follow(scene.alice)
    await scene.deliver(scene.frank, an_activity("Follow", scene.frank, OWNER))
    mallory = await scene.follow(scene.mallory)
    await scene.deliver(scene.mallory, an_activity("Follow", scene.mallory, OWNER))

    await scene.deliver(scene.mallory, an_activity("Block", scene.mallory, OWNER))

    kept = await scene.rows()
    assert len(kept["followers"]) == len(kept["following"]) == 1
    assert mallory.id not in {row[0] for row in kept["followers"] + kept["following"]}
    assert await scene.ctx.db.read(lambda reader: blocks.has_blocked_us(reader, mallory.id))


async def test_s_046_who_waits_for_approval_gets_nothing(scene: Scene) -> None:
    await scene.set_preferences(approves_followers=True)
    await scene.deliver(scene.mallory, an_activity("Follow", scene.mallory, OWNER))
    await scene.deliver(scene.mallory, an_activity("Follow", scene.mallory, OWNER, number=2))

    await notes.publish(scene.ctx, notes.Draft("for followers", Visibility.FOLLOWERS))

    assert await scene.sent() == []
    assert await scene.count("deliveries") == 0
    assert await scene.ctx.db.read(followers.count) == 0
    assert await scene.told() == ["follow_request"]


@pytest.mark.parametrize("blocked", ["actor", "host", "parent host"])
@pytest.mark.parametrize("is_known", [True, False])
async def test_s_048_the_blocked_are_not_heard(scene: Scene, blocked: str, is_known: bool) -> None:
    mallory = scene.world.actor("https://deep.evil.example/users/mallory")
    ours = await scene.own_note()
    if is_known or blocked == "actor":
        met = await scene.follow(mallory)
    names = {"host": "deep.evil.example", "parent host": "evil.example"}
    if blocked == "actor":
        await scene.ctx.db.write(lambda tx: blocks.block_actor(tx, met.id, scene.clock()))
    else:
        await scene.ctx.db.write(lambda tx: blocks.block_host(tx, names[blocked], scene.clock()))
    docs = [
        an_activity("Follow", mallory, OWNER),
        an_activity("Like", mallory, ours.uri),
        an_activity("EmojiReact", mallory, ours.uri, content="🔥"),
        an_activity("Announce", mallory, ours.uri, to=[PUBLIC]),
        a_create(mallory, a_mention(mallory)),
        a_create(mallory, a_note(mallory, 2, to=[OWNER], cc=[])),
        an_activity("Flag", mallory, [OWNER, ours.uri]),
        an_activity("Move", mallory, mallory.uri, target=scene.mallory.uri),
        an_activity("QuoteRequest", mallory, ours.uri, instrument=a_mention(mallory, 3)),
    ]

    async with scene.drops():
        for doc in docs:
            assert (await scene.post(mallory, doc)).status_code == 202


async def test_s_048_neither_is_who_was_blocked_meanwhile(scene: Scene) -> None:
    mallory = await scene.meet(scene.mallory)
    await scene.post(scene.mallory, a_create(scene.mallory, a_mention(scene.mallory)))

    await scene.ctx.db.write(lambda tx: blocks.block_actor(tx, mallory.id, scene.clock()))
    await scene.process()

    assert await scene.count("notes") == 0
    assert await scene.told() == []


async def test_s_050_nobody_is_moved(scene: Scene) -> None:
    await scene.follow(scene.alice)
    await scene.deliver(scene.alice, an_activity("Follow", scene.alice, OWNER))
    await scene.meet(scene.mallory)
    second = "https://evil.example/users/mallory2"
    scene.world.actor(second)

    # That her target does not name her is seen by asking it; and nobody else is asked.
    async with scene.drops(second, scene.alice.uri):
        for sender, who, target in (
            (scene.mallory, scene.alice.uri, second),
            (scene.alice, scene.alice.uri, second),
            (scene.alice, scene.alice.uri, scene.alice.uri),
            (scene.alice, scene.alice.uri, OWNER),
            (scene.mallory, OWNER, second),
        ):
            inline = {"id": target, "alsoKnownAs": [who]}
            for number, thing in enumerate((target, inline)):
                doc = an_activity("Move", sender, who, target=thing, number=number)
                assert (await scene.post(sender, doc)).status_code < 500


def _jrd(subject: str, uri: str) -> Answer:
    links = [{"rel": "self", "type": ACTIVITY_JSON, "href": uri}]
    body = json.dumps({"subject": subject, "links": links}).encode()
    return Answer(body=body, content_type="application/jrd+json")


def _webfinger(handle: str) -> str:
    user, _, host = handle.partition("@")
    return f"https://{host}/.well-known/webfinger?resource=acct%3A{user}%40{host}"


async def test_s_051_a_handle_is_what_its_own_host_says(scene: Scene) -> None:
    await scene.follow(scene.alice)
    evil = scene.mallory.uri
    # evil's WebFinger answers with a handle of vic's for an actor of evil's.
    for asked in ("mallory@evil.example", "alice@evil.example"):
        scene.world.serve(_webfinger(asked), _jrd("acct:alice@vic.example", evil))

    mallory = await lookup.kept_actor(scene.ctx, evil)
    assert mallory.handle is None
    assert mallory.address == "@mallory@evil.example"
    for asked in ("mallory@evil.example", "alice@evil.example"):
        try:
            found: Actor | None = await lookup.by_handle(scene.ctx, asked)
        except Exception:
            found = None
        assert found is None or found.handle is None

    alice = await lookup.by_handle(scene.ctx, "@alice@vic.example")
    assert (alice.uri, alice.handle) == (scene.alice.uri, "alice@vic.example")


async def test_s_051_somebody_elses_webfinger_names_nobody(scene: Scene) -> None:
    # evil.example says that "the-real-alice@evil.example" is alice of vic.
    handle = "the-real-alice@evil.example"
    scene.world.serve(_webfinger(handle), _jrd(f"acct:{handle}", scene.alice.uri))

    found = await lookup.by_handle(scene.ctx, handle)

    assert (found.uri, found.handle) == (scene.alice.uri, "alice@vic.example")


@pytest.mark.parametrize(
    "change",
    [
        {"preferredUsername": "alice"},
        {"webfinger": "alice@vic.example"},
        {"webfinger": "acct:mallory@vic.example"},
        {"webfinger": "owner@us.example"},
    ],
)
async def test_s_051_a_name_that_changes_is_confirmed_again(scene: Scene, change: Document) -> None:
    await scene.follow(scene.alice)
    mallory = await scene.follow(scene.mallory)
    assert mallory.handle == "mallory@evil.example"
    document = scene.mallory.document(**change)
    scene.world.serve(scene.mallory.uri, document)

    await scene.deliver(scene.mallory, an_activity("Update", scene.mallory, document))
    after = await lookup.kept_actor(scene.ctx, scene.mallory.uri, fresh=True)

    assert after.uri == scene.mallory.uri
    assert after.handle in (None, "mallory@evil.example")
    assert after.address in ("@alice@evil.example", "@mallory@evil.example")

    def named(reader: Any) -> Actor | None:
        return actors.by_handle(reader, "alice@vic.example")

    alice = await scene.ctx.db.read(named)
    assert alice is not None
    assert alice.uri == scene.alice.uri


async def test_a_handle_of_another_domain_is_confirmed_by_that_domain(scene: Scene) -> None:
    split = "alice@short.example"
    for asked in ("alice@vic.example", split):
        scene.world.serve(_webfinger(asked), _jrd(f"acct:{split}", scene.alice.uri))

    assert (await lookup.kept_actor(scene.ctx, scene.alice.uri)).handle == split
    assert (await lookup.by_handle(scene.ctx, split)).uri == scene.alice.uri


@pytest.mark.parametrize(
    "name",
    ["owner@us.example", "<b>owner</b>", "owner/..", "\u202erenwo", "ow\nner", "o" * 5000, "", 7],
)
async def test_s_053_a_name_does_not_hide_its_host(scene: Scene, name: Any) -> None:
    scene.world.serve(scene.mallory.uri, scene.mallory.document(preferredUsername=name))

    mallory = await lookup.kept_actor(scene.ctx, scene.mallory.uri)

    assert mallory.address.endswith("@evil.example")
    assert mallory.address.count("@") == 2
    assert len(mallory.address) < 200
    assert not any(char in mallory.address for char in "<>/\u202e\n")


async def test_s_054_votes_are_no_posts_and_no_messages(scene: Scene) -> None:
    await scene.meet(scene.mallory)
    await scene.own_note(type="Question")
    vote = {
        "id": f"{scene.mallory.uri}#votes/1",
        "type": "Note",
        "name": "Yes",
        "attributedTo": scene.mallory.uri,
        "inReplyTo": f"{OWNER}/notes/x1",
        "to": [OWNER],
    }

    before = await scene.rows()
    await scene.deliver(scene.mallory, a_create(scene.mallory, vote))
    forged = vote | {"id": f"{OWNER}/notes/x1", "type": "Question", "votersCount": 10**6}
    await scene.post(scene.mallory, an_activity("Update", scene.mallory, forged))
    await scene.process()

    after = await scene.rows()
    for table in ("notes", "messages", "conversations", "notifications", "home"):
        assert after[table] == before[table]


async def test_s_055_a_quote_is_its_own_text(scene: Scene) -> None:
    await scene.follow(scene.mallory)
    stamp = "https://evil.example/stamps/1"
    note = a_note(
        scene.mallory,
        quote="https://vic.example/users/alice/notes/1",
        quoteUrl="https://vic.example/users/alice/notes/1",
        quoteAuthorization=stamp,
    )

    await scene.deliver(scene.mallory, a_create(scene.mallory, note))

    # Nothing is fetched for it and nothing embedded: what is shown is what mallory wrote.
    assert scene.world.requests == []
    kept = await scene.note(note["id"])
    assert kept is not None
    assert kept.html == "<p>post 1</p>"


async def test_s_056_nobody_arranges_the_collections_of_another(scene: Scene) -> None:
    alice = await scene.follow(scene.alice)
    note = await scene.note_of(alice.id, f"{scene.alice.uri}/notes/1")
    await scene.meet(scene.mallory)
    sync = (
        f'collectionId="{scene.alice.uri}/followers", url="https://evil.example/sync", '
        f'digest="{"0" * 64}"'
    )

    async with scene.drops():
        for number, kind in enumerate(("Add", "Remove")):
            doc = an_activity(
                kind, scene.mallory, note.uri, target=f"{scene.alice.uri}/featured", number=number
            )
            body = json.dumps(doc).encode()
            headers = cavage(scene.mallory, body) | {"collection-synchronization": sync}
            assert (await scene.send(body, headers)).status_code == 202


async def test_s_058_strangers_leave_no_trace(scene: Scene) -> None:
    key_holder = scene.mallory
    strangers = 60  # of a thousand, which would be the same a while longer

    async with scene.drops(*_serve_strangers(scene, key_holder, strangers)):
        for number in range(strangers):
            uri = f"https://h{number}.evil.example/users/troll"
            note = a_note(key_holder) | {"id": f"{uri}/notes/1", "attributedTo": uri}
            doc = a_create(key_holder, note) | {"id": f"{uri}/notes/1/activity", "actor": uri}
            boost = {
                **doc,
                "id": f"{uri}/boosts/1",
                "type": "Announce",
                "object": f"{scene.alice.uri}/notes/1",
            }
            for one in (doc, boost):
                body = json.dumps(one).encode()
                response = await scene.send(body, cavage(key_holder, body, key_id=f"{uri}#k"))
                assert response.status_code == 202


def _serve_strangers(scene: Scene, holder: RemoteActor, count: int) -> list[str]:
    made = []
    for number in range(count):
        uri = f"https://h{number}.evil.example/users/troll"
        key = {"id": f"{uri}#k", "owner": uri, "publicKeyPem": holder.public_key_pem}
        scene.world.serve(uri, holder.document(id=uri, inbox=f"{uri}/inbox", publicKey=key))
        made.append(uri)
    return made
