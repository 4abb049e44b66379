"""What the directory was made for, and the one-time link by which its owner comes."""

from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import instants
from microfedi.storage import signing_keys
from microfedi.storage.database import Reader, Transaction


@dataclass(frozen=True, slots=True)
class Instance:
    """What this directory was made for; none of it can change."""

    base_url: str
    handle_domain: str
    created_at: datetime


def load(reader: Reader) -> Instance | None:
    """Return what this directory was made for; None before `init`."""
    row = reader.one("SELECT base_url, handle_domain, created_at FROM instance")
    if row is None:
        return None
    created_at = instants.from_text(row["created_at"])
    return Instance(row["base_url"], row["handle_domain"], created_at)


def create(
    tx: Transaction, *, base_url: str, handle_domain: str, rsa_pem: str, now: datetime
) -> Instance:
    """Make this directory one for `base_url`, for ever.

    Raises: sqlite3.IntegrityError if it was made for one already.
    """
    tx.run(
        """
        INSERT INTO instance (id, base_url, handle_domain, rsa_key_sealed, created_at)
        VALUES (1, :base_url, :handle_domain, :rsa_key_sealed, :now)
        """,
        {
            "base_url": base_url,
            "handle_domain": handle_domain,
            "rsa_key_sealed": signing_keys.sealed(tx, rsa_pem, signing_keys.INSTANCE),
            "now": instants.to_text(now),
        },
    )
    return Instance(base_url, handle_domain, now)


# --- the one-time setup link


def set_setup_token(tx: Transaction, token_hash: bytes, expires_at: datetime) -> None:
    """Make this the setup link, and one before worthless."""
    tx.run(
        "UPDATE instance SET setup_token = :hash, setup_expires_at = :expires_at",
        {"hash": token_hash, "expires_at": instants.to_text(expires_at)},
    )


def setup_token(reader: Reader) -> tuple[bytes, datetime] | None:
    """Return the hash of the setup link's token and when it ends; None if there is none."""
    row = reader.one("SELECT setup_token, setup_expires_at FROM instance")
    if row is None or row["setup_token"] is None:
        return None
    return row["setup_token"], instants.from_text(row["setup_expires_at"])


def clear_setup_token(tx: Transaction) -> None:
    """Make the setup link worthless."""
    tx.run("UPDATE instance SET setup_token = NULL, setup_expires_at = NULL")
