"""What the doctor asks of the database: is the file whole, and does anything wait too long?"""

from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import instants
from microfedi.storage.database import Reader

MAX_NAMED = 5  # hosts; enough to see what is the matter


@dataclass(frozen=True, slots=True)
class Waiting:
    """What there is to do. `failing` are hosts that have not answered for long, the worst first."""

    deliveries: int
    hosts: int
    received_late: int
    jobs_late: int
    failing: tuple[str, ...]


def damage(reader: Reader) -> str:
    """Return the first thing that SQLite finds wrong with the file, "" if it is whole."""
    found: str = reader.value("PRAGMA quick_check(1)")
    return "" if found == "ok" else found


def waiting(reader: Reader, *, late: datetime, failing: datetime) -> Waiting:
    """Count what waits: late is what was due before `late`, failing who fails since `failing`."""
    row = reader.one(
        """
        SELECT (SELECT count(*) FROM deliveries) AS deliveries,
               (SELECT count(DISTINCT host_id) FROM deliveries) AS hosts,
               (SELECT count(*) FROM received WHERE due_at < :late) AS received_late,
               (SELECT count(*) FROM jobs WHERE due_at < :late) AS jobs_late
        """,
        {"late": instants.to_text(late)},
    )
    names = reader.all(
        """
        SELECT name
          FROM hosts
         WHERE failing_since < :failing
           AND due_at IS NOT NULL
         ORDER BY failing_since
         LIMIT :limit
        """,
        {"failing": instants.to_text(failing), "limit": MAX_NAMED},
    )
    counts = dict(row) if row else {}
    return Waiting(**counts, failing=tuple(one["name"] for one in names))
