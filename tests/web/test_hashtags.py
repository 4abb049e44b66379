"""Followed hashtags bring public posts to Home, once, and say so."""

from pathlib import Path

import pytest

from microfedi.protocol.vocab import PUBLIC
from tests.another_server import RemoteActor
from tests.app_fixture import US, App, an_app, texts
from tests.web.test_home import boosts, shown

ALICE = "https://vic.example/users/alice"
BOB = "https://bob.example/users/bob"


async def tagged(app: App, who: RemoteActor, number: int, *tags: str, **fields: object) -> str:
    """Have a post with hashtags arrive, since it mentions the owner."""
    named = [{"type": "Hashtag", "name": f"#{tag}", "href": f"{who.uri}/{tag}"} for tag in tags]
    mention = {"type": "Mention", "href": US, "name": "@maya@us.example"}
    return await app.theirs(who, content=f"<p>number{number}</p>", tag=[*named, mention], **fields)


async def follow(app: App, tag: str) -> None:
    answer = await app.post("/hashtags", {"tag": tag}, page="/hashtags")
    assert answer.status_code == 303


async def test_a_hashtag_is_followed_from_its_page(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        assert "No hashtags yet" in texts(await app.get("/hashtags"))
        form = {"tag": "bread", "next": "/tags/bread"}
        answer = await app.post("/hashtags", form, page="/tags/bread")
        assert answer.headers["location"] == "/tags/bread"
        assert "Unfollow #bread" in texts(await app.get("/tags/bread"))
        assert "#bread" in texts(await app.get("/hashtags"))
        await app.post("/hashtags/unfollow", form)
        assert "#bread" not in texts(await app.get("/hashtags"))
        stranger = app.browser("192.0.2.9")
        assert "Follow" not in texts(await stranger.get("/tags/bread"))


async def test_a_followed_hashtag_brings_posts_to_home(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        bob = app.world.actor(BOB)
        await follow(app, "#Bread")
        await follow(app, "cake")
        await tagged(app, bob, 1, "bread", "cake")
        await tagged(app, bob, 2, "soup")
        # Quiet and closed posts are for those who come by them; old ones are no news.
        await tagged(app, bob, 3, "bread", to=[f"{BOB}/followers"], cc=[PUBLIC, US])
        await tagged(app, bob, 4, "bread", to=[f"{BOB}/followers", US], cc=[])
        await tagged(app, bob, 5, "bread", published="2025-01-01T00:00:00Z")

        page = await app.home()

        assert shown(page.text) == [1]
        assert "You follow #bread" in texts(page)
        number = (await app.rows())["home"][0][1]
        why = texts(await app.get(f"/posts/{number}/why"))
        assert "You follow #bread" in why
        assert "wrote it" not in why
        # Another one brings it now; after that, nothing does.
        await app.post("/hashtags/unfollow", {"tag": "bread"})
        assert "You follow #cake" in texts(await app.get("/home?newest"))
        await app.post("/hashtags/unfollow", {"tag": "cake"})
        assert shown((await app.get("/home?newest")).text) == []


async def test_nothing_stands_on_home_twice_for_a_hashtag(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, bob = app.world.actor(ALICE), app.world.actor(BOB)
        met = await app.follow(alice)
        await follow(app, "bread")
        await tagged(app, alice, 1, "bread")
        uri = await tagged(app, bob, 2, "bread")
        await boosts(app, alice, [uri])

        page = await app.home()

        assert shown(page.text) == [2, 1]
        assert "You follow #bread" not in texts(page)
        assert "Alice boosted" in texts(page)
        await app.post(f"/people/{met.id}/mute", {"lasts": 0}, page=f"/people/{met.id}/mute")
        assert shown((await app.get("/home?newest")).text) == []


async def test_muted_people_are_not_brought_by_a_hashtag(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        bob = app.world.actor(BOB)
        met = await app.meet(bob)
        await follow(app, "bread")
        await app.post(f"/people/{met.id}/mute", {"lasts": 0}, page=f"/people/{met.id}/mute")
        await tagged(app, bob, 1, "bread")
        assert shown((await app.home()).text) == []


@pytest.mark.parametrize(
    "typed", ["", "#", "two words", "2026", "a/b", "<script>", "x" * 101, "x" * 500]
)
async def test_what_is_no_hashtag_is_not_followed(tmp_path: Path, typed: str) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        answer = await app.post("/hashtags", {"tag": typed}, page="/hashtags")
        assert answer.status_code == 422
        assert "<script>" not in answer.text.replace("<script src", "")
        assert await app.count("followed_tags") == 0
