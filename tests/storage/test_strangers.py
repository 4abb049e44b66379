"""Rules for strangers: what is told, what waits, what is dropped, and whom the owner lets in."""

from datetime import timedelta

import pytest

from microfedi.protocol import instants
from microfedi.protocol.vocab import Visibility
from microfedi.storage import blocks, followers, following, mutes, notifications, strangers
from microfedi.storage.database import Database, Transaction
from tests.factories import NOON
from tests.storage.test_followers import met
from tests.storage.test_notes import a_note, kept
from tests.storage.test_owner import make_owner


def born(tx: Transaction, actor_id: int, **ago: float) -> None:
    tx.run(
        "UPDATE actors SET published_at = :at WHERE id = :id",
        {"at": instants.to_text(NOON - timedelta(**ago)), "id": actor_id},
    )


def follows(tx: Transaction, actor_id: int, **ago: float) -> None:
    at = NOON - timedelta(**ago)
    followers.put(tx, actor_id, f"https://b.example/f/{actor_id}", "accepted", at)


def followed(tx: Transaction, actor_id: int, state: following.State = "accepted") -> None:
    following.put(tx, actor_id, f"https://us.example/f/{actor_id}", state, NOON)


def told(tx: Transaction) -> list[int]:
    return [one.actor_id for one in notifications.page(tx, limit=50, now=NOON)]


def verdict(tx: Transaction, actor_id: int, kind: str = "like") -> strangers.Verdict:
    return strangers.verdict(tx, kind, actor_id, None, NOON)


async def test_everybody_is_told_of_until_the_owner_says_otherwise(db: Database) -> None:
    await make_owner(db)

    def story(tx: Transaction) -> None:
        assert set(strangers.rules(tx).values()) == {"accept"}
        assert verdict(tx, met(tx, "bob")) == "tell"

    await db.write(story)


async def test_whom_the_owner_follows_always_comes_through(db: Database) -> None:
    await make_owner(db)

    def story(tx: Transaction) -> None:
        ann, bob, eve = met(tx, "ann"), met(tx, "bob"), met(tx, "eve")
        followed(tx, ann)
        followed(tx, eve, "requested")
        born(tx, ann, days=1)
        strangers.set_rules(tx, {"not_followed": "filter", "not_following": "ignore"})
        assert verdict(tx, ann) == "tell"
        assert verdict(tx, bob) == "drop"
        assert verdict(tx, eve) == "drop"
        strangers.set_rules(tx, {"not_followed": "filter"})
        assert verdict(tx, bob) == "hold"

    await db.write(story)


async def test_who_has_only_just_begun_to_follow_counts_as_not_following(db: Database) -> None:
    await make_owner(db)

    def story(tx: Transaction) -> None:
        old, new = met(tx, "old"), met(tx, "new")
        follows(tx, old, days=3)
        follows(tx, new, days=2, hours=23)
        strangers.set_rules(tx, {"not_following": "filter"})
        assert (verdict(tx, old), verdict(tx, new)) == ("tell", "hold")

    await db.write(story)


async def test_new_accounts_are_those_of_the_last_thirty_days(db: Database) -> None:
    await make_owner(db)

    def story(tx: Transaction) -> None:
        old, new, unknown = met(tx, "old"), met(tx, "new"), met(tx, "unknown")
        born(tx, old, days=30)
        born(tx, new, days=29, hours=23)
        strangers.set_rules(tx, {"new": "ignore"})
        assert (verdict(tx, old), verdict(tx, new), verdict(tx, unknown)) == (
            "tell",
            "drop",
            "tell",
        )

    await db.write(story)


@pytest.mark.parametrize(
    ("visibility", "answers", "expected"),
    [
        (Visibility.PUBLIC, False, "tell"),
        (Visibility.UNLISTED, False, "tell"),
        (Visibility.FOLLOWERS, False, "hold"),
        (Visibility.LIMITED, False, "hold"),
        (Visibility.LIMITED, True, "tell"),
    ],
)
async def test_a_private_mention_is_unsolicited_unless_it_answers_the_owner(
    db: Database, visibility: Visibility, answers: bool, expected: str
) -> None:
    owner = await make_owner(db)

    def story(tx: Transaction) -> None:
        bob = met(tx, "bob")
        ours = kept(tx, a_note("ours"))
        tx.run(
            "UPDATE notes SET actor_id = :owner WHERE id = :id",
            {"owner": owner.actor_id, "id": ours.id},
        )
        note = kept(tx, a_note("theirs"))
        tx.run(
            "UPDATE notes SET actor_id = :bob, visibility = :v, in_reply_to_id = :parent "
            "WHERE id = :id",
            {"bob": bob, "v": visibility, "parent": ours.id if answers else None, "id": note.id},
        )
        strangers.set_rules(tx, {"private": "filter"})
        assert strangers.verdict(tx, "mention", bob, note.id, NOON) == expected
        assert strangers.verdict(tx, "quote", bob, note.id, NOON) == "tell"

    await db.write(story)


@pytest.mark.parametrize("kind", ["report", "poll", "update", "moved", "follow_accepted"])
async def test_what_no_stranger_can_cause_is_always_told(
    db: Database, kind: notifications.Kind
) -> None:
    await make_owner(db)

    def story(tx: Transaction) -> None:
        strangers.set_rules(tx, dict.fromkeys(strangers.ABOUT, "ignore"))
        assert notifications.add(tx, kind, actor_id=met(tx, "bob"), now=NOON)

    await db.write(story)


async def test_what_is_held_is_neither_on_pages_nor_counted_nor_pushed_until_it_is_let_in(
    db: Database,
) -> None:
    await make_owner(db)

    def story(tx: Transaction) -> None:
        ann, bob, eve = met(tx, "ann"), met(tx, "bob"), met(tx, "eve")
        followed(tx, ann)
        strangers.set_rules(tx, {"not_followed": "filter"})
        assert not notifications.add(tx, "follow", actor_id=bob, now=NOON)
        assert not notifications.add(tx, "feature", actor_id=bob, now=NOON)
        assert not notifications.add(tx, "follow", actor_id=eve, now=NOON)
        assert notifications.add(tx, "follow", actor_id=ann, now=NOON)
        assert told(tx) == [ann]
        assert notifications.count_after(tx, 0, now=NOON) == 1
        found = notifications.pushable(tx, after_id=0, limit=9, now=NOON)
        assert [one.actor_id for one in found] == [ann]
        assert strangers.people_held(tx, 9) == 2
        waiting = strangers.held(tx, before_id=None, limit=9)
        assert [(one.actor.id, one.count) for one in waiting] == [(eve, 1), (bob, 2)]
        rest = strangers.held(tx, before_id=waiting[0].newest_id, limit=9)
        assert [one.actor.id for one in rest] == [bob]
        assert [one.kind for one in notifications.held(tx, bob, limit=9)] == ["feature", "follow"]

        assert strangers.accept(tx, bob, NOON) == 2
        assert told(tx) == [ann, bob, bob]
        assert notifications.add(tx, "quote", actor_id=bob, now=NOON)
        assert strangers.is_accepted(tx, bob)
        assert [one.id for one in strangers.accepted(tx, 9)] == [bob]
        assert strangers.dismiss(tx, eve) == 1
        assert strangers.people_held(tx, 9) == 0
        assert not notifications.add(tx, "follow", actor_id=eve, now=NOON)
        assert strangers.people_held(tx, 9) == 1
        assert strangers.unaccept(tx, bob)
        assert not notifications.add(tx, "mention", actor_id=bob, now=NOON)
        assert strangers.prune(tx, NOON) == 0
        assert strangers.prune(tx, NOON + timedelta(seconds=1)) == 2
        assert told(tx) == [bob, ann, bob, bob]

    await db.write(story)


async def test_what_waits_comes_in_when_the_owner_follows_them(db: Database) -> None:
    await make_owner(db)

    def story(tx: Transaction) -> None:
        bob = met(tx, "bob")
        strangers.set_rules(tx, {"not_followed": "filter"})
        notifications.add(tx, "follow", actor_id=bob, now=NOON)
        followed(tx, bob, "requested")
        assert told(tx) == []
        following.set_state(tx, bob, "accepted")
        assert told(tx) == [bob]

    await db.write(story)


async def test_somebody_who_is_muted_or_blocked_later_leaves_page_and_count(db: Database) -> None:
    await make_owner(db)

    def story(tx: Transaction) -> None:
        ann, bob = met(tx, "ann"), met(tx, "bob", "sub.loud.example")
        notifications.add(tx, "follow", actor_id=ann, now=NOON)
        notifications.add(tx, "follow", actor_id=bob, now=NOON)
        assert told(tx) == [bob, ann]
        until = NOON + timedelta(hours=1)
        mutes.mute_actor(tx, ann, with_notifications=True, until=until, now=NOON)
        assert told(tx) == [bob]
        assert notifications.count_after(tx, 0, now=NOON) == 1
        later = notifications.page(tx, limit=9, now=until)
        assert [one.actor_id for one in later] == [bob, ann]
        mutes.mute_host(tx, "loud.example", until=None, now=NOON)
        assert told(tx) == []
        mutes.unmute_host(tx, "loud.example")
        mutes.mute_actor(tx, ann, with_notifications=False, until=None, now=NOON)
        assert told(tx) == [bob, ann]
        blocks.block_actor(tx, ann, NOON)
        assert told(tx) == [bob]

    await db.write(story)


async def test_a_report_is_told_even_of_a_server_that_is_muted(db: Database) -> None:
    await make_owner(db)

    def story(tx: Transaction) -> None:
        bob = met(tx, "bob")
        mutes.mute_host(tx, "b.example", until=None, now=NOON)
        assert notifications.add(tx, "report", actor_id=bob, now=NOON)
        assert told(tx) == [bob]

    await db.write(story)


async def test_tabs_of_several_kinds_page_by_their_indices(db: Database) -> None:
    await make_owner(db)

    def story(tx: Transaction) -> None:
        ids = []
        for number in range(12):
            kinds: tuple[notifications.Kind, ...] = ("follow", "mention", "quote")
            actor_id = met(tx, f"n{number}")
            notifications.add(tx, kinds[number % 3], actor_id=actor_id, now=NOON)
            ids.append(notifications.newest_id(tx))
        wanted: tuple[notifications.Kind, ...] = ("mention", "quote")
        first = notifications.page(tx, limit=5, kinds=wanted, now=NOON)
        rest = notifications.page(tx, limit=5, kinds=wanted, before_id=first[-1].id, now=NOON)
        assert [one.id for one in first + rest] == [i for n, i in enumerate(ids) if n % 3][::-1]

    await db.write(story)
