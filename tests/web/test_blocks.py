"""Blocking from the pages: follows end, nothing is let in, and it can be taken back."""

from pathlib import Path

from microfedi.storage import blocks
from tests.app_fixture import an_app, texts


async def test_a_person_is_blocked_on_their_profile_and_unblocked_there(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = await app.follow(app.world.actor("https://vic.example/users/alice"))
        await app.followed_by(app.world.actor("https://vic.example/users/alice"))
        page = f"/people/{alice.id}"

        await app.post(f"{page}/block", {"next": page}, page=page)

        assert await app.ctx.db.read(lambda r: blocks.is_blocked(r, alice.uri))
        assert (await app.count("followers"), await app.count("following")) == (0, 0)
        assert "Unblock" in texts(await app.get(page))
        assert alice.address in texts(await app.get("/settings/blocks"))

        await app.post(f"{page}/unblock", {"next": page}, page=page)

        assert not await app.ctx.db.read(lambda r: blocks.is_blocked(r, alice.uri))


async def test_a_server_is_blocked_with_all_below_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()

        done = await app.post("/settings/blocks", {"host": "Evil.example"}, page="/settings/blocks")

        assert done.status_code == 303
        uri = "https://deep.evil.example/users/mallory"
        assert await app.ctx.db.read(lambda r: blocks.is_blocked(r, uri))
        assert "evil.example" in texts(await app.get("/settings/blocks"))

        await app.post("/settings/blocks/remove", {"host": "evil.example"}, page="/settings/blocks")

        assert not await app.ctx.db.read(lambda r: blocks.is_blocked(r, uri))


async def test_what_is_no_server_is_refused_in_words(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()

        for host in ("not a host", "us.example"):
            answer = await app.post("/settings/blocks", {"host": host}, page="/settings/blocks")

            assert answer.status_code == 422
            assert host in answer.text
