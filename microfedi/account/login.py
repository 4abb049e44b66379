"""Logging in: password and second factor together, one answer for whatever was wrong."""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from microfedi import words
from microfedi.account import passkeys, passwords, recovery, throttle, tokens, totp
from microfedi.account.passkeys import Challenges
from microfedi.account.throttle import Throttle
from microfedi.config import Config
from microfedi.errors import InvalidInput, TooBusy, WrongCredentials
from microfedi.storage import credentials, door_log, jobs, recognised, sessions, vault_keys
from microfedi.storage import passkeys as passkey_storage
from microfedi.storage.database import Database, Reader, Transaction
from microfedi.storage.door_log import Kind, Visitor
from microfedi.storage.passkeys import Passkey
from microfedi.storage.vault_keys import Opened

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_PASSKEY_CHARS = passkeys.MAX_ANSWER_CHARS

WRONG = words.mark("The password or the code is wrong, or the code was used already.")


@dataclass(frozen=True, slots=True)
class SignIn:
    """A login: the cookie's token, its row, and the message vault, opened by the password.

    `device` is for a cookie that stays: by it the browser is recognised at its next login.
    """

    token: str
    session_id: int
    opened: Opened | None
    device: str = ""

    def __repr__(self) -> str:
        return f"SignIn({self.session_id})"


@dataclass(frozen=True, slots=True)
class _Known:
    """What a try is compared with, read in one go whatever was typed."""

    password_hash: str | None
    totp_secret: str | None
    is_familiar: bool


@dataclass(frozen=True, slots=True)
class Door:
    """What a login needs at hand; one for the server."""

    db: Database
    config: Config
    slowed: Throttle
    challenges: Challenges


@dataclass(frozen=True, slots=True)
class Factors:
    """What somebody brings: a password with a code or a passkey, or a passkey alone.

    `passkey` is a browser's answer as JSON, `bound_to` what the challenge was bound to.
    """

    password: str = ""
    code: str = ""
    passkey: str = ""
    bound_to: str = ""

    def __repr__(self) -> str:
        return f"Factors({self.kind})"

    @property
    def kind(self) -> str:
        """What the second factor was, for the logs."""
        if self.passkey:
            return "passkey and password" if self.password else "passkey"
        return "recovery" if recovery.normalise(self.code) else "totp"


@dataclass(frozen=True, slots=True)
class _Visit:
    """Who tries, when, and for what."""

    by: Visitor
    now: datetime
    purpose: str

    def note(self, tx: Transaction, kind: Kind, detail: str = "") -> None:
        door_log.add(tx, kind, now=self.now, by=self.by, detail=detail)

    def kept(self, tx: Transaction, opened: Opened) -> Opened:
        """Return an opened vault that opens what is sealed from now on, too."""
        kept, was_exchanged = vault_keys.keep_sealing(tx, opened, now=self.now)
        if was_exchanged:
            log.error("the key that seals messages had been exchanged in the database")
            self.note(tx, Kind.VAULT_EXCHANGED)
            jobs.add(tx, "seal", "", due_at=self.now)  # what came while there was none
        return kept

    def failed(self, tx: Transaction) -> None:
        door_log.add_failure(tx, now=self.now, by=self.by)


async def attempt(
    door: Door,
    factors: Factors,
    *,
    by: Visitor,
    now: datetime,
    replaces: int | None = None,
    device: str = "",
) -> SignIn:
    """Log the owner in and return the new session, whose token is for a cookie.

    A code is the six digits of the app, or a recovery code; either is good for one login. The
    session `replaces` (that of the same browser, if there is one) ends with it. By `device`, what
    its last login gave it, the browser is recognised.

    Raises: WrongCredentials, with the same words and after the same work whatever was wrong;
        TooBusy if this address, or everybody, has to wait; InvalidInput if the password is too
        long to be one.
    """
    token = tokens.new()
    visit = _Visit(by, now, "login")

    def enter(tx: Transaction, opened: Opened | None) -> SignIn:
        if replaces is not None:
            sessions.end(tx, replaces)
        session_id = begin_session(tx, token, by=by, now=now)
        visit.note(tx, Kind.SIGN_IN, factors.kind)
        if opened is not None:
            visit.note(tx, Kind.VAULT_OPENED)
        new_device, strange = recognise(tx, device, by=by, now=now)
        if strange is not None:
            visit.note(tx, strange)
        return SignIn(token, session_id, opened, new_device)

    entered = await _prove(door, factors, visit, then=enter)
    log.info("logged in address=%s factor=%s", by.address, factors.kind)
    return entered


def begin_session(tx: Transaction, token: str, *, by: Visitor, now: datetime) -> int:
    """Begin the session of a token; return its number. Ask who it is first."""
    return sessions.create(
        tx, tokens.hash_of(token), by=by, now=now, expires_at=now + sessions.ABSOLUTE
    )


def recognise(
    tx: Transaction, device: str, *, by: Visitor, now: datetime
) -> tuple[str, Kind | None]:
    """Recognise a browser and a network from now on.

    Return what the browser is given in place of `device`, and what was strange: that the browser
    was never here, or that a known one comes from another network; None if neither.
    """
    new = tokens.new()
    knew_browser = recognised.swap(tx, tokens.hash_of(device), tokens.hash_of(new), now)
    knew_network = recognised.seen(tx, throttle.neighbourhood_of(by.address), now)
    if not knew_browser:
        return new, Kind.NEW_BROWSER
    return new, None if knew_network else Kind.NEW_NETWORK


async def confirm(door: Door, factors: Factors, *, by: Visitor, now: datetime) -> Opened | None:
    """Ask whoever is logged in who they are once more, before something that matters.

    Return the message vault, if what was brought opens it.

    Raises: as `attempt`.
    """
    visit = _Visit(by, now, "confirm")

    def opened(tx: Transaction, opened: Opened | None) -> Opened | None:
        return opened

    found = await _prove(door, factors, visit, then=opened)
    log.info("confirmed address=%s factor=%s", by.address, factors.kind)
    return found


async def open_vault(door: Door, factors: Factors, *, by: Visitor, now: datetime) -> Opened:
    """Open the message vault for somebody who is logged in: by the password, or a passkey alone.

    Raises: WrongCredentials if it does not open it; TooBusy; InvalidInput.
    """
    visit = _Visit(by, now, "confirm")
    await _admit(door, visit)
    proof = device = None
    if factors.passkey:
        device = await _device(door, factors, visit)
    else:
        stored = await door.db.read(credentials.password_hash)
        proof = await passwords.verify(factors.password, stored)

    def change(tx: Transaction) -> Opened | None:
        opened = None
        if device is None or passkey_storage.used(
            tx, device.passkey, uses=device.proof.uses, now=now
        ):
            opened = _vault(tx, proof, None, device, visit)
        if opened is None:
            visit.failed(tx)
        else:
            visit.note(tx, Kind.VAULT_OPENED)
        return opened

    opened = await door.db.write(change)
    if opened is None:
        log.warning("the vault was not opened address=%s", by.address)
        raise WrongCredentials("", "This does not open your messages.")
    door.slowed.forgive(by.address)  # half a proof: wrong codes are not forgotten for it
    return opened


async def _admit(door: Door, visit: _Visit) -> _Known:
    """Return what a try is compared with. Raises: TooBusy if there were too many."""
    known = await door.db.read(lambda reader: _known(reader, visit.by.address))
    wait = door.slowed.admit(visit.by.address, visit.now, is_familiar=known.is_familiar)
    if wait is not None:
        seconds = math.ceil(wait.total_seconds())
        log.warning("login slowed address=%s wait_s=%d", visit.by.address, seconds)
        raise TooBusy(
            "There were too many tries. Please wait %(time)s.",
            time=words.duration(seconds),
            retry_after_s=seconds,
        )
    return known


async def _prove(
    door: Door,
    factors: Factors,
    visit: _Visit,
    *,
    then: Callable[[Transaction, Opened | None], T],
) -> T:
    """Check both factors, use the second one up, and do `then`, in one transaction."""
    now, address = visit.now, visit.by.address
    passwords.normalised(factors.password)  # what is too long is said before anything is counted
    known = await _admit(door, visit)

    def failed(tx: Transaction) -> None:
        if known.password_hash is not None:
            visit.failed(tx)

    is_alone = bool(factors.passkey) and not factors.password
    proof = None if is_alone else await passwords.verify(factors.password, known.password_hash)
    # Worked out and looked up for a wrong password too: it takes the same time.
    device = await _device(door, factors, visit) if factors.passkey else None
    typed = "" if factors.passkey else "".join(factors.code.split())
    step = totp.accepted_step(known.totp_secret or totp.new_secret(), typed, now)
    recovery_code = recovery.normalise(typed)
    if (proof is None and not is_alone) or (factors.passkey and device is None):
        await door.db.write(failed)
        log.warning("login failed address=%s", address)
        raise WrongCredentials("", WRONG)
    renewed: passwords.Halves | None = None
    if proof is not None and (
        proof.vault_key is None or passwords.needs_rehash(known.password_hash or "")
    ):
        renewed = await passwords.hash_password(factors.password)

    def change(tx: Transaction) -> tuple[T] | None:
        if credentials.password_hash(tx) != known.password_hash:
            return None  # changed while we were hashing
        if device is not None:
            used = passkey_storage.used(tx, device.passkey, uses=device.proof.uses, now=now)
        elif step is not None:
            used = credentials.use_totp_step(tx, step)
        elif recovery_code is not None:
            used = credentials.use_recovery_code(tx, recovery.hash_of(recovery_code))
            if used:
                visit.note(tx, Kind.RECOVERY_CODE_USED)
        else:
            used = False
        if not used:
            failed(tx)
            return None
        return (then(tx, _vault(tx, proof, renewed, device, visit)),)

    done = await door.db.write(change)
    if done is None:
        if recovery_code is None:  # which nobody guesses
            door.slowed.wrong_code(now)
        log.warning("login failed after the right password address=%s", address)
        raise WrongCredentials("", WRONG)
    door.slowed.succeeded(address, now)
    return done[0]


@dataclass(frozen=True, slots=True)
class _Device:
    """A passkey that answered rightly."""

    passkey: Passkey
    proof: passkeys.Proof


async def _device(door: Door, factors: Factors, visit: _Visit) -> _Device | None:
    """Return the passkey that answered, None if none of ours did."""
    try:
        credential = passkeys.credential_of(factors.passkey)

        def question(reader: Reader) -> tuple[Passkey | None, bytes | None]:
            found = passkey_storage.by_credential(reader, credential)
            return found, passkey_storage.user_known(reader)

        passkey, user = await door.db.read(question)
        if passkey is None:
            return None
        proof = passkeys.proven(
            door.config,
            door.challenges,
            factors.passkey,
            passkey,
            purpose=visit.purpose,
            bound_to=factors.bound_to,
            user=user,
            now=visit.now,
        )
    except InvalidInput:
        return None
    return _Device(passkey, proof)


def _vault(
    tx: Transaction,
    proof: passwords.Proof | None,
    renewed: passwords.Halves | None,
    device: _Device | None,
    visit: _Visit,
) -> Opened | None:
    """Return the message vault as far as what was brought opens it, and note new ways to it."""
    opened = None
    if proof is not None:
        if renewed is not None:
            _renew(tx, proof, renewed, visit)
        vault_key = renewed.vault_key if renewed is not None else proof.vault_key
        if vault_key is not None:
            opened = _opened(tx, vault_key, visit)
    if device is None or device.proof.vault_key is None:
        return opened
    holder = device.passkey.credential.hex()
    if opened is not None:  # both were brought: from now on the passkey opens it too
        vault_keys.let_in(
            tx, opened, "passkey", device.proof.vault_key, holder=holder, now=visit.now
        )
        return opened
    try:
        opened = vault_keys.open_by(tx, "passkey", device.proof.vault_key, holder=holder)
    except WrongCredentials:
        return None
    return visit.kept(tx, opened)


def _renew(
    tx: Transaction, proof: passwords.Proof, renewed: passwords.Halves, visit: _Visit
) -> None:
    """Keep a hash made in today's way, and let it open what the old one opened."""
    credentials.set_password_hash(tx, renewed.stored)
    opened = None if proof.vault_key is None else _opened(tx, proof.vault_key, visit)
    if opened is not None:
        vault_keys.let_in(tx, opened, "password", renewed.vault_key, now=visit.now)


def _opened(tx: Transaction, vault_key: bytes, visit: _Visit) -> Opened | None:
    """Return the vault that sealed last, if the password opens it; the first one is made here.

    An older database has none, and its owner is here now with the password.
    """
    try:
        opened = vault_keys.open_by(tx, "password", vault_key)
    except WrongCredentials:
        if vault_keys.current(tx) is not None:
            return None
        opened = vault_keys.create(tx, now=visit.now)
        vault_keys.let_in(tx, opened, "password", vault_key, now=visit.now)
        credentials.renew_recovery_codes(tx)
        visit.note(tx, Kind.VAULT_KEY)
        jobs.add(tx, "seal", "", due_at=visit.now)
    return visit.kept(tx, opened)


def _known(reader: Reader, address: str) -> _Known:
    ours = throttle.network_of(address)
    return _Known(
        credentials.password_hash(reader),
        credentials.totp_secret(reader),
        any(throttle.network_of(session.address) == ours for session in sessions.all(reader)),
    )
