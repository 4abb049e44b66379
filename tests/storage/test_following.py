"""Following: asked, answered, listed."""

from microfedi.storage import following
from microfedi.storage.database import Database, Transaction
from tests.factories import NOON
from tests.storage.test_followers import met

FOLLOW = "https://us.example/users/owner/follow/1"


async def test_a_follow_is_asked_answered_and_ended(db: Database) -> None:
    bob = await db.write(lambda tx: met(tx, "bob"))

    asked = await db.write(lambda tx: following.put(tx, bob, FOLLOW, "requested", NOON))
    assert await db.read(lambda r: following.by_actor(r, bob)) == asked
    assert await db.read(lambda r: following.by_follow_uri(r, FOLLOW)) == asked
    assert not await db.read(lambda r: following.is_followed(r, bob))

    assert await db.write(lambda tx: following.set_state(tx, bob, "accepted"))
    assert await db.read(lambda r: following.is_followed(r, bob))
    assert await db.read(following.count) == 1

    assert await db.write(lambda tx: following.remove(tx, bob))
    assert not await db.write(lambda tx: following.remove(tx, bob))
    assert not await db.write(lambda tx: following.set_state(tx, bob, "accepted"))
    assert await db.read(lambda r: following.by_follow_uri(r, FOLLOW)) is None


async def test_pages_are_of_one_state_and_continue(db: Database) -> None:
    def prepare(tx: Transaction) -> list[int]:
        people = [met(tx, name) for name in ("ann", "ben", "cat", "dan")]
        for person in people:
            state: following.State = "requested" if person == people[1] else "accepted"
            following.put(tx, person, f"{FOLLOW}/{person}", state, NOON)
        return people

    ann, ben, cat, dan = await db.write(prepare)

    first = await db.read(lambda r: following.page(r, before_id=None, limit=2))
    second = await db.read(lambda r: following.page(r, before_id=first[-1].id, limit=2))
    asked = await db.read(lambda r: following.page(r, before_id=None, limit=9, state="requested"))
    assert [actor.id for actor in first] == [dan, cat]
    assert [actor.id for actor in second] == [ann]
    assert [actor.id for actor in asked] == [ben]
