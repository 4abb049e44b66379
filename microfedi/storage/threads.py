"""Threads: what of one is here, how the last look for the rest went, and what others are told."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from microfedi.protocol import instants
from microfedi.storage import notes
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.notes import Note

MAX_NOTES = 500  # of one thread on a page; longer ones are cut at the newest end
# Bytes of a post as it is kept. Of longer ones only so many bytes are on the page of a thread, so
# that nobody makes it a page of 50 MB, or pushes out what is short.
LONG_BYTES = 16 * 1024
MAX_LONG_BYTES = 1024 * 1024
MAX_CLIMB = 500  # posts of a thread that we have, looked at on the way up: some go in circles
MAX_PROBLEMS = 20  # different ones that are remembered of one look: a page names them all

State = Literal["waiting", "running", "done"]
What = Literal["above", "replies", "list", "more"]
Why = Literal["", "silent", "failed", "refused", "gone", "blocked", "unreadable", "limit"]

_OPEN = "('public', 'unlisted')"


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be had: a post above, replies, lists of replies, or there is just too much.

    `why` and `host` say who did not give it; `count` is how many.
    """

    what: What
    why: Why = ""
    host: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Fetch:
    """How the last look went: `found` posts that are new here, and what could not be had."""

    state: State
    found: int
    problems: tuple[Problem, ...]
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A post's place in a thread, for other servers."""

    id: int
    uri: str
    is_others: bool


def notes_of(reader: Reader, thread_id: int, *, limit: int = MAX_NOTES) -> list[Note]:
    """Return the notes of a thread, oldest first; of the long ones not more than fit on a page."""
    return notes.selected(
        reader,
        """
          FROM notes
         WHERE thread_id = :id
           AND (length(body) <= :long
                OR id IN (SELECT id
                            FROM (SELECT id, sum(length(body)) OVER (ORDER BY id) AS so_far
                                    FROM notes
                                   WHERE thread_id = :id AND length(body) > :long)
                           WHERE so_far <= :most))
         ORDER BY id
         LIMIT :limit
        """,
        {"id": thread_id, "limit": limit, "long": LONG_BYTES, "most": MAX_LONG_BYTES},
    )


def is_longer(reader: Reader, thread_id: int, shown: int) -> bool:
    """True if a thread has more notes than `shown`."""
    found: int = reader.value("SELECT count(*) FROM notes WHERE thread_id = :id", {"id": thread_id})
    return found > shown


def fetch_of(reader: Reader, thread_id: int) -> Fetch | None:
    """Return how the last look for a thread went, None if there was none."""
    row = reader.one(
        """
        SELECT state, found, problems_sealed, changed_at
          FROM thread_fetches
         WHERE thread_id = :id
        """,
        {"id": thread_id},
    )
    if row is None:
        return None
    problems: tuple[Problem, ...] = ()
    if row["problems_sealed"] is not None:
        plain = reader.sealer.open("thread", row["problems_sealed"], bound_to=str(thread_id))
        problems = tuple(Problem(*one) for one in json.loads(plain))
    return Fetch(row["state"], row["found"], problems, instants.from_text(row["changed_at"]))


def begin(tx: Transaction, thread_id: int, *, now: datetime, after: timedelta) -> bool:
    """Note that a thread is about to be looked for; False if it was within the time `after`.

    A look that never ended counts no longer than one that did.
    """
    return bool(
        tx.run(
            """
            INSERT INTO thread_fetches (thread_id, state, changed_at)
            VALUES (:id, 'waiting', :now)
            ON CONFLICT (thread_id) DO UPDATE
               SET state = 'waiting',
                   changed_at = excluded.changed_at
             WHERE changed_at <= :before
            """,
            {
                "id": thread_id,
                "now": instants.to_text(now),
                "before": instants.to_text(now - after),
            },
        )
    )


def put(tx: Transaction, thread_id: int, fetch: Fetch) -> None:
    """Keep how a look goes, or went."""
    sealed = None
    if fetch.problems:
        listed = [(one.what, one.why, one.host, one.count) for one in fetch.problems[:MAX_PROBLEMS]]
        plain = json.dumps(listed).encode()
        sealed = tx.sealer.seal("thread", plain, bound_to=str(thread_id))
    tx.run(
        """
        INSERT INTO thread_fetches (thread_id, state, found, problems_sealed, changed_at)
        VALUES (:id, :state, :found, :problems, :at)
        ON CONFLICT (thread_id) DO UPDATE
           SET state = excluded.state,
               found = excluded.found,
               problems_sealed = excluded.problems_sealed,
               changed_at = excluded.changed_at
        """,
        {
            "id": thread_id,
            "state": fetch.state,
            "found": fetch.found,
            "problems": sealed,
            "at": instants.to_text(fetch.changed_at),
        },
    )


def prune(tx: Transaction, before: datetime) -> int:
    """Forget looks that were before `before`."""
    return tx.run(
        "DELETE FROM thread_fetches WHERE changed_at < :before",
        {"before": instants.to_text(before)},
    )


def missing_above(reader: Reader, uri: str) -> str | None:
    """Climb from a post as far as we have the thread; return the URI above it that we do not."""
    missing: str | None = reader.value(
        """
        WITH RECURSIVE above (parent, depth) AS (
            SELECT in_reply_to_uri, 1 FROM notes WHERE uri = :uri
             UNION ALL
            SELECT notes.in_reply_to_uri, depth + 1
              FROM above JOIN notes ON notes.uri = above.parent
             WHERE depth < :limit)
        SELECT parent
          FROM above
         WHERE parent IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM notes WHERE notes.uri = parent)
         LIMIT 1
        """,
        {"uri": uri, "limit": MAX_CLIMB},
    )
    return missing


def unknown(reader: Reader, uris: Collection[str]) -> list[str]:
    """Return which of these posts are neither here nor known to be deleted, in order."""
    rows = reader.all(
        """
        SELECT value
          FROM json_each(:uris)
         WHERE NOT EXISTS (SELECT 1 FROM notes WHERE notes.uri = value)
           AND NOT EXISTS (SELECT 1 FROM tombstones WHERE tombstones.uri = value)
         ORDER BY key
        """,
        {"uris": json.dumps(list(dict.fromkeys(uris)))},
    )
    return [row["value"] for row in rows]


def unchecked(
    reader: Reader, thread_id: int, *, before: datetime, first: int, limit: int
) -> list[tuple[int, str]]:
    """Return open posts of a thread of which we are told nothing and that we last saw before
    `before`, with their row ids: others' whom the owner does not follow; `first` of all that one.
    """
    rows = reader.all(
        f"""
        SELECT id, uri
          FROM notes
         WHERE thread_id = :thread_id
           AND public_id IS NULL
           AND visibility IN {_OPEN}
           AND coalesce(checked_at, received_at) < :before
           AND NOT EXISTS (SELECT 1 FROM following
                            WHERE following.actor_id = notes.actor_id
                              AND following.state = 'accepted')
         ORDER BY id != :first, id
         LIMIT :limit
        """,  # noqa: S608
        {
            "thread_id": thread_id,
            "before": instants.to_text(before),
            "first": first,
            "limit": limit,
        },
    )
    return [(row["id"], row["uri"]) for row in rows]


def checked(tx: Transaction, note_id: int, now: datetime) -> None:
    """Note that a post was asked for again just now."""
    tx.run(
        "UPDATE notes SET checked_at = :now WHERE id = :id",
        {"id": note_id, "now": instants.to_text(now)},
    )


def count_open(reader: Reader, thread_id: int) -> int:
    """Return how many posts of a thread everybody may see."""
    count: int = reader.value(
        f"SELECT count(*) FROM notes WHERE thread_id = :id AND visibility IN {_OPEN}",  # noqa: S608
        {"id": thread_id},
    )
    return count


def open_page(reader: Reader, thread_id: int, *, after: int, limit: int) -> list[Place]:
    """Return the posts of a thread that everybody may see, the oldest first."""
    rows = reader.all(
        f"""
        SELECT id, uri, public_id IS NULL AS is_others
          FROM notes
         WHERE thread_id = :thread_id
           AND id > :after
           AND visibility IN {_OPEN}
         ORDER BY id
         LIMIT :limit
        """,  # noqa: S608
        {"thread_id": thread_id, "after": after, "limit": limit},
    )
    return [Place(row["id"], row["uri"], bool(row["is_others"])) for row in rows]


def open_replies(
    reader: Reader, note_id: int, *, after: tuple[bool, int], limit: int
) -> list[Place]:
    """Return the direct replies that everybody may see: the owner's, then others', oldest first.

    `after` is what the last one of the page before was: others', and its row id.
    """
    rows = reader.all(
        f"""
        SELECT id, uri, public_id IS NULL AS is_others
          FROM notes
         WHERE in_reply_to_id = :note_id
           AND (public_id IS NULL, id) > (:others, :after)
           AND visibility IN {_OPEN}
         ORDER BY public_id IS NULL, id
         LIMIT :limit
        """,  # noqa: S608
        {"note_id": note_id, "others": after[0], "after": after[1], "limit": limit},
    )
    return [Place(row["id"], row["uri"], bool(row["is_others"])) for row in rows]
