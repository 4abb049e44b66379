"""Sending: what is due is signed, posted, and the answer noted; many hosts beside each other.

There are two lanes. Whoever is not known to be slow starts in the fast one; who has not answered
after `PATIENCE_S` moves to the slow one, or is put back to wait for it if it is full. So hosts that
hang occupy the slow lane, and nobody else waits for them.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import Protocol

from microfedi.errors import DiskFull, ForbiddenAddress, RemoteError
from microfedi.federation import waiting
from microfedi.federation.context import Context
from microfedi.federation.remote import Response
from microfedi.protocol import signatures, synchronization, uris
from microfedi.protocol.keys import SigningKey
from microfedi.storage import blocks, deliveries, hosts, jobs
from microfedi.storage.database import Transaction
from microfedi.storage.deliveries import Delivery

log = logging.getLogger(__name__)

# Deliveries at once. A healthy host answers in a few hundred milliseconds, so that a thousand of
# them take seconds; each costs about as much memory as a TLS connection, 100 kB.
FAST_SLOTS = 32
# Deliveries at once to hosts that take their time: they cost memory only.
SLOW_SLOTS = 96
# Seconds after which whoever has not answered counts as slow.
PATIENCE_S = 2.0
# Seconds for a delivery in all: DNS, TLS, the answer, and a second try with another signature.
DEADLINE_S = 30.0
# After a crash a delivery is due again so much later. Longer than `DEADLINE_S`, with time to
# report.
LEASE = timedelta(minutes=2)
# Seconds. We look after so long even if nothing is due: the clock may have been set.
MAX_SLEEP_S = 300.0

ACTIVITY_JSON = "application/activity+json"


class Verdict(Enum):
    """What an answer means for the queue."""

    DELIVERED = "delivered"
    REFUSED = "refused"  # a plain no to this activity; others go on
    STUMBLED = "stumbled"  # this activity or the host: the next one will show
    BUSY = "busy"  # the host as a whole asks for time
    GONE = "gone"  # the inbox is no more


def verdict(status: int) -> Verdict:
    """Read the status that an inbox answered with.

    401 is no plain no: servers also say it when they could not fetch our key.

    >>> [verdict(status).value for status in (202, 404, 410, 429, 500)]
    ['delivered', 'refused', 'gone', 'busy', 'stumbled']
    """
    if 200 <= status < 300:
        return Verdict.DELIVERED
    if status == 410:
        return Verdict.GONE
    if status in (408, 425, 429, 503):
        return Verdict.BUSY
    if status == 401 or status >= 500:
        return Verdict.STUMBLED
    return Verdict.REFUSED


class Timer(Protocol):
    """What a CallLater returns."""

    def cancel(self) -> None:
        """Do not call."""


# Seconds, what to call then: as `loop.call_later`.
CallLater = Callable[[float, Callable[[], None]], Timer]
# What is to be written about a delivery, and when.
Report = Callable[[Transaction, datetime], None]


@dataclass(slots=True, eq=False)
class _Run:
    """A delivery under way."""

    delivery: Delivery
    is_slow_lane: bool
    is_late: bool = False  # it has not answered promptly
    is_put_back: bool = False  # it will go on when the slow lane has room
    task: asyncio.Task[Report] | None = None
    timer: Timer | None = None


class Deliverer:
    """The worker that sends. One for the whole process."""

    def __init__(
        self,
        ctx: Context,
        *,
        fast_slots: int = FAST_SLOTS,
        slow_slots: int = SLOW_SLOTS,
        call_later: CallLater | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._ctx = ctx
        self._fast_slots = fast_slots
        self._slow_slots = slow_slots
        self._call_later = call_later
        self._chance = chance
        self._runs: dict[int, _Run] = {}  # by host
        self._reports: list[Report] = []
        self._is_released = False

    async def run(self) -> None:
        """Send whatever becomes due, until cancelled."""
        try:
            while True:
                self._ctx.wake.deliveries.clear()
                await waiting.until_room(self._ctx.db.room)
                wait_s = await self.turn()
                if wait_s > 0 and not self._reports:
                    await waiting.until_woken(self._ctx.wake.deliveries, wait_s)
        finally:
            await self._stop()

    async def turn(self) -> float:
        """Write down what has ended and start what is due, in one transaction.

        Return how many seconds there is nothing to do, unless `wake.deliveries` is set.
        """
        reports, self._reports = self._reports, []
        try:
            # What is under way is looked at here: the rest runs on the writer's thread. If somebody
            # moves to the slow lane meanwhile, it holds a few more than it should for a while.
            rooms = {slow: self._room(slow=slow) for slow in (False, True)}
            busy = frozenset(self._runs)
            claimed, wait_s = await self._ctx.db.write(partial(self._turn, reports, rooms, busy))
        except BaseException:
            self._reports = reports + self._reports
            raise
        for delivery in claimed:
            self._start(delivery)
        return wait_s

    @property
    def is_idle(self) -> bool:
        """True if nothing is under way and nothing is left to write down."""
        return not self._runs and not self._reports

    def _turn(
        self,
        reports: list[Report],
        rooms: Mapping[bool, int],
        busy: Set[int],
        tx: Transaction,
    ) -> tuple[list[Delivery], float]:
        now = self._ctx.now()
        if not self._is_released:
            deliveries.release_leases(tx, now=now)
            self._is_released = True
        for report in reports:
            report(tx, now)
        claimed: list[Delivery] = []
        wait_s = MAX_SLEEP_S
        if not self._ctx.has_owner:  # nobody who could sign
            return claimed, wait_s
        for slow, room in rooms.items():
            if room <= 0:
                continue  # whoever ends sets the event
            found = deliveries.claim_due(tx, now=now, lease=LEASE, limit=room, slow=slow)
            for delivery in found:
                if delivery.host.id in busy:
                    continue  # its lease ran out while we were at it
                if self._may_send(tx, delivery):
                    claimed.append(delivery)
                else:
                    deliveries.drop_host(tx, delivery.host.id, problem="blocked", now=now)
            due = deliveries.next_due(tx, slow=slow)
            if due is not None and len(found) < room:
                wait_s = min(wait_s, max(0.0, (due - now).total_seconds()))
        return claimed, wait_s

    def _room(self, *, slow: bool) -> int:
        taken = sum(run.is_slow_lane == slow for run in self._runs.values())
        return (self._slow_slots if slow else self._fast_slots) - taken

    def _may_send(self, tx: Transaction, delivery: Delivery) -> bool:
        """Settings and blocks may have changed since it was queued."""
        both = {delivery.host.name, uris.authority(delivery.inbox)}
        return all(
            self._ctx.may_speak_with(one) and not blocks.is_host_blocked(tx, one) for one in both
        )

    def _start(self, delivery: Delivery) -> None:
        run = _Run(delivery, is_slow_lane=delivery.host.is_slow)
        self._runs[delivery.host.id] = run
        call_later = self._call_later or asyncio.get_running_loop().call_later
        run.timer = call_later(PATIENCE_S, partial(self._lose_patience, run))
        run.task = asyncio.create_task(self._attempt(run), name="delivery")
        run.task.add_done_callback(partial(self._end, run))

    def _lose_patience(self, run: _Run) -> None:
        if self._runs.get(run.delivery.host.id) is not run:
            return
        run.is_late = True
        if run.is_slow_lane:
            return
        if self._room(slow=True) > 0:
            run.is_slow_lane = True
            self._ctx.wake.deliveries.set()  # a slot of the fast lane is free
        elif run.task is not None:
            run.is_put_back = True
            run.task.cancel()

    async def _attempt(self, run: _Run) -> Report:
        """Send, and return what is to be written about it."""
        try:
            return await self._send(run)
        except RemoteError as problem:
            log.info("not delivered inbox=%s: %s", run.delivery.inbox, problem)
            why = "private" if isinstance(problem, ForbiddenAddress) else problem.why
            return partial(self._report_failure, run, problem.retry_after_s, why)
        except Exception:
            log.exception("a delivery broke inbox=%s", run.delivery.inbox)
            return partial(self._report_failure, run, None, "broken")

    def _end(self, run: _Run, task: asyncio.Task[Report]) -> None:
        """Free the slot and leave the report for the next turn. Whatever happened, there is one."""
        if run.timer is not None:
            run.timer.cancel()
        if not task.cancelled():
            report = task.result()
        elif run.is_put_back:
            report = partial(_report_too_slow, run.delivery)
        else:
            report = partial(_report_interrupted, run.delivery)
        del self._runs[run.delivery.host.id]
        self._reports.append(report)
        self._ctx.wake.deliveries.set()

    async def _send(self, run: _Run) -> Report:
        """Post it; on 400 or 401 once more with the other signature.

        Raises: RemoteError if there was no answer.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + DEADLINE_S
        delivery = run.delivery
        rfc9421 = delivery.host.prefers_rfc9421
        old_key = self._ctx.owner.old_rsa if delivery.by_old_key else None
        response = await self._post(delivery, old_key, rfc9421=rfc9421, deadline_s=DEADLINE_S)
        learnt: bool | None = None
        if response.status in (400, 401) and old_key is not None:
            # They do not know that key (any more): the new one they can ask us for.
            left = max(until - loop.time(), 0.001)
            response = await self._post(delivery, None, rfc9421=rfc9421, deadline_s=left)
        if response.status in (400, 401):
            left = max(until - loop.time(), 0.001)
            second = await self._post(delivery, None, rfc9421=not rfc9421, deadline_s=left)
            if second.status not in (400, 401):
                response = second
                learnt = not rfc9421
        return partial(self._report_answer, run, response, learnt)

    async def _post(
        self, delivery: Delivery, key: SigningKey | None, *, rfc9421: bool, deadline_s: float
    ) -> Response:
        owner = self._ctx.owner
        usual = owner.instance if delivery.by_instance else owner.rsa
        headers = self._signed(delivery, key or usual, rfc9421=rfc9421)
        return await self._ctx.remote.post(
            delivery.inbox, body=delivery.body, headers=headers, deadline_s=deadline_s
        )

    def _signed(self, delivery: Delivery, key: SigningKey, *, rfc9421: bool) -> Mapping[str, str]:
        # On the loop: an RSA signature takes 0.6 ms, and a thread costs as much again in waiting.
        sign = signatures.sign_rfc9421 if rfc9421 else signatures.sign_cavage
        return sign(
            method="POST",
            url=delivery.inbox,
            body=delivery.body,
            key=key,
            now=self._ctx.now(),
            content_type=ACTIVITY_JSON,
            covering=self._synchronizing(delivery.followers_digest),
        )

    def _synchronizing(self, digest: str | None) -> Mapping[str, str]:
        """Return the header by which a server can tell whether it knows the same followers."""
        if digest is None:
            return {}
        addresses = self._ctx.owner.addresses
        claim = synchronization.Claim(
            addresses.followers, addresses.followers_synchronization, digest
        )
        return {synchronization.HEADER: synchronization.header(claim)}

    def _report_answer(
        self, run: _Run, response: Response, learnt: bool | None, tx: Transaction, now: datetime
    ) -> None:
        delivery = run.delivery
        said = verdict(response.status)
        log.info(
            "%s outgoing=%d inbox=%s status=%d attempt=%d",
            said.value,
            delivery.outgoing_id,
            delivery.inbox,
            response.status,
            delivery.attempts + delivery.host.attempts + 1,
        )
        match said:
            case Verdict.DELIVERED:
                deliveries.delivered(
                    tx, delivery, is_slow=run.is_late, prefers_rfc9421=learnt, now=now
                )
            case Verdict.REFUSED:
                if not deliveries.refused(
                    tx,
                    delivery,
                    is_slow=run.is_late,
                    problem=str(response.status),
                    now=now,
                    chance=self._chance(),
                ):
                    log.warning("gave up outgoing=%d %s", delivery.outgoing_id, delivery.inbox)
            case Verdict.STUMBLED:
                if not deliveries.stumbled(
                    tx,
                    delivery,
                    is_slow=run.is_late,
                    retry_after=_seconds(response.retry_after_s),
                    problem=str(response.status),
                    now=now,
                    chance=self._chance(),
                ):
                    log.warning("gave up outgoing=%d %s", delivery.outgoing_id, delivery.inbox)
            case Verdict.BUSY:
                self._report_failure(run, response.retry_after_s, str(response.status), tx, now)
            case Verdict.GONE:
                for uri in deliveries.gone(tx, delivery, is_slow=run.is_late, now=now):
                    jobs.add(tx, "refresh", uri, due_at=now)
        if signatures.wants_rfc9421(response.headers):
            hosts.prefers(tx, delivery.host.name, now)

    def _report_failure(
        self,
        run: _Run,
        retry_after_s: float | None,
        problem: str,
        tx: Transaction,
        now: datetime,
    ) -> None:
        host = run.delivery.host
        if not deliveries.host_failed(
            tx,
            run.delivery,
            is_slow=run.is_late,
            retry_after=_seconds(retry_after_s),
            problem=problem,
            now=now,
            chance=self._chance(),
        ):
            log.warning("gave up host=%s failing since %s", host.name, host.failing_since)

    async def _stop(self) -> None:
        """Break off what is under way, and write down what has ended."""
        tasks = [run.task for run in self._runs.values() if run.task is not None]
        for task in tasks:
            task.cancel()
        # Their `_end` comes before ours: it was registered first.
        await asyncio.gather(*tasks, return_exceptions=True)
        reports, self._reports = self._reports, []
        now = self._ctx.now()

        def write(tx: Transaction) -> None:
            for report in reports:
                report(tx, now)

        if reports:
            try:
                await self._ctx.db.write(write)
            except DiskFull:
                self._reports = reports + self._reports
                raise


def _report_interrupted(delivery: Delivery, tx: Transaction, now: datetime) -> None:
    deliveries.interrupted(tx, delivery, now=now)


def _report_too_slow(delivery: Delivery, tx: Transaction, now: datetime) -> None:
    deliveries.too_slow(tx, delivery, now=now)


def _seconds(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)
