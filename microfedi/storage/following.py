"""Whom the owner follows, and whom they asked."""

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from microfedi.protocol import instants
from microfedi.storage import actors, strangers
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction

State = Literal["requested", "accepted", "rejected"]


@dataclass(frozen=True, slots=True)
class Following:
    """Somebody the owner follows or asked. `follow_uri` is the id of our Follow."""

    actor_id: int
    follow_uri: str
    state: State
    created_at: datetime
    hides_boosts: bool = False  # from Home and lists


def put(tx: Transaction, actor_id: int, follow_uri: str, state: State, now: datetime) -> Following:
    """Keep a Follow of ours in place of an earlier one."""
    tx.run(
        """
        INSERT INTO following (actor_id, follow_uri, state, created_at)
        VALUES (:actor_id, :follow_uri, :state, :now)
        ON CONFLICT (actor_id) DO UPDATE
           SET follow_uri = excluded.follow_uri,
               state = excluded.state,
               created_at = excluded.created_at
        """,
        {
            "actor_id": actor_id,
            "follow_uri": follow_uri,
            "state": state,
            "now": instants.to_text(now),
        },
    )
    _greet(tx, actor_id, state)
    return Following(actor_id, follow_uri, state, now)


def by_actor(reader: Reader, actor_id: int) -> Following | None:
    """Return our follow of one actor, in whatever state."""
    row = reader.one(
        """
        SELECT actor_id, follow_uri, state, created_at, hides_boosts
          FROM following
         WHERE actor_id = :actor_id
        """,
        {"actor_id": actor_id},
    )
    return None if row is None else _from_row(row)


def by_follow_uri(reader: Reader, follow_uri: str) -> Following | None:
    """Return which follow an Accept or Reject speaks of."""
    row = reader.one(
        """
        SELECT actor_id, follow_uri, state, created_at, hides_boosts
          FROM following
         WHERE follow_uri = :follow_uri
        """,
        {"follow_uri": follow_uri},
    )
    return None if row is None else _from_row(row)


def set_state(tx: Transaction, actor_id: int, state: State) -> bool:
    """Note what the other side said; False if we neither follow nor asked."""
    changed = tx.run(
        "UPDATE following SET state = :state WHERE actor_id = :id",
        {"state": state, "id": actor_id},
    )
    _greet(tx, actor_id, state)
    return changed == 1


def set_hides_boosts(tx: Transaction, actor_id: int, *, hides: bool) -> bool:
    """Show somebody's boosts, or do not; False if they are not followed."""
    changed = tx.run(
        "UPDATE following SET hides_boosts = :hides WHERE actor_id = :id",
        {"hides": hides, "id": actor_id},
    )
    return changed == 1


def remove(tx: Transaction, actor_id: int) -> bool:
    """Follow no longer; False if we did not."""
    return tx.run("DELETE FROM following WHERE actor_id = :id", {"id": actor_id}) == 1


def count(reader: Reader) -> int:
    """Return how many the owner follows; who has not answered does not count."""
    counted: int = reader.value("SELECT count(*) FROM following WHERE state = 'accepted'")
    return counted


def page(
    reader: Reader, *, before_id: int | None, limit: int, state: State = "accepted"
) -> list[Actor]:
    """Return a page of the followed, the last met first; the next one is before the last's id."""
    rows = reader.all(
        """
        SELECT actor_id
          FROM following
         WHERE state = :state
           AND actor_id < coalesce(:before_id, 9223372036854775807)
         ORDER BY actor_id DESC
         LIMIT :limit
        """,
        {"state": state, "before_id": before_id, "limit": limit},
    )
    found = actors.by_ids(reader, [row["actor_id"] for row in rows])
    return [found[row["actor_id"]] for row in rows]


def is_followed(reader: Reader, actor_id: int) -> bool:
    """True if the owner follows, and was let in."""
    found = reader.value(
        "SELECT 1 FROM following WHERE actor_id = :id AND state = 'accepted'", {"id": actor_id}
    )
    return found is not None


def among(reader: Reader, actor_ids: Collection[int]) -> frozenset[int]:
    """Return whom of these the owner follows, or asked to."""
    rows = reader.all(
        """
        SELECT actor_id
          FROM following
         WHERE state <> 'rejected'
           AND actor_id IN (SELECT value FROM json_each(:ids))
        """,
        {"ids": json.dumps(list(actor_ids))},
    )
    return frozenset(row["actor_id"] for row in rows)


def _greet(tx: Transaction, actor_id: int, state: State) -> None:
    """Who is followed is no stranger: what waits of them comes in."""
    if state == "accepted":
        strangers.release(tx, actor_id)


def _from_row(row: sqlite3.Row) -> Following:
    created_at = instants.from_text(row["created_at"])
    return Following(
        row["actor_id"], row["follow_uri"], row["state"], created_at, bool(row["hides_boosts"])
    )
