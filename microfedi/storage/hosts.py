"""Other servers, as far as we send to them: failing since when, slow or not, which signature."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction

# How long what our own deliveries taught us about a host's signatures outweighs what the host
# shows of itself: some sign in a way that they do not accept.
PREFERENCE_HOLDS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Host:
    """`name` is the host with its port, if that is not the usual one; `attempts` failed in a row.

    `is_slow`: it did not answer promptly the last time. `prefers_rfc9421`: sign this way first.
    """

    id: int
    name: str
    attempts: int
    failing_since: datetime | None
    is_slow: bool
    prefers_rfc9421: bool


def by_name(reader: Reader, name: str) -> Host | None:
    """Return what we know about a host, None if we never had to do with it."""
    row = reader.one(
        """
        SELECT id, name, attempts, failing_since, is_slow, prefers_rfc9421
          FROM hosts
         WHERE name = :name
        """,
        {"name": name},
    )
    if row is None:
        return None
    since = row["failing_since"]
    return Host(
        row["id"],
        row["name"],
        row["attempts"],
        None if since is None else instants.from_text(since),
        bool(row["is_slow"]),
        bool(row["prefers_rfc9421"]),
    )


def id_for(tx: Transaction, name: str) -> int:
    """Return the row id of a host, which is made if it is new."""
    # The update changes nothing; without it an existing row would not be returned.
    host_id: int = tx.value(
        """
        INSERT INTO hosts (name) VALUES (:name)
        ON CONFLICT (name) DO UPDATE SET name = excluded.name
        RETURNING id
        """,
        {"name": name},
    )
    return host_id


def seen_alive(tx: Transaction, name: str, now: datetime) -> bool:
    """Try a host that was failing at once, because it has just spoken to us.

    Return True if there is something to send, so that the worker should be woken. Costs one lookup
    if the host is not failing.
    """
    woken = tx.one(
        """
        UPDATE hosts
           SET failing_since = NULL,
               attempts = 0,
               due_at = iif(is_leased OR due_at IS NULL, due_at, :now)
         WHERE name = :name
           AND failing_since IS NOT NULL
        RETURNING id, due_at IS NOT NULL AS has_work
        """,
        {"name": name, "now": instants.to_text(now)},
    )
    if woken is None:
        return False
    wake_aside(tx, woken["id"], now)
    return bool(woken["has_work"])


def try_now(tx: Transaction, host_id: int, now: datetime) -> bool:
    """Have a host tried at once, all that waits for it; False if nothing does."""
    wake_aside(tx, host_id, now)
    changed = tx.run(
        """
        UPDATE hosts
           SET due_at = iif(is_leased, due_at, min(due_at, :now))
         WHERE id = :id
           AND due_at IS NOT NULL
        """,
        {"id": host_id, "now": instants.to_text(now)},
    )
    return changed == 1


def wake_aside(tx: Transaction, host_id: int, now: datetime) -> None:
    """Make what was set aside during an outage due again: it was the host, not the activity."""
    tx.run(
        """
        UPDATE deliveries
           SET aside_until = :now
         WHERE host_id = :host_id
           AND aside_until > :now
        """,
        {"host_id": host_id, "now": instants.to_text(now)},
    )


def prefers(tx: Transaction, name: str, now: datetime) -> None:
    """Remember that a host itself uses RFC 9421, or asked for it, and shall get it first.

    Costs one lookup if that is known, or if a delivery taught us better a short while ago.
    """
    tx.run(
        """
        INSERT INTO hosts (name, prefers_rfc9421, preference_at) VALUES (:name, 1, :now)
        ON CONFLICT (name) DO UPDATE
           SET prefers_rfc9421 = 1,
               preference_at = excluded.preference_at
         WHERE prefers_rfc9421 = 0
           AND coalesce(preference_at, '') < :before
        """,
        {
            "name": name,
            "now": instants.to_text(now),
            "before": instants.to_text(now - PREFERENCE_HOLDS),
        },
    )


def prune(tx: Transaction, before: datetime) -> int:
    """Forget hosts for which nothing waits and of which we learnt nothing since `before`."""
    return tx.run(
        """
        DELETE FROM hosts
         WHERE due_at IS NULL
           AND coalesce(preference_at, '') < :before
           AND NOT EXISTS (SELECT 1 FROM deliveries WHERE deliveries.host_id = hosts.id)
           AND NOT EXISTS (SELECT 1 FROM undelivered WHERE undelivered.host_id = hosts.id)
        """,
        {"before": instants.to_text(before)},
    )
