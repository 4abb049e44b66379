"""Whom the owner does not want to hear of, and who does not want to hear of the owner.

A block that has an end is in force until somebody ends it: when its time is over, a job does.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from microfedi.errors import InvalidInput
from microfedi.protocol import instants, uris
from microfedi.storage import actors
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction

MAX_SHOWN = 1000  # blocked actors or hosts on a page of settings


@dataclass(frozen=True, slots=True)
class BlockedActor:
    """Somebody blocked, until when (None: for good), and the id of the Block that they got."""

    actor: Actor
    until: datetime | None
    uri: str | None


@dataclass(frozen=True, slots=True)
class BlockedHost:
    """A blocked server, with every host below its name. `until` is None for good."""

    host: str
    until: datetime | None


def block_actor(
    tx: Transaction,
    actor_id: int,
    now: datetime,
    *,
    until: datetime | None = None,
    uri: str | None = None,
) -> None:
    """Block somebody, or change until when; `uri` is the Block that they are sent, if they are.

    That follows end too is the caller's to say, with what is to be sent.
    """
    tx.run(
        """
        INSERT INTO blocked_actors (actor_id, until, uri, created_at)
        VALUES (:actor_id, :until, :uri, :now)
        ON CONFLICT (actor_id) DO UPDATE
           SET until = excluded.until,
               uri = coalesce(uri, excluded.uri)
        """,
        {
            "actor_id": actor_id,
            "until": None if until is None else instants.to_text(until),
            "uri": uri,
            "now": instants.to_text(now),
        },
    )


def unblock_actor(tx: Transaction, actor_id: int) -> bool:
    """Take a block back; False if there was none."""
    return tx.run("DELETE FROM blocked_actors WHERE actor_id = :id", {"id": actor_id}) == 1


def host_name(text: str) -> str:
    """Return the name of a server as it is kept.

    Raises: InvalidInput (`host`) if it is no host name.
    """
    name = uris.ascii_host(text.strip().rstrip("."))
    if name is None:
        raise InvalidInput("host", "This is not the name of a server, like bad.example.")
    return name


def block_host(tx: Transaction, host: str, now: datetime, *, until: datetime | None = None) -> str:
    """Block a server and every host below its name; return the name as it was kept.

    Raises: InvalidInput (`host`) if it is no host name.
    """
    name = host_name(host)
    tx.run(
        """
        INSERT INTO blocked_hosts (host, until, created_at)
        VALUES (:host, :until, :now)
        ON CONFLICT (host) DO UPDATE SET until = excluded.until
        """,
        {
            "host": name,
            "until": None if until is None else instants.to_text(until),
            "now": instants.to_text(now),
        },
    )
    return name


def unblock_host(tx: Transaction, host: str) -> bool:
    """Take the block of a server back; False if there was none."""
    return tx.run("DELETE FROM blocked_hosts WHERE host = :host", {"host": host}) == 1


def is_blocked(reader: Reader, actor_uri: str) -> bool:
    """True if this actor, their server, or a server above it by name is blocked.

    Known before anything is fetched: the actor need not have been met.
    """
    return is_any_blocked(reader, [actor_uri], [uris.host(actor_uri)])


def is_host_blocked(reader: Reader, host: str) -> bool:
    """True if this host (a port after it is ignored) or one above it by name is blocked."""
    return is_any_blocked(reader, [], [host])


def is_any_blocked(reader: Reader, actor_uris: Iterable[str], hosts: Iterable[str]) -> bool:
    """True if one of these actors is blocked, or one of these hosts or one above it by name."""
    names = {name for host in hosts for name in _names(host)}
    found = reader.value(
        """
        SELECT EXISTS (SELECT 1
                         FROM blocked_hosts
                        WHERE host IN (SELECT value FROM json_each(:names)))
            OR EXISTS (SELECT 1
                         FROM blocked_actors
                         JOIN actors ON actors.id = blocked_actors.actor_id
                        WHERE actors.uri IN (SELECT value FROM json_each(:uris)))
        """,
        {"names": json.dumps(sorted(names)), "uris": json.dumps(sorted(set(actor_uris)))},
    )
    return bool(found)


def blocked_of(reader: Reader, actor_uris: Iterable[str]) -> set[str]:
    """Return which of these actors are blocked, by themselves or with their servers."""
    names = {uri: _names(uris.host(uri)) for uri in actor_uris}
    rows = reader.all(
        """
        SELECT host AS found
          FROM blocked_hosts
         WHERE host IN (SELECT value FROM json_each(:names))
         UNION ALL
        SELECT actors.uri
          FROM blocked_actors
          JOIN actors ON actors.id = blocked_actors.actor_id
         WHERE actors.uri IN (SELECT value FROM json_each(:uris))
        """,
        {"names": json.dumps(sorted(set().union(*names.values()))), "uris": json.dumps([*names])},
    )
    found = {row["found"] for row in rows}
    return {uri for uri, above in names.items() if uri in found or above & found}


def _names(host: str) -> set[str]:
    """Return a host's name and those above it; a port after it is ignored."""
    labels = host.partition(":")[0].split(".")
    return {".".join(labels[start:]) for start in range(len(labels))}


def of_actor(reader: Reader, actor_id: int) -> BlockedActor | None:
    """Return whether and how somebody is blocked; their server is another matter."""
    found = blocked_actors(reader, only=actor_id)
    return found[0] if found else None


def blocked_actors(reader: Reader, *, only: int | None = None) -> list[BlockedActor]:
    """Return who is blocked, the last one first."""
    rows = reader.all(
        """
        SELECT actor_id, until, uri
          FROM blocked_actors
         WHERE actor_id = coalesce(:only, actor_id)
         ORDER BY created_at DESC, actor_id DESC
         LIMIT :limit
        """,
        {"only": only, "limit": MAX_SHOWN},
    )
    found = actors.by_ids(reader, [row["actor_id"] for row in rows])
    return [
        BlockedActor(found[row["actor_id"]], _instant(row["until"]), row["uri"]) for row in rows
    ]


def of_host(reader: Reader, host: str) -> BlockedHost | None:
    """Return the block of exactly this name."""
    return next((one for one in blocked_hosts(reader, only=host)), None)


def blocked_hosts(reader: Reader, *, only: str | None = None) -> list[BlockedHost]:
    """Return the blocked servers, in the order of the alphabet."""
    rows = reader.all(
        """
        SELECT host, until
          FROM blocked_hosts
         WHERE host = coalesce(:only, host)
         ORDER BY host
         LIMIT :limit
        """,
        {"only": only, "limit": MAX_SHOWN},
    )
    return [BlockedHost(row["host"], _instant(row["until"])) for row in rows]


def blocked_by_add(tx: Transaction, actor_id: int, block_uri: str) -> None:
    """Note that somebody blocked the owner."""
    tx.run(
        """
        INSERT INTO blocked_by (actor_id, block_uri)
        VALUES (:actor_id, :block_uri)
        ON CONFLICT (actor_id) DO UPDATE SET block_uri = excluded.block_uri
        """,
        {"actor_id": actor_id, "block_uri": block_uri},
    )


def blocked_by_remove(tx: Transaction, actor_id: int) -> bool:
    """Note that somebody took their block of the owner back; False if we knew of none."""
    return tx.run("DELETE FROM blocked_by WHERE actor_id = :id", {"id": actor_id}) == 1


def has_blocked_us(reader: Reader, actor_id: int) -> bool:
    """True if this actor told us that they blocked the owner."""
    found = reader.value("SELECT 1 FROM blocked_by WHERE actor_id = :id", {"id": actor_id})
    return found is not None


def block_uri(reader: Reader, actor_id: int) -> str | None:
    """Return the id of the Block that this actor told us of, None if there was none."""
    found: str | None = reader.value(
        "SELECT block_uri FROM blocked_by WHERE actor_id = :id", {"id": actor_id}
    )
    return found


def _instant(text: str | None) -> datetime | None:
    return None if text is None else instants.from_text(text)
