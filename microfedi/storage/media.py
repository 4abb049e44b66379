"""What we know about media: the owner's own, and our copies of others'. Bytes: `files`."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.sealed import Sealer


@dataclass(frozen=True, slots=True)
class Media:
    """A picture of the owner's; its file is ciphertext if `sealed`, and only theirs if `in_vault`.

    It belongs to a note, a message, or, if to neither, to the profile.
    """

    public_id: str
    media_type: str
    size_bytes: int
    width: int
    height: int
    blurhash: str
    sealed: bool
    note_id: int | None = None
    message_id: int | None = None
    in_vault: bool = False

    @property
    def file_name(self) -> str:
        """What the file is called."""
        return vault_name(self.public_id) if self.in_vault else self.public_id


@dataclass(frozen=True, slots=True)
class CachedMedia:
    """A copy of somebody's picture; the file is named `key`. `media_type` "": there is none."""

    key: str
    media_type: str
    size_bytes: int
    fetched_at: datetime
    used_at: datetime


def add(tx: Transaction, media: Media, now: datetime) -> None:
    """Keep what is known of a picture whose file is written."""
    tx.run(
        """
        INSERT INTO media (
            public_id, media_type, size_bytes, width, height, blurhash, sealed, note_id,
            message_id, created_at)
        VALUES (
            :public_id, :media_type, :size_bytes, :width, :height, :blurhash, :sealed, :note_id,
            :message_id, :created_at)
        """,
        {
            "public_id": media.public_id,
            "media_type": media.media_type,
            "size_bytes": media.size_bytes,
            "width": media.width,
            "height": media.height,
            "blurhash": media.blurhash,
            "sealed": media.sealed,
            "note_id": media.note_id,
            "message_id": media.message_id,
            "created_at": instants.to_text(now),
        },
    )


def attach(
    tx: Transaction,
    public_ids: Iterable[str],
    *,
    note_id: int | None = None,
    message_id: int | None = None,
) -> int:
    """Let pictures belong to a note or a message, unless they belong to one already."""
    return tx.run(
        """
        UPDATE media
           SET note_id = :note_id,
               message_id = :message_id
         WHERE public_id IN (SELECT value FROM json_each(:ids))
           AND note_id IS NULL
           AND message_id IS NULL
        """,
        {"ids": json.dumps(list(public_ids)), "note_id": note_id, "message_id": message_id},
    )


def by_id(reader: Reader, public_id: str) -> Media | None:
    """Return the owner's picture with this public id."""
    row = reader.one("SELECT * FROM media WHERE public_id = :id", {"id": public_id})
    return None if row is None else _from_row(row)


def by_ids(reader: Reader, public_ids: Iterable[str]) -> dict[str, Media]:
    """Return those of the owner's pictures that have these public ids."""
    rows = reader.all(
        "SELECT * FROM media WHERE public_id IN (SELECT value FROM json_each(:ids))",
        {"ids": json.dumps(list(public_ids))},
    )
    return {row["public_id"]: _from_row(row) for row in rows}


def of_note(reader: Reader, note_id: int) -> list[Media]:
    """Return the pictures of a note."""
    rows = reader.all("SELECT * FROM media WHERE note_id = :id", {"id": note_id})
    return [_from_row(row) for row in rows]


def private_name(sealer: Sealer, url: str) -> str:
    """Return what the copy of something is called that somebody sent in a message."""
    return sealer.lookup_key("media of messages", url).hex()


def vault_name(public_id: str) -> str:
    """Return what the file of a picture in the vault is called."""
    return f"{public_id}-v"


def for_vault(reader: Reader, *, before: datetime, limit: int) -> list[Media]:
    """Return files of messages that nobody needs to fetch any more: made before `before`, and the
    message is on its way to nobody.
    """
    rows = reader.all(
        """
        SELECT *
          FROM media
         WHERE message_id IS NOT NULL
           AND NOT in_vault
           AND created_at < :before
           AND NOT EXISTS (SELECT 1
                             FROM outgoing
                            WHERE outgoing.message_id = media.message_id
                              AND body_sealed IS NOT NULL)
         LIMIT :limit
        """,
        {"before": instants.to_text(before), "limit": limit},
    )
    return [_from_row(row) for row in rows]


def moved_to_vault(tx: Transaction, public_id: str) -> bool:
    """Note that the file is in the vault; False if it is not there any more."""
    return (
        tx.run(
            "UPDATE media SET in_vault = 1 WHERE public_id = :id AND NOT in_vault",
            {"id": public_id},
        )
        == 1
    )


def of_message(reader: Reader, message_id: int) -> list[Media]:
    """Return the pictures of a message."""
    rows = reader.all("SELECT * FROM media WHERE message_id = :id", {"id": message_id})
    return [_from_row(row) for row in rows]


def delete(tx: Transaction, public_ids: Iterable[str]) -> int:
    """Forget pictures; the caller deletes the files after the commit."""
    return tx.run(
        "DELETE FROM media WHERE public_id IN (SELECT value FROM json_each(:ids))",
        {"ids": json.dumps(list(public_ids))},
    )


def all_ids(reader: Reader) -> set[str]:
    """Return the names of all files that should be there: what else lies there is left over."""
    return {row["public_id"] for row in reader.all("SELECT public_id FROM media")}


def total_bytes(reader: Reader) -> int:
    """Return how much the owner's pictures take."""
    total: int = reader.value("SELECT coalesce(sum(size_bytes), 0) FROM media")
    return total


def cached(reader: Reader, key: str) -> CachedMedia | None:
    """Return what is known of the copy with this key."""
    row = reader.one("SELECT * FROM cached_media WHERE key = :key", {"key": key})
    return None if row is None else _cached_from_row(row)


def put_cached(
    tx: Transaction,
    key: str,
    *,
    media_type: str,
    size_bytes: int,
    now: datetime,
    is_too_large: bool = False,
    likeness: str = "",
) -> None:
    """Note that a copy lies there; with an empty `media_type` that it could not be had."""
    tx.run(
        """
        INSERT INTO cached_media (key, media_type, size_bytes, is_too_large, likeness,
                                  fetched_at, used_at)
        VALUES (:key, :media_type, :size_bytes, :is_too_large, :likeness, :now, :now)
        ON CONFLICT (key) DO UPDATE
           SET media_type = excluded.media_type,
               size_bytes = excluded.size_bytes,
               is_too_large = excluded.is_too_large,
               likeness = excluded.likeness,
               fetched_at = excluded.fetched_at,
               used_at = excluded.used_at
        """,
        {
            "key": key,
            "media_type": media_type,
            "size_bytes": size_bytes,
            "is_too_large": is_too_large,
            "likeness": likeness,
            "now": instants.to_text(now),
        },
    )


def too_large(reader: Reader, keys: Iterable[str]) -> set[str]:
    """Return which of these could not be had because they are too large."""
    rows = reader.all(
        """
        SELECT key
          FROM cached_media
         WHERE key IN (SELECT value FROM json_each(:keys))
           AND is_too_large
        """,
        {"keys": json.dumps(list(keys))},
    )
    return {row["key"] for row in rows}


def likenesses(reader: Reader, keys: Iterable[str]) -> dict[str, int]:
    """Return what these pictures look like (see `imagework`), as far as they lie here."""
    rows = reader.all(
        """
        SELECT key, likeness
          FROM cached_media
         WHERE key IN (SELECT value FROM json_each(:keys))
           AND likeness != ''
        """,
        {"keys": json.dumps(list(keys))},
    )
    return {row["key"]: int(row["likeness"], 16) for row in rows}


def touch_cached(tx: Transaction, keys: Iterable[str], now: datetime) -> None:
    """Note that copies were looked at: the longest unseen go first."""
    tx.run(
        """
        UPDATE cached_media
           SET used_at = :now
         WHERE key IN (SELECT value FROM json_each(:keys))
        """,
        {"keys": json.dumps(list(keys)), "now": instants.to_text(now)},
    )


def oldest_cached(reader: Reader, *, limit: int) -> list[CachedMedia]:
    """Return the copies that were not looked at for the longest time."""
    rows = reader.all("SELECT * FROM cached_media ORDER BY used_at LIMIT :limit", {"limit": limit})
    return [_cached_from_row(row) for row in rows]


def cached_bytes(reader: Reader) -> int:
    """Return how much the copies take."""
    total: int = reader.value("SELECT coalesce(sum(size_bytes), 0) FROM cached_media")
    return total


def delete_cached(tx: Transaction, keys: Iterable[str]) -> int:
    """Forget copies; the caller deletes the files after the commit."""
    return tx.run(
        "DELETE FROM cached_media WHERE key IN (SELECT value FROM json_each(:keys))",
        {"keys": json.dumps(list(keys))},
    )


def _from_row(row: Row) -> Media:
    return Media(
        public_id=row["public_id"],
        media_type=row["media_type"],
        size_bytes=row["size_bytes"],
        width=row["width"],
        height=row["height"],
        blurhash=row["blurhash"],
        sealed=bool(row["sealed"]),
        note_id=row["note_id"],
        message_id=row["message_id"],
        in_vault=bool(row["in_vault"]),
    )


def _cached_from_row(row: Row) -> CachedMedia:
    return CachedMedia(
        key=row["key"],
        media_type=row["media_type"],
        size_bytes=row["size_bytes"],
        fetched_at=instants.from_text(row["fetched_at"]),
        used_at=instants.from_text(row["used_at"]),
    )
