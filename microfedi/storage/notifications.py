"""What the owner should be told."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from microfedi.protocol import instants
from microfedi.storage import mutes
from microfedi.storage.database import Reader, Transaction

Kind = Literal[
    "follow",
    "follow_request",
    "mention",
    "like",
    "announce",
    "follow_accepted",
    "update",
    "reaction",
    "poll",
    "quote",
    "quote_request",
    "quote_accepted",
    "moved",
    "report",
    "feature",
    "feature_request",
]


@dataclass(frozen=True, slots=True)
class Notification:
    """`actor_id` did something, to `note_id` if it was about a note. Ids grow.

    `detail` is the emoji of a reaction, and nothing for everything else.
    """

    id: int
    kind: Kind
    actor_id: int
    note_id: int | None
    created_at: datetime
    detail: str = ""


def add(
    tx: Transaction,
    kind: Kind,
    *,
    actor_id: int,
    note_id: int | None = None,
    now: datetime,
    detail: str = "",
) -> bool:
    """Tell the owner; False if this was told before, or is muted.

    Reports are always told: they are for the admin.
    """
    if kind != "report" and mutes.silences(tx, actor_id, note_id, now):
        return False
    added = tx.run(
        """
        INSERT INTO notifications (kind, actor_id, note_id, detail, created_at)
        VALUES (:kind, :actor_id, :note_id, :detail, :created_at)
        ON CONFLICT (kind, actor_id, coalesce(note_id, 0), detail) DO NOTHING
        """,
        {
            "kind": kind,
            "actor_id": actor_id,
            "note_id": note_id,
            "detail": detail,
            "created_at": instants.to_text(now),
        },
    )
    return added > 0


def remove(
    tx: Transaction,
    kind: Kind,
    actor_id: int,
    note_id: int | None = None,
    detail: str | None = None,
) -> bool:
    """Take back what was told, whatever its detail unless one is given; False if it was not."""
    removed = tx.run(
        """
        DELETE FROM notifications
         WHERE kind = :kind
           AND actor_id = :actor_id
           AND coalesce(note_id, 0) = coalesce(:note_id, 0)
           AND detail = coalesce(:detail, detail)
        """,
        {"kind": kind, "actor_id": actor_id, "note_id": note_id, "detail": detail},
    )
    return removed > 0


def page(
    reader: Reader,
    *,
    before_id: int | None = None,
    limit: int,
    kinds: Collection[Kind] | None = None,
) -> list[Notification]:
    """Return notifications, newest first; only of `kinds` if given."""
    rows = reader.all(
        """
        SELECT id, kind, actor_id, note_id, detail, created_at
          FROM notifications
         WHERE id < coalesce(:before_id, 9223372036854775807)
           AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds)))
         ORDER BY id DESC
         LIMIT :limit
        """,
        {
            "before_id": before_id,
            "kinds": None if kinds is None else json.dumps(list(kinds)),
            "limit": limit,
        },
    )
    return [
        Notification(
            row["id"],
            row["kind"],
            row["actor_id"],
            row["note_id"],
            instants.from_text(row["created_at"]),
            row["detail"],
        )
        for row in rows
    ]


def newest_id(reader: Reader) -> int:
    """Return the id of the newest notification, 0 if there is none."""
    newest: int = reader.value("SELECT coalesce(max(id), 0) FROM notifications")
    return newest


def count_after(reader: Reader, notification_id: int) -> int:
    """Return how many notifications are newer."""
    count: int = reader.value(
        "SELECT count(*) FROM notifications WHERE id > :id", {"id": notification_id}
    )
    return count
