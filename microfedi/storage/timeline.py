"""Home: what stands on it, and its paging. A post stands once, and once more for each boost."""

from dataclasses import dataclass
from datetime import datetime

from microfedi.storage import rowids
from microfedi.storage.database import Reader, Transaction


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
    reader: Reader, *, before: int | None = None, after: int | None = None, limit: int
) -> list[Entry]:
    """Return entries, newest first: those just below `before`, those just above `after`.

    Without either the newest ones. Positions count as lines between entries: the one named is not
    among the result.
    """
    upwards = after is not None and before is None
    rows = reader.all(
        f"""
        SELECT home.position, home.note_id, home.announce_id, announces.actor_id AS announcer_id
          FROM home
          LEFT JOIN announces ON announces.id = home.announce_id
         WHERE home.position < coalesce(:before, 9223372036854775807)
           AND home.position > coalesce(:after, 0)
         ORDER BY home.position {"ASC" if upwards else "DESC"}
         LIMIT :limit
        """,  # noqa: S608
        {"before": before, "after": after, "limit": limit},
    )
    entries = [Entry(**row) for row in rows]
    return entries[::-1] if upwards else entries


def newest_position(reader: Reader) -> int:
    """Return the position of the newest entry, 0 if Home is empty."""
    position: int = reader.value("SELECT coalesce(max(position), 0) FROM home")
    return position


def count_after(reader: Reader, position: int) -> int:
    """Return how many entries are newer than `position`."""
    count: int = reader.value(
        "SELECT count(*) FROM home WHERE position > :position", {"position": position}
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
