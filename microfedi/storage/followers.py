"""Who follows the owner, and who asked to."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from microfedi.protocol import instants, synchronization
from microfedi.storage import actors
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction

State = Literal["requested", "accepted"]


@dataclass(frozen=True, slots=True)
class Follower:
    """Somebody who follows, or waits to be let in. `follow_uri` is the id of their Follow."""

    actor_id: int
    follow_uri: str
    state: State
    created_at: datetime


def put(tx: Transaction, actor_id: int, follow_uri: str, state: State, now: datetime) -> Follower:
    """Keep a Follow; a repeated one renews its id, and never takes back an acceptance."""
    tx.run(
        """
        INSERT INTO followers (actor_id, follow_uri, state, created_at)
        VALUES (:actor_id, :follow_uri, :state, :now)
        ON CONFLICT (actor_id) DO UPDATE
           SET follow_uri = excluded.follow_uri,
               state = iif(state = 'accepted', state, excluded.state)
        """,
        {
            "actor_id": actor_id,
            "follow_uri": follow_uri,
            "state": state,
            "now": instants.to_text(now),
        },
    )
    follower = by_actor(tx, actor_id)
    assert follower is not None  # noqa: S101 - it was just written
    return follower


def by_actor(reader: Reader, actor_id: int) -> Follower | None:
    """Return the follow or the request of one actor."""
    row = reader.one(
        """
        SELECT actor_id, follow_uri, state, created_at
          FROM followers
         WHERE actor_id = :actor_id
        """,
        {"actor_id": actor_id},
    )
    if row is None:
        return None
    created_at = instants.from_text(row["created_at"])
    return Follower(row["actor_id"], row["follow_uri"], row["state"], created_at)


def accept(tx: Transaction, actor_id: int) -> bool:
    """Let in who asked; False if nobody of that id waits."""
    changed = tx.run(
        "UPDATE followers SET state = 'accepted' WHERE actor_id = :id AND state = 'requested'",
        {"id": actor_id},
    )
    return changed == 1


def remove(tx: Transaction, actor_id: int) -> bool:
    """Forget a follower or a request; False if there was none. They leave all circles."""
    tx.run("DELETE FROM circle_people WHERE actor_id = :id", {"id": actor_id})
    return tx.run("DELETE FROM followers WHERE actor_id = :id", {"id": actor_id}) == 1


def count(reader: Reader) -> int:
    """Return how many follow the owner; requests do not count."""
    counted: int = reader.value("SELECT count(*) FROM followers WHERE state = 'accepted'")
    return counted


def count_requests(reader: Reader) -> int:
    """Return how many wait to be let in."""
    counted: int = reader.value("SELECT count(*) FROM followers WHERE state = 'requested'")
    return counted


def accepted(reader: Reader, *, before_id: int | None, limit: int) -> list[Actor]:
    """Return a page of followers, the last met first; the next page is before the last one's id."""
    rows = reader.all(
        """
        SELECT actor_id
          FROM followers
         WHERE state = 'accepted'
           AND actor_id < coalesce(:before_id, 9223372036854775807)
         ORDER BY actor_id DESC
         LIMIT :limit
        """,
        {"before_id": before_id, "limit": limit},
    )
    found = actors.by_ids(reader, [row["actor_id"] for row in rows])
    return [found[row["actor_id"]] for row in rows]


def requests(reader: Reader, limit: int) -> list[Actor]:
    """Return who waits to be let in, who asked first in front."""
    rows = reader.all(
        """
        SELECT actor_id
          FROM followers
         WHERE state = 'requested'
         ORDER BY created_at, actor_id
         LIMIT :limit
        """,
        {"limit": limit},
    )
    found = actors.by_ids(reader, [row["actor_id"] for row in rows])
    return [found[row["actor_id"]] for row in rows]


def unreachable(
    reader: Reader, *, named: Collection[int], with_followers: bool, limit: int
) -> list[Actor]:
    """Return who of these people, and of the followers if wanted, is never sent anything: whose
    account is gone or suspended, or who is blocked.
    """
    rows = reader.all(
        """
        SELECT actors.id
          FROM actors
         WHERE (actors.id IN (SELECT value FROM json_each(:named))
                OR actors.id IN (SELECT actor_id FROM followers
                                  WHERE state = 'accepted' AND :with_followers))
           AND (actors.state <> 'ok'
                OR actors.id IN (SELECT actor_id FROM blocked_actors)
                OR EXISTS (SELECT 1 FROM blocked_hosts
                            WHERE instr('.' || actors.host || ':',
                                        '.' || blocked_hosts.host || ':')))
         ORDER BY actors.id
         LIMIT :limit
        """,
        {"named": json.dumps(list(named)), "with_followers": with_followers, "limit": limit},
    )
    found = actors.by_ids(reader, [row["id"] for row in rows])
    return [found[row["id"]] for row in rows]


def uris_on(reader: Reader, host: str) -> list[str]:
    """Return the ids of the followers on one server, in order."""
    rows = reader.all(
        """
        SELECT actors.uri
          FROM actors
          JOIN followers ON followers.actor_id = actors.id
         WHERE actors.host = :host
           AND followers.state = 'accepted'
         ORDER BY actors.uri
        """,
        {"host": host},
    )
    return [row["uri"] for row in rows]


def digest_on(reader: Reader, host: str) -> str:
    """Return the digest by which that server can tell whether it knows the same followers.

    Source: FEP-8fcf.
    """
    return synchronization.digest(uris_on(reader, host))


def inboxes(reader: Reader) -> list[str]:
    """Return where a post for followers is sent: each server's shared inbox once, else their own.

    Who is gone, suspended by their own server, or blocked gets nothing.
    """
    rows = reader.all(
        """
        SELECT DISTINCT coalesce(actors.shared_inbox, actors.inbox) AS inbox
          FROM followers
          JOIN actors ON actors.id = followers.actor_id
         WHERE followers.state = 'accepted'
           AND actors.state = 'ok'
           AND followers.actor_id NOT IN (SELECT actor_id FROM blocked_actors)
         ORDER BY inbox
        """
    )
    return [row["inbox"] for row in rows]
