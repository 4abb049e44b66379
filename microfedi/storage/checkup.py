"""What the doctor asks of the database: is the file whole, and does anything wait too long?"""

from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import instants
from microfedi.storage.database import Reader

MAX_NAMED = 5  # hosts; enough to see what is the matter
MAX_COUNTED = 10_000  # of what waits: more is just "more", and counting costs


@dataclass(frozen=True, slots=True)
class Queue:
    """What waits: how many (`MAX_COUNTED` if there are more), and since when the oldest does."""

    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Queues:
    """The three that there are. Of jobs, those that are due: others wait for their time."""

    received: Queue
    deliveries: Queue
    jobs: Queue
    jobs_planned: int


@dataclass(frozen=True, slots=True)
class FailingHost:
    """A server that does not answer. `waiting` is how much waits for it, as `Queue.count`.

    `next_try` is None while it is being tried. `problem` is as in `receipts.Server`.
    """

    id: int
    name: str
    since: datetime
    next_try: datetime | None
    problem: str
    waiting: int


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


def queues(reader: Reader, now: datetime) -> Queues:
    """Return what waits, counted by indices, and never further than `MAX_COUNTED`."""
    rows = reader.all(
        """
        SELECT count, (SELECT received_at FROM received WHERE id = oldest) AS since
          FROM (SELECT count(*) AS count, min(id) AS oldest
                  FROM (SELECT id FROM received WHERE due_at IS NOT NULL LIMIT :most))
        UNION ALL
        SELECT count, (SELECT created_at FROM outgoing WHERE id = oldest)
          FROM (SELECT count(*) AS count, min(outgoing_id) AS oldest
                  FROM (SELECT outgoing_id FROM deliveries ORDER BY outgoing_id LIMIT :most))
        UNION ALL
        SELECT count(*), min(due_at)
          FROM (SELECT due_at FROM jobs WHERE due_at <= :now ORDER BY due_at LIMIT :most)
        UNION ALL
        SELECT count(*), NULL
          FROM (SELECT 1 FROM jobs WHERE due_at > :now LIMIT :most)
        """,
        {"most": MAX_COUNTED, "now": instants.to_text(now)},
    )
    received, deliveries, jobs, planned = [
        Queue(row["count"], None if row["since"] is None else instants.from_text(row["since"]))
        for row in rows
    ]
    return Queues(received, deliveries, jobs, planned.count)


def failing(reader: Reader, limit: int) -> list[FailingHost]:
    """Return the servers that do not answer and for which something waits, the longest first."""
    rows = reader.all(
        """
        SELECT id, name, failing_since, due_at, is_leased, problem,
               (SELECT count(*)
                  FROM (SELECT 1 FROM deliveries WHERE host_id = hosts.id LIMIT :most)) AS waiting
          FROM hosts
         WHERE failing_since IS NOT NULL
           AND due_at IS NOT NULL
         ORDER BY failing_since
         LIMIT :limit
        """,
        {"limit": limit, "most": MAX_COUNTED},
    )
    return [
        FailingHost(
            row["id"],
            row["name"],
            instants.from_text(row["failing_since"]),
            None if row["is_leased"] else instants.from_text(row["due_at"]),
            row["problem"],
            row["waiting"],
        )
        for row in rows
    ]
