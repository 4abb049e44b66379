"""What the owner should be told.

What somebody did who is muted or blocked now, and what waits of strangers (`strangers`), is kept
but not told: neither on pages, nor in counts, nor pushed.
"""

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from microfedi.protocol import instants
from microfedi.protocol.filtering import Filters, Place
from microfedi.storage import filters, mutes, notes, strangers
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

MOST_COUNTED = 100  # a badge says "99+"
MOST_LOOKED_INTO = 20  # posts, for a badge: their words cost time on every page
MOST_TOLD = 500  # of a page at most; groups make few lines of them

# What is told, of `notifications AS told`. Reports are always: they are for the admin.
_TOLD = """
    NOT told.is_held
    AND (told.kind = 'report' OR NOT EXISTS (
            SELECT 1 FROM blocked_actors WHERE actor_id = told.actor_id
            UNION ALL
            SELECT 1 FROM muted_actors
             WHERE actor_id = told.actor_id
               AND with_notifications
               AND (until IS NULL OR until > :now)
            UNION ALL
            SELECT 1 FROM muted_threads
              JOIN notes USING (thread_id)
             WHERE notes.id = told.note_id
               AND (until IS NULL OR until > :now)
            UNION ALL
            SELECT 1 FROM muted_hosts
              JOIN actors ON actors.id = told.actor_id
             WHERE instr('.' || actors.host || ':', '.' || muted_hosts.host || ':')
               AND (until IS NULL OR until > :now)))
"""
_POSTS: Final[tuple[Kind, ...]] = ("mention", "quote", "update")  # by others, of any words
_ALL = 2**63 - 1  # before every id there can be
_COLUMNS = """
    id, kind, actor_id, note_id, detail, created_at,
    CASE WHEN kind = 'reaction' AND detail LIKE ':%'
         THEN (SELECT emoji_url
                 FROM reactions
                WHERE reactions.note_id = told.note_id
                  AND reactions.actor_id = told.actor_id
                  AND reactions.name = told.detail)
    END AS picture,
    CASE WHEN kind = 'follow'
         THEN EXISTS (SELECT 1
                        FROM following
                       WHERE following.actor_id = told.actor_id
                         AND following.state <> 'rejected')
    END AS is_followed
"""


@dataclass(frozen=True, slots=True)
class Notification:
    """`actor_id` did something, to `note_id` if it was about a note. Ids grow.

    `detail` is the emoji of a reaction, and nothing for everything else; `picture` is where that of
    a custom emoji lies. `is_followed`: the owner follows, or has asked, who follows now.
    """

    id: int
    kind: Kind
    actor_id: int
    note_id: int | None
    created_at: datetime
    detail: str = ""
    picture: str | None = None
    is_followed: bool = False


@dataclass(frozen=True, slots=True)
class Above:
    """The newest id, told or not; of how many strangers something waits (`MOST_COUNTED` if there
    are more); how many ask to follow, and who does first.
    """

    newest_id: int
    held: int
    request_count: int
    request_ids: tuple[int, ...]


def add(
    tx: Transaction,
    kind: Kind,
    *,
    actor_id: int,
    note_id: int | None = None,
    now: datetime,
    detail: str = "",
) -> bool:
    """Tell the owner; False if this was told before, is muted, or waits as the rules say.

    Reports are always told: they are for the admin.
    """
    if kind != "report" and mutes.silences(tx, actor_id, note_id, now):
        return False
    verdict = strangers.verdict(tx, kind, actor_id, note_id, now)
    if verdict == "drop":
        return False
    added = tx.run(
        """
        INSERT INTO notifications (kind, actor_id, note_id, detail, created_at, is_held)
        VALUES (:kind, :actor_id, :note_id, :detail, :created_at, :is_held)
        ON CONFLICT (kind, actor_id, coalesce(note_id, 0), detail) DO NOTHING
        """,
        {
            "kind": kind,
            "actor_id": actor_id,
            "note_id": note_id,
            "detail": detail,
            "created_at": instants.to_text(now),
            "is_held": verdict == "hold",
        },
    )
    return added > 0 and verdict == "tell"


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
    now: datetime,
) -> list[Notification]:
    """Return what is told, newest first; only of `kinds` if given."""
    params: dict[str, object] = {
        "before_id": before_id or _ALL,
        "limit": min(limit, MOST_TOLD),
        "now": instants.to_text(now),
    }
    if kinds is None:
        return _read(reader, _select(), params)
    params |= {f"kind{index}": kind for index, kind in enumerate(kinds)}
    # Each kind by its own index, newest first; SQLite merges them and stops at the limit.
    parts = [_select(f"AND told.kind = :kind{index}") for index in range(len(kinds))]
    return _read(reader, " UNION ALL ".join(parts), params)


def held(
    reader: Reader, actor_id: int, *, before_id: int | None = None, limit: int
) -> list[Notification]:
    """Return what waits of somebody, newest first."""
    sql = f"""
        SELECT {_COLUMNS}
          FROM notifications AS told
         WHERE is_held
           AND actor_id = :actor_id
           AND id < :before_id
        """  # noqa: S608
    params = {"actor_id": actor_id, "before_id": before_id or _ALL, "limit": limit}
    return _read(reader, sql, params)


def pushable(
    reader: Reader, *, after_id: int, limit: int, now: datetime, wanted: Filters = filters.NONE
) -> list[Notification]:
    """Return what came in after `after_id` and may be pushed, newest first.

    That is what a page would show: nothing that waits of strangers, nothing muted or blocked, and
    no post that the owner's filters (`wanted`) hide. What a filter would only warn of is pushed:
    say no word of such a post.
    """
    sql = _select("AND told.id > :after_id")
    params = {
        "after_id": after_id,
        "before_id": _ALL,
        "limit": limit,
        "now": instants.to_text(now),
    }
    found = _read(reader, sql, params)
    hidden = _hidden(reader, found, wanted, now)
    return [one for one in found if one.note_id not in hidden or one.kind not in _POSTS]


def above(reader: Reader, *, requests: int) -> Above:
    """Return what stands above the first page; of requests the ids of the first so many."""
    row = reader.one(
        """
        SELECT (SELECT coalesce(max(id), 0) FROM notifications) AS newest_id,
               (SELECT count(*)
                  FROM (SELECT DISTINCT actor_id FROM notifications WHERE is_held LIMIT :most)
               ) AS held,
               (SELECT count(*) FROM followers WHERE state = 'requested') AS request_count,
               (SELECT json_group_array(actor_id)
                  FROM (SELECT actor_id
                          FROM followers
                         WHERE state = 'requested'
                         ORDER BY created_at, actor_id
                         LIMIT :requests)) AS request_ids
        """,
        {"most": MOST_COUNTED, "requests": requests},
    )
    assert row is not None  # noqa: S101 - a SELECT without FROM
    return Above(
        row["newest_id"], row["held"], row["request_count"], tuple(json.loads(row["request_ids"]))
    )


def newest_id(reader: Reader) -> int:
    """Return the id of the newest notification, told or not; 0 if there is none."""
    newest: int = reader.value("SELECT coalesce(max(id), 0) FROM notifications")
    return newest


def count_after(
    reader: Reader, notification_id: int, *, now: datetime, wanted: Filters = filters.NONE
) -> int:
    """Return how many that are told are newer, `MOST_COUNTED` if there are more.

    Posts that the owner's filters (`wanted`) hide do not count, as far as we look for them.
    """
    count: int = reader.value(
        f"""
        SELECT count(*)
          FROM (SELECT 1
                  FROM notifications AS told
                 WHERE told.id > :id
                   AND {_TOLD}
                 LIMIT :most)
        """,  # noqa: S608
        {"id": notification_id, "now": instants.to_text(now), "most": MOST_COUNTED},
    )
    if count and wanted.hides_at(Place.NOTIFICATIONS, now):
        posts = page(reader, limit=MOST_LOOKED_INTO, kinds=_POSTS, now=now)
        new = [one for one in posts if one.id > notification_id]
        hidden = _hidden(reader, new, wanted, now)
        count -= sum(one.note_id in hidden for one in new)
    return count


def _hidden(
    reader: Reader, found: Iterable[Notification], wanted: Filters, now: datetime
) -> set[int]:
    """Return which posts, of those that are told of, the owner's filters hide."""
    if not wanted.hides_at(Place.NOTIFICATIONS, now):
        return set()
    ids = {one.note_id for one in found if one.note_id and one.kind in _POSTS}
    verdicts = {
        note.id: filters.verdict(wanted, note, Place.NOTIFICATIONS, now)
        for note in notes.by_ids(reader, ids).values()
    }
    return {note_id for note_id, one in verdicts.items() if one is not None and one.hides}


def _select(more: str = "") -> str:
    return f"""
        SELECT {_COLUMNS}
          FROM notifications AS told
         WHERE told.id < :before_id
           AND {_TOLD}
           {more}
        """  # noqa: S608


def _read(reader: Reader, sql: str, params: Mapping[str, object]) -> list[Notification]:
    rows: list[sqlite3.Row] = reader.all(f"{sql} ORDER BY id DESC LIMIT :limit", params)
    return [
        Notification(
            row["id"],
            row["kind"],
            row["actor_id"],
            row["note_id"],
            instants.from_text(row["created_at"]),
            row["detail"],
            row["picture"],
            bool(row["is_followed"]),
        )
        for row in rows
    ]
