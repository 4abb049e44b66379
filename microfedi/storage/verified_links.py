"""Pages that people name in their profiles, and whether those name them back (rel=me).

What a server says of its own links is never kept here: only what was seen by ourselves.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction

MAX_LINKS = 4  # of one profile that are looked at; Mastodon shows as many rows
FRESH_FOR = timedelta(days=7)  # then a page is looked at again, if somebody looks at the profile
# A page that cannot be had says nothing yet; one that cannot be had so often in a row does not
# vouch for anybody any more.
MAX_FAILURES = 3


@dataclass(frozen=True, slots=True)
class Link:
    """A page. `is_verified`: it linked back when it was last looked at, at `checked_at`.

    `verified_at` is since when it does, or did; `held_until` when it was last seen to.
    """

    actor_id: int
    url: str
    checked_at: datetime
    verified_at: datetime | None
    held_until: datetime | None
    is_verified: bool
    failures: int


AS_JSON = (
    """json_array(actor_id, url, checked_at, verified_at, held_until, is_verified, failures)"""
)


def of_actor(reader: Reader, actor_id: int) -> dict[str, Link]:
    """Return what is known of the pages of a profile, by address."""
    rows = reader.all(
        f"SELECT {AS_JSON} AS said FROM verified_links WHERE actor_id = :actor_id",  # noqa: S608
        {"actor_id": actor_id},
    )
    found = (from_json(json.loads(row["said"])) for row in rows)
    return {one.url: one for one in found}


def from_json(said: list[Any]) -> Link:
    """Read what AS_JSON selects."""
    actor_id, url, checked_at, verified_at, held_until, is_verified, failures = said
    return Link(
        actor_id,
        url,
        instants.from_text(checked_at),
        _time(verified_at),
        _time(held_until),
        bool(is_verified),
        failures,
    )


def put(tx: Transaction, actor_id: int, url: str, *, links_back: bool, now: datetime) -> None:
    """Keep what a page said: that it names the profile, or that it does not."""
    tx.run(
        """
        INSERT INTO verified_links (actor_id, url, checked_at, verified_at, held_until, is_verified)
        VALUES (:actor_id, :url, :now, iif(:holds, :now, NULL), iif(:holds, :now, NULL), :holds)
        ON CONFLICT (actor_id, url) DO UPDATE
           SET checked_at = excluded.checked_at,
               verified_at = iif(excluded.is_verified,
                                 iif(is_verified, verified_at, excluded.checked_at), verified_at),
               held_until = coalesce(excluded.held_until, held_until),
               is_verified = excluded.is_verified,
               failures = 0
        """,
        {"actor_id": actor_id, "url": url, "now": instants.to_text(now), "holds": links_back},
    )


def put_failure(tx: Transaction, actor_id: int, url: str, now: datetime) -> None:
    """Keep that a page could not be had."""
    tx.run(
        """
        INSERT INTO verified_links (actor_id, url, checked_at, is_verified, failures)
        VALUES (:actor_id, :url, :now, 0, 1)
        ON CONFLICT (actor_id, url) DO UPDATE
           SET checked_at = excluded.checked_at,
               failures = failures + 1,
               is_verified = iif(failures + 1 >= :most, 0, is_verified)
        """,
        {
            "actor_id": actor_id,
            "url": url,
            "now": instants.to_text(now),
            "most": MAX_FAILURES,
        },
    )


def keep_only(tx: Transaction, actor_id: int, urls: Collection[str]) -> None:
    """Forget pages that the profile names no longer."""
    tx.run(
        """
        DELETE FROM verified_links
         WHERE actor_id = :actor_id
           AND url NOT IN (SELECT value FROM json_each(:urls))
        """,
        {"actor_id": actor_id, "urls": json.dumps(list(urls))},
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else instants.from_text(text)
