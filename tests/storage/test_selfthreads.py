"""Threads that somebody writes alone: which part of how many a post is."""

from microfedi.protocol.vocab import Visibility
from microfedi.storage import selfthreads
from microfedi.storage.database import Database, Transaction
from microfedi.storage.selfthreads import Part
from tests.storage.test_notes import CAROL, a_note, kept


async def test_the_parts_of_a_thread_are_numbered(db: Database) -> None:
    def change(tx: Transaction) -> dict[str, int]:
        made = {"1": kept(tx, a_note("1")).id}
        for number in range(2, 5):
            note = a_note(str(number), parent=str(number - 1), minute=number)
            made[str(number)] = kept(tx, note).id
        made["carols"] = kept(tx, a_note("carols", parent="2", minute=9), by=CAROL).id
        made["bob to carol"] = kept(tx, a_note("bc", parent="carols", minute=10)).id
        made["alone"] = kept(tx, a_note("alone", minute=11)).id
        return made

    made = await db.write(change)
    found = await db.read(lambda r: selfthreads.of_notes(r, made.values()))

    assert found == {made[str(number)]: Part(number, 4) for number in range(1, 5)}


async def test_closed_parts_are_not_counted_with_open_ones(db: Database) -> None:
    def change(tx: Transaction) -> list[int]:
        return [
            kept(tx, a_note("1")).id,
            kept(tx, a_note("2", parent="1", minute=1)).id,
            kept(tx, a_note("3", parent="2", minute=2), visibility=Visibility.FOLLOWERS).id,
        ]

    made = await db.write(change)
    found = await db.read(lambda r: selfthreads.of_notes(r, made))

    assert found == {made[0]: Part(1, 2), made[1]: Part(2, 2)}


async def test_a_thread_without_end_is_counted_to_a_hundred(db: Database) -> None:
    def change(tx: Transaction) -> list[int]:
        return [
            kept(tx, a_note(str(n), parent=str(n - 1) if n else None, minute=n)).id
            for n in range(150)
        ]

    made = await db.write(change)
    found = await db.read(lambda r: selfthreads.of_notes(r, made[:1]))

    assert found == {made[0]: Part(1, 101)}
