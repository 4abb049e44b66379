"""Why a post is on Home, in a list or among notifications: what brought it, and nothing else."""

from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import instants
from microfedi.storage import actors
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note

MAX_BOOSTERS = 20  # who are named for one post


@dataclass(frozen=True, slots=True)
class Followed:
    """Somebody who brought it, and since when the owner follows them; None if they do not now."""

    actor: Actor
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Reasons:
    """What brought a post here. `is_home`: it stands on Home, unless the owner's wishes hide it.

    `tags` are followed hashtags with which it came, `list_ids` the lists that it stands in.
    """

    is_home: bool
    author: Followed | None
    boosters: tuple[Followed, ...]
    tags: tuple[str, ...]
    list_ids: tuple[int, ...]
    is_mentioned: bool


def of(reader: Reader, note: Note) -> Reasons:
    """Return what brought a post to the owner."""
    rows = reader.all(
        """
        SELECT home.position, home.announce_id, home.actor_id, home.tag, following.created_at
          FROM home
          LEFT JOIN following ON following.actor_id = home.actor_id
                             AND following.state = 'accepted'
         WHERE home.note_id = :note_id
         ORDER BY home.position
         LIMIT :limit
        """,
        {"note_id": note.id, "limit": MAX_BOOSTERS + 1},
    )
    people = actors.by_ids(reader, {row["actor_id"] for row in rows})
    brought = [
        (row, Followed(people[row["actor_id"]], _instant(row["created_at"])))
        for row in rows
        if row["actor_id"] in people
    ]
    lists = reader.all(
        """
        SELECT DISTINCT list_home.list_id
          FROM home
          JOIN list_home ON list_home.position = home.position
         WHERE home.note_id = :note_id
         ORDER BY list_home.list_id
        """,
        {"note_id": note.id},
    )
    is_mentioned = reader.value(
        """
        SELECT EXISTS (SELECT 1 FROM notifications WHERE note_id = :note_id AND kind = 'mention')
        """,
        {"note_id": note.id},
    )
    return Reasons(
        is_home=bool(rows),
        author=next(
            (
                who
                for row, who in brought
                if row["announce_id"] is None and row["tag"] is None and who.since is not None
            ),
            None,
        ),
        boosters=tuple(who for row, who in brought if row["announce_id"] is not None),
        tags=tuple(row["tag"] for row in rows if row["tag"] is not None),
        list_ids=tuple(row["list_id"] for row in lists),
        is_mentioned=bool(is_mentioned),
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else instants.from_text(text)
