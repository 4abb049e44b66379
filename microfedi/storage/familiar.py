"""Whom the owner follows or asked, as they are called and look, and when that last changed."""

import json
from dataclasses import dataclass

from microfedi.storage.database import Reader

MAX_PEOPLE = 5_000  # of more the ones followed first: those are known the longest


@dataclass(frozen=True, slots=True)
class Known:
    """The owner, or somebody followed. `address` is user@host."""

    id: int
    uri: str
    address: str
    name: str
    icon_url: str | None
    also_known_as: frozenset[str]


def version(reader: Reader) -> int:
    """Return a number that changes whenever `people` would say something else."""
    found: int = reader.value("SELECT version FROM familiar")
    return found


def people(reader: Reader) -> list[Known]:
    """Return the owner and whom they follow or asked, MAX_PEOPLE at most."""
    rows = reader.all(
        """
        SELECT id, uri, coalesce(handle, username || '@' || host) AS address, name, icon_url,
               also_known_as
          FROM actors
         WHERE id IN (SELECT actor_id FROM owner)
            OR id IN (SELECT actor_id
                        FROM following
                       WHERE state IN ('accepted', 'requested')
                       ORDER BY created_at
                       LIMIT :most)
        """,
        {"most": MAX_PEOPLE},
    )
    return [
        Known(
            row["id"],
            row["uri"],
            row["address"],
            row["name"],
            row["icon_url"],
            frozenset(json.loads(row["also_known_as"])),
        )
        for row in rows
    ]
