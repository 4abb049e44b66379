"""Bookmarks: what the owner put aside. Nobody else learns of them."""

from datetime import datetime

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction


def add(tx: Transaction, note_id: int, now: datetime) -> bool:
    """Put a note aside; False if it is there already."""
    added = tx.run(
        """
        INSERT INTO bookmarks (note_id, created_at)
        VALUES (:note_id, :created_at)
        ON CONFLICT (note_id) DO NOTHING
        """,
        {"note_id": note_id, "created_at": instants.to_text(now)},
    )
    return added > 0


def remove(tx: Transaction, note_id: int) -> bool:
    """Forget a bookmark; False if there was none."""
    return tx.run("DELETE FROM bookmarks WHERE note_id = :id", {"id": note_id}) > 0


def page(reader: Reader, *, before_id: int | None = None, limit: int) -> list[int]:
    """Return the ids of bookmarked notes, the newest note first."""
    rows = reader.all(
        """
        SELECT note_id
          FROM bookmarks
         WHERE note_id < coalesce(:before_id, 9223372036854775807)
         ORDER BY note_id DESC
         LIMIT :limit
        """,
        {"before_id": before_id, "limit": limit},
    )
    return [row["note_id"] for row in rows]
