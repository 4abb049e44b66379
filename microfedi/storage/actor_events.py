"""What changed of somebody, dated, that may mean that somebody else speaks for them now.

A key, an inbox, an address, a move, and what their server runs on. It says what was seen and draws
no conclusion: most of it happens when servers are set up anew.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction

Kind = Literal["key", "moved", "inbox", "handle", "software"]

MAX_KEPT = 8  # of one person; a server that changes its keys every day fills no disk
# What repeats within so long is one event: a server that swings to and fro says nothing new.
SAME = timedelta(days=1)
# So long it is said above a conversation; on the person's own page it stays.
RECENT = timedelta(days=90)
MAX_DETAIL_CHARS = 500


@dataclass(frozen=True, slots=True)
class Event:
    """Something that changed. `detail` is what it is now; for software what it was, and is.

    >>> Event(1, "software", datetime(2026, 5, 3), "mastodon > pleroma").parts
    ('mastodon', 'pleroma')
    """

    actor_id: int
    kind: Kind
    at: datetime
    detail: str = ""

    @property
    def parts(self) -> tuple[str, str]:
        """What it was before, and what it is now, as far as that is known."""
        before, _, after = self.detail.rpartition(" > ")
        return before, after


def note(tx: Transaction, actor_id: int, kind: Kind, detail: str, now: datetime) -> None:
    """Note that something changed just now; the oldest of many are forgotten."""
    values = {
        "actor_id": actor_id,
        "kind": kind,
        "at": instants.to_text(now),
        "since": instants.to_text(now - SAME),
        "detail": detail[:MAX_DETAIL_CHARS],
        "most": MAX_KEPT,
    }
    tx.run(
        """
        INSERT INTO actor_events (actor_id, kind, at, detail)
        SELECT :actor_id, :kind, :at, :detail
         WHERE NOT EXISTS (SELECT 1 FROM actor_events
                            WHERE actor_id = :actor_id
                              AND kind = :kind
                              AND (kind = 'key' OR detail = :detail)
                              AND at > :since)
        """,
        values,
    )
    tx.run(
        """
        DELETE FROM actor_events
         WHERE actor_id = :actor_id
           AND id NOT IN (SELECT id FROM actor_events
                           WHERE actor_id = :actor_id
                           ORDER BY id DESC
                           LIMIT :most)
        """,
        values,
    )


AS_JSON = "json_array(actor_id, kind, at, detail)"


def from_json(said: list[Any]) -> Event:
    """Read what AS_JSON selects."""
    actor_id, kind, at, detail = said
    return Event(actor_id, kind, instants.from_text(at), detail)


def of(reader: Reader, actor_ids: Collection[int], *, since: datetime | None = None) -> list[Event]:
    """Return what changed of these people, newest first, and of their servers' software."""
    rows = reader.all(
        """
        SELECT actor_id, kind, at, detail
          FROM actor_events
         WHERE actor_id IN (SELECT value FROM json_each(:ids))
           AND at >= :since
         UNION ALL
        SELECT actors.id, 'software', changed_at, former_software || ' > ' || software
          FROM actors
          JOIN server_facts ON server_facts.host = actors.host
         WHERE actors.id IN (SELECT value FROM json_each(:ids))
           AND changed_at >= :since
         ORDER BY 3 DESC
        """,
        {
            "ids": json.dumps(list(actor_ids)),
            "since": "" if since is None else instants.to_text(since),
        },
    )
    return [
        Event(row["actor_id"], row["kind"], instants.from_text(row["at"]), row["detail"])
        for row in rows
    ]
