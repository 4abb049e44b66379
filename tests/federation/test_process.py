"""The worker behind the inbox: order, failures, and who waits for whom."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from microfedi.federation import inbox, process
from microfedi.federation.context import Context
from microfedi.federation.inbox.handling import Handler
from microfedi.protocol import vocab
from microfedi.protocol.vocab import PUBLIC, Like
from microfedi.storage import received
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction
from tests.another_server import Answer
from tests.federation.inbox.world import OWNER, Scene, a_create, a_note, a_scene, an_activity


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with a_scene(tmp_path) as made:
        yield made


async def test_what_was_answered_202_is_on_disk_and_sealed(scene: Scene) -> None:
    await scene.follow(scene.alice)
    note = a_note(scene.alice, content="<p>nobody else's business</p>")

    response = await scene.post(scene.alice, a_create(scene.alice, note))

    assert response.status_code == 202
    [row] = (await scene.rows())["received"]
    assert b"business" not in row[3]
    assert scene.ctx.wake.received.is_set()


async def test_what_was_handled_is_remembered_without_its_body(scene: Scene) -> None:
    await scene.follow(scene.alice)
    doc = a_create(scene.alice, a_note(scene.alice))
    await scene.deliver(scene.alice, doc)
    [row] = (await scene.rows())["received"]
    assert (row[3], row[6]) == (None, None)

    await scene.deliver(scene.alice, doc)
    assert await scene.count("received") == 1
    scene.clock.forward(days=8)
    before = scene.clock() - timedelta(days=7)
    assert await scene.ctx.db.write(lambda tx: received.prune(tx, before)) == 1


async def test_a_repeat_is_recognised_after_it_was_handled(scene: Scene) -> None:
    follow = an_activity("Follow", scene.frank, OWNER)
    for _ in range(3):
        await scene.deliver(scene.frank, follow)

    assert [one["type"] for one in await scene.sent()] == ["Accept"]


async def test_what_one_actor_sent_is_handled_in_its_order(scene: Scene) -> None:
    await scene.follow(scene.alice)
    parent = a_note(scene.bob)
    reached = asyncio.Event()
    scene.world.serve(parent["id"], Answer(404, wait=reached, content_type=None))
    note = a_note(scene.alice)
    edited = note | {"content": "<p>edited</p>", "updated": "2026-11-22T11:59:30Z"}
    for doc in (
        an_activity("Announce", scene.alice, parent["id"], to=[PUBLIC]),
        a_create(scene.alice, note),
        an_activity("Update", scene.alice, edited),
    ):
        await scene.post(scene.alice, doc)
    processor = process.Processor(scene.ctx)

    assert await processor.turn() == 3
    assert await processor.turn() == 0
    assert await scene.count("notes") == 0  # they wait for the boost before them
    reached.set()
    await processor.finish()

    kept = await scene.note(note["id"])
    assert kept is not None
    assert kept.html == "<p>edited</p>"


async def test_a_server_that_hangs_holds_up_nobody_else(scene: Scene) -> None:
    await scene.follow(scene.alice)
    await scene.follow(scene.frank)
    hung = scene.world.hang("https://evil.example/notes/1")
    boost = an_activity("Announce", scene.frank, "https://evil.example/notes/1", to=[PUBLIC])
    await scene.post(scene.frank, boost)
    processor = process.Processor(scene.ctx)
    await processor.turn()
    await scene.world.wait_for(lambda: scene.world.gets("https://evil.example/notes/1"))

    await scene.post(scene.alice, a_create(scene.alice, a_note(scene.alice)))
    await processor.turn()

    assert await scene.home() == [f"{scene.alice.uri}/notes/1"]
    hung.set()
    await processor.finish()


async def test_a_handler_that_breaks_breaks_alone_and_is_tried_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ours = await scene.own_note()
    calls = 0

    def broken(ctx: Context, tx: Transaction, like: Like, sender: Actor) -> None:
        nonlocal calls
        calls += 1
        tx.run("DELETE FROM notes")
        if calls == 1:
            raise RuntimeError("a bug")
        inbox.like.apply(ctx, tx, like, sender)

    table = {**inbox.HANDLERS, vocab.Like: Handler(broken)}
    monkeypatch.setattr(process, "HANDLERS", table)
    await scene.post(scene.frank, an_activity("Like", scene.frank, ours.uri))
    await scene.post(scene.alice, an_activity("Follow", scene.alice, OWNER))
    await process.process_due(scene.ctx)

    assert await scene.told() == ["follow"]
    assert await scene.note(ours.uri) is not None
    assert "a bug" in caplog.text
    scene.clock.forward(minutes=2)
    monkeypatch.undo()
    await scene.process()
    assert await scene.told() == ["follow", "like"]


async def test_what_keeps_failing_is_given_up(scene: Scene) -> None:
    await scene.follow(scene.frank)
    scene.world.name("vic.example")
    note_uri = f"{scene.alice.uri}/notes/1"
    await scene.post(scene.frank, an_activity("Announce", scene.frank, note_uri, to=[PUBLIC]))

    for _ in range(process.MAX_ATTEMPTS):
        assert await scene.count("received") == 1
        await scene.process()
        scene.clock.forward(days=3)

    assert await scene.count("received") == 0


async def test_what_was_interrupted_is_handled_by_the_next_process(scene: Scene) -> None:
    await scene.follow(scene.alice)
    await scene.post(scene.alice, a_create(scene.alice, a_note(scene.alice)))
    lost = await scene.ctx.db.write(
        lambda tx: received.claim_due(tx, now=scene.clock(), lease=process.LEASE, limit=10)
    )
    assert len(lost) == 1

    await scene.process()
    assert await scene.home() == []
    scene.clock.forward(minutes=11)
    await scene.process()

    assert await scene.home() == [f"{scene.alice.uri}/notes/1"]


async def test_many_activities_share_a_write(scene: Scene) -> None:
    await scene.follow(scene.alice)
    for number in range(30):
        await scene.post(scene.alice, a_create(scene.alice, a_note(scene.alice, number)))

    assert await process.process_due(scene.ctx) is True
    assert await process.process_due(scene.ctx) is False

    assert len(await scene.home()) == 30


async def test_a_delivery_that_waits_is_woken_by_its_host(scene: Scene) -> None:
    await scene.deliver(scene.frank, an_activity("Follow", scene.frank, OWNER))
    far = "2026-11-25T00:00:00.000Z"
    await scene.ctx.db.write(
        lambda tx: tx.run("UPDATE hosts SET failing_since = :far, due_at = :far", {"far": far})
    )
    scene.ctx.wake.deliveries.clear()

    await scene.post(scene.frank, an_activity("Follow", scene.frank, OWNER, number=2))

    assert scene.ctx.wake.deliveries.is_set()
    assert [row[2] for row in (await scene.rows())["hosts"]] == ["2026-11-22T12:00:00.000Z"]
