"""What groups passed on, and what their moderators say of it. Source: FEP-1b12."""

from typing import Literal

from microfedi.storage.database import Reader, Transaction

State = Literal["shown", "hidden", "locked"]


def add(tx: Transaction, note_id: int, group_id: int) -> State:
    """Keep that a group passed a note on; return how it stands there."""
    tx.run(
        """
        INSERT INTO group_notes (note_id, group_id)
        VALUES (:note_id, :group_id)
        ON CONFLICT (note_id, group_id) DO NOTHING
        """,
        {"note_id": note_id, "group_id": group_id},
    )
    return state(tx, note_id, group_id) or "shown"


def state(reader: Reader, note_id: int, group_id: int) -> State | None:
    """Return how a note stands in a group; None if it was not passed on there."""
    found: State | None = reader.value(
        "SELECT state FROM group_notes WHERE note_id = :note_id AND group_id = :group_id",
        {"note_id": note_id, "group_id": group_id},
    )
    return found


def set_state(tx: Transaction, note_id: int, group_id: int, state: State) -> bool:
    """Keep what a group says of a note that it passed on; False if it did not."""
    return (
        tx.run(
            """
            UPDATE group_notes
               SET state = :state
             WHERE note_id = :note_id AND group_id = :group_id
            """,
            {"state": state, "note_id": note_id, "group_id": group_id},
        )
        > 0
    )


def is_locked(reader: Reader, note_id: int) -> bool:
    """Whether a group wants no more answers to a note, or to the one on top of its thread."""
    return bool(
        reader.value(
            """
            SELECT EXISTS (
                SELECT 1
                  FROM notes
                  JOIN group_notes ON group_notes.note_id IN (notes.id, notes.thread_id)
                 WHERE notes.id = :id AND group_notes.state = 'locked')
            """,
            {"id": note_id},
        )
    )
