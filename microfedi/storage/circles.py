"""Circles: named audiences smaller than all followers. Their names are sealed.

Whoever no longer follows is in no circle any more. A post for a circle remembers who got it, and
edits, deletion and fetching are for exactly those, whoever is in the circle by then.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row

from microfedi.errors import InvalidInput
from microfedi.protocol import instants
from microfedi.storage import actors
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.sealed import Sealer

MAX_CIRCLES = 50  # more do not fit into a menu
MAX_NAME_CHARS = 60
MAX_PEOPLE = 500  # of one circle: each gets every post in their own inbox

_INSIDE = """
    FROM circle_people
    JOIN followers ON followers.actor_id = circle_people.actor_id
   WHERE followers.state = 'accepted'
     AND circle_people.actor_id NOT IN (SELECT actor_id FROM blocked_actors)
"""


@dataclass(frozen=True, slots=True)
class Circle:
    """A named audience. `public_id` stands in its address, which tells nobody who is in it."""

    id: int
    public_id: str
    name: str
    people: int
    created_at: datetime


def create(tx: Transaction, public_id: str, name: str, now: datetime) -> int:
    """Make an empty circle; return its row id.

    Raises: InvalidInput("name") if it has none, or there are too many.
    """
    sealed = _sealed(tx.sealer, public_id, name)
    if tx.value("SELECT count(*) FROM circles") >= MAX_CIRCLES:
        raise InvalidInput("name", "At most %(limit)s circles, please.", limit=MAX_CIRCLES)
    circle_id: int = tx.value(
        """
        INSERT INTO circles (public_id, name_sealed, created_at)
        VALUES (:public_id, :name, :now)
        RETURNING id
        """,
        {"public_id": public_id, "name": sealed, "now": instants.to_text(now)},
    )
    return circle_id


def rename(tx: Transaction, circle: Circle, name: str) -> None:
    """Call a circle something else. Raises: InvalidInput("name")."""
    tx.run(
        "UPDATE circles SET name_sealed = :name WHERE id = :id",
        {"id": circle.id, "name": _sealed(tx.sealer, circle.public_id, name)},
    )


def delete(tx: Transaction, circle_id: int) -> None:
    """Dissolve a circle. Who got its posts keeps them."""
    tx.run("DELETE FROM circles WHERE id = :id", {"id": circle_id})


def everyone(reader: Reader) -> list[Circle]:
    """Return all circles, by name."""
    return sorted(_found(reader, None), key=lambda one: one.name.casefold())


def by_id(reader: Reader, circle_id: int) -> Circle | None:
    """Return the circle of a row."""
    return next(iter(_found(reader, circle_id)), None)


def add(tx: Transaction, circle_id: int, actor_ids: Iterable[int]) -> None:
    """Take people in who follow; others are left out.

    Raises: InvalidInput("people") if there would be too many.
    """
    tx.run(
        """
        INSERT INTO circle_people (circle_id, actor_id)
        SELECT :circle_id, actor_id
          FROM followers
         WHERE state = 'accepted'
           AND actor_id IN (SELECT value FROM json_each(:ids))
        ON CONFLICT (circle_id, actor_id) DO NOTHING
        """,
        {"circle_id": circle_id, "ids": json.dumps(list(actor_ids))},
    )
    if len(_people_ids(tx, circle_id)) > MAX_PEOPLE:
        raise InvalidInput(
            "people", "At most %(limit)s people in a circle, please.", limit=MAX_PEOPLE
        )


def remove(tx: Transaction, circle_id: int, actor_id: int) -> None:
    """Take somebody out; what they have got they keep."""
    tx.run(
        "DELETE FROM circle_people WHERE circle_id = :circle_id AND actor_id = :actor_id",
        {"circle_id": circle_id, "actor_id": actor_id},
    )


def people(reader: Reader, circle_id: int) -> list[Actor]:
    """Return who is in a circle, in the order of their names."""
    found = actors.by_ids(reader, _people_ids(reader, circle_id)).values()
    return sorted(found, key=lambda one: (one.name or one.username).casefold())


def remember(tx: Transaction, note_id: int, actor_ids: Iterable[int]) -> None:
    """Note who gets a post."""
    rows = [{"note_id": note_id, "actor_id": one} for one in actor_ids]
    if rows:
        tx.run_many(
            "INSERT INTO circle_notes (note_id, actor_id) VALUES (:note_id, :actor_id)", rows
        )


def readers(reader: Reader, note_id: int) -> list[Actor]:
    """Return who got a post for a circle; nobody if it was for none."""
    rows = reader.all(
        "SELECT actor_id FROM circle_notes WHERE note_id = :id ORDER BY actor_id", {"id": note_id}
    )
    return list(actors.by_ids(reader, [row["actor_id"] for row in rows]).values())


def has_got(reader: Reader, note_id: int, actor_uri: str) -> bool:
    """True if a post was for a circle and this actor got it."""
    found = reader.value(
        """
        SELECT 1
          FROM circle_notes
          JOIN actors ON actors.id = circle_notes.actor_id
         WHERE circle_notes.note_id = :note_id
           AND actors.uri = :uri
        """,
        {"note_id": note_id, "uri": actor_uri},
    )
    return found is not None


def _people_ids(reader: Reader, circle_id: int) -> list[int]:
    rows = reader.all(
        f"SELECT circle_people.actor_id {_INSIDE} AND circle_people.circle_id = :id",
        {"id": circle_id},
    )
    return [row["actor_id"] for row in rows]


def _found(reader: Reader, circle_id: int | None) -> list[Circle]:
    rows = reader.all(
        f"""
        SELECT id, public_id, name_sealed, created_at,
               (SELECT count(*) {_INSIDE} AND circle_people.circle_id = circles.id) AS people
          FROM circles
         WHERE id = coalesce(:id, id)
        """,  # noqa: S608
        {"id": circle_id},
    )
    return [_from_row(reader.sealer, row) for row in rows]


def _from_row(sealer: Sealer, row: Row) -> Circle:
    public_id = row["public_id"]
    name = sealer.open("owner", row["name_sealed"], bound_to=f"circle {public_id}").decode()
    created_at = instants.from_text(row["created_at"])
    return Circle(row["id"], public_id, name, row["people"], created_at)


def _sealed(sealer: Sealer, public_id: str, name: str) -> bytes:
    if not name or len(name) > MAX_NAME_CHARS:
        raise InvalidInput(
            "name", "A name of at most %(limit)s characters, please.", limit=MAX_NAME_CHARS
        )
    return sealer.seal("owner", name.encode(), bound_to=f"circle {public_id}")
