"""Likes, both ways: the owner's of anything, and others' of the owner's posts."""

from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction


@dataclass(frozen=True, slots=True)
class Like:
    """`actor_id` likes `note_id`; `uri` is the Like activity, which an Undo names."""

    note_id: int
    actor_id: int
    uri: str


def add(tx: Transaction, note_id: int, actor_id: int, uri: str, now: datetime) -> bool:
    """Keep a like and count it; False if that actor likes the note already, or `uri` is taken."""
    added = tx.run(
        """
        INSERT INTO likes (note_id, actor_id, uri, created_at)
        VALUES (:note_id, :actor_id, :uri, :created_at)
        ON CONFLICT DO NOTHING
        """,
        {
            "note_id": note_id,
            "actor_id": actor_id,
            "uri": uri,
            "created_at": instants.to_text(now),
        },
    )
    if added:
        tx.run("UPDATE notes SET likes = likes + 1 WHERE id = :id", {"id": note_id})
    return added > 0


def remove(tx: Transaction, note_id: int, actor_id: int) -> bool:
    """Take a like back; False if there was none."""
    removed = tx.run(
        "DELETE FROM likes WHERE note_id = :note_id AND actor_id = :actor_id",
        {"note_id": note_id, "actor_id": actor_id},
    )
    if removed:
        tx.run("UPDATE notes SET likes = max(0, likes - 1) WHERE id = :id", {"id": note_id})
    return removed > 0


def by_uri(reader: Reader, uri: str) -> Like | None:
    """Return the like whose activity is `uri`."""
    row = reader.one("SELECT note_id, actor_id, uri FROM likes WHERE uri = :uri", {"uri": uri})
    return None if row is None else Like(**row)


def of(reader: Reader, note_id: int, actor_id: int) -> Like | None:
    """Return somebody's like of a note."""
    row = reader.one(
        """
        SELECT note_id, actor_id, uri
          FROM likes
         WHERE note_id = :note_id
           AND actor_id = :actor_id
        """,
        {"note_id": note_id, "actor_id": actor_id},
    )
    return None if row is None else Like(**row)


def liked_page(
    reader: Reader, actor_id: int, *, before_id: int | None = None, limit: int
) -> list[int]:
    """Return the row ids of notes that somebody likes, the newest notes first."""
    rows = reader.all(
        """
        SELECT note_id
          FROM likes
         WHERE actor_id = :actor_id
           AND note_id < coalesce(:before_id, 9223372036854775807)
         ORDER BY note_id DESC
         LIMIT :limit
        """,
        {"actor_id": actor_id, "before_id": before_id, "limit": limit},
    )
    return [row["note_id"] for row in rows]


def likers(reader: Reader, note_id: int, *, limit: int) -> list[int]:
    """Return the row ids of those who like a note, the first ones first."""
    rows = reader.all(
        """
        SELECT actor_id
          FROM likes
         WHERE note_id = :note_id
         ORDER BY created_at, actor_id
         LIMIT :limit
        """,
        {"note_id": note_id, "limit": limit},
    )
    return [row["actor_id"] for row in rows]
