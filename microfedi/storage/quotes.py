"""Posts that quote another: whether its author agreed. Only then it is shown as a quote."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row
from typing import Literal

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction

State = Literal["unknown", "pending", "accepted", "rejected", "revoked"]


@dataclass(frozen=True, slots=True)
class Quote:
    """`note_id` quotes `quoted_uri`; `quoted_id` if that is kept here.

    `authorization` is the stamp by which the quoted author agreed, `request_uri` our own request.
    """

    note_id: int
    quoted_uri: str
    quoted_id: int | None
    state: State
    authorization: str | None
    request_uri: str | None
    checked_at: datetime | None


_SELECT = """
    SELECT quotes.note_id, quoted_uri, quotes.state, authorization, request_uri, checked_at,
           (SELECT id FROM notes WHERE uri = quoted_uri) AS quoted_id
      FROM quotes
"""


def put(
    tx: Transaction,
    note_id: int,
    quoted_uri: str,
    state: State,
    *,
    authorization: str | None = None,
    request_uri: str | None = None,
    now: datetime,
) -> None:
    """Keep that a note quotes another, and how that stands."""
    tx.run(
        """
        INSERT INTO quotes (note_id, quoted_uri, state, authorization, request_uri, checked_at)
        VALUES (:note_id, :quoted_uri, :state, :authorization, :request_uri, :now)
        ON CONFLICT (note_id) DO UPDATE
           SET quoted_uri = excluded.quoted_uri,
               state = excluded.state,
               authorization = excluded.authorization,
               request_uri = coalesce(excluded.request_uri, request_uri),
               checked_at = excluded.checked_at
        """,
        {
            "note_id": note_id,
            "quoted_uri": quoted_uri,
            "state": state,
            "authorization": authorization,
            "request_uri": request_uri,
            "now": instants.to_text(now),
        },
    )


def set_state(
    tx: Transaction, note_id: int, state: State, *, authorization: str | None, now: datetime
) -> None:
    """Say how a quote stands now."""
    tx.run(
        """
        UPDATE quotes
           SET state = :state, authorization = :authorization, checked_at = :now
         WHERE note_id = :id
        """,
        {
            "id": note_id,
            "state": state,
            "authorization": authorization,
            "now": instants.to_text(now),
        },
    )


def remove(tx: Transaction, note_id: int) -> None:
    """Forget that a note quotes anything."""
    tx.run("DELETE FROM quotes WHERE note_id = :id", {"id": note_id})


def of_note(reader: Reader, note_id: int) -> Quote | None:
    """Return what a note quotes."""
    return of_notes(reader, [note_id]).get(note_id)


def of_notes(reader: Reader, note_ids: Collection[int]) -> dict[int, Quote]:
    """Return what notes quote, by note."""
    rows = reader.all(
        f"{_SELECT} WHERE quotes.note_id IN (SELECT value FROM json_each(:ids))",  # noqa: S608
        {"ids": json.dumps(list(note_ids))},
    )
    return {row["note_id"]: _from_row(row) for row in rows}


def by_request(reader: Reader, request_uri: str) -> Quote | None:
    """Return the quote of ours that this request asked for."""
    row = reader.one(f"{_SELECT} WHERE request_uri = :uri", {"uri": request_uri})
    return None if row is None else _from_row(row)


def by_authorization(reader: Reader, authorization: str) -> list[Quote]:
    """Return the quotes that lean on a stamp."""
    rows = reader.all(f"{_SELECT} WHERE authorization = :uri", {"uri": authorization})
    return [_from_row(row) for row in rows]


def of_quoted(reader: Reader, quoted_uri: str, *, limit: int) -> list[Quote]:
    """Return who quotes a post, the newest first."""
    rows = reader.all(
        f"{_SELECT} WHERE quoted_uri = :uri ORDER BY quotes.note_id DESC LIMIT :limit",
        {"uri": quoted_uri, "limit": limit},
    )
    return [_from_row(row) for row in rows]


def _from_row(row: Row) -> Quote:
    return Quote(
        note_id=row["note_id"],
        quoted_uri=row["quoted_uri"],
        quoted_id=row["quoted_id"],
        state=row["state"],
        authorization=row["authorization"],
        request_uri=row["request_uri"],
        checked_at=instants.from_text(row["checked_at"]) if row["checked_at"] else None,
    )
