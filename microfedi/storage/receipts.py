"""How far posts of the owner's have come: which servers have them, which not yet, which never will.

Who has something is whoever it was for, without those for whom it waits and those given up on: so
nothing is written when a delivery goes well. To whom a post went is sealed, as the post may be.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row
from typing import Literal

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction

_PURPOSE = "receipt"

# It has what was sent, it has not yet, or we do not try any more.
State = Literal["sent", "pending", "dropped"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """How far a post has come: servers in all, those it waits for, those given up on."""

    total: int
    pending: int
    dropped: int

    @property
    def reached(self) -> int:
        """Servers that have it."""
        return max(self.total - self.pending - self.dropped, 0)


@dataclass(frozen=True, slots=True)
class Server:
    """How a server stands to a post.

    `problem` is why the last try failed: a status like "403", or a word (`deliveries.PROBLEMS`);
    "" if none has, or nobody wrote it down. `since` is since when the server does not answer, or
    when we gave up; `next_try` is None while it is being tried, and for those given up on.
    """

    host: str
    state: State
    problem: str = ""
    since: datetime | None = None
    next_try: datetime | None = None

    @property
    def has_failed(self) -> bool:
        """True if it was tried and did not get there; what is merely on its way has not."""
        return self.state == "dropped" or bool(self.problem) or self.since is not None


def sealed_hosts(tx: Transaction, outgoing_id: int, hosts: Iterable[str]) -> bytes:
    """Return what a row of `outgoing` keeps of the servers it is for."""
    names = json.dumps(sorted(set(hosts)))
    return tx.sealer.seal(_PURPOSE, names.encode(), bound_to=str(outgoing_id))


def drop(
    tx: Transaction, outgoing_ids: Iterable[int], host_id: int, *, problem: str, now: datetime
) -> None:
    """Note that a server did not get something, once for each inbox there."""
    tx.run_many(
        """
        INSERT INTO undelivered (outgoing_id, host_id, inboxes, problem, given_up_at)
        SELECT id, :host_id, 1, :problem, :now
          FROM outgoing
         WHERE id = :outgoing_id
           AND (note_id IS NOT NULL OR message_id IS NOT NULL)
        ON CONFLICT (outgoing_id, host_id) DO UPDATE
           SET inboxes = inboxes + 1,
               problem = excluded.problem,
               given_up_at = excluded.given_up_at
        """,
        [
            {
                "outgoing_id": outgoing_id,
                "host_id": host_id,
                "problem": problem,
                "now": instants.to_text(now),
            }
            for outgoing_id in outgoing_ids
        ],
    )


def of_note(reader: Reader, note_id: int) -> Receipt:
    """Return how far what was sent for a post has come, as `servers` would count."""
    rows = reader.all(
        """
        SELECT outgoing.id, outgoing.hosts_sealed, counted.*
          FROM (SELECT (SELECT count(DISTINCT host_id)
                          FROM outgoing
                          JOIN deliveries ON deliveries.outgoing_id = outgoing.id
                         WHERE note_id = :note_id) AS waiting,
                       (SELECT count(DISTINCT host_id)
                          FROM outgoing
                          JOIN undelivered ON undelivered.outgoing_id = outgoing.id
                         WHERE note_id = :note_id
                           AND NOT EXISTS (SELECT 1
                                             FROM outgoing AS other
                                             JOIN deliveries ON deliveries.outgoing_id = other.id
                                            WHERE other.note_id = :note_id
                                              AND deliveries.host_id = undelivered.host_id)
                       ) AS failed) AS counted
          LEFT JOIN outgoing ON outgoing.note_id = :note_id AND outgoing.hosts_sealed IS NOT NULL
        """,
        {"note_id": note_id},
    )
    pending, dropped = rows[0]["waiting"], rows[0]["failed"]
    meant_for = _meant_for(reader, (row for row in rows if row["id"] is not None))
    return Receipt(max(len(meant_for), pending + dropped), pending, dropped)


def servers(reader: Reader, note_id: int) -> list[Server]:
    """Return every server that a post, or an edit of it, was for, by name.

    Whoever waits for any of it waits; whoever misses any of it was given up on. Empty if it was for
    nobody, or so long ago that the receipt is gone (`outgoing.prune`).
    """
    written = reader.all(
        """
        SELECT id, hosts_sealed
          FROM outgoing
         WHERE note_id = :note_id
           AND hosts_sealed IS NOT NULL
        """,
        {"note_id": note_id},
    )
    found = {host: Server(host, "sent") for host in _meant_for(reader, written)}
    for row in reader.all(
        """
        SELECT hosts.name, undelivered.problem, undelivered.given_up_at
          FROM outgoing
          JOIN undelivered ON undelivered.outgoing_id = outgoing.id
          JOIN hosts ON hosts.id = undelivered.host_id
         WHERE outgoing.note_id = :note_id
         ORDER BY outgoing.id
        """,
        {"note_id": note_id},
    ):
        since = instants.from_text(row["given_up_at"])
        found[row["name"]] = Server(row["name"], "dropped", row["problem"], since)
    for row in reader.all(
        """
        SELECT hosts.name, hosts.failing_since, hosts.is_leased,
               iif(hosts.failing_since IS NULL, deliveries.problem, hosts.problem) AS problem,
               max(coalesce(min(deliveries.aside_until), hosts.due_at), hosts.due_at) AS next_try
          FROM outgoing
          JOIN deliveries ON deliveries.outgoing_id = outgoing.id
          JOIN hosts ON hosts.id = deliveries.host_id
         WHERE outgoing.note_id = :note_id
         GROUP BY hosts.id
        """,
        {"note_id": note_id},
    ):
        next_try = None if row["is_leased"] else _instant(row["next_try"])
        found[row["name"]] = Server(
            row["name"], "pending", row["problem"], _instant(row["failing_since"]), next_try
        )
    return [found[name] for name in sorted(found)]


def missing(reader: Reader, message_ids: Iterable[int]) -> dict[int, list[Server]]:
    """Return which servers do not have messages of the owner's, by row id: not yet, or never.

    What all have is left out.
    """
    rows = reader.all(
        """
        SELECT outgoing.message_id, hosts.name, 'dropped' AS state, undelivered.problem,
               undelivered.given_up_at AS since
          FROM outgoing
          JOIN undelivered ON undelivered.outgoing_id = outgoing.id
          JOIN hosts ON hosts.id = undelivered.host_id
         WHERE outgoing.message_id IN (SELECT value FROM json_each(:ids))
         UNION ALL
        SELECT outgoing.message_id, hosts.name, 'pending',
               iif(hosts.failing_since IS NULL, deliveries.problem, hosts.problem),
               hosts.failing_since
          FROM outgoing
          JOIN deliveries ON deliveries.outgoing_id = outgoing.id
          JOIN hosts ON hosts.id = deliveries.host_id
         WHERE outgoing.message_id IN (SELECT value FROM json_each(:ids))
         ORDER BY 2, 3
        """,
        {"ids": json.dumps(list(message_ids))},
    )
    found: dict[int, dict[str, Server]] = {}
    for row in rows:
        server = Server(row["name"], row["state"], row["problem"], _instant(row["since"]))
        found.setdefault(row["message_id"], {})[row["name"]] = server
    return {message_id: list(named.values()) for message_id, named in found.items()}


def sent_at(reader: Reader, note_id: int) -> datetime | None:
    """Return when a post, or the last edit of it, was put on its way; None if the receipt is gone
    or there never was one.
    """
    return _instant(
        reader.value(
            "SELECT max(created_at) FROM outgoing WHERE note_id = :note_id", {"note_id": note_id}
        )
    )


def _meant_for(reader: Reader, written: Iterable[Row]) -> set[str]:
    """Return the servers that a post or its edits were for, as far as it was written down."""
    found: set[str] = set()
    for row in written:
        plain = reader.sealer.open(_PURPOSE, row["hosts_sealed"], bound_to=str(row["id"]))
        found.update(json.loads(plain))
    return found


def _instant(text: str | None) -> datetime | None:
    return None if text is None else instants.from_text(text)
