"""Logging in: password and second factor together, one answer for whatever was wrong."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from microfedi.account import passwords, recovery, throttle, tokens, totp
from microfedi.account.throttle import Throttle
from microfedi.errors import TooBusy, WrongCredentials
from microfedi.storage import door_log, owner, sessions, vault_keys
from microfedi.storage.database import Database, Reader, Transaction
from microfedi.storage.door_log import Kind
from microfedi.storage.vault_keys import Opened

log = logging.getLogger(__name__)

T = TypeVar("T")

WRONG = "The password or the code is wrong, or the code was used already."


@dataclass(frozen=True, slots=True)
class SignIn:
    """A login: the cookie's token, its row, and the message vault, opened by the password."""

    token: str
    session_id: int
    opened: Opened | None

    def __repr__(self) -> str:
        return f"SignIn({self.session_id})"


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
) -> SignIn:
    """Log the owner in and return the new session, whose token is for a cookie.

    `code` is the six digits of the app, or a recovery code; either is good for one login. The
    session `replaces` (that of the same browser, if there is one) ends with it.

    Raises: WrongCredentials, with the same words and after the same work whatever was wrong;
        TooBusy if this address, or everybody, has to wait; InvalidInput if the password is too
        long to be one.
    """
    token = tokens.new()

    def enter(tx: Transaction, vault_key: bytes) -> SignIn:
        if replaces is not None:
            sessions.end(tx, replaces)
        is_new = not door_log.has_browser(tx, Kind.SIGN_IN, user_agent)
        session_id = sessions.create(
            tx,
            tokens.hash_of(token),
            address=address,
            user_agent=user_agent,
            now=now,
            expires_at=now + sessions.ABSOLUTE,
        )
        kinds = [Kind.SIGN_IN, *([Kind.NEW_BROWSER] if is_new else [])]
        for kind in kinds:
            door_log.add(tx, kind, now=now, address=address, browser=user_agent, detail=_kind(code))
        return SignIn(token, session_id, _opened(tx, vault_key, now))

    entered = await _prove(db, slowed, password, code, address, user_agent, now, then=enter)
    log.info("logged in address=%s factor=%s", address, _kind(code))
    return entered


async def confirm(
    db: Database,
    slowed: Throttle,
    *,
    password: str,
    code: str,
    address: str,
    user_agent: str = "",
    now: datetime,
) -> Opened | None:
    """Ask whoever is logged in who they are once more, before something that matters.

    Return the message vault, which the password opens; None if it opens an older one only.

    Raises: as `attempt`.
    """

    def opened(tx: Transaction, vault_key: bytes) -> Opened | None:
        return _opened(tx, vault_key, now)

    found = await _prove(db, slowed, password, code, address, user_agent, now, then=opened)
    log.info("confirmed address=%s factor=%s", address, _kind(code))
    return found


async def _prove(
    db: Database,
    slowed: Throttle,
    password: str,
    code: str,
    address: str,
    user_agent: str,
    now: datetime,
    *,
    then: Callable[[Transaction, bytes], T],
) -> T:
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

    def noted(tx: Transaction) -> None:
        if known.password_hash is not None:
            door_log.add(tx, Kind.FAILURE, now=now, address=address, browser=user_agent)

    proof = await passwords.verify(password, known.password_hash)
    # Worked out and looked up for a wrong password too: it takes the same time.
    typed = "".join(code.split())
    step = totp.accepted_step(known.totp_secret or totp.new_secret(), typed, now)
    recovery_code = recovery.normalise(typed)
    if proof is None:
        await db.write(noted)
        log.warning("login failed address=%s", address)
        raise WrongCredentials("", WRONG)
    renewed: passwords.Halves | None = None
    if proof.vault_key is None or passwords.needs_rehash(known.password_hash or ""):
        renewed = await passwords.hash_password(password)

    def change(tx: Transaction) -> tuple[T] | None:
        if owner.password_hash(tx) != known.password_hash:
            return None  # changed while we were hashing
        if step is not None:
            used = owner.use_totp_step(tx, step)
        elif recovery_code is not None:
            used = owner.use_recovery_code(tx, recovery.hash_of(recovery_code))
        else:
            used = False
        if not used:
            noted(tx)
            return None
        if recovery_code is not None and step is None:
            door_log.add(tx, Kind.RECOVERY_CODE_USED, now=now, address=address, browser=user_agent)
        if renewed is not None:
            _renew(tx, proof, renewed, now)
        vault_key = renewed.vault_key if renewed is not None else proof.vault_key
        if vault_key is None:
            raise AssertionError("a password without its other half was hashed anew")
        return (then(tx, vault_key),)

    done = await db.write(change)
    if done is None:
        if recovery_code is None:  # which nobody guesses
            slowed.wrong_code(now)
        log.warning("login failed after the right password address=%s", address)
        raise WrongCredentials("", WRONG)
    slowed.succeeded(address, now)
    return done[0]


def _renew(
    tx: Transaction, proof: passwords.Proof, renewed: passwords.Halves, now: datetime
) -> None:
    """Keep a hash made in today's way, and let it open what the old one opened."""
    owner.set_password_hash(tx, renewed.stored)
    opened = None if proof.vault_key is None else _opened(tx, proof.vault_key, now)
    if opened is not None:
        vault_keys.let_in(tx, opened, "password", renewed.vault_key, now=now)


def _opened(tx: Transaction, vault_key: bytes, now: datetime) -> Opened | None:
    """Return the vault that sealed last, if the password opens it; the first one is made here.

    An older database has none, and its owner is here now with the password.
    """
    if vault_keys.current(tx) is None:
        opened = vault_keys.create(tx, now=now)
        vault_keys.let_in(tx, opened, "password", vault_key, now=now)
        return opened
    try:
        return vault_keys.open_by(tx, "password", vault_key)
    except WrongCredentials:
        return None


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
