"""Logins: found by the hash of their token, until they idle, expire, or are ended."""

from datetime import timedelta

from microfedi.storage import sessions
from microfedi.storage.database import Database, Transaction
from microfedi.storage.door_log import Visitor
from tests.factories import NOON


def start(tx: Transaction, token_hash: bytes) -> int:
    return sessions.create(
        tx,
        token_hash,
        by=Visitor("192.0.2.1", "Browser " * 100),
        now=NOON,
        expires_at=NOON + sessions.ABSOLUTE,
    )


async def test_a_login_ends_a_week_after_its_last_use_and_a_month_after_its_start(
    db: Database,
) -> None:
    session_id = await db.write(lambda tx: start(tx, b"a"))

    async def is_there(days: float) -> bool:
        now = NOON + timedelta(days=days)
        return await db.read(lambda r: sessions.by_token(r, b"a", now=now)) is not None

    assert await is_there(6.9)
    assert not await is_there(7)
    for day in (6, 12, 18, 24, 29):
        now = NOON + timedelta(days=day)
        await db.write(lambda tx, now=now: sessions.touch(tx, session_id, now))  # type: ignore[misc]
        assert await is_there(day + 0.9)
    assert not await is_there(30)
    assert await db.read(lambda r: sessions.by_token(r, b"b", now=NOON)) is None


async def test_logins_are_listed_and_ended_one_by_one_or_all_at_once(db: Database) -> None:
    first, second, third = [
        await db.write(lambda tx, name=name: start(tx, name))  # type: ignore[misc]
        for name in (b"a", b"b", b"c")
    ]

    listed = await db.read(sessions.all)
    assert [session.id for session in listed] == [third, second, first]
    assert listed[0].address == "192.0.2.1"
    assert len(listed[0].user_agent) == 300
    assert await db.write(lambda tx: sessions.end(tx, first))
    assert not await db.write(lambda tx: sessions.end(tx, first))
    assert await db.write(lambda tx: sessions.end_all(tx, but=second)) == 1
    assert [session.id for session in await db.read(sessions.all)] == [second]
    assert await db.write(sessions.end_all) == 1
    assert await db.read(sessions.all) == []


async def test_what_has_run_out_is_deleted_and_their_number_is_bounded(db: Database) -> None:
    def many(tx: Transaction) -> None:
        for number in range(sessions.MAX_SESSIONS + 20):
            start(tx, b"%d" % number)

    await db.write(many)
    assert len(await db.read(sessions.all)) == sessions.MAX_SESSIONS

    await db.write(lambda tx: sessions.prune(tx, NOON + sessions.IDLE))
    assert await db.read(sessions.all) == []
