"""What may be dropped so that the disk does not fill up, and what never is.

The budget is for the database and for our copies of others' media together. Copies go first: they
can be fetched again. Then others' posts, the oldest and least cared for first. Never what is the
owner's, bookmarked, favourited or boosted by them, in a thread in which they wrote (but for answers
of strangers, when nothing else is left), pinned by somebody, or a message.
"""

import json
from datetime import datetime

from microfedi.protocol import ids, instants
from microfedi.storage import media
from microfedi.storage.database import Reader, Transaction

# Of the budget: what copies may fill at most, and what they are cut down to before any post goes.
MAX_CACHE_SHARE = 0.8
MIN_CACHE_SHARE = 0.2
# Copies or posts that are dropped in one transaction: others want to write too.
BATCH = 200
# Deleted things of others that are remembered: they can be made up, so the oldest go.
MAX_TOMBSTONES = 100_000


def database_bytes(reader: Reader) -> int:
    """Return how much of the database file is in use."""
    pages: int = reader.value("PRAGMA page_count")
    free: int = reader.value("PRAGMA freelist_count")
    size: int = reader.value("PRAGMA page_size")
    return (pages - free) * size


def cache_room(reader: Reader, budget_bytes: int) -> int:
    """Return how many bytes copies of others' media may fill just now."""
    left = budget_bytes - database_bytes(reader)
    most, least = int(budget_bytes * MAX_CACHE_SHARE), int(budget_bytes * MIN_CACHE_SHARE)
    return min(most, max(left, least))


def trim_cache(tx: Transaction, room_bytes: int, *, but: str = "") -> list[str]:
    """Forget the copies longest unseen until all fit into `room_bytes`; at most a batch of them.

    Return their keys; the caller deletes the files after the commit. `but` is kept.
    """
    over = media.cached_bytes(tx) - room_bytes
    dropped: list[str] = []
    if over > 0:
        for one in media.oldest_cached(tx, limit=BATCH):
            if over <= 0:
                break
            if one.key != but:
                dropped.append(one.key)
                over -= one.size_bytes
        media.delete_cached(tx, dropped)
    return dropped


def cached_keys(reader: Reader) -> set[str]:
    """Return the names of all files that should lie in the cache."""
    return {row["key"] for row in reader.all("SELECT key FROM cached_media")}


def forget_absent(tx: Transaction, before: datetime) -> int:
    """Forget what could not be had, as noted before `before`."""
    return tx.run(
        "DELETE FROM cached_media WHERE media_type = '' AND fetched_at < :before",
        {"before": instants.to_text(before)},
    )


def drop_posts(
    tx: Transaction,
    *,
    published_before: datetime,
    after_id: int,
    strangers_only: bool,
    last_resort: bool = False,
) -> tuple[int, int | None]:
    """Delete others' posts that nobody here cares for, the oldest first, at most a batch.

    `strangers_only` leaves out the posts of whom the owner follows, what they boosted, and what the
    owner was told of. As a `last_resort`, strangers' answers in the owner's threads go too, but for
    those that the owner answered: else strangers could fill the disk with answers. Return how many
    went, and the id to go on after; None at the end.
    """
    rows = tx.all(
        """
        SELECT id,
               NOT EXISTS (SELECT 1 FROM owner WHERE owner.actor_id = notes.actor_id)
               AND public_id IS NULL
               AND NOT EXISTS (SELECT 1 FROM bookmarks WHERE note_id = notes.id)
               AND NOT EXISTS (SELECT 1 FROM pinned WHERE note_id = notes.id)
               AND NOT EXISTS (SELECT 1 FROM likes JOIN owner USING (actor_id)
                                WHERE note_id = notes.id)
               AND NOT EXISTS (SELECT 1 FROM announces JOIN owner USING (actor_id)
                                WHERE note_id = notes.id)
               AND NOT EXISTS (SELECT 1 FROM notes AS ours JOIN owner USING (actor_id)
                                WHERE ours.thread_id = notes.thread_id
                                  AND (NOT :last_resort
                                       OR ours.in_reply_to_id = notes.id
                                       OR notes.thread_id = notes.id
                                       OR EXISTS (SELECT 1 FROM following
                                                   WHERE following.actor_id = notes.actor_id)))
               AND NOT (:strangers_only
                        AND (EXISTS (SELECT 1 FROM following
                                      WHERE following.actor_id = notes.actor_id)
                             OR EXISTS (SELECT 1 FROM home WHERE note_id = notes.id)
                             OR EXISTS (SELECT 1 FROM notifications
                                         WHERE note_id = notes.id AND NOT is_held)))
               AS may_go
          FROM notes
         WHERE id > :after_id
           AND id < :before_id
         ORDER BY id
         LIMIT :limit
        """,
        {
            "after_id": after_id,
            "before_id": ids.row_id(published_before),
            "strangers_only": strangers_only,
            "last_resort": last_resort,
            "limit": BATCH,
        },
    )
    going = [row["id"] for row in rows if row["may_go"]]
    tx.run(
        "DELETE FROM notes WHERE id IN (SELECT value FROM json_each(:ids))",
        {"ids": json.dumps(going)},
    )
    return len(going), rows[-1]["id"] if len(rows) == BATCH else None


def drop_actors(tx: Transaction, fetched_before: datetime) -> int:
    """Delete others of whom nothing is left here, at most a batch; they can be fetched again."""
    return tx.run(
        """
        DELETE FROM actors
         WHERE id IN (
            SELECT id
              FROM actors
             WHERE fetched_at < :before
               AND state = 'ok'
               AND id NOT IN (SELECT actor_id FROM owner)
               AND id NOT IN (SELECT actor_id FROM followers)
               AND id NOT IN (SELECT actor_id FROM following)
               AND id NOT IN (SELECT actor_id FROM blocked_actors)
               AND id NOT IN (SELECT actor_id FROM blocked_by)
               AND id NOT IN (SELECT actor_id FROM muted_actors)
               AND id NOT IN (SELECT actor_id FROM notification_people)
               AND id NOT IN (SELECT actor_id FROM declined_people)
               AND id NOT IN (SELECT actor_id FROM circle_people)
               AND NOT EXISTS (SELECT 1 FROM circle_notes WHERE actor_id = actors.id)
               AND NOT EXISTS (SELECT 1 FROM notes WHERE actor_id = actors.id)
               AND NOT EXISTS (SELECT 1 FROM announces WHERE actor_id = actors.id)
               AND NOT EXISTS (SELECT 1 FROM likes WHERE actor_id = actors.id)
               AND NOT EXISTS (SELECT 1 FROM notifications WHERE actor_id = actors.id)
               AND NOT EXISTS (SELECT 1 FROM conversation_people WHERE actor_id = actors.id)
               AND NOT EXISTS (SELECT 1 FROM messages WHERE actor_id = actors.id)
               AND NOT EXISTS (SELECT 1 FROM reactions WHERE actor_id = actors.id)
               AND NOT EXISTS (SELECT 1 FROM votes WHERE actor_id = actors.id)
               AND NOT EXISTS (SELECT 1 FROM stamps WHERE actor_id = actors.id)
               AND NOT EXISTS (SELECT 1 FROM feature_stamps WHERE actor_id = actors.id)
               AND NOT EXISTS (SELECT 1 FROM encrypted_objects WHERE actor_id = actors.id)
             LIMIT :limit)
        """,
        {"before": instants.to_text(fetched_before), "limit": BATCH},
    )


def drop_tombstones(tx: Transaction, before: datetime) -> int:
    """Forget what others deleted so long ago that no late copy will come. Ours stay for ever."""
    dropped = tx.run(
        "DELETE FROM tombstones WHERE deleted_at < :before AND was_public = 0",
        {"before": instants.to_text(before)},
    )
    return dropped + tx.run(
        """
        DELETE FROM tombstones
         WHERE was_public = 0
           AND uri IN (SELECT uri FROM tombstones
                        WHERE was_public = 0
                        ORDER BY deleted_at DESC
                        LIMIT -1 OFFSET :most)
        """,
        {"most": MAX_TOMBSTONES},
    )
