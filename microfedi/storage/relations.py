"""Followers and followed as lists to look through: found by words, in an order, page by page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from microfedi.protocol import instants
from microfedi.storage import actors
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader

Whose = Literal["followers", "following"]
Order = Literal["newest", "oldest", "name"]

MAX_WORDS_CHARS = 100  # of what is looked for

# What comes after the last one of a page, in each order. Names are compared as SQLite can: without
# case for ASCII. The last one's name is looked up, so that no address has to carry it.
_ORDERS: Final[dict[Order, tuple[str, str]]] = {
    "newest": (
        "(created_at, actors.id) < (:at, :after)",
        "created_at DESC, actors.id DESC",
    ),
    "oldest": (
        "(created_at, actors.id) > (:at, :after)",
        "created_at, actors.id",
    ),
    "name": (
        "(lower(iif(name = '', username, name)), actors.id) > ("
        "SELECT lower(iif(name = '', username, name)), id FROM actors AS last WHERE id = :after)",
        "lower(iif(name = '', username, name)), actors.id",
    ),
}


@dataclass(frozen=True, slots=True)
class Related:
    """Somebody, and since when they follow, or are followed; or when it was asked."""

    actor: Actor
    since: datetime


def page(
    reader: Reader,
    whose: Whose,
    *,
    state: Literal["accepted", "requested"] = "accepted",
    words: str = "",
    order: Order = "newest",
    after: tuple[datetime, int] | None = None,
    limit: int,
) -> list[Related]:
    """Return those whose name or address says `words`; the next page is `after` the last one's
    instant and row id.
    """
    comes_after, ordered = _ORDERS[order]
    rows = reader.all(
        f"""
        SELECT actors.id, created_at
          FROM {whose}
          JOIN actors ON actors.id = {whose}.actor_id
         WHERE {whose}.state = :state
           AND (:words = ''
                OR instr(lower(name), :words)
                OR instr(lower(coalesce(handle, username || '@' || host)), :words))
           AND (:after IS NULL OR {comes_after})
         ORDER BY {ordered}
         LIMIT :limit
        """,  # noqa: S608
        {
            "state": state,
            "words": _folded(words),
            "after": None if after is None else after[1],
            "at": None if after is None else instants.to_text(after[0]),
            "limit": limit,
        },
    )
    found = actors.by_ids(reader, [row["id"] for row in rows])
    return [Related(found[row["id"]], instants.from_text(row["created_at"])) for row in rows]


def count(reader: Reader, whose: Whose, state: Literal["accepted", "requested"]) -> int:
    """Return how many there are in all."""
    counted: int = reader.value(
        f"SELECT count(*) FROM {whose} WHERE state = :state",  # noqa: S608
        {"state": state},
    )
    return counted


def _folded(words: str) -> str:
    """Return what is looked for as SQLite's lower() leaves it: only ASCII letters change."""
    plain = words.strip().removeprefix("@")[:MAX_WORDS_CHARS]
    return "".join(char.lower() if char.isascii() else char for char in plain)
