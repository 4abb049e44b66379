"""Whom the owner does not want to hear of, and who does not want to hear of the owner."""

import json
from datetime import datetime

from microfedi.errors import InvalidInput
from microfedi.protocol import instants, uris
from microfedi.storage import actors
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction

MAX_SHOWN = 1000  # blocked actors or hosts on a page of settings


def block_actor(tx: Transaction, actor_id: int, now: datetime) -> None:
    """Block somebody. That follows end too is the caller's to say, with what is to be sent."""
    tx.run(
        """
        INSERT INTO blocked_actors (actor_id, created_at)
        VALUES (:actor_id, :now)
        ON CONFLICT (actor_id) DO NOTHING
        """,
        {"actor_id": actor_id, "now": instants.to_text(now)},
    )


def unblock_actor(tx: Transaction, actor_id: int) -> bool:
    """Take a block back; False if there was none."""
    return tx.run("DELETE FROM blocked_actors WHERE actor_id = :id", {"id": actor_id}) == 1


def block_host(tx: Transaction, host: str, now: datetime) -> str:
    """Block a server and every host below its name; return the name as it was kept.

    Raises: InvalidInput (`host`) if it is no host name.
    """
    name = uris.ascii_host(host.strip().rstrip("."))
    if name is None:
        raise InvalidInput("host", "This is not the name of a server, like bad.example.")
    tx.run(
        """
        INSERT INTO blocked_hosts (host, created_at)
        VALUES (:host, :now)
        ON CONFLICT (host) DO NOTHING
        """,
        {"host": name, "now": instants.to_text(now)},
    )
    return name


def unblock_host(tx: Transaction, host: str) -> bool:
    """Take the block of a server back; False if there was none."""
    return tx.run("DELETE FROM blocked_hosts WHERE host = :host", {"host": host}) == 1


def is_blocked(reader: Reader, actor_uri: str) -> bool:
    """True if this actor, their server, or a server above it by name is blocked.

    Known before anything is fetched: the actor need not have been met.
    """
    if is_host_blocked(reader, uris.host(actor_uri)):
        return True
    found = reader.value(
        """
        SELECT 1
          FROM blocked_actors
          JOIN actors ON actors.id = blocked_actors.actor_id
         WHERE actors.uri = :uri
        """,
        {"uri": actor_uri},
    )
    return found is not None


def is_host_blocked(reader: Reader, host: str) -> bool:
    """True if this host (a port after it is ignored) or one above it by name is blocked."""
    labels = host.partition(":")[0].split(".")
    names = [".".join(labels[start:]) for start in range(len(labels))]
    found = reader.value(
        """
        SELECT 1
          FROM blocked_hosts
         WHERE host IN (SELECT value FROM json_each(:names))
         LIMIT 1
        """,
        {"names": json.dumps(names)},
    )
    return found is not None


def blocked_actors(reader: Reader) -> list[Actor]:
    """Return who is blocked, the last one first."""
    rows = reader.all(
        "SELECT actor_id FROM blocked_actors ORDER BY created_at DESC, actor_id DESC LIMIT :limit",
        {"limit": MAX_SHOWN},
    )
    found = actors.by_ids(reader, [row["actor_id"] for row in rows])
    return [found[row["actor_id"]] for row in rows]


def blocked_hosts(reader: Reader) -> list[str]:
    """Return the names of blocked servers, in the order of the alphabet."""
    rows = reader.all(
        "SELECT host FROM blocked_hosts ORDER BY host LIMIT :limit", {"limit": MAX_SHOWN}
    )
    return [row["host"] for row in rows]


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
