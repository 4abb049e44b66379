"""What the owner asked for and cannot be undone: it waits for a day, and can be cancelled.

Each is sealed: what somebody else wrote into the database is no act, and is never done.
"""

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction

Kind = Literal["delete", "move"]

_PURPOSE = "pending act"

# Time for the owner to see the alert and the banner, wherever they are; a thief has to wait too.
DELAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Act:
    """One of them. `detail` is where to, of a move."""

    kind: Kind
    detail: str
    asked_at: datetime

    @property
    def due_at(self) -> datetime:
        """When it is done."""
        return self.asked_at + DELAY


def ask(tx: Transaction, kind: Kind, detail: str, *, now: datetime) -> Act | None:
    """Write down what is to be done in a day; None if that waits already, and goes on waiting."""
    if any(one.kind == kind for one in waiting(tx)):
        return None
    asked_at = instants.to_text(now)
    tx.run(
        """
        INSERT OR REPLACE INTO pending_acts (kind, detail_sealed, asked_at)
        VALUES (:kind, :detail, :asked_at)
        """,
        {
            "kind": kind,
            "detail": tx.sealer.seal(_PURPOSE, detail.encode(), bound_to=f"{kind} {asked_at}"),
            "asked_at": asked_at,
        },
    )
    return Act(kind, detail, now)


def waiting(reader: Reader) -> list[Act]:
    """Return what waits, the first to be done first."""
    rows = reader.all("SELECT * FROM pending_acts ORDER BY asked_at")
    found = []
    for row in rows:
        place = f"{row['kind']} {row['asked_at']}"
        with contextlib.suppress(ValueError):  # nobody asked for it here
            detail = reader.sealer.open(_PURPOSE, row["detail_sealed"], bound_to=place).decode()
            found.append(Act(row["kind"], detail, instants.from_text(row["asked_at"])))
    return found


def take(tx: Transaction, kind: str, *, now: datetime) -> Act | None:
    """Take what is due off the list, to be done now; None if it was cancelled, or is too early."""
    act = next((one for one in waiting(tx) if one.kind == kind), None)
    if act is None or act.due_at > now:
        return None
    return act if cancel(tx, kind) else None


def cancel(tx: Transaction, kind: str) -> bool:
    """Take something off the list; False if it was not there (any more)."""
    return tx.run("DELETE FROM pending_acts WHERE kind = :kind", {"kind": kind}) == 1
