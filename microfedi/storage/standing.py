"""How the owner and somebody stand to each other, asked for at once."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from microfedi.protocol import instants, uris
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader


@dataclass(frozen=True, slots=True)
class Standing:
    """Who follows whom, and what keeps them apart.

    `is_blocked` is by themselves or by their server, `is_host_blocked` by their server, or one
    above it by name.
    """

    following: Literal["no", "requested", "accepted", "rejected"]
    follower: Literal["no", "requested", "accepted"]
    is_blocked: bool
    is_host_blocked: bool
    is_muted: bool
    hides_boosts: bool = False


def of_actor(reader: Reader, actor: Actor, now: datetime) -> Standing:
    """Read how the owner and `actor` stand to each other."""
    labels = uris.host(actor.uri).partition(":")[0].split(".")
    hosts = [".".join(labels[start:]) for start in range(len(labels))]
    row = reader.one(
        """
        SELECT coalesce((SELECT state FROM following WHERE actor_id = :id), 'no') AS following,
               coalesce((SELECT hides_boosts FROM following WHERE actor_id = :id), 0)
               AS hides_boosts,
               coalesce((SELECT state FROM followers WHERE actor_id = :id), 'no') AS follower,
               EXISTS (SELECT 1 FROM blocked_actors WHERE actor_id = :id) AS is_blocked,
               EXISTS (SELECT 1 FROM blocked_hosts
                        WHERE host IN (SELECT value FROM json_each(:hosts))) AS is_host_blocked,
               EXISTS (SELECT 1 FROM muted_actors
                        WHERE actor_id = :id AND (until IS NULL OR until > :now)) AS is_muted
        """,
        {"id": actor.id, "hosts": json.dumps(hosts), "now": instants.to_text(now)},
    )
    if row is None:
        raise LookupError("a SELECT without FROM has one row")
    return Standing(
        following=row["following"],
        follower=row["follower"],
        is_blocked=bool(row["is_blocked"] or row["is_host_blocked"]),
        is_host_blocked=bool(row["is_host_blocked"]),
        is_muted=bool(row["is_muted"]),
        hides_boosts=bool(row["hides_boosts"]),
    )
