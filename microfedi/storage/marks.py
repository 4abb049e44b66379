"""What the owner did with posts, for a whole page, and what everybody's reactions to them are."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from microfedi.storage.database import Reader


@dataclass(frozen=True, slots=True)
class Tally:
    """How many reacted alike."""

    name: str
    emoji_url: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Marks:
    """The row ids of posts by what was done with them; reactions by post, the most frequent first.

    Bookmarks are the owner's, favourites and boosts of whom was asked for, reactions everybody's.
    """

    favourites: frozenset[int]
    boosts: frozenset[int]
    bookmarks: frozenset[int]
    reactions: dict[int, list[Tally]]


def of_notes(reader: Reader, actor_id: int, note_ids: Iterable[int]) -> Marks:
    """Return what was done with these posts; by nobody but those who reacted if `actor_id` is 0."""
    rows = reader.all(
        """
        WITH shown AS (SELECT value AS id FROM json_each(:ids))
        SELECT 'favourite' AS mark, note_id, '' AS name, NULL AS emoji_url, 0 AS many, '' AS first
          FROM likes
         WHERE actor_id = :actor_id AND note_id IN (SELECT id FROM shown)
         UNION ALL
        SELECT 'boost', note_id, '', NULL, 0, ''
          FROM announces
         WHERE actor_id = :actor_id AND note_id IN (SELECT id FROM shown)
         UNION ALL
        SELECT 'bookmark', note_id, '', NULL, 0, ''
          FROM bookmarks
         WHERE :actor_id != 0 AND note_id IN (SELECT id FROM shown)
         UNION ALL
        SELECT 'reaction', note_id, name, max(emoji_url), count(*), min(created_at)
          FROM reactions
         WHERE note_id IN (SELECT id FROM shown)
         GROUP BY note_id, name
         ORDER BY many DESC, first
        """,
        {"actor_id": actor_id, "ids": json.dumps(list(note_ids))},
    )
    marked: dict[str, set[int]] = {"favourite": set(), "boost": set(), "bookmark": set()}
    reactions: dict[int, list[Tally]] = {}
    for row in rows:
        if row["mark"] == "reaction":
            tally = Tally(row["name"], row["emoji_url"], row["many"])
            reactions.setdefault(row["note_id"], []).append(tally)
        else:
            marked[row["mark"]].add(row["note_id"])
    return Marks(
        frozenset(marked["favourite"]),
        frozenset(marked["boost"]),
        frozenset(marked["bookmark"]),
        reactions,
    )
