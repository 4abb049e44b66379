"""What is on its way: one row per activity and inbox that still needs it.

A host is worked on as a whole: what waits for it is sent one at a time, in order, and a host that
is down costs one row per try. What a healthy host does not take steps aside together with all that
is about the same object, so that nobody sees an edit before the post; everything else goes on.
For each host and object either no row is aside or all are, until the same instant.
"""

import sqlite3
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from microfedi.protocol import backoff, instants
from microfedi.storage import followers, hosts, outgoing, receipts
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.hosts import Host

# Tries of an activity that a host answers with a plain no (403, 404, 422 ...), over 36 minutes:
# a server that is being upgraded says such things for a while.
MAX_REFUSALS = 4
# Tries of an activity that a host stumbles over (500, 502 ...) or whose signature it does not
# accept (401, which is also said when our key could not be fetched), over 93 hours.
MAX_STUMBLES = len(backoff.DELAYS) + 1
# Why a delivery failed, as far as we tell the owner: a status like "403", or one of these. Nothing
# of what another server says, nor of an address, is kept: either may hold a secret.
PROBLEMS = frozenset(
    {"dns", "unreachable", "tls", "timeout", "broken", "private", "blocked", "owner"}
)
# Tries in a row that failed before we say that it was the host and not single activities.
OUTAGE_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Delivery:
    """An activity on its way to one inbox. `attempts` are those it failed alone.

    `body` is shared between the deliveries of one claim. `is_aside`: it has stepped aside before.
    `by_old_key`: the owner's keys were changed, and this says so. `by_instance`: the server speaks.
    `followers_digest` is that of the host's followers, if only followers get it (FEP-8fcf).
    """

    id: int
    outgoing_id: int
    inbox: str
    object_key: bytes
    body: bytes = field(repr=False)
    attempts: int
    is_aside: bool
    host: Host
    by_old_key: bool = False
    by_instance: bool = False
    followers_digest: str | None = None


def claim_due(
    tx: Transaction, *, now: datetime, lease: timedelta, limit: int, slow: bool
) -> list[Delivery]:
    """Take one delivery of each of up to `limit` hosts that are due, and hide them for `lease`.

    `slow` chooses between the hosts that answer promptly and those that do not. If we die before
    reporting a result, the lease runs out and the host is due again: a delivery may be sent twice,
    never lost.
    """
    if limit <= 0:
        return []
    rows = tx.all(
        """
        UPDATE hosts
           SET due_at = :until,
               is_leased = 1
         WHERE id IN (SELECT id FROM hosts
                       WHERE due_at <= :now
                         AND is_slow = :slow
                       ORDER BY due_at, id
                       LIMIT :limit)
        RETURNING id, name, attempts, failing_since, is_slow, prefers_rfc9421
        """,
        {
            "now": instants.to_text(now),
            "until": instants.to_text(now + lease),
            "slow": slow,
            "limit": limit,
        },
    )
    bodies: dict[int, bytes] = {}
    claimed = []
    for row in rows:
        since = row["failing_since"]
        host = Host(
            row["id"],
            row["name"],
            row["attempts"],
            None if since is None else instants.from_text(since),
            bool(row["is_slow"]),
            bool(row["prefers_rfc9421"]),
        )
        delivery = _next_of(tx, host, bodies, now)
        if delivery is None:
            _schedule(tx, host.id, now)
        else:
            claimed.append(delivery)
    return claimed


def delivered(
    tx: Transaction,
    delivery: Delivery,
    *,
    is_slow: bool,
    prefers_rfc9421: bool | None = None,
    now: datetime,
) -> None:
    """Take a delivery off the queue: the host has it. `prefers_rfc9421` is what was learnt."""
    tx.run("DELETE FROM deliveries WHERE id = :id", {"id": delivery.id})
    outgoing.finish(tx, [delivery.outgoing_id])
    _release_object(tx, delivery)
    attempts = _host_answers(tx, delivery, is_slow, prefers_rfc9421, now)
    if attempts >= OUTAGE_ATTEMPTS:
        hosts.wake_aside(tx, delivery.host.id, now)
    _schedule(tx, delivery.host.id, now)


def refused(
    tx: Transaction,
    delivery: Delivery,
    *,
    is_slow: bool,
    problem: str = "",
    now: datetime,
    chance: float,
) -> bool:
    """Let a delivery step aside that the host plainly said no to; others go on at once.

    After `MAX_REFUSALS` it is dropped: then False is returned.
    """
    _host_answers(tx, delivery, is_slow, None, now)
    is_kept = _step_aside(tx, delivery, MAX_REFUSALS, problem, now=now, chance=chance)
    _schedule(tx, delivery.host.id, now)
    return is_kept


def stumbled(
    tx: Transaction,
    delivery: Delivery,
    *,
    is_slow: bool,
    retry_after: timedelta | None = None,
    problem: str = "",
    now: datetime,
    chance: float,
) -> bool:
    """Let a delivery step aside at which the host failed, and let the host rest too.

    Whether it is this activity or the host shows at the next try, which is another activity: if
    that is taken, it was this one. After `MAX_STUMBLES` it is dropped: then False is returned.
    """
    is_kept = _step_aside(tx, delivery, MAX_STUMBLES, problem, now=now, chance=chance)
    host_failed(
        tx,
        delivery,
        is_slow=is_slow,
        retry_after=retry_after,
        problem=problem,
        now=now,
        chance=chance,
    )
    return is_kept


def host_failed(
    tx: Transaction,
    delivery: Delivery,
    *,
    is_slow: bool,
    retry_after: timedelta | None = None,
    problem: str = "",
    now: datetime,
    chance: float,
) -> bool:
    """Let a host rest that is not there, or too busy: everything for it waits.

    Not shorter than its `retry_after`. If it has been failing for `backoff.GIVE_UP_AFTER`, all
    that waits for it is dropped, and False is returned; what comes later is tried anew.
    """
    row = tx.one(
        """
        UPDATE hosts
           SET attempts = attempts + 1,
               failing_since = coalesce(failing_since, :now),
               problem = :problem,
               is_slow = :is_slow,
               is_leased = 0
         WHERE id = :id
        RETURNING attempts, failing_since
        """,
        {
            "id": delivery.host.id,
            "is_slow": is_slow,
            "problem": problem,
            "now": instants.to_text(now),
        },
    )
    if row is None:
        return False
    if now - instants.from_text(row["failing_since"]) >= backoff.GIVE_UP_AFTER:
        drop_host(tx, delivery.host.id, problem=problem, now=now)
        return False
    wait = backoff.delay(row["attempts"], chance=chance)
    if retry_after is not None:
        wait = max(wait, retry_after)
    _schedule(tx, delivery.host.id, now, not_before=now + wait)
    return True


def gone(tx: Transaction, delivery: Delivery, *, is_slow: bool, now: datetime) -> list[str]:
    """Forget an inbox that is no more: drop what waits for it.

    Return the URIs of followers who had it, so that their own documents can be asked where they
    are now. Nobody loses a follower by one answer.
    """
    _drop(
        tx,
        "DELETE FROM deliveries WHERE host_id = :host_id AND inbox = :inbox RETURNING outgoing_id",
        {"host_id": delivery.host.id, "inbox": delivery.inbox},
        host_id=delivery.host.id,
        problem="410",
        now=now,
    )
    _release_object(tx, delivery)
    _host_answers(tx, delivery, is_slow, None, now)
    _schedule(tx, delivery.host.id, now)
    rows = tx.all(
        """
        SELECT uri
          FROM actors
         WHERE id IN (SELECT actor_id FROM followers)
           AND (inbox = :inbox OR shared_inbox = :inbox)
         ORDER BY id
         LIMIT 50
        """,
        {"inbox": delivery.inbox},
    )
    return [row["uri"] for row in rows]


def too_slow(tx: Transaction, delivery: Delivery, *, now: datetime) -> None:
    """Put a delivery back whose host does not answer promptly: it goes on among the slow ones."""
    tx.run("UPDATE hosts SET is_slow = 1 WHERE id = :id", {"id": delivery.host.id})
    _schedule(tx, delivery.host.id, now)


def interrupted(tx: Transaction, delivery: Delivery, *, now: datetime) -> None:
    """Put a delivery back that was broken off by ourselves."""
    _schedule(tx, delivery.host.id, now)


def drop_host(tx: Transaction, host_id: int, *, problem: str, now: datetime) -> None:
    """Drop everything that waits for a host, and count its failures from the start again."""
    _drop(
        tx,
        "DELETE FROM deliveries WHERE host_id = :host_id RETURNING outgoing_id",
        {"host_id": host_id},
        host_id=host_id,
        problem=problem,
        now=now,
    )
    tx.run(
        """
        UPDATE hosts
           SET due_at = NULL,
               is_leased = 0,
               failing_since = NULL,
               attempts = 0
         WHERE id = :host_id
        """,
        {"host_id": host_id},
    )


def release_leases(tx: Transaction, *, now: datetime) -> None:
    """Make due at once what a process that has ended was busy with. At start, before any claim."""
    tx.run(
        "UPDATE hosts SET due_at = :now, is_leased = 0 WHERE is_leased",
        {"now": instants.to_text(now)},
    )


def next_due(reader: Reader, *, slow: bool | None = None) -> datetime | None:
    """Return when the next host is due, None if nothing waits; of the slow or prompt ones alone."""
    due: str | None = reader.value(
        """
        SELECT min(due)
          FROM (SELECT min(due_at) AS due FROM hosts WHERE due_at > '' AND is_slow = 0
                                                       AND :slow IS NOT 1
                UNION ALL
                SELECT min(due_at) FROM hosts WHERE due_at > '' AND is_slow = 1
                                                AND :slow IS NOT 0)
        """,
        {"slow": slow},
    )
    return None if due is None else instants.from_text(due)


def _next_of(
    tx: Transaction, host: Host, bodies: dict[int, bytes], now: datetime
) -> Delivery | None:
    """The oldest that stepped aside and may try again, else the oldest of the others.

    With a host that is failing it is the other way round, so that its next try is another activity:
    then it shows whether it is the host.
    """
    about = {"host_id": host.id, "now": instants.to_text(now)}
    if host.failing_since is None:
        row = _oldest_aside(tx, about) or _oldest_ready(tx, about)
    else:
        row = _oldest_ready(tx, about) or _oldest_aside(tx, about)
    if row is None:
        return None
    outgoing_id = row["outgoing_id"]
    sent = tx.one(
        "SELECT body_sealed, by_old_key, by_instance, for_followers FROM outgoing WHERE id = :id",
        {"id": outgoing_id},
    )
    assert sent is not None  # noqa: S101 - a foreign key
    if outgoing_id not in bodies:
        bodies[outgoing_id] = tx.sealer.open(
            "outgoing", sent["body_sealed"], bound_to=str(outgoing_id)
        )
    return Delivery(
        row["id"],
        outgoing_id,
        row["inbox"],
        row["object_key"],
        bodies[outgoing_id],
        row["attempts"],
        row["aside_until"] is not None,
        host,
        bool(sent["by_old_key"]),
        bool(sent["by_instance"]),
        followers.digest_on(tx, host.name) if sent["for_followers"] else None,
    )


def _oldest_aside(reader: Reader, about: dict[str, object]) -> sqlite3.Row | None:
    return reader.one(
        """
        SELECT id, outgoing_id, inbox, object_key, attempts, aside_until
          FROM deliveries
         WHERE host_id = :host_id
           AND aside_until <= :now
         ORDER BY aside_until, id
         LIMIT 1
        """,
        about,
    )


def _oldest_ready(reader: Reader, about: dict[str, object]) -> sqlite3.Row | None:
    return reader.one(
        """
        SELECT id, outgoing_id, inbox, object_key, attempts, aside_until
          FROM deliveries
         WHERE host_id = :host_id
           AND aside_until IS NULL
         ORDER BY id
         LIMIT 1
        """,
        about,
    )


def _host_answers(
    tx: Transaction,
    delivery: Delivery,
    is_slow: bool,
    prefers_rfc9421: bool | None,
    now: datetime,
) -> int:
    """Note that a host is there; return how often in a row it had failed before."""
    host = delivery.host
    if prefers_rfc9421 is not None and prefers_rfc9421 != host.prefers_rfc9421:
        tx.run(
            """
            UPDATE hosts
               SET prefers_rfc9421 = :prefers,
                   preference_at = :now
             WHERE id = :id
            """,
            {"prefers": prefers_rfc9421, "now": instants.to_text(now), "id": host.id},
        )
    if is_slow != host.is_slow or host.failing_since is not None:
        tx.run(
            """
            UPDATE hosts
               SET is_slow = :is_slow,
                   failing_since = NULL,
                   attempts = 0
             WHERE id = :id
            """,
            {"is_slow": is_slow, "id": host.id},
        )
    return host.attempts


def _step_aside(
    tx: Transaction,
    delivery: Delivery,
    max_tries: int,
    problem: str,
    *,
    now: datetime,
    chance: float,
) -> bool:
    """Put a delivery aside with all later ones about its object; drop it after its last try."""
    tries = delivery.attempts + 1
    if tries >= max_tries:
        _drop(
            tx,
            "DELETE FROM deliveries WHERE id = :id RETURNING outgoing_id",
            {"id": delivery.id},
            host_id=delivery.host.id,
            problem=problem,
            now=now,
        )
        _release_object(tx, delivery)
        return False
    tx.run(
        "UPDATE deliveries SET attempts = :tries, problem = :problem WHERE id = :id",
        {"tries": tries, "problem": problem, "id": delivery.id},
    )
    tx.run(
        """
        UPDATE deliveries
           SET aside_until = :until
         WHERE host_id = :host_id
           AND object_key = :object_key
        """,
        {
            "until": instants.to_text(now + backoff.delay(tries, chance=chance)),
            "host_id": delivery.host.id,
            "object_key": delivery.object_key,
        },
    )
    return True


def _release_object(tx: Transaction, delivery: Delivery) -> None:
    """Let what waited behind a delivery that had stepped aside go on."""
    if not delivery.is_aside:
        return
    tx.run(
        """
        UPDATE deliveries
           SET aside_until = NULL
         WHERE host_id = :host_id
           AND object_key = :object_key
        """,
        {"host_id": delivery.host.id, "object_key": delivery.object_key},
    )


def _schedule(
    tx: Transaction, host_id: int, now: datetime, *, not_before: datetime | None = None
) -> None:
    """End the lease of a host and say when it is due: now, when something aside is, or never."""
    tx.run(
        """
        UPDATE hosts
           SET is_leased = 0,
               due_at = max(:not_before,
                            iif(EXISTS (SELECT 1
                                          FROM deliveries
                                         WHERE host_id = :id
                                           AND aside_until IS NULL),
                                :now,
                                (SELECT min(aside_until)
                                   FROM deliveries
                                  WHERE host_id = :id
                                    AND aside_until IS NOT NULL)))
         WHERE id = :id
        """,
        {
            "id": host_id,
            "now": instants.to_text(now),
            "not_before": instants.to_text(not_before or now),
        },
    )


def _drop(
    tx: Transaction,
    delete: str,
    params: dict[str, object],
    *,
    host_id: int,
    problem: str,
    now: datetime,
) -> None:
    """Run a DELETE that returns outgoing_id, and note in the receipts what was given up."""
    dropped = [row["outgoing_id"] for row in tx.all(delete, params)]
    for outgoing_id in dropped:
        tx.run("UPDATE outgoing SET dropped = dropped + 1 WHERE id = :id", {"id": outgoing_id})
    receipts.drop(tx, dropped, host_id, problem=problem, now=now)
    outgoing.finish(tx, dropped)
