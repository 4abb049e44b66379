"""Somebody who answers themselves, to say more: which part of how many a post is."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from microfedi.storage.database import Reader

MAX_PARTS = 100  # of one such thread that are counted


@dataclass(frozen=True, slots=True)
class Part:
    """The place of a post in its author's own thread, from 1."""

    number: int
    count: int


def of_notes(reader: Reader, note_ids: Iterable[int]) -> dict[int, Part]:
    """Return the place of those posts that are a part of something longer, by row id.

    Open posts count with open ones, closed with closed: a number tells of the others too.
    """
    rows = reader.all(
        """
        WITH RECURSIVE
        above (start, parent_id, actor_id, is_open, parts) AS (
            SELECT id, in_reply_to_id, actor_id, visibility IN ('public', 'unlisted'), 1
              FROM notes
             WHERE id IN (SELECT value FROM json_each(:ids))
             UNION ALL
            SELECT above.start, notes.in_reply_to_id, above.actor_id, above.is_open, parts + 1
              FROM above
              JOIN notes ON notes.id = above.parent_id
             WHERE notes.actor_id = above.actor_id
               AND (notes.visibility IN ('public', 'unlisted')) = above.is_open
               AND parts < :most),
        below (start, id, actor_id, is_open, parts) AS (
            SELECT start, start, actor_id, is_open, 0
              FROM above
             WHERE parts = 1
             UNION ALL
            SELECT below.start, notes.id, below.actor_id, below.is_open, parts + 1
              FROM below
              JOIN notes ON notes.in_reply_to_id = below.id
             WHERE notes.actor_id = below.actor_id
               AND (notes.visibility IN ('public', 'unlisted')) = below.is_open
               AND parts < :most)
        SELECT start,
               (SELECT max(parts) FROM above WHERE above.start = asked.start) AS number,
               (SELECT max(parts) FROM below WHERE below.start = asked.start) AS more
          FROM (SELECT start FROM above WHERE parts = 1) AS asked
        """,
        {"ids": json.dumps(list(note_ids)), "most": MAX_PARTS},
    )
    return {
        row["start"]: Part(row["number"], row["number"] + row["more"])
        for row in rows
        if row["number"] + row["more"] > 1
    }
