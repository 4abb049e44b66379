"""What somebody said: posts and boosts in one order, in pages that miss nothing."""

from datetime import timedelta

from microfedi.protocol.vocab import Visibility
from microfedi.storage import announces, published
from microfedi.storage.database import Database, Transaction
from tests.factories import NOON
from tests.storage.test_notes import CAROL, a_note, kept, met

OPEN = (Visibility.PUBLIC, Visibility.UNLISTED)


def boost(tx: Transaction, note_id: int, number: int, visibility: Visibility) -> int:
    made = announces.add(
        tx,
        uri=f"https://c.example/boosts/{number}",
        note_id=note_id,
        actor_id=met(tx, CAROL),
        visibility=visibility,
        published_at=NOON - timedelta(hours=1),  # as all that `a_note` makes
        now=NOON,
    )
    assert made is not None
    return made.id


async def test_posts_and_boosts_of_one_second_are_paged_without_a_gap(db: Database) -> None:
    def story(tx: Transaction) -> None:
        expected: list[tuple[int, int | None]] = []
        for number in range(6):
            expected.append((kept(tx, a_note(f"own{number}"), by=CAROL).id, None))
            theirs = kept(tx, a_note(f"theirs{number}"))
            expected.append((theirs.id, boost(tx, theirs.id, number, Visibility.PUBLIC)))
        carol = met(tx, CAROL)
        found, before = [], None
        while page := published.page(tx, carol, visibilities=OPEN, before=before, limit=5):
            found += page
            before = page[-1].position
        assert [(one.note_id, one.announce_id) for one in found] == expected[::-1]
        assert {one.announcer_id for one in found if one.announce_id} == {carol}
        assert published.count(tx, carol, OPEN) == 12

    await db.write(story)


async def test_what_is_closed_is_neither_shown_nor_counted(db: Database) -> None:
    def story(tx: Transaction) -> None:
        carol = met(tx, CAROL)
        closed = kept(tx, a_note("closed"), by=CAROL, visibility=Visibility.FOLLOWERS)
        boost(tx, closed.id, 1, Visibility.PUBLIC)
        theirs = kept(tx, a_note("theirs"))
        quietly = boost(tx, theirs.id, 2, Visibility.FOLLOWERS)
        assert published.page(tx, carol, visibilities=OPEN, limit=9) == []
        assert published.count(tx, carol, OPEN) == 0
        everything = (*OPEN, Visibility.FOLLOWERS)
        found = published.page(tx, carol, visibilities=everything, limit=9)
        assert quietly in [one.announce_id for one in found]
        assert published.count(tx, carol, everything) == len(found) == 3

    await db.write(story)


async def test_replies_may_be_left_out(db: Database) -> None:
    def story(tx: Transaction) -> None:
        top = kept(tx, a_note("top"), by=CAROL)
        own = kept(tx, a_note("own", parent="top"), by=CAROL)
        kept(tx, a_note("other", parent="elsewhere"), by=CAROL)
        found = published.page(tx, met(tx, CAROL), visibilities=OPEN, limit=9, with_replies=False)
        assert [one.note_id for one in found] == [own.id, top.id]

    await db.write(story)
