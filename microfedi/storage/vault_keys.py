"""The vault's keys and the ways to them, as they lie in the database: wrapped, all of them.

A way (password, recovery key, passkey) wraps the vault's master key; the master key wraps the
secret half of every key pair. So a new password, a further passkey or a new key pair is one row.
"""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from microfedi.errors import WrongCredentials
from microfedi.protocol import instants
from microfedi.storage import vault
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.vault import PublicKey, SecretKeys

Kind = Literal["password", "recovery", "passkey"]

_NUMBER_BYTES = 2

MAX_LOST_TRIED = 3  # lost vaults whose password is tried: each is a slow hash


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened vault: its master key and the secret halves by number. In memory only."""

    vault: int
    master: bytes
    secrets: Mapping[int, bytes]

    def __repr__(self) -> str:
        return f"Opened({self.vault})"

    def keys(self) -> SecretKeys:
        """Return what opens messages."""
        return SecretKeys(self.secrets)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to the vault that there is."""

    vault: int
    kind: Kind
    holder: str
    created_at: datetime


def current(reader: Reader) -> PublicKey | None:
    """Return the key that seals now; None while there is no vault."""
    row = reader.one("SELECT number, public FROM vault_keys ORDER BY number DESC LIMIT 1")
    return None if row is None else PublicKey(row["number"], row["public"])


def create(tx: Transaction, *, now: datetime) -> Opened:
    """Make a vault, beside those that there are; nobody can open it before `let_in`."""
    newest: int = tx.value(
        "SELECT max((SELECT coalesce(max(vault), 0) FROM vault_keys),"
        " (SELECT coalesce(max(vault), 0) FROM vault_ways))"
    )
    return add_key(tx, Opened(newest + 1, os.urandom(vault.KEY_BYTES), {}), now=now)


def add_key(tx: Transaction, opened: Opened, *, now: datetime) -> Opened:
    """Make a new key pair that seals from now on; the ones before open what they sealed."""
    number: int = tx.value("SELECT coalesce(max(number), 0) + 1 FROM vault_keys")
    fresh = vault.new_key(number)
    tx.run(
        """
        INSERT INTO vault_keys (number, vault, public, secret_wrapped, created_at)
        VALUES (:number, :vault, :public, :wrapped, :now)
        """,
        {
            "number": number,
            "vault": opened.vault,
            "public": fresh.public.data,
            "wrapped": _wrapped_secret(opened, number, fresh.secret),
            "now": instants.to_text(now),
        },
    )
    return Opened(opened.vault, opened.master, {**opened.secrets, number: fresh.secret})


def let_in(
    tx: Transaction, opened: Opened, kind: Kind, key: bytes, *, holder: str = "", now: datetime
) -> None:
    """Let `key` (32 bytes) open the vault from now on, instead of the one of this kind before."""
    tx.run(
        """
        INSERT INTO vault_ways (vault, kind, holder, master_wrapped, created_at)
        VALUES (:vault, :kind, :holder, :wrapped, :now)
        ON CONFLICT (vault, kind, holder)
        DO UPDATE
           SET master_wrapped = excluded.master_wrapped,
               hashed = '',
               created_at = excluded.created_at
        """,
        {
            "vault": opened.vault,
            "kind": kind,
            "holder": holder,
            "wrapped": vault.wrap(key, opened.master, bound_to=_way(opened.vault, kind, holder)),
            "now": instants.to_text(now),
        },
    )


def close_way(tx: Transaction, kind: Kind, *, holder: str = "") -> int:
    """Delete a way to the vault; return how many there were."""
    return tx.run(
        "DELETE FROM vault_ways WHERE kind = :kind AND holder = :holder",
        {"kind": kind, "holder": holder},
    )


def ways(reader: Reader) -> list[Way]:
    """Return every way there is, those of the newest vault first."""
    rows = reader.all(
        "SELECT vault, kind, holder, created_at FROM vault_ways ORDER BY vault DESC, kind, holder"
    )
    return [
        Way(row["vault"], row["kind"], row["holder"], instants.from_text(row["created_at"]))
        for row in rows
    ]


def open_by(reader: Reader, kind: Kind, key: bytes, *, holder: str = "") -> Opened:
    """Open the newest vault that `key` opens.

    Raises: WrongCredentials if it opens none.
    """
    rows = reader.all(
        """
        SELECT vault, master_wrapped
          FROM vault_ways
         WHERE kind = :kind
           AND holder = :holder
         ORDER BY vault DESC
        """,
        {"kind": kind, "holder": holder},
    )
    for row in rows:
        try:
            master = vault.unwrap(
                key, row["master_wrapped"], bound_to=_way(row["vault"], kind, holder)
            )
        except ValueError:
            continue
        return _with_secrets(reader, row["vault"], master)
    raise WrongCredentials("", "This does not open your messages.")


def keep_password(tx: Transaction, stored: str) -> None:
    """Note how the login's password was hashed, before another one takes its place for a new vault:
    if it comes back to its owner, it still opens what it opened.
    """
    tx.run(
        "UPDATE vault_ways SET hashed = :stored WHERE kind = 'password' AND hashed = ''",
        {"stored": stored},
    )


def lost_passwords(reader: Reader) -> list[str]:
    """Return how the passwords of lost vaults were hashed, of the newest ones."""
    rows = reader.all(
        """
        SELECT hashed
          FROM vault_ways
         WHERE kind = 'password'
           AND hashed != ''
         ORDER BY vault DESC
         LIMIT :most
        """,
        {"most": MAX_LOST_TRIED},
    )
    return [row["hashed"] for row in rows]


def keep_sealing(tx: Transaction, opened: Opened, *, now: datetime) -> tuple[Opened, bool]:
    """Make sure that this vault opens what is sealed from now on; True if it would not have.

    Whoever can write the database could put a public key of their own in the place of ours, or
    after it. What it sealed is lost; a fresh pair comes after it.
    """
    newest = current(tx)
    secret = None if newest is None else opened.secrets.get(newest.number)
    if newest is not None and secret is not None and vault.matches(newest, secret):
        return opened, False
    return add_key(tx, opened, now=now), True


def adopt(tx: Transaction, opened: Opened, older: Opened) -> Opened:
    """Take the keys of an older vault, opened at last, into this one; its ways are dropped."""
    for number, secret in older.secrets.items():
        tx.run(
            """
            UPDATE vault_keys
               SET vault = :vault, secret_wrapped = :wrapped
             WHERE number = :number
            """,
            {
                "vault": opened.vault,
                "wrapped": _wrapped_secret(opened, number, secret),
                "number": number,
            },
        )
    tx.run("DELETE FROM vault_ways WHERE vault = :vault", {"vault": older.vault})
    return Opened(opened.vault, opened.master, {**older.secrets, **opened.secrets})


def pack(opened: Opened, key: bytes, *, bound_to: str) -> bytes:
    """Return an opened vault as a session keeps it in memory: wrapped under the cookie's key."""
    parts = [opened.vault.to_bytes(_NUMBER_BYTES, "big"), opened.master]
    for number, secret in opened.secrets.items():
        parts += [number.to_bytes(_NUMBER_BYTES, "big"), secret]
    return vault.wrap(key, b"".join(parts), bound_to=f"session {bound_to}")


def unpack(packed: bytes, key: bytes, *, bound_to: str) -> Opened:
    """Return what was packed. Raises: ValueError if this is not the key."""
    data = vault.unwrap(key, packed, bound_to=f"session {bound_to}")
    step = _NUMBER_BYTES + vault.KEY_BYTES
    number, master = int.from_bytes(data[:_NUMBER_BYTES], "big"), data[_NUMBER_BYTES:step]
    secrets = {
        int.from_bytes(data[at : at + _NUMBER_BYTES], "big"): data[at + _NUMBER_BYTES : at + step]
        for at in range(step, len(data), step)
    }
    return Opened(number, master, secrets)


def _with_secrets(reader: Reader, vault_number: int, master: bytes) -> Opened:
    rows = reader.all(
        "SELECT number, secret_wrapped FROM vault_keys WHERE vault = :vault",
        {"vault": vault_number},
    )
    secrets: dict[int, bytes] = {}
    for row in rows:
        bound_to = f"key {vault_number} {row['number']}"
        with contextlib.suppress(ValueError):  # one that somebody put there is none of ours
            secrets[row["number"]] = vault.unwrap(master, row["secret_wrapped"], bound_to=bound_to)
    return Opened(vault_number, master, secrets)


def _wrapped_secret(opened: Opened, number: int, secret: bytes) -> bytes:
    return vault.wrap(opened.master, secret, bound_to=f"key {opened.vault} {number}")


def _way(vault_number: int, kind: str, holder: str) -> str:
    return f"way {vault_number} {kind} {holder}"
