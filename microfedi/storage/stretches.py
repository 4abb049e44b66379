"""What of Home is to be seen, in stretches: a page of it, of a list, around the mark.

Mutes, the owner's wishes and lists that take people off Home are minded here. Every question walks
along positions and looks at MAX_LOOKED_AT entries at most.
"""

from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row

from microfedi.protocol import ids, instants
from microfedi.storage.database import Reader
from microfedi.storage.timeline import Entry

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
     AND (home.announce_id IS NULL OR home.nth = 0
          OR coalesce((SELECT home_boosts FROM owner), 1))
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
# The owner's wish, and how many that is when they wish for all.
_MOST = "coalesce((SELECT nullif(boosts_a_day, 0) FROM owner), 1000000)"
_BY_THEMSELVES = f"""
     AND home.nth <= {_MOST}
"""
_GATHERED = f"""
     AND home.nth > {_MOST}
"""
_COLUMNS = """
    home.position, home.note_id, home.announce_id,
    announces.actor_id AS announcer_id, coalesce(home.tag, '') AS tag
"""


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


@dataclass(frozen=True, slots=True)
class _Seen:
    """What stands in one direction, newest first, up to `end`."""

    entries: list[Entry]
    gathered: list[Gathered]
    end: int
    has_more: bool

    @property
    def highest(self) -> int:
        """The newest of all, 0 if there is nothing."""
        newest = [one.position for one in self.entries[:1]]
        return max(newest + [one.position for one in self.gathered[:1]], default=0)


def below(
    reader: Reader, before: int = END, *, limit: int, now: datetime, list_id: int | None = None
) -> Stretch:
    """Return the stretch that ends just below `before`, with at most `limit` entries."""
    seen = _down(reader, before, limit, now, list_id)
    high = before - 1 if before != END else seen.highest
    return Stretch(seen.entries, seen.gathered, seen.end, high, seen.has_more, before != END)


def above(
    reader: Reader, after: int, *, limit: int, now: datetime, list_id: int | None = None
) -> Stretch:
    """Return the stretch that begins just above `after`, with at most `limit` entries."""
    seen = _up(reader, after, limit, now, list_id)
    high = seen.end if seen.has_more else max(after, seen.highest)
    return Stretch(seen.entries, seen.gathered, after + 1, high, True, seen.has_more)


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
    newer = _up(reader, mark, limit - least_below, now, list_id)
    older = _down(reader, mark + 1, limit - len(newer.entries), now, list_id)
    high = newer.end if newer.has_more else max(newer.highest, older.highest)
    return Stretch(
        newer.entries + older.entries,
        newer.gathered + older.gathered,
        older.end,
        high,
        older.has_more,
        newer.has_more,
    )


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


def new_after(reader: Reader, position: int, *, now: datetime, most: int = 100) -> list[Entry]:
    """Return the entries of Home just above `position`, at most `most`, newest first."""
    return _up(reader, position, most, now, None).entries


def newest_possible(now: datetime) -> int:
    """Return a position that nothing is above yet: a mark beyond it would hide what comes."""
    return ids.row_id(now) + ids.ROWS_PER_MS


def instant_of(position: int) -> datetime:
    """Return when the entry at a position came."""
    return ids.instant_of(position)


def seldom_heard(
    reader: Reader,
    *,
    since: datetime,
    fewer_than: int,
    before: int = END,
    limit: int,
    now: datetime,
) -> list[Entry]:
    """Return what people followed wrote since then who wrote fewer posts than that, newest first.

    Boosts are somebody else's words, and answers count as posts but are not shown.
    """
    rows = reader.all(
        f"""
        WITH quiet (actor_id) AS MATERIALIZED (
            SELECT actor_id
              FROM following
             WHERE state = 'accepted'
               AND (SELECT count(*)
                      FROM (SELECT 1
                              FROM notes
                             WHERE notes.actor_id = following.actor_id
                               AND notes.id >= :since
                             LIMIT :fewer_than)) < :fewer_than)
        SELECT {_COLUMNS}
          FROM quiet
         CROSS JOIN home ON home.actor_id = quiet.actor_id
          {_HEARD}
           AND home.announce_id IS NULL
           AND notes.in_reply_to_uri IS NULL
           AND home.position >= :since
           AND home.position < :before
         ORDER BY home.position DESC
         LIMIT :limit
        """,  # noqa: S608
        {
            "since": ids.row_id(since),
            "fewer_than": fewer_than,
            "before": before,
            "limit": limit,
            "now": instants.to_text(now),
        },
    )
    return [Entry(**row) for row in rows]


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


def _far(list_id: int | None, condition: str, order: str) -> str:
    """Return the SQL for the position of the entry that is too far away to be looked at."""
    of_list = "" if list_id is None else "list_id = :list_id AND"
    return f"""
        SELECT position FROM {_table(list_id)}
         WHERE {of_list} position {condition} :position
         ORDER BY position {order}
         LIMIT 1 OFFSET :window
    """  # noqa: S608


def _down(reader: Reader, before: int, limit: int, now: datetime, list_id: int | None) -> _Seen:
    """Look downwards from `before`, newest first. The end is the lowest position looked at."""
    rows = reader.all(_walk(list_id, "<", "DESC"), _values(before, limit, now, list_id))
    shown, gathered, far = _sorted(rows)
    if len(shown) > limit:
        end, has_more = shown[limit - 1].position, True
    else:
        end, has_more = (0, False) if far is None else (far + 1, True)
    return _Seen(shown[:limit], [one for one in gathered if one.position >= end], end, has_more)


def _up(reader: Reader, after: int, limit: int, now: datetime, list_id: int | None) -> _Seen:
    """Look upwards from `after`; newest first. The end is the highest position looked at."""
    rows = reader.all(_walk(list_id, ">", "ASC"), _values(after, limit, now, list_id))
    shown, gathered, far = _sorted(rows)
    if len(shown) > limit:
        end, has_more = shown[limit - 1].position, True
    else:
        end, has_more = (END, False) if far is None else (far - 1, True)
    within = [one for one in gathered if one.position <= end]
    return _Seen(shown[:limit][::-1], within[::-1], end, has_more)


def _walk(list_id: int | None, condition: str, order: str) -> str:
    """Return the SQL for what stands along the way: entries, one more than the limit to know if
    there is more; boosts that are gathered, not beyond the last entry; how far one may look.
    """
    table = _table(list_id)
    far = _far(list_id, condition, order)
    nearer = f"coalesce(({far}), {0 if order == 'DESC' else END})"
    last = "min" if order == "DESC" else "max"
    away = ">" if condition == "<" else "<"
    within = f"""
           AND {table}.position {condition} :position
           AND {table}.position {away} {nearer}
    """
    return f"""
        WITH shown AS MATERIALIZED (
            SELECT {_COLUMNS}
              {_from(list_id)} {_heard(list_id)} {_BY_THEMSELVES} {within}
             ORDER BY {table}.position {order}
             LIMIT :limit + 1)
        SELECT 'shown' AS what, position, note_id, announce_id, announcer_id, tag FROM shown
         UNION ALL
        SELECT 'far', ({far}), NULL, NULL, NULL, NULL
         UNION ALL
        SELECT * FROM (
            SELECT 'gathered', {_COLUMNS}
              {_from(list_id)} {_heard(list_id)} {_GATHERED} {within}
               AND ((SELECT count(*) FROM shown) <= :limit
                    OR {table}.position {away} (SELECT {last}(position) FROM shown))
             ORDER BY {table}.position {order}
             LIMIT {MAX_GATHERED})
    """  # noqa: S608


def _sorted(rows: list[Row]) -> tuple[list[Entry], list[Gathered], int | None]:
    """Tell the rows of `_walk` apart."""
    shown = [
        Entry(row["position"], row["note_id"], row["announce_id"], row["announcer_id"], row["tag"])
        for row in rows
        if row["what"] == "shown"
    ]
    gathered = [
        Gathered(row["position"], row["announcer_id"]) for row in rows if row["what"] == "gathered"
    ]
    far = next(row["position"] for row in rows if row["what"] == "far")
    return shown, gathered, far


def _values(position: int, limit: int, now: datetime, list_id: int | None) -> dict[str, object]:
    return {
        "position": position,
        "limit": limit,
        "window": MAX_LOOKED_AT,
        "now": instants.to_text(now),
        "list_id": list_id,
    }
