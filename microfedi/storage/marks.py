"""What the owner did with posts, for a whole page: favourited, boosted, bookmarked."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from microfedi.storage.database import Reader


@dataclass(frozen=True, slots=True)
class Marks:
    """The row ids of posts by what was done with them."""

    favourites: frozenset[int] = frozenset()
    boosts: frozenset[int] = frozenset()
    bookmarks: frozenset[int] = frozenset()


def of_notes(reader: Reader, actor_id: int, note_ids: Iterable[int]) -> Marks:
    """Return which of these posts somebody favourited and boosted, and the owner bookmarked."""
    rows = reader.all(
        """
        WITH shown AS (SELECT value AS id FROM json_each(:ids))
        SELECT 'favourite' AS mark, note_id
          FROM likes
         WHERE actor_id = :actor_id AND note_id IN (SELECT id FROM shown)
         UNION ALL
        SELECT 'boost', note_id
          FROM announces
         WHERE actor_id = :actor_id AND note_id IN (SELECT id FROM shown)
         UNION ALL
        SELECT 'bookmark', note_id
          FROM bookmarks
         WHERE note_id IN (SELECT id FROM shown)
        """,
        {"actor_id": actor_id, "ids": json.dumps(list(note_ids))},
    )

    def marked(name: str) -> frozenset[int]:
        return frozenset(row["note_id"] for row in rows if row["mark"] == name)

    return Marks(marked("favourite"), marked("boost"), marked("bookmark"))
