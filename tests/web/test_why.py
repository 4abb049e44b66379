"""Why am I seeing this? What is said is what brought the post, and nothing else."""

from pathlib import Path

from tests.app_fixture import App, an_app, texts
from tests.web.test_home import boosts

ALICE = "https://vic.example/users/alice"
BOB = "https://bob.example/users/bob"


async def reasons(app: App, uri: str) -> str:
    """What the page says of a post."""
    number = next(row[0] for row in (await app.rows())["notes"] if row[1] == uri)
    answer = await app.get(f"/posts/{number}/why")
    assert answer.status_code == 200
    said = texts(answer)
    return said[said.index("Why am I seeing this?", 40) : said.index("Nothing else decides")]


async def test_each_reason_is_said_and_no_other(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, bob = app.world.actor(ALICE, name="Alice"), app.world.actor(BOB, name="<i>Bob</i>")
        await app.follow(alice)
        await app.meet(bob)
        since = "you follow Alice since 22 Nov 2026"

        own = await app.theirs(alice, cc=[], tag=[])
        assert f"Alice wrote it; {since}" in await reasons(app, own)
        assert "mentioned" not in await reasons(app, own)

        boosted = await app.theirs(bob)
        assert "You are mentioned in it" in await reasons(app, boosted)
        assert "boosted" not in await reasons(app, boosted)
        await boosts(app, alice, [boosted])
        said = await reasons(app, boosted)
        assert f"Alice boosted it; {since}" in said
        assert "wrote it" not in said

        mine = await app.publish("Mine")
        assert "You wrote it" in await reasons(app, mine.uri)

        answer = await app.theirs(bob, cc=[], tag=[], inReplyTo=mine.uri)
        assert "does not stand on Home" in await reasons(app, answer)


async def test_what_was_followed_then_is_said_so(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        group = app.world.actor("https://g.example/c/bread", type="Group", name="Bread")
        bob = app.world.actor(BOB)
        met = await app.follow(group)
        await app.meet(bob)
        uri = await app.theirs(bob)
        await boosts(app, group, [uri])
        said = await reasons(app, uri)
        assert "It was posted in Bread ; you follow Bread since 22 Nov 2026" in said
        await app.post(f"/people/{met.id}/unfollow", {})
        assert "Bread" not in await reasons(app, uri)


async def test_of_what_is_not_here_nothing_is_said(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        for number in ("1", "x", "9" * 30):
            assert (await app.get(f"/posts/{number}/why")).status_code == 404
        stranger = app.browser("192.0.2.9")
        assert (await stranger.get("/posts/1/why")).status_code == 303
