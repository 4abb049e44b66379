"""People, bots, groups and servers, ours and others, as the last fetch of them said."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from microfedi.protocol import instants, names, sanitize, uris, vocab
from microfedi.protocol.sanitize import SafeHtml
from microfedi.storage import actor_events, actor_keys
from microfedi.storage.database import Reader, Transaction

State = Literal["ok", "gone", "suspended"]

MAX_NAME_CHARS = 200  # of a display name; longer ones push everything else off a phone's screen
MAX_USERNAME_CHARS = 128  # of what stands before the host
MAX_FIELD_NAME_CHARS = 200
MAX_ALT_CHARS = 1500  # of a picture's description, as Mastodon allows
MAX_FIELDS = 16  # rows of a profile table; Mastodon allows 4, others up to 10
MAX_ALIASES = 32


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody whom we know. `handle` is user@host, once its own WebFinger confirmed it."""

    id: int
    uri: str
    host: str
    username: str
    handle: str | None
    type: str
    name: str
    summary: SafeHtml
    url: str | None
    inbox: str
    shared_inbox: str | None
    outbox: str | None
    followers_uri: str | None
    featured: str | None
    icon_url: str | None
    icon_alt: str
    image_url: str | None
    fields: tuple[tuple[str, SafeHtml], ...]
    emojis: dict[str, str]
    also_known_as: tuple[str, ...]
    moved_to: str | None
    approves: bool
    discoverable: bool
    indexable: bool
    state: State
    published_at: datetime | None
    fetched_at: datetime

    @property
    def address(self) -> str:
        """What people call them: @user@host, confirmed if possible."""
        return f"@{self.handle}" if self.handle else f"@{self.username}@{self.host}"

    @property
    def display_name(self) -> str:
        """The name they chose, as far as it may stand on a page, or else what they are called."""
        return names.shown(self.name, self.username) if self.name else self.username

    @property
    def delivery_inbox(self) -> str:
        """Where what is for several people of their server is sent once."""
        return self.shared_inbox or self.inbox


def keep(tx: Transaction, actor: vocab.Actor, *, handle: str | None, now: datetime) -> Actor:
    """Keep what a fetched actor document says, in place of what an earlier one said.

    `handle` is user@host if WebFinger confirmed it; None leaves an earlier confirmation alone as
    long as the username is the same. A confirmed handle is taken from whoever had it before: it is
    its host that says whose it is. The owner's own row is never changed here.

    Raises: MalformedDocument if the actor's id is not a URI that we keep.
    """
    owned = tx.one(
        "SELECT owner.actor_id FROM owner JOIN actors ON actors.id = owner.actor_id"
        " WHERE actors.uri = :uri",
        {"uri": actor.uri},
    )
    if owned is not None:
        return _demand(tx, owned["actor_id"])
    values = _columns(actor, handle=handle, now=now)
    former = by_uri(tx, actor.uri)
    former_keys = [] if former is None else actor_keys.of(tx, former.id)
    actor_id: int = tx.value(
        """
        INSERT INTO actors (
            uri, host, username, handle, type, name, summary, url, inbox, shared_inbox, outbox,
            followers_uri, featured, icon_url, icon_alt, image_url, fields, emojis,
            also_known_as, moved_to, approves, discoverable, indexable, state, published_at,
            fetched_at)
        VALUES (
            :uri, :host, :username, :handle, :type, :name, :summary, :url, :inbox, :shared_inbox,
            :outbox, :followers_uri, :featured, :icon_url, :icon_alt, :image_url, :fields, :emojis,
            :also_known_as, :moved_to, :approves, :discoverable, :indexable, :state, :published_at,
            :fetched_at)
        ON CONFLICT (uri) DO UPDATE
           SET handle = coalesce(excluded.handle,
                                 iif(username = excluded.username, handle, NULL)),
               host = excluded.host,
               username = excluded.username,
               type = excluded.type,
               name = excluded.name,
               summary = excluded.summary,
               url = excluded.url,
               inbox = excluded.inbox,
               shared_inbox = excluded.shared_inbox,
               outbox = excluded.outbox,
               followers_uri = excluded.followers_uri,
               featured = excluded.featured,
               icon_url = excluded.icon_url,
               icon_alt = excluded.icon_alt,
               image_url = excluded.image_url,
               fields = excluded.fields,
               emojis = excluded.emojis,
               also_known_as = excluded.also_known_as,
               moved_to = excluded.moved_to,
               approves = excluded.approves,
               discoverable = excluded.discoverable,
               indexable = excluded.indexable,
               state = excluded.state,
               published_at = excluded.published_at,
               fetched_at = excluded.fetched_at
        RETURNING id
        """,
        values,
    )
    if handle is not None:
        tx.run(
            """
            UPDATE actors
               SET handle = NULL
             WHERE handle = :handle COLLATE NOCASE
               AND id != :id
               AND id NOT IN (SELECT actor_id FROM owner)
            """,
            {"handle": handle, "id": actor_id},
        )
    actor_keys.keep(tx, actor_id, actor)
    kept = _demand(tx, actor_id)
    if former is not None:
        _note_changes(tx, former, kept, former_keys, now)
    return kept


def by_uri(reader: Reader, uri: str) -> Actor | None:
    """Return the actor with this id, None if we never met."""
    actor_id = id_of(reader, uri)
    return None if actor_id is None else by_id(reader, actor_id)


def set_emojis(tx: Transaction, actor_id: int, emojis: Mapping[str, str]) -> bool:
    """Keep what the custom emoji of a profile look like; False if they are as they were."""
    return (
        tx.run(
            "UPDATE actors SET emojis = :emojis WHERE id = :id AND emojis <> :emojis",
            {"id": actor_id, "emojis": json.dumps(dict(emojis))},
        )
        == 1
    )


def by_id(reader: Reader, actor_id: int) -> Actor | None:
    """Return the actor of a row."""
    return by_ids(reader, [actor_id]).get(actor_id)


def by_ids(reader: Reader, actor_ids: Iterable[int]) -> dict[int, Actor]:
    """Return the actors of these rows by row id; who is not there is left out."""
    return {one.id: one for one in _those(reader, "id", actor_ids)}


def by_uris(reader: Reader, uris: Iterable[str]) -> dict[str, Actor]:
    """Return the actors with these ids by id; who is not there is left out."""
    return {one.uri: one for one in _those(reader, "uri", uris)}


def by_handle(reader: Reader, handle: str) -> Actor | None:
    """Return who is known by the confirmed handle user@host (an @ before it is allowed)."""
    actor_id = reader.value(
        """
        SELECT id
          FROM actors
         WHERE handle = :handle COLLATE NOCASE
         ORDER BY id
         LIMIT 1
        """,
        {"handle": handle.removeprefix("@")},
    )
    return None if actor_id is None else by_id(reader, actor_id)


def by_url(reader: Reader, url: str) -> Actor | None:
    """Return whose profile page this is; a page on a server that is not theirs does not count."""
    rows = reader.all(
        "SELECT id, uri FROM actors WHERE url = :url ORDER BY id LIMIT 20", {"url": url}
    )
    for row in rows:
        if uris.same_origin(row["uri"], url):
            return by_id(reader, row["id"])
    return None


def id_of(reader: Reader, uri: str) -> int | None:
    """Return the row id of the actor with this id."""
    found: int | None = reader.value("SELECT id FROM actors WHERE uri = :uri", {"uri": uri})
    return found


def mark(tx: Transaction, actor_id: int, state: State) -> None:
    """Note that somebody is there, gone, or suspended by their own server."""
    tx.run("UPDATE actors SET state = :state WHERE id = :id", {"state": state, "id": actor_id})


def stale(reader: Reader, *, before: datetime, limit: int) -> list[str]:
    """Return the ids of followers and followed who were last fetched before `before`, oldest first.

    Everybody else is fetched again when they are met again.
    """
    rows = reader.all(
        """
        SELECT uri
          FROM actors
         WHERE id IN (SELECT actor_id FROM followers UNION SELECT actor_id FROM following)
           AND state = 'ok'
           AND fetched_at < :before
         ORDER BY fetched_at
         LIMIT :limit
        """,
        {"before": instants.to_text(before), "limit": limit},
    )
    return [row["uri"] for row in rows]


def _columns(actor: vocab.Actor, *, handle: str | None, now: datetime) -> dict[str, Any]:
    fields = [
        (sanitize.plain(field.name, limit=MAX_FIELD_NAME_CHARS), sanitize.html(field.value))
        for field in actor.fields[:MAX_FIELDS]
    ]
    return {
        "uri": actor.uri,
        "host": uris.authority(actor.uri),
        "username": _username(actor),
        "handle": handle,
        "type": actor.type,
        "name": sanitize.plain(actor.name, limit=MAX_NAME_CHARS),
        "summary": sanitize.html(actor.summary),
        "url": actor.url,
        "inbox": actor.inbox,
        "shared_inbox": _own(actor, actor.shared_inbox),
        "outbox": _own(actor, actor.outbox),
        "followers_uri": _own(actor, actor.followers),
        "featured": _own(actor, actor.featured),
        "icon_url": actor.icon,
        "icon_alt": sanitize.plain(actor.icon_alt, limit=MAX_ALT_CHARS),
        "image_url": actor.image,
        "fields": json.dumps(fields, ensure_ascii=False),
        "emojis": json.dumps({emoji.shortcode: emoji.url for emoji in actor.emojis}),
        "also_known_as": json.dumps(actor.also_known_as[:MAX_ALIASES]),
        "moved_to": actor.moved_to,
        "approves": actor.manually_approves_followers,
        "discoverable": actor.discoverable,
        "indexable": actor.indexable,
        "state": "suspended" if actor.suspended else "ok",
        "published_at": _time_or_none(actor.published, now),
        "fetched_at": instants.to_text(now),
    }


def _own(actor: vocab.Actor, uri: str | None) -> str | None:
    """Drop what lies on another server than the actor: nobody has us send or ask elsewhere."""
    return uri if uri is not None and uris.same_origin(actor.uri, uri) else None


def _username(actor: vocab.Actor) -> str:
    """Return the name before the host; the last part of the id for those who have none."""
    name = sanitize.plain(actor.preferred_username, limit=MAX_USERNAME_CHARS)
    last = unquote(urlsplit(actor.uri).path.rstrip("/").rpartition("/")[2])
    return name or sanitize.plain(last, limit=MAX_USERNAME_CHARS) or "unnamed"


def _time_or_none(instant: datetime | None, now: datetime) -> str | None:
    return None if instant is None else instants.to_text(instants.not_after(instant, now))


def _note_changes(
    tx: Transaction,
    former: Actor,
    kept: Actor,
    former_keys: list[vocab.PublicKey],
    now: datetime,
) -> None:
    """Note what changed that may mean that somebody else speaks for them now.

    A key that came in addition is no change, nor is the first of another kind.
    """
    keys_now = actor_keys.of(tx, kept.id)
    for kind in ("rsa", "ed25519"):
        before = {key.pem.strip() for key in former_keys if key.kind == kind}
        after = {key.pem.strip() for key in keys_now if key.kind == kind}
        if before and before.isdisjoint(after) and (after or not keys_now):
            actor_events.note(tx, kept.id, "key", kind, now)
            break
    if kept.moved_to is not None and kept.moved_to != former.moved_to:
        actor_events.note(tx, kept.id, "moved", kept.moved_to, now)
    if not uris.same_origin(former.inbox, kept.inbox):
        servers = (urlsplit(former.inbox).netloc, urlsplit(kept.inbox).netloc)
        actor_events.note(tx, kept.id, "inbox", " > ".join(servers), now)
    if former.handle and kept.handle and former.handle.lower() != kept.handle.lower():
        actor_events.note(tx, kept.id, "handle", f"{former.handle} > {kept.handle}", now)


def _demand(reader: Reader, actor_id: int) -> Actor:
    return by_ids(reader, [actor_id])[actor_id]


def _those(
    reader: Reader, column: Literal["id", "uri"], values: Iterable[int | str]
) -> list[Actor]:
    rows = reader.all(
        f"""
        SELECT id, uri, host, username, handle, type, name, summary, url, inbox, shared_inbox,
               outbox, followers_uri, featured, icon_url, icon_alt, image_url, fields, emojis,
               also_known_as, moved_to, approves, discoverable, indexable, state, published_at,
               fetched_at
          FROM actors
         WHERE {column} IN (SELECT value FROM json_each(:values))
        """,  # noqa: S608
        {"values": json.dumps(list(values))},
    )
    return [_from_row(row) for row in rows]


def _from_row(row: sqlite3.Row) -> Actor:
    values: dict[str, Any] = dict(row)
    published = values["published_at"]
    return Actor(
        **values
        | {
            "summary": sanitize.kept(values["summary"]),
            "fields": tuple(
                (name, sanitize.kept(value)) for name, value in json.loads(values["fields"])
            ),
            "emojis": json.loads(values["emojis"]),
            "also_known_as": tuple(json.loads(values["also_known_as"])),
            "approves": bool(values["approves"]),
            "discoverable": bool(values["discoverable"]),
            "indexable": bool(values["indexable"]),
            "published_at": None if published is None else instants.from_text(published),
            "fetched_at": instants.from_text(values["fetched_at"]),
        }
    )
