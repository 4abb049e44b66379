"""Lists: some of the people followed, under a name, read by themselves. Their names are sealed.

Whoever is not followed any more is in no list. What the people in a list brought to Home is noted
where it comes in (`timeline.add`) and when somebody is added, so that reading a list costs no more
than reading Home, however many are in it.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row
from typing import Literal

from microfedi.errors import InvalidInput
from microfedi.protocol import instants
from microfedi.storage import actors
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.sealed import Sealer

Replies = Literal["followed", "list", "none"]

MAX_LISTS = 50  # more do not fit into a menu
MAX_NAME_CHARS = 60
MAX_PEOPLE = 1000  # of one list

_COLUMNS = """
    lists.id, lists.public_id, lists.name_sealed, lists.replies, lists.is_exclusive,
    lists.read_position, lists.created_at,
    (SELECT count(*) FROM list_people WHERE list_people.list_id = lists.id) AS people
"""


@dataclass(frozen=True, slots=True)
class List:
    """Some of the people followed. `replies`: those to whom are shown, beside the owner.

    `is_exclusive`: what its people bring does not stand on Home.
    """

    id: int
    public_id: str
    name: str
    replies: Replies
    is_exclusive: bool
    read_position: int
    people: int
    created_at: datetime


def create(
    tx: Transaction,
    public_id: str,
    name: str,
    *,
    replies: Replies = "list",
    is_exclusive: bool = False,
    now: datetime,
) -> int:
    """Make an empty list; return its row id.

    Raises: InvalidInput("name") if it has none, or there are too many.
    """
    sealed = _sealed(tx.sealer, public_id, name)
    if tx.value("SELECT count(*) FROM lists") >= MAX_LISTS:
        raise InvalidInput("name", "At most %(count)s lists, please.", count=MAX_LISTS)
    list_id: int = tx.value(
        """
        INSERT INTO lists (public_id, name_sealed, replies, is_exclusive, created_at)
        VALUES (:public_id, :name, :replies, :is_exclusive, :now)
        RETURNING id
        """,
        {
            "public_id": public_id,
            "name": sealed,
            "replies": replies,
            "is_exclusive": is_exclusive,
            "now": instants.to_text(now),
        },
    )
    return list_id


def change(tx: Transaction, one: List, *, name: str, replies: Replies, is_exclusive: bool) -> None:
    """Call a list something else, or show other things in it. Raises: InvalidInput("name")."""
    tx.run(
        """
        UPDATE lists
           SET name_sealed = :name, replies = :replies, is_exclusive = :is_exclusive
         WHERE id = :id
        """,
        {
            "id": one.id,
            "name": _sealed(tx.sealer, one.public_id, name),
            "replies": replies,
            "is_exclusive": is_exclusive,
        },
    )


def delete(tx: Transaction, list_id: int) -> None:
    """Dissolve a list; its people are followed as before."""
    tx.run("DELETE FROM lists WHERE id = :id", {"id": list_id})


def everyone(reader: Reader) -> list[List]:
    """Return all lists, by name."""
    rows = reader.all(f"SELECT {_COLUMNS} FROM lists")  # noqa: S608
    found = [_from_row(reader.sealer, row) for row in rows]
    return sorted(found, key=lambda one: (one.name.casefold(), one.id))


def by_id(reader: Reader, list_id: int) -> List | None:
    """Return the list of a row."""
    row = reader.one(
        f"SELECT {_COLUMNS} FROM lists WHERE id = :id",  # noqa: S608
        {"id": list_id},
    )
    return None if row is None else _from_row(reader.sealer, row)


def add(tx: Transaction, list_id: int, actor_ids: Iterable[int]) -> None:
    """Take people in who are followed, or asked; others are left out.

    Raises: InvalidInput("people") if there would be too many.
    """
    values = {"list_id": list_id, "ids": json.dumps(list(actor_ids))}
    tx.run(
        """
        INSERT INTO list_people (list_id, actor_id)
        SELECT :list_id, actor_id
          FROM following
         WHERE actor_id IN (SELECT value FROM json_each(:ids))
        ON CONFLICT (list_id, actor_id) DO NOTHING
        """,
        values,
    )
    tx.run(
        """
        INSERT INTO list_home (list_id, position)
        SELECT :list_id, home.position
          FROM list_people
          JOIN home ON home.actor_id = list_people.actor_id
         WHERE list_people.list_id = :list_id
           AND list_people.actor_id IN (SELECT value FROM json_each(:ids))
        ON CONFLICT (list_id, position) DO NOTHING
        """,
        values,
    )
    count = tx.value("SELECT count(*) FROM list_people WHERE list_id = :id", {"id": list_id})
    if count > MAX_PEOPLE:
        raise InvalidInput(
            "people", "At most %(count)s people in a list, please.", count=MAX_PEOPLE
        )


def remove(tx: Transaction, list_id: int, actor_id: int) -> None:
    """Take somebody out, with what they brought."""
    values = {"list_id": list_id, "actor_id": actor_id}
    tx.run(
        "DELETE FROM list_people WHERE list_id = :list_id AND actor_id = :actor_id",
        values,
    )
    tx.run(
        """
        DELETE FROM list_home
         WHERE list_id = :list_id
           AND position IN (SELECT position FROM home WHERE actor_id = :actor_id)
        """,
        values,
    )


def people(reader: Reader, list_id: int) -> list[Actor]:
    """Return who is in a list, in the order of their names."""
    rows = reader.all("SELECT actor_id FROM list_people WHERE list_id = :id", {"id": list_id})
    found = actors.by_ids(reader, [row["actor_id"] for row in rows]).values()
    return sorted(found, key=lambda one: (one.name or one.username).casefold())


def of_actor(reader: Reader, actor_id: int) -> set[int]:
    """Return the ids of the lists that somebody is in."""
    rows = reader.all(
        "SELECT list_id FROM list_people WHERE actor_id = :actor_id", {"actor_id": actor_id}
    )
    return {row["list_id"] for row in rows}


def set_of_actor(tx: Transaction, actor_id: int, list_ids: Iterable[int]) -> None:
    """Make these the lists that somebody is in, and no others. Raises: InvalidInput("people")."""
    wanted, now = set(list_ids), of_actor(tx, actor_id)
    for list_id in now - wanted:
        remove(tx, list_id, actor_id)
    known = {row["id"] for row in tx.all("SELECT id FROM lists")}
    for list_id in (wanted - now) & known:
        add(tx, list_id, [actor_id])


def set_read_position(tx: Transaction, list_id: int, position: int) -> None:
    """Move a list's mark forward to `position`; it never goes back."""
    tx.run(
        "UPDATE lists SET read_position = max(read_position, :position) WHERE id = :id",
        {"position": position, "id": list_id},
    )


def _from_row(sealer: Sealer, row: Row) -> List:
    public_id = row["public_id"]
    name = sealer.open("owner", row["name_sealed"], bound_to=f"list {public_id}").decode()
    return List(
        id=row["id"],
        public_id=public_id,
        name=name,
        replies=row["replies"],
        is_exclusive=bool(row["is_exclusive"]),
        read_position=row["read_position"],
        people=row["people"],
        created_at=instants.from_text(row["created_at"]),
    )


def _sealed(sealer: Sealer, public_id: str, name: str) -> bytes:
    if not name or len(name) > MAX_NAME_CHARS:
        raise InvalidInput(
            "name", "A name of at most %(count)s characters, please.", count=MAX_NAME_CHARS
        )
    return sealer.seal("owner", name.encode(), bound_to=f"list {public_id}")
