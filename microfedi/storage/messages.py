"""Conversations and messages: never among the notes, sealed whole.

Who writes to whom and when it arrived can be read on the disk; text, pictures, ids and the exact
time of writing cannot.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row
from typing import Any, Literal

from microfedi.protocol import instants, vocab
from microfedi.protocol.sanitize import SafeHtml
from microfedi.storage import bodies, rowids
from microfedi.storage.bodies import Body
from microfedi.storage.database import Reader, Transaction

State = Literal["open", "request"]
_NO_UPPER_END = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Conversation:
    """The owner with `people` (actor row ids, without the owner). `unread` counts others' only."""

    id: int
    people: tuple[int, ...]
    state: State
    last_message_id: int
    read_message_id: int
    unread: int


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody wrote in a conversation. `public_id` is set for ours only."""

    id: int
    conversation_id: int
    actor_id: int
    uri: str
    public_id: str | None
    html: SafeHtml
    source: str | None
    summary: str
    attachments: tuple[vocab.Attachment, ...]
    mentions: tuple[vocab.Mention, ...]
    hashtags: tuple[str, ...]
    emojis: dict[str, str]
    in_reply_to: str | None
    context: str | None
    conversation: str | None
    published_at: datetime
    updated_at: datetime | None
    language: str | None
    sensitive: bool


def conversation_for(tx: Transaction, people: Collection[int], *, state: State) -> int:
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


def find_conversation(reader: Reader, people: Collection[int]) -> int | None:
    """Return the conversation with exactly these people (without the owner), if there is one."""
    found: int | None = reader.value(
        "SELECT id FROM conversations WHERE people_key = :key",
        {"key": _people_key(reader, people)},
    )
    return found


def keep(
    tx: Transaction,
    note: vocab.Note,
    *,
    conversation_id: int,
    actor_id: int,
    html: SafeHtml,
    now: datetime,
    public_id: str | None = None,
) -> Message | None:
    """Keep a message; None if it is known, or was deleted before it arrived."""
    uri_key = _uri_key(tx, note.uri)
    is_known = tx.value(
        """
        SELECT EXISTS (SELECT 1 FROM messages WHERE uri_key = :key)
            OR EXISTS (SELECT 1 FROM tombstones WHERE uri IN (:uri, :buried_as))
        """,
        {"key": uri_key, "uri": note.uri, "buried_as": _buried_as(uri_key)},
    )
    if is_known:
        return None
    message_id = rowids.free(tx, "messages", now)
    body = _body(note, html, public_id=public_id, updated=note.edited, now=now)
    tx.run(
        """
        INSERT INTO messages (id, conversation_id, actor_id, uri_key, body_sealed)
        VALUES (:id, :conversation_id, :actor_id, :uri_key, :body)
        """,
        {
            "id": message_id,
            "conversation_id": conversation_id,
            "actor_id": actor_id,
            "uri_key": uri_key,
            "body": _sealed(tx, message_id, body),
        },
    )
    tx.run(
        """
        UPDATE conversations
           SET last_message_id = max(last_message_id, :message_id)
         WHERE id = :id
        """,
        {"id": conversation_id, "message_id": message_id},
    )
    return _from_parts(message_id, conversation_id, actor_id, body)


def edit(
    tx: Transaction, message_id: int, note: vocab.Note, *, html: SafeHtml, now: datetime
) -> Message | None:
    """Replace text, warning, pictures and language; None if the message is not there."""
    old = by_id(tx, message_id)
    if old is None:
        return None
    body = _body(note, html, public_id=old.public_id, updated=note.updated, now=now) | {
        "uri": old.uri,
        "in_reply_to": old.in_reply_to,
        "context": old.context,
        "conversation": old.conversation,
        "published": instants.to_text(old.published_at),
    }
    if "updated" not in body and old.updated_at is not None:
        body["updated"] = instants.to_text(old.updated_at)
    tx.run(
        "UPDATE messages SET body_sealed = :body WHERE id = :id",
        {"id": message_id, "body": _sealed(tx, message_id, body)},
    )
    return _from_parts(message_id, old.conversation_id, old.actor_id, body)


def delete(tx: Transaction, uri: str, *, now: datetime) -> bool:
    """Remove a message, so that a late Create does not bring it back; False if it was not there.

    What remains says nothing about it. The conversation stays, empty if it was the last one.
    """
    uri_key = _uri_key(tx, uri)
    row = tx.one(
        "DELETE FROM messages WHERE uri_key = :key RETURNING conversation_id", {"key": uri_key}
    )
    if row is None:
        return False
    tx.run(
        """
        INSERT INTO tombstones (uri, deleted_at)
        VALUES (:buried_as, :deleted_at)
        ON CONFLICT (uri) DO NOTHING
        """,
        {"buried_as": _buried_as(uri_key), "deleted_at": instants.to_text(now)},
    )
    tx.run(
        """
        UPDATE conversations
           SET last_message_id = coalesce((SELECT max(messages.id) FROM messages
                                            WHERE messages.conversation_id = :id), 0)
         WHERE id = :id
        """,
        {"id": row["conversation_id"]},
    )
    return True


def by_uri(reader: Reader, uri: str) -> Message | None:
    """Return the message with this id."""
    row = reader.one("SELECT * FROM messages WHERE uri_key = :key", {"key": _uri_key(reader, uri)})
    return None if row is None else _from_row(reader, row)


def by_id(reader: Reader, message_id: int) -> Message | None:
    """Return the message of a row."""
    row = reader.one("SELECT * FROM messages WHERE id = :id", {"id": message_id})
    return None if row is None else _from_row(reader, row)


def by_ids(reader: Reader, message_ids: Iterable[int]) -> dict[int, Message]:
    """Return the messages of these rows by row id; what is not there is left out."""
    rows = reader.all(
        "SELECT * FROM messages WHERE id IN (SELECT value FROM json_each(:ids))",
        {"ids": json.dumps(list(message_ids))},
    )
    return {row["id"]: _from_row(reader, row) for row in rows}


def page(
    reader: Reader, conversation_id: int, *, before: int | None = None, limit: int
) -> list[Message]:
    """Return the newest messages, or the newest before one, the oldest of them first."""
    rows = reader.all(
        """
        SELECT *
          FROM messages
         WHERE conversation_id = :conversation_id
           AND id < :before
         ORDER BY id DESC
         LIMIT :limit
        """,
        {
            "conversation_id": conversation_id,
            "before": _NO_UPPER_END if before is None else before,
            "limit": limit,
        },
    )
    return [_from_row(reader, row) for row in reversed(rows)]


def conversation(reader: Reader, conversation_id: int) -> Conversation | None:
    """Return a conversation."""
    found = _conversations(reader, "conversations.id = :id", {"id": conversation_id, "limit": 1})
    return found[0] if found else None


def conversations(
    reader: Reader, *, state: State, before: int | None = None, limit: int
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
    )


def accept(tx: Transaction, conversation_id: int) -> None:
    """Make a request an open conversation."""
    tx.run("UPDATE conversations SET state = 'open' WHERE id = :id", {"id": conversation_id})


def remove(tx: Transaction, conversation_id: int) -> bool:
    """Delete a conversation with all its messages; False if it is not there."""
    return tx.run("DELETE FROM conversations WHERE id = :id", {"id": conversation_id}) > 0


def mark_read(tx: Transaction, conversation_id: int) -> None:
    """Note that the owner has seen what is there."""
    tx.run(
        "UPDATE conversations SET read_message_id = last_message_id WHERE id = :id",
        {"id": conversation_id},
    )


def unread(reader: Reader) -> int:
    """Return in how many open conversations others wrote what the owner has not seen."""
    count: int = reader.value(
        """
        SELECT count(*)
          FROM conversations
         WHERE state = 'open'
           AND last_message_id > read_message_id
           AND EXISTS (SELECT 1
                         FROM messages
                        WHERE messages.conversation_id = conversations.id
                          AND messages.id > conversations.read_message_id
                          AND messages.actor_id NOT IN (SELECT actor_id FROM owner))
        """
    )
    return count


def to_vocab(message: Message, *, actor_uri: str, to: tuple[str, ...]) -> vocab.Note:
    """Return a message as it travels, from `actor_uri` to the people in `to`."""
    return vocab.Note(
        uri=message.uri,
        attributed_to=actor_uri,
        content=str(message.html),
        summary=message.summary,
        to=to,
        in_reply_to=message.in_reply_to,
        context=message.context,
        conversation=message.conversation,
        published=message.published_at,
        updated=message.updated_at,
        sensitive=message.sensitive,
        language=message.language,
        source=message.source,
        attachments=message.attachments,
        mentions=message.mentions,
        hashtags=message.hashtags,
        emojis=tuple(vocab.Emoji(code, url) for code, url in message.emojis.items()),
    )


def _conversations(reader: Reader, condition: str, values: dict[str, Any]) -> list[Conversation]:
    rows = reader.all(
        f"""
        SELECT id, state, last_message_id, read_message_id,
               (SELECT json_group_array(actor_id)
                  FROM conversation_people
                 WHERE conversation_id = conversations.id) AS people,
               (SELECT count(*)
                  FROM messages
                 WHERE messages.conversation_id = conversations.id
                   AND messages.id > conversations.read_message_id
                   AND messages.actor_id NOT IN (SELECT actor_id FROM owner)) AS unread
          FROM conversations
         WHERE {condition}
         ORDER BY last_message_id DESC
         LIMIT :limit
        """,  # noqa: S608
        values,
    )
    return [
        Conversation(**dict(row) | {"people": tuple(json.loads(row["people"]))}) for row in rows
    ]


def _people_key(reader: Reader, people: Collection[int]) -> bytes:
    return reader.sealer.lookup_key("conversation", json.dumps(sorted(set(people))))


def _uri_key(reader: Reader, uri: str) -> bytes:
    return reader.sealer.lookup_key("message", uri)


def _buried_as(uri_key: bytes) -> str:
    """What stands for a deleted message among the tombstones: no URI, so nobody can ask for it."""
    return f"message {uri_key.hex()}"


def _body(
    note: vocab.Note,
    html: SafeHtml,
    *,
    public_id: str | None,
    updated: datetime | None,
    now: datetime,
) -> Body:
    more = {
        "uri": note.uri,
        "public_id": public_id,
        "in_reply_to": note.in_reply_to,
        "published": instants.to_text(instants.not_after(note.published, now)),
        "updated": updated and instants.to_text(instants.not_after(updated, now)),
    }
    return bodies.of(note, html) | bodies.without_empty(more)


def _sealed(tx: Transaction, message_id: int, body: Body) -> bytes:
    return tx.sealer.seal("message", bodies.to_bytes(body), bound_to=str(message_id))


def _from_row(reader: Reader, row: Row) -> Message:
    plain = reader.sealer.open("message", row["body_sealed"], bound_to=str(row["id"]))
    return _from_parts(row["id"], row["conversation_id"], row["actor_id"], bodies.from_bytes(plain))


def _from_parts(message_id: int, conversation_id: int, actor_id: int, body: Body) -> Message:
    updated = body.get("updated")
    return Message(
        id=message_id,
        conversation_id=conversation_id,
        actor_id=actor_id,
        uri=body["uri"],
        public_id=body.get("public_id"),
        html=bodies.html(body),
        source=body.get("source"),
        # A title is rare here; where there is one it is what the message begins with.
        summary=body.get("summary") or body.get("name", ""),
        attachments=bodies.attachments(body),
        mentions=bodies.mentions(body),
        hashtags=tuple(body.get("hashtags", ())),
        emojis=body.get("emojis", {}),
        in_reply_to=body.get("in_reply_to"),
        context=body.get("context"),
        conversation=body.get("conversation"),
        published_at=instants.from_text(body["published"]),
        updated_at=instants.from_text(updated) if updated else None,
        language=body.get("language"),
        sensitive=body.get("sensitive", False),
    )
