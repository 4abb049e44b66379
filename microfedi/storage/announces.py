"""Announces (boosts), both ways."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row

from microfedi.protocol import instants
from microfedi.protocol.vocab import Visibility
from microfedi.storage import rowids
from microfedi.storage.database import Reader, Transaction


@dataclass(frozen=True, slots=True)
class Announce:
    """`actor_id` boosts `note_id`. `public_id` is set for ours only."""

    id: int
    uri: str
    public_id: str | None
    note_id: int
    actor_id: int
    visibility: Visibility
    published_at: datetime


def add(
    tx: Transaction,
    *,
    uri: str,
    note_id: int,
    actor_id: int,
    visibility: Visibility,
    published_at: datetime,
    public_id: str | None = None,
    now: datetime,
) -> Announce | None:
    """Keep a boost and count it; None if that actor boosts the note already, or `uri` is taken."""
    clamped = instants.not_after(published_at, now)
    announce = Announce(
        rowids.free(tx, "announces", clamped),
        uri,
        public_id,
        note_id,
        actor_id,
        visibility,
        clamped,
    )
    added = tx.run(
        """
        INSERT INTO announces (id, uri, public_id, note_id, actor_id, visibility, published_at)
        VALUES (:id, :uri, :public_id, :note_id, :actor_id, :visibility, :published_at)
        ON CONFLICT (uri) DO NOTHING
        ON CONFLICT (note_id, actor_id) DO NOTHING
        """,
        {
            "id": announce.id,
            "uri": uri,
            "public_id": public_id,
            "note_id": note_id,
            "actor_id": actor_id,
            "visibility": visibility.value,
            "published_at": instants.to_text(clamped),
        },
    )
    if not added:
        return None
    tx.run("UPDATE notes SET announces = announces + 1 WHERE id = :id", {"id": note_id})
    return announce


def remove(tx: Transaction, announce_id: int) -> bool:
    """Take a boost back, off Home too; False if there was none."""
    row = tx.one(
        "DELETE FROM announces WHERE id = :id RETURNING note_id",
        {"id": announce_id},
    )
    if row is None:
        return False
    tx.run(
        "UPDATE notes SET announces = max(0, announces - 1) WHERE id = :id",
        {"id": row["note_id"]},
    )
    return True


def by_uri(reader: Reader, uri: str) -> Announce | None:
    """Return the boost whose activity is `uri`."""
    row = reader.one("SELECT * FROM announces WHERE uri = :uri", {"uri": uri})
    return None if row is None else _from_row(row)


def by_public_id(reader: Reader, public_id: str) -> Announce | None:
    """Return the owner's boost with this public id."""
    row = reader.one("SELECT * FROM announces WHERE public_id = :id", {"id": public_id})
    return None if row is None else _from_row(row)


def by_ids(reader: Reader, announce_ids: Iterable[int]) -> dict[int, Announce]:
    """Return the boosts of these rows by row id; what is not there is left out."""
    rows = reader.all(
        "SELECT * FROM announces WHERE id IN (SELECT value FROM json_each(:ids))",
        {"ids": json.dumps(list(announce_ids))},
    )
    return {row["id"]: _from_row(row) for row in rows}


def of(reader: Reader, note_id: int, actor_id: int) -> Announce | None:
    """Return somebody's boost of a note."""
    row = reader.one(
        "SELECT * FROM announces WHERE note_id = :note_id AND actor_id = :actor_id",
        {"note_id": note_id, "actor_id": actor_id},
    )
    return None if row is None else _from_row(row)


def announcers(reader: Reader, note_id: int, *, limit: int) -> list[int]:
    """Return the row ids of those who boost a note, the first ones first."""
    rows = reader.all(
        "SELECT actor_id FROM announces WHERE note_id = :note_id ORDER BY id LIMIT :limit",
        {"note_id": note_id, "limit": limit},
    )
    return [row["actor_id"] for row in rows]


def _from_row(row: Row) -> Announce:
    return Announce(
        id=row["id"],
        uri=row["uri"],
        public_id=row["public_id"],
        note_id=row["note_id"],
        actor_id=row["actor_id"],
        visibility=Visibility(row["visibility"]),
        published_at=instants.from_text(row["published_at"]),
    )
