"""Accept, Reject, Undo, Update, Delete, Like, Announce, Block: what each does, and does once."""

import pytest

from microfedi.protocol.vocab import PUBLIC, Visibility
from microfedi.storage import followers, following
from tests.another_server import RemoteActor
from tests.federation.inbox.world import (
    OWNER,
    Document,
    Scene,
    a_create,
    a_note,
    an_activity,
)


def our_follow(actor: RemoteActor, **changes: str) -> Document:
    return {
        "id": f"{OWNER}/follows/{actor.username}",
        "type": "Follow",
        "actor": OWNER,
        "object": actor.uri,
    } | changes


@pytest.mark.parametrize("form", ["id", "inline", "inline with an id of their own"])
async def test_an_accept_begins_it_and_asks_for_their_posts(scene: Scene, form: str) -> None:
    alice = await scene.follow(scene.alice, state="requested")
    inline = our_follow(scene.alice)
    answered = {
        "id": inline["id"],
        "inline": inline,
        "inline with an id of their own": inline | {"id": "https://vic.example/follows/1"},
    }[form]

    for number in (1, 2):
        await scene.deliver(
            scene.alice, an_activity("Accept", scene.alice, answered, number=number)
        )

    assert await scene.ctx.db.read(lambda reader: following.is_followed(reader, alice.id))
    assert await scene.told() == ["follow_accepted"]
    assert [row[1:3] for row in (await scene.rows())["jobs"]] == [("backfill", scene.alice.uri)]
    assert scene.ctx.wake.jobs.is_set()


@pytest.mark.parametrize("state", ["requested", "accepted"])
async def test_a_reject_ends_it_at_once_or_later(scene: Scene, state: following.State) -> None:
    alice = await scene.follow(scene.alice, state=state)

    await scene.deliver(scene.alice, an_activity("Reject", scene.alice, our_follow(scene.alice)))

    ours = await scene.ctx.db.read(lambda reader: following.by_actor(reader, alice.id))
    assert ours is not None
    assert ours.state == "rejected"


@pytest.mark.parametrize("by_id", [True, False])
async def test_an_undone_follow_is_over(scene: Scene, by_id: bool) -> None:
    follow = an_activity("Follow", scene.frank, OWNER)
    await scene.deliver(scene.frank, follow)

    undone = follow["id"] if by_id else follow
    await scene.deliver(scene.frank, an_activity("Undo", scene.frank, undone))

    assert await scene.ctx.db.read(followers.count) == 0
    assert await scene.told() == []


@pytest.mark.parametrize("by_id", [True, False])
@pytest.mark.parametrize(("kind", "told"), [("Like", "like"), ("Announce", "announce")])
async def test_a_like_or_boost_of_ours_is_counted_and_taken_back(
    scene: Scene, kind: str, told: str, by_id: bool
) -> None:
    ours = await scene.own_note()
    done = an_activity(kind, scene.frank, ours.uri, to=[PUBLIC])
    for number in (1, 2):
        await scene.deliver(scene.frank, done | {"id": f"{done['id']}-{number}"})
    liked = await scene.note(ours.uri)
    assert liked is not None
    assert liked.likes + liked.announces == 1
    assert await scene.told() == [told]

    first = done | {"id": f"{done['id']}-1"}
    undone = first["id"] if by_id else first
    await scene.deliver(scene.frank, an_activity("Undo", scene.frank, undone))

    after = await scene.note(ours.uri)
    assert after is not None
    assert after.likes + after.announces == 0
    assert await scene.told() == []


async def test_a_like_of_what_they_may_not_see_is_dropped(scene: Scene) -> None:
    hidden = await scene.own_note(visibility=Visibility.FOLLOWERS, to=(f"{OWNER}/followers",))
    await scene.meet(scene.frank)

    async with scene.drops():
        await scene.post(scene.frank, an_activity("Like", scene.frank, hidden.uri))
        boost = an_activity("Announce", scene.frank, hidden.uri, to=[PUBLIC])
        await scene.post(scene.frank, boost)


async def test_a_boost_of_somebody_followed_brings_the_post(scene: Scene) -> None:
    await scene.follow(scene.frank)
    note = a_note(scene.alice)
    scene.world.serve(note["id"], note)

    await scene.deliver(scene.frank, an_activity("Announce", scene.frank, note["id"], to=[PUBLIC]))

    assert await scene.home() == [note["id"]]
    assert await scene.told() == []
    kept = await scene.note(note["id"])
    assert kept is not None
    assert kept.announces == 1


async def test_a_boost_of_what_is_not_open_is_dropped(scene: Scene) -> None:
    await scene.follow(scene.frank)
    note = a_note(scene.alice, to=[f"{scene.alice.uri}/followers"], cc=[])
    scene.world.serve(note["id"], note)

    await scene.deliver(scene.frank, an_activity("Announce", scene.frank, note["id"], to=[PUBLIC]))

    assert await scene.home() == []
    assert await scene.count("announces") == 0


async def test_a_boost_whose_server_is_away_is_tried_again(scene: Scene) -> None:
    await scene.follow(scene.frank)
    note = a_note(scene.alice)
    scene.world.name("vic.example")

    await scene.deliver(scene.frank, an_activity("Announce", scene.frank, note["id"], to=[PUBLIC]))
    assert await scene.home() == []
    scene.world.name("vic.example", "93.184.216.34")
    scene.world.serve(note["id"], note)
    scene.clock.forward(minutes=2)
    await scene.process()

    assert await scene.home() == [note["id"]]


async def test_an_edit_counts_if_it_is_newer(scene: Scene) -> None:
    await scene.follow(scene.alice)
    note = a_note(scene.alice)
    await scene.deliver(scene.alice, a_create(scene.alice, note))

    edits = [
        ("second", "2026-11-22T11:59:30Z"),
        ("third", "2026-11-22T11:59:40Z"),
        ("old", "2026-11-22T11:59:35Z"),
        ("refresh", None),
    ]
    for number, (text, updated) in enumerate(edits):
        edited = note | {"content": f"<p>{text}</p>", "updated": updated}
        await scene.deliver(scene.alice, an_activity("Update", scene.alice, edited, number=number))

    kept = await scene.note(note["id"])
    assert kept is not None
    assert kept.html == "<p>third</p>"
    assert await scene.home() == [note["id"]]


async def test_an_edit_that_overtook_its_post_is_the_post(scene: Scene) -> None:
    await scene.follow(scene.alice)
    note = a_note(scene.alice)
    edited = note | {"content": "<p>edited</p>", "updated": "2026-11-22T11:59:30Z"}

    await scene.deliver(scene.alice, an_activity("Update", scene.alice, edited))
    await scene.deliver(scene.alice, a_create(scene.alice, note))

    kept = await scene.note(note["id"])
    assert kept is not None
    assert kept.html == "<p>edited</p>"
    assert await scene.home() == [note["id"]]


async def test_a_new_profile_is_taken(scene: Scene) -> None:
    await scene.follow(scene.alice)
    document = scene.alice.document(name="Alice in Wonderland", summary="<p>new</p>")

    await scene.deliver(scene.alice, an_activity("Update", scene.alice, document))

    alice = await scene.meet(scene.alice)
    assert alice.name == "Alice in Wonderland"
    assert alice.handle == "alice@vic.example"


async def test_a_deleted_post_is_gone(scene: Scene) -> None:
    await scene.follow(scene.alice)
    note = a_note(scene.alice)
    await scene.deliver(scene.alice, a_create(scene.alice, note))

    tombstone = {"type": "Tombstone", "id": note["id"]}
    await scene.deliver(scene.alice, an_activity("Delete", scene.alice, tombstone))

    assert await scene.note(note["id"]) is None
    assert await scene.home() == []


async def test_who_is_gone_is_forgotten(scene: Scene) -> None:
    await scene.follow(scene.alice)
    await scene.deliver(scene.alice, an_activity("Follow", scene.alice, OWNER))
    await scene.deliver(scene.alice, a_create(scene.alice, a_note(scene.alice)))

    await scene.deliver(scene.alice, an_activity("Delete", scene.alice, scene.alice.uri))

    for table in ("notes", "followers", "following", "home"):
        assert await scene.count(table) == 0
    assert await scene.count("actors") == 1


async def test_an_undone_block_is_forgotten(scene: Scene) -> None:
    await scene.follow(scene.alice)
    block = an_activity("Block", scene.alice, OWNER)
    await scene.deliver(scene.alice, block)
    assert await scene.count("blocked_by") == 1
    assert await scene.count("following") == 0

    await scene.deliver(scene.alice, an_activity("Undo", scene.alice, block))

    assert await scene.count("blocked_by") == 0
