"""The owner's passkeys: public keys of authenticators, by name.

The keys are sealed, though they are no secret: who can write the database alone lets nobody in.
"""

import os
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction

MAX_PASSKEYS = 20  # phones, computers and keys of one person, with room
MAX_NAME_CHARS = 60
_PURPOSE = "passkey"
_USER_BYTES = 32  # WebAuthn 14.6.1: random, nothing of the person


@dataclass(frozen=True, slots=True)
class Passkey:
    """One of them. `has_prf`: it can open the message vault.

    `public_key` is empty, and fits nothing, if it was put into the database by somebody else.
    """

    id: int
    credential: bytes
    public_key: bytes
    uses: int
    name: str
    has_prf: bool
    created_at: datetime
    last_used_at: datetime | None


def user_handle(tx: Transaction) -> bytes:
    """Return the random name by which authenticators know the owner, made at first use."""
    tx.run(
        "UPDATE owner SET passkey_user = :fresh WHERE passkey_user IS NULL",
        {"fresh": os.urandom(_USER_BYTES)},
    )
    handle: bytes = tx.value("SELECT passkey_user FROM owner")
    return handle


def user_known(reader: Reader) -> bytes | None:
    """Return the random name by which authenticators know the owner; None if none was told."""
    handle: bytes | None = reader.value("SELECT passkey_user FROM owner")
    return handle


def all(reader: Reader) -> list[Passkey]:
    """Return every passkey, the oldest first."""
    rows = reader.all("SELECT * FROM passkeys ORDER BY id")
    return [_from_row(reader, row) for row in rows]


def by_credential(reader: Reader, credential: bytes) -> Passkey | None:
    """Return the passkey with this credential id."""
    row = reader.one(
        "SELECT * FROM passkeys WHERE credential = :credential", {"credential": credential}
    )
    return None if row is None else _from_row(reader, row)


def add(
    tx: Transaction,
    *,
    credential: bytes,
    public_key: bytes,
    uses: int,
    name: str,
    has_prf: bool,
    now: datetime,
) -> int | None:
    """Keep a passkey; return its row id, None if it is known or there are too many."""
    if tx.value("SELECT count(*) FROM passkeys") >= MAX_PASSKEYS:
        return None
    row = tx.one(
        """
        INSERT INTO passkeys (credential, public_key_sealed, uses, name, has_prf, created_at)
        VALUES (:credential, :public_key, :uses, :name, :has_prf, :now)
        ON CONFLICT (credential) DO NOTHING
        RETURNING id
        """,
        {
            "credential": credential,
            "public_key": tx.sealer.seal(_PURPOSE, public_key, bound_to=credential.hex()),
            "uses": uses,
            "name": name[:MAX_NAME_CHARS],
            "has_prf": has_prf,
            "now": instants.to_text(now),
        },
    )
    return None if row is None else int(row["id"])


def used(tx: Transaction, passkey: Passkey, *, uses: int, now: datetime) -> bool:
    """Note a login; False if the count does not go up, as that of a copy would not.

    Source: WebAuthn 7.2, step 22; authenticators that do not count say 0 for ever.
    """
    return (
        tx.run(
            """
            UPDATE passkeys
               SET uses = :uses, last_used_at = :now
             WHERE id = :id
               AND (uses < :uses OR (uses = 0 AND :uses = 0))
            """,
            {"id": passkey.id, "uses": uses, "now": instants.to_text(now)},
        )
        == 1
    )


def rename(tx: Transaction, passkey_id: int, name: str) -> bool:
    """Call it something else; False if it is not there."""
    return (
        tx.run(
            "UPDATE passkeys SET name = :name WHERE id = :id",
            {"name": name[:MAX_NAME_CHARS], "id": passkey_id},
        )
        == 1
    )


def remove(tx: Transaction, passkey_id: int) -> Passkey | None:
    """Forget one; return what it was."""
    row = tx.one("DELETE FROM passkeys WHERE id = :id RETURNING *", {"id": passkey_id})
    return None if row is None else _from_row(tx, row)


def _from_row(reader: Reader, row: sqlite3.Row) -> Passkey:
    credential, last = row["credential"], row["last_used_at"]
    try:
        public_key = reader.sealer.open(
            _PURPOSE, row["public_key_sealed"], bound_to=credential.hex()
        )
    except ValueError:
        public_key = b""
    return Passkey(
        row["id"],
        credential,
        public_key,
        row["uses"],
        row["name"],
        bool(row["has_prf"]),
        instants.from_text(row["created_at"]),
        None if last is None else instants.from_text(last),
    )
