"""Followers, followed and requests as lists: searched, sorted, paged, ended."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from microfedi.storage import actors, followers, following
from microfedi.storage.database import Transaction
from tests.app_fixture import App, an_app, texts
from tests.factories import NOON, an_actor


async def people(app: App, url: str) -> list[str]:
    """The user names on a page, in order."""
    answer = await app.get(url)
    assert answer.status_code == 200, answer.text

    return re.findall(r"<span>@(\w+)@b\.example</span>", answer.text)


def meet(tx: Transaction, username: str, **fields: str) -> int:
    return actors.keep(
        tx, an_actor(username, **fields), handle=f"{username}@b.example", now=NOON
    ).id


async def test_followers_are_found_by_name_and_address_and_sorted(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()

        def fill(tx: Transaction) -> None:
            for minutes, username, name in ((3, "zed", "Ann"), (1, "bob", "Zoë"), (2, "mia", "")):
                actor_id = meet(tx, username, name=name)
                at = NOON + timedelta(minutes=minutes)
                followers.put(tx, actor_id, f"https://b.example/{username}", "accepted", at)

        await app.ctx.db.write(fill)
        assert await people(app, "/followers") == ["zed", "mia", "bob"]
        assert await people(app, "/followers?sort=oldest") == ["bob", "mia", "zed"]
        assert await people(app, "/followers?sort=name") == ["zed", "mia", "bob"]
        assert await people(app, "/followers?sort=nonsense") == ["zed", "mia", "bob"]
        assert await people(app, "/followers?q=ANN") == ["zed"]
        assert await people(app, "/followers?q=zoë") == ["bob"]
        assert await people(app, "/followers?q=@mia@b.ex") == ["mia"]
        assert await people(app, "/followers?q=%25") == []
        said = texts(await app.get("/followers?q=<script>"))
        assert "Nobody here is called “<script>”" in said
        assert (await app.get(f"/followers?q={'x' * 5000}")).status_code == 200
        assert "Followers 3" in texts(await app.get("/following"))


@pytest.mark.parametrize("sort", ["newest", "oldest", "name"])
async def test_pages_in_every_order_lose_and_repeat_nobody(tmp_path: Path, sort: str) -> None:
    async with an_app(tmp_path) as app:
        await app.login()

        def fill(tx: Transaction) -> None:
            for number in range(95):
                actor_id = meet(tx, f"p{number}", name="Same" if number % 2 else f"N{number}")
                at = NOON + timedelta(minutes=number // 7)
                following.put(tx, actor_id, f"https://us.example/f/{number}", "accepted", at)

        await app.ctx.db.write(fill)
        url, seen = f"/following?sort={sort}", list[str]()
        while url:
            answer = await app.get(url)
            seen += re.findall(r"@(p\d+)@b\.example</span>", answer.text)
            found = re.search(r'rel="next" href="([^"]+)"', answer.text)
            url = found[1].replace("&amp;", "&") if found else ""
        assert len(seen) == 95
        assert len(set(seen)) == 95
        for nonsense in ("after=5", "after=x&at=y", "after=5&at=2026-99-99"):
            assert (await app.get(f"/following?{nonsense}")).status_code == 200


async def test_a_follower_is_removed_and_the_page_comes_back(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann = await app.followed_by(app.world.actor("https://b.example/users/ann"))
        page = await app.get("/followers")
        assert "Remove this follower" in page.text
        answer = await app.post(f"/people/{ann.id}/reject", {"next": "/followers?sort=name"})
        assert answer.headers["location"] == "/followers?sort=name"
        assert "Nobody follows you yet" in texts(await app.get("/followers"))
        # They are told, so that their server does not go on showing them as a follower.
        assert await app.count("outgoing") == 1


async def test_requests_say_whether_anybody_has_to_ask(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        assert "Everybody may follow you at once" in texts(await app.get("/follow-requests"))
        await app.post(
            "/settings/preferences",
            {"approves_followers": "on", "message_policy": "anyone", "time_zone": "UTC"},
        )
        said = texts(await app.get("/follow-requests"))
        assert "When somebody asks to follow you, you decide here." in said
        stranger = await app.browser().get("/follow-requests")
        assert stranger.status_code == 303
