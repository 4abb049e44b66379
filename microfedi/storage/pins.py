"""What people pinned to their profiles, ours and others, in their order."""

from collections.abc import Sequence

from microfedi.storage import notes
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.notes import Note


def add(tx: Transaction, note_id: int) -> None:
    """Put a note after those that its author has pinned already; nothing happens if it is there."""
    tx.run(
        """
        INSERT INTO pinned (actor_id, note_id, position)
        SELECT actor_id, id,
               (SELECT coalesce(max(position), 0) + 1
                  FROM pinned WHERE pinned.actor_id = notes.actor_id)
          FROM notes
         WHERE id = :id
        ON CONFLICT (actor_id, note_id) DO NOTHING
        """,
        {"id": note_id},
    )


def remove(tx: Transaction, note_id: int) -> bool:
    """Take a note off its author's pinned ones; False if it was not there."""
    return tx.run("DELETE FROM pinned WHERE note_id = :id", {"id": note_id}) > 0


def of(reader: Reader, actor_id: int) -> list[Note]:
    """Return what somebody has pinned."""
    rows = reader.all(
        "SELECT note_id FROM pinned WHERE actor_id = :actor_id ORDER BY position",
        {"actor_id": actor_id},
    )
    found = notes.by_ids(reader, [row["note_id"] for row in rows])
    return [found[row["note_id"]] for row in rows]


def replace(tx: Transaction, actor_id: int, note_ids: Sequence[int]) -> None:
    """Replace what somebody has pinned; notes of others among them are left out."""
    tx.run("DELETE FROM pinned WHERE actor_id = :actor_id", {"actor_id": actor_id})
    tx.run_many(
        """
        INSERT INTO pinned (actor_id, note_id, position)
        SELECT actor_id, id, :position
          FROM notes
         WHERE id = :note_id
           AND actor_id = :actor_id
        ON CONFLICT (actor_id, note_id) DO NOTHING
        """,
        [
            {"actor_id": actor_id, "note_id": note_id, "position": position}
            for position, note_id in enumerate(note_ids)
        ],
    )
