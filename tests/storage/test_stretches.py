"""Stretches of Home: they join onto each other, and nobody's wishes make them slow."""

import contextlib
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from microfedi.storage import following, lists, schema, stretches, timeline
from microfedi.storage.database import Database, Transaction
from microfedi.storage.stretches import Stretch
from tests.factories import NOON
from tests.storage.test_notes import a_note, kept


def filled(tx: Transaction, count: int) -> tuple[list[int], int]:
    """Put posts of one person on Home, a minute apart; return them and the author."""
    made = [kept(tx, a_note(f"{number}")) for number in range(count)]
    for number, note in enumerate(made):
        timeline.add(tx, note_id=note.id, at=NOON + timedelta(minutes=number))
    return [note.id for note in made], made[0].actor_id


def shown(stretch: Stretch) -> list[int]:
    return [entry.note_id for entry in stretch.entries]


async def test_stretches_join_in_both_directions(db: Database) -> None:
    def story(tx: Transaction) -> None:
        made, _ = filled(tx, 23)
        down = [stretches.below(tx, limit=5, now=NOON)]
        while down[-1].has_older:
            down.append(stretches.below(tx, down[-1].low, limit=5, now=NOON))
        assert [one for part in down for one in shown(part)] == made[::-1]
        assert (down[0].has_newer, down[-1].low) == (False, 0)
        up = [stretches.above(tx, 1, limit=5, now=NOON)]
        while up[-1].has_newer:
            up.append(stretches.above(tx, up[-1].high, limit=5, now=NOON))
        assert [one for part in up for one in reversed(shown(part))] == made
        assert up[-1].high == down[0].high

    await db.write(story)


async def test_around_the_mark_stands_what_is_new_and_some_of_what_is_not(db: Database) -> None:
    def story(tx: Transaction) -> None:
        made, _ = filled(tx, 23)
        whole = stretches.below(tx, limit=40, now=NOON)
        mark = next(one.position for one in whole.entries if one.note_id == made[9])
        far = stretches.around(tx, mark, limit=8, least_below=3, now=NOON)
        assert shown(far) == made[14:6:-1]
        assert (far.has_newer, far.has_older) == (True, True)
        top = next(one.position for one in whole.entries if one.note_id == made[20])
        near = stretches.around(tx, top, limit=8, least_below=3, now=NOON)
        assert shown(near) == made[22:14:-1]
        assert (near.has_newer, near.high) == (False, whole.high)
        gone = stretches.around(tx, mark + 1, limit=8, least_below=3, now=NOON)
        assert shown(gone) == shown(far)

    await db.write(story)


async def test_who_hides_nearly_everything_gets_short_pages(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretches, "MAX_LOOKED_AT", 10)

    def story(tx: Transaction) -> None:
        made, author = filled(tx, 35)
        following.put(tx, author, "https://us.example/f", "accepted", NOON)
        list_id = lists.create(tx, "public", "Loud", is_exclusive=True, now=NOON)
        lists.add(tx, list_id, [author])
        down = [stretches.below(tx, limit=5, now=NOON)]
        while down[-1].has_older:
            down.append(stretches.below(tx, down[-1].low, limit=5, now=NOON))
        assert [shown(part) for part in down] == [[]] * len(down)
        assert 3 <= len(down) <= 5
        inside = stretches.below(tx, limit=40, now=NOON, list_id=list_id)
        assert shown(inside) == made[:24:-1]
        rest = stretches.below(tx, inside.low, limit=40, now=NOON, list_id=list_id)
        assert shown(rest)[0] == made[24]
        up = stretches.above(tx, 1, limit=40, now=NOON, list_id=list_id)
        assert (shown(up)[-1], up.has_newer) == (made[0], True)

    await db.write(story)


def test_what_was_on_home_before_knows_who_brought_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.db"
    steps = schema.steps()
    monkeypatch.setattr(schema, "steps", lambda: steps[:2])
    schema.migrate(path)
    with contextlib.closing(sqlite3.connect(path)) as conn:
        people = [(7, "Person"), (8, "Group")]
        conn.executemany(
            """
            INSERT INTO actors (id, uri, host, username, type, name, summary, inbox, fetched_at)
            VALUES (?1, 'https://b.example/' || ?1, 'b.example', 'u', ?2, 'U', '', 'x', 'now')
            """,
            people,
        )
        for number in range(4):
            conn.execute(
                """
                INSERT INTO notes (id, uri, actor_id, visibility, thread_id, published_at,
                                   received_at, body)
                VALUES (?1, 'https://b.example/n/' || ?1, 7, 'public', ?1, 't', 't', x'7b7d')
                """,
                (number + 1,),
            )
        for number, (actor_id, day) in enumerate(((7, "03"), (7, "03"), (8, "03"), (7, "04"))):
            conn.execute(
                """
                INSERT INTO announces (id, uri, note_id, actor_id, visibility, published_at)
                VALUES (?1, 'https://b.example/a/' || ?1, ?1, ?2, 'public', '2026-05-' || ?3)
                """,
                (number + 1, actor_id, day),
            )
            conn.execute("INSERT INTO home VALUES (?1, ?1, ?1)", (number + 1,))
        conn.execute("INSERT INTO home VALUES (9, 1, NULL)")
        conn.commit()
    monkeypatch.setattr(schema, "steps", lambda: steps)

    schema.migrate(path)

    with contextlib.closing(sqlite3.connect(path)) as conn:
        rows = conn.execute("SELECT position, actor_id, nth, tag FROM home ORDER BY position")
        assert rows.fetchall() == [
            (1, 7, 1, None),
            (2, 7, 2, None),
            (3, 8, 0, None),
            (4, 7, 1, None),
            (9, 7, 0, None),
        ]
