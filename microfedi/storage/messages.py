"""Messages: never among the notes, sealed whole.

Who writes to whom and when it arrived can be read on the disk. Text and pictures are sealed by the
vault (storage/private.py): only a session that has it open reads them. What is known of a message
without opening it is in `message_heads`, so that a locked server goes on with all else.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from sqlite3 import Row
from typing import Any

from microfedi.protocol import ids, instants, sanitize, vocab
from microfedi.protocol.sanitize import SafeHtml
from microfedi.storage import bodies, message_heads, private, rowids
from microfedi.storage.bodies import Body
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.message_heads import Head
from microfedi.storage.vault import Unopenable

MAX_VERSIONS = 50  # of one message; what is older goes, so that edits cannot fill the disk
MAX_ALSO_TO = 20  # ids of a message's other addressees; a page names them
MAX_COPIES = 500  # names of pictures that its versions had: what more there are ages out by itself
_NO_UPPER_END = 2**63 - 1
PURPOSE = "message"


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody wrote in a conversation. `public_id` is set for ours only.

    `also_to` are ids that it says to be addressed to, of nobody in the conversation: who could not
    be looked up, or was added by an edit.
    """

    id: int
    conversation_id: int
    actor_id: int
    uri: str
    public_id: str | None
    html: SafeHtml = field(repr=False)
    source: str | None = field(repr=False)
    summary: str = field(repr=False)
    attachments: tuple[vocab.Attachment, ...] = field(repr=False)
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
    poll: vocab.Poll | None = None
    also_to: tuple[str, ...] = ()
    is_lost: bool = False  # sealed by a vault that nobody can open any more


def keep(
    tx: Transaction,
    note: vocab.Note,
    *,
    conversation_id: int,
    actor_id: int,
    html: SafeHtml,
    now: datetime,
    public_id: str | None = None,
    copies: Iterable[str] = (),
) -> Message | None:
    """Keep a message; None if it is known, or was deleted before it arrived.

    `copies` are the names that copies of its pictures will have here.
    """
    uri_key = message_heads.uri_key(tx, note.uri)
    is_known = tx.value(
        """
        SELECT EXISTS (SELECT 1 FROM messages WHERE uri_key = :key)
            OR EXISTS (SELECT 1 FROM tombstones WHERE uri IN (:uri, :buried_as))
        """,
        {"key": uri_key, "uri": note.uri, "buried_as": message_heads.buried_as(uri_key)},
    )
    if is_known:
        return None
    head = Head(
        rowids.free(tx, "messages", now),
        conversation_id,
        actor_id,
        note.uri,
        public_id,
        instants.not_after(note.published, now),
        None if note.edited is None else instants.not_after(note.edited, now),
        note.context,
        note.conversation,
    )
    body = _body(tx, note, html, head)
    tx.run(
        """
        INSERT INTO messages (
            id, conversation_id, actor_id, uri_key, head_sealed, body_sealed, links, files, copies)
        VALUES (
            :id, :conversation_id, :actor_id, :uri_key, :head, :body, :links, :files, :copies)
        """,
        {
            "conversation_id": conversation_id,
            "actor_id": actor_id,
            "uri_key": uri_key,
            **_written(tx, head, body, html, copies),
        },
    )
    tx.run(
        """
        UPDATE conversations
           SET last_message_id = max(last_message_id, :message_id)
         WHERE id = :id
        """,
        {"id": conversation_id, "message_id": head.id},
    )
    return _from_parts(head.id, conversation_id, actor_id, body)


def edit(
    tx: Transaction,
    message_id: int,
    note: vocab.Note,
    *,
    html: SafeHtml,
    now: datetime,
    copies: Iterable[str] = (),
) -> Message | None:
    """Replace what a message says; None if it is not there. What it said before is kept as it was.

    Nothing is opened for it, and nobody more gets into the conversation by it.
    """
    row = tx.one("SELECT * FROM messages WHERE id = :id", {"id": message_id})
    if row is None:
        return None
    old = message_heads.of_row(tx, row)
    edited = old.edited_at if note.updated is None else instants.not_after(note.updated, now)
    head = replace(old, edited_at=edited)
    body = _body(tx, note, html, head)
    tx.run(
        """
        INSERT INTO message_versions (message_id, body_sealed)
        SELECT id, body_sealed FROM messages WHERE id = :id
        """,
        {"id": message_id},
    )
    tx.run(
        """
        DELETE FROM message_versions
         WHERE message_id = :id
           AND id <= (SELECT id FROM message_versions
                       WHERE message_id = :id
                       ORDER BY id DESC
                       LIMIT 1 OFFSET :most)
        """,
        {"id": message_id, "most": MAX_VERSIONS},
    )
    known = dict.fromkeys([*copies, *json.loads(row["copies"])])
    tx.run(
        """
        UPDATE messages
           SET head_sealed = :head,
               body_sealed = :body,
               links = :links,
               files = :files,
               copies = :copies
         WHERE id = :id
        """,
        _written(tx, head, body, html, [*known][:MAX_COPIES]),
    )
    return _from_parts(message_id, head.conversation_id, head.actor_id, body)


def versions(reader: Reader, message_id: int) -> list[Message]:
    """Return what a message said before it was edited, the oldest version first."""
    row = reader.one(
        "SELECT id, conversation_id, actor_id FROM messages WHERE id = :id", {"id": message_id}
    )
    if row is None:
        return []
    found = reader.all(
        """
        SELECT body_sealed
          FROM message_versions
         WHERE message_id = :id
         ORDER BY id
        """,
        {"id": message_id},
    )
    return [_from_row(reader, {**dict(row), "body_sealed": one["body_sealed"]}) for one in found]


def by_uri(reader: Reader, uri: str) -> Message | None:
    """Return the message with this id."""
    row = reader.one(
        "SELECT * FROM messages WHERE uri_key = :key", {"key": message_heads.uri_key(reader, uri)}
    )
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
    reader: Reader,
    conversation_id: int,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int,
) -> list[Message]:
    """Return the newest messages, the newest before one, or the first after one; oldest first."""
    values = {"conversation_id": conversation_id, "limit": limit}
    if after is not None:
        rows = reader.all(
            """
            SELECT *
              FROM messages
             WHERE conversation_id = :conversation_id
               AND id > :after
             ORDER BY id
             LIMIT :limit
            """,
            {**values, "after": after},
        )
        return [_from_row(reader, row) for row in rows]
    rows = reader.all(
        """
        SELECT *
          FROM messages
         WHERE conversation_id = :conversation_id
           AND id < :before
         ORDER BY id DESC
         LIMIT :limit
        """,
        {**values, "before": _NO_UPPER_END if before is None else before},
    )
    return [_from_row(reader, row) for row in reversed(rows)]


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


def _body(tx: Transaction, note: vocab.Note, html: SafeHtml, head: Head) -> Body:
    more = {
        "uri": head.uri,
        "public_id": head.public_id,
        "by": head.actor_id,  # the column can be changed by who writes the database alone
        "in_reply_to": note.in_reply_to,
        "published": instants.to_text(head.published_at),
        "updated": head.edited_at and instants.to_text(head.edited_at),
        "also_to": _also_to(tx, note, head.conversation_id),
    }
    return bodies.of(note, html) | bodies.without_empty(more)


def _also_to(tx: Transaction, note: vocab.Note, conversation_id: int) -> list[str]:
    rows = tx.all(
        """
        SELECT uri
          FROM actors
         WHERE id IN (SELECT actor_id FROM conversation_people WHERE conversation_id = :id)
            OR id = (SELECT actor_id FROM owner)
        """,
        {"id": conversation_id},
    )
    known = {note.attributed_to, *(row["uri"] for row in rows)}
    return [uri for uri in dict.fromkeys((*note.to, *note.cc)) if uri not in known][:MAX_ALSO_TO]


def _written(
    tx: Transaction, head: Head, body: Body, html: SafeHtml, copies: Iterable[str]
) -> dict[str, Any]:
    return {
        "id": head.id,
        "head": message_heads.sealed(tx, head),
        "body": private.seal(
            tx,
            PURPOSE,
            bodies.to_bytes(body),
            bound_to=str(head.id),
            within=str(head.conversation_id),
        ),
        "links": len(sanitize.pages_in(html)),
        "files": len(body.get("attachments", ())),
        "copies": json.dumps(sorted(set(copies))),
    }


def _from_row(reader: Reader, row: Row | dict[str, Any]) -> Message:
    try:
        plain = private.open(
            reader,
            PURPOSE,
            row["body_sealed"],
            bound_to=str(row["id"]),
            within=str(row["conversation_id"]),
        )
    except Unopenable:
        return _lost(row)
    body = bodies.from_bytes(plain)
    if body.get("by", row["actor_id"]) != row["actor_id"]:
        return _lost(row)
    return _from_parts(row["id"], row["conversation_id"], row["actor_id"], body)


def _lost(row: Row | dict[str, Any]) -> Message:
    """Return what remains to be said of a message that does not open."""
    return Message(
        id=row["id"],
        conversation_id=row["conversation_id"],
        actor_id=row["actor_id"],
        uri="",
        public_id=None,
        html=SafeHtml(""),
        source=None,
        summary="",
        attachments=(),
        mentions=(),
        hashtags=(),
        emojis={},
        in_reply_to=None,
        context=None,
        conversation=None,
        published_at=ids.instant_of(row["id"]),
        updated_at=None,
        language=None,
        sensitive=False,
        is_lost=True,
    )


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
        poll=bodies.poll(body),
        also_to=tuple(body.get("also_to", ())),
    )
