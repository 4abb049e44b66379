"""What was passed on to followers in the last hour: so that nobody makes us flood them."""

from datetime import datetime, timedelta

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction

WINDOW = timedelta(hours=1)


def counts(reader: Reader, actor_id: int, now: datetime) -> tuple[int, int]:
    """Return how much was passed on within the last hour: of this actor, and of everybody."""
    row = reader.one(
        """
        SELECT coalesce(sum(actor_id = :actor_id), 0) AS theirs, count(*) AS everybodys
          FROM forwards
         WHERE forwarded_at > :since
        """,
        {"actor_id": actor_id, "since": instants.to_text(now - WINDOW)},
    )
    return (0, 0) if row is None else (row["theirs"], row["everybodys"])


def add(tx: Transaction, actor_id: int, now: datetime) -> None:
    """Note that something of this actor's is passed on; what is over an hour ago is forgotten."""
    tx.run(
        "DELETE FROM forwards WHERE forwarded_at <= :since",
        {"since": instants.to_text(now - WINDOW)},
    )
    tx.run(
        "INSERT INTO forwards (actor_id, forwarded_at) VALUES (:actor_id, :now)",
        {"actor_id": actor_id, "now": instants.to_text(now)},
    )
