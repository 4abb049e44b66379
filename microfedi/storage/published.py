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
) -> list[Entry]:
    """Return entries, newest first; the next page is before the last one's position.

    A boost is there if both it and what it boosts are one of `visibilities`. Without replies,
    replies to themselves stay.
    """
    rows = reader.all(
        """
        SELECT *
          FROM (SELECT id AS position, id AS note_id, NULL AS announce_id, NULL AS announcer_id
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
         LIMIT :limit
        """,
        {
            "actor_id": actor_id,
            "visibilities": json.dumps([one.value for one in visibilities]),
            "before": before,
            "with_replies": with_replies,
            "with_boosts": with_boosts,
            "limit": limit,
        },
    )
    return [Entry(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers on the owner's page."""

    posts: int
    followers: int
    following: int


def counts(reader: Reader, actor_id: int, visibilities: Collection[Visibility]) -> Counts:
    """Return how many posts somebody has, and the owner's followers and followed."""
    row = reader.one(
        """
        SELECT (SELECT count(*)
                  FROM notes
                 WHERE actor_id = :actor_id
                   AND visibility IN (SELECT value FROM json_each(:visibilities))) AS posts,
               (SELECT count(*) FROM followers WHERE state = 'accepted') AS followers,
               (SELECT count(*) FROM following WHERE state = 'accepted') AS following
        """,
        {
            "actor_id": actor_id,
            "visibilities": json.dumps([one.value for one in visibilities]),
        },
    )
    return Counts(0, 0, 0) if row is None else Counts(**row)


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
