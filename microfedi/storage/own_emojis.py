"""The owner's own custom emoji: pictures that stand for `:shortcode:` in what the owner writes."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction


@dataclass(frozen=True, slots=True)
class OwnEmoji:
    """An emoji; `file` is the public id of its picture among the owner's media."""

    shortcode: str
    file: str
    media_type: str
    updated_at: datetime


def add(tx: Transaction, emoji: OwnEmoji) -> bool:
    """Keep an emoji; False if there is one of that name."""
    return (
        tx.run(
            """
            INSERT INTO own_emojis (shortcode, file, media_type, updated_at)
            VALUES (:shortcode, :file, :media_type, :updated_at)
            ON CONFLICT DO NOTHING
            """,
            {
                "shortcode": emoji.shortcode,
                "file": emoji.file,
                "media_type": emoji.media_type,
                "updated_at": instants.to_text(emoji.updated_at),
            },
        )
        == 1
    )


def remove(tx: Transaction, shortcode: str) -> None:
    """Forget an emoji; the picture is the caller's to delete."""
    tx.run("DELETE FROM own_emojis WHERE shortcode = :shortcode", {"shortcode": shortcode})


def by_shortcode(reader: Reader, shortcode: str) -> OwnEmoji | None:
    """Return the emoji of that name."""
    found = named(reader, [shortcode])
    return found[0] if found else None


def named(reader: Reader, shortcodes: Iterable[str]) -> list[OwnEmoji]:
    """Return those of these names that there are."""
    rows = reader.all(
        """
        SELECT *
          FROM own_emojis
         WHERE shortcode IN (SELECT value FROM json_each(:shortcodes))
         ORDER BY shortcode
        """,
        {"shortcodes": json.dumps(list(shortcodes))},
    )
    return [_from_row(row) for row in rows]


def all(reader: Reader) -> list[OwnEmoji]:
    """Return every emoji, by name."""
    return [_from_row(row) for row in reader.all("SELECT * FROM own_emojis ORDER BY shortcode")]


def _from_row(row: Row) -> OwnEmoji:
    return OwnEmoji(
        shortcode=row["shortcode"],
        file=row["file"],
        media_type=row["media_type"],
        updated_at=instants.from_text(row["updated_at"]),
    )
