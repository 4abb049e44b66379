"""python -m bench [NAME ...]: what the server costs, with what the machine can do beside it.

CPU is user and system time of the server's process from /proc, so what the bench itself does and
what else runs on the machine does not count. Rates depend on the machine: calibrations say on what.
"""

import asyncio
import shutil
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bench import screens, vault
from bench.server import Server, csrf_in, report
from bench.world import Author, World
from microfedi.protocol import keys

INBOX_POSTS = 5_000
FLOOD_POSTS = 20_000
CONCURRENCY = 32
FOLLOWER_HOSTS = 1_000
HANGING_SHARE = 10  # one in ten
PAGES = 100
THREAD_POSTS = 500
THREADS = 20  # pages of one
STORED_POSTS = 3_000
ACTOR_REQUESTS = 3_000


def calibrate() -> None:
    """What this machine does in a second: RSA-2048 signatures, SQLite inserts."""
    key = rsa.generate_private_key(65537, 2048)
    began, count = time.process_time(), 0
    while time.process_time() - began < 1:
        key.sign(b"x" * 200, padding.PKCS1v15(), hashes.SHA256())
        count += 1
    with tempfile.TemporaryDirectory() as directory:
        conn = sqlite3.connect(Path(directory) / "c.db", isolation_level=None)
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)")
        began, inserts = time.process_time(), 0
        conn.execute("BEGIN")
        while time.process_time() - began < 1:
            conn.execute("INSERT INTO t (body) VALUES (?)", ("x" * 500,))
            inserts += 1
        conn.execute("COMMIT")
        conn.close()
    report("calibration", rsa2048_signatures_per_s=count, sqlite_inserts_per_s=inserts)


async def with_server(
    prepare: Callable[[Server], Awaitable[None]],
    measure: Callable[[Server], Awaitable[None]],
    world: World | None = None,
) -> None:
    """Make a server, measure it, end it and remove what it left."""
    directory = Path(tempfile.mkdtemp(prefix="microfedi-bench-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(directory, port, world.ca_file if world else None)
    try:
        await server.make()
        await prepare(server)
        seconds = await server.start()
        report("start", first_200_s=seconds, resident_mb=server.resident_mb())
        await measure(server)
    finally:
        await server.stop()
        shutil.rmtree(directory, ignore_errors=True)


async def flood(server: Server, authors: list[Author], count: int) -> tuple[float, int]:
    """Send `count` signed posts, `CONCURRENCY` at a time; return seconds and how many got 202."""
    inbox = f"{server.base_url}/inbox"
    prepared = [authors[number % len(authors)].post(inbox) for number in range(count)]
    accepted = 0
    limits = httpx2.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
    began = time.perf_counter()
    async with httpx2.AsyncClient(limits=limits, timeout=60) as client:

        async def worker() -> None:
            nonlocal accepted
            while prepared:
                body, headers = prepared.pop()
                answer = await client.post(server.address + "/inbox", content=body, headers=headers)
                accepted += answer.status_code == 202

        await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    return time.perf_counter() - began, accepted


async def processed(server: Server, count: int) -> None:
    """Wait until `count` posts of the flood stand at Home."""
    conn = sqlite3.connect(f"file:{server.config.database_file}?mode=ro", uri=True)
    while conn.execute("SELECT count(*) FROM home").fetchone()[0] < count:
        await asyncio.sleep(0.05)
    conn.close()


def some_authors(count: int) -> list[Author]:
    """People on as many hosts, with one key for all: making one is slow."""
    pem = keys.generate_rsa()
    return [Author.on(f"h{number}.bench.localhost", "p", pem) for number in range(count)]


async def bench_inbox() -> None:
    """Signed posts by people followed, until they stand at Home."""
    authors = some_authors(100)

    async def prepare(server: Server) -> None:
        await server.fill(followed=authors)

    async def measure(server: Server) -> None:
        await flood(server, authors, 200)
        await processed(server, 200)
        idle, before = server.resident_mb(), server.cpu_ms()
        seconds, accepted = await flood(server, authors, INBOX_POSTS)
        await processed(server, 200 + INBOX_POSTS)
        cpu = server.cpu_ms() - before
        report(
            "inbox",
            cpu_ms_per_post=cpu / INBOX_POSTS,
            posts_per_s=INBOX_POSTS / seconds,
            accepted=accepted,
            resident_before_mb=idle,
        )
        await flood(server, authors, FLOOD_POSTS - INBOX_POSTS)
        await processed(server, 200 + FLOOD_POSTS)
        report("memory", resident_after_posts_mb=server.resident_mb(), posts=FLOOD_POSTS)

    await with_server(prepare, measure)


async def bench_delivery(hanging: bool = False) -> None:
    """One post to a thousand followers on a thousand hosts over TLS; some of them may hang."""
    world = World()
    await world.start()
    hosts = [f"h{number}.bench.localhost" for number in range(FOLLOWER_HOSTS)]
    stuck = set(hosts[::HANGING_SHARE]) if hanging else set()
    world.hangs = stuck.__contains__

    async def prepare(server: Server) -> None:
        inboxes = [f"https://{host}:{world.port}/users/f/inbox" for host in hosts]
        await server.fill(follower_inboxes=inboxes)

    async def measure(server: Server) -> None:
        await server.log_in()
        page = await server.client.get(server.address + "/compose", headers=server.headers)
        before, began = server.cpu_ms(), time.perf_counter()
        form = {"csrf": csrf_in(page.text), "source": "To everybody.", "visibility": "public"}
        answer = await server.client.post(
            server.address + "/compose",
            data=form,
            headers=server.headers,
        )
        assert answer.status_code == 303, answer.status_code
        wanted = FOLLOWER_HOSTS - len(stuck)
        got = await world.wait_for(wanted, 150)
        seconds, cpu = time.perf_counter() - began, server.cpu_ms() - before
        report(
            "delivery-hanging" if hanging else "delivery",
            cpu_ms_per_delivery=cpu / max(got, 1),
            delivered=got,
            wanted=wanted,
            seconds=seconds,
            resident_mb=server.resident_mb(),
        )

    try:
        await with_server(prepare, measure, world)
    finally:
        await world.stop()


async def bench_hanging() -> None:
    """The same with one host in ten never answering."""
    await bench_delivery(hanging=True)


async def bench_actor() -> None:
    """The owner's document, and a bare page beside it."""

    async def prepare(server: Server) -> None:
        pass

    async def measure(server: Server) -> None:
        async with httpx2.AsyncClient() as client:
            for path, accept in (
                ("/users/bench", "application/activity+json"),
                ("/robots.txt", "*/*"),
            ):
                headers = {**server.headers, "Accept": accept}
                for _ in range(100):
                    await client.get(server.address + path, headers=headers)
                before, began = server.cpu_ms(), time.perf_counter()
                for _ in range(ACTOR_REQUESTS):
                    await client.get(server.address + path, headers=headers)
                report(
                    "actor" if "users" in path else "calibration-bare-route",
                    cpu_ms_per_request=(server.cpu_ms() - before) / ACTOR_REQUESTS,
                    requests_per_s=ACTOR_REQUESTS / (time.perf_counter() - began),
                )

    await with_server(prepare, measure)


async def bench_home() -> None:
    """Home with a thousand and with two hundred thousand stored posts."""
    for posts in (1_000, 200_000):
        authors = some_authors(100)

        async def prepare(
            server: Server, posts: int = posts, authors: list[Author] = authors
        ) -> None:
            await server.fill(followed=authors, posts=posts)

        async def measure(server: Server, posts: int = posts) -> None:
            await server.log_in()
            size = 0
            for _ in range(10):
                answer = await server.client.get(server.address + "/home", headers=server.headers)
                size = len(answer.content)
            before = server.cpu_ms()
            for _ in range(PAGES):
                await server.client.get(server.address + "/home", headers=server.headers)
            report(
                "home",
                stored_posts=posts,
                cpu_ms_per_page=(server.cpu_ms() - before) / PAGES,
                html_kb=size / 1000,
            )

        await with_server(prepare, measure)


async def bench_thread() -> None:
    """A thread of 500 posts on one page, and how many questions it asks the database."""
    authors = some_authors(100)
    made: list[int] = []

    async def prepare(server: Server) -> None:
        await server.fill(followed=authors)
        made.append(await server.fill_thread(authors, THREAD_POSTS))

    async def measure(server: Server) -> None:
        await server.log_in()
        page = f"{server.address}/posts/{made[0]}"
        size = 0
        for _ in range(3):
            answer = await server.client.get(page, headers=server.headers)
            size = len(answer.content)
        before = server.cpu_ms()
        for _ in range(THREADS):
            await server.client.get(page, headers=server.headers)
        cpu_ms = (server.cpu_ms() - before) / THREADS
        report(
            "thread",
            posts=THREAD_POSTS,
            cpu_ms_per_page=cpu_ms,
            queries=await server.queries_of_thread(made[0]),
            html_kb=size / 1000,
        )

    await with_server(prepare, measure)


async def bench_store() -> None:
    """What a Create costs without HTTP and without its signature: read, judged, kept, at Home."""
    authors = some_authors(100)
    with tempfile.TemporaryDirectory() as directory:
        server = Server(Path(directory), 8000)  # nothing listens there
        await server.make()
        await server.fill(followed=authors)
        report("store", cpu_ms_per_post=await server.store(authors, STORED_POSTS))
        await server.stop()


async def bench_screens() -> None:
    """Every page with two hundred thousand stored posts: CPU, questions, size."""
    with tempfile.TemporaryDirectory() as directory:
        server = Server(Path(directory), 8000)  # nothing listens there
        await server.make()
        await screens.looked_at(server, await screens.filled(server, some_authors(screens.PEOPLE)))
        await server.stop()


async def bench_vault() -> None:
    """Sealed messages: sealing, the login that opens them, a long conversation."""
    vault.sealing()
    (author,) = some_authors(1)
    talks: list[int] = []

    async def prepare(server: Server) -> None:
        await server.fill(followed=[author])
        talks.append(await vault.fill(server, author))

    async def measure(server: Server) -> None:
        await vault.measure(server, talks[0])

    await with_server(prepare, measure)


BENCHES: dict[str, Callable[[], Awaitable[None]]] = {
    "actor": bench_actor,
    "inbox": bench_inbox,
    "delivery": bench_delivery,
    "hanging": bench_hanging,
    "home": bench_home,
    "thread": bench_thread,
    "store": bench_store,
    "vault": bench_vault,
    "screens": bench_screens,
}


def main() -> None:
    """Run the benches that are named, or all."""
    calibrate()
    for name in sys.argv[1:] or BENCHES:
        asyncio.run(BENCHES[name]())  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
