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
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from microfedi import config as config_module
from microfedi import words
from microfedi.account import fresh, passwords, recovery, tokens, totp
from microfedi.account.fresh import Factors
from microfedi.config import Config
from microfedi.errors import ConfigError, InvalidInput, NotFound
from microfedi.protocol import keys, sanitize
from microfedi.protocol.sanitize import SafeHtml
from microfedi.storage import (
    actors,
    credentials,
    instance,
    owner,
)
from microfedi.storage.database import Database, Reader, Transaction
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
class Pending:
    """What the setup form shows. `sealed` goes into a hidden field and comes back with it."""

    factors: Factors
    totp_uri: str = field(repr=False)
    qr: SafeHtml = field(repr=False)
    sealed: str


@dataclass(frozen=True, slots=True)
class NewOwner:
    """The owner, made, with what only they shall know, and their message vault, still open."""

    owner: Owner
    totp_uri: str = field(repr=False)
    factors: Factors
    opened: Opened


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
    return _pending(sealer, config, token, fresh.factors(), handle)


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
    chosen = factors or fresh.factors()
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
        return made, fresh.vault(tx, hashed, chosen, now)

    made, opened = await db.write(make)
    return NewOwner(made, fresh.uri(config, chosen, handle), chosen, opened)


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
        passwords.check(password, own_words=fresh.own_words(config, handle))
    except InvalidInput as problem:
        problems["password"] = words.of(problem)
    return problems


def _bad_handle(message: str) -> InvalidInput:
    return InvalidInput("handle", "It %(what)s.", what=words.gettext(message))


def _new_keys() -> tuple[str, str]:
    return keys.generate_rsa(), keys.generate_ed25519()


def _pending(sealer: Sealer, config: Config, token: str, factors: Factors, handle: str) -> Pending:
    plain = json.dumps([factors.totp_secret, factors.recovery_codes, factors.recovery_key]).encode()
    sealed = sealer.seal("setup", plain, bound_to=tokens.hash_of(token).hex())
    uri = fresh.uri(config, factors, handle or config.handle)
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
