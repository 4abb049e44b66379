"""A full disk: everything can be read, nothing new is kept, nothing is lost, and it passes."""

import contextlib
import errno
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from microfedi.errors import DiskFull
from microfedi.federation import jobs as work
from microfedi.federation import media_cache
from microfedi.storage import files, jobs, room
from microfedi.storage.database import Database, Transaction
from microfedi.storage.room import ENOUGH_BYTES, LOOK_S, RESERVE_BYTES, REST_S, Room
from tests.app_fixture import App, an_app
from tests.federation.inbox.world import Scene, a_create, a_mention, a_scene


class Disk:
    """A disk whose free bytes are whatever a test says, and seconds that it lets pass."""

    def __init__(self, of: Room) -> None:
        self.bytes = 10 * RESERVE_BYTES
        self.seconds = of.clock()
        of.free = lambda: self.bytes
        of.clock = lambda: self.seconds

    def becomes(self, free: int, *, after_s: float = LOOK_S) -> None:
        self.bytes = free
        self.seconds += after_s


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with an_app(tmp_path) as made:
        await made.login()
        yield made


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with a_scene(tmp_path) as made:
        yield made


async def fill(db: Database) -> None:
    """Let the database grow no more: from now on SQLite says that the disk is full."""
    await db.write(lambda tx: tx.one(f"PRAGMA max_page_count = {tx.value('PRAGMA page_count')}"))


async def make_room(db: Database) -> None:
    """Let it grow again."""
    await db.write(lambda tx: tx.one("PRAGMA max_page_count = 1000000000"))


async def waiting(scene: Scene) -> int:
    """How many activities wait to be handled; of the others only their name is remembered."""
    sql = "SELECT count(*) FROM received WHERE body_sealed IS NOT NULL"
    return int(await scene.ctx.db.read(lambda r: r.value(sql)))


def grow(tx: Transaction) -> None:
    tx.run("CREATE TABLE IF NOT EXISTS ballast (data)")
    tx.run("INSERT INTO ballast VALUES (randomblob(5000000))")


def test_room_is_looked_for_every_few_seconds_and_does_not_flicker(tmp_path: Path) -> None:
    watched = Room(tmp_path)
    disk = Disk(watched)

    assert not watched.is_full()
    disk.becomes(RESERVE_BYTES - 1, after_s=LOOK_S - 1)
    assert not watched.is_full()  # not looked at again so soon
    disk.becomes(RESERVE_BYTES - 1)
    assert watched.is_full()
    disk.becomes(ENOUGH_BYTES - 1)
    assert watched.is_full()  # a little more is not enough
    disk.becomes(ENOUGH_BYTES)
    assert not watched.is_full()


def test_a_quota_shows_only_when_a_write_fails(tmp_path: Path) -> None:
    watched = Room(tmp_path)
    disk = Disk(watched)

    watched.failed()

    assert watched.is_full()
    watched.succeeded()  # a deletion, say
    assert watched.is_full()
    disk.becomes(disk.bytes, after_s=REST_S)
    assert not watched.is_full()  # the next write is the test
    watched.failed()
    assert watched.is_full()


async def test_a_change_without_room_is_not_kept_and_the_next_one_with_room_is(
    db: Database,
) -> None:
    disk = Disk(db.room)
    await fill(db)

    def half(tx: Transaction) -> None:
        tx.run("INSERT INTO blocked_hosts (host, created_at) VALUES ('a.example', '')")
        with tx.part():
            grow(tx)

    with pytest.raises(DiskFull):
        await db.write(half)

    assert db.room.is_full()
    assert await db.read(lambda r: r.value("SELECT count(*) FROM blocked_hosts")) == 0
    await make_room(db)
    disk.becomes(disk.bytes, after_s=REST_S)
    await db.write(half)
    assert not db.room.is_full()
    assert await db.read(lambda r: r.value("SELECT count(*) FROM blocked_hosts")) == 1


async def test_a_small_note_is_left_out_while_the_disk_is_full(db: Database) -> None:
    await fill(db)

    await db.note(grow)  # it fails, and nobody minds
    assert db.room.is_full()
    await make_room(db)
    await db.note(grow)  # it is not even tried

    found = "SELECT count(*) FROM sqlite_schema WHERE name = 'ballast'"
    assert await db.read(lambda r: r.value(found)) == 0


@contextlib.contextmanager
def no_room_in(monkeypatch: pytest.MonkeyPatch, number: int) -> Iterator[None]:
    def full(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        yield


@pytest.mark.parametrize("number", sorted(room.NO_ROOM))
def test_a_file_is_there_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    with no_room_in(monkeypatch, number), pytest.raises(DiskFull):
        files.write(tmp_path, "a", b"data")
    assert list(tmp_path.iterdir()) == []

    with no_room_in(monkeypatch, errno.EIO), pytest.raises(OSError, match="Input/output"):
        files.write(tmp_path, "a", b"data")
    files.write(tmp_path, "a", b"data")
    assert files.read(tmp_path, "a") == b"data"


async def test_every_page_says_so_and_can_be_read(app: App) -> None:
    disk = Disk(app.ctx.db.room)
    await app.post("/compose", {"source": "Still here", "visibility": "public"})
    assert "The disk of" not in (await app.home()).text

    disk.becomes(0)
    app.clock.forward(minutes=6)  # the session would be touched

    for path in ("/home", "/settings", "/notifications", "/messages", "/search?q=here", "/about"):
        answer = await app.home(path) if path == "/home" else await app.get(path)
        assert answer.status_code == 200, path
        assert "The disk of your server is full" in answer.text, path
    visitor = await app.browser().get("/@maya")
    assert "Still here" in visitor.text
    assert "The disk of this server is full" in visitor.text


async def test_nothing_new_is_kept_but_much_can_be_deleted_and_it_passes(app: App) -> None:
    disk = Disk(app.ctx.db.room)
    new = {"source": "A new one", "visibility": "public"}
    await app.post("/compose", {"source": "An old one", "visibility": "public"})
    post_id = await app.ctx.db.read(lambda r: r.value("SELECT max(id) FROM notes"))
    disk.becomes(0)

    refused = await app.post("/compose", new)

    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert "The disk is full" in refused.text
    assert "Nothing was changed" in refused.text
    assert await app.count("notes") == 1
    again = app.browser("192.0.2.7")
    await app.login(again)  # in one comes
    gone = await app.post(f"/posts/{post_id}/delete")
    assert gone.status_code == 303
    assert "An old one" not in (await app.get("/@maya")).text
    disk.becomes(ENOUGH_BYTES)
    assert (await app.post("/compose", new)).status_code == 303
    assert "The disk of" not in (await app.home()).text


async def test_when_even_the_reserve_is_gone_pages_are_read_and_the_error_says_what_to_do(
    app: App,
) -> None:
    await app.post("/compose", {"source": "Still here", "visibility": "public"})
    disk = Disk(app.ctx.db.room)
    await fill(app.ctx.db)
    with pytest.raises(DiskFull):
        await app.ctx.db.write(grow)

    assert "Still here" in (await app.get("/@maya")).text
    assert "The disk of your server is full" in (await app.get("/settings")).text

    await make_room(app.ctx.db)
    assert (await app.post("/compose", {"source": "Too soon"})).status_code == 503
    disk.becomes(disk.bytes, after_s=REST_S)
    answer = await app.post("/compose", {"source": "Now", "visibility": "public"})
    assert answer.status_code == 303


async def test_what_arrives_is_asked_to_come_again_and_then_is_there(scene: Scene) -> None:
    disk = Disk(scene.ctx.db.room)
    activity = a_create(scene.alice, a_mention(scene.alice))
    before = await scene.rows()
    disk.becomes(0)

    for _ in range(3):  # being asked is no failed write: it puts nothing off
        answer = await scene.post(scene.alice, activity)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 60
    assert await scene.rows() == before

    disk.becomes(ENOUGH_BYTES)
    await scene.deliver(scene.alice, activity)
    assert await scene.count("notes") == 1


async def test_what_had_arrived_is_not_lost_when_there_is_no_room_to_handle_it(
    scene: Scene,
) -> None:
    answer = await scene.post(
        scene.alice, a_create(scene.alice, a_mention(scene.alice, content="<p>" + "x" * 90_000))
    )
    assert answer.status_code == 202
    disk = Disk(scene.ctx.db.room)
    await fill(scene.ctx.db)

    with pytest.raises(DiskFull):
        await scene.process()

    assert await waiting(scene) == 1
    assert await scene.count("notes") == 0
    await make_room(scene.ctx.db)
    disk.becomes(disk.bytes, after_s=REST_S)
    scene.clock.forward(minutes=11)  # the lease
    await scene.process()
    assert await waiting(scene) == 0
    assert await scene.count("notes") == 1


async def test_what_fills_the_disk_waits_and_what_makes_room_goes_on(app: App) -> None:
    done: list[str] = []

    async def job(_ctx: object, key: str) -> None:
        done.append(key)

    disk = Disk(app.ctx.db.room)
    disk.becomes(0)
    now = app.clock()
    for kind in ("backfill", "preview", "shred"):
        await app.ctx.db.write(lambda tx, kind=kind: jobs.add(tx, kind, kind, due_at=now))  # type: ignore[misc]
    worker = work.JobsWorker(app.ctx, table=dict.fromkeys(("backfill", "preview", "shred"), job))

    assert await worker.turn() == LOOK_S
    while not worker.is_idle:
        await app.ctx.wake.jobs.wait()
        app.ctx.wake.jobs.clear()
    assert done == ["shred"]

    with pytest.raises(DiskFull):
        await media_cache.opened(app.ctx, "https://b.example/picture.png")
    disk.becomes(ENOUGH_BYTES)
    await worker.turn()
    while not worker.is_idle:
        await app.ctx.wake.jobs.wait()
        app.ctx.wake.jobs.clear()
    assert sorted(done) == ["backfill", "preview", "shred"]
