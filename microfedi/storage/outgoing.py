"""What we say to others, as bytes: kept once while any inbox waits for it, then as a receipt.

How it gets there is in `deliveries`, how far it has come in `receipts`.
"""

import json
import logging
from collections.abc import Iterable
from datetime import datetime

from microfedi.errors import MalformedDocument
from microfedi.protocol import instants, uris
from microfedi.storage import blocks, hosts, receipts
from microfedi.storage.database import Reader, Transaction

log = logging.getLogger(__name__)


def enqueue(
    tx: Transaction,
    body: bytes,
    *,
    inboxes: Iterable[str],
    about: str,
    note_id: int | None = None,
    message_id: int | None = None,
    by_old_key: bool = False,
    by_instance: bool = False,
    for_followers: bool = False,
    now: datetime,
) -> int:
    """Have an activity, `body`, sent to each of `inboxes`; return to how many it will be.

    `about` is the URI of the object: what is about the same one arrives in this order. What is
    `by_instance` is signed by the server and not by the owner. Our own
    server, blocked servers and what is no URI are left out. Whoever calls this sets
    `ctx.wake.deliveries` afterwards.
    """
    wanted = _sendable(tx, inboxes)
    if not wanted:
        return 0
    outgoing_id: int = tx.value("SELECT coalesce(max(id), 0) + 1 FROM outgoing")
    object_key = tx.sealer.lookup_key("outgoing", about)
    tx.run(
        """
        INSERT INTO outgoing (
            id, body_sealed, note_id, message_id, hosts_sealed, inboxes, by_old_key, by_instance,
            for_followers, created_at)
        VALUES (
            :id, :body, :note_id, :message_id, :hosts, :inboxes, :by_old_key, :by_instance,
            :for_followers, :now)
        """,
        {
            "id": outgoing_id,
            "body": tx.sealer.seal("outgoing", body, bound_to=str(outgoing_id)),
            "note_id": note_id,
            "message_id": message_id,
            "hosts": None
            if note_id is None
            else receipts.sealed_hosts(tx, outgoing_id, wanted.values()),
            "inboxes": len(wanted),
            "by_old_key": by_old_key,
            "by_instance": by_instance,
            "for_followers": for_followers,
            "now": instants.to_text(now),
        },
    )
    for inbox, host in wanted.items():
        _add(tx, outgoing_id, inbox, host_id=hosts.id_for(tx, host), object_key=object_key, now=now)
    return len(wanted)


def finish(tx: Transaction, outgoing_ids: Iterable[int]) -> None:
    """Throw the bodies away that nobody needs any more; a note's receipt stays, and that a
    message did not get there."""
    done = {"ids": json.dumps(list(set(outgoing_ids)))}
    tx.run(
        """
        DELETE FROM outgoing
         WHERE id IN (SELECT value FROM json_each(:ids))
           AND note_id IS NULL
           AND (message_id IS NULL OR dropped = 0)
           AND NOT EXISTS (SELECT 1 FROM deliveries WHERE outgoing_id = outgoing.id)
        """,
        done,
    )
    tx.run(
        """
        UPDATE outgoing
           SET body_sealed = NULL
         WHERE id IN (SELECT value FROM json_each(:ids))
           AND NOT EXISTS (SELECT 1 FROM deliveries WHERE outgoing_id = outgoing.id)
        """,
        done,
    )


def wait_for_old_key(reader: Reader) -> bool:
    """True while something is on its way that the owner's former key signs."""
    return (
        reader.value("SELECT 1 FROM outgoing WHERE by_old_key AND body_sealed IS NOT NULL LIMIT 1")
        is not None
    )


def prune(tx: Transaction, before: datetime) -> int:
    """Delete the receipts of what was sent, to the end, before `before`."""
    return tx.run(
        "DELETE FROM outgoing WHERE body_sealed IS NULL AND created_at < :before",
        {"before": instants.to_text(before)},
    )


def _sendable(reader: Reader, inboxes: Iterable[str]) -> dict[str, str]:
    """Inbox -> host whose queue it waits in, without those that nothing is sent to."""
    base_url = reader.value("SELECT base_url FROM instance")
    own = uris.authority(base_url) if base_url else None
    found: dict[str, str] = {}
    allowed: dict[str, bool] = {}
    for inbox in inboxes:
        try:
            host = uris.authority(inbox)
        except MalformedDocument:
            log.warning("nothing is sent to an inbox that is no URI: %.100r", inbox)
            continue
        if host not in allowed:
            allowed[host] = host != own and not blocks.is_host_blocked(reader, host)
        if allowed[host]:
            found[inbox] = _queue_of(reader, inbox, host)
    return found


def _queue_of(reader: Reader, inbox: str, host: str) -> str:
    """Return the host of an inbox, or that of its actor, if the inbox is on somebody else's.

    Some have an inbox elsewhere; and anybody can name one that does not answer, on a server whose
    own people must not wait for it.
    """
    named_by = reader.value(
        """
        SELECT host
          FROM actors
         WHERE inbox = :inbox
           AND NOT EXISTS (SELECT 1 FROM actors WHERE shared_inbox = :inbox)
         ORDER BY substr('.' || :host, -length('.' || host)) = '.' || host
               OR substr('.' || host, -length('.' || :host)) = '.' || :host DESC
         LIMIT 1
        """,
        {"inbox": inbox, "host": host},
    )
    if named_by is None or uris.are_neighbours(f"https://{named_by}/", inbox):
        return host
    return str(named_by)


def _add(
    tx: Transaction,
    outgoing_id: int,
    inbox: str,
    *,
    host_id: int,
    object_key: bytes,
    now: datetime,
) -> None:
    values = {
        "outgoing_id": outgoing_id,
        "host_id": host_id,
        "inbox": inbox,
        "object_key": object_key,
        "now": instants.to_text(now),
    }
    tx.run(
        """
        INSERT INTO deliveries (outgoing_id, host_id, inbox, object_key, aside_until)
        VALUES (:outgoing_id, :host_id, :inbox, :object_key,
                (SELECT aside_until
                   FROM deliveries
                  WHERE host_id = :host_id
                    AND object_key = :object_key
                  LIMIT 1))
        """,
        values,
    )
    # A host that somebody is at, or that rests after failing, keeps its time.
    tx.run(
        """
        UPDATE hosts
           SET due_at = :now
         WHERE id = :host_id
           AND (due_at IS NULL OR (due_at > :now AND NOT is_leased AND failing_since IS NULL))
        """,
        values,
    )
