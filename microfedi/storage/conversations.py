"""Conversations: the owner with the same people for ever, and how the owner wants to hear of them.

Somebody more is another conversation. Who writes to whom and when can be read on the disk.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from microfedi.protocol import instants
from microfedi.storage import actors, mutes
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction

State = Literal["open", "request"]
KEPT_DAYS: Final = (1, 7, 30, 90)  # after how many messages may go
MAX_DECLINED = 40  # shown on a page, the last ones
# Requests are of people who need nobody's leave: what waits for an answer has an end. Who is
# not let in is not told; their server believes that it arrived, as with a blocked one.
MAX_REQUESTS: Final = 500  # in the drawer
MAX_REQUESTS_OF_SERVER: Final = 50  # of them
MAX_UNANSWERED: Final = 20  # messages of one request
_NO_UPPER_END = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Conversation:
    """The owner with `people` (actor row ids, without the owner). `unread` counts others' only.

    `kept_days` is after how many days its messages are deleted, None for never; `muted_until` is
    None if it is not muted, or muted for good.
    """

    id: int
    people: tuple[int, ...]
    state: State
    last_message_id: int
    read_message_id: int
    unread: int
    kept_days: int | None = None
    is_muted: bool = False
    muted_until: datetime | None = None


def make(tx: Transaction, people: Collection[int], *, state: State) -> int:
    """Return the conversation with exactly these people (without the owner), made if it is new.

    A request becomes open when `state` is "open"; nothing makes an open one a request again.
    """
    key = _people_key(tx, people)
    row = tx.one("SELECT id, state FROM conversations WHERE people_key = :key", {"key": key})
    if row is None:
        conversation_id: int = tx.value(
            """
            INSERT INTO conversations (people_key, state)
            VALUES (:key, :state)
            RETURNING id
            """,
            {"key": key, "state": state},
        )
        tx.run_many(
            """
            INSERT INTO conversation_people (conversation_id, actor_id)
            VALUES (:conversation_id, :actor_id)
            """,
            [{"conversation_id": conversation_id, "actor_id": one} for one in set(people)],
        )
        return conversation_id
    if state == "open" and row["state"] == "request":
        accept(tx, row["id"])
    found: int = row["id"]
    return found


def find(reader: Reader, people: Collection[int]) -> int | None:
    """Return the conversation with exactly these people (without the owner), if there is one."""
    found: int | None = reader.value(
        "SELECT id FROM conversations WHERE people_key = :key",
        {"key": _people_key(reader, people)},
    )
    return found


def by_id(reader: Reader, conversation_id: int, *, now: datetime) -> Conversation | None:
    """Return a conversation."""
    values = {"id": conversation_id, "limit": 1}
    found = _conversations(reader, "conversations.id = :id", values, now)
    return found[0] if found else None


def by_ids(reader: Reader, ids: Collection[int], *, now: datetime) -> dict[int, Conversation]:
    """Return conversations by row id; what is not there is left out."""
    values = {"ids": json.dumps(list(ids)), "limit": len(ids)}
    condition = "conversations.id IN (SELECT value FROM json_each(:ids))"
    return {one.id: one for one in _conversations(reader, condition, values, now)}


def page(
    reader: Reader, *, state: State, before: int | None = None, limit: int, now: datetime
) -> list[Conversation]:
    """Return the conversations that are not empty, the one with the newest message first.

    `before` is the `last_message_id` of the last one of the page above.
    """
    return _conversations(
        reader,
        """conversations.state = :state
           AND conversations.last_message_id > 0
           AND conversations.last_message_id < :before""",
        {"state": state, "before": _NO_UPPER_END if before is None else before, "limit": limit},
        now,
    )


def state_of(reader: Reader, conversation_id: int) -> State | None:
    """Return whether a conversation is open, None if it is not there."""
    found: State | None = reader.value(
        "SELECT state FROM conversations WHERE id = :id", {"id": conversation_id}
    )
    return found


def requests(reader: Reader) -> int:
    """Return how many conversations wait in the drawer."""
    count: int = reader.value(
        "SELECT count(*) FROM conversations WHERE state = 'request' AND last_message_id > 0"
    )
    return count


def has_room(reader: Reader, people: Collection[int], *, host: str) -> bool:
    """True if one more message of a stranger at `host` may be kept, to exactly these people."""
    conversation_id = find(reader, people)
    if conversation_id is not None:
        return state_of(reader, conversation_id) == "open" or (
            _messages_in(reader, conversation_id) < MAX_UNANSWERED
        )
    # Of the server of whoever wrote: anybody can name people of another.
    of_server: int = reader.value(
        """
        SELECT count(DISTINCT conversations.id)
          FROM conversations
          JOIN messages ON messages.conversation_id = conversations.id
          JOIN actors ON actors.id = messages.actor_id
         WHERE conversations.state = 'request'
           AND actors.host = :host
        """,
        {"host": host},
    )
    return requests(reader) < MAX_REQUESTS and of_server < MAX_REQUESTS_OF_SERVER


def _messages_in(reader: Reader, conversation_id: int) -> int:
    count: int = reader.value(
        "SELECT count(*) FROM messages WHERE conversation_id = :id", {"id": conversation_id}
    )
    return count


def accept(tx: Transaction, conversation_id: int) -> None:
    """Make a request an open conversation."""
    tx.run("UPDATE conversations SET state = 'open' WHERE id = :id", {"id": conversation_id})


def remove(tx: Transaction, conversation_id: int) -> bool:
    """Delete a conversation; False if it is not there. Its messages have been deleted before."""
    return tx.run("DELETE FROM conversations WHERE id = :id", {"id": conversation_id}) > 0


def mark_read(tx: Transaction, conversation_id: int) -> None:
    """Note that the owner has seen what is there."""
    tx.run(
        "UPDATE conversations SET read_message_id = last_message_id WHERE id = :id",
        {"id": conversation_id},
    )


def mark_unread(tx: Transaction, conversation_id: int) -> None:
    """Let the newest message of somebody else count as one that the owner has not seen."""
    tx.run(
        """
        UPDATE conversations
           SET read_message_id = coalesce(
                   (SELECT max(id) - 1
                      FROM messages
                     WHERE conversation_id = :id
                       AND actor_id NOT IN (SELECT actor_id FROM owner)),
                   read_message_id)
         WHERE id = :id
        """,
        {"id": conversation_id},
    )


def unread(reader: Reader, *, now: datetime) -> int:
    """Return in how many open conversations others wrote what the owner has not seen.

    Muted ones, and what muted people wrote, do not count; strangers' never do.
    """
    count: int = reader.value(
        """
        SELECT count(*)
          FROM conversations
         WHERE state = 'open'
           AND last_message_id > read_message_id
           AND NOT EXISTS (SELECT 1
                             FROM muted_conversations
                            WHERE conversation_id = conversations.id
                              AND (until IS NULL OR until > :now))
           AND EXISTS (SELECT 1
                         FROM messages
                        WHERE messages.conversation_id = conversations.id
                          AND messages.id > conversations.read_message_id
                          AND messages.actor_id NOT IN (SELECT actor_id FROM owner)
                          AND messages.actor_id NOT IN (
                                  SELECT actor_id
                                    FROM muted_actors
                                   WHERE with_notifications
                                     AND (until IS NULL OR until > :now)))
        """,
        {"now": instants.to_text(now)},
    )
    return count


def tells(reader: Reader, conversation_id: int, actor_id: int, *, now: datetime) -> bool:
    """True if the owner wants to be told at once of what somebody writes in a conversation.

    Asked when it arrives, by whatever pushes. Never true of strangers.
    """
    found = by_id(reader, conversation_id, now=now)
    return (
        found is not None
        and found.state == "open"
        and not found.is_muted
        and not mutes.silences(reader, actor_id, None, now)
    )


def mute(tx: Transaction, conversation_id: int, *, until: datetime | None) -> None:
    """Do not count what comes in a conversation, until then; None is for good. It is kept."""
    tx.run(
        """
        INSERT INTO muted_conversations (conversation_id, until)
        VALUES (:id, :until)
        ON CONFLICT (conversation_id) DO UPDATE SET until = excluded.until
        """,
        {"id": conversation_id, "until": None if until is None else instants.to_text(until)},
    )


def unmute(tx: Transaction, conversation_id: int) -> None:
    """Count what comes in a conversation again."""
    tx.run("DELETE FROM muted_conversations WHERE conversation_id = :id", {"id": conversation_id})


def keep_for(tx: Transaction, conversation_id: int, days: int | None) -> None:
    """Have its messages deleted after so many days (one of `KEPT_DAYS`); None is never."""
    tx.run(
        "UPDATE conversations SET kept_days = :days WHERE id = :id",
        {"id": conversation_id, "days": days},
    )


def fading(reader: Reader) -> list[tuple[int, timedelta]]:
    """Return the conversations whose messages are deleted by time, and after how long."""
    rows = reader.all("SELECT id, kept_days FROM conversations WHERE kept_days IS NOT NULL")
    return [(row["id"], timedelta(days=row["kept_days"])) for row in rows]


def decline(tx: Transaction, actor_ids: Iterable[int], now: datetime) -> None:
    """Keep nothing that these people write, until the owner writes to them or follows them."""
    tx.run_many(
        """
        INSERT INTO declined_people (actor_id, declined_at)
        VALUES (:actor_id, :now)
        ON CONFLICT (actor_id) DO NOTHING
        """,
        [{"actor_id": one, "now": instants.to_text(now)} for one in actor_ids],
    )


def undecline(tx: Transaction, actor_ids: Iterable[int]) -> None:
    """Let these people write again."""
    tx.run(
        "DELETE FROM declined_people WHERE actor_id IN (SELECT value FROM json_each(:ids))",
        {"ids": json.dumps(list(actor_ids))},
    )


def is_declined(reader: Reader, actor_id: int) -> bool:
    """True if the owner does not want what this person writes."""
    return (
        reader.value("SELECT 1 FROM declined_people WHERE actor_id = :id", {"id": actor_id})
        is not None
    )


def declined(reader: Reader) -> list[Actor]:
    """Return who was declined, the last one first."""
    rows = reader.all(
        """
        SELECT actor_id
          FROM declined_people
         ORDER BY declined_at DESC, actor_id DESC
         LIMIT :limit
        """,
        {"limit": MAX_DECLINED},
    )
    people = actors.by_ids(reader, [row["actor_id"] for row in rows]) if rows else {}
    return [people[row["actor_id"]] for row in rows]


def _conversations(
    reader: Reader, condition: str, values: dict[str, Any], now: datetime
) -> list[Conversation]:
    rows = reader.all(
        f"""
        SELECT id, state, last_message_id, read_message_id, kept_days,
               (SELECT json_group_array(actor_id)
                  FROM conversation_people
                 WHERE conversation_id = conversations.id) AS people,
               (SELECT count(*)
                  FROM messages
                 WHERE messages.conversation_id = conversations.id
                   AND messages.id > conversations.read_message_id
                   AND messages.actor_id NOT IN (SELECT actor_id FROM owner)) AS unread,
               muted.conversation_id IS NOT NULL AS is_muted,
               muted.until AS muted_until
          FROM conversations
          LEFT JOIN muted_conversations AS muted
                 ON muted.conversation_id = conversations.id
                AND (muted.until IS NULL OR muted.until > :now)
         WHERE {condition}
         ORDER BY last_message_id DESC
         LIMIT :limit
        """,  # noqa: S608
        {**values, "now": instants.to_text(now)},
    )
    return [
        Conversation(
            **dict(row)
            | {
                "people": tuple(json.loads(row["people"])),
                "is_muted": bool(row["is_muted"]),
                "muted_until": row["muted_until"] and instants.from_text(row["muted_until"]),
            }
        )
        for row in rows
    ]


def _people_key(reader: Reader, people: Collection[int]) -> bytes:
    return reader.sealer.lookup_key("conversation", json.dumps(sorted(set(people))))
