"""Reactions to posts with an emoji, beside likes."""

from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import instants, vocab
from microfedi.storage.database import Reader, Transaction

MAX_OF_ONE = 20  # different reactions of one person to one post
MAX_OF_NOTE = 20_000  # of all people: pages count them


@dataclass(frozen=True, slots=True)
class Reaction:
    """One person's reaction: `name` is an emoji, or a :shortcode: whose picture is `emoji_url`."""

    note_id: int
    actor_id: int
    name: str
    emoji_url: str | None
    uri: str


def add(
    tx: Transaction,
    note_id: int,
    actor_id: int,
    name: str,
    uri: str,
    now: datetime,
    *,
    emoji: vocab.Emoji | None = None,
) -> bool:
    """Keep a reaction; False if it was there, or if they have enough of them."""
    return (
        tx.run(
            """
            INSERT INTO reactions (note_id, actor_id, name, emoji_url, uri, created_at)
            SELECT :note_id, :actor_id, :name, :emoji_url, :uri, :now
             WHERE (SELECT count(*) FROM reactions
                     WHERE note_id = :note_id AND actor_id = :actor_id) < :most
               AND (SELECT count(*) FROM reactions WHERE note_id = :note_id) < :most_of_note
            ON CONFLICT DO NOTHING
            """,
            {
                "note_id": note_id,
                "actor_id": actor_id,
                "name": name,
                "emoji_url": emoji.url if emoji else None,
                "uri": uri,
                "now": instants.to_text(now),
                "most": MAX_OF_ONE,
                "most_of_note": MAX_OF_NOTE,
            },
        )
        > 0
    )


def by_uri(reader: Reader, uri: str) -> Reaction | None:
    """Return the reaction with this id."""
    row = reader.one(
        "SELECT note_id, actor_id, name, emoji_url, uri FROM reactions WHERE uri = :uri",
        {"uri": uri},
    )
    return None if row is None else Reaction(**row)


def remove(tx: Transaction, note_id: int, actor_id: int, name: str) -> bool:
    """Take a reaction back; False if it was not there."""
    return (
        tx.run(
            """
            DELETE FROM reactions
             WHERE note_id = :note_id AND actor_id = :actor_id AND name = :name
            """,
            {"note_id": note_id, "actor_id": actor_id, "name": name},
        )
        > 0
    )


def reactors(reader: Reader, note_id: int, *, limit: int) -> list[int]:
    """Return who reacted to a note."""
    rows = reader.all(
        "SELECT DISTINCT actor_id FROM reactions WHERE note_id = :id LIMIT :limit",
        {"id": note_id, "limit": limit},
    )
    return [row["actor_id"] for row in rows]
