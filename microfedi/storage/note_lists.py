"""Posts in lists: somebody's, those with a hashtag, the answers to one."""

import json
from collections.abc import Collection

from microfedi.protocol.vocab import Visibility
from microfedi.storage import notes
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note


def by_actor(
    reader: Reader,
    actor_id: int,
    *,
    visibilities: Collection[Visibility],
    before_id: int | None = None,
    limit: int,
    with_replies: bool = True,
) -> list[Note]:
    """Return somebody's notes, newest first. Without replies, their replies to themselves stay."""
    return notes.selected(
        reader,
        """
          FROM notes
         WHERE actor_id = :actor_id
           AND id < coalesce(:before_id, 9223372036854775807)
           AND visibility IN (SELECT value FROM json_each(:visibilities))
           AND (:with_replies
                OR in_reply_to_uri IS NULL
                OR EXISTS (SELECT 1 FROM notes AS parent
                            WHERE parent.id = notes.in_reply_to_id
                              AND parent.actor_id = notes.actor_id))
         ORDER BY id DESC
         LIMIT :limit
        """,
        {
            "actor_id": actor_id,
            "before_id": before_id,
            "visibilities": json.dumps([one.value for one in visibilities]),
            "with_replies": with_replies,
            "limit": limit,
        },
    )


def replies_to(
    reader: Reader,
    note_id: int,
    *,
    visibilities: Collection[Visibility],
    after_id: int = 0,
    limit: int,
) -> list[Note]:
    """Return the direct replies to a note, oldest first."""
    return notes.selected(
        reader,
        """
          FROM notes
         WHERE in_reply_to_id = :note_id
           AND id > :after_id
           AND visibility IN (SELECT value FROM json_each(:visibilities))
         ORDER BY id
         LIMIT :limit
        """,
        {
            "note_id": note_id,
            "after_id": after_id,
            "visibilities": json.dumps([one.value for one in visibilities]),
            "limit": limit,
        },
    )


def by_tag(
    reader: Reader,
    tag: str,
    *,
    before_id: int | None = None,
    limit: int,
    own_public: bool = False,
) -> list[Note]:
    """Return the open notes with a hashtag (lower-case, without #), newest first.

    `own_public` leaves only the owner's public ones: a quiet post is for those who come by it, not
    for those who look for a word.
    """
    only = "AND note_tags.is_mine AND notes.visibility = 'public'" if own_public else ""
    return notes.selected(
        reader,
        f"""
          FROM note_tags
          JOIN notes ON notes.id = note_tags.note_id
         WHERE note_tags.tag = :tag
           AND note_tags.note_id < coalesce(:before_id, 9223372036854775807)
           {only}
         ORDER BY note_tags.note_id DESC
         LIMIT :limit
        """,
        {"tag": tag, "before_id": before_id, "limit": limit},
    )


def count_of(reader: Reader, actor_id: int, visibilities: Collection[Visibility]) -> int:
    """Return how many notes somebody has that are one of `visibilities`."""
    count: int = reader.value(
        """
        SELECT count(*)
          FROM notes
         WHERE actor_id = :actor_id
           AND visibility IN (SELECT value FROM json_each(:visibilities))
        """,
        {
            "actor_id": actor_id,
            "visibilities": json.dumps([one.value for one in visibilities]),
        },
    )
    return count
