"""What else is to be done later: one row for each kind and key, however often it is asked for."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction

# Jobs of one kind: others cause most of them, and must not fill the disk.
MAX_WAITING = 20_000


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do. `attempts` counts this one: 1 is the first."""

    id: int
    kind: str
    key: str
    attempts: int
    leased_until: datetime


def add(tx: Transaction, kind: str, key: str, *, due_at: datetime, most: int = MAX_WAITING) -> None:
    """Have `kind` done for `key` at `due_at`; if it waits already, at the earlier of both times.

    If it is being done just now, it is done once more. If `most` of its kind wait, it is not.
    """
    tx.run(
        """
        INSERT INTO jobs (kind, key, due_at)
        SELECT :kind, :key, :due_at
         WHERE (SELECT count(*) FROM jobs WHERE kind = :kind) < :most
            OR EXISTS (SELECT 1 FROM jobs WHERE kind = :kind AND key = :key)
        ON CONFLICT (kind, key) DO UPDATE
           SET due_at = min(due_at, excluded.due_at)
        """,
        {"kind": kind, "key": key, "due_at": instants.to_text(due_at), "most": most},
    )


def add_if_missing(
    tx: Transaction, kind: str, key: str, *, due_at: datetime, most: int = MAX_WAITING
) -> None:
    """Have `kind` done for `key` at `due_at`, unless it waits already: for what is periodic."""
    tx.run(
        """
        INSERT INTO jobs (kind, key, due_at)
        SELECT :kind, :key, :due_at
         WHERE (SELECT count(*) FROM jobs WHERE kind = :kind) < :most
        ON CONFLICT (kind, key) DO NOTHING
        """,
        {"kind": kind, "key": key, "due_at": instants.to_text(due_at), "most": most},
    )


def claim_due(
    tx: Transaction,
    *,
    now: datetime,
    lease: timedelta,
    limit: int,
    only: Sequence[str] | None = None,
) -> list[Job]:
    """Take the jobs that have been due longest, and hide them for `lease`; of the kinds in `only`.

    If we die before reporting, the lease runs out and they are due again: a job may be done twice,
    never lost. An attempt is counted here, so that a job which kills us is not tried for ever.
    """
    until = now + lease
    rows = tx.all(
        """
        UPDATE jobs
           SET due_at = :until,
               attempts = attempts + 1
         WHERE id IN (SELECT id FROM jobs
                       WHERE due_at <= :now
                         AND (:only IS NULL OR kind IN (SELECT value FROM json_each(:only)))
                       ORDER BY due_at, id
                       LIMIT :limit)
        RETURNING id, kind, key, attempts
        """,
        {
            "now": instants.to_text(now),
            "until": instants.to_text(until),
            "limit": limit,
            "only": None if only is None else json.dumps(only),
        },
    )
    return [Job(**row, leased_until=until) for row in rows]


def done(tx: Transaction, job: Job) -> None:
    """Take a job off the list, unless it was asked for again while it was being done."""
    gone = tx.run(
        "DELETE FROM jobs WHERE id = :id AND due_at = :until",
        {"id": job.id, "until": instants.to_text(job.leased_until)},
    )
    if not gone:
        tx.run("UPDATE jobs SET attempts = 0 WHERE id = :id", {"id": job.id})


def later(tx: Transaction, job: Job, due_at: datetime, *, failed: bool) -> None:
    """Put a job back, to be done at `due_at` or earlier if somebody asked for it meanwhile.

    If it has not `failed` its attempts are counted from the start again.
    """
    tx.run(
        """
        UPDATE jobs
           SET due_at = iif(due_at = :until, :due_at, min(due_at, :due_at)),
               attempts = iif(:failed, attempts, 0)
         WHERE id = :id
        """,
        {
            "id": job.id,
            "until": instants.to_text(job.leased_until),
            "due_at": instants.to_text(due_at),
            "failed": failed,
        },
    )


def next_due(reader: Reader) -> datetime | None:
    """Return when the next job is due, None if there is none."""
    due: str | None = reader.value("SELECT min(due_at) FROM jobs")
    return None if due is None else instants.from_text(due)
