"""Likes, boosts, bookmarks, notifications and Home: once each, counted right, paged."""

from datetime import timedelta

from microfedi.protocol.vocab import Visibility
from microfedi.storage import (
    announces,
    bookmarks,
    likes,
    marks,
    notes,
    notifications,
    stretches,
    timeline,
)
from microfedi.storage.database import Database, Transaction
from tests.factories import NOON
from tests.storage.test_notes import CAROL, a_note, kept, met


def counts(tx: Transaction, note_id: int) -> tuple[int, int]:
    note = notes.by_id(tx, note_id)
    assert note is not None
    return note.likes, note.announces


async def test_a_like_counts_once(db: Database) -> None:
    def story(tx: Transaction) -> None:
        note, other = kept(tx, a_note("1")), kept(tx, a_note("2"))
        carol = met(tx, CAROL)
        uri = "https://c.example/likes/1"
        assert likes.add(tx, note.id, carol, uri, NOON)
        assert not likes.add(tx, note.id, carol, "https://c.example/likes/2", NOON)
        assert not likes.add(tx, other.id, carol, uri, NOON)
        assert counts(tx, note.id) == (1, 0)
        assert counts(tx, other.id) == (0, 0)
        assert likes.by_uri(tx, uri) == likes.Like(note.id, carol, uri)
        assert marks.of_notes(tx, carol, [note.id, other.id]).favourites == {note.id}
        assert likes.likers(tx, note.id, limit=5) == [carol]
        assert likes.liked_page(tx, carol, limit=5) == [note.id]
        assert likes.liked_page(tx, carol, before_id=note.id, limit=5) == []
        assert likes.remove(tx, note.id, carol)
        assert not likes.remove(tx, note.id, carol)
        assert counts(tx, note.id) == (0, 0)

    await db.write(story)


def boost(tx: Transaction, note_id: int, uri: str) -> announces.Announce | None:
    return announces.add(
        tx,
        uri=uri,
        note_id=note_id,
        actor_id=met(tx, CAROL),
        visibility=Visibility.PUBLIC,
        published_at=NOON - timedelta(minutes=1),
        now=NOON,
    )


async def test_a_boost_counts_once_and_leaves_home_when_taken_back(db: Database) -> None:
    def story(tx: Transaction) -> None:
        note = kept(tx, a_note("1"))
        made = boost(tx, note.id, "https://c.example/boosts/1")
        assert made is not None
        assert boost(tx, note.id, "https://c.example/boosts/2") is None
        assert counts(tx, note.id) == (0, 1)
        assert announces.by_uri(tx, made.uri) == made
        assert marks.of_notes(tx, made.actor_id, [note.id]).boosts == {note.id}
        assert timeline.add(tx, note_id=note.id, announce_id=made.id, at=NOON)
        assert announces.remove(tx, made.id)
        assert not announces.remove(tx, made.id)
        assert counts(tx, note.id) == (0, 0)
        assert stretches.below(tx, limit=5, now=NOON).entries == []

    await db.write(story)


async def test_home_pages_go_both_ways(db: Database) -> None:
    def story(tx: Transaction) -> None:
        written = [kept(tx, a_note(str(n), minute=n)) for n in range(5)]
        for n, note in enumerate(written):
            assert timeline.add(tx, note_id=note.id, at=NOON + timedelta(minutes=n))
            assert not timeline.add(tx, note_id=note.id, at=NOON + timedelta(minutes=n))
        boosted = boost(tx, written[0].id, "https://c.example/boosts/1")
        assert boosted is not None
        timeline.add(
            tx, note_id=written[0].id, announce_id=boosted.id, at=NOON + timedelta(hours=1)
        )
        order = [0, 4, 3, 2, 1, 0]

        def names(entries: list[timeline.Entry]) -> list[int]:
            known = [note.id for note in written]
            return [known.index(entry.note_id) for entry in entries]

        whole = stretches.below(tx, limit=40, now=NOON).entries
        assert names(whole) == order
        assert whole[0].announcer_id == met(tx, CAROL)
        assert names(stretches.below(tx, whole[1].position, limit=2, now=NOON).entries) == [3, 2]
        assert names(stretches.above(tx, whole[4].position, limit=2, now=NOON).entries) == [3, 2]
        assert stretches.below(tx, limit=1, now=NOON).high == whole[0].position
        assert len(stretches.new_after(tx, whole[2].position, now=NOON)) == 2
        assert timeline.remove_of(tx, written[0].actor_id) == 5
        assert names(stretches.below(tx, limit=40, now=NOON).entries) == [0]
        assert timeline.remove_of(tx, boosted.actor_id) == 1

    await db.write(story)


async def test_bookmarks(db: Database) -> None:
    def story(tx: Transaction) -> None:
        one, two = kept(tx, a_note("1", minute=1)), kept(tx, a_note("2", minute=2))
        assert bookmarks.add(tx, one.id, NOON)
        assert not bookmarks.add(tx, one.id, NOON)
        bookmarks.add(tx, two.id, NOON)
        assert bookmarks.page(tx, limit=5) == [two.id, one.id]
        assert bookmarks.page(tx, before_id=two.id, limit=5) == [one.id]
        assert marks.of_notes(tx, 7, [one.id, 5]).bookmarks == {one.id}
        assert not marks.of_notes(tx, 0, [one.id, 5]).bookmarks  # a stranger looks
        assert bookmarks.remove(tx, one.id)
        assert not bookmarks.remove(tx, one.id)

    await db.write(story)


async def test_the_owner_is_told_once(db: Database) -> None:
    def story(tx: Transaction) -> None:
        note = kept(tx, a_note("1"))
        carol = met(tx, CAROL)
        assert notifications.add(tx, "like", actor_id=carol, note_id=note.id, now=NOON)
        assert not notifications.add(tx, "like", actor_id=carol, note_id=note.id, now=NOON)
        assert notifications.add(tx, "follow", actor_id=carol, now=NOON)
        assert not notifications.add(tx, "follow", actor_id=carol, now=NOON)
        found = notifications.page(tx, limit=5, now=NOON)
        assert [(one.kind, one.note_id) for one in found] == [("follow", None), ("like", note.id)]
        assert notifications.count_after(tx, found[1].id, now=NOON) == 1
        assert notifications.newest_id(tx) == found[0].id
        assert [one.kind for one in notifications.page(tx, limit=5, kinds=["like"], now=NOON)] == [
            "like"
        ]
        assert notifications.page(tx, before_id=found[1].id, limit=5, now=NOON) == []
        assert notifications.remove(tx, "follow", carol)
        assert not notifications.remove(tx, "follow", carol)

    await db.write(story)
