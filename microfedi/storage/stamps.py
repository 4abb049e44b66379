"""Who asked to quote or to answer a post of the owner's, or to list the owner, and our answers.

An accepted one is a document of ours that others look at: a stamp.
"""

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction

MAX_OF_ONE = 50  # quotes and answers of one person to one post, that they asked about
MAX_FEATURES_OF_ONE = 20  # collections of one person, likewise
MAX_OF_NOTE = 10_000  # of all people: more is no conversation

Kind = Literal["quote", "reply"]
State = Literal["pending", "accepted", "rejected", "revoked"]


@dataclass(frozen=True, slots=True)
class Stamp:
    """`actor_id` wants that `other_uri` quotes or answers the note `note_id`."""

    public_id: str
    kind: Kind
    note_id: int
    actor_id: int
    other_uri: str
    request_uri: str
    state: State
    created_at: datetime


@dataclass(frozen=True, slots=True)
class FeatureStamp:
    """`actor_id` wants to list the owner in the collection `collection_uri`."""

    public_id: str
    actor_id: int
    collection_uri: str
    request_uri: str
    state: State
    created_at: datetime


_COLUMNS = "public_id, kind, note_id, actor_id, other_uri, request_uri, state, created_at"
_FEATURE_COLUMNS = "public_id, actor_id, collection_uri, request_uri, state, created_at"


def put(tx: Transaction, stamp: Stamp) -> Stamp | None:
    """Keep a request and its answer; one that came before keeps its id and, if said, its answer.

    None if there are too many.
    """
    tx.run(
        f"""
        INSERT INTO stamps ({_COLUMNS})
        SELECT :public_id, :kind, :note_id, :actor_id, :other_uri, :request_uri, :state, :now
         WHERE (SELECT count(*) < :most_of_note AND total(actor_id = :actor_id) < :most
                  FROM stamps
                 WHERE note_id = :note_id)
            OR EXISTS (SELECT 1 FROM stamps
                        WHERE kind = :kind AND note_id = :note_id AND other_uri = :other_uri)
        ON CONFLICT (kind, note_id, other_uri) DO UPDATE
           SET request_uri = excluded.request_uri,
               state = CASE state WHEN 'pending' THEN excluded.state ELSE state END
        """,  # noqa: S608
        {
            "public_id": stamp.public_id,
            "kind": stamp.kind,
            "note_id": stamp.note_id,
            "actor_id": stamp.actor_id,
            "other_uri": stamp.other_uri,
            "request_uri": stamp.request_uri,
            "state": stamp.state,
            "now": instants.to_text(stamp.created_at),
            "most": MAX_OF_ONE,
            "most_of_note": MAX_OF_NOTE,
        },
    )
    return of(tx, stamp.kind, stamp.note_id, stamp.other_uri)


def of(reader: Reader, kind: Kind, note_id: int, other_uri: str) -> Stamp | None:
    """Return the answer to one post that quotes or answers another."""
    row = reader.one(
        f"""
        SELECT {_COLUMNS}
          FROM stamps
         WHERE kind = :kind AND note_id = :note_id AND other_uri = :other_uri
        """,  # noqa: S608
        {"kind": kind, "note_id": note_id, "other_uri": other_uri},
    )
    return None if row is None else _from_row(row)


def by_public_id(reader: Reader, public_id: str) -> Stamp | None:
    """Return the stamp with this id."""
    row = reader.one(
        f"SELECT {_COLUMNS} FROM stamps WHERE public_id = :public_id",  # noqa: S608
        {"public_id": public_id},
    )
    return None if row is None else _from_row(row)


def in_state(reader: Reader, state: State, *, limit: int) -> list[Stamp]:
    """Return the quotes and answers that stand like that, the newest first."""
    rows = reader.all(
        f"""
        SELECT {_COLUMNS}
          FROM stamps
         WHERE state = :state
         ORDER BY created_at DESC
         LIMIT :limit
        """,  # noqa: S608
        {"state": state, "limit": limit},
    )
    return [_from_row(row) for row in rows]


def set_state(tx: Transaction, public_id: str, state: State) -> bool:
    """Answer a request, or take an answer back; False if there is none."""
    return (
        tx.run(
            "UPDATE stamps SET state = :state WHERE public_id = :public_id",
            {"state": state, "public_id": public_id},
        )
        > 0
    )


def put_feature(tx: Transaction, stamp: FeatureStamp) -> FeatureStamp | None:
    """Keep a wish to list the owner and its answer; as `put`."""
    tx.run(
        f"""
        INSERT INTO feature_stamps ({_FEATURE_COLUMNS})
        SELECT :public_id, :actor_id, :collection_uri, :request_uri, :state, :now
         WHERE (SELECT count(*) FROM feature_stamps WHERE actor_id = :actor_id) < :most
            OR EXISTS (SELECT 1 FROM feature_stamps WHERE collection_uri = :collection_uri)
        ON CONFLICT (collection_uri) DO UPDATE
           SET request_uri = excluded.request_uri,
               state = CASE state WHEN 'pending' THEN excluded.state ELSE state END
         WHERE actor_id = excluded.actor_id
        """,  # noqa: S608
        {
            "public_id": stamp.public_id,
            "actor_id": stamp.actor_id,
            "collection_uri": stamp.collection_uri,
            "request_uri": stamp.request_uri,
            "state": stamp.state,
            "now": instants.to_text(stamp.created_at),
            "most": MAX_FEATURES_OF_ONE,
        },
    )
    row = tx.one(
        f"SELECT {_FEATURE_COLUMNS} FROM feature_stamps WHERE collection_uri = :uri",  # noqa: S608
        {"uri": stamp.collection_uri},
    )
    return None if row is None else _feature(row)


def feature_by_public_id(reader: Reader, public_id: str) -> FeatureStamp | None:
    """Return the stamp with this id."""
    row = reader.one(
        f"SELECT {_FEATURE_COLUMNS} FROM feature_stamps WHERE public_id = :public_id",  # noqa: S608
        {"public_id": public_id},
    )
    return None if row is None else _feature(row)


def features_in_state(reader: Reader, state: State, *, limit: int) -> list[FeatureStamp]:
    """Return the wishes to list the owner that stand like that, the newest first."""
    rows = reader.all(
        f"""
        SELECT {_FEATURE_COLUMNS}
          FROM feature_stamps
         WHERE state = :state
         ORDER BY created_at DESC
         LIMIT :limit
        """,  # noqa: S608
        {"state": state, "limit": limit},
    )
    return [_feature(row) for row in rows]


def set_feature_state(tx: Transaction, public_id: str, state: State) -> bool:
    """Answer a wish to list the owner; False if there is none."""
    return (
        tx.run(
            "UPDATE feature_stamps SET state = :state WHERE public_id = :public_id",
            {"state": state, "public_id": public_id},
        )
        > 0
    )


def _from_row(row: sqlite3.Row) -> Stamp:
    values = dict(row)
    return Stamp(**values | {"created_at": instants.from_text(values["created_at"])})


def _feature(row: sqlite3.Row) -> FeatureStamp:
    values = dict(row)
    return FeatureStamp(**values | {"created_at": instants.from_text(values["created_at"])})
