"""What the owner writes and has not published: drafts, and posts that wait for their time. Sealed.

A draft has the key of the form that it is written in, and counts its saves. A form that knows an
older count does not overwrite what another has saved: its text becomes a draft of its own.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from sqlite3 import Row
from typing import Any

from microfedi.errors import InvalidInput
from microfedi.protocol import ids, instants
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.sealed import Sealer

MAX_DRAFTS = 100  # they are read whole to be listed; whoever has more needs a tidy-up
MAX_BYTES = 400_000  # of one: the longest text that a form can bring, with its pictures' words
MAX_KEY_CHARS = 40

_PURPOSE = "draft"


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of a draft: the public id of its medium, and what was said of it."""

    name: str
    alt: str = ""
    focal_point: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A post as it was typed; nothing in it has been checked.

    `visibility` is one of vocab.Visibility; for a circle `circle` is its public id. `in_reply_to`,
    `quote` and `edits` (the own post that it is to replace) are row ids of notes. `at` is the local
    time that was typed to publish it; `replaces` the key of the scheduled post that it is to be.
    """

    source: str = field(default="", repr=False)
    summary: str = field(default="", repr=False)
    visibility: str = "public"
    circle: str = ""
    language: str = ""
    sensitive: bool = False
    in_reply_to: int | None = None
    quote: int | None = None
    edits: int | None = None
    options: tuple[str, ...] = ()
    lasts: int = 86_400  # seconds
    is_multiple: bool = False
    attached: tuple[Attached, ...] = ()
    at: str = ""
    replaces: str = ""
    on_success: str = ""

    @property
    def is_empty(self) -> bool:
        """True if nobody would miss it."""
        return not (self.source.strip() or self.attached or any(self.options))


@dataclass(frozen=True, slots=True)
class Kept:
    """A draft as it is kept. `problem` is why it was not published at its time: an InvalidInput."""

    key: str
    version: int
    draft: Draft
    saved_at: datetime
    publish_at: datetime | None = None
    problem: InvalidInput | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """That a draft is none any more. `note_id` is the post that it became, None if deleted."""

    note_id: int | None


def new_key() -> str:
    """Return a key for a new form."""
    return ids.public_id()


def save(tx: Transaction, key: str, version: int, draft: Draft, now: datetime) -> Kept:
    """Keep what a form holds, if `version` is the last one that it knows of; else beside it.

    An empty one is not kept; its version is 0. What waits for its time is not touched by a form
    that does not know of that: it is kept beside it, too.

    Raises: InvalidInput if there are too many, or it is too long, or published already.
    """
    if finished(tx, key) is not None:
        raise InvalidInput("", "This has been published, or deleted, in another window.")
    known = by_key(tx, key)
    if known is not None and (known.version != version or known.publish_at is not None):
        if known.publish_at is None and known.draft == draft:
            return known  # the same text, sent twice
        key, known = new_key(), None
    if draft.is_empty:
        remove(tx, key)
        return Kept(key, 0, draft, now)
    return _put(tx, Kept(key, (known.version if known else version) + 1, draft, now))


def schedule(tx: Transaction, kept: Kept, publish_at: datetime, now: datetime) -> Kept:
    """Let a draft wait for its time, in the place of the one that it replaces."""
    if kept.draft.replaces:
        remove(tx, kept.draft.replaces)
    draft = replace(kept.draft, replaces="")
    return _put(tx, Kept(kept.key, kept.version + 1, draft, now, publish_at))


def unschedule(tx: Transaction, kept: Kept, problem: InvalidInput | None = None) -> Kept:
    """Make it a draft like any other; `problem` is why it was not published."""
    draft = replace(kept.draft, at="")
    return _put(tx, Kept(kept.key, kept.version + 1, draft, kept.saved_at, None, problem))


def by_key(reader: Reader, key: str) -> Kept | None:
    """Return the draft with this key."""
    row = reader.one("SELECT * FROM drafts WHERE key = :key", {"key": key})
    return None if row is None else _from_row(reader.sealer, row)


def unfinished(reader: Reader, *, limit: int = MAX_DRAFTS) -> list[Kept]:
    """Return drafts, what was saved last first."""
    rows = reader.all(
        """
        SELECT *
          FROM drafts
         WHERE publish_at IS NULL
         ORDER BY saved_at DESC, key
         LIMIT :limit
        """,
        {"limit": limit},
    )
    return [_from_row(reader.sealer, row) for row in rows]


def scheduled(reader: Reader) -> list[Kept]:
    """Return what waits for its time, what comes first first."""
    rows = reader.all(
        "SELECT * FROM drafts WHERE publish_at IS NOT NULL ORDER BY publish_at, key",
    )
    return [_from_row(reader.sealer, row) for row in rows]


def remove(tx: Transaction, key: str) -> bool:
    """Forget a draft, as if it had never been; its files are tidied away later."""
    return tx.run("DELETE FROM drafts WHERE key = :key", {"key": key}) > 0


def finish(tx: Transaction, key: str, note_id: int | None, now: datetime) -> None:
    """Take note that a draft was published, or deleted: its form brings nothing any more.

    Raises: InvalidInput if it was finished before.
    """
    is_new = tx.run(
        """
        INSERT INTO finished_drafts (key, note_id, finished_at) VALUES (:key, :note_id, :now)
        ON CONFLICT DO NOTHING
        """,
        {"key": key, "note_id": note_id, "now": instants.to_text(now)},
    )
    if not is_new:
        raise InvalidInput("", "This has been published, or deleted, in another window.")
    remove(tx, key)


def finished(reader: Reader, key: str) -> Finished | None:
    """Return what became of a draft; None if it may still be written."""
    row = reader.one("SELECT note_id FROM finished_drafts WHERE key = :key", {"key": key})
    return None if row is None else Finished(row["note_id"])


def prune(tx: Transaction, before: datetime) -> int:
    """Forget what became of old drafts: no window is open that long."""
    return tx.run(
        "DELETE FROM finished_drafts WHERE finished_at < :before",
        {"before": instants.to_text(before)},
    )


def _put(tx: Transaction, kept: Kept) -> Kept:
    body = json.dumps(_body(kept)).encode()
    if len(body) > MAX_BYTES:
        raise InvalidInput("source", "This is too long to be kept as a draft.")
    is_known = tx.value("SELECT count(*) FROM drafts WHERE key = :key", {"key": kept.key})
    if not is_known and tx.value("SELECT count(*) FROM drafts") >= MAX_DRAFTS:
        raise InvalidInput("", "At most %(limit)s drafts: delete some first.", limit=MAX_DRAFTS)
    tx.run(
        """
        INSERT INTO drafts (key, version, body_sealed, saved_at, publish_at)
        VALUES (:key, :version, :body, :saved_at, :publish_at)
        ON CONFLICT (key) DO UPDATE
           SET version = excluded.version,
               body_sealed = excluded.body_sealed,
               saved_at = excluded.saved_at,
               publish_at = excluded.publish_at
        """,
        {
            "key": kept.key,
            "version": kept.version,
            "body": tx.sealer.seal(_PURPOSE, body, bound_to=kept.key),
            "saved_at": instants.to_text(kept.saved_at),
            "publish_at": instants.to_text(kept.publish_at) if kept.publish_at else None,
        },
    )
    _hold(tx, kept.key, [one.name for one in kept.draft.attached])
    return kept


def _hold(tx: Transaction, key: str, names: Iterable[str]) -> None:
    tx.run("DELETE FROM draft_uploads WHERE key = :key", {"key": key})
    tx.run(
        """
        INSERT INTO draft_uploads (key, public_id)
        SELECT DISTINCT :key, public_id
          FROM uploads
         WHERE public_id IN (SELECT value FROM json_each(:names))
        """,
        {"key": key, "names": json.dumps(list(names))},
    )


def _body(kept: Kept) -> dict[str, Any]:
    problem = kept.problem
    said = None
    if problem is not None:
        values = {name: str(value) for name, value in problem.values.items()}
        said = [problem.field, problem.template, values]
    return {"draft": asdict(kept.draft), "problem": said}


def _from_row(sealer: Sealer, row: Row) -> Kept:
    body = json.loads(sealer.open(_PURPOSE, row["body_sealed"], bound_to=row["key"]))
    typed = body["draft"]
    typed["options"] = tuple(typed["options"])
    typed["attached"] = tuple(
        Attached(one["name"], one["alt"], tuple(one["focal_point"]) if one["focal_point"] else None)
        for one in typed["attached"]
    )
    said = body["problem"]
    publish_at = row["publish_at"]
    return Kept(
        key=row["key"],
        version=row["version"],
        draft=Draft(**typed),
        saved_at=instants.from_text(row["saved_at"]),
        publish_at=None if publish_at is None else instants.from_text(publish_at),
        problem=None if said is None else InvalidInput(said[0], said[1], **said[2]),
    )
