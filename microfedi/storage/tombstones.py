"""What was deleted, by its id: so that what comes late does not bring it back."""

from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Something that was deleted; `was_public` if it was ours and open to everybody."""

    was_public: bool


def bury(tx: Transaction, uri: str, now: datetime, *, was_public: bool = False) -> None:
    """Remember that `uri` was deleted, though we may never have had it."""
    tx.run(
        """
        INSERT INTO tombstones (uri, deleted_at, was_public)
        VALUES (:uri, :deleted_at, :was_public)
        ON CONFLICT (uri) DO NOTHING
        """,
        {"uri": uri, "deleted_at": instants.to_text(now), "was_public": was_public},
    )


def of(reader: Reader, uri: str) -> Tombstone | None:
    """Return what is known of a deleted `uri`, None if nothing was."""
    row = reader.one("SELECT was_public FROM tombstones WHERE uri = :uri", {"uri": uri})
    return None if row is None else Tombstone(bool(row["was_public"]))
