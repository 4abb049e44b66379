"""Delivering to real servers: lanes, signatures, answers, crashes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from microfedi.config import Federation
from microfedi.federation.context import Context
from microfedi.federation.deliver import Deliverer
from microfedi.protocol import render, vocab
from microfedi.protocol.vocab import Follow
from microfedi.storage import actors, hosts, outgoing
from microfedi.storage.database import Database, Reader, Transaction
from tests.another_server import PATIENCE_S, AnotherServer, Answer, Received, another_server
from tests.federation.here import OWNER, Clock, context

ANN = "https://a.example/users/ann/inbox"
BEN = "https://b.example/users/ben/inbox"


@pytest.fixture
async def server() -> AsyncIterator[AnotherServer]:
    async with another_server() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ctx(db: Database, server: AnotherServer, tmp_path: Path, clock: Clock) -> Context:
    return await context(db, server, tmp_path, now=clock)


class Timer:
    """A timer that was set, and rings when the test says so."""

    def __init__(self, function: Callable[[], None]) -> None:
        self.function = function
        self.is_cancelled = False

    @property
    def inbox(self) -> str:
        """Whose answer it was set for."""
        assert isinstance(self.function, partial)
        inbox: str = self.function.args[0].delivery.inbox
        return inbox

    def cancel(self) -> None:
        self.is_cancelled = True


class Timers:
    """In place of the loop's: nobody is late before the test says so."""

    def __init__(self) -> None:
        self._waiting: list[Timer] = []

    def call_later(self, seconds: float, function: Callable[[], None]) -> Timer:
        self._waiting.append(Timer(function))
        return self._waiting[-1]

    def ring(self, inboxes: Collection[str]) -> None:
        """Let two seconds pass for those who have not answered among `inboxes`."""
        ringing = [one for one in self._waiting if not one.is_cancelled and one.inbox in inboxes]
        self._waiting = [one for one in self._waiting if one not in ringing]
        for one in ringing:
            one.function()


@contextlib.asynccontextmanager
async def delivering(deliverer: Deliverer) -> AsyncIterator[None]:
    """Run the worker for the length of a block."""
    task = asyncio.create_task(deliverer.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until_idle(deliverer: Deliverer) -> None:
    """Step the worker by hand until nothing is under way and nothing is due."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            wake = deliverer._ctx.wake.deliveries
            wake.clear()
            await deliverer.turn()
            if deliverer.is_idle:
                return
            if not deliverer._reports:
                await wake.wait()


def an_activity(number: int = 1) -> Follow:
    uri = f"{OWNER}/follows/{number}"
    return Follow(uri=uri, actor_uri=OWNER, object_uri="https://a.example/users/ann")


async def queue(ctx: Context, *inboxes: str, number: int = 1, about: str | None = None) -> None:
    def write(tx: Transaction) -> None:
        outgoing.enqueue(
            tx,
            render.dumps(render.activity(an_activity(number))),
            inboxes=inboxes,
            about=about or f"object {number}",
            note_id=number,
            now=ctx.now(),
        )

    await ctx.db.write(write)


def waiting(reader: Reader) -> int:
    found: int = reader.value("SELECT count(*) FROM deliveries")
    return found


def numbers(posts: list[Received]) -> list[int]:
    return [int(post.json["id"].rsplit("/", 1)[1]) for post in posts]


def uses_rfc9421(post: Received) -> bool:
    return "signature-input" in post.headers


async def test_an_activity_arrives_signed_at_every_inbox(
    ctx: Context, server: AnotherServer
) -> None:
    await queue(ctx, ANN, BEN)

    await until_idle(Deliverer(ctx))

    posts = server.posts()
    assert {post.url for post in posts} == {ANN, BEN}
    assert posts[0].json["type"] == "Follow"
    assert posts[0].headers["content-type"] == "application/activity+json"
    assert all("signature" in post.headers for post in posts)
    assert await ctx.db.read(waiting) == 0


async def test_the_worker_wakes_when_something_is_queued_and_keeps_the_order(
    ctx: Context, server: AnotherServer
) -> None:
    async with delivering(Deliverer(ctx)):
        await queue(ctx, ANN, number=1)
        await queue(ctx, ANN, number=2)
        ctx.wake.deliveries.set()
        await server.wait_for_posts(2)
        await queue(ctx, ANN, number=3)
        ctx.wake.deliveries.set()
        posts = await server.wait_for_posts(3)

    assert numbers(posts) == [1, 2, 3]


async def test_what_was_interrupted_is_sent_by_the_next_process(
    ctx: Context, server: AnotherServer
) -> None:
    server.hang(ANN)
    await queue(ctx, ANN)
    async with delivering(Deliverer(ctx)):
        await server.wait_for_posts(1)
    assert await ctx.db.read(waiting) == 1
    server.serve(ANN, Answer(202))

    await until_idle(Deliverer(ctx))

    assert numbers(server.posts()) == [1, 1]
    assert await ctx.db.read(waiting) == 0


async def test_hosts_that_hang_hold_up_nobody(ctx: Context, server: AnotherServer) -> None:
    hanging = [f"https://hangs-{n}.example/inbox" for n in range(10)]
    healthy = [f"https://well-{n}.example/inbox" for n in range(90)]
    for inbox in hanging:
        server.hang(inbox)
    timers = Timers()
    deliverer = Deliverer(ctx, fast_slots=4, slow_slots=3, call_later=timers.call_later)
    await queue(ctx, *hanging, *healthy)  # those that hang come first, and fill the fast lane

    def met(inboxes: list[str], at_least: int) -> bool:
        return len({post.url for post in server.posts()} & set(inboxes)) >= at_least

    async with delivering(deliverer):
        for at_least in (4, 8, 10):
            await server.wait_for(partial(met, hanging, at_least))
            timers.ring(hanging)
        await server.wait_for(partial(met, healthy, len(healthy)))

    assert await ctx.db.read(waiting) >= len(hanging)


async def test_who_is_late_is_remembered_and_starts_among_the_slow_ones(
    ctx: Context, server: AnotherServer
) -> None:
    answer = server.hang(ANN)
    timers = Timers()
    deliverer = Deliverer(ctx, call_later=timers.call_later)
    await queue(ctx, ANN)

    await deliverer.turn()
    await server.wait_for_posts(1)
    timers.ring([ANN])
    answer.set()
    await until_idle(deliverer)

    host = await ctx.db.read(lambda reader: hosts.by_name(reader, "a.example"))
    assert host is not None
    assert host.is_slow
    assert len(server.posts()) == 1  # it kept its connection in the slow lane


async def test_a_401_is_answered_with_the_other_signature_which_is_remembered(
    ctx: Context, server: AnotherServer
) -> None:
    server.serve(ANN, lambda post: Answer(202 if uses_rfc9421(post) else 401))
    await queue(ctx, ANN, number=1)
    await queue(ctx, ANN, number=2)

    await until_idle(Deliverer(ctx))

    assert [uses_rfc9421(post) for post in server.posts()] == [False, True, True]
    assert numbers(server.posts()) == [1, 1, 2]


async def test_a_host_that_showed_rfc_9421_gets_it_first_and_the_draft_if_it_fails(
    ctx: Context, server: AnotherServer
) -> None:
    server.serve(ANN, lambda post: Answer(400 if uses_rfc9421(post) else 202))
    await ctx.db.write(lambda tx: hosts.prefers(tx, "a.example", ctx.now()))
    await queue(ctx, ANN, number=1)
    await queue(ctx, ANN, number=2)

    await until_idle(Deliverer(ctx))

    assert [uses_rfc9421(post) for post in server.posts()] == [True, False, False]


async def test_a_host_that_asks_for_a_signature_gets_rfc_9421_from_then_on(
    ctx: Context, server: AnotherServer
) -> None:
    server.serve(ANN, Answer(202, headers={"accept-signature": 'sig1=("@method")'}))
    await queue(ctx, ANN, number=1)
    await queue(ctx, ANN, number=2)

    await until_idle(Deliverer(ctx))

    assert [uses_rfc9421(post) for post in server.posts()] == [False, True]


@pytest.mark.parametrize("status", [403, 404, 422])
async def test_what_is_refused_alone_steps_aside(
    ctx: Context, server: AnotherServer, clock: Clock, status: int
) -> None:
    def answer(post: Received) -> Answer:
        return Answer(status if numbers([post]) == [1] else 202)

    server.serve(ANN, answer)
    for number, about in ((1, "post"), (2, "post"), (3, "other")):
        await queue(ctx, ANN, number=number, about=about)
    deliverer = Deliverer(ctx, chance=lambda: 0.5)

    await until_idle(deliverer)
    assert numbers(server.posts()) == [1, 3]

    for _ in range(3):
        clock.now += timedelta(hours=1)
        await until_idle(deliverer)
    assert numbers(server.posts()) == [1, 3, 1, 1, 1, 2]
    assert await ctx.db.read(waiting) == 0


async def test_a_410_forgets_the_inbox(ctx: Context, server: AnotherServer) -> None:
    server.serve(ANN, Answer(410))
    for number in (1, 2, 3):
        await queue(ctx, ANN, number=number)

    await until_idle(Deliverer(ctx))

    assert numbers(server.posts()) == [1]
    assert await ctx.db.read(waiting) == 0


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_host_is_left_alone_as_long_as_it_asks(
    ctx: Context, server: AnotherServer, clock: Clock, status: int
) -> None:
    server.serve(ANN, Answer(status, headers={"retry-after": "3600"}))
    for number in (1, 2):
        await queue(ctx, ANN, number=number)
    deliverer = Deliverer(ctx, chance=lambda: 0.5)

    await until_idle(deliverer)
    clock.now += timedelta(minutes=59)
    await until_idle(deliverer)
    assert numbers(server.posts()) == [1]

    server.serve(ANN, Answer(202))
    clock.now += timedelta(minutes=1)
    await until_idle(deliverer)
    assert numbers(server.posts()) == [1, 1, 2]


async def test_a_host_that_is_down_costs_one_try_and_wakes_when_it_contacts_us(
    ctx: Context, server: AnotherServer
) -> None:
    server.name("a.example")  # it has no address
    for number in range(5):
        await queue(ctx, ANN, number=number)
    deliverer = Deliverer(ctx)

    await until_idle(deliverer)
    assert server.resolved == ["a.example"]

    server.name("a.example", "93.184.216.34")
    await ctx.db.write(lambda tx: hosts.seen_alive(tx, "a.example", ctx.now()))
    await until_idle(deliverer)
    assert numbers(server.posts()) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "federation", [Federation(mode="closed"), Federation("allowlist", ("b.example",))]
)
async def test_nothing_is_sent_where_the_settings_forbid_it(
    db: Database, server: AnotherServer, tmp_path: Path, federation: Federation
) -> None:
    ctx = await context(db, server, tmp_path, federation=federation)
    await queue(ctx, ANN)

    await until_idle(Deliverer(ctx))

    assert server.resolved == []
    assert await ctx.db.read(waiting) == 0


async def test_nothing_is_sent_to_a_server_that_was_blocked_meanwhile(
    ctx: Context, server: AnotherServer
) -> None:
    await queue(ctx, ANN, BEN)
    await ctx.db.write(
        lambda tx: tx.run("INSERT INTO blocked_hosts (host, created_at) VALUES ('a.example', '')")
    )

    await until_idle(Deliverer(ctx))

    assert [post.url for post in server.posts()] == [BEN]
    assert await ctx.db.read(waiting) == 0


NOWHERE = "https://a.example/nowhere"
SHARED = "https://a.example/inbox"


async def know(ctx: Context, uri: str, inbox: str, shared: str | None = None) -> None:
    def write(tx: Transaction) -> None:
        actor = vocab.Actor(uri=uri, inbox=inbox, shared_inbox=shared)
        actors.keep(tx, actor, handle=None, now=ctx.now())

    await ctx.db.write(write)


async def test_an_inbox_on_another_server_than_its_actor_is_sent_to(
    ctx: Context, server: AnotherServer
) -> None:
    await know(ctx, "https://static.example/about", ANN)
    await queue(ctx, ANN)

    await until_idle(Deliverer(ctx))

    assert [post.url for post in server.posts()] == [ANN]


async def test_an_inbox_that_is_named_on_anothers_server_keeps_nobody_else_waiting(
    ctx: Context, server: AnotherServer
) -> None:
    await know(ctx, "https://evil.example/users/mal", NOWHERE)
    server.serve(NOWHERE, Answer(500))
    for number in (1, 2):
        await queue(ctx, NOWHERE, ANN, number=number)

    await until_idle(Deliverer(ctx, chance=lambda: 0.5))

    assert numbers(server.posts(ANN)) == [1, 2]
    for name, failed in (("a.example", 0), ("evil.example", 1)):
        host = await ctx.db.read(partial(hosts.by_name, name=name))
        assert host is not None
        assert host.attempts == failed


@pytest.mark.parametrize("named", [ANN, SHARED])
async def test_nobody_takes_the_inboxes_of_another_server_into_the_queue_of_their_own(
    ctx: Context, server: AnotherServer, named: str
) -> None:
    await know(ctx, "https://evil.example/users/mal", named)
    await know(ctx, "https://a.example/users/ann", ANN, SHARED)
    await queue(ctx, named)

    await until_idle(Deliverer(ctx))

    assert await ctx.db.read(partial(hosts.by_name, name="evil.example")) is None
    assert [post.url for post in server.posts()] == [named]


@pytest.mark.parametrize("blocked", ["a.example", "evil.example"])
async def test_what_waits_for_an_inbox_elsewhere_is_dropped_when_either_server_is_blocked(
    ctx: Context, server: AnotherServer, blocked: str
) -> None:
    await know(ctx, "https://evil.example/users/mal", NOWHERE)
    await queue(ctx, NOWHERE)
    await ctx.db.write(
        lambda tx: tx.run(
            "INSERT INTO blocked_hosts (host, created_at) VALUES (:host, '')", {"host": blocked}
        )
    )

    await until_idle(Deliverer(ctx))

    assert server.posts() == []
    assert await ctx.db.read(waiting) == 0
