"""Row ids that sort by time, and within a millisecond by arrival."""

from datetime import datetime
from typing import Literal

from microfedi.protocol import ids
from microfedi.storage.database import Transaction

# Posts and boosts stand in one list on a profile: no two of them have the same id.
_SAID = """
    SELECT max(id)
      FROM (SELECT max(id) AS id FROM notes WHERE id BETWEEN :first AND :last
            UNION ALL
            SELECT max(id) FROM announces WHERE id BETWEEN :first AND :last)
"""
_LAST = {
    "notes": _SAID,
    "announces": _SAID,
    "home": "SELECT max(position) FROM home WHERE position BETWEEN :first AND :last",
    "messages": "SELECT max(id) FROM messages WHERE id BETWEEN :first AND :last",
}


def free(
    tx: Transaction, table: Literal["notes", "announces", "home", "messages"], instant: datetime
) -> int:
    """Return an id for a new row of `table` that sorts by `instant`, after those of the same time.

    Some servers write times in whole seconds: a thousand posts of one second meet here, and keep
    the order in which they came.
    """
    first = ids.row_id(instant)
    while True:
        last = first + ids.ROWS_PER_MS - 2
        newest: int | None = tx.value(_LAST[table], {"first": first, "last": last})
        if newest is None:
            return first
        if newest < last:
            return newest + 1
        first = last + 2  # a million in one millisecond: the next one has room
