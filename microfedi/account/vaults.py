"""Changes of the message vault's locks: another recovery key, other keys, a vault that was lost.

Ask `login.confirm` before any of them; what it returns is `opened` here.
"""

from dataclasses import dataclass
from datetime import datetime

from microfedi.account import passwords, recovery_key
from microfedi.errors import InvalidInput, WrongCredentials
from microfedi.storage import credentials, door_log, vault_keys
from microfedi.storage.database import Database, Transaction
from microfedi.storage.door_log import Kind, Visitor
from microfedi.storage.vault_keys import Opened

MAX_TYPED_CHARS = 500  # of an old password or a recovery key


@dataclass(frozen=True, slots=True)
class NewLocks:
    """The vault with other locks. `recovery_key` is shown once."""

    opened: Opened
    recovery_key: str

    def __repr__(self) -> str:
        return "NewLocks(…)"


async def renew_recovery_key(
    db: Database, opened: Opened | None, *, now: datetime, by: Visitor
) -> str:
    """Make another recovery key and return it as it is shown; the one before opens nothing.

    Raises: InvalidInput if the vault is not open.
    """
    vault = _needed(opened)
    fresh = recovery_key.new()

    def change(tx: Transaction) -> None:
        vault_keys.let_in(tx, vault, "recovery", recovery_key.key_of(fresh), now=now)
        door_log.add(tx, Kind.RECOVERY_KEY, now=now, by=by)

    await db.write(change)
    return fresh


async def renew_locks(
    db: Database, opened: Opened | None, password: str, *, now: datetime, by: Visitor
) -> NewLocks:
    """Make another master key, another pair that seals, and another recovery key.

    Whoever has an older copy of the disk, and the password or the recovery key of that time, opens
    nothing that comes from now on. What is there opens as before. A passkey opens the vault again
    once somebody has logged in by it and the password.

    Raises: InvalidInput if the vault is not open, or `password` is wrong; TooBusy.
    """
    older = _needed(opened)
    stored = await db.read(credentials.password_hash)
    proof = await passwords.verify(password, stored)
    password_key = proof.vault_key if proof is not None else None
    fresh = recovery_key.new()

    def change(tx: Transaction) -> Opened | None:
        if password_key is None or credentials.password_hash(tx) != stored:
            return None
        made = vault_keys.adopt(tx, vault_keys.create(tx, now=now), older)
        vault_keys.let_in(tx, made, "password", password_key, now=now)
        vault_keys.let_in(tx, made, "recovery", recovery_key.key_of(fresh), now=now)
        door_log.add(tx, Kind.VAULT_KEY, now=now, by=by)
        return made

    return NewLocks(_needed(await db.write(change)), fresh)


async def adopt(
    db: Database, opened: Opened | None, typed: str, *, now: datetime, by: Visitor
) -> Opened:
    """Open a vault that was lost, with the recovery key or the password of its time, and take its
    keys into the present one.

    Raises: InvalidInput (`older`) if this opens none; TooBusy.
    """
    vault = _needed(opened)
    if recovery_key.normalised(typed) is not None:
        kind: vault_keys.Kind = "recovery"
        keys = [recovery_key.key_of(typed)]
    else:
        kind = "password"
        hashes = await db.read(vault_keys.lost_passwords)
        proofs = [await passwords.verify(typed, one) for one in hashes]
        found = [proof.vault_key for proof in proofs if proof is not None]
        keys = [key for key in found if key is not None]

    def change(tx: Transaction) -> Opened:
        for key in keys:
            try:
                older = vault_keys.open_by(tx, kind, key)
            except WrongCredentials:
                continue
            if older.vault != vault.vault:
                door_log.add(tx, Kind.VAULT_FOUND, now=now, by=by)
                return vault_keys.adopt(tx, vault, older)
        raise InvalidInput("older", "This opens none of the messages that are sealed for ever.")

    return await db.write(change)


def _needed(opened: Opened | None) -> Opened:
    if opened is None:
        raise InvalidInput("password", "Your messages open with the password: please type it.")
    return opened
