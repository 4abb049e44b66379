"""What the owner asked for and cannot be undone: it waits for a day, and can be cancelled."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction

Kind = Literal["delete", "move"]

# Time for the owner to see the alert and the banner, wherever they are; a thief has to wait too.
DELAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Act:
    """One of them. `detail` is where to, of a move."""

    kind: Kind
    detail: str
    asked_at: datetime
    due_at: datetime


def ask(tx: Transaction, kind: Kind, detail: str, *, now: datetime) -> Act | None:
    """Write down what is to be done in a day; None if that waits already, and goes on waiting."""
    act = Act(kind, detail, now, now + DELAY)
    added = tx.run(
        """
        INSERT INTO pending_acts (kind, detail, asked_at, due_at)
        VALUES (:kind, :detail, :asked_at, :due_at)
        ON CONFLICT (kind) DO NOTHING
        """,
        {
            "kind": kind,
            "detail": detail,
            "asked_at": instants.to_text(act.asked_at),
            "due_at": instants.to_text(act.due_at),
        },
    )
    return act if added else None


def waiting(reader: Reader) -> list[Act]:
    """Return what waits, the first to be done first."""
    rows = reader.all("SELECT kind, detail, asked_at, due_at FROM pending_acts ORDER BY due_at")
    return [
        Act(
            row["kind"],
            row["detail"],
            instants.from_text(row["asked_at"]),
            instants.from_text(row["due_at"]),
        )
        for row in rows
    ]


def take(tx: Transaction, kind: str, *, now: datetime) -> Act | None:
    """Take what is due off the list, to be done now; None if it was cancelled, or is too early."""
    act = next((one for one in waiting(tx) if one.kind == kind), None)
    if act is None or act.due_at > now:
        return None
    return act if cancel(tx, kind) else None


def cancel(tx: Transaction, kind: str) -> bool:
    """Take something off the list; False if it was not there (any more)."""
    return tx.run("DELETE FROM pending_acts WHERE kind = :kind", {"kind": kind}) == 1
