"""What is known of messages without opening them: whose they are, their ids, when they were made.

Whatever has to work while nobody reads is done by it: an edit or a deletion that arrives, messages
that go when their time is over. It is sealed under the server key, apart from what was said.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row

from microfedi.protocol import ids, instants
from microfedi.storage import bodies
from microfedi.storage.database import Reader, Transaction

_PURPOSE = "message head"


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a message without opening it. `edited_at` is that of its last version.

    `context` and `conversation` are ids of the thread, as its server names it.
    """

    id: int
    conversation_id: int
    actor_id: int
    uri: str
    public_id: str | None
    published_at: datetime
    edited_at: datetime | None
    context: str | None = None
    conversation: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """What went with messages, for whoever deleted them: files to be deleted after the commit,
    names of the owner's own and of copies, and the owner's messages that others still have.
    """

    ours: tuple[Head, ...] = ()
    files: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()


def sealed(tx: Transaction, head: Head) -> bytes:
    """Return what a row of `messages` keeps of its head."""
    about = {
        "uri": head.uri,
        "public_id": head.public_id,
        "published": instants.to_text(head.published_at),
        "edited": head.edited_at and instants.to_text(head.edited_at),
        "context": head.context,
        "conversation": head.conversation,
    }
    return tx.sealer.seal(_PURPOSE, json.dumps(about).encode(), bound_to=str(head.id))


def of_row(reader: Reader, row: Row) -> Head:
    """Return the head of a row of `messages`."""
    message_id = row["id"]
    if row["head_sealed"] is None:  # it came before there were heads
        plain = reader.sealer.open("message", row["body_sealed"], bound_to=str(message_id))
        said = bodies.from_bytes(plain)
        edited = said.get("updated")
    else:
        plain = reader.sealer.open(_PURPOSE, row["head_sealed"], bound_to=str(message_id))
        said = json.loads(plain)
        edited = said["edited"]
    return Head(
        message_id,
        row["conversation_id"],
        row["actor_id"],
        said["uri"],
        said.get("public_id"),
        instants.from_text(said["published"]),
        instants.from_text(edited) if edited else None,
        said.get("context"),
        said.get("conversation"),
    )


def by_uri(reader: Reader, uri: str) -> Head | None:
    """Return what is known of the message with this id."""
    row = reader.one("SELECT * FROM messages WHERE uri_key = :key", {"key": uri_key(reader, uri)})
    return None if row is None else of_row(reader, row)


def by_id(reader: Reader, message_id: int) -> Head | None:
    """Return what is known of the message of a row."""
    row = reader.one("SELECT * FROM messages WHERE id = :id", {"id": message_id})
    return None if row is None else of_row(reader, row)


def newest(reader: Reader, conversation_id: int) -> Head | None:
    """Return what is known of the newest message of a conversation."""
    row = reader.one(
        "SELECT * FROM messages WHERE conversation_id = :id ORDER BY id DESC LIMIT 1",
        {"id": conversation_id},
    )
    return None if row is None else of_row(reader, row)


def has(reader: Reader, uri: str) -> bool:
    """True if a message with this id is here."""
    found = reader.value(
        "SELECT 1 FROM messages WHERE uri_key = :key", {"key": uri_key(reader, uri)}
    )
    return found is not None


def older_than(reader: Reader, conversation_id: int, *, instant: datetime, limit: int) -> list[int]:
    """Return the row ids of the oldest messages that arrived before `instant`."""
    rows = reader.all(
        """
        SELECT id
          FROM messages
         WHERE conversation_id = :conversation_id
           AND id < :before
         ORDER BY id
         LIMIT :limit
        """,
        {"conversation_id": conversation_id, "before": ids.row_id(instant), "limit": limit},
    )
    return [row["id"] for row in rows]


def ids_of(reader: Reader, conversation_id: int) -> list[int]:
    """Return the row ids of all messages of a conversation."""
    rows = reader.all(
        "SELECT id FROM messages WHERE conversation_id = :id", {"id": conversation_id}
    )
    return [row["id"] for row in rows]


def writers(reader: Reader, conversation_id: int) -> set[int]:
    """Return who has written in a conversation (actor row ids)."""
    rows = reader.all(
        "SELECT DISTINCT actor_id FROM messages WHERE conversation_id = :id",
        {"id": conversation_id},
    )
    return {row["actor_id"] for row in rows}


def delete(tx: Transaction, message_ids: Iterable[int], *, now: datetime) -> Gone:
    """Remove messages, so that late Creates do not bring them back.

    What remains says nothing about them. Conversations stay, empty if it was the last one.
    """
    wanted = {"ids": json.dumps(list(message_ids))}
    rows = tx.all(
        "SELECT * FROM messages WHERE id IN (SELECT value FROM json_each(:ids)) ORDER BY id", wanted
    )
    files = tx.all(
        """
        SELECT iif(in_vault, public_id || '-v', public_id) AS name
          FROM media
         WHERE message_id IN (SELECT value FROM json_each(:ids))
        """,
        wanted,
    )
    tx.run("DELETE FROM messages WHERE id IN (SELECT value FROM json_each(:ids))", wanted)
    tx.run_many(
        """
        INSERT INTO tombstones (uri, deleted_at)
        VALUES (:buried_as, :deleted_at)
        ON CONFLICT (uri) DO NOTHING
        """,
        [
            {"buried_as": buried_as(row["uri_key"]), "deleted_at": instants.to_text(now)}
            for row in rows
        ],
    )
    tx.run(
        """
        UPDATE conversations
           SET last_message_id = coalesce((SELECT max(messages.id) FROM messages
                                            WHERE messages.conversation_id = conversations.id), 0)
         WHERE id IN (SELECT value FROM json_each(:ids))
        """,
        {"ids": json.dumps([row["conversation_id"] for row in rows])},
    )
    heads = [of_row(tx, row) for row in rows]
    copies = {key for row in rows for key in json.loads(row["copies"])}
    return Gone(
        tuple(one for one in heads if one.public_id is not None),
        tuple(row["name"] for row in files),
        tuple(sorted(copies)),
    )


def uri_key(reader: Reader, uri: str) -> bytes:
    """Return what stands for the id of a message where it is looked for."""
    return reader.sealer.lookup_key("message", uri)


def buried_as(uri_key: bytes) -> str:
    """What stands for a deleted message among the tombstones: no URI, so nobody can ask for it."""
    return f"message {uri_key.hex()}"
