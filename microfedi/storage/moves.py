"""Who moved where, and when: nobody moves every day."""

from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction


@dataclass(frozen=True, slots=True)
class Moved:
    """The last move of somebody."""

    target_uri: str
    moved_at: datetime


def put(tx: Transaction, actor_id: int, target_uri: str, now: datetime) -> None:
    """Remember a move in place of the one before."""
    tx.run(
        """
        INSERT INTO moves (actor_id, target_uri, moved_at)
        VALUES (:actor_id, :target_uri, :now)
        ON CONFLICT (actor_id) DO UPDATE
           SET target_uri = excluded.target_uri, moved_at = excluded.moved_at
        """,
        {"actor_id": actor_id, "target_uri": target_uri, "now": instants.to_text(now)},
    )


def last(reader: Reader, actor_id: int) -> Moved | None:
    """Return somebody's last move."""
    row = reader.one(
        "SELECT target_uri, moved_at FROM moves WHERE actor_id = :id", {"id": actor_id}
    )
    if row is None:
        return None
    return Moved(row["target_uri"], instants.from_text(row["moved_at"]))
