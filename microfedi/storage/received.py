"""Activities that arrived and were answered 202: kept before the answer, handled afterwards."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from microfedi.protocol import instants, uris
from microfedi.storage.database import Reader, Transaction


@dataclass(frozen=True, slots=True)
class Received:
    """An activity to be handled. `attempts` counts this one: 1 is the first.

    `actor_uri` is who signed the request: the activity may say that it is somebody else's.
    """

    id: int
    actor_uri: str
    body: bytes = field(repr=False)
    attempts: int


def keep(tx: Transaction, *, uri: str, actor_uri: str, body: bytes, now: datetime) -> bool:
    """Keep an activity, due at once; False if it came before.

    What is remembered is its id together with the server of the signer, so that nobody can use up
    an id before the server whose id it is.
    """
    uri_key = tx.sealer.lookup_key("received", f"{uris.origin(actor_uri)} {uri}")
    kept = tx.run(
        """
        INSERT INTO received (uri_key, actor_uri, body_sealed, received_at, due_at)
        VALUES (:uri_key, :actor_uri, :body, :now, :now)
        ON CONFLICT (uri_key) DO NOTHING
        """,
        {
            "uri_key": uri_key,
            "actor_uri": actor_uri,
            "body": tx.sealer.seal("received", body, bound_to=uri_key.hex()),
            "now": instants.to_text(now),
        },
    )
    return kept > 0


def claim_due(
    tx: Transaction,
    *,
    now: datetime,
    lease: timedelta,
    limit: int,
    busy: Collection[str] = (),
) -> list[Received]:
    """Take what is due, in order of arrival, and hide it for `lease`.

    Nothing of the actors in `busy` is taken: what they sent is handled in their order. If we die
    before reporting, the lease runs out and it is due again: handlers may run twice. An attempt is
    counted here, so that what kills us is not tried for ever.
    """
    rows = tx.all(
        """
        UPDATE received
           SET due_at = :until,
               attempts = attempts + 1
         WHERE id IN (SELECT id FROM received
                       WHERE due_at <= :now
                         AND actor_uri NOT IN (SELECT value FROM json_each(:busy))
                       ORDER BY due_at, id
                       LIMIT :limit)
        RETURNING id, uri_key, actor_uri, body_sealed, attempts
        """,
        {
            "now": instants.to_text(now),
            "until": instants.to_text(now + lease),
            "limit": limit,
            "busy": json.dumps(list(busy)),
        },
    )
    claimed = [
        Received(
            row["id"],
            row["actor_uri"],
            tx.sealer.open("received", row["body_sealed"], bound_to=row["uri_key"].hex()),
            row["attempts"],
        )
        for row in rows
    ]
    return sorted(claimed, key=lambda one: one.id)


def release(tx: Transaction, now: datetime) -> int:
    """Have everything that waits handled now: at start, when no other process can be at it."""
    return tx.run(
        "UPDATE received SET due_at = :now WHERE due_at > :now", {"now": instants.to_text(now)}
    )


def done(tx: Transaction, ids: Collection[int]) -> None:
    """Note that these were handled. Their bodies go; that they came is remembered for a while."""
    tx.run(
        """
        UPDATE received
           SET due_at = NULL,
               body_sealed = NULL
         WHERE id IN (SELECT value FROM json_each(:ids))
        """,
        {"ids": json.dumps(list(ids))},
    )


def later(tx: Transaction, received_id: int, due_at: datetime) -> None:
    """Have one handled at `due_at`."""
    tx.run(
        "UPDATE received SET due_at = :due_at WHERE id = :id AND due_at IS NOT NULL",
        {"id": received_id, "due_at": instants.to_text(due_at)},
    )


def drop(tx: Transaction, received_id: int) -> None:
    """Forget one as if it had never come."""
    tx.run("DELETE FROM received WHERE id = :id", {"id": received_id})


def prune(tx: Transaction, before: datetime) -> int:
    """Forget what was handled and came before `before`; return how many there were."""
    return tx.run(
        "DELETE FROM received WHERE due_at IS NULL AND received_at < :before",
        {"before": instants.to_text(before)},
    )


def next_due(reader: Reader) -> datetime | None:
    """Return when the next one is due, None if nothing waits."""
    due: str | None = reader.value("SELECT min(due_at) FROM received WHERE due_at IS NOT NULL")
    return None if due is None else instants.from_text(due)
