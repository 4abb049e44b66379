"""What an owner gets once and is shown once: second factor, recovery codes, recovery key, vault."""

from dataclasses import dataclass, field
from datetime import datetime

from microfedi.account import passwords, recovery, recovery_key, totp
from microfedi.config import Config
from microfedi.storage import vault_keys
from microfedi.storage.database import Transaction
from microfedi.storage.vault_keys import Opened


@dataclass(frozen=True, slots=True)
class Factors:
    """Fresh secrets, to be shown once. `recovery_key` is that of the message vault."""

    totp_secret: str = field(repr=False)
    recovery_codes: tuple[str, ...] = field(repr=False)
    recovery_key: str = field(repr=False)


def factors() -> Factors:
    """Return a new TOTP secret, recovery codes and recovery key, kept nowhere yet."""
    return Factors(totp.new_secret(), recovery.new_codes(), recovery_key.new())


def vault(tx: Transaction, hashed: passwords.Halves, factors: Factors, now: datetime) -> Opened:
    """Make a message vault that the password and the recovery key open."""
    opened = vault_keys.create(tx, now=now)
    vault_keys.let_in(tx, opened, "password", hashed.vault_key, now=now)
    vault_keys.let_in(tx, opened, "recovery", recovery_key.key_of(factors.recovery_key), now=now)
    return opened


def uri(config: Config, factors: Factors, handle: str) -> str:
    """Return what the authenticator app reads: whose secret, and where it is good."""
    label = f"{handle}@{config.domain}" if handle else config.domain
    return totp.provisioning_uri(factors.totp_secret, handle=label, host=config.host)


def own_words(config: Config, handle: str) -> tuple[str, ...]:
    """Return words that a password must not be made of."""
    return (handle, config.host.partition(":")[0], config.domain.partition(":")[0])
