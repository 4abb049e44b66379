"""What the owner is told of at once: a row for each way, kept with what happened until sent."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from microfedi.protocol import instants
from microfedi.storage import jobs
from microfedi.storage.database import Reader, Transaction

Channel = Literal["push", "mail"]

JOB = "alert"
TEST = "test"  # the kind of one that the owner asked for, to see whether it comes

MAX_WAITING = 200  # of a way; who was told so much and did not look is not told more
KEPT_FOR = timedelta(days=30)  # what was sent, and what could not be, stands on the page


@dataclass(frozen=True, slots=True)
class Alert:
    """One that waits. A browser's has where to push, sealed, and what that is bound to."""

    id: int
    kind: str
    at: datetime
    channel: Channel
    browser_sealed: bytes | None
    browser_bound: str | None
    attempts: int

    def __repr__(self) -> str:
        return f"Alert({self.id}, {self.kind}, {self.channel})"


@dataclass(frozen=True, slots=True)
class State:
    """How a way does: how many wait, when one was sent last, and what was wrong the last time.

    `failed_at` is when one was given up last; `problem` is "" if the newest went out.
    """

    waiting: int = 0
    sent_at: datetime | None = None
    failed_at: datetime | None = None
    problem: str = ""


def add(tx: Transaction, kind: str, *, now: datetime) -> None:
    """Have the owner told, by mail and in every browser that is subscribed at this moment.

    Whether there is mail at all is known to whoever sends it.
    """
    at = instants.to_text(now)
    tx.run("DELETE FROM alerts WHERE ended_at < :old", {"old": instants.to_text(now - KEPT_FOR)})
    tx.run(
        """
        INSERT INTO alerts (kind, at, channel, due_at)
        SELECT :kind, :at, 'mail', :at
         WHERE (SELECT count(*) FROM alerts
                 WHERE channel = 'mail' AND due_at IS NOT NULL) < :most
        """,
        {"kind": kind, "at": at, "most": MAX_WAITING},
    )
    tx.run(
        """
        INSERT INTO alerts (kind, at, channel, browser_sealed, browser_bound, due_at)
        SELECT :kind, :at, 'push', body_sealed, session_id || ' ' || id, :at
          FROM push_subscriptions
         WHERE (SELECT count(*) FROM alerts
                 WHERE channel = 'push' AND due_at IS NOT NULL) < :most
        """,
        {"kind": kind, "at": at, "most": MAX_WAITING},
    )
    jobs.add(tx, JOB, "", due_at=now)


def due(reader: Reader, now: datetime, *, limit: int) -> list[Alert]:
    """Return those that are to be sent now, the oldest first."""
    rows = reader.all(
        """
        SELECT id, kind, at, channel, browser_sealed, browser_bound, attempts
          FROM alerts
         WHERE due_at <= :now
         ORDER BY due_at, id
         LIMIT :limit
        """,
        {"now": instants.to_text(now), "limit": limit},
    )
    return [_from_row(row) for row in rows]


def next_due(reader: Reader) -> datetime | None:
    """Return when the next is to be sent, None if none waits."""
    at: str | None = reader.value("SELECT min(due_at) FROM alerts")
    return None if at is None else instants.from_text(at)


def sent(tx: Transaction, alert_id: int, now: datetime) -> None:
    """Note that one went out."""
    _end(tx, alert_id, now, "")


def give_up(tx: Transaction, alert_id: int, now: datetime, problem: str) -> None:
    """Note that one is tried no more, and why."""
    _end(tx, alert_id, now, problem)


def later(tx: Transaction, alert_id: int, due_at: datetime, problem: str) -> None:
    """Note that one could not be sent, why, and when it is tried again."""
    tx.run(
        """
        UPDATE alerts
           SET attempts = attempts + 1,
               due_at = :due_at,
               problem = :problem
         WHERE id = :id
        """,
        {"id": alert_id, "due_at": instants.to_text(due_at), "problem": problem},
    )


def drop(tx: Transaction, alert_id: int) -> None:
    """Forget one: there is no such way, or its browser is gone."""
    tx.run("DELETE FROM alerts WHERE id = :id", {"id": alert_id})


def state(reader: Reader, channel: Channel) -> State:
    """Return how a way does."""
    row = reader.one(
        """
        SELECT count(due_at) AS waiting,
               max(iif(due_at IS NULL AND problem = '', ended_at, NULL)) AS sent_at,
               max(iif(due_at IS NULL AND problem != '', ended_at, NULL)) AS failed_at,
               (SELECT problem FROM alerts
                 WHERE channel = :channel AND (ended_at IS NOT NULL OR attempts > 0)
                 ORDER BY id DESC LIMIT 1) AS problem
          FROM alerts
         WHERE channel = :channel
        """,
        {"channel": channel},
    )
    if row is None:
        return State()
    return State(
        row["waiting"], _instant(row["sent_at"]), _instant(row["failed_at"]), row["problem"] or ""
    )


def last_test(reader: Reader) -> datetime | None:
    """Return when the owner last asked for one to see whether it comes."""
    at: str | None = reader.value("SELECT max(at) FROM alerts WHERE kind = :kind", {"kind": TEST})
    return None if at is None else instants.from_text(at)


def _end(tx: Transaction, alert_id: int, now: datetime, problem: str) -> None:
    tx.run(
        """
        UPDATE alerts
           SET due_at = NULL,
               ended_at = :now,
               problem = :problem,
               browser_sealed = NULL,
               browser_bound = NULL
         WHERE id = :id
        """,
        {"id": alert_id, "now": instants.to_text(now), "problem": problem},
    )


def _from_row(row: sqlite3.Row) -> Alert:
    return Alert(
        row["id"],
        row["kind"],
        instants.from_text(row["at"]),
        row["channel"],
        row["browser_sealed"],
        row["browser_bound"],
        row["attempts"],
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else instants.from_text(text)
