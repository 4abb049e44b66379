"""Home: what stands on it, and its paging. A post stands once, and once more for each boost.

Everything that the people followed said stands here; what of it the owner wants to see is decided
when it is read (`stretches`). So nothing is lost by a wish, a mute or a list, and all is back when
it is taken away. A list is the part of Home that the people in it brought.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from microfedi.protocol import ids
from microfedi.storage import rowids
from microfedi.storage.database import Reader, Transaction


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of Home: a note, and whose boost brought it if it was one. `position` sorts them.

    `tag` is the followed hashtag that brought it, if nobody followed did.
    """

    position: int
    note_id: int
    announce_id: int | None
    announcer_id: int | None
    tag: str = ""


def add(
    tx: Transaction,
    *,
    note_id: int,
    announce_id: int | None = None,
    tag: str | None = None,
    at: datetime,
) -> bool:
    """Put a note, or a boost of it, where `at` belongs; False if it stands there already.

    `at` is the time of arrival, or of publishing for what was fetched afterwards.
    """
    position = rowids.free(tx, "home", at)
    source, source_id = ("notes", note_id) if announce_id is None else ("announces", announce_id)
    actor_id: int | None = tx.value(
        f"""
        INSERT INTO home (position, note_id, announce_id, actor_id, nth, tag)
        SELECT :position, :note_id, :announce_id, actor_id, :nth, :tag
          FROM {source}
         WHERE id = :source_id
        ON CONFLICT (note_id) WHERE announce_id IS NULL DO NOTHING
        ON CONFLICT (announce_id) WHERE announce_id IS NOT NULL DO NOTHING
        RETURNING actor_id
        """,  # noqa: S608
        {
            "position": position,
            "note_id": note_id,
            "announce_id": announce_id,
            "nth": 0 if announce_id is None else _nth(tx, announce_id, at),
            "tag": tag,
            "source_id": source_id,
        },
    )
    if actor_id is None:
        return False
    tx.run(
        """
        INSERT INTO list_home (list_id, position)
        SELECT list_id, :position FROM list_people WHERE actor_id = :actor_id
        """,
        {"position": position, "actor_id": actor_id},
    )
    return True


def has(reader: Reader, note_id: int) -> bool:
    """Whether a note stands on Home, by itself or by anybody's boost."""
    return bool(
        reader.value(
            "SELECT EXISTS (SELECT 1 FROM home WHERE note_id = :note_id)", {"note_id": note_id}
        )
    )


def is_empty(reader: Reader) -> bool:
    """Whether nothing has come yet."""
    return not reader.value("SELECT EXISTS (SELECT 1 FROM home)")


def remove_of(tx: Transaction, actor_id: int) -> int:
    """Take somebody's posts and boosts off Home (unfollowed, blocked); return how many there were.

    Their posts stay there where others boosted them.
    """
    return tx.run("DELETE FROM home WHERE actor_id = :actor_id", {"actor_id": actor_id})


def remove_tagged(tx: Transaction, note_id: int) -> int:
    """Take a post off Home that a hashtag brought, since something better brings it now."""
    return tx.run(
        "DELETE FROM home WHERE note_id = :note_id AND tag IS NOT NULL", {"note_id": note_id}
    )


def remove_by_tag(tx: Transaction, tag: str) -> int:
    """Take off Home what a hashtag brought that is no longer followed; return how many there were.

    It stays where another followed one would have brought it just so.
    """
    tx.run(
        """
        UPDATE home
           SET tag = (SELECT note_tags.tag
                        FROM note_tags
                        JOIN followed_tags ON followed_tags.tag = note_tags.tag
                       WHERE note_tags.note_id = home.note_id
                       ORDER BY note_tags.tag
                       LIMIT 1)
         WHERE tag = :tag
           AND EXISTS (SELECT 1
                         FROM note_tags
                         JOIN followed_tags ON followed_tags.tag = note_tags.tag
                        WHERE note_tags.note_id = home.note_id)
        """,
        {"tag": tag},
    )
    return tx.run("DELETE FROM home WHERE tag = :tag", {"tag": tag})


def _nth(tx: Transaction, announce_id: int, at: datetime) -> int:
    """Return which boost of somebody and that day one is, as the owner's calendar has it.

    Each minds its own day: what was fetched afterwards does not crowd out what came today. What
    groups pass on is not counted: 0.
    """
    name = tx.value("SELECT time_zone FROM owner") or "UTC"
    try:
        there = at.astimezone(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        there = at
    first = there.replace(hour=0, minute=0, second=0, microsecond=0)
    nth: int = tx.value(
        """
        SELECT iif(actors.type = 'Group', 0, 1 + (
                   SELECT count(*)
                     FROM home
                    WHERE home.actor_id = actors.id
                      AND home.position >= :first
                      AND home.position < :last
                      AND home.nth > 0))
          FROM announces
          JOIN actors ON actors.id = announces.actor_id
         WHERE announces.id = :announce_id
        """,
        {
            "announce_id": announce_id,
            "first": ids.row_id(first),
            "last": ids.row_id(first + timedelta(days=1)),
        },
    )
    return nth
