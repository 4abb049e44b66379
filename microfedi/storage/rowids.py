"""Row ids that sort by time and are free."""

from datetime import datetime
from typing import Literal

from microfedi.protocol import ids
from microfedi.storage.database import Transaction

_TAKEN = {
    "notes": "SELECT 1 FROM notes WHERE id = :id",
    "announces": "SELECT 1 FROM announces WHERE id = :id",
    "home": "SELECT 1 FROM home WHERE position = :id",
    "messages": "SELECT 1 FROM messages WHERE id = :id",
}


def free(
    tx: Transaction, table: Literal["notes", "announces", "home", "messages"], instant: datetime
) -> int:
    """Return an id for a new row of `table` that sorts by `instant`.

    Some servers write times in whole seconds: a thousand posts of one second would meet.
    """
    while True:
        candidate = ids.row_id(instant)
        if tx.value(_TAKEN[table], {"id": candidate}) is None:
            return candidate
