"""Everything else to be done later: the whole list, and the worker that does it."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial

from microfedi.errors import MicrofediError, ProtocolError, RemoteGone
from microfedi.federation import (
    alerts,
    backfill,
    counting,
    forgetting,
    linked,
    prune,
    quoting,
    sealing,
    server_facts,
    synchronization,
    threads,
    verifying,
    waiting,
)
from microfedi.federation.context import Context
from microfedi.federation.outbox import (
    blocks,
    conversations,
    drafts,
    irreversible,
    keys,
    leaving,
    scheduled_messages,
)
from microfedi.protocol import backoff
from microfedi.storage import jobs
from microfedi.storage.database import Transaction
from microfedi.storage.jobs import Job
from microfedi.storage.room import LOOK_S

log = logging.getLogger(__name__)

# Does a job for its key; returns after how long it wants to be done again, None if it is done.
Work = Callable[[Context, str], Awaitable[timedelta | None]]

JOBS: Mapping[str, Work] = {
    "backfill": backfill.run,  # key: an actor's URI. Profile, pinned and last posts.
    "refresh": backfill.refresh,  # key: an actor's URI. Its document again.
    "stale": backfill.refresh_stale,  # periodic. Asks for "refresh" of whom we have not seen long.
    "thread": threads.upwards,  # key: a note's URI. What it answers, upwards.
    "replies": threads.complete,  # key: a note's URI. What is missing of its thread.
    "poll": counting.end,  # key: a note's URI. Its poll is over.
    "tally": counting.tally,  # key: a note's URI. There are new votes in the owner's poll.
    "synchronize": synchronization.run,  # key: an author's URI, a list's, a digest. Who follows?
    "preview": linked.read,  # key: the address of a page that an open post links to.
    "quote": quoting.check,  # key: a note's URI. Whether it may quote what it quotes.
    "verify": verifying.run,  # key: a profile's URI. Whether its pages link back.
    "server_facts": server_facts.run,  # key: a profile's URI. What its server says of itself.
    "retire_keys": keys.retire,  # the owner's former keys, when everybody knows the new ones.
    "publish": drafts.publish_due,  # key: a draft's. Its time has come.
    "send_message": scheduled_messages.send_due,  # key: one's that waits. Its time has come.
    "unblock": blocks.end,  # key: "actor" and a row id, or "host" and a name. Its time is over.
    "seal": sealing.run,  # periodic. By the vault, what could not be sealed by it at once.
    "alert": alerts.run,  # one for all. What was done to the owner's locks, told by every way.
    "act": irreversible.run,  # key: what was asked for a day ago and cannot be undone.
    "purge": blocks.clear,  # key: the name of a blocked server. What is here of it goes.
    "expire": conversations.expire,  # periodic. Messages whose time is over, as the owner chose.
    "shred": forgetting.shred,  # key: whose, and a name. The bytes of what is deleted already.
    "prune": prune.run,  # periodic. Old rows, the disk budget.
    "erase": leaving.erase,  # at every start, too. What is left of an account that is deleted.
}
PERIODIC = ("stale", "expire", "prune", "erase", "seal")

# What goes on while the disk is full: it makes room, or must not wait.
MAKE_ROOM = ("alert", "unblock", "act", "purge", "expire", "shred", "prune", "erase")

# Jobs at once: they wait for others' servers and must not crowd out what is more urgent.
SLOTS = 2
# Seconds for one job; its parts have limits of their own.
DEADLINE_S = 300.0
LEASE = timedelta(seconds=2 * DEADLINE_S)
# After so many attempts a job is dropped, over 2.5 h: what it would have brought will be met again.
MAX_ATTEMPTS = 5
# The first round of what is periodic comes so long after the start.
FIRST_ROUND = timedelta(minutes=2)
# Seconds. We look after so long even if nothing is due: the clock may have been set.
MAX_SLEEP_S = 300.0


class JobsWorker:
    """The worker that does jobs. One for the whole process."""

    def __init__(
        self,
        ctx: Context,
        *,
        table: Mapping[str, Work] = JOBS,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._ctx = ctx
        self._table = table
        self._chance = chance
        self._running: dict[Job, asyncio.Task[None]] = {}
        self._is_planned = False

    @property
    def is_idle(self) -> bool:
        """True if no job is being done."""
        return not self._running

    async def run(self) -> None:
        """Do whatever becomes due, until cancelled."""
        wake = self._ctx.wake.jobs
        try:
            while True:
                wake.clear()
                wait_s = await self.turn()
                await waiting.until_woken(wake, wait_s)
        finally:
            await self._stop()

    async def turn(self) -> float:
        """Start what is due; return how many seconds there is nothing more to do."""
        self._ctx.unlocked.forget_idle(self._ctx.now())
        running = frozenset(job.id for job in self._running)
        claimed, wait_s = await self._ctx.db.write(partial(self._claim, running))
        for job in claimed:
            task = asyncio.create_task(self._do(job), name=f"job {job.kind}")
            self._running[job] = task
            task.add_done_callback(partial(self._end, job))
        return wait_s

    def _claim(self, running: frozenset[int], tx: Transaction) -> tuple[list[Job], float]:
        now = self._ctx.now()
        if not self._is_planned:
            for kind in PERIODIC:
                if kind in self._table:
                    jobs.add_if_missing(tx, kind, "", due_at=now + FIRST_ROUND)
            self._is_planned = True
        room = SLOTS - len(running)
        if room <= 0:
            return [], MAX_SLEEP_S  # whoever ends sets the event
        only = MAKE_ROOM if self._ctx.db.room.is_full() else None
        found = jobs.claim_due(tx, now=now, lease=LEASE, limit=room, only=only)
        # What is being done and was asked for again meanwhile comes when its new lease runs out.
        claimed = [job for job in found if job.id not in running]
        if only is not None:
            return claimed, LOOK_S
        due = jobs.next_due(tx)
        wait_s = MAX_SLEEP_S
        if due is not None and len(found) < room:
            wait_s = min(wait_s, max(0.0, (due - now).total_seconds()))
        return claimed, wait_s

    def _end(self, job: Job, task: asyncio.Task[None]) -> None:
        del self._running[job]
        self._ctx.wake.jobs.set()
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("a job could not be reported kind=%s", job.kind, exc_info=problem)

    async def _stop(self) -> None:
        """Break off what is being done, so that the next process begins with it."""
        running = dict(self._running)
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)
        for job, task in running.items():
            if task.cancelled():
                await self._ctx.db.write(
                    partial(_report, job, timedelta(), failed=False, ctx=self._ctx)
                )

    async def _do(self, job: Job) -> None:
        """Do a job and write down how it went."""
        work = self._table.get(job.kind)
        again: timedelta | None = None
        failed = False
        if work is None:
            log.warning("nobody does jobs of kind=%s; dropped", job.kind)
        elif job.attempts > MAX_ATTEMPTS and job.kind not in PERIODIC:
            log.warning("gave up kind=%s key=%s", job.kind, job.key)
        else:
            try:
                async with asyncio.timeout(DEADLINE_S):
                    again = await work(self._ctx, job.key)
                log.info("done kind=%s key=%s", job.kind, job.key)
            except (ProtocolError, RemoteGone) as problem:
                log.info("dropped kind=%s key=%s: %s", job.kind, job.key, problem)
            except (MicrofediError, TimeoutError) as problem:
                log.info("later kind=%s key=%s: %s", job.kind, job.key, problem)
                failed = True
            except Exception:
                log.exception("a job broke kind=%s key=%s", job.kind, job.key)
                failed = True
        if failed:
            again = backoff.delay(job.attempts, chance=self._chance())
        await self._ctx.db.write(partial(_report, job, again, failed=failed, ctx=self._ctx))


def _report(
    job: Job, again: timedelta | None, tx: Transaction, *, failed: bool, ctx: Context
) -> None:
    if again is None:
        jobs.done(tx, job)
    else:
        jobs.later(tx, job, ctx.now() + again, failed=failed)
