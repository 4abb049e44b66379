"""What somebody said, in order of time: their posts, and their boosts of posts."""

import json
from collections.abc import Collection
from dataclasses import dataclass

from microfedi.protocol.vocab import Visibility
from microfedi.storage.database import Reader
from microfedi.storage.timeline import Entry


def page(
    reader: Reader,
    actor_id: int,
    *,
    visibilities: Collection[Visibility],
    before: int | None = None,
    limit: int,
    with_replies: bool = True,
    with_boosts: bool = True,
    with_pinned: bool = False,
) -> list[Entry]:
    """Return entries, newest first; the next page is before the last one's position.

    A boost is there if both it and what it boosts are one of `visibilities`. Without replies,
    replies to themselves stay. What they pinned comes last, with positions below zero.
    """
    rows = reader.all(
        """
        WITH said (position, note_id, announce_id, announcer_id) AS (
            SELECT *
              FROM (SELECT id AS position, id, NULL, NULL
                      FROM notes
                     WHERE actor_id = :actor_id
                       AND id < coalesce(:before, 9223372036854775807)
                       AND visibility IN (SELECT value FROM json_each(:visibilities))
                       AND (:with_replies
                            OR in_reply_to_uri IS NULL
                            OR EXISTS (SELECT 1 FROM notes AS parent
                                        WHERE parent.id = notes.in_reply_to_id
                                          AND parent.actor_id = notes.actor_id))
                     ORDER BY id DESC
                     LIMIT :limit)
             UNION ALL
            SELECT *
              FROM (SELECT announces.id, announces.note_id, announces.id, announces.actor_id
                      FROM announces
                      JOIN notes ON notes.id = announces.note_id
                     WHERE :with_boosts
                       AND announces.actor_id = :actor_id
                       AND announces.id < coalesce(:before, 9223372036854775807)
                       AND announces.visibility IN (SELECT value FROM json_each(:visibilities))
                       AND notes.visibility IN (SELECT value FROM json_each(:visibilities))
                     ORDER BY announces.id DESC
                     LIMIT :limit)
             ORDER BY position DESC
             LIMIT :limit)
        SELECT position, note_id, announce_id, announcer_id
          FROM said
         UNION ALL
        SELECT -position, note_id, NULL, NULL
          FROM pinned
         WHERE :with_pinned
           AND actor_id = :actor_id
         ORDER BY position DESC
        """,
        {
            "actor_id": actor_id,
            "visibilities": json.dumps([one.value for one in visibilities]),
            "before": before,
            "with_replies": with_replies,
            "with_boosts": with_boosts,
            "with_pinned": with_pinned,
            "limit": limit,
        },
    )
    return [Entry(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers on the owner's page, and the hashtags on it."""

    posts: int
    followers: int
    following: int
    tags: tuple[str, ...]


def counts(reader: Reader, actor_id: int, visibilities: Collection[Visibility]) -> Counts:
    """Return how many posts somebody has, and the owner's followers and followed."""
    row = reader.one(
        """
        SELECT (SELECT count(*)
                  FROM notes
                 WHERE actor_id = :actor_id
                   AND visibility IN (SELECT value FROM json_each(:visibilities))) AS posts,
               (SELECT count(*) FROM followers WHERE state = 'accepted') AS followers,
               (SELECT count(*) FROM following WHERE state = 'accepted') AS following,
               (SELECT json_group_array(tag)
                  FROM (SELECT tag FROM featured_tags ORDER BY position, tag)) AS tags
        """,
        {
            "actor_id": actor_id,
            "visibilities": json.dumps([one.value for one in visibilities]),
        },
    )
    if row is None:
        raise LookupError("a SELECT without FROM has one row")
    return Counts(row["posts"], row["followers"], row["following"], tuple(json.loads(row["tags"])))


def count(reader: Reader, actor_id: int, visibilities: Collection[Visibility]) -> int:
    """Return how many entries all pages have together, replies among them."""
    counted: int = reader.value(
        """
        SELECT (SELECT count(*)
                  FROM notes
                 WHERE actor_id = :actor_id
                   AND visibility IN (SELECT value FROM json_each(:visibilities)))
             + (SELECT count(*)
                  FROM announces
                  JOIN notes ON notes.id = announces.note_id
                 WHERE announces.actor_id = :actor_id
                   AND announces.visibility IN (SELECT value FROM json_each(:visibilities))
                   AND notes.visibility IN (SELECT value FROM json_each(:visibilities)))
        """,
        {
            "actor_id": actor_id,
            "visibilities": json.dumps([one.value for one in visibilities]),
        },
    )
    return counted
