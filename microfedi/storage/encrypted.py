"""End-to-end encrypted objects (MLS), byte for byte as they arrived. Nothing of them is read.

Whoever holds the keys needs each of them: a lost one breaks what comes after it. So they are kept
until their sender or the owner deletes them.
"""

from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction

MAX_OF_ONE = 5000  # objects of one sender: a busy group for months, and not the whole disk
# Bytes. A message has one kB, a welcome into a large group some hundred.
MAX_BYTES_OF_ONE = 16 * 1024 * 1024
MAX_BYTES_OF_STRANGERS = 64 * 1024 * 1024  # of all whom the owner does not follow, together


@dataclass(frozen=True, slots=True)
class Pile:
    """How many encrypted objects came from somebody, and when the last one did."""

    actor_id: int
    count: int
    last_at: datetime


def keep(
    tx: Transaction, uri: str, *, actor_id: int, kind: str, body: bytes, now: datetime
) -> bool:
    """Keep an object as it arrived; False if it was there, or there is no more room for its sender.

    Strangers share a part of the disk, so that not everybody who makes up people can fill it.

    `body` is the whole activity.
    """
    key = _key(tx, uri)
    added = tx.run(
        """
        INSERT INTO encrypted_objects (uri_key, actor_id, type, body_sealed, received_at)
        SELECT :key, :actor_id, :type, :body, :now
         WHERE (SELECT count(*) < :most
                   AND total(length(body_sealed)) + length(:body) <= :most_bytes
                  FROM encrypted_objects
                 WHERE actor_id = :actor_id)
           AND (EXISTS (SELECT 1 FROM following WHERE actor_id = :actor_id)
                OR (SELECT total(length(body_sealed)) + length(:body) <= :most_of_strangers
                      FROM encrypted_objects
                     WHERE actor_id NOT IN (SELECT actor_id FROM following)))
        ON CONFLICT (uri_key) DO NOTHING
        """,
        {
            "key": key,
            "actor_id": actor_id,
            "type": kind,
            "body": tx.sealer.seal("received", body, bound_to=f"encrypted {key.hex()}"),
            "now": instants.to_text(now),
            "most": MAX_OF_ONE,
            "most_bytes": MAX_BYTES_OF_ONE,
            "most_of_strangers": MAX_BYTES_OF_STRANGERS,
        },
    )
    return added > 0


def body(reader: Reader, uri: str) -> bytes | None:
    """Return an object as it arrived."""
    key = _key(reader, uri)
    sealed = reader.value(
        "SELECT body_sealed FROM encrypted_objects WHERE uri_key = :key", {"key": key}
    )
    if sealed is None:
        return None
    return reader.sealer.open("received", sealed, bound_to=f"encrypted {key.hex()}")


def delete(tx: Transaction, uri: str, actor_id: int) -> bool:
    """Remove an object of `actor_id`'s; False if it is not there or somebody else's."""
    return (
        tx.run(
            "DELETE FROM encrypted_objects WHERE uri_key = :key AND actor_id = :actor_id",
            {"key": _key(tx, uri), "actor_id": actor_id},
        )
        > 0
    )


def has(reader: Reader, uri: str) -> bool:
    """Whether an object is kept."""
    return bool(
        reader.value(
            "SELECT EXISTS (SELECT 1 FROM encrypted_objects WHERE uri_key = :key)",
            {"key": _key(reader, uri)},
        )
    )


def delete_of(tx: Transaction, actor_id: int) -> int:
    """Remove everything that came from somebody; return how much it was."""
    return tx.run("DELETE FROM encrypted_objects WHERE actor_id = :id", {"id": actor_id})


def piles(reader: Reader, *, limit: int) -> list[Pile]:
    """Return from whom there is something, the latest first."""
    rows = reader.all(
        """
        SELECT actor_id, count(*) AS many, max(received_at) AS last_at
          FROM encrypted_objects
         GROUP BY actor_id
         ORDER BY last_at DESC
         LIMIT :limit
        """,
        {"limit": limit},
    )
    return [Pile(row["actor_id"], row["many"], instants.from_text(row["last_at"])) for row in rows]


def _key(reader: Reader, uri: str) -> bytes:
    return reader.sealer.lookup_key("received", f"encrypted {uri}")
