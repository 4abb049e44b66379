"""The message vault through setup, login, a new password, a lost one, and an older database."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from microfedi.account import recovery, recovery_key, renewing
from microfedi.errors import InvalidInput
from microfedi.storage import credentials, door_log, vault_keys
from microfedi.storage.database import Database
from microfedi.storage.vault_keys import Opened
from tests.account.conftest import Door
from tests.factories import NOON

NEW = "nine blue kettles on the moor"
LATER = NOON + timedelta(minutes=1)


async def sealed(db: Database, text: bytes = b"between us") -> bytes:
    key = await db.read(vault_keys.current)
    assert key is not None
    return key.seal("message", text, bound_to="1")


def opens(opened: Opened | None, value: bytes) -> bytes:
    assert opened is not None
    return opened.keys().open("message", value, bound_to="1")


async def lines(db: Database) -> list[str]:
    found = await db.read(lambda r: door_log.page(r, limit=50))
    return [line.kind for line in reversed(found)]


async def test_the_password_opens_what_arrived_while_nobody_was_there(door: Door) -> None:
    one = await sealed(door.db)
    assert opens((await door.enter()).opened, one) == b"between us"


async def test_a_changed_password_opens_it_and_the_old_one_does_not(door: Door) -> None:
    one = await sealed(door.db)
    entered = await door.enter()
    await renewing.change_password(
        door.db, door.config, password=NEW, opened=entered.opened, session_id=None, now=LATER
    )
    assert opens((await door.enter(NEW, now=LATER)).opened, one) == b"between us"
    assert (await door.db.read(vault_keys.ways))[0].created_at == LATER


async def test_with_the_recovery_key_a_reset_keeps_the_messages(door: Door) -> None:
    one = await sealed(door.db)
    fresh = await renewing.reset(
        door.db, door.config, password=NEW, typed_key=door.recovery_key.upper(), now=NOON
    )
    door.secret = fresh.factors.totp_secret
    assert opens((await door.enter(NEW)).opened, one) == b"between us"
    assert fresh.factors.recovery_key != door.recovery_key
    with pytest.raises(InvalidInput, match="does not open"):
        await renewing.reset(
            door.db, door.config, password=NEW, typed_key=door.recovery_key, now=NOON
        )


@pytest.mark.parametrize("typed", ["nonsense", recovery_key.new()])
async def test_a_wrong_recovery_key_changes_nothing(door: Door, typed: str) -> None:
    with pytest.raises(InvalidInput) as problem:
        await renewing.reset(door.db, door.config, password=NEW, typed_key=typed, now=NOON)
    assert problem.value.field == "recovery_key"
    await door.enter()


async def test_without_it_a_new_vault_begins_and_the_old_one_waits(door: Door) -> None:
    old = await sealed(door.db, b"before")
    fresh = await renewing.reset(door.db, door.config, password=NEW, now=NOON)
    door.secret = fresh.factors.totp_secret
    new = await sealed(door.db, b"after")
    opened = (await door.enter(NEW)).opened
    assert opens(opened, new) == b"after"
    with pytest.raises(ValueError, match="not here"):
        opens(opened, old)
    older = await door.db.read(
        lambda r: vault_keys.open_by(r, "recovery", recovery_key.key_of(door.recovery_key))
    )
    assert opens(older, old) == b"before"


async def test_the_recovery_key_of_a_lost_vault_opens_what_comes_from_then_on(door: Door) -> None:
    old = await sealed(door.db, b"before")
    await renewing.reset(door.db, door.config, password=NEW, now=NOON)  # and a second vault begins
    fresh = await renewing.reset(
        door.db, door.config, password=NEW, typed_key=door.recovery_key, now=LATER
    )
    door.secret = fresh.factors.totp_secret
    new = await sealed(door.db, b"after")
    opened = (await door.enter(NEW, now=LATER)).opened
    assert opens(opened, old) == b"before"
    assert opens(opened, new) == b"after"
    assert "vault_exchanged" not in await lines(door.db)


async def test_an_older_database_gets_its_vault_with_the_first_login(door: Door) -> None:
    """As the versions before the vault left it: another hash, and no keys."""
    whole = Argon2id(
        salt=b"0123456789abcdef", length=32, iterations=3, lanes=1, memory_cost=65536
    ).derive_phc_encoded(b"seven quiet herons on a jetty")
    await door.db.write(lambda tx: credentials.set_password_hash(tx, whole))
    await door.db.write(lambda tx: tx.run("DELETE FROM vault_keys"))
    await door.db.write(lambda tx: tx.run("DELETE FROM vault_ways"))
    hashes = [{"hash": one} for one in recovery.hashes_of(door.recovery_codes)]
    await door.db.write(lambda tx: tx.run("DELETE FROM recovery_codes"))
    await door.db.write(
        lambda tx: tx.run_many("INSERT INTO recovery_codes (code_hash) VALUES (:hash)", hashes)
    )

    first = await door.enter("seven quiet herons on a jetty")
    one = await sealed(door.db)
    assert opens(first.opened, one) == b"between us"
    again = await door.enter("seven quiet herons on a jetty", now=LATER)
    assert opens(again.opened, one) == b"between us"
    stored = await door.db.read(credentials.password_hash)
    assert (stored or "").startswith("$argon2id-split$")
    await door.enter("seven quiet herons on a jetty", door.recovery_codes[0], now=LATER)


async def test_older_parameters_are_renewed_and_still_open_it(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await sealed(door.db)
    stronger = "$argon2id-split$v=1$m=65536,t=4,p=1$"
    monkeypatch.setattr("microfedi.account.passwords._PARAMETERS", stronger)
    monkeypatch.setattr("microfedi.account.passwords.ITERATIONS", 4)
    assert opens((await door.enter()).opened, one) == b"between us"
    stored = await door.db.read(credentials.password_hash)
    assert (stored or "").startswith(stronger)
    assert opens((await door.enter(now=LATER)).opened, one) == b"between us"


async def test_the_door_log_tells_of_it(door: Door) -> None:
    with pytest.raises(InvalidInput):
        await door.enter("wrong password entirely")
    entered = await door.enter()
    with pytest.raises(InvalidInput):
        await door.enter()  # the code was used
    await door.enter(now=LATER)
    await renewing.change_password(
        door.db, door.config, password=NEW, opened=entered.opened, session_id=None, now=LATER
    )
    await door.enter(NEW, door.recovery_codes[0], now=LATER)
    await renewing.reset(door.db, door.config, password=NEW, now=LATER)
    assert await lines(door.db) == [
        "failure",
        "sign_in",
        "vault_opened",
        "new_browser",  # none of them shows the cookie of an earlier login
        "failure",
        "sign_in",
        "vault_opened",
        "new_browser",
        "password",
        "recovery_code_used",
        "sign_in",
        "vault_opened",
        "new_browser",
        "shell",
    ]
    (line, *_rest) = await door.db.read(lambda r: door_log.page(r, before=3, limit=5))
    assert (line.address, line.browser, line.detail) == ("192.0.2.1", "Browser/1", "totp")
    assert await door.db.read(door_log.broken_at) is None
