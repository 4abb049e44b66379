"""What hangs under the owner's actor, as other servers page through it."""

from pathlib import Path

from microfedi.federation.outbox import announces, notes, profile
from microfedi.protocol.vocab import PUBLIC
from microfedi.storage import notes as note_storage
from tests.app_fixture import ACTIVITY, BASE_URL, HANDLE, US, an_app

ALICE = "https://vic.example/users/alice"


async def test_the_outbox_has_posts_and_boosts_the_newest_first(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        first = await app.publish("First")
        theirs = await app.theirs(alice)
        boosted = await app.ctx.db.read(lambda r: note_storage.by_uri(r, theirs))
        assert boosted is not None
        app.clock.forward(seconds=1)
        await announces.announce(app.ctx, boosted.id)
        last = await app.publish("Last")

        outbox = (await app.get(f"/users/{HANDLE}/outbox", **ACTIVITY)).json()
        page = (await app.get(outbox["first"].removeprefix(BASE_URL), **ACTIVITY)).json()

        assert outbox["id"] == f"{US}/outbox"
        assert outbox["type"] == "OrderedCollection"
        assert (page["type"], page["partOf"]) == ("OrderedCollectionPage", f"{US}/outbox")
        assert [(one["type"], one["actor"]) for one in page["orderedItems"]] == [
            ("Create", US),
            ("Announce", US),
            ("Create", US),
        ]
        create, boost, _ = page["orderedItems"]
        assert create["object"]["id"] == last.uri
        assert page["orderedItems"][2]["object"]["id"] == first.uri
        assert boost["object"] == theirs
        assert boost["to"] == [PUBLIC]
        assert "@context" not in create
        fetched = (await app.get(boost["id"].removeprefix(BASE_URL), **ACTIVITY)).json()
        assert fetched.pop("@context")
        assert fetched == boost
        await announces.unannounce(app.ctx, boosted.id)
        assert (await app.get(boost["id"].removeprefix(BASE_URL))).status_code == 404


async def test_a_page_of_the_outbox_stays_when_something_new_is_written(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for number in range(30):
            await app.publish(f"Post {number}")
        first = (await app.get(f"/users/{HANDLE}/outbox?page=true")).json()
        second = (await app.get(first["next"].removeprefix(BASE_URL))).json()
        await app.publish("New")
        again = (await app.get(first["next"].removeprefix(BASE_URL))).json()
        assert len(first["orderedItems"]) == 20
        assert len(second["orderedItems"]) == 10
        assert "next" not in second
        assert again == second


async def test_pinned_posts_are_featured(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.publish("Not this one")
        pinned = await app.publish("This one")
        await notes.pin(app.ctx, pinned.id)
        featured = (await app.get(f"/users/{HANDLE}/featured")).json()
        assert featured["totalItems"] == 1
        (item,) = featured["orderedItems"]
        assert (item["type"], item["id"]) == ("Note", pinned.uri)


async def test_followers_are_a_number_if_the_owner_likes(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        await app.followed_by(alice)
        await app.follow(alice)
        for name in ("followers", "following"):
            collection = (await app.get(f"/users/{HANDLE}/{name}")).json()
            assert collection.pop("@context")
            assert collection == {
                "id": f"{US}/{name}",
                "type": "OrderedCollection",
                "totalItems": 1,
            }
        await profile.set_preferences(app.ctx, hides_follows=True)
        for name in ("followers", "following"):
            collection = (await app.get(f"/users/{HANDLE}/{name}?page=true")).json()
            assert "totalItems" not in collection
            assert ALICE not in str(collection)
