"""How a directory gets its owner: a one-time link, one form, one transaction.

The link's token is the right to set up. Opening the link changes nothing, so a preview of it does
no harm; finishing makes it worthless, in the same transaction that makes the owner. What the form
shows before it is finished (TOTP secret, recovery codes) is kept nowhere: it travels in the form,
sealed and bound to that link.
"""

import asyncio
import base64
import binascii
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from microfedi import config as config_module
from microfedi import words
from microfedi.account import passwords, recovery, recovery_key, tokens, totp
from microfedi.config import Config
from microfedi.errors import ConfigError, InvalidInput, NotFound, WrongCredentials
from microfedi.protocol import keys, sanitize
from microfedi.protocol.sanitize import SafeHtml
from microfedi.storage import (
    actors,
    credentials,
    door_log,
    instance,
    owner,
    passkeys,
    pending_acts,
    recognised,
    sessions,
    vault_keys,
)
from microfedi.storage.database import Database, Reader, Transaction
from microfedi.storage.door_log import Visitor
from microfedi.storage.instance import Instance
from microfedi.storage.owner import Owner
from microfedi.storage.sealed import Sealer
from microfedi.storage.vault_keys import Opened

LINK_FOR = timedelta(hours=1)  # time enough to find the phone, and not to be found in a log
MAX_PENDING_CHARS = 4096  # of the sealed part of the form; ours has about 400


class SetupProblems(InvalidInput):
    """Everything that is to be corrected in the form: field -> message."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(*next(iter(problems.items())))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Factors:
    """Fresh secrets, to be shown once. `recovery_key` is that of the message vault."""

    totp_secret: str
    recovery_codes: tuple[str, ...]
    recovery_key: str


@dataclass(frozen=True, slots=True)
class Pending:
    """What the setup form shows. `sealed` goes into a hidden field and comes back with it."""

    factors: Factors
    totp_uri: str
    qr: SafeHtml
    sealed: str


@dataclass(frozen=True, slots=True)
class NewOwner:
    """The owner, made, with what only they shall know, and their message vault, still open."""

    owner: Owner
    totp_uri: str
    factors: Factors
    opened: Opened


@dataclass(frozen=True, slots=True)
class NewFactors:
    """What `owner reset` prints."""

    totp_uri: str
    factors: Factors


def fresh_factors() -> Factors:
    """Return a new TOTP secret, recovery codes and recovery key, kept nowhere yet."""
    return Factors(totp.new_secret(), recovery.new_codes(), recovery_key.new())


# --- the directory


async def ensure_instance(db: Database, config: Config, now: datetime) -> Instance:
    """Make this directory one for the configured address; later, see that it still is.

    Raises: ConfigError if it was made for another address: it would be another person to everybody.
    """
    known = await db.read(instance.load)
    if known is None:
        pem = await asyncio.to_thread(keys.generate_rsa)

        def make(tx: Transaction) -> Instance:
            return instance.load(tx) or instance.create(
                tx,
                base_url=config.base_url,
                handle_domain=config.domain,
                rsa_pem=pem,
                now=now,
            )

        known = await db.write(make)
    for setting, kept, wanted in (
        ("base_url", known.base_url, config.base_url),
        ("handle_domain", known.handle_domain, config.domain),
    ):
        if kept != wanted:
            raise ConfigError(
                f"{config.data_dir} was made for {setting} {kept}, and the settings now say "
                f"{wanted}. It can never change: set it back or, to start anew, set base_url and a "
                "new, empty data_dir in config.toml"
            )
    return known


# --- the link


async def new_link(db: Database, config: Config, now: datetime) -> str:
    """Return a fresh setup link, good for an hour and once; one before is worthless.

    Raises: ConfigError if there is an owner already.
    """
    token = tokens.new()

    def change(tx: Transaction) -> None:
        if owner.load(tx) is not None:
            raise ConfigError("this server has its owner already; to get back in: owner reset")
        instance.set_setup_token(tx, tokens.hash_of(token), now + LINK_FOR)

    await db.write(change)
    return f"{config.base_url}/setup/{token}"


def is_open(reader: Reader, token: str, now: datetime) -> bool:
    """True if this token may set up the server: the last one made, within its hour, no owner."""
    kept = instance.setup_token(reader)
    if kept is None or has_owner(reader):
        return False
    token_hash, expires_at = kept
    return hmac.compare_digest(token_hash, tokens.hash_of(token)) and now < expires_at


def has_owner(reader: Reader) -> bool:
    """True once setup was finished."""
    return credentials.password_hash(reader) is not None


# --- the form


def begin(sealer: Sealer, config: Config, *, token: str, handle: str = "") -> Pending:
    """Return what an empty setup form shows: a secret for the app, recovery codes to write down."""
    return _pending(sealer, config, token, fresh_factors(), handle)


def again(sealer: Sealer, config: Config, *, token: str, sealed: str, handle: str = "") -> Pending:
    """Return what the form showed before, to show it once more with what is wrong.

    Raises: InvalidInput (whole form) if `sealed` is not what `begin` gave out for this link.
    """
    return _pending(sealer, config, token, _opened(sealer, token, sealed), handle)


async def finish(
    db: Database,
    config: Config,
    *,
    token: str,
    sealed: str,
    handle: str,
    name: str,
    password: str,
    code: str,
    typed_back: str,
    now: datetime,
) -> NewOwner:
    """Make the owner, if everything is right; nothing is kept otherwise.

    `code` is from the app that read the QR code, `typed_back` one of the recovery codes.

    Raises: NotFound if the link is not good (any more); SetupProblems with everything that is to
        be corrected; InvalidInput if the form does not belong to the link; TooBusy.
    """
    if not await db.read(lambda reader: is_open(reader, token, now)):
        raise NotFound("there is no such setup link")
    factors = _opened(db.sealer, token, sealed)
    step = totp.accepted_step(factors.totp_secret, "".join(code.split()), now)
    problems = _problems(config, handle=handle, name=name, password=password)
    if step is None:
        problems["code"] = words.gettext(
            "That is not the code that the app shows now. Is your phone's clock right?"
        )
    typed = recovery.normalise(typed_back)
    if typed is None or recovery.hash_of(typed) not in recovery.hashes_of(factors.recovery_codes):
        problems["typed_back"] = words.gettext(
            "Type one of the recovery codes, to be sure that you have them."
        )
    if problems or step is None:
        raise SetupProblems(problems)
    return await make_owner(
        db,
        config,
        handle=handle,
        name=name,
        password=password,
        now=now,
        factors=factors,
        totp_step=step,
        token=token,
    )


async def make_owner(
    db: Database,
    config: Config,
    *,
    handle: str,
    name: str,
    password: str,
    now: datetime,
    factors: Factors | None = None,
    totp_step: int = 0,
    token: str | None = None,
) -> NewOwner:
    """Make the owner in one transaction, which also ends every setup link.

    Without `factors` fresh ones are made: the caller shows them. With `token` it is done only if
    that link is still good at that moment. `totp_step` counts as used.

    Raises: SetupProblems; NotFound if `token` is not good any more; InvalidInput if there is an
        owner already; TooBusy.
    """
    problems = _problems(config, handle=handle, name=name, password=password)
    if problems:
        raise SetupProblems(problems)
    chosen = factors or fresh_factors()
    hashed = await passwords.hash_password(password)
    rsa_pem, ed25519_pem = await asyncio.to_thread(_new_keys)

    def make(tx: Transaction) -> tuple[Owner, Opened]:
        if token is not None and not is_open(tx, token, now):
            raise NotFound("there is no such setup link")
        made = owner.create(
            tx,
            handle=handle,
            name=sanitize.plain(name, limit=actors.MAX_NAME_CHARS),
            password_hash=hashed.stored,
            totp_secret=chosen.totp_secret,
            totp_step=totp_step,
            rsa_pem=rsa_pem,
            ed25519_pem=ed25519_pem,
            disk_budget_bytes=config.limits.disk_budget_gb * 10**9,
            recovery_hashes=recovery.hashes_of(chosen.recovery_codes),
            now=now,
        )
        instance.clear_setup_token(tx)
        return made, _new_vault(tx, hashed, chosen, now)

    made, opened = await db.write(make)
    return NewOwner(made, _uri(config, chosen, handle), chosen, opened)


def _new_vault(
    tx: Transaction, hashed: passwords.Halves, factors: Factors, now: datetime
) -> Opened:
    opened = vault_keys.create(tx, now=now)
    vault_keys.let_in(tx, opened, "password", hashed.vault_key, now=now)
    vault_keys.let_in(tx, opened, "recovery", recovery_key.key_of(factors.recovery_key), now=now)
    return opened


# --- later


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
    passwords.check(password, own_words=_own_words(config, known.handle))
    hashed = await passwords.hash_password(password)
    factors = fresh_factors()
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
            _new_vault(tx, hashed, factors, now)
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
    return NewFactors(_uri(config, factors, known.handle), factors)


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

    Raises: InvalidInput (`password`); NotFound before setup; TooBusy.
    """
    known = await db.read(owner.load)
    if known is None:
        raise NotFound("there is no owner yet")
    passwords.check(password, own_words=_own_words(config, known.handle))
    hashed = await passwords.hash_password(password)

    def change(tx: Transaction) -> None:
        # First: the browsers of the sessions that end are told, too.
        door_log.add(tx, door_log.Kind.PASSWORD, now=now, by=by)
        credentials.set_password_hash(tx, hashed.stored)
        sessions.end_all(tx, but=session_id)
        if opened is not None:
            vault_keys.let_in(tx, opened, "password", hashed.vault_key, now=now)

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


def _problems(config: Config, *, handle: str, name: str, password: str) -> dict[str, str]:
    """Return what is wrong with what the owner chose, by field; empty if nothing is."""
    problems: dict[str, str] = {}

    try:
        config_module.check_handle(handle, _bad_handle)
        if config.handle and handle != config.handle:
            raise InvalidInput(
                "handle", "The settings say that it is %(handle)s.", handle=config.handle
            )
    except InvalidInput as problem:
        problems["handle"] = words.of(problem)
    if len(name) > actors.MAX_NAME_CHARS:
        problems["name"] = words._(
            "A name has at most %(limit)s characters.", limit=actors.MAX_NAME_CHARS
        )
    try:
        passwords.check(password, own_words=_own_words(config, handle))
    except InvalidInput as problem:
        problems["password"] = words.of(problem)
    return problems


def _bad_handle(message: str) -> InvalidInput:
    return InvalidInput("handle", "It %(what)s.", what=words.gettext(message))


def _own_words(config: Config, handle: str) -> tuple[str, ...]:
    return (handle, config.host.partition(":")[0], config.domain.partition(":")[0])


def _new_keys() -> tuple[str, str]:
    return keys.generate_rsa(), keys.generate_ed25519()


def _uri(config: Config, factors: Factors, handle: str) -> str:
    label = f"{handle}@{config.domain}" if handle else config.domain
    return totp.provisioning_uri(factors.totp_secret, handle=label, host=config.host)


def _pending(sealer: Sealer, config: Config, token: str, factors: Factors, handle: str) -> Pending:
    plain = json.dumps([factors.totp_secret, factors.recovery_codes, factors.recovery_key]).encode()
    sealed = sealer.seal("setup", plain, bound_to=tokens.hash_of(token).hex())
    uri = _uri(config, factors, handle or config.handle)
    return Pending(factors, uri, totp.qr_svg(uri), base64.urlsafe_b64encode(sealed).decode("ascii"))


def _opened(sealer: Sealer, token: str, sealed: str) -> Factors:
    if len(sealed) > MAX_PENDING_CHARS:
        sealed = ""
    try:
        raw = base64.b64decode(sealed.encode(), altchars=b"-_", validate=True)
        plain = sealer.open("setup", raw, bound_to=tokens.hash_of(token).hex())
    except (ValueError, binascii.Error) as error:
        raise InvalidInput(
            "", "This form is not from this setup link. Please open the link again."
        ) from error
    totp_secret, codes, key = json.loads(plain)
    return Factors(totp_secret, tuple(codes), key)
