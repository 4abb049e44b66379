"""Posts, ours and others, with their threads; to and from vocab.Note. Messages are never here.

What is searched for is a column, everything else is one JSON body, which is ciphertext unless the
note is open to everybody. What comes in as a `vocab.Note` has been read by `parse`, its HTML by
`sanitize`; a row's text can therefore be shown as it is.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row
from typing import Any

from microfedi.protocol import instants, vocab
from microfedi.protocol.sanitize import SafeHtml
from microfedi.protocol.vocab import Visibility
from microfedi.storage import bodies, polls, rowids, tombstones, versions
from microfedi.storage.bodies import Body
from microfedi.storage.database import Params, Reader, Transaction
from microfedi.storage.sealed import Sealer

_COLUMNS = """
    notes.id, notes.uri, notes.public_id, notes.actor_id, notes.visibility, notes.url,
    notes.in_reply_to_uri, notes.in_reply_to_id, notes.thread_id, notes.published_at,
    notes.updated_at, notes.received_at, notes.body, notes.replies, notes.likes, notes.announces
"""


@dataclass(frozen=True, slots=True)
class Note:
    """A post that we keep. `public_id` is set for ours only.

    `thread_id` is the id of the topmost note of the thread that we knew; `replies` counts those
    that everybody may see.
    """

    id: int
    uri: str
    public_id: str | None
    actor_id: int
    visibility: Visibility
    url: str | None
    in_reply_to_uri: str | None
    in_reply_to_id: int | None
    thread_id: int
    published_at: datetime
    updated_at: datetime | None
    received_at: datetime
    replies: int
    likes: int
    announces: int
    type: str
    name: str
    summary: str
    html: SafeHtml
    source: str | None
    language: str | None
    sensitive: bool
    attachments: tuple[vocab.Attachment, ...]
    mentions: tuple[vocab.Mention, ...]
    hashtags: tuple[str, ...]
    emojis: dict[str, str]
    to: tuple[str, ...]
    cc: tuple[str, ...]
    context: str | None
    conversation: str | None
    links: tuple[vocab.Link, ...] = ()
    audience: tuple[str, ...] = ()
    poll: vocab.Poll | None = None
    happening: vocab.Happening | None = None
    policy: vocab.Policy | None = None
    quote: str | None = None
    reply_authorization: str | None = None
    replies_uri: str | None = None


def keep(
    tx: Transaction,
    note: vocab.Note,
    *,
    actor_id: int,
    visibility: Visibility,
    html: SafeHtml,
    now: datetime,
    public_id: str | None = None,
) -> tuple[Note, bool] | None:
    """Keep a note and put it in its thread; return it, and whether it is new.

    One that we have already is returned as we have it. None if it was deleted before. The parent
    counts it, if everybody may see it; replies that came before it are joined to it.

    Raises: ValueError if it is a message: those are never kept here.
    """
    if visibility is Visibility.DIRECT:
        raise ValueError("a message is not a note")
    known = tx.one(
        """
        SELECT EXISTS (SELECT 1 FROM tombstones WHERE uri = :uri) AS is_buried,
               (SELECT id FROM notes WHERE uri = :uri) AS id,
               EXISTS (SELECT 1 FROM notes WHERE in_reply_to_uri = :uri) AS has_orphans,
               (SELECT id FROM notes WHERE uri = :parent) AS parent_id,
               (SELECT thread_id FROM notes WHERE uri = :parent) AS thread_id
        """,
        {"uri": note.uri, "parent": note.in_reply_to},
    )
    if known is None or known["is_buried"]:
        return None
    if known["id"] is not None:
        return _demand(tx, known["id"]), False
    published_at = instants.not_after(note.published, now)
    note_id = rowids.free(tx, "notes", published_at)
    parent_id: int | None = known["parent_id"]
    thread_id = note_id if parent_id is None else known["thread_id"]
    body = _body(note, html)
    values = {
        "id": note_id,
        "uri": note.uri,
        "public_id": public_id,
        "actor_id": actor_id,
        "visibility": visibility.value,
        "url": note.url,
        "in_reply_to_uri": note.in_reply_to,
        "in_reply_to_id": parent_id,
        "thread_id": thread_id,
        "published_at": instants.to_text(published_at),
        "updated_at": _text_or_none(note.edited, now),
        "received_at": instants.to_text(now),
        "replies": 0,
        "likes": 0,
        "announces": 0,
    }
    tx.run(
        """
        INSERT INTO notes (
            id, uri, public_id, actor_id, visibility, url, in_reply_to_uri, in_reply_to_id,
            thread_id, published_at, updated_at, received_at, body)
        VALUES (
            :id, :uri, :public_id, :actor_id, :visibility, :url, :in_reply_to_uri,
            :in_reply_to_id, :thread_id, :published_at, :updated_at, :received_at, :body)
        """,
        values | {"body": _to_blob(tx.sealer, body, note_id, visibility)},
    )
    if visibility.is_open:
        _count_reply(tx, parent_id, 1)
        _add_tags(tx, note_id, note.hashtags, is_mine=public_id is not None)
    if note.poll is not None:
        polls.put(tx, note_id, note.poll)
    if known["has_orphans"]:
        values["replies"] = _adopt(tx, note_id, note.uri, parent_id, thread_id)
    return _from_parts(values, body), True


def edit(
    tx: Transaction, note_id: int, note: vocab.Note, *, html: SafeHtml, now: datetime
) -> Note | None:
    """Replace what the author may change: text, title, page, warning, pictures, tags, poll.

    Author, id, type, audience and thread stay as they are, whatever `note` says. What
    stood there before is kept as an earlier version. Without `note.updated` it is a refresh that
    nobody is told about. None if the note is not there.
    """
    row = tx.one(
        """
        SELECT visibility, public_id, body, updated_at,
               coalesce(updated_at, published_at) AS written_at
          FROM notes
         WHERE id = :id
        """,
        {"id": note_id},
    )
    if row is None:
        return None
    visibility = Visibility(row["visibility"])
    old = _from_blob(tx.sealer, row["body"], note_id, visibility)
    body = _body(note, html)
    for key in ("type", "to", "cc", "context", "conversation"):
        body.pop(key, None)
        if key in old:
            body[key] = old[key]
    if note.updated is not None and body != old:
        versions.keep(tx, note_id, row["body"], instants.from_text(row["written_at"]))
    if note.poll is not None:
        polls.put(tx, note_id, note.poll, has_changed=body.get("poll") != old.get("poll"))
    tx.run(
        """
        UPDATE notes SET body = :body, updated_at = :updated_at, url = coalesce(:url, url)
         WHERE id = :id
        """,
        {
            "id": note_id,
            "body": _to_blob(tx.sealer, body, note_id, visibility),
            "updated_at": _text_or_none(note.updated, now) or row["updated_at"],
            "url": note.url,
        },
    )
    if visibility.is_open:
        tx.run("DELETE FROM note_tags WHERE note_id = :id", {"id": note_id})
        _add_tags(tx, note_id, note.hashtags, is_mine=row["public_id"] is not None)
    return _demand(tx, note_id)


def delete(
    tx: Transaction,
    note_id: int,
    *,
    now: datetime,
    was_public: bool = False,
    is_for_ever: bool = True,
) -> bool:
    """Remove a note with all that hangs on it, so that a late Create does not bring it back.

    `was_public` only for a note of ours that everybody could see. Not `is_for_ever`, it may come
    back. False if it is not there.
    """
    row = tx.one(
        "DELETE FROM notes WHERE id = :id RETURNING uri, visibility, in_reply_to_id",
        {"id": note_id},
    )
    if row is None:
        return False
    if Visibility(row["visibility"]).is_open:
        _count_reply(tx, row["in_reply_to_id"], -1)
    if is_for_ever:
        tombstones.bury(tx, row["uri"], now, was_public=was_public)
    return True


def by_uri(reader: Reader, uri: str) -> Note | None:
    """Return the note with this id."""
    return _first(reader, "notes.uri = :value", uri)


def by_id(reader: Reader, note_id: int) -> Note | None:
    """Return the note of a row."""
    return _first(reader, "notes.id = :value", note_id)


def by_public_id(reader: Reader, public_id: str) -> Note | None:
    """Return the owner's note with this public id."""
    return _first(reader, "notes.public_id = :value", public_id)


def by_url(reader: Reader, url: str) -> Note | None:
    """Return the oldest note that says its page is `url`; the caller checks the origin."""
    return _first(reader, "notes.url = :value", url)


def id_of(reader: Reader, uri: str) -> int | None:
    """Return the row id of the note with this id."""
    found: int | None = reader.value("SELECT id FROM notes WHERE uri = :uri", {"uri": uri})
    return found


def ids_of(reader: Reader, uris: Iterable[str]) -> dict[str, int]:
    """Return the row ids of the notes with these ids; what is not there is left out."""
    rows = reader.all(
        "SELECT uri, id FROM notes WHERE uri IN (SELECT value FROM json_each(:uris))",
        {"uris": json.dumps(list(uris))},
    )
    return {row["uri"]: row["id"] for row in rows}


def by_ids(reader: Reader, note_ids: Iterable[int]) -> dict[int, Note]:
    """Return the notes of these rows by row id; what is not there is left out."""
    rows = reader.all(
        f"SELECT {_COLUMNS} FROM notes WHERE id IN (SELECT value FROM json_each(:ids))",  # noqa: S608
        {"ids": json.dumps(list(note_ids))},
    )
    return {row["id"]: _from_row(reader.sealer, row) for row in rows}


def selected(reader: Reader, rest: str, params: Params) -> list[Note]:
    """Return the notes that a query of another module of this room finds, in its order.

    `rest` is what stands behind the columns: FROM, with a table `notes`, and so on.
    """
    return _all(reader, reader.all(f"SELECT {_COLUMNS} {rest}", params))


def to_vocab(note: Note, *, actor_uri: str) -> vocab.Note:
    """Return a note as it travels; `actor_uri` is its author."""
    return vocab.Note(
        uri=note.uri,
        attributed_to=actor_uri,
        type=note.type,
        content=str(note.html),
        summary=note.summary,
        name=note.name,
        url=note.url,
        to=note.to,
        cc=note.cc,
        in_reply_to=note.in_reply_to_uri,
        context=note.context,
        conversation=note.conversation,
        published=note.published_at,
        updated=note.updated_at,
        sensitive=note.sensitive,
        language=note.language,
        source=note.source,
        attachments=note.attachments,
        mentions=note.mentions,
        hashtags=note.hashtags,
        emojis=tuple(vocab.Emoji(code, url) for code, url in note.emojis.items()),
        links=note.links,
        audience=note.audience,
        poll=note.poll,
        happening=note.happening,
        policy=note.policy,
        quote=note.quote,
        reply_authorization=note.reply_authorization,
        replies_uri=note.replies_uri,
    )


def _adopt(tx: Transaction, note_id: int, uri: str, parent_id: int | None, thread_id: int) -> int:
    """Join replies that came before `uri` to it, with their threads; return how many are counted.

    A note above the new one stays where it is, though it may claim to be a reply to it: threads
    are trees, whatever their authors say.
    """
    orphans = tx.all(
        """
        WITH RECURSIVE above (id) AS (
            SELECT :parent_id
             UNION
            SELECT notes.in_reply_to_id
              FROM above JOIN notes ON notes.id = above.id
             WHERE notes.in_reply_to_id IS NOT NULL)
        UPDATE notes
           SET in_reply_to_id = :note_id
         WHERE in_reply_to_uri = :uri
           AND in_reply_to_id IS NULL
           AND id != :note_id
           AND id NOT IN (SELECT id FROM above WHERE id IS NOT NULL)
        RETURNING thread_id, visibility
        """,
        {"note_id": note_id, "uri": uri, "parent_id": parent_id},
    )
    if not orphans:
        return 0
    joined = {"thread_id": thread_id, "old": json.dumps([row["thread_id"] for row in orphans])}
    tx.run(
        """
        UPDATE notes
           SET thread_id = :thread_id
         WHERE thread_id IN (SELECT value FROM json_each(:old))
        """,
        joined,
    )
    # What is muted stays muted when a missing beginning is found.
    tx.run(
        """
        UPDATE OR REPLACE muted_threads
           SET thread_id = :thread_id
         WHERE thread_id IN (SELECT value FROM json_each(:old))
        """,
        joined,
    )
    counted = sum(Visibility(row["visibility"]).is_open for row in orphans)
    _count_reply(tx, note_id, counted)
    return counted


def _count_reply(tx: Transaction, note_id: int | None, change: int) -> None:
    """Only replies that everybody may see are counted: a number tells of the others too."""
    if note_id is not None and change:
        tx.run(
            "UPDATE notes SET replies = max(0, replies + :change) WHERE id = :id",
            {"id": note_id, "change": change},
        )


def _add_tags(tx: Transaction, note_id: int, tags: Iterable[str], *, is_mine: bool) -> None:
    rows = [{"tag": tag, "note_id": note_id, "is_mine": is_mine} for tag in dict.fromkeys(tags)]
    if rows:
        tx.run_many(
            "INSERT INTO note_tags (tag, note_id, is_mine) VALUES (:tag, :note_id, :is_mine)", rows
        )


def _text_or_none(instant: datetime | None, now: datetime) -> str | None:
    return None if instant is None else instants.to_text(instants.not_after(instant, now))


def _body(note: vocab.Note, html: SafeHtml) -> Body:
    """What is not a column."""
    more = {"type": note.type, "to": note.to, "cc": note.cc}
    return bodies.of(note, html) | bodies.without_empty(more)


def _to_blob(sealer: Sealer, body: Body, note_id: int, visibility: Visibility) -> bytes:
    plain = bodies.to_bytes(body)
    return plain if visibility.is_open else sealer.seal("note", plain, bound_to=str(note_id))


def _from_blob(sealer: Sealer, blob: bytes, note_id: int, visibility: Visibility) -> Body:
    plain = blob if visibility.is_open else sealer.open("note", blob, bound_to=str(note_id))
    return bodies.from_bytes(plain)


def _first(reader: Reader, condition: str, value: object) -> Note | None:
    row = reader.one(
        f"SELECT {_COLUMNS} FROM notes WHERE {condition} ORDER BY id LIMIT 1",  # noqa: S608
        {"value": value},
    )
    return None if row is None else _from_row(reader.sealer, row)


def _demand(reader: Reader, note_id: int) -> Note:
    note = by_id(reader, note_id)
    if note is None:
        raise LookupError(f"no note {note_id}")
    return note


def _all(reader: Reader, rows: Iterable[Row]) -> list[Note]:
    return [_from_row(reader.sealer, row) for row in rows]


def _from_row(sealer: Sealer, row: Row) -> Note:
    body = _from_blob(sealer, row["body"], row["id"], Visibility(row["visibility"]))
    return _from_parts(row, body)


def _from_parts(row: Row | dict[str, Any], body: Body) -> Note:
    return Note(
        id=row["id"],
        uri=row["uri"],
        public_id=row["public_id"],
        actor_id=row["actor_id"],
        visibility=Visibility(row["visibility"]),
        url=row["url"],
        in_reply_to_uri=row["in_reply_to_uri"],
        in_reply_to_id=row["in_reply_to_id"],
        thread_id=row["thread_id"],
        published_at=instants.from_text(row["published_at"]),
        updated_at=instants.from_text(row["updated_at"]) if row["updated_at"] else None,
        received_at=instants.from_text(row["received_at"]),
        replies=row["replies"],
        likes=row["likes"],
        announces=row["announces"],
        type=body.get("type", "Note"),
        name=body.get("name", ""),
        summary=body.get("summary", ""),
        html=bodies.html(body),
        source=body.get("source"),
        language=body.get("language"),
        sensitive=body.get("sensitive", False),
        attachments=bodies.attachments(body),
        mentions=bodies.mentions(body),
        hashtags=tuple(body.get("hashtags", ())),
        emojis=body.get("emojis", {}),
        to=tuple(body.get("to", ())),
        cc=tuple(body.get("cc", ())),
        context=body.get("context"),
        conversation=body.get("conversation"),
        links=bodies.links(body),
        audience=tuple(body.get("audience", ())),
        poll=bodies.poll(body),
        happening=bodies.happening(body),
        policy=bodies.policy(body),
        quote=body.get("quote"),
        reply_authorization=body.get("reply_authorization"),
        replies_uri=body.get("replies_uri"),
    )
