"""An owner's factors made anew: on the server, when they were lost, or in the pages, one by one."""

from dataclasses import dataclass, field
from datetime import datetime

from microfedi.account import fresh, passwords, recovery, recovery_key
from microfedi.account.fresh import Factors
from microfedi.config import Config
from microfedi.errors import ConfigError, InvalidInput, NotFound, WrongCredentials
from microfedi.storage import (
    credentials,
    door_log,
    owner,
    passkeys,
    pending_acts,
    recognised,
    sessions,
    vault_keys,
)
from microfedi.storage.database import Database, Transaction
from microfedi.storage.door_log import Visitor
from microfedi.storage.vault_keys import Opened


@dataclass(frozen=True, slots=True)
class NewFactors:
    """What `owner reset` prints."""

    totp_uri: str = field(repr=False)
    factors: Factors


async def reset(
    db: Database, config: Config, *, password: str, now: datetime, typed_key: str = ""
) -> NewFactors:
    """Give the owner a new password, a new second factor and new recovery codes; log everybody out.

    Passkeys are removed, and what waits for its day is cancelled: whoever had got in may have made
    either. For the command line: whoever can run it has the machine, not the messages. With the
    old recovery key (`typed_key`) the vault opens with the new password; without it a new vault is
    made, and what the old one holds stays sealed, until the old password or key is remembered.

    Raises: ConfigError if there is no owner yet, or no more; InvalidInput (`password`,
        `recovery_key`); TooBusy.
    """
    known = await db.read(owner.load)
    if known is None:
        raise ConfigError("this server has no owner yet; to make one: setup-link, or init")
    if known.deleted_at is not None:
        raise ConfigError("the account is deleted: nobody can log in here any more")
    passwords.check(password, own_words=fresh.own_words(config, known.handle))
    hashed = await passwords.hash_password(password)
    factors = fresh.factors()
    old_key = recovery_key.key_of(typed_key) if typed_key else None

    def change(tx: Transaction) -> None:
        # First: the browsers of the sessions that end are told, too.
        door_log.add(tx, door_log.Kind.SHELL, now=now, detail="owner reset")
        vault_keys.keep_password(tx, credentials.password_hash(tx) or "")
        credentials.set_password_hash(tx, hashed.stored)
        credentials.set_totp(tx, factors.totp_secret, 0)
        credentials.replace_recovery_codes(tx, recovery.hashes_of(factors.recovery_codes))
        sessions.end_all(tx)
        recognised.forget(tx)
        for passkey in passkeys.all(tx):
            passkeys.remove(tx, passkey.id)
            vault_keys.close_way(tx, "passkey", holder=passkey.credential.hex())
        for act in pending_acts.waiting(tx):
            pending_acts.cancel(tx, act.kind)
            door_log.add(tx, door_log.Kind.ACT_CANCELLED, now=now, detail=act.kind)
        if old_key is None:
            fresh.vault(tx, hashed, factors, now)
        else:
            try:
                opened = vault_keys.open_by(tx, "recovery", old_key)
            except WrongCredentials as error:
                raise InvalidInput("recovery_key", error.template, **error.values) from error
            opened, _ = vault_keys.keep_sealing(tx, opened, now=now)  # it may be an older one
            vault_keys.let_in(tx, opened, "password", hashed.vault_key, now=now)
            vault_keys.let_in(
                tx, opened, "recovery", recovery_key.key_of(factors.recovery_key), now=now
            )

    await db.write(change)
    return NewFactors(fresh.uri(config, factors, known.handle), factors)


async def change_password(
    db: Database,
    config: Config,
    *,
    password: str,
    opened: Opened | None,
    session_id: int | None,
    now: datetime,
    by: Visitor = door_log.NOBODY,
) -> None:
    """Keep a new password and log out every other browser. Ask `login.confirm` first.

    `opened` is the message vault, which the new password opens from now on.

    Raises: InvalidInput (`password`), also if there is a vault and it is not `opened`; NotFound
        before setup; TooBusy.
    """
    known = await db.read(owner.load)
    if known is None:
        raise NotFound("there is no owner yet")
    passwords.check(password, own_words=fresh.own_words(config, known.handle))
    hashed = await passwords.hash_password(password)

    def change(tx: Transaction) -> None:
        # First: the browsers of the sessions that end are told, too.
        door_log.add(tx, door_log.Kind.PASSWORD, now=now, by=by)
        credentials.set_password_hash(tx, hashed.stored)
        sessions.end_all(tx, but=session_id)
        if opened is not None:
            vault_keys.let_in(tx, opened, "password", hashed.vault_key, now=now)
        elif vault_keys.current(tx) is not None:
            raise InvalidInput(
                "password",
                "Type your password as well: without it the new one would not open your messages.",
            )

    await db.write(change)


async def renew_recovery_codes(
    db: Database, *, now: datetime, by: Visitor = door_log.NOBODY
) -> tuple[str, ...]:
    """Return ten new recovery codes, to be shown once; those before are worthless.

    Ask `login.confirm` first.
    """
    codes = recovery.new_codes()

    def change(tx: Transaction) -> None:
        credentials.replace_recovery_codes(tx, recovery.hashes_of(codes))
        door_log.add(tx, door_log.Kind.RECOVERY_CODES, now=now, by=by)

    await db.write(change)
    return codes
