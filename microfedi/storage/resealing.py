"""What an older database holds of messages, sealed anew by the vault once there is one."""

import json
from collections.abc import Callable
from sqlite3 import Row

from microfedi.protocol import ids
from microfedi.storage import (
    bodies,
    jobs,
    media,
    message_drafts,
    message_heads,
    messages,
    private,
    vault_keys,
)
from microfedi.storage.database import Transaction

BATCH = 200  # values in one transaction: some 30 ms, and others want to write too
_OLD = b"\x01"  # with which a value under the server key begins (storage/sealed.py)


def some(tx: Transaction) -> int:
    """Seal some of it anew; return how many values there were, 0 when all is done."""
    if vault_keys.current(tx) is None:
        return 0
    for work in _WORK:
        done = work(tx)
        if done:
            return done
    return 0


def _messages(tx: Transaction) -> int:
    rows = tx.all(
        """
        SELECT *
          FROM messages
         WHERE substr(body_sealed, 1, 1) = :old
         LIMIT :limit
        """,
        {"old": _OLD, "limit": BATCH},
    )
    for row in rows:
        _drop_copies(tx, row)
        head = message_heads.of_row(tx, row)  # the oldest ones have none of their own yet
        tx.run(
            "UPDATE messages SET head_sealed = :head, body_sealed = :body WHERE id = :id",
            {
                "id": row["id"],
                "head": message_heads.sealed(tx, head),
                "body": _anew(tx, row["id"], row),
            },
        )
    return len(rows)


def _drop_copies(tx: Transaction, row: Row) -> None:
    """Have copies of pictures deleted that were kept in the clear: they can be fetched again."""
    old = json.loads(row["copies"])
    if not old:
        return
    media.delete_cached(tx, old)
    for name in old:
        jobs.add(tx, "shred", f"copy {name}", due_at=ids.instant_of(row["id"]))
    plain = tx.sealer.open(messages.PURPOSE, row["body_sealed"], bound_to=str(row["id"]))
    attachments = bodies.attachments(bodies.from_bytes(plain))
    urls = [url for one in attachments for url in one.urls]
    tx.run(
        "UPDATE messages SET copies = :copies WHERE id = :id",
        {
            "id": row["id"],
            "copies": json.dumps(sorted(media.private_name(tx.sealer, url) for url in urls)),
        },
    )


def _versions(tx: Transaction) -> int:
    rows = tx.all(
        """
        SELECT message_versions.id, message_id, conversation_id, message_versions.body_sealed
          FROM message_versions
          JOIN messages ON messages.id = message_id
         WHERE substr(message_versions.body_sealed, 1, 1) = :old
         LIMIT :limit
        """,
        {"old": _OLD, "limit": BATCH},
    )
    for row in rows:
        tx.run(
            "UPDATE message_versions SET body_sealed = :body WHERE id = :id",
            {"id": row["id"], "body": _anew(tx, row["message_id"], row)},
        )
    return len(rows)


def _drafts(tx: Transaction) -> int:
    rows = tx.all(
        """
        SELECT conversation_id, body_sealed
          FROM message_drafts
         WHERE substr(body_sealed, 1, 1) = :old
         LIMIT :limit
        """,
        {"old": _OLD, "limit": BATCH},
    )
    for row in rows:
        about = str(row["conversation_id"])
        plain = tx.sealer.open(message_drafts.PURPOSE, row["body_sealed"], bound_to=about)
        tx.run(
            "UPDATE message_drafts SET body_sealed = :body WHERE conversation_id IS :id",
            {
                "id": row["conversation_id"],
                "body": private.seal(tx, message_drafts.PURPOSE, plain, bound_to=about),
            },
        )
    return len(rows)


def _anew(tx: Transaction, message_id: int, row: Row) -> bytes:
    sealed, within = row["body_sealed"], str(row["conversation_id"])
    plain = tx.sealer.open(messages.PURPOSE, sealed, bound_to=str(message_id))
    return private.seal(tx, messages.PURPOSE, plain, bound_to=str(message_id), within=within)


_WORK: tuple[Callable[[Transaction], int], ...] = (_messages, _versions, _drafts)
