"""Home: what stands on it, and its paging. A post stands once, and once more for each boost."""

from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import instants
from microfedi.storage import rowids
from microfedi.storage.database import Reader, Transaction

# What is not muted, by its author, by who boosted it, or as a conversation.
_HEARD = """
    FROM home
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
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of Home: a note, and whose boost brought it if it was one. `position` sorts them."""

    position: int
    note_id: int
    announce_id: int | None
    announcer_id: int | None


def add(tx: Transaction, *, note_id: int, announce_id: int | None = None, at: datetime) -> bool:
    """Put a note, or a boost of it, where `at` belongs; False if it stands there already.

    `at` is the time of arrival, or of publishing for what was fetched afterwards.
    """
    added = tx.run(
        """
        INSERT INTO home (position, note_id, announce_id)
        VALUES (:position, :note_id, :announce_id)
        ON CONFLICT (note_id) WHERE announce_id IS NULL DO NOTHING
        ON CONFLICT (announce_id) WHERE announce_id IS NOT NULL DO NOTHING
        """,
        {"position": rowids.free(tx, "home", at), "note_id": note_id, "announce_id": announce_id},
    )
    return added > 0


def has(reader: Reader, note_id: int) -> bool:
    """Whether a note stands on Home, by itself or by anybody's boost."""
    return bool(
        reader.value(
            "SELECT EXISTS (SELECT 1 FROM home WHERE note_id = :note_id)", {"note_id": note_id}
        )
    )


def home_page(
    reader: Reader,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int,
    now: datetime,
) -> list[Entry]:
    """Return entries, newest first: those just below `before`, those just above `after`.

    Without either the newest ones. Positions count as lines between entries: the one named is not
    among the result. What is muted stands there again when its time is over.
    """
    upwards = after is not None and before is None
    rows = reader.all(
        f"""
        SELECT home.position, home.note_id, home.announce_id, announces.actor_id AS announcer_id
          {_HEARD}
           AND home.position < coalesce(:before, 9223372036854775807)
           AND home.position > coalesce(:after, 0)
         ORDER BY home.position {"ASC" if upwards else "DESC"}
         LIMIT :limit
        """,
        {"before": before, "after": after, "limit": limit, "now": instants.to_text(now)},
    )
    entries = [Entry(**row) for row in rows]
    return entries[::-1] if upwards else entries


def newest_position(reader: Reader, *, now: datetime) -> int:
    """Return the position of the newest entry, 0 if Home is empty."""
    newest = home_page(reader, limit=1, now=now)
    return newest[0].position if newest else 0


def count_after(reader: Reader, position: int, *, now: datetime) -> int:
    """Return how many entries are newer than `position`."""
    count: int = reader.value(
        f"SELECT count(*) {_HEARD} AND home.position > :position",
        {"position": position, "now": instants.to_text(now)},
    )
    return count


def remove_of(tx: Transaction, actor_id: int) -> int:
    """Take somebody's posts and boosts off Home (unfollowed, blocked); return how many there were.

    Their posts stay there where others boosted them.
    """
    return tx.run(
        """
        DELETE FROM home
         WHERE position IN (
                 SELECT home.position
                   FROM notes JOIN home ON home.note_id = notes.id
                  WHERE notes.actor_id = :actor_id
                    AND home.announce_id IS NULL
                  UNION ALL
                 SELECT home.position
                   FROM announces JOIN home ON home.announce_id = announces.id
                  WHERE announces.actor_id = :actor_id)
        """,
        {"actor_id": actor_id},
    )
