"""The one writer: grouped commits, failures that stay alone, cancellation, migrations, modes."""

import asyncio
import contextlib
import os
import sqlite3
from pathlib import Path

import pytest

from microfedi.errors import ConfigError
from microfedi.storage import database, schema, sealed
from microfedi.storage.database import Database, Reader, Transaction
from microfedi.storage.sealed import Sealer


def hosts(reader: Reader) -> list[str]:
    return [row["host"] for row in reader.all("SELECT host FROM blocked_hosts ORDER BY host")]


def insert(tx: Transaction, host: str) -> None:
    tx.run("INSERT INTO blocked_hosts (host, created_at) VALUES (:host, '')", {"host": host})


async def test_a_failing_change_fails_alone(db: Database) -> None:
    def bad(tx: Transaction) -> None:
        insert(tx, "half.example")
        raise ValueError("no")

    results = await asyncio.gather(
        db.write(lambda tx: insert(tx, "a.example")),
        db.write(bad),
        db.write(lambda tx: insert(tx, "b.example")),
        return_exceptions=True,
    )

    assert [type(result) for result in results] == [type(None), ValueError, type(None)]
    assert await db.read(hosts) == ["a.example", "b.example"]


async def test_a_cancelled_change_that_has_not_begun_is_dropped_and_harms_nobody(
    db: Database,
) -> None:
    tasks = [
        asyncio.create_task(db.write(lambda tx, n=n: insert(tx, f"{n:03d}.example")))  # type: ignore[misc]
        for n in range(100)
    ]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    kept = await db.read(hosts)
    assert {f"{n:03d}.example" for n in range(1, 100, 2)} <= set(kept)
    await db.write(lambda tx: insert(tx, "later.example"))
    assert "later.example" in await db.read(hosts)


async def test_a_reader_cannot_write(db: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await db.read(lambda reader: reader.all("DELETE FROM blocked_hosts"))


async def test_every_connection_has_its_safety_pragmas(db: Database) -> None:
    synchronous = await db.write(lambda tx: tx.value("PRAGMA synchronous"))
    secure_delete = await db.write(lambda tx: tx.value("PRAGMA secure_delete"))
    mode = await db.read(lambda reader: reader.value("PRAGMA journal_mode"))
    foreign_keys = await db.read(lambda reader: reader.value("PRAGMA foreign_keys"))

    assert (synchronous, secure_delete, mode, foreign_keys) == (2, 1, "wal", 1)


async def test_files_are_private_even_under_a_lax_umask(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        path = tmp_path / "m.db"
        async with database.opened(path, Sealer(os.urandom(32))) as db:
            await db.write(lambda tx: insert(tx, "a.example"))
            modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    finally:
        os.umask(old)

    assert modes == {"m.db": 0o600, "m.db-wal": 0o600, "m.db-shm": 0o600}


def test_a_file_from_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    schema.migrate(path)
    with sqlite3.connect(path) as conn:
        conn.execute(f"PRAGMA user_version = {schema.newest() + 1}")
    conn.close()

    with pytest.raises(ConfigError, match="newer microfedi"):
        schema.migrate(path)


def test_a_copy_is_taken_before_an_upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.db"
    schema.migrate(path)
    steps = [*schema.steps(), (9999, "CREATE TABLE later (id INTEGER) STRICT")]
    monkeypatch.setattr(schema, "steps", lambda: steps)

    schema.migrate(path)

    copies = [file for file in tmp_path.iterdir() if "before-9999" in file.name]
    assert [schema.version(copy) for copy in copies] == [steps[-2][0]]
    assert copies[0].stat().st_mode & 0o777 == 0o600
    assert schema.version(path) == 9999


def test_what_the_first_version_kept_is_there_after_the_upgrade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.db"
    steps = schema.steps()
    monkeypatch.setattr(schema, "steps", lambda: steps[:1])
    schema.migrate(path)
    with contextlib.closing(sqlite3.connect(path)) as conn:
        conn.executescript(
            """
            INSERT INTO actors (id, uri, host, username, type, name, summary, inbox, fetched_at)
            VALUES (7, 'https://b.example/u', 'b.example', 'u', 'Person', 'U', '', 'x', 'now');
            INSERT INTO notifications (id, kind, actor_id, created_at) VALUES (5, 'follow', 7, 't');
            INSERT INTO blocked_actors (actor_id, created_at) VALUES (7, 't');
            """
        )
    monkeypatch.setattr(schema, "steps", lambda: steps)

    schema.migrate(path)

    with contextlib.closing(sqlite3.connect(path)) as conn:
        told = conn.execute("SELECT id, kind, actor_id, note_id, detail FROM notifications")
        assert told.fetchall() == [(5, "follow", 7, None, "")]
        assert conn.execute("SELECT actor_id, until FROM blocked_actors").fetchall() == [(7, None)]
        assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_failing_step_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.db"
    schema.migrate(path)
    version = schema.version(path)
    bad = (9999, "CREATE TABLE later (id INTEGER) STRICT; SELECT nonsense FROM nowhere;")
    steps = [*schema.steps(), bad]
    monkeypatch.setattr(schema, "steps", lambda: steps)

    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(path)

    assert schema.version(path) == version
    with sqlite3.connect(path) as conn:
        assert conn.execute(
            "SELECT count(*) FROM sqlite_schema WHERE name = 'later'"
        ).fetchone() == (0,)
    conn.close()


def test_a_sealed_value_opens_only_where_it_belongs() -> None:
    sealer = Sealer(bytes(range(32)))
    value = sealer.seal("note", b"secret", bound_to="7")

    assert sealer.open("note", value, bound_to="7") == b"secret"
    for purpose, row in (("note", "8"), ("message", "7")):
        with pytest.raises(ValueError, match="does not open"):
            sealer.open(purpose, value, bound_to=row)
    assert b"secret" not in value


def test_the_server_key_must_be_private(tmp_path: Path) -> None:
    path = tmp_path / "server.key"
    sealed.create_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    sealed.load(path)
    path.chmod(0o644)

    with pytest.raises(ConfigError, match="chmod 600"):
        sealed.load(path)
    with pytest.raises(FileExistsError):
        sealed.create_key(path)


async def test_questions_that_are_asked_together_fail_alone(db: Database) -> None:
    def bad(reader: Reader) -> None:
        raise ValueError("no")

    await db.write(lambda tx: insert(tx, "a.example"))

    answers = await asyncio.gather(
        *(db.read(bad if number % 5 == 0 else hosts) for number in range(50)),
        return_exceptions=True,
    )

    assert [type(one) for one in answers[::5]] == [ValueError] * 10
    assert all(one == ["a.example"] for number, one in enumerate(answers) if number % 5)


async def test_a_cancelled_question_harms_nobody(db: Database) -> None:
    tasks = [asyncio.create_task(db.read(hosts)) for _ in range(60)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()

    answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert answers[1::2] == [[]] * 30
    assert await db.read(hosts) == []


async def test_what_was_written_is_read_by_whoever_asks_afterwards(db: Database) -> None:
    for number in range(20):
        await db.write(lambda tx, n=number: insert(tx, f"{n:02d}.example"))  # type: ignore[misc]
        others = [asyncio.create_task(db.read(hosts)) for _ in range(5)]

        assert len(await db.read(hosts)) == number + 1
        await asyncio.gather(*others)
