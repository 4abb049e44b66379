"""Create: what is kept, where it stands, and who is told."""

from functools import partial

import pytest

from microfedi.protocol.vocab import PUBLIC, Visibility
from microfedi.storage import conversations, following, notes, stretches
from microfedi.storage import owner as owner_storage
from microfedi.storage.database import Reader
from tests.another_server import RemoteActor
from tests.factories import NOON
from tests.federation.inbox.world import (
    OWNER,
    Document,
    Scene,
    a_create,
    a_mention,
    a_note,
    an_activity,
)


async def test_a_post_of_somebody_followed_stands_on_home(scene: Scene) -> None:
    await scene.follow(scene.alice)

    await scene.deliver(scene.alice, a_create(scene.alice, a_note(scene.alice)))

    assert await scene.home() == [f"{scene.alice.uri}/notes/1"]
    assert await scene.told() == []


async def test_a_post_of_a_stranger_leaves_no_trace(scene: Scene) -> None:
    async with scene.drops(scene.alice.uri):
        response = await scene.post(scene.alice, a_create(scene.alice, a_note(scene.alice)))

    assert response.status_code == 202


async def test_who_was_only_asked_is_not_followed_yet(scene: Scene) -> None:
    await scene.follow(scene.alice, state="requested")

    async with scene.drops():
        await scene.post(scene.alice, a_create(scene.alice, a_note(scene.alice)))


async def test_a_stranger_is_heard_who_addresses_the_owner(scene: Scene) -> None:
    await scene.deliver(scene.alice, a_create(scene.alice, a_mention(scene.alice)))

    assert await scene.told() == ["mention"]
    assert await scene.home() == []
    # What she is called is asked afterwards.
    assert [row[1:3] for row in (await scene.rows())["jobs"]] == [("refresh", scene.alice.uri)]


async def test_a_mention_without_being_addressed_tells_nobody(scene: Scene) -> None:
    await scene.follow(scene.alice)
    note = a_mention(scene.alice, cc=[])

    await scene.deliver(scene.alice, a_create(scene.alice, note))

    assert await scene.told() == []
    assert await scene.home() == [note["id"]]


@pytest.mark.parametrize(
    ("to", "cc", "expected"),
    [
        ([PUBLIC], [], Visibility.PUBLIC),
        (["as:Public"], [], Visibility.PUBLIC),
        ([], [PUBLIC], Visibility.UNLISTED),
        (["https://vic.example/users/alice/followers"], [], Visibility.FOLLOWERS),
        ([OWNER, "https://vic.example/circles/1"], [], Visibility.LIMITED),
    ],
)
async def test_the_addressing_says_who_may_see_it(
    scene: Scene, to: list[str], cc: list[str], expected: Visibility
) -> None:
    await scene.follow(scene.alice)
    note = a_note(scene.alice, to=to, cc=cc)

    await scene.deliver(scene.alice, a_create(scene.alice, note))

    kept = await scene.note(note["id"])
    assert kept is not None
    assert kept.visibility is expected


def _shown(reader: Reader) -> list[str]:
    """The ids of the posts that the owner sees on Home, in order."""
    entries = stretches.below(reader, limit=9, now=NOON).entries
    kept = notes.by_ids(reader, [one.note_id for one in entries])
    return [kept[one.note_id].uri for one in reversed(entries)]


async def test_replies_stand_on_home_if_they_answer_somebody_of_interest(scene: Scene) -> None:
    alice = await scene.follow(scene.alice)
    bob = await scene.follow(scene.bob)
    frank = await scene.meet(scene.frank)
    parents = [
        await scene.note_of(alice.id, f"{scene.alice.uri}/notes/10"),
        await scene.note_of(bob.id, f"{scene.bob.uri}/notes/11"),
        await scene.own_note(),
        await scene.note_of(frank.id, f"{scene.frank.uri}/notes/12"),
    ]
    uris = [one.uri for one in parents] + ["https://fol.example/unknown"]

    for number, uri in enumerate(uris):
        reply = a_note(scene.alice, number, inReplyTo=uri)
        await scene.deliver(scene.alice, a_create(scene.alice, reply))

    assert await scene.home() == [f"{scene.alice.uri}/notes/{number}" for number in range(5)]
    assert await scene.count("notes") == 9
    wanted: dict[owner_storage.HomeReplies, list[int]] = {
        "all": [0, 1, 2, 3, 4],
        "followed": [0, 1, 2],
        "none": [0, 2],
    }
    for replies, numbers in wanted.items():
        await scene.ctx.db.write(partial(owner_storage.set_home, replies=replies, boosts=True))
        uris = await scene.ctx.db.read(_shown)
        assert uris == [f"{scene.alice.uri}/notes/{number}" for number in numbers]
    # The unknown parent is looked for afterwards.
    kinds = [row[1:3] for row in (await scene.rows())["jobs"]]
    assert kinds == [("thread", f"{scene.alice.uri}/notes/4")]


async def test_a_strangers_reply_in_a_thread_that_we_keep_is_kept(scene: Scene) -> None:
    alice = await scene.follow(scene.alice)
    parent = await scene.note_of(alice.id, f"{scene.alice.uri}/notes/10")
    reply = a_note(scene.frank, inReplyTo=parent.uri)

    await scene.deliver(scene.frank, a_create(scene.frank, reply))

    kept = await scene.note(reply["id"])
    assert kept is not None
    assert kept.thread_id == parent.thread_id
    assert await scene.home() == []
    assert await scene.told() == []


async def test_a_bare_id_is_fetched_at_its_origin(scene: Scene) -> None:
    await scene.follow(scene.alice)
    note = a_note(scene.alice)
    scene.world.serve(note["id"], note)

    await scene.deliver(scene.alice, an_activity("Create", scene.alice, note["id"]))

    assert await scene.home() == [note["id"]]
    assert [request.url for request in scene.world.requests] == [note["id"]]


async def test_what_was_deleted_does_not_come_back(scene: Scene) -> None:
    await scene.follow(scene.alice)
    note = a_note(scene.alice)

    await scene.deliver(scene.alice, an_activity("Delete", scene.alice, note["id"]))
    await scene.deliver(scene.alice, a_create(scene.alice, note))

    assert await scene.note(note["id"]) is None


# Messages


def a_letter(sender: RemoteActor, *others: RemoteActor, number: int = 1) -> Document:
    people = [OWNER, *(one.uri for one in others)]
    tag = [{"type": "Mention", "href": uri} for uri in people]
    return a_note(sender, number, to=people, cc=[], tag=tag, content="<p>secret</p>")


async def talks(scene: Scene, state: conversations.State) -> list[conversations.Conversation]:
    def question(reader: Reader) -> list[conversations.Conversation]:
        return conversations.page(reader, state=state, limit=10, now=NOON)

    return await scene.ctx.db.read(question)


async def test_a_message_of_a_stranger_is_a_request(scene: Scene) -> None:
    await scene.deliver(scene.frank, a_create(scene.frank, a_letter(scene.frank)))

    assert len(await talks(scene, "request")) == 1
    assert await talks(scene, "open") == []
    assert await scene.count("notes") == 0
    assert await scene.told() == []


async def test_a_message_of_somebody_followed_is_let_in(scene: Scene) -> None:
    await scene.follow(scene.frank)

    await scene.deliver(scene.frank, a_create(scene.frank, a_letter(scene.frank)))

    assert len(await talks(scene, "open")) == 1
    assert b"secret" not in (await scene.rows())["messages"][0][4]


async def test_a_message_to_several_has_a_conversation_of_all(scene: Scene) -> None:
    frank = await scene.follow(scene.frank)

    letter = a_letter(scene.frank, scene.alice, scene.bob)
    await scene.deliver(scene.frank, a_create(scene.frank, letter))

    [talk] = await talks(scene, "open")
    assert len(talk.people) == 3
    assert frank.id in talk.people
    assert {request.url for request in scene.world.gets()} >= {scene.alice.uri, scene.bob.uri}


@pytest.mark.parametrize(
    ("policy", "is_followed", "is_kept"),
    [
        ("anyone", False, True),
        ("followed", False, False),
        ("followed", True, True),
        ("nobody", True, False),
    ],
)
async def test_the_owner_says_who_may_write(
    scene: Scene, policy: str, is_followed: bool, is_kept: bool
) -> None:
    await scene.set_preferences(message_policy=policy)
    if is_followed:
        await scene.follow(scene.frank)

    await scene.deliver(scene.frank, a_create(scene.frank, a_letter(scene.frank)))

    assert await scene.count("messages") == int(is_kept)


async def test_who_was_written_to_may_always_answer(scene: Scene) -> None:
    await scene.set_preferences(message_policy="nobody")
    frank = await scene.meet(scene.frank)
    await scene.ctx.db.write(lambda tx: conversations.make(tx, {frank.id}, state="open"))

    await scene.deliver(scene.frank, a_create(scene.frank, a_letter(scene.frank)))

    assert await scene.count("messages") == 1


async def test_a_message_to_others_is_not_for_us(scene: Scene) -> None:
    await scene.follow(scene.alice)
    letter = a_letter(scene.alice) | {"to": [scene.bob.uri], "tag": []}
    await scene.meet(scene.bob)

    await scene.deliver(scene.alice, a_create(scene.alice, letter))

    assert await scene.count("messages") == 0
    assert await scene.count("notes") == 0


async def test_unfollowed_since_is_a_stranger(scene: Scene) -> None:
    alice = await scene.follow(scene.alice)
    await scene.post(scene.alice, a_create(scene.alice, a_note(scene.alice)))

    await scene.ctx.db.write(lambda tx: following.remove(tx, alice.id))
    await scene.process()

    assert await scene.count("notes") == 0
