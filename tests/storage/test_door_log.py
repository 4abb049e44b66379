"""The door log: added to, read, and never quietly changed."""

import sqlite3
from datetime import timedelta

import pytest

from microfedi.storage import door_log, instance
from microfedi.storage.database import Database, Transaction
from microfedi.storage.door_log import Kind, Visitor
from tests.factories import NOON


@pytest.fixture
async def owned(db: Database) -> Database:
    await db.write(
        lambda tx: instance.create(
            tx, base_url="https://us.example", handle_domain="us.example", rsa_pem="-", now=NOON
        )
    )
    return db


async def write(db: Database, lines: int) -> None:
    def change(tx: Transaction) -> None:
        for number in range(lines):
            door_log.add(
                tx,
                Kind.SIGN_IN,
                now=NOON + timedelta(minutes=number),
                by=Visitor("192.0.2.1", "Browser/1"),
                detail=f"line {number + 1}",
            )

    await db.write(change)


async def tamper(db: Database, *statements: str) -> None:
    """Change the log as somebody would who has the file: the triggers do not stop them."""

    def change(tx: Transaction) -> None:
        tx.run("DROP TRIGGER door_log_keeps_lines")
        tx.run("DROP TRIGGER door_log_keeps_newest")
        for statement in statements:
            tx.run(statement)

    await db.write(change)


async def test_lines_are_read_newest_first(owned: Database) -> None:
    await write(owned, 5)
    first = await owned.read(lambda r: door_log.page(r, limit=2))
    assert [line.detail for line in first] == ["line 5", "line 4"]
    second = await owned.read(lambda r: door_log.page(r, before=4, limit=9))
    assert [line.number for line in second] == [3, 2, 1]
    assert second[-1] == door_log.Line(1, NOON, "sign_in", "line 1", "192.0.2.1", "Browser/1")
    assert await owned.read(door_log.broken_at) is None


async def test_an_empty_log_is_whole(owned: Database) -> None:
    assert await owned.read(door_log.broken_at) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE door_log SET address = '198.51.100.7' WHERE number = 2",
        "DELETE FROM door_log WHERE number = 2",
        "DELETE FROM door_log WHERE number = 3",
        "DELETE FROM door_log",
    ],
)
async def test_the_database_refuses_to_change_it(owned: Database, statement: str) -> None:
    await write(owned, 3)
    with pytest.raises(sqlite3.IntegrityError, match="door log is never"):
        await owned.write(lambda tx: tx.run(statement))
    assert await owned.read(door_log.broken_at) is None


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE door_log SET address = '198.51.100.7' WHERE number = 2", 2),
        ("UPDATE door_log SET at = '2026-01-01T00:00:00.000000Z' WHERE number = 3", 3),
        ("DELETE FROM door_log WHERE number = 2", 2),
        ("DELETE FROM door_log WHERE number = 5", 5),
        ("DELETE FROM door_log WHERE number > 3", 4),
        ("DELETE FROM door_log", 1),
        ("UPDATE door_log SET kind = 'sign_out' WHERE number = 5", 5),
        ("UPDATE instance SET door_log_end = NULL", 6),
    ],
)
async def test_what_somebody_changed_shows(owned: Database, statement: str, broken: int) -> None:
    await write(owned, 5)
    await tamper(owned, statement)
    assert await owned.read(door_log.broken_at) == broken


async def test_two_lines_that_changed_places_show(owned: Database) -> None:
    await write(owned, 4)
    await tamper(
        owned,
        "UPDATE door_log SET number = 99 WHERE number = 2",
        "UPDATE door_log SET number = 2 WHERE number = 3",
        "UPDATE door_log SET number = 3 WHERE number = 99",
    )
    assert await owned.read(door_log.broken_at) == 2


async def test_only_the_oldest_lines_go(owned: Database) -> None:
    await write(owned, door_log.MAX_LINES + 2)
    lines = await owned.read(lambda r: door_log.page(r, limit=door_log.MAX_LINES + 10))
    assert len(lines) == door_log.MAX_LINES
    assert lines[-1].number == 3
    assert await owned.read(door_log.broken_at) is None


async def test_what_is_long_is_cut(owned: Database) -> None:
    await owned.write(
        lambda tx: door_log.add(
            tx, Kind.FAILURE, now=NOON, by=Visitor("a" * 999, "b" * 999), detail="d" * 999
        )
    )
    (line,) = await owned.read(lambda r: door_log.page(r, limit=1))
    assert (len(line.address), len(line.browser), len(line.detail)) == (64, 300, 200)
    assert await owned.read(door_log.broken_at) is None


async def failures(db: Database, count: int, *, apart: timedelta) -> list[str]:
    """Have somebody fail so often; return what is written of it."""

    def change(tx: Transaction) -> list[str]:
        for number in range(count):
            door_log.add_failure(
                tx, now=NOON + number * apart, by=Visitor("192.0.2.9", "Browser/2")
            )
        return [line.kind for line in reversed(door_log.page(tx, limit=count + 10))]

    return await db.write(change)


async def test_of_many_failures_in_an_hour_the_first_are_written(owned: Database) -> None:
    written = await failures(owned, 200, apart=timedelta(seconds=10))
    assert written == ["failure"] * 10 + ["many_failures"] + ["failure"] * 20 + ["slowed"]


async def test_whoever_tries_all_day_drives_nothing_out(owned: Database) -> None:
    """Half a year of it fits: before that somebody has looked."""
    days = 5
    written = await failures(owned, days * 24 * 6, apart=timedelta(minutes=10))
    assert len(written) <= days * (door_log.MAX_FAILURES_A_DAY + 1)
    assert door_log.MAX_LINES / (door_log.MAX_FAILURES_A_DAY + 1) > 150
    assert written.count("slowed") in (days, days - 1)
