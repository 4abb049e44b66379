"""What cannot be undone waits for a day, and can be stopped until then."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from microfedi.errors import InvalidInput
from microfedi.federation import jobs
from microfedi.federation.outbox import irreversible
from microfedi.storage import door_log, erasing, pending_acts
from microfedi.storage.door_log import Visitor
from tests.app_fixture import App, an_app

DAY = pending_acts.DELAY
PATIENCE_S = 30


async def lines(app: App) -> list[str]:
    """The door log, oldest first."""
    found = await app.ctx.db.read(lambda r: door_log.page(r, limit=50))
    return [f"{line.kind} {line.detail}" for line in reversed(found)]


async def is_deleted(app: App) -> bool:
    return bool(await app.ctx.db.read(lambda r: r.value("SELECT deleted_at FROM owner")))


async def test_it_is_done_after_a_day_and_not_before(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        act = await irreversible.ask(app.ctx, "delete", by=Visitor("192.0.2.9", "B/1"))
        assert act.due_at == app.clock.now + DAY
        app.clock.forward(hours=23, minutes=59)
        assert await irreversible.run(app.ctx, "delete") == timedelta(minutes=1)
        assert not await is_deleted(app)
        app.clock.forward(minutes=1)
        assert await irreversible.run(app.ctx, "delete") is None
        assert await is_deleted(app)
        assert await app.ctx.db.read(pending_acts.waiting) == []


async def test_cancelled_it_is_never_done(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await irreversible.ask(app.ctx, "delete")
        assert await irreversible.cancel(app.ctx, "delete")
        assert not await irreversible.cancel(app.ctx, "delete")
        app.clock.forward(days=9)
        assert await irreversible.run(app.ctx, "delete") is None
        assert not await is_deleted(app)
        assert await lines(app) == ["act_asked delete", "act_cancelled delete"]


async def test_asking_again_does_not_make_it_sooner_or_later(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        first = await irreversible.ask(app.ctx, "delete")
        app.clock.forward(hours=5)
        with pytest.raises(InvalidInput, match="asked for already"):
            await irreversible.ask(app.ctx, "delete")
        assert await app.ctx.db.read(pending_acts.waiting) == [first]


async def test_the_worker_does_it_when_it_is_due(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await irreversible.ask(app.ctx, "delete")
        app.clock.forward(hours=24)
        worker = jobs.JobsWorker(app.ctx, table={irreversible.JOB: irreversible.run})
        async with asyncio.timeout(PATIENCE_S):
            while not await is_deleted(app):
                app.ctx.wake.jobs.clear()
                await worker.turn()
                await app.ctx.wake.jobs.wait()


async def test_a_move_that_is_refused_meanwhile_is_noted(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        other = app.world.actor("https://new.example/users/maya")
        await irreversible.ask(app.ctx, "move", other.uri)
        app.clock.forward(hours=24)
        await irreversible.run(app.ctx, "move")
        assert not app.ctx.owner.moved_to
        noted = await lines(app)
        assert noted[0] == f"act_asked move {other.uri}"
        assert noted[1].startswith(f"act_failed move {other.uri}: ")
        assert len(noted) == 2
        assert await app.ctx.db.read(pending_acts.waiting) == []


async def test_what_breaks_off_is_not_said_to_be_done_and_is_done_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with an_app(tmp_path) as app:
        await irreversible.ask(app.ctx, "delete")
        app.clock.forward(hours=24)
        with monkeypatch.context() as broken:
            broken.setattr(erasing, "begin", None)
            with pytest.raises(TypeError):
                await irreversible.run(app.ctx, "delete")
        assert await lines(app) == ["act_asked delete"]
        assert not await is_deleted(app)
        await irreversible.run(app.ctx, "delete")
        assert await is_deleted(app)


@pytest.mark.parametrize(("kind", "detail"), [("delete", ""), ("move", "https://evil.example/u/m")])
async def test_what_somebody_wrote_into_the_database_is_never_done(
    kind: pending_acts.Kind, detail: str, tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        await app.ctx.db.write(
            lambda tx: tx.run(
                "INSERT INTO pending_acts VALUES (:kind, CAST(:detail AS BLOB), :day)",
                {"kind": kind, "detail": detail, "day": "2026-11-20T12:00:00.000Z"},
            )
        )
        assert await app.ctx.db.read(pending_acts.waiting) == []
        assert await irreversible.run(app.ctx, kind) is None
        assert await lines(app) == []
        await irreversible.ask(app.ctx, kind, detail)  # the owner may still ask for it
        assert len(await app.ctx.db.read(pending_acts.waiting)) == 1


async def test_the_day_of_what_was_asked_for_cannot_be_shortened(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await irreversible.ask(app.ctx, "delete")
        await app.ctx.db.write(
            lambda tx: tx.run("UPDATE pending_acts SET asked_at = '2026-11-20T12:00:00.000Z'")
        )
        assert await irreversible.run(app.ctx, "delete") is None
        assert not await is_deleted(app)
