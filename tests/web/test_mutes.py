"""Muting from the pages: Home and notifications are quiet, everything else stays as it is."""

import re
from pathlib import Path

from microfedi.protocol.vocab import PUBLIC
from microfedi.storage import notes
from tests.another_server import AS2
from tests.app_fixture import App, an_app, texts

HOUR = 3600
ALICE = "https://vic.example/users/alice"


async def home(app: App) -> str:
    return texts(await app.home())


async def told(app: App) -> int:
    return await app.count("notifications")


async def test_somebody_muted_is_not_at_home_and_comes_back_when_it_is_over(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        met = await app.follow(alice)
        page = f"/people/{met.id}/mute"
        uri = await app.theirs(alice, content="<p>before</p>", cc=[])
        assert "before" in await home(app)

        answer = await app.post(page, {"lasts": HOUR, "notifications": "1"}, page=page)

        assert answer.headers["location"] == f"/people/{met.id}"
        await app.theirs(alice, content="<p>while muted, to you</p>")
        quiet = await home(app)
        assert "before" not in quiet
        assert "while muted" not in quiet
        assert await told(app) == 0
        profile = texts(await app.get(f"/people/{met.id}"))
        assert "while muted" in profile
        assert "Muted until" in profile
        note = await app.ctx.db.read(lambda r: notes.by_uri(r, uri))
        assert note is not None
        assert (await app.get(f"/posts/{note.id}")).status_code == 200
        assert "Newer" not in quiet

        app.clock.forward(seconds=HOUR)

        later = await home(app)
        assert "before" in later
        assert "while muted" in later
        await app.theirs(alice)
        assert await told(app) == 1


async def test_of_somebody_muted_notifications_can_go_on(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        met = await app.follow(alice)

        await app.post(f"/people/{met.id}/mute", {"lasts": 0})
        await app.theirs(alice)

        assert await told(app) == 1
        assert "post 1" not in await home(app)


async def test_boosts_by_and_of_somebody_muted_are_not_at_home(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, bob = app.world.actor(ALICE), app.world.actor("https://bob.example/users/bob")
        muted, _ = await app.follow(alice), await app.follow(bob)
        hers, his = await app.theirs(alice, cc=[]), await app.theirs(bob, cc=[])
        for number, (who, what) in enumerate(((alice, his), (bob, hers))):
            announce = {
                "@context": AS2,
                "id": f"{who.uri}/boosts/{number}",
                "type": "Announce",
                "actor": who.uri,
                "object": what,
                "to": [PUBLIC],
            }
            app.clock.forward(seconds=1)
            await app.deliver(who, announce)
        assert len(re.findall("boosted", await home(app))) == 2

        await app.post(f"/people/{muted.id}/mute", {"lasts": 0})

        page = await home(app)
        assert "boosted" not in page
        assert "post 2" in page

        await app.post(f"/people/{muted.id}/unmute")

        assert len(re.findall("boosted", await home(app))) == 2


async def test_a_muted_conversation_is_quiet_whoever_writes_in_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        ours = await app.publish("A question to everybody")
        await app.theirs(alice, inReplyTo=ours.uri, content="<p>first answer</p>")
        assert await told(app) == 1
        assert "Mute this conversation" in await home(app)

        await app.post(f"/posts/{ours.id}/mute", {"lasts": HOUR}, page=f"/posts/{ours.id}/mute")
        await app.theirs(alice, inReplyTo=ours.uri, content="<p>second answer</p>")
        like = {
            "@context": AS2,
            "id": f"{alice.uri}/likes/1",
            "type": "Like",
            "actor": alice.uri,
            "object": ours.uri,
        }
        await app.deliver(alice, like)

        assert await told(app) == 1
        seen = await home(app)
        assert "first answer" not in seen
        assert "second answer" not in seen
        thread = texts(await app.get(f"/@maya/{ours.public_id}"))
        assert "second answer" in thread
        assert "You have muted this conversation until" in thread
        stranger = await app.browser().get(f"/@maya/{ours.public_id}")
        assert "muted" not in stranger.text

        await app.post(f"/posts/{ours.id}/unmute")

        assert "second answer" in await home(app)


async def test_a_conversation_stays_muted_when_its_beginning_arrives(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        first = f"{alice.uri}/notes/first"
        answer = await app.theirs(alice, inReplyTo=first)
        kept = await app.ctx.db.read(lambda r: notes.by_uri(r, answer))
        assert kept is not None
        await app.post(f"/posts/{kept.id}/mute", {"lasts": 0})

        await app.theirs(alice, id=first, content="<p>how it began</p>")

        assert "how it began" not in await home(app)
        listed = texts(await app.get("/settings/mutes"))
        assert "how it began" in listed


async def test_a_muted_server_is_quiet_with_all_below_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        loud = app.world.actor("https://very.loud.example/users/bob")
        other = app.world.actor("https://notloud.example/users/carol")
        await app.follow(loud)
        await app.follow(other)
        form = {"host": "Loud.example", "lasts": 0}

        done = await app.post("/settings/mutes", form, page="/settings/mutes")

        assert done.status_code == 303
        await app.theirs(loud, content="<p>shouting</p>")
        await app.theirs(other, content="<p>whispering</p>")
        page = await home(app)
        assert "shouting" not in page
        assert "whispering" in page
        assert await told(app) == 1
        assert "loud.example" in texts(await app.get("/settings/mutes"))

        await app.post("/settings/mutes/remove", {"host": "loud.example"})

        assert "shouting" in await home(app)


async def test_nobody_hears_of_a_mute(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        met = await app.follow(app.world.actor(ALICE))

        await app.post(f"/people/{met.id}/mute", {"lasts": 0, "notifications": "1"})

        assert await app.count("outgoing") == 0


async def test_what_cannot_be_muted_is_said_in_words(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        for host in ("not a host", "us.example"):
            answer = await app.post("/settings/mutes", {"host": host, "lasts": 0})
            assert answer.status_code == 422
            assert host in answer.text
        met = await app.meet(app.world.actor(ALICE))
        assert (await app.post(f"/people/{met.id}/mute", {"lasts": 5})).status_code == 422
        assert (
            await app.post(f"/people/{app.ctx.owner.actor_id}/mute", {"lasts": 0})
        ).status_code == 422
        assert (await app.get("/people/99999/mute")).status_code == 404
        assert (await app.get(f"/people/{app.ctx.owner.actor_id}/mute")).status_code == 404
