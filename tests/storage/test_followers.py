"""Followers: asked, let in, counted, and where their posts go."""

from microfedi.storage import actors, blocks, followers
from microfedi.storage.database import Database, Transaction
from tests.factories import NOON, an_actor


def met(tx: Transaction, name: str, host: str = "b.example") -> int:
    return actors.keep(tx, an_actor(name, host), handle=None, now=NOON).id


async def test_a_repeated_follow_renews_its_id_and_never_takes_an_acceptance_back(
    db: Database,
) -> None:
    bob = await db.write(lambda tx: met(tx, "bob"))

    def put(tx: Transaction, uri: str, state: followers.State) -> followers.Follower:
        return followers.put(tx, bob, uri, state, NOON)

    asked = await db.write(lambda tx: put(tx, "https://b.example/f/1", "requested"))
    assert asked == followers.Follower(bob, "https://b.example/f/1", "requested", NOON)
    assert await db.read(followers.count) == 0
    assert [a.id for a in await db.read(lambda r: followers.requests(r, 10))] == [bob]
    assert await db.write(lambda tx: followers.accept(tx, bob))
    assert not await db.write(lambda tx: followers.accept(tx, bob))
    again = await db.write(lambda tx: put(tx, "https://b.example/f/2", "requested"))
    assert (again.follow_uri, again.state) == ("https://b.example/f/2", "accepted")
    assert await db.read(followers.count) == 1
    assert await db.read(lambda r: followers.requests(r, 10)) == []
    assert await db.write(lambda tx: followers.remove(tx, bob))
    assert not await db.write(lambda tx: followers.remove(tx, bob))
    assert await db.read(lambda r: followers.by_actor(r, bob)) is None


async def test_a_page_of_followers_continues_where_the_last_one_ended(db: Database) -> None:
    def prepare(tx: Transaction) -> list[int]:
        people = [met(tx, name) for name in ("ann", "ben", "cat", "dan")]
        for person in people:
            followers.put(tx, person, f"https://b.example/f/{person}", "accepted", NOON)
        return people

    ann, ben, cat, dan = await db.write(prepare)

    first = await db.read(lambda r: followers.accepted(r, before_id=None, limit=2))
    second = await db.read(lambda r: followers.accepted(r, before_id=first[-1].id, limit=9))
    assert [actor.id for actor in first] == [dan, cat]
    assert [actor.id for actor in second] == [ben, ann]


async def test_each_server_gets_a_post_once_and_the_gone_and_the_blocked_nothing(
    db: Database,
) -> None:
    def prepare(tx: Transaction) -> None:
        people = {name: met(tx, name) for name in ("ann", "ben", "wait")}
        people["cat"] = actors.keep(
            tx, an_actor("cat", "c.example", shared_inbox=None), handle=None, now=NOON
        ).id
        people["gone"] = met(tx, "gone", "gone.example")
        people["bad"] = met(tx, "bad", "bad.example")
        people["asks"] = met(tx, "asks", "asks.example")
        for name, person in people.items():
            state: followers.State = "requested" if name == "asks" else "accepted"
            followers.put(tx, person, f"https://b.example/f/{name}", state, NOON)
        actors.mark(tx, people["gone"], "gone")
        blocks.block_actor(tx, people["bad"], NOON)

    await db.write(prepare)

    assert await db.read(followers.inboxes) == [
        "https://b.example/inbox",
        "https://c.example/users/cat/inbox",
    ]
