"""Browser logins, one row each; the database knows the hash of a token, never the token.

The hash is kept under the server key: who can write the database alone makes no login of it.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from microfedi.protocol import instants
from microfedi.storage import door_log
from microfedi.storage.database import Reader, Transaction

IDLE = timedelta(days=7)  # without a visit a login ends
ABSOLUTE = timedelta(days=30)  # after that it ends whatever happened
MAX_SESSIONS = 100  # one person's browsers; the least recently used one makes room for a new one


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is logged in. `address` and `user_agent` are those of the login."""

    id: int
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    address: str
    user_agent: str


def create(
    tx: Transaction,
    token_hash: bytes,
    *,
    by: door_log.Visitor,
    now: datetime,
    expires_at: datetime,
) -> int:
    """Log a browser in; return the row id."""
    prune(tx, now)
    gone = tx.all(
        """
        DELETE FROM sessions
         WHERE id IN (SELECT id
                        FROM sessions
                       ORDER BY last_used_at DESC
                       LIMIT -1 OFFSET :kept)
        RETURNING address, user_agent
        """,
        {"kept": MAX_SESSIONS - 1},
    )
    _note_expired(tx, gone, now)
    session_id: int = tx.value(
        """
        INSERT INTO sessions (token_hash, created_at, last_used_at, expires_at, address, user_agent)
        VALUES (:token_hash, :now, :now, :expires_at, :address, :user_agent)
        RETURNING id
        """,
        {
            "token_hash": _kept(tx, token_hash),
            "now": instants.to_text(now),
            "expires_at": instants.to_text(expires_at),
            "address": by.address,
            "user_agent": by.browser[: door_log.MAX_BROWSER_CHARS],
        },
    )
    return session_id


def by_token(reader: Reader, token_hash: bytes, *, now: datetime) -> Session | None:
    """Return the login with this token, None if it has ended, idled away, or never was."""
    row = reader.one(
        """
        SELECT id, created_at, last_used_at, expires_at, address, user_agent
          FROM sessions
         WHERE token_hash = :token_hash
           AND expires_at > :now
           AND last_used_at > :idle_since
        """,
        {
            "token_hash": _kept(reader, token_hash),
            "now": instants.to_text(now),
            "idle_since": instants.to_text(now - IDLE),
        },
    )
    return None if row is None else _from_row(row)


def is_open(reader: Reader, session: Session, *, now: datetime) -> bool:
    """Whether a login is still there: this one, not a later one that got its row id."""
    return bool(
        reader.value(
            """
            SELECT EXISTS (SELECT 1 FROM sessions
                            WHERE id = :id
                              AND created_at = :created_at
                              AND expires_at > :now
                              AND last_used_at > :idle_since)
            """,
            {
                "id": session.id,
                "created_at": instants.to_text(session.created_at),
                "now": instants.to_text(now),
                "idle_since": instants.to_text(now - IDLE),
            },
        )
    )


def touch(tx: Transaction, session_id: int, now: datetime) -> None:
    """Note that a login was used."""
    tx.run(
        "UPDATE sessions SET last_used_at = :now WHERE id = :id",
        {"now": instants.to_text(now), "id": session_id},
    )


def all(reader: Reader) -> list[Session]:
    """Return every login, the most recently used first."""
    rows = reader.all(
        """
        SELECT id, created_at, last_used_at, expires_at, address, user_agent
          FROM sessions
         ORDER BY last_used_at DESC, id DESC
        """
    )
    return [_from_row(row) for row in rows]


def renew(tx: Transaction, session: Session, token_hash: bytes) -> bool:
    """Give a login another token; False if it has ended."""
    changed = tx.run(
        """
        UPDATE sessions
           SET token_hash = :token_hash
         WHERE id = :id
           AND created_at = :created_at
        """,
        {
            "token_hash": _kept(tx, token_hash),
            "id": session.id,
            "created_at": instants.to_text(session.created_at),
        },
    )
    return changed == 1


def end(tx: Transaction, session_id: int) -> bool:
    """Log one browser out; False if it was not logged in."""
    return tx.run("DELETE FROM sessions WHERE id = :id", {"id": session_id}) == 1


def end_all(tx: Transaction, *, but: int | None = None) -> int:
    """Log every browser out, except the one that says so if `but` names it; return how many."""
    return tx.run("DELETE FROM sessions WHERE id IS NOT :but", {"but": but})


def prune(tx: Transaction, now: datetime) -> None:
    """Delete the logins that have run out, and write it down."""
    gone = tx.all(
        """
        DELETE FROM sessions
         WHERE expires_at <= :now
            OR last_used_at <= :idle_since
        RETURNING address, user_agent
        """,
        {"now": instants.to_text(now), "idle_since": instants.to_text(now - IDLE)},
    )
    _note_expired(tx, gone, now)


def _kept(reader: Reader, token_hash: bytes) -> bytes:
    return reader.sealer.lookup_key("session", token_hash.hex())


def _note_expired(tx: Transaction, gone: Sequence[sqlite3.Row], now: datetime) -> None:
    for row in gone:
        theirs = door_log.Visitor(row["address"], row["user_agent"])
        door_log.add(tx, door_log.Kind.SESSION_EXPIRED, now=now, by=theirs)


def _from_row(row: sqlite3.Row) -> Session:
    return Session(
        row["id"],
        instants.from_text(row["created_at"]),
        instants.from_text(row["last_used_at"]),
        instants.from_text(row["expires_at"]),
        row["address"],
        row["user_agent"],
    )
