"""Logging in: password and second factor together, one answer for whatever was wrong."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from microfedi.account import passwords, recovery, throttle, tokens, totp
from microfedi.account.throttle import Throttle
from microfedi.errors import TooBusy, WrongCredentials
from microfedi.storage import owner, sessions
from microfedi.storage.database import Database, Reader, Transaction

log = logging.getLogger(__name__)

WRONG = "The password or the code is wrong, or the code was used already."


@dataclass(frozen=True, slots=True)
class _Known:
    """What a try is compared with, read in one go whatever was typed."""

    password_hash: str | None
    totp_secret: str | None
    is_familiar: bool


async def attempt(
    db: Database,
    slowed: Throttle,
    *,
    password: str,
    code: str,
    address: str,
    user_agent: str,
    now: datetime,
    replaces: int | None = None,
) -> str:
    """Log the owner in and return the new session's token, for a cookie.

    `code` is the six digits of the app, or a recovery code; either is good for one login. The
    session `replaces` (that of the same browser, if there is one) ends with it.

    Raises: WrongCredentials, with the same words and after the same work whatever was wrong;
        TooBusy if this address, or everybody, has to wait; InvalidInput if the password is too
        long to be one.
    """
    token = tokens.new()

    def enter(tx: Transaction) -> None:
        if replaces is not None:
            sessions.end(tx, replaces)
        sessions.create(
            tx,
            tokens.hash_of(token),
            address=address,
            user_agent=user_agent,
            now=now,
            expires_at=now + sessions.ABSOLUTE,
        )

    await _prove(db, slowed, password, code, address, now, then=enter)
    log.info("logged in address=%s factor=%s", address, _kind(code))
    return token


async def confirm(
    db: Database, slowed: Throttle, *, password: str, code: str, address: str, now: datetime
) -> None:
    """Ask whoever is logged in who they are once more, before something that matters.

    Raises: as `attempt`.
    """
    await _prove(db, slowed, password, code, address, now, then=lambda tx: None)
    log.info("confirmed address=%s factor=%s", address, _kind(code))


async def _prove(
    db: Database,
    slowed: Throttle,
    password: str,
    code: str,
    address: str,
    now: datetime,
    *,
    then: Callable[[Transaction], None],
) -> None:
    """Check both factors, use the second one up, and do `then`, in one transaction."""
    passwords.normalised(password)  # what is too long is said before anything is counted
    known = await db.read(lambda reader: _known(reader, address))
    wait = slowed.admit(address, now, is_familiar=known.is_familiar)
    if wait is not None:
        seconds = math.ceil(wait.total_seconds())
        log.warning("login slowed address=%s wait_s=%d", address, seconds)
        raise TooBusy(
            f"There were too many tries. Please wait {_in_words(seconds)}.", retry_after_s=seconds
        )
    proof = await passwords.verify(password, known.password_hash)
    # Worked out and looked up for a wrong password too: it takes the same time.
    typed = "".join(code.split())
    step = totp.accepted_step(known.totp_secret or totp.new_secret(), typed, now)
    recovery_code = recovery.normalise(typed)
    if proof is None:
        log.warning("login failed address=%s", address)
        raise WrongCredentials("", WRONG)
    renewed: passwords.Halves | None = None
    if step is not None and passwords.needs_rehash(proof.stored):
        renewed = await passwords.hash_password(password)

    def change(tx: Transaction) -> bool:
        if owner.password_hash(tx) != known.password_hash:
            return False  # changed while we were hashing
        if step is not None:
            used = owner.use_totp_step(tx, step)
        elif recovery_code is not None:
            used = owner.use_recovery_code(tx, recovery.hash_of(recovery_code))
        else:
            used = False
        if used:
            if renewed is not None:
                owner.set_password_hash(tx, renewed.stored)
            then(tx)
        return used

    if not await db.write(change):
        if recovery_code is None:  # which nobody guesses
            slowed.wrong_code(now)
        log.warning("login failed after the right password address=%s", address)
        raise WrongCredentials("", WRONG)
    slowed.succeeded(address, now)


def _known(reader: Reader, address: str) -> _Known:
    ours = throttle.network_of(address)
    return _Known(
        owner.password_hash(reader),
        owner.totp_secret(reader),
        any(throttle.network_of(session.address) == ours for session in sessions.all(reader)),
    )


def _kind(code: str) -> str:
    return "recovery" if recovery.normalise(code) else "totp"


def _in_words(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} second{'s' if seconds != 1 else ''}"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} minute{'s' if minutes != 1 else ''}"
