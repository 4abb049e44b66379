"""What was received is handled: parse, fetch what it needs, apply its handler, in order per actor.

What needs nothing from other servers is applied as it is claimed, many in one transaction. The
rest runs beside it, so that a server that hangs holds up nobody but those who wait for it.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import sha256

from microfedi.errors import (
    DiskFull,
    ForbiddenAddress,
    KeyUnavailable,
    NotFound,
    ProtocolError,
    RemoteError,
    RemoteGone,
    RemoteRefused,
)
from microfedi.federation import forwarded, forwarding, receive, waiting
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget
from microfedi.federation.inbox import HANDLERS, create
from microfedi.protocol import activities, backoff, loads
from microfedi.protocol.vocab import Activity, Create
from microfedi.storage import actors, blocks, received
from microfedi.storage.database import Transaction
from microfedi.storage.received import Received

log = logging.getLogger(__name__)

BATCH = 128  # activities in one claim: 50 ms of the writer
MAX_FETCHING = 16  # actors for whose activities something is fetched now
MAX_WAITING = 512  # actors whose activities wait for that; then nothing more is taken
LEASE = timedelta(minutes=10)  # only after a crash: what is under way is not taken twice
DEADLINE_S = 60.0  # seconds for all that one activity needs from other servers
MAX_ATTEMPTS = 5  # over 2.5 h; a boosted post whose server is away longer is not missed
MAX_SLEEP_S = 300.0  # seconds; the clock may have been set
_NEVER = (ProtocolError, RemoteGone, RemoteRefused, ForbiddenAddress, NotFound)


@dataclass(frozen=True, slots=True)
class _Item:
    """An activity and the row that it came from."""

    received: Received
    activity: Activity

    @property
    def is_forwarded(self) -> bool:
        return self.activity.actor_uri != self.received.actor_uri


async def process_due(ctx: Context) -> bool:
    """Handle one batch of what is due, whole; False if nothing was. For tests, and for draining.

    The server runs a `Processor`, which does not wait for the slowest.
    """
    processor = Processor(ctx)
    claimed = await processor.turn()
    await processor.finish()
    return claimed > 0


class Processor:
    """The worker that handles what was received. One for the whole process."""

    def __init__(self, ctx: Context, *, chance: Callable[[], float] = random.random) -> None:
        self._ctx = ctx
        self._chance = chance
        self._running: dict[str, asyncio.Task[None]] = {}  # by actor
        self._slots = asyncio.Semaphore(MAX_FETCHING)

    async def run(self) -> None:
        """Handle whatever arrives, until cancelled."""
        ctx = self._ctx
        wake = ctx.wake.received
        await waiting.until_room(ctx.db.room)
        # What a process that was killed had taken need not wait until its lease is over.
        await ctx.db.write(lambda tx: received.release(tx, ctx.now()))
        try:
            while True:
                wake.clear()
                await waiting.until_room(ctx.db.room)
                if await self.turn():
                    continue
                due = await self._ctx.db.read(received.next_due)
                wait_s = MAX_SLEEP_S
                if due is not None and len(self._running) < MAX_WAITING:
                    left_s = (due - self._ctx.now()).total_seconds()
                    # What is due but not taken waits for its actor: whoever ends wakes us.
                    wait_s = min(wait_s, left_s) if left_s > 0 else wait_s
                await waiting.until_woken(wake, wait_s)
        finally:
            for task in self._running.values():
                task.cancel()
            await self.finish()

    async def finish(self) -> None:
        """Wait for what is running."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def turn(self) -> int:
        """Take what is due, apply what can be applied, start the rest; return how many it was."""
        if len(self._running) >= MAX_WAITING:
            return 0
        claimed = await self._ctx.db.write(self._claim)
        by_actor: dict[str, list[_Item]] = {}
        broken: list[tuple[Received, Exception]] = []
        for one in claimed:
            try:
                item = _Item(one, self._read(one.body))
            except ProtocolError as error:  # read once before: only a newer version may differ
                broken.append((one, error))
                continue
            by_actor.setdefault(one.actor_uri, []).append(item)
        quick: list[_Item] = []
        for actor_uri, items in by_actor.items():
            if any(self._needs(item) for item in items):
                self._start(actor_uri, items)
            else:
                quick += items
        if quick or broken:
            await self._apply(quick, broken)
        return len(claimed)

    def _read(self, body: bytes) -> Activity:
        just_read = self._ctx.just_read.take(sha256(body).hexdigest())
        return just_read or activities.read(loads.document(body))

    def _claim(self, tx: Transaction) -> list[Received]:
        return received.claim_due(
            tx, now=self._ctx.now(), lease=LEASE, limit=BATCH, busy=self._running.keys()
        )

    def _needs(self, item: _Item) -> bool:
        if item.is_forwarded:
            return True
        handler = HANDLERS.get(type(item.activity))
        return (
            handler is not None
            and handler.needs is not None
            and handler.needs(self._ctx, item.activity)
        )

    def _start(self, actor_uri: str, items: list[_Item]) -> None:
        task = asyncio.create_task(self._one_by_one(items), name=f"process {actor_uri}")
        self._running[actor_uri] = task
        task.add_done_callback(partial(self._end, actor_uri))

    def _end(self, actor_uri: str, task: asyncio.Task[None]) -> None:
        del self._running[actor_uri]
        self._ctx.wake.received.set()
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("what was received could not be written", exc_info=problem)

    async def _one_by_one(self, items: list[_Item]) -> None:
        """Handle what one actor sent, in order; it is not there twice, so nothing overtakes."""
        for item in items:
            try:
                async with self._slots, asyncio.timeout(DEADLINE_S):
                    ready = await self._fetched(item)
            except (RemoteError, ProtocolError, KeyUnavailable, NotFound, TimeoutError) as error:
                await self._apply([], [(item.received, error)])
            except Exception as error:
                log.exception("fetching for an activity broke")
                await self._apply([], [(item.received, error)])
            else:
                await self._apply([] if ready is None else [ready], [], finished=item)

    async def _fetched(self, item: _Item) -> _Item | None:
        """Return the item with what it needs; None if that was all there was to do."""
        budget = Budget()
        if item.is_forwarded:
            await forwarded.handle(self._ctx, item.activity, budget)
            return None
        if not self._needs(item):
            return item
        handler = HANDLERS[type(item.activity)]
        if handler.fetch is None:
            return item
        activity = await handler.fetch(self._ctx, item.activity, budget)
        receive.check_ids(self._ctx, activity)
        return _Item(item.received, activity)

    async def _apply(
        self,
        items: list[_Item],
        failed: list[tuple[Received, Exception]],
        *,
        finished: _Item | None = None,
    ) -> None:
        """Apply handlers and write down how it went, in one transaction."""

        def change(tx: Transaction) -> bool:
            has_forwarded = False
            done = [] if finished is None else [finished.received.id]
            problems = list(failed)
            for item in items:
                try:
                    with tx.part():
                        has_forwarded |= _handle(self._ctx, tx, item)
                except ProtocolError as error:
                    problems.append((item.received, error))
                except DiskFull:
                    raise  # nothing is written down: what was taken is due again after its lease
                except Exception as error:
                    log.exception("handling a %s broke", type(item.activity).__name__)
                    problems.append((item.received, error))
                else:
                    done.append(item.received.id)
            for one, problem in problems:
                self._put_back(tx, one, problem)
            received.done(tx, done)
            return has_forwarded

        if await self._ctx.db.write(change):
            self._ctx.wake.deliveries.set()
        kinds = {type(item.activity) for item in items}
        wakes = {name for kind in kinds if kind in HANDLERS for name in HANDLERS[kind].wakes}
        if "deliveries" in wakes:
            self._ctx.wake.deliveries.set()
        if "jobs" in wakes:
            self._ctx.wake.jobs.set()

    def _put_back(self, tx: Transaction, one: Received, error: Exception) -> None:
        """Have it handled again later, if that may help; forget it otherwise, and say why."""
        if isinstance(error, _NEVER):
            log.info("dropped an activity of %s: %s", one.actor_uri, error)
            received.drop(tx, one.id)
        elif one.attempts >= MAX_ATTEMPTS:
            log.warning("gave up an activity of %s: %s", one.actor_uri, error)
            received.drop(tx, one.id)
        else:
            wait = backoff.delay(one.attempts, chance=self._chance())
            received.later(tx, one.id, self._ctx.now() + wait)


def _handle(ctx: Context, tx: Transaction, item: _Item) -> bool:
    """Do what an activity asks for; True if it is passed on to followers too."""
    activity = item.activity
    handler = HANDLERS.get(type(activity))
    if handler is None:
        return False
    sender = actors.by_uri(tx, activity.actor_uri)
    if sender is None:
        return False  # gone since
    if isinstance(activity, Create) and activity.encrypted is not None:
        create.take_encrypted(ctx, tx, activity, activity.encrypted, sender, item.received.body)
        return False
    if blocks.is_blocked(tx, activity.actor_uri):
        return False  # blocked since
    is_for_followers = forwarding.concerns_followers(ctx, tx, activity)
    handler.apply(ctx, tx, activity, sender)
    log.info("handled %s of %s", type(activity).__name__, activity.actor_uri)
    return is_for_followers and forwarding.forward(ctx, tx, activity, item.received.body, sender)
