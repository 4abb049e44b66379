"""Browsers that are told when something comes: where to push, what for, and up to what they know.

A subscription belongs to the session that made it: no other session reads, replaces or ends it,
and it goes when the session does.
"""

import json
import secrets
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric import ec

from microfedi.protocol import instants, webpush
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.notifications import Kind
from microfedi.storage.sessions import IDLE

Wish = Literal["message", "mention", "follow", "favourite", "boost", "poll", "other"]
Topic = Literal["message", "notification"]

# What can be wished for, and the kinds of notifications that belong to it.
WISHES: Final[dict[Wish, tuple[Kind, ...]]] = {
    "message": (),
    "mention": ("mention", "quote"),
    "follow": ("follow", "follow_request", "follow_accepted"),
    "favourite": ("like", "reaction"),
    "boost": ("announce",),
    "poll": ("poll",),
    "other": (
        *("update", "quote_request", "quote_accepted", "moved", "report"),
        *("feature", "feature_request"),
    ),
}
FIRST_WISHES: Final[tuple[Wish, ...]] = ("message", "mention", "follow")

_KEY = "push.key_sealed"
_BODY = "push_subscriptions.body_sealed"


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a browser is reached (`endpoint`), what only it can read (`point`, `auth`; RFC 8291),
    and the language of its owner's pages.
    """

    endpoint: str
    point: bytes
    auth: bytes
    language: str

    def __repr__(self) -> str:
        return "Browser(…)"  # whoever knows the endpoint and the keys can push


@dataclass(frozen=True, slots=True)
class Told:
    """Up to which id a browser was told of a topic, and when the last time."""

    up_to: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A browser that wants to be told. `not_before`: its push service wants to be left alone."""

    id: int
    session_id: int
    browser: Browser
    message: Told
    notification: Told
    failures: int
    not_before: datetime | None

    def told(self, topic: Topic) -> Told:
        """Return up to what it was told of `topic`."""
        return self.message if topic == "message" else self.notification


def wishes(reader: Reader) -> frozenset[Wish]:
    """Return what the owner wants to be told of at once."""
    kinds: str | None = reader.value("SELECT kinds FROM push")
    if kinds is None:
        return frozenset(FIRST_WISHES)
    said = kinds.split()
    return frozenset(one for one in WISHES if one in said)


def set_wishes(tx: Transaction, chosen: Collection[Wish]) -> None:
    """Keep what the owner wants to be told of at once; what came before is nothing new by that."""
    key(tx)
    tx.run(
        "UPDATE push SET kinds = :kinds",
        {"kinds": " ".join(one for one in WISHES if one in chosen)},
    )
    tx.run(
        """
        UPDATE push_subscriptions
           SET message_id = (SELECT coalesce(max(id), 0) FROM messages),
               notification_id = (SELECT coalesce(max(id), 0) FROM notifications)
        """
    )


def key(tx: Transaction) -> ec.EllipticCurvePrivateKey:
    """Return the key that signs what is pushed; the first time it is asked for it is made."""
    sealed: bytes | None = tx.value("SELECT key_sealed FROM push")
    if sealed is not None:
        return webpush.private_key(tx.sealer.open(_KEY, sealed))
    made = ec.generate_private_key(ec.SECP256R1())
    tx.run(
        "INSERT INTO push (id, key_sealed, kinds) VALUES (1, :key_sealed, :kinds)",
        {
            "key_sealed": tx.sealer.seal(_KEY, webpush.scalar_of(made)),
            "kinds": " ".join(FIRST_WISHES),
        },
    )
    return made


def public_point(reader: Reader) -> bytes | None:
    """Return the public half of the key that signs; None if it was not made yet."""
    sealed: bytes | None = reader.value("SELECT key_sealed FROM push")
    if sealed is None:
        return None
    return webpush.point_of(webpush.private_key(reader.sealer.open(_KEY, sealed)))


def subscribe(tx: Transaction, session_id: int, browser: Browser) -> None:
    """Have a session's browser told of what comes from now on, in place of what it said before."""
    unsubscribe(tx, session_id)
    # Random: the next subscription must not take the place of one that is being pushed to.
    row_id = secrets.randbits(62) + 1
    body = {
        "endpoint": browser.endpoint,
        "point": webpush.to_base64(browser.point),
        "auth": webpush.to_base64(browser.auth),
        "language": browser.language,
    }
    tx.run(
        """
        INSERT INTO push_subscriptions (id, session_id, body_sealed, message_id, notification_id)
        VALUES (:id, :session_id, :body_sealed,
                (SELECT coalesce(max(id), 0) FROM messages),
                (SELECT coalesce(max(id), 0) FROM notifications))
        """,
        {
            "id": row_id,
            "session_id": session_id,
            "body_sealed": tx.sealer.seal(
                _BODY, json.dumps(body).encode(), bound_to=f"{session_id} {row_id}"
            ),
        },
    )


def unsubscribe(tx: Transaction, session_id: int) -> bool:
    """Tell a session's browser nothing any more; False if it was not told anything."""
    return (
        tx.run(
            "DELETE FROM push_subscriptions WHERE session_id = :session_id",
            {"session_id": session_id},
        )
        > 0
    )


def is_subscribed(reader: Reader, session_id: int) -> bool:
    """Whether a session's browser is told."""
    return bool(
        reader.value(
            "SELECT EXISTS (SELECT 1 FROM push_subscriptions WHERE session_id = :session_id)",
            {"session_id": session_id},
        )
    )


def subscriptions(reader: Reader, *, now: datetime) -> list[Subscription]:
    """Return the browsers of the sessions that have not run out."""
    rows = reader.all(
        """
        SELECT push_subscriptions.*
          FROM push_subscriptions
          JOIN sessions ON sessions.id = push_subscriptions.session_id
         WHERE sessions.expires_at > :now
           AND sessions.last_used_at > :idle_since
         ORDER BY push_subscriptions.id
        """,
        {"now": instants.to_text(now), "idle_since": instants.to_text(now - IDLE)},
    )
    return [_from_row(reader, row) for row in rows]


def newest_message(reader: Reader, *, now: datetime) -> int:
    """Return the id of the newest message that the owner has not seen and wants to be told of.

    0 if there is none. What strangers wrote, what is muted and who is never counts: see
    `conversations.tells`.
    """
    newest: int = reader.value(
        """
        SELECT coalesce(max(messages.id), 0)
          FROM messages
          JOIN conversations ON conversations.id = messages.conversation_id
          JOIN actors ON actors.id = messages.actor_id
         WHERE conversations.state = 'open'
           AND messages.id > conversations.read_message_id
           AND messages.actor_id NOT IN (SELECT actor_id FROM owner)
           AND messages.actor_id NOT IN (SELECT actor_id FROM blocked_actors)
           AND messages.actor_id NOT IN (
                   SELECT actor_id
                     FROM muted_actors
                    WHERE with_notifications
                      AND (until IS NULL OR until > :now))
           AND NOT EXISTS (SELECT 1
                             FROM muted_conversations
                            WHERE conversation_id = conversations.id
                              AND (until IS NULL OR until > :now))
           AND NOT EXISTS (SELECT 1
                             FROM muted_hosts
                            WHERE instr('.' || actors.host || ':', '.' || muted_hosts.host || ':')
                              AND (until IS NULL OR until > :now))
        """,
        {"now": instants.to_text(now)},
    )
    return newest


def tell(tx: Transaction, subscription_id: int, topic: Topic, up_to: int, now: datetime) -> None:
    """Note that a browser was told of everything up to an id."""
    tx.run(
        f"""
        UPDATE push_subscriptions
           SET {topic}_id = max({topic}_id, :up_to),
               {topic}_at = :now,
               failures = 0,
               not_before = NULL
         WHERE id = :id
        """,  # noqa: S608 - one of two words of ours
        {"id": subscription_id, "up_to": up_to, "now": instants.to_text(now)},
    )


def leave_alone(tx: Transaction, subscription_id: int, until: datetime) -> None:
    """Note that a push failed, and until when to try no other."""
    tx.run(
        """
        UPDATE push_subscriptions
           SET failures = failures + 1,
               not_before = :until
         WHERE id = :id
        """,
        {"id": subscription_id, "until": instants.to_text(until)},
    )


def remove(tx: Transaction, subscription_id: int) -> None:
    """Delete a subscription that its push service does not know any more."""
    tx.run("DELETE FROM push_subscriptions WHERE id = :id", {"id": subscription_id})


def count(reader: Reader) -> int:
    """Return how many browsers are told."""
    found: int = reader.value("SELECT count(*) FROM push_subscriptions")
    return found


def opened(reader: Reader, sealed: bytes, bound_to: str) -> Browser:
    """Return the browser of a sealed body, which is bound to its session and its row."""
    body = json.loads(reader.sealer.open(_BODY, sealed, bound_to=bound_to))
    return Browser(
        body["endpoint"],
        webpush.read_base64(body["point"], webpush.PUBLIC_BYTES),
        webpush.read_base64(body["auth"], webpush.AUTH_BYTES),
        body["language"],
    )


def _from_row(reader: Reader, row: sqlite3.Row) -> Subscription:
    return Subscription(
        row["id"],
        row["session_id"],
        opened(reader, row["body_sealed"], f"{row['session_id']} {row['id']}"),
        Told(row["message_id"], _instant(row["message_at"])),
        Told(row["notification_id"], _instant(row["notification_at"])),
        row["failures"],
        _instant(row["not_before"]),
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else instants.from_text(text)
