"""Jobs are done, repeated, given up; workers survive what breaks in them, and stop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from microfedi.errors import RemoteError, RemoteGone
from microfedi.federation import process, workers
from microfedi.federation.context import Context
from microfedi.federation.jobs import MAX_ATTEMPTS, JobsWorker, Work
from microfedi.federation.workers import Workers
from microfedi.storage import jobs
from microfedi.storage.database import Database, Reader
from tests.another_server import PATIENCE_S, another_server
from tests.federation.here import Clock, context


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ctx(db: Database, tmp_path: Path, clock: Clock) -> AsyncIterator[Context]:
    async with another_server() as server:
        yield await context(db, server, tmp_path, now=clock)


async def settle(ctx: Context, worker: JobsWorker) -> None:
    """Step the worker by hand until nothing is being done and nothing is due."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            ctx.wake.jobs.clear()
            await worker.turn()
            if worker.is_idle:
                return
            await ctx.wake.jobs.wait()


async def add(ctx: Context, kind: str, key: str = "x") -> None:
    await ctx.db.write(lambda tx: jobs.add(tx, kind, key, due_at=ctx.now()))


def waiting(reader: Reader) -> list[str]:
    return [row["kind"] for row in reader.all("SELECT kind FROM jobs ORDER BY kind")]


def worker_of(ctx: Context, work: Work) -> JobsWorker:
    return JobsWorker(ctx, table={"test": work}, chance=lambda: 0.5)


async def test_a_job_is_done_once(ctx: Context) -> None:
    done = []

    async def work(ctx: Context, key: str) -> None:
        done.append(key)

    await add(ctx, "test", "a")
    await add(ctx, "test", "b")
    await settle(ctx, worker_of(ctx, work))

    assert done == ["a", "b"]
    assert await ctx.db.read(waiting) == []


async def test_a_job_that_wants_to_be_repeated_is(ctx: Context, clock: Clock) -> None:
    done = []

    async def work(ctx: Context, key: str) -> timedelta:
        done.append(key)
        return timedelta(hours=1)

    worker = worker_of(ctx, work)
    await add(ctx, "test")
    for _ in range(2):
        await settle(ctx, worker)
        clock.now += timedelta(minutes=59)
        await settle(ctx, worker)
        clock.now += timedelta(minutes=1)

    assert len(done) == 2


@pytest.mark.parametrize("problem", [RemoteError("away"), TimeoutError(), ZeroDivisionError()])
async def test_a_job_that_fails_is_tried_again_and_given_up_in_the_end(
    ctx: Context, clock: Clock, problem: Exception
) -> None:
    tries = []

    async def work(ctx: Context, key: str) -> None:
        tries.append(clock.now)
        raise problem

    worker = worker_of(ctx, work)
    await add(ctx, "test")
    for _ in range(MAX_ATTEMPTS + 3):
        await settle(ctx, worker)
        clock.now += timedelta(days=3)

    assert len(tries) == MAX_ATTEMPTS
    assert await ctx.db.read(waiting) == []


async def test_a_job_whose_object_is_gone_is_dropped(ctx: Context) -> None:
    async def work(ctx: Context, key: str) -> None:
        raise RemoteGone("410", status=410)

    await add(ctx, "test")
    await settle(ctx, worker_of(ctx, work))

    assert await ctx.db.read(waiting) == []


async def test_a_job_of_an_unknown_kind_is_dropped(ctx: Context) -> None:
    async def work(ctx: Context, key: str) -> None:
        raise AssertionError("another kind")

    await add(ctx, "of-an-older-version")
    await settle(ctx, worker_of(ctx, work))

    assert await ctx.db.read(waiting) == []


async def test_a_job_that_was_broken_off_is_done_by_the_next_process(
    ctx: Context,
) -> None:
    began, done = asyncio.Event(), []

    async def hang(ctx: Context, key: str) -> None:
        began.set()
        await asyncio.Event().wait()

    async def work(ctx: Context, key: str) -> None:
        done.append(key)

    await add(ctx, "test")
    task = asyncio.create_task(worker_of(ctx, hang).run())
    await began.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await settle(ctx, worker_of(ctx, work))

    assert done == ["x"]


async def test_a_worker_that_breaks_goes_on_and_all_stop_when_asked(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = 0
    third = asyncio.Event()

    async def run(processor: process.Processor) -> None:
        nonlocal rounds
        rounds += 1
        if rounds < 3:
            raise ZeroDivisionError
        third.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(process.Processor, "run", run)
    running = Workers(ctx, pause_s=0.001)
    await running.start()
    async with asyncio.timeout(PATIENCE_S):
        await third.wait()
        await running.stop()

    left = [task.get_name() for task in asyncio.all_tasks() if "worker" in task.get_name()]
    assert left == []


async def test_a_worker_that_does_not_want_to_stop_is_left_behind_in_time(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = asyncio.Event()
    running = asyncio.Event()

    async def stubborn(processor: process.Processor) -> None:
        running.set()
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()
        raise asyncio.CancelledError

    monkeypatch.setattr(process.Processor, "run", stubborn)
    monkeypatch.setattr(workers, "STOP_S", 0.01)
    theirs = Workers(ctx, pause_s=0.001)
    await theirs.start()
    async with asyncio.timeout(PATIENCE_S):
        await running.wait()
        left = [task for task in asyncio.all_tasks() if task.get_name() == "worker process"]
        await theirs.stop()
        release.set()
        await asyncio.gather(*left, return_exceptions=True)

    assert len(left) == 1
