"""The ways into the vault: who holds which key, and what remains when one is lost."""

import os
from dataclasses import replace

import pytest

from microfedi.errors import WrongCredentials
from microfedi.storage import vault_keys
from microfedi.storage.database import Database, Transaction
from microfedi.storage.vault_keys import Opened
from tests.factories import NOON

PASSWORD, RECOVERY, OTHER = (os.urandom(32) for _ in range(3))


async def a_vault(db: Database, *, password: bytes = PASSWORD) -> Opened:
    def change(tx: Transaction) -> Opened:
        opened = vault_keys.create(tx, now=NOON)
        vault_keys.let_in(tx, opened, "password", password, now=NOON)
        vault_keys.let_in(tx, opened, "recovery", RECOVERY, now=NOON)
        return opened

    return await db.write(change)


async def sealed(db: Database, text: bytes = b"words") -> bytes:
    key = await db.read(vault_keys.current)
    assert key is not None
    return key.seal("message", text, bound_to="1")


async def opened_by(db: Database, kind: vault_keys.Kind, key: bytes, holder: str = "") -> Opened:
    return await db.read(lambda r: vault_keys.open_by(r, kind, key, holder=holder))


async def test_each_way_opens_it(db: Database) -> None:
    assert await db.read(vault_keys.current) is None
    await a_vault(db)
    one = await sealed(db)
    for kind, key in (("password", PASSWORD), ("recovery", RECOVERY)):
        opened = await opened_by(db, kind, key)  # type: ignore[arg-type]
        assert opened.keys().open("message", one, bound_to="1") == b"words"


async def test_nothing_else_opens_it(db: Database) -> None:
    await a_vault(db)
    for kind, key, holder in (
        ("password", OTHER, ""),
        ("password", RECOVERY, ""),
        ("recovery", PASSWORD, ""),
        ("passkey", PASSWORD, ""),
        ("password", PASSWORD, "x"),
    ):
        with pytest.raises(WrongCredentials):
            await opened_by(db, kind, key, holder)  # type: ignore[arg-type]


async def test_no_secret_lies_in_the_file(db: Database) -> None:
    opened = await a_vault(db)
    rows = await db.read(
        lambda r: [*r.all("SELECT * FROM vault_keys"), *r.all("SELECT * FROM vault_ways")]
    )
    kept = b"".join(one for row in rows for one in row if isinstance(one, bytes))
    for secret in (opened.master, *opened.secrets.values(), PASSWORD, RECOVERY):
        assert secret not in kept


async def test_a_new_password_replaces_the_old_one(db: Database) -> None:
    opened = await a_vault(db)
    one = await sealed(db)
    await db.write(lambda tx: vault_keys.let_in(tx, opened, "password", OTHER, now=NOON))
    again = await opened_by(db, "password", OTHER)
    assert again.keys().open("message", one, bound_to="1") == b"words"
    with pytest.raises(WrongCredentials):
        await opened_by(db, "password", PASSWORD)


async def test_a_new_key_seals_and_the_old_one_still_opens(db: Database) -> None:
    opened = await a_vault(db)
    before = await sealed(db, b"before")
    await db.write(lambda tx: vault_keys.add_key(tx, opened, now=NOON))
    after = await sealed(db, b"after")
    assert after[1:3] == b"\0\2"
    keys = (await opened_by(db, "recovery", RECOVERY)).keys()
    assert keys.open("message", before, bound_to="1") == b"before"
    assert keys.open("message", after, bound_to="1") == b"after"


async def test_passkeys_come_and_go(db: Database) -> None:
    opened = await a_vault(db)
    for holder in ("phone", "laptop"):
        await db.write(
            lambda tx, holder=holder: vault_keys.let_in(  # type: ignore[misc]
                tx, opened, "passkey", OTHER, holder=holder, now=NOON
            )
        )
    await db.write(lambda tx: vault_keys.close_way(tx, "passkey", holder="phone"))
    await opened_by(db, "passkey", OTHER, "laptop")
    with pytest.raises(WrongCredentials):
        await opened_by(db, "passkey", OTHER, "phone")
    ways = await db.read(vault_keys.ways)
    assert [(way.kind, way.holder) for way in ways] == [
        ("passkey", "laptop"),
        ("password", ""),
        ("recovery", ""),
    ]


async def test_a_lost_vault_is_followed_by_another_and_may_be_found(db: Database) -> None:
    await a_vault(db)
    old = await sealed(db, b"old words")
    await a_vault(db, password=OTHER)  # its recovery key is the same bytes here
    new = await sealed(db, b"new words")

    opened = await opened_by(db, "password", OTHER)
    with pytest.raises(ValueError, match="not here"):
        opened.keys().open("message", old, bound_to="1")

    older = await opened_by(db, "password", PASSWORD)
    assert older.vault == 1
    await db.write(lambda tx: vault_keys.adopt(tx, opened, older))
    again = await opened_by(db, "password", OTHER)
    assert again.keys().open("message", old, bound_to="1") == b"old words"
    assert again.keys().open("message", new, bound_to="1") == b"new words"
    with pytest.raises(WrongCredentials):
        await opened_by(db, "password", PASSWORD)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("UPDATE vault_keys SET public = :key", id="in its place"),
        pytest.param(
            "INSERT INTO vault_keys SELECT 2, 1, :key, secret_wrapped, created_at FROM vault_keys",
            id="after it",
        ),
        pytest.param(
            "INSERT INTO vault_keys SELECT 2, 2, :key, secret_wrapped, created_at FROM vault_keys",
            id="as that of another vault",
        ),
        pytest.param("DELETE FROM vault_keys WHERE :key = :key", id="none at all"),
    ],
)
async def test_a_public_key_that_somebody_put_there_seals_no_longer(
    db: Database, change: str
) -> None:
    opened = await a_vault(db)
    assert await db.write(lambda tx: vault_keys.keep_sealing(tx, opened, now=NOON)) == (
        opened,
        False,
    )
    await db.write(lambda tx: tx.run(change, {"key": OTHER}))

    opened = await opened_by(db, "password", PASSWORD)
    kept, was_exchanged = await db.write(lambda tx: vault_keys.keep_sealing(tx, opened, now=NOON))
    assert was_exchanged
    value = await sealed(db, b"words")
    assert kept.keys().open("message", value, bound_to="1") == b"words"
    assert await opened_by(db, "password", PASSWORD) == kept


async def test_a_wrap_does_not_fit_another_place(db: Database) -> None:
    await a_vault(db)
    await db.write(
        lambda tx: tx.run(
            """
            UPDATE vault_ways
               SET master_wrapped = (SELECT master_wrapped FROM vault_ways WHERE kind = 'recovery')
             WHERE kind = 'password'
            """
        )
    )
    with pytest.raises(WrongCredentials):
        await opened_by(db, "password", RECOVERY)


def test_a_session_keeps_it_under_its_cookie_alone() -> None:
    opened = Opened(3, os.urandom(32), {1: os.urandom(32), 700: os.urandom(32)})
    packed = vault_keys.pack(opened, PASSWORD, bound_to="12")
    assert opened.master not in packed
    assert vault_keys.unpack(packed, PASSWORD, bound_to="12") == opened
    for key, session in ((OTHER, "12"), (PASSWORD, "13")):
        with pytest.raises(ValueError, match="does not open the vault"):
            vault_keys.unpack(packed, key, bound_to=session)
    assert vault_keys.unpack(
        vault_keys.pack(replace(opened, secrets={}), PASSWORD, bound_to="1"), PASSWORD, bound_to="1"
    ) == replace(opened, secrets={})
    assert opened.master.hex() not in repr(opened)
