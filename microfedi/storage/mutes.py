"""Whom and what the owner does not want to read for a while: people, conversations, servers.

Nobody is told, and what is muted can still be looked at. A mute whose time is over counts no more,
whether its row has been removed or not.
"""

from dataclasses import dataclass
from datetime import datetime

from microfedi.errors import InvalidInput
from microfedi.protocol import instants, uris
from microfedi.storage import actors
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction

MAX_SHOWN = 1000  # of each kind, on a page of settings


@dataclass(frozen=True, slots=True)
class MutedActor:
    """Somebody muted. `until` is None for good; `with_notifications`: those are not told either."""

    actor: Actor
    with_notifications: bool
    until: datetime | None


@dataclass(frozen=True, slots=True)
class MutedThread:
    """A muted conversation. `note_id` is a post in it, the first that is still here."""

    thread_id: int
    note_id: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class MutedHost:
    """A muted server, with every host below its name."""

    host: str
    until: datetime | None


def mute_actor(
    tx: Transaction,
    actor_id: int,
    *,
    with_notifications: bool,
    until: datetime | None,
    now: datetime,
) -> None:
    """Mute somebody, or mute them anew, until then; None is for good."""
    tx.run(
        """
        INSERT INTO muted_actors (actor_id, with_notifications, until, created_at)
        VALUES (:actor_id, :with_notifications, :until, :now)
        ON CONFLICT (actor_id) DO UPDATE
           SET with_notifications = excluded.with_notifications,
               until = excluded.until
        """,
        {
            "actor_id": actor_id,
            "with_notifications": with_notifications,
            "until": _text(until),
            "now": instants.to_text(now),
        },
    )


def unmute_actor(tx: Transaction, actor_id: int) -> bool:
    """Hear of somebody again; False if they were not muted."""
    return tx.run("DELETE FROM muted_actors WHERE actor_id = :id", {"id": actor_id}) == 1


def mute_thread(tx: Transaction, thread_id: int, *, until: datetime | None, now: datetime) -> None:
    """Mute a conversation, those who will write in it too."""
    tx.run(
        """
        INSERT INTO muted_threads (thread_id, until, created_at)
        VALUES (:thread_id, :until, :now)
        ON CONFLICT (thread_id) DO UPDATE SET until = excluded.until
        """,
        {"thread_id": thread_id, "until": _text(until), "now": instants.to_text(now)},
    )


def unmute_thread(tx: Transaction, thread_id: int) -> bool:
    """Hear of a conversation again; False if it was not muted."""
    return tx.run("DELETE FROM muted_threads WHERE thread_id = :id", {"id": thread_id}) == 1


def mute_host(tx: Transaction, host: str, *, until: datetime | None, now: datetime) -> str:
    """Mute a server and every host below its name; return the name as it was kept.

    Raises: InvalidInput (`host`) if it is no host name.
    """
    name = uris.ascii_host(host.strip().rstrip("."))
    if name is None:
        raise InvalidInput("host", "This is not the name of a server, like loud.example.")
    tx.run(
        """
        INSERT INTO muted_hosts (host, until, created_at)
        VALUES (:host, :until, :now)
        ON CONFLICT (host) DO UPDATE SET until = excluded.until
        """,
        {"host": name, "until": _text(until), "now": instants.to_text(now)},
    )
    return name


def unmute_host(tx: Transaction, host: str) -> bool:
    """Hear of a server again; False if it was not muted."""
    return tx.run("DELETE FROM muted_hosts WHERE host = :host", {"host": host}) == 1


def silences(reader: Reader, actor_id: int, note_id: int | None, now: datetime) -> bool:
    """True if the owner does not want to be told of what somebody did, to this note if to any."""
    found = reader.value(
        """
        SELECT EXISTS (SELECT 1 FROM muted_actors
                        WHERE actor_id = :actor_id
                          AND with_notifications
                          AND (until IS NULL OR until > :now))
            OR EXISTS (SELECT 1 FROM muted_threads
                         JOIN notes USING (thread_id)
                        WHERE notes.id = :note_id
                          AND (until IS NULL OR until > :now))
            OR EXISTS (SELECT 1 FROM muted_hosts
                         JOIN actors ON actors.id = :actor_id
                        WHERE instr('.' || actors.host || ':', '.' || muted_hosts.host || ':')
                          AND (until IS NULL OR until > :now))
        """,
        {"actor_id": actor_id, "note_id": note_id, "now": instants.to_text(now)},
    )
    return bool(found)


def of_actor(reader: Reader, actor_id: int, now: datetime) -> MutedActor | None:
    """Return whether and how somebody is muted."""
    found = muted_actors(reader, now, only=actor_id)
    return found[0] if found else None


def of_thread(reader: Reader, thread_id: int, now: datetime) -> MutedThread | None:
    """Return whether a conversation is muted."""
    found = muted_threads(reader, now, only=thread_id)
    return found[0] if found else None


def muted_actors(reader: Reader, now: datetime, *, only: int | None = None) -> list[MutedActor]:
    """Return who is muted, the last one first."""
    rows = reader.all(
        """
        SELECT actor_id, with_notifications, until
          FROM muted_actors
         WHERE (until IS NULL OR until > :now)
           AND actor_id = coalesce(:only, actor_id)
         ORDER BY created_at DESC, actor_id DESC
         LIMIT :limit
        """,
        {"now": instants.to_text(now), "only": only, "limit": MAX_SHOWN},
    )
    people = actors.by_ids(reader, [row["actor_id"] for row in rows])
    return [
        MutedActor(people[row["actor_id"]], bool(row["with_notifications"]), _instant(row["until"]))
        for row in rows
    ]


def muted_threads(reader: Reader, now: datetime, *, only: int | None = None) -> list[MutedThread]:
    """Return the muted conversations of which anything is here, the last one first."""
    rows = reader.all(
        """
        SELECT thread_id, until,
               coalesce(max(iif(notes.id = thread_id, thread_id, NULL)), min(notes.id)) AS note_id
          FROM muted_threads
          JOIN notes USING (thread_id)
         WHERE (until IS NULL OR until > :now)
           AND thread_id = coalesce(:only, thread_id)
         GROUP BY thread_id
         ORDER BY muted_threads.created_at DESC, thread_id DESC
         LIMIT :limit
        """,
        {"now": instants.to_text(now), "only": only, "limit": MAX_SHOWN},
    )
    return [MutedThread(row["thread_id"], row["note_id"], _instant(row["until"])) for row in rows]


def muted_hosts(reader: Reader, now: datetime) -> list[MutedHost]:
    """Return the muted servers, in the order of the alphabet."""
    rows = reader.all(
        """
        SELECT host, until
          FROM muted_hosts
         WHERE until IS NULL OR until > :now
         ORDER BY host
         LIMIT :limit
        """,
        {"now": instants.to_text(now), "limit": MAX_SHOWN},
    )
    return [MutedHost(row["host"], _instant(row["until"])) for row in rows]


def prune(tx: Transaction, now: datetime) -> int:
    """Remove the mutes whose time is over, and those of conversations that are gone."""
    over = {"now": instants.to_text(now)}
    return (
        tx.run("DELETE FROM muted_actors WHERE until <= :now", over)
        + tx.run("DELETE FROM muted_hosts WHERE until <= :now", over)
        + tx.run(
            """
            DELETE FROM muted_threads
             WHERE until <= :now
                OR NOT EXISTS (SELECT 1 FROM notes WHERE notes.thread_id = muted_threads.thread_id)
            """,
            over,
        )
    )


def _text(until: datetime | None) -> str | None:
    return None if until is None else instants.to_text(until)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else instants.from_text(text)
