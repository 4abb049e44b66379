"""Messages that wait for their time, under the server key: they go out while the vault is locked.

One that could not be sent waits for its owner, sealed by the vault as a draft is.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from sqlite3 import Row
from typing import Final

from microfedi.errors import InvalidInput
from microfedi.protocol import ids, instants
from microfedi.storage import private
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.vault import Unopenable

MAX_WAITING: Final = 50  # in all conversations: they are shown whole
_PURPOSE = "scheduled message"


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A message that is not sent yet. `send_at` is None if it could not be: `problem` says why.

    Of one that nobody can open any more nothing else remains.
    """

    key: str
    conversation_id: int
    send_at: datetime | None
    source: str = field(repr=False)
    summary: str = field(repr=False)
    problem: InvalidInput | None = None


def add(tx: Transaction, conversation_id: int, source: str, summary: str, send_at: datetime) -> str:
    """Let a message wait; return its key. Raises: InvalidInput if too many wait."""
    if tx.value("SELECT count(*) FROM scheduled_messages") >= MAX_WAITING:
        raise InvalidInput("at", "At most %(limit)s messages can wait.", limit=MAX_WAITING)
    key = ids.public_id()
    body = json.dumps([source, summary]).encode()
    tx.run(
        """
        INSERT INTO scheduled_messages (key, conversation_id, send_at, body_sealed)
        VALUES (:key, :conversation_id, :send_at, :body)
        """,
        {
            "key": key,
            "conversation_id": conversation_id,
            "send_at": instants.to_text(send_at),
            "body": tx.sealer.seal(_PURPOSE, body, bound_to=_place(key, conversation_id)),
        },
    )
    return key


def by_key(reader: Reader, key: str) -> Scheduled | None:
    """Return one that waits. Raises: Locked if it could not be sent and the vault is not open."""
    row = reader.one("SELECT * FROM scheduled_messages WHERE key = :key", {"key": key})
    return None if row is None else _from_row(reader, row)


def waiting(reader: Reader, key: str) -> Scheduled | None:
    """Return one that waits for its time; None if it could not be sent, or is not there."""
    row = reader.one(
        "SELECT * FROM scheduled_messages WHERE key = :key AND send_at IS NOT NULL", {"key": key}
    )
    return None if row is None else _from_row(reader, row)


def of_conversation(reader: Reader, conversation_id: int) -> list[Scheduled]:
    """Return what waits in a conversation, what comes first first."""
    rows = reader.all(
        """
        SELECT *
          FROM scheduled_messages
         WHERE conversation_id = :id
         ORDER BY send_at, key
        """,
        {"id": conversation_id},
    )
    return [_from_row(reader, row) for row in rows]


def counts(reader: Reader) -> dict[int, int]:
    """Return how many wait, by conversation."""
    rows = reader.all(
        """
        SELECT conversation_id, count(*) AS many
          FROM scheduled_messages
         GROUP BY conversation_id
         ORDER BY min(send_at)
        """
    )
    return {row["conversation_id"]: row["many"] for row in rows}


def remove(tx: Transaction, key: str) -> bool:
    """Forget one; False if it is not there any more."""
    return tx.run("DELETE FROM scheduled_messages WHERE key = :key", {"key": key}) > 0


def give_back(tx: Transaction, scheduled: Scheduled, problem: InvalidInput) -> None:
    """Take note that one could not be sent: nobody but its owner opens it any more."""
    values = {name: str(value) for name, value in problem.values.items()}
    said = [scheduled.source, scheduled.summary, problem.field, problem.template, values]
    place = _place(scheduled.key, scheduled.conversation_id)
    tx.run(
        "UPDATE scheduled_messages SET send_at = NULL, body_sealed = :body WHERE key = :key",
        {
            "key": scheduled.key,
            "body": private.seal(tx, _PURPOSE, json.dumps(said).encode(), bound_to=place),
        },
    )


def _from_row(reader: Reader, row: Row) -> Scheduled:
    place = _place(row["key"], row["conversation_id"])
    try:
        said = json.loads(private.open(reader, _PURPOSE, row["body_sealed"], bound_to=place))
    except Unopenable:
        problem = InvalidInput(
            "", "It is sealed for ever: its vault is lost, or it was changed on the disk."
        )
        return Scheduled(row["key"], row["conversation_id"], None, "", "", problem)
    return Scheduled(
        row["key"],
        row["conversation_id"],
        None if row["send_at"] is None else instants.from_text(row["send_at"]),
        said[0],
        said[1],
        InvalidInput(said[2], said[3], **said[4]) if len(said) > 2 else None,
    )


def _place(key: str, conversation_id: int) -> str:
    return f"{key} {conversation_id}"
