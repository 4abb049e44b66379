"""The drawer: what is known of strangers who write, and letting them in or not."""

import re
from pathlib import Path

from microfedi.federation.outbox import follows
from microfedi.storage import conversations, notifications, server_facts
from microfedi.storage.database import Reader
from tests.another_server import Answer, RemoteActor
from tests.app_fixture import US, App, an_app, texts
from tests.federation.outbox.world import sent

MALLORY = "https://spam.example/users/mallory"
ALICE = "https://vic.example/users/alice"


async def writes(app: App, sender: RemoteActor, text: str, **fields: object) -> str:
    """Have a message for the owner arrive."""
    return await app.theirs(sender, **{"to": [US], "cc": [], "content": f"<p>{text}</p>", **fields})


async def the_request(app: App) -> str:
    """The address of the one conversation in the drawer."""
    (found,) = set(re.findall(r"/messages/\d+", (await app.get("/messages/requests")).text))
    return str(found)


async def test_the_facts_are_counted_when_it_arrives(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        mallory = app.world.actor(MALLORY, name="Mallory", published="2026-11-20T00:00:00Z")
        await writes(
            app,
            mallory,
            'See <a href="https://win.example/1">this</a> and <a href="https://win.example/2">that'
            f'</a>, <a href="{US}" class="u-url mention">@maya</a>',
            attachment=[
                {"type": "Image", "mediaType": "image/png", "url": "https://spam.example/x.png"}
            ],
        )
        await writes(app, mallory, "Hello?")
        await app.login()

        said = texts(await app.get("/messages/requests"))
        assert "2 messages · 2 links · 1 picture or file" in said
        assert "Account made on 20 Nov 2026, says its server new" in said
        assert "Nobody you follow has boosted or answered a post of theirs that is here" in said
        assert "Does not follow you" in said
        assert "you follow nobody there" in said
        rows = (await app.rows())["messages"]
        assert not any(b"win.example" in bytes(str(row), "utf-8") for row in rows)


async def test_the_server_is_shown_with_what_it_says(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await writes(app, app.world.actor(MALLORY), "Hello")
        await app.login()
        assert "its software and size are not known here" in texts(
            await app.get("/messages/requests")
        )
        said = server_facts.Said(software="mastodon", version="4.5.0", users=1)
        now = app.clock.now
        await app.ctx.db.write(lambda tx: server_facts.put(tx, "spam.example", said, now))

        page = texts(await app.get("/messages/requests"))
        assert "spam.example · mastodon · 1 account, says the server" in page


async def test_people_you_both_know_are_named(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        mallory, alice = app.world.actor(MALLORY), app.world.actor(ALICE, name="Alice")
        await app.follow(alice)
        await app.followed_by(mallory)
        mine = await app.publish("Mine")
        theirs = await app.theirs(mallory, inReplyTo=mine.uri)
        await app.theirs(alice, inReplyTo=theirs)
        await writes(app, mallory, "Hello")
        await app.login()

        said = texts(await app.get("/messages/requests"))
        assert "Alice , whom you follow, boosted or answered posts of theirs" in said
        assert "Follows you" in said
        assert "has answered your posts 1 time" in said
        assert "Hello" in said


async def test_nothing_is_told_or_fetched_before_it_is_accepted(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        icon = "https://spam.example/icon.png"
        spy = {
            "type": "Emoji",
            "name": ":spy:",
            "icon": {"type": "Image", "url": "https://spam.example/in-a-name.png"},
        }
        mallory = app.world.actor(
            MALLORY, name="Mal :spy:", tag=[spy], icon={"type": "Image", "url": icon}
        )
        picture = "https://spam.example/tracks-you.png"
        app.world.serve(picture, Answer(body=b"x", content_type="image/png"))
        emoji = {
            "type": "Emoji",
            "name": ":spy:",
            "icon": {"type": "Image", "url": "https://spam.example/spy.png"},
        }
        await writes(
            app,
            mallory,
            "psst :spy:",
            attachment=[{"type": "Image", "mediaType": "image/png", "url": picture}],
            tag=[emoji],
        )
        met = await app.meet(mallory)
        await app.login()

        def told(reader: Reader) -> tuple[int, int, bool]:
            now = app.clock.now
            talk = conversations.find(reader, [met.id])
            assert talk is not None
            return (
                conversations.unread(reader, now=now),
                notifications.count_after(reader, 0, now=now),
                conversations.tells(reader, talk, met.id, now=now),
            )

        talk = await the_request(app)
        number = re.findall(rf'href="{talk}/(\d+)"', (await app.get(talk)).text)[0]
        paths = ("/messages", "/messages/requests", talk, f"{talk}/{number}", f"{talk}/details")
        for path in paths:
            page = (await app.get(path)).text
            assert "/media/private/" not in page, path
            assert "/media/proxy/" not in page, path
            assert 'class="badge">1<' not in page
        assert "It is fetched once you accept" in texts(await app.get(talk))
        assert await app.ctx.db.read(told) == (0, 0, False)
        assert await sent(app.ctx) == []

        await app.post(f"{talk}/accept")
        assert "/media/private/" in (await app.get(talk)).text
        await writes(app, mallory, "again")
        assert await app.ctx.db.read(told) == (1, 0, True)


async def test_whoever_is_declined_is_not_kept_until_the_owner_writes(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        mallory, alice = app.world.actor(MALLORY), app.world.actor(ALICE)
        await writes(app, mallory, "buy-this")
        await app.login()
        talk = await the_request(app)
        await app.post(f"{talk}/decline", {"block": ""})

        assert (await app.get(talk)).status_code == 404
        await writes(app, mallory, "buy-that")
        # With somebody else in it neither.
        await app.meet(alice)
        await writes(app, mallory, "buy-both", to=[US, ALICE])
        assert await app.count("messages") == 0
        assert await app.count("conversations") == 0
        assert await sent(app.ctx) == []
        said = texts(await app.get("/messages/requests"))
        assert "@mallory@spam.example" in said

        # Whom the owner writes to may answer.
        met = await app.meet(mallory)
        await app.message([met.id], "What do you want?")
        await writes(app, mallory, "to-say-sorry")
        assert "to-say-sorry" in (await app.get("/messages")).text
        assert await app.count("declined_people") == 0


async def test_declining_can_be_taken_back(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        mallory = app.world.actor(MALLORY)
        await writes(app, mallory, "first-try")
        await app.login()
        await app.post(f"{await the_request(app)}/decline", {"block": ""})
        met = await app.meet(mallory)

        await app.post(f"/messages/declined/{met.id}/undo")
        await writes(app, mallory, "second-try")
        assert "second-try" in (await app.get("/messages/requests")).text
        await app.post(f"{await the_request(app)}/decline", {"block": ""})

        # Whom the owner follows is no stranger.
        await follows.follow(app.ctx, met.id)
        await app.follow(mallory)
        await writes(app, mallory, "third-try")
        assert "third-try" in (await app.get("/messages")).text


async def test_declined_and_blocked_are_not_told(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        mallory = app.world.actor(MALLORY)
        await writes(app, mallory, "buy-this")
        await app.login()
        answer = await app.post(f"{await the_request(app)}/decline", {"block": "person"})

        assert answer.headers["location"] == "/messages/requests"
        assert await app.count("blocked_actors") == 1
        await writes(app, mallory, "buy-that")
        assert await app.count("messages") == 0
        assert await sent(app.ctx) == []


async def test_blocking_the_server_is_asked_on_its_own_page(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await writes(app, app.world.actor(MALLORY), "buy-this")
        await app.login()
        answer = await app.post(f"{await the_request(app)}/decline", {"block": "server"})

        assert answer.headers["location"] == "/settings/blocks/server?host=spam.example"
        assert (await app.get(answer.headers["location"])).status_code == 200
        assert await app.count("blocked_hosts") == 0
        assert await app.count("messages") == 0


async def test_an_open_conversation_is_not_declined(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        met = await app.meet(app.world.actor(ALICE))
        message = await app.message([met.id], "keep-me")
        await app.login()
        talk = f"/messages/{message.conversation_id}"

        assert (await app.post(f"{talk}/decline", {"block": ""})).status_code == 422
        assert (await app.post("/messages/9/decline", {"block": ""})).status_code == 404
        assert "keep-me" in (await app.get(talk)).text


async def test_names_of_strangers_do_no_harm(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for name in ("<script>alert(1)</script>", "x" * 500, "سليم", "🎉" * 40, "%(name)s %s"):
            handle = f"m{abs(hash(name)) % 1000}"
            actor = app.world.actor(f"https://spam.example/users/{handle}", name=name)
            await writes(app, actor, '<img src=x onerror="alert(1)"> hello', summary="<b>x</b>")
        await app.login()
        for path in ("/messages/requests", "/messages"):
            page = (await app.get(path)).text
            assert "<script>alert" not in page
            assert "onerror" not in page
        for talk in set(re.findall(r"/messages/\d+", (await app.get("/messages/requests")).text)):
            answer = await app.get(talk)
            assert answer.status_code == 200
            assert "<script>alert" not in answer.text
            assert "onerror" not in answer.text
            await app.post(f"{talk}/accept")
            for more in (talk, f"{talk}/details"):
                answer = await app.get(more)
                assert answer.status_code == 200
                assert "<script>alert" not in answer.text
