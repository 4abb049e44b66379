"""Two of us: one moves away or deletes the account, and the other, who follows, understands."""

import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from microfedi.federation.outbox import leaving, moving
from microfedi.storage import actors, following
from microfedi.storage.database import Reader
from tests.another_server import AnotherServer, Answer, Received, RemoteActor
from tests.app_fixture import ACTIVITY, US, App, an_app
from tests.federation.outbox.sent import send_all

ONE = "https://one.example/users/maya"
NEW = "https://new.example/users/maya"


async def show(app: App, uri: str, world: AnotherServer) -> None:
    """Let the actor of `app` be found in the other's world, as they are now."""
    host = uri.split("/")[2]
    finger = f"https://{host}/.well-known/webfinger?resource=acct%3Amaya%40{host}"
    for url in (uri, finger):
        answer = await app.get(url.removeprefix(f"https://{host}"), **ACTIVITY)
        kind = answer.headers["content-type"]
        world.serve(url, Answer(answer.status_code, answer.content, content_type=kind))


@contextlib.asynccontextmanager
async def two_of_us(tmp_path: Path) -> AsyncIterator[tuple[App, App]]:
    """one.example, and us.example whose owner follows there and has a post of theirs."""
    async with (
        an_app(tmp_path / "one", base_url="https://one.example") as one,
        an_app(tmp_path / "two") as two,
    ):
        await show(one, ONE, two.world)
        await show(two, US, one.world)
        await one.followed_by(RemoteActor(US))
        await two.follow(RemoteActor(ONE))
        await one.publish("Hello")
        await carry(await send_all(one.ctx, one.world), two)
        assert await two.count("notes") == 1
        yield one, two


async def carry(posts: Iterable[Received], to: App) -> None:
    """Bring what was sent to where it was sent, as it is."""
    for post in posts:
        answer = await to.browser().post(post.url, content=post.body, headers=post.headers)
        assert answer.status_code == 202, answer.text
        await to.process()


async def test_who_follows_goes_along(tmp_path: Path) -> None:
    async with two_of_us(tmp_path) as (one, two):
        for world in (one.world, two.world):
            world.actor(NEW, alsoKnownAs=[ONE])

        await moving.move(one.ctx, NEW)
        await show(one, ONE, two.world)
        posts = await send_all(one.ctx, one.world)
        await carry(posts, two)

        assert [post.json["type"] for post in posts] == ["Update", "Move"]

        def question(reader: Reader) -> list[str | None]:
            found = [actors.by_uri(reader, uri) for uri in (ONE, NEW)]
            ours = [following.by_actor(reader, one.id) if one else None for one in found]
            return [one.state if one else None for one in ours]

        assert await two.ctx.db.read(question) == [None, "requested"]
        sent = [(post.json["type"], post.url) for post in await send_all(two.ctx, two.world)]
        assert ("Follow", f"{NEW}/inbox") in sent
        assert ("Undo", f"{ONE}/inbox") in sent


async def test_who_followed_forgets(tmp_path: Path) -> None:
    async with two_of_us(tmp_path) as (one, two):
        await leaving.delete_account(one.ctx)
        posts = await send_all(one.ctx, one.world)
        await carry(posts, two)

        (post,) = posts
        assert (post.json["type"], post.json["object"]) == ("Delete", ONE)
        assert await two.count("notes") == 0
        assert await two.count("following") == 0


async def test_who_met_them_only_then_can_check_the_signature(tmp_path: Path) -> None:
    async with two_of_us(tmp_path) as (one, two):
        await leaving.delete_account(one.ctx)
        await show(one, ONE, two.world)
        posts = await send_all(one.ctx, one.world)
        await two.ctx.db.write(lambda tx: tx.run("DELETE FROM actor_keys"))
        await carry(posts, two)

        assert len(two.world.gets(ONE)) == 2
        assert await two.count("notes") == 0
