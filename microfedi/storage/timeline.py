"""Home: what stands on it, and its paging. A post stands once, and once more for each boost.

Everything that the people followed said stands here; what of it the owner wants to see is decided
when it is read. So nothing is lost by a wish, a mute or a list, and all is back when it is taken
away. A list is the part of Home that the people in it brought; it is read in the same way.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from microfedi.protocol import ids, instants
from microfedi.storage import rowids
from microfedi.storage.database import Reader, Transaction

END = 2**63 - 1  # above every position

# Entries that are looked at for one page: whoever wants to see next to nothing of a busy Home gets
# short pages, never slow ones.
MAX_LOOKED_AT = 2000
MAX_GATHERED = 500  # boosts that are counted behind the lines of one page

# What is not muted, by its author, by who boosted it, or as a conversation.
_HEARD = """
    JOIN notes ON notes.id = home.note_id
    LEFT JOIN announces ON announces.id = home.announce_id
   WHERE NOT EXISTS (SELECT 1 FROM muted_actors
                      WHERE actor_id IN (notes.actor_id, announces.actor_id)
                        AND (until IS NULL OR until > :now))
     AND NOT EXISTS (SELECT 1 FROM muted_threads
                      WHERE thread_id = notes.thread_id
                        AND (until IS NULL OR until > :now))
     AND NOT EXISTS (SELECT 1 FROM muted_hosts
                       JOIN actors ON actors.id IN (notes.actor_id, announces.actor_id)
                      WHERE instr('.' || actors.host || ':', '.' || muted_hosts.host || ':')
                        AND (until IS NULL OR until > :now))
     AND (home.announce_id IS NULL
          OR NOT EXISTS (SELECT 1 FROM following
                          WHERE actor_id = home.actor_id AND hides_boosts))
"""
# What a group passes on (nth = 0) are posts in it, no boosts.
_WANTED_ON_HOME = """
     AND (home.announce_id IS NULL OR home.nth = 0 OR (SELECT home_boosts FROM owner))
     AND NOT EXISTS (SELECT 1 FROM list_people
                       JOIN lists ON lists.id = list_people.list_id
                      WHERE list_people.actor_id = home.actor_id
                        AND lists.is_exclusive)
     AND (home.announce_id IS NOT NULL
          OR home.tag IS NOT NULL
          OR notes.in_reply_to_uri IS NULL
          OR notes.actor_id = (SELECT actor_id FROM owner)
          OR (SELECT home_replies FROM owner) = 'all'
          OR EXISTS (SELECT 1 FROM notes AS parent
                      WHERE parent.id = notes.in_reply_to_id
                        AND (parent.actor_id = notes.actor_id
                             OR parent.actor_id = (SELECT actor_id FROM owner)
                             OR (SELECT home_replies FROM owner) = 'followed'
                                AND EXISTS (SELECT 1 FROM following
                                             WHERE actor_id = parent.actor_id
                                               AND state = 'accepted'))))
"""
_WANTED_IN_LIST = """
     AND (home.announce_id IS NOT NULL
          OR notes.in_reply_to_uri IS NULL
          OR EXISTS (SELECT 1 FROM notes AS parent
                       JOIN lists ON lists.id = :list_id
                      WHERE parent.id = notes.in_reply_to_id
                        AND (parent.actor_id = notes.actor_id
                             OR parent.actor_id = (SELECT actor_id FROM owner)
                             OR lists.replies = 'followed'
                                AND EXISTS (SELECT 1 FROM following
                                             WHERE actor_id = parent.actor_id
                                               AND state = 'accepted')
                             OR lists.replies = 'list'
                                AND EXISTS (SELECT 1 FROM list_people
                                             WHERE list_id = :list_id
                                               AND actor_id = parent.actor_id))))
"""
_BY_THEMSELVES = """
     AND home.nth <= (SELECT iif(boosts_a_day = 0, 1000000, boosts_a_day) FROM owner)
"""
_GATHERED = """
     AND home.nth > (SELECT iif(boosts_a_day = 0, 1000000, boosts_a_day) FROM owner)
"""
_COLUMNS = """
    home.position, home.note_id, home.announce_id,
    announces.actor_id AS announcer_id, coalesce(home.tag, '') AS tag
"""


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


@dataclass(frozen=True, slots=True)
class Gathered:
    """A boost beyond those of one person and day that stand by themselves."""

    position: int
    actor_id: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of Home, newest first: everything of it that is to be seen from `low` to `high`."""

    entries: list[Entry]
    gathered: list[Gathered]
    low: int
    high: int
    has_older: bool
    has_newer: bool


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
    brought = tx.one(
        """
        SELECT actors.id, actors.type
          FROM actors
         WHERE id = coalesce((SELECT actor_id FROM announces WHERE id = :announce_id),
                             (SELECT actor_id FROM notes WHERE id = :note_id))
        """,
        {"note_id": note_id, "announce_id": announce_id},
    )
    if brought is None:
        return False
    is_counted = announce_id is not None and brought["type"] != "Group"
    position = rowids.free(tx, "home", at)
    added = tx.run(
        """
        INSERT INTO home (position, note_id, announce_id, actor_id, nth, tag)
        VALUES (:position, :note_id, :announce_id, :actor_id, :nth, :tag)
        ON CONFLICT (note_id) WHERE announce_id IS NULL DO NOTHING
        ON CONFLICT (announce_id) WHERE announce_id IS NOT NULL DO NOTHING
        """,
        {
            "position": position,
            "note_id": note_id,
            "announce_id": announce_id,
            "actor_id": brought["id"],
            "nth": 1 + _boosts_that_day(tx, brought["id"], at) if is_counted else 0,
            "tag": tag,
        },
    )
    if not added:
        return False
    tx.run(
        """
        INSERT INTO list_home (list_id, position)
        SELECT list_id, :position FROM list_people WHERE actor_id = :actor_id
        """,
        {"position": position, "actor_id": brought["id"]},
    )
    return True


def has(reader: Reader, note_id: int) -> bool:
    """Whether a note stands on Home, by itself or by anybody's boost."""
    return bool(
        reader.value(
            "SELECT EXISTS (SELECT 1 FROM home WHERE note_id = :note_id)", {"note_id": note_id}
        )
    )


def below(
    reader: Reader, before: int = END, *, limit: int, now: datetime, list_id: int | None = None
) -> Stretch:
    """Return the stretch that ends just below `before`, with at most `limit` entries."""
    entries, low, has_older = _down(reader, before, limit, now, list_id)
    high = before - 1
    gathered = _gathered(reader, low, high, now, list_id)
    if before == END:
        high = _highest(entries, gathered)
    return Stretch(entries, gathered, low, high, has_older, before != END)


def above(
    reader: Reader, after: int, *, limit: int, now: datetime, list_id: int | None = None
) -> Stretch:
    """Return the stretch that begins just above `after`, with at most `limit` entries."""
    entries, high, has_newer = _up(reader, after, limit, now, list_id)
    gathered = _gathered(reader, after + 1, high, now, list_id)
    if not has_newer:
        high = max(after, _highest(entries, gathered))
    return Stretch(entries, gathered, after + 1, high, True, has_newer)


def around(
    reader: Reader,
    mark: int,
    *,
    limit: int,
    least_below: int,
    now: datetime,
    list_id: int | None = None,
) -> Stretch:
    """Return the stretch around the entry at `mark`: what is above it, and some that is below."""
    newer, high, has_newer = _up(reader, mark, limit - least_below, now, list_id)
    older, low, has_older = _down(reader, mark + 1, limit - len(newer), now, list_id)
    gathered = _gathered(reader, low, high, now, list_id)
    if not has_newer:
        high = max(mark, _highest(newer, gathered))
    return Stretch(newer + older, gathered, low, high, has_older, has_newer)


def boosts_of(
    reader: Reader,
    actor_id: int,
    *,
    low: int,
    high: int,
    limit: int,
    now: datetime,
    list_id: int | None = None,
) -> list[Entry]:
    """Return what stands behind the line of somebody's boosts, newest first."""
    rows = reader.all(
        f"""
        SELECT {_COLUMNS}
          {_from(list_id)} {_heard(list_id)} {_GATHERED}
           AND home.actor_id = :actor_id
           AND home.position BETWEEN :low AND :high
         ORDER BY home.position DESC
         LIMIT :limit
        """,
        {
            "actor_id": actor_id,
            "low": low,
            "high": high,
            "limit": limit,
            "now": instants.to_text(now),
            "list_id": list_id,
        },
    )
    return [Entry(**row) for row in rows]


def is_newer(reader: Reader, position: int, *, now: datetime, list_id: int | None = None) -> bool:
    """Whether anything is to be seen above `position`."""
    return bool(
        _up(reader, position, 1, now, list_id)[0]
        or _gathered(reader, position + 1, END, now, list_id, most=1)
    )


def home_page(
    reader: Reader,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int,
    now: datetime,
) -> list[Entry]:
    """Return entries of Home, newest first: those just below `before`, those just above `after`.

    Without either the newest ones. Positions count as lines between entries: the one named is not
    among the result. What is muted stands there again when its time is over.
    """
    if after is not None and before is None:
        return _up(reader, after, limit, now, None)[0]
    return [
        entry
        for entry in _down(reader, END if before is None else before, limit, now, None)[0]
        if after is None or entry.position > after
    ]


def newest_position(reader: Reader, *, now: datetime) -> int:
    """Return the position of the newest entry, 0 if Home is empty."""
    newest = home_page(reader, limit=1, now=now)
    return newest[0].position if newest else 0


def count_after(reader: Reader, position: int, *, now: datetime, most: int = 100) -> int:
    """Return how many entries are newer than `position`, at most `most`."""
    return len(_up(reader, position, most, now, None)[0])


def instant_of(position: int) -> datetime:
    """Return when the entry at a position came."""
    return ids.instant_of(position)


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


def _boosts_that_day(tx: Transaction, actor_id: int, at: datetime) -> int:
    """Count somebody's boosts that stand there of the day of `at`, as the owner's calendar has it.

    Each minds its own day: what was fetched afterwards does not crowd out what came today.
    """
    name = tx.value("SELECT time_zone FROM owner") or "UTC"
    try:
        there = at.astimezone(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        there = at
    first = there.replace(hour=0, minute=0, second=0, microsecond=0)
    count: int = tx.value(
        """
        SELECT count(*)
          FROM home
         WHERE actor_id = :actor_id
           AND position >= :first
           AND position < :last
           AND nth > 0
        """,
        {
            "actor_id": actor_id,
            "first": ids.row_id(first),
            "last": ids.row_id(first + timedelta(days=1)),
        },
    )
    return count


def _from(list_id: int | None) -> str:
    if list_id is None:
        return "FROM home"
    return """
        FROM list_home
        JOIN home ON home.position = list_home.position AND list_home.list_id = :list_id
    """


def _heard(list_id: int | None) -> str:
    return _HEARD + (_WANTED_ON_HOME if list_id is None else _WANTED_IN_LIST)


def _table(list_id: int | None) -> str:
    """Return the table whose positions are walked along."""
    return "home" if list_id is None else "list_home"


def _nth_position(
    reader: Reader, list_id: int | None, condition: str, order: str, position: int
) -> int | None:
    found: int | None = reader.value(
        f"SELECT ({_far(list_id, condition, order)})",
        {"position": position, "window": MAX_LOOKED_AT, "list_id": list_id},
    )
    return found


def _far(list_id: int | None, condition: str, order: str) -> str:
    """Return the SQL for the position of the entry that is too far away to be looked at."""
    of_list = "" if list_id is None else "list_id = :list_id AND"
    return f"""
        SELECT position FROM {_table(list_id)}
         WHERE {of_list} position {condition} :position
         ORDER BY position {order}
         LIMIT 1 OFFSET :window
    """  # noqa: S608


def _down(
    reader: Reader, before: int, limit: int, now: datetime, list_id: int | None
) -> tuple[list[Entry], int, bool]:
    """Return entries below `before`, the lowest position looked at, and if there is more below."""
    table = _table(list_id)
    rows = reader.all(
        f"""
        SELECT {_COLUMNS}
          {_from(list_id)} {_heard(list_id)} {_BY_THEMSELVES}
           AND {table}.position < :position
           AND {table}.position > coalesce(({_far(list_id, "<", "DESC")}), 0)
         ORDER BY {table}.position DESC
         LIMIT :limit
        """,
        _values(before, limit + 1, now, list_id),
    )
    entries = [Entry(**row) for row in rows[:limit]]
    if len(rows) > limit:
        return entries, entries[-1].position, True
    far = _nth_position(reader, list_id, "<", "DESC", before)
    return (entries, 0, False) if far is None else (entries, far + 1, True)


def _up(
    reader: Reader, after: int, limit: int, now: datetime, list_id: int | None
) -> tuple[list[Entry], int, bool]:
    """Return entries above `after`, newest first, the highest position looked at, and if there is
    more above.
    """
    table = _table(list_id)
    rows = reader.all(
        f"""
        SELECT {_COLUMNS}
          {_from(list_id)} {_heard(list_id)} {_BY_THEMSELVES}
           AND {table}.position > :position
           AND {table}.position < coalesce(({_far(list_id, ">", "ASC")}), {END})
         ORDER BY {table}.position
         LIMIT :limit
        """,
        _values(after, limit + 1, now, list_id),
    )
    entries = [Entry(**row) for row in rows[:limit]][::-1]
    if len(rows) > limit:
        return entries, entries[0].position, True
    far = _nth_position(reader, list_id, ">", "ASC", after)
    return (entries, END, False) if far is None else (entries, far - 1, True)


def _values(position: int, limit: int, now: datetime, list_id: int | None) -> dict[str, object]:
    return {
        "position": position,
        "limit": limit,
        "window": MAX_LOOKED_AT,
        "now": instants.to_text(now),
        "list_id": list_id,
    }


def _gathered(
    reader: Reader,
    low: int,
    high: int,
    now: datetime,
    list_id: int | None,
    *,
    most: int = MAX_GATHERED,
) -> list[Gathered]:
    table = _table(list_id)
    rows = reader.all(
        f"""
        SELECT home.position, home.actor_id
          {_from(list_id)} {_heard(list_id)} {_GATHERED}
           AND {table}.position BETWEEN :low AND :high
         ORDER BY {table}.position DESC
         LIMIT :most
        """,
        {
            "low": low,
            "high": high,
            "most": most,
            "now": instants.to_text(now),
            "list_id": list_id,
        },
    )
    return [Gathered(**row) for row in rows]


def _highest(entries: list[Entry], gathered: list[Gathered]) -> int:
    newest = [one.position for one in entries[:1]] + [one.position for one in gathered[:1]]
    return max(newest, default=0)
