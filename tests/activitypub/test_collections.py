"""What hangs under the owner's actor, as other servers page through it."""

from pathlib import Path

import pytest

from microfedi.federation.outbox import announces, profile
from microfedi.federation.outbox import pins as outbox_pins
from microfedi.protocol.vocab import PUBLIC
from microfedi.storage import followers, following
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
        assert outbox["totalItems"] == 3
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
        assert (await app.get(f"/users/{HANDLE}/outbox")).json()["totalItems"] == 31


async def test_pinned_posts_are_featured(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.publish("Not this one")
        pinned = await app.publish("This one")
        await outbox_pins.pin(app.ctx, pinned.id)
        featured = (await app.get(f"/users/{HANDLE}/featured")).json()
        assert featured["totalItems"] == 1
        (item,) = featured["orderedItems"]
        assert (item["type"], item["id"]) == ("Note", pinned.uri)


@pytest.mark.parametrize("name", ["followers", "following"])
async def test_follows_are_paged_and_stay_where_they_are(tmp_path: Path, name: str) -> None:
    async with an_app(tmp_path) as app:
        met = [app.world.actor(f"https://vic.example/users/a{n}") for n in range(43)]
        for one in met[:41]:
            await (app.followed_by(one) if name == "followers" else app.follow(one))
        # Who only asked is nobody's business.
        asking = (await app.meet(met[41])).id
        put = followers.put if name == "followers" else following.put
        await app.ctx.db.write(lambda tx: put(tx, asking, f"{ALICE}/f", "requested", app.clock.now))

        collection = (await app.get(f"/users/{HANDLE}/{name}", **ACTIVITY)).json()
        assert collection.pop("@context")
        assert collection == {
            "id": f"{US}/{name}",
            "type": "OrderedCollection",
            "totalItems": 41,
            "first": f"{US}/{name}?page=true",
        }
        first = (await app.get(f"/users/{HANDLE}/{name}?page=true", **ACTIVITY)).json()
        assert (first["type"], first["id"]) == ("OrderedCollectionPage", collection["first"])
        assert first["partOf"] == f"{US}/{name}"
        assert first["orderedItems"] == [one.uri for one in met[40:0:-1]]
        second = (await app.get(first["next"].removeprefix(BASE_URL), **ACTIVITY)).json()
        assert second["orderedItems"] == [met[0].uri]
        assert "next" not in second
        await (app.followed_by(met[42]) if name == "followers" else app.follow(met[42]))
        again = (await app.get(first["next"].removeprefix(BASE_URL), **ACTIVITY)).json()
        assert again == second


@pytest.mark.parametrize("name", ["followers", "following"])
async def test_hidden_follows_are_a_name_alone(tmp_path: Path, name: str) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        await app.followed_by(alice)
        known = await app.follow(alice)
        await profile.set_preferences(app.ctx, hides_follows=True)
        for query in ("", "?page=true", f"?page=true&before={known.id + 1}"):
            collection = (await app.get(f"/users/{HANDLE}/{name}{query}", **ACTIVITY)).json()
            assert collection.pop("@context")
            assert collection == {"id": f"{US}/{name}", "type": "OrderedCollection"}
