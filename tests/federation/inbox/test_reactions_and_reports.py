"""Reactions, reports, pins and moves, as they arrive over HTTP."""

from typing import Any

from microfedi.protocol.vocab import PUBLIC
from microfedi.storage import following, marks, notifications, pins, reactions, reports
from tests.factories import NOON
from tests.federation.inbox.world import OWNER, Scene, a_note, an_activity

BLOB = {
    "type": "Emoji",
    "name": ":blob:",
    "icon": {"type": "Image", "url": "https://vic.example/e/blob.png"},
}


async def _tally(scene: Scene, note_id: int) -> list[tuple[str, str | None, int]]:
    found = await scene.ctx.db.read(lambda r: marks.of_notes(r, 0, [note_id]).reactions)
    return [(one.name, one.emoji_url, one.count) for one in found.get(note_id, [])]


async def test_a_reaction_counts_in_both_spellings_and_can_be_taken_back(scene: Scene) -> None:
    note = await scene.own_note()
    fire = an_activity("EmojiReact", scene.alice, note.uri, content="🔥")
    blob = an_activity("Like", scene.bob, note.uri, content=":blob@vic.example:", tag=[BLOB])

    await scene.deliver(scene.alice, fire)
    await scene.deliver(scene.bob, blob)
    await scene.deliver(scene.bob, {**blob, "id": "https://vic.example/again"})

    assert sorted(await _tally(scene, note.id)) == [
        (":blob:", "https://vic.example/e/blob.png", 1),
        ("🔥", None, 1),
    ]
    assert await scene.count("likes") == 0
    assert await scene.told() == ["reaction", "reaction"]
    told = await scene.ctx.db.read(lambda r: notifications.page(r, limit=9, now=NOON))
    assert [one.detail for one in told] == [":blob:", "🔥"]

    await scene.deliver(scene.alice, an_activity("Undo", scene.alice, fire["id"]))
    await scene.deliver(scene.bob, an_activity("Undo", scene.bob, {**blob, "id": None}))

    assert await _tally(scene, note.id) == []
    assert await scene.told() == []


async def test_a_heart_and_an_emoji_without_picture_are_likes(scene: Scene) -> None:
    note = await scene.own_note()

    await scene.deliver(scene.alice, an_activity("Like", scene.alice, note.uri, content="❤"))
    await scene.deliver(scene.bob, an_activity("Like", scene.bob, note.uri, content=":none:"))

    assert await scene.told() == ["like", "like"]
    assert await scene.count("reactions") == 0


async def test_nobody_takes_back_the_reaction_of_another(scene: Scene) -> None:
    note = await scene.own_note()
    fire = an_activity("EmojiReact", scene.alice, note.uri, content="🔥")
    await scene.deliver(scene.alice, fire)
    await scene.meet(scene.bob)

    for thing in (fire["id"], fire, {**fire, "actor": scene.bob.uri}):
        await scene.post(scene.bob, an_activity("Undo", scene.bob, thing))
        await scene.process()

    assert await _tally(scene, note.id) == [("🔥", None, 1)]


async def test_one_person_reacts_so_many_times_at_most(scene: Scene) -> None:
    note = await scene.own_note()
    for number in range(reactions.MAX_OF_ONE + 5):
        doc = an_activity(
            "EmojiReact", scene.mallory, note.uri, content=chr(0x1F600 + number), number=number
        )
        await scene.deliver(scene.mallory, doc)

    assert await scene.count("reactions") == reactions.MAX_OF_ONE


async def test_a_report_reaches_the_owner_sealed(scene: Scene) -> None:
    note = await scene.own_note()
    doc = an_activity(
        "Flag", scene.alice, [OWNER, note.uri, "https://vic.example/n/1"], content="It is <b>rude"
    )

    await scene.deliver(scene.alice, doc)
    await scene.deliver(scene.alice, doc)

    kept = await scene.ctx.db.read(lambda r: reports.page(r, limit=9))
    assert [(one.object_uris, one.content, one.is_mine) for one in kept] == [
        ((OWNER, note.uri, "https://vic.example/n/1"), "It is <b>rude", False)
    ]
    assert await scene.told() == ["report"]
    assert b"rude" not in b"".join(row[4] for row in (await scene.rows())["reports"])


async def test_a_report_about_others_leaves_no_trace(scene: Scene) -> None:
    await scene.meet(scene.alice)
    async with scene.drops():
        await scene.post(scene.alice, an_activity("Flag", scene.alice, [scene.bob.uri]))


def _add(scene: Scene, kind: str = "Add", **changes: Any) -> dict[str, Any]:
    doc = an_activity(
        kind, scene.alice, f"{scene.alice.uri}/notes/1", target=f"{scene.alice.uri}/featured"
    )
    del doc["id"]  # as Mastodon
    return doc | changes


async def _pinned(scene: Scene, actor_id: int) -> list[str]:
    found = await scene.ctx.db.read(lambda r: pins.of(r, actor_id))
    return [one.uri for one in found]


async def test_what_somebody_pins_is_pinned_here(scene: Scene) -> None:
    scene.world.actor(scene.alice.uri, featured=f"{scene.alice.uri}/featured")
    alice = await scene.follow(scene.alice)
    uri = f"{scene.alice.uri}/notes/1"
    scene.world.serve(uri, a_note(scene.alice))

    await scene.deliver(scene.alice, _add(scene))
    assert await _pinned(scene, alice.id) == [uri]

    await scene.deliver(scene.alice, _add(scene, "Remove"))
    assert await _pinned(scene, alice.id) == []


async def test_s_056_nobody_pins_for_another(scene: Scene) -> None:
    scene.world.actor(scene.alice.uri, featured=f"{scene.alice.uri}/featured")
    scene.world.actor(scene.mallory.uri, featured=f"{scene.mallory.uri}/featured")
    alice = await scene.follow(scene.alice)
    await scene.follow(scene.mallory)
    note = await scene.note_of(alice.id, f"{scene.alice.uri}/notes/1")
    other = await scene.note_of(alice.id, f"{scene.alice.uri}/notes/2")
    await scene.ctx.db.write(lambda tx: pins.add(tx, note.id))

    async with scene.drops():
        # Into her own list, but it is Alice's post.
        theirs = {"actor": scene.mallory.uri, "target": f"{scene.mallory.uri}/featured"}
        await scene.post(scene.mallory, _add(scene, object=other.uri, **theirs))
        for kind in ("Add", "Remove"):
            await scene.post(scene.mallory, _add(scene, kind, actor=scene.mallory.uri))
            own = _add(scene, kind, target=f"{scene.mallory.uri}/featured")
            await scene.post(scene.mallory, {**own, "actor": scene.mallory.uri})
            # Alice's own, but not what she advertises.
            await scene.post(scene.alice, _add(scene, kind, target=f"{scene.alice.uri}/other"))


async def _state(scene: Scene, actor_id: int) -> str | None:
    found = await scene.ctx.db.read(lambda r: following.by_actor(r, actor_id))
    return None if found is None else found.state


NEW = "https://new.example/users/alice"


def _moves(scene: Scene, **target: Any) -> dict[str, Any]:
    """Have alice at her new place, and the old one say so."""
    scene.world.actor(scene.alice.uri, movedTo=NEW)
    scene.world.actor(NEW, **({"alsoKnownAs": [scene.alice.uri]} | target))
    return an_activity("Move", scene.alice, scene.alice.uri, target=NEW)


async def test_our_follow_moves_along(scene: Scene) -> None:
    alice = await scene.follow(scene.alice)

    await scene.deliver(scene.alice, _moves(scene))

    sent = [(one["type"], one["object"]) for one in await scene.sent()]
    assert [kind for kind, _ in sent] == ["Follow", "Undo"]
    assert sent[0][1] == NEW
    assert await scene.told() == ["moved"]
    new = await scene.meet(scene.world.actor(NEW))
    assert await _state(scene, alice.id) is None
    assert await _state(scene, new.id) == "requested"


async def test_s_050_a_move_counts_only_if_each_names_the_other(scene: Scene) -> None:
    await scene.follow(scene.alice)
    doc = _moves(scene, alsoKnownAs=[])
    allowed = (f"GET {NEW}", f"GET {scene.alice.uri}")

    async def is_dropped(move: dict[str, Any], number: int) -> None:
        before = await scene.rows()
        await scene.post(scene.alice, {**move, "id": f"https://vic.example/moves/{number}"})
        await scene.process()
        now = await scene.rows()
        assert {name for name in now if now[name] != before[name]} <= {"received"}

    await is_dropped(doc, 1)  # the target does not name her
    scene.world.actor(NEW, alsoKnownAs=[scene.alice.uri])
    scene.world.actor(scene.alice.uri)
    await is_dropped(doc, 2)  # the old account does not name the target
    scene.world.actor(scene.alice.uri, movedTo=NEW)
    scene.world.actor(NEW, alsoKnownAs=[scene.alice.uri], movedTo="https://b.example/users/c")
    await is_dropped(doc, 3)  # the target has moved in turn
    scene.world.actor(NEW, alsoKnownAs=[scene.alice.uri])  # all is well, but for whom it is about
    await is_dropped({**doc, "object": scene.bob.uri}, 4)
    await is_dropped({**doc, "target": OWNER}, 5)
    assert {f"GET {one.url}" for one in scene.world.gets()} <= {*allowed}


async def test_s_050_nobody_moves_twice_a_week(scene: Scene) -> None:
    await scene.follow(scene.alice)
    await scene.deliver(scene.alice, _moves(scene))
    await scene.follow(scene.alice)
    sent = len(await scene.sent())

    again = {**_moves(scene), "id": "https://vic.example/moves/2"}
    await scene.deliver(scene.alice, again)
    assert len(await scene.sent()) == sent

    scene.clock.forward(days=8)
    third = {**_moves(scene), "id": "https://vic.example/moves/3"}
    await scene.deliver(scene.alice, third)
    assert len(await scene.sent()) > sent


async def test_an_undone_accept_ends_our_follow(scene: Scene) -> None:
    alice = await scene.follow(scene.alice)
    uri = f"{OWNER}/follows/alice"
    follow = {"id": uri, "type": "Follow", "actor": OWNER, "object": scene.alice.uri}
    accept = {"type": "Accept", "id": "https://vic.example/acc/1", "object": follow}

    await scene.deliver(scene.alice, an_activity("Undo", scene.alice, accept, to=[PUBLIC]))

    assert await _state(scene, alice.id) == "rejected"
