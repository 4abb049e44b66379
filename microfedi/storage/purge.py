"""Everything that is here of a server: counted before the owner blocks it, removed afterwards.

What hangs on something of the owner's stays: posts that they favourited, boosted or bookmarked,
and threads in which they wrote. Messages stay too.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from microfedi.storage import actors, deliveries, notes
from microfedi.storage.database import Reader, Transaction

BATCH = 200  # posts in one transaction: others want to write too

# Who lives on :host or on one below its name, whatever the port.
_THERE = "instr('.' || actors.host || ':', '.' || :host || ':')"
_GOING = f"""
          FROM notes
          JOIN actors ON actors.id = notes.actor_id
         WHERE {_THERE}
           AND notes.public_id IS NULL
           AND NOT EXISTS (SELECT 1 FROM bookmarks WHERE note_id = notes.id)
           AND NOT EXISTS (SELECT 1 FROM likes JOIN owner USING (actor_id)
                            WHERE note_id = notes.id)
           AND NOT EXISTS (SELECT 1 FROM announces JOIN owner USING (actor_id)
                            WHERE note_id = notes.id)
           AND NOT EXISTS (SELECT 1 FROM notes AS ours JOIN owner USING (actor_id)
                            WHERE ours.thread_id = notes.thread_id)
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Counts:
    """What would go: people known there, who of them follows and is followed, and posts."""

    people: int
    followers: int
    following: int
    posts: int


def counts(reader: Reader, host: str) -> Counts:
    """Return how much of a server and those below it is here."""
    row = reader.one(
        f"""
        SELECT (SELECT count(*) FROM actors WHERE {_THERE}) AS people,
               (SELECT count(*) FROM followers JOIN actors ON actors.id = followers.actor_id
                 WHERE {_THERE}) AS followers,
               (SELECT count(*) FROM following JOIN actors ON actors.id = following.actor_id
                 WHERE {_THERE}) AS following,
               (SELECT count(*) {_GOING}) AS posts
        """,  # noqa: S608
        {"host": host},
    )
    return Counts(0, 0, 0, 0) if row is None else Counts(**row)


def cut_ties(tx: Transaction, host: str, now: datetime) -> None:
    """End follows both ways, clear Home and notifications of them, and send nothing more there."""
    there = {"host": host}
    people = f"(SELECT id FROM actors WHERE {_THERE})"  # noqa: S608
    tx.run(f"DELETE FROM followers WHERE actor_id IN {people}", there)  # noqa: S608
    tx.run(f"DELETE FROM following WHERE actor_id IN {people}", there)  # noqa: S608
    tx.run(f"DELETE FROM notifications WHERE actor_id IN {people}", there)  # noqa: S608
    tx.run(f"DELETE FROM circle_people WHERE actor_id IN {people}", there)  # noqa: S608
    tx.run(
        f"""
        DELETE FROM home
         WHERE note_id IN (SELECT id FROM notes WHERE actor_id IN {people})
            OR announce_id IN (SELECT id FROM announces WHERE actor_id IN {people})
        """,  # noqa: S608
        there,
    )
    rows = tx.all(
        "SELECT id FROM hosts WHERE instr('.' || name || ':', '.' || :host || ':')", there
    )
    for row in rows:
        deliveries.drop_host(tx, row["id"], problem="blocked", now=now)


def drop_posts(tx: Transaction, host: str) -> tuple[int, set[str]]:
    """Delete a batch of posts; return how many, and where the pictures in them came from."""
    rows = tx.all(
        f"SELECT notes.id {_GOING} LIMIT :limit",
        {"host": host, "limit": BATCH},
    )
    going = [row["id"] for row in rows]
    urls: set[str] = set()
    for note in notes.by_ids(tx, going).values():
        urls.update(note.emojis.values())
        for one in note.attachments:
            urls.update(one.urls)
    tx.run(
        "DELETE FROM notes WHERE id IN (SELECT value FROM json_each(:ids))",
        {"ids": json.dumps(going)},
    )
    return len(going), urls


def portraits(reader: Reader, host: str) -> set[str]:
    """Return where the pictures on the profiles of a server's people came from."""
    rows = reader.all(f"SELECT id FROM actors WHERE {_THERE}", {"host": host})  # noqa: S608
    found = actors.by_ids(reader, [row["id"] for row in rows]).values()
    return {url for one in found for url in _urls(one) if url}


def _urls(actor: actors.Actor) -> Iterable[str | None]:
    return actor.icon_url, actor.image_url, *actor.emojis.values()
