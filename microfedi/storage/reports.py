"""Reports: what others say about the owner, and what the owner told other servers. All sealed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import instants, sanitize
from microfedi.storage.database import Reader, Transaction

MAX_KEPT = 500  # of others; the oldest go, so that reports cannot fill the disk
MAX_OF_ONE = 50  # of one reporter: who reports without end must not push out the others
MAX_CONTENT_CHARS = 5000  # as Mastodon


@dataclass(frozen=True, slots=True)
class Report:
    """`actor_id` reported, often a server for somebody; `object_uris` are people and posts."""

    id: int
    actor_id: int | None
    is_mine: bool
    object_uris: tuple[str, ...]
    content: str
    created_at: datetime


def add(
    tx: Transaction,
    uri: str,
    *,
    actor_id: int | None,
    is_mine: bool,
    object_uris: Sequence[str],
    content: str,
    now: datetime,
) -> bool:
    """Keep a report; False if it was there, or if there are enough of this reporter's."""
    key = tx.sealer.lookup_key("received", f"report {uri}")
    body = json.dumps(
        [list(object_uris), sanitize.plain(content, limit=MAX_CONTENT_CHARS)]
    ).encode()
    added = tx.run(
        """
        INSERT INTO reports (uri_key, actor_id, is_mine, body_sealed, created_at)
        SELECT :key, :actor_id, :is_mine, :body, :now
         WHERE :is_mine
            OR (SELECT count(*) FROM reports WHERE actor_id = :actor_id AND is_mine = 0) < :most
        ON CONFLICT (uri_key) DO NOTHING
        """,
        {
            "key": key,
            "actor_id": actor_id,
            "is_mine": is_mine,
            "body": tx.sealer.seal("received", body, bound_to=f"report {key.hex()}"),
            "now": instants.to_text(now),
            "most": MAX_OF_ONE,
        },
    )
    tx.run(
        """
        DELETE FROM reports
         WHERE is_mine = 0
           AND id <= (SELECT id FROM reports
                       WHERE is_mine = 0
                       ORDER BY id DESC
                       LIMIT 1 OFFSET :most)
        """,
        {"most": MAX_KEPT},
    )
    return added > 0


def page(reader: Reader, *, before_id: int | None = None, limit: int) -> list[Report]:
    """Return reports, the newest first."""
    rows = reader.all(
        """
        SELECT id, uri_key, actor_id, is_mine, body_sealed, created_at
          FROM reports
         WHERE id < coalesce(:before_id, 9223372036854775807)
         ORDER BY id DESC
         LIMIT :limit
        """,
        {"before_id": before_id, "limit": limit},
    )
    found = []
    for row in rows:
        plain = reader.sealer.open(
            "received", row["body_sealed"], bound_to=f"report {row['uri_key'].hex()}"
        )
        object_uris, content = json.loads(plain)
        found.append(
            Report(
                row["id"],
                row["actor_id"],
                bool(row["is_mine"]),
                tuple(object_uris),
                content,
                instants.from_text(row["created_at"]),
            )
        )
    return found
