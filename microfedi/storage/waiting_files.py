"""Files that the owner has uploaded and that hang on nothing yet: sealed, and gone after a day.

What a draft holds stays as long as the draft does.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from microfedi.protocol import instants
from microfedi.storage import media
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.media import Media

KEPT_FOR = timedelta(days=1)  # without a draft: whoever left the page is not coming back for them
MAX_WAITING = 400  # files at once; twenty large posts


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that waits to be published, with the still of a film."""

    record: Media
    poster: Media | None = None
    duration_s: float | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its files."""
        poster = () if self.poster is None else (self.poster.public_id,)
        return (self.record.public_id, *poster)


def add(tx: Transaction, waiting: Waiting, now: datetime) -> None:
    """Keep what is known of a file that was written, sealed."""
    for one in (waiting.record, waiting.poster):
        if one is not None:
            media.add(tx, replace(one, note_id=None, message_id=None), now)
    tx.run(
        """
        INSERT INTO uploads (public_id, poster, duration_s)
        VALUES (:public_id, :poster, :duration_s)
        """,
        {
            "public_id": waiting.record.public_id,
            "poster": waiting.poster.public_id if waiting.poster else None,
            "duration_s": waiting.duration_s,
        },
    )


def count(reader: Reader) -> int:
    """Return how many files wait."""
    number: int = reader.value("SELECT count(*) FROM uploads")
    return number


def by_names(reader: Reader, names: Iterable[str]) -> dict[str, Waiting]:
    """Return those of these files that wait, by their public ids."""
    return _those(
        reader,
        """
        SELECT * FROM uploads WHERE public_id IN (SELECT value FROM json_each(:names))
        """,
        {"names": json.dumps(list(names))},
    )


def release(tx: Transaction, names: Iterable[str]) -> list[str]:
    """Forget files that no draft holds; return the names to delete from the disk."""
    return _forget(
        tx,
        """
        SELECT *
          FROM uploads
         WHERE public_id IN (SELECT value FROM json_each(:names))
           AND public_id NOT IN (SELECT public_id FROM draft_uploads)
        """,
        {"names": json.dumps(list(names))},
    )


def purge(tx: Transaction, before: datetime) -> list[str]:
    """Forget what was uploaded before then and no draft holds; return the names to delete."""
    return _forget(
        tx,
        """
        SELECT uploads.*
          FROM uploads
          JOIN media USING (public_id)
         WHERE media.created_at < :before
           AND public_id NOT IN (SELECT public_id FROM draft_uploads)
        """,
        {"before": instants.to_text(before)},
    )


def _forget(tx: Transaction, query: str, values: dict[str, Any]) -> list[str]:
    names = [name for one in _those(tx, query, values).values() for name in one.names]
    media.delete(tx, names)
    return names


def _those(reader: Reader, query: str, values: dict[str, Any]) -> dict[str, Waiting]:
    rows = reader.all(query, values)
    wanted = [name for row in rows for name in (row["public_id"], row["poster"]) if name]
    known = media.by_ids(reader, wanted) if wanted else {}
    return {
        row["public_id"]: Waiting(
            known[row["public_id"]], known.get(row["poster"] or ""), row["duration_s"]
        )
        for row in rows
    }
