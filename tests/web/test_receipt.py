"""The receipt of an own post, and the page that says how the server is: with real deliveries."""

import asyncio
from datetime import timedelta
from pathlib import Path

from microfedi.federation.deliver import Deliverer
from microfedi.federation.outbox import notes as outbox_notes
from microfedi.protocol.vocab import Visibility
from microfedi.storage import blocks, hosts
from tests.another_server import PATIENCE_S, Answer
from tests.app_fixture import App, an_app, texts

SECRET = "token=hunter2-do-not-show"


async def send(app: App) -> None:
    """Send what is due, and wait for the answers."""
    deliverer = Deliverer(app.ctx, chance=lambda: 0.5)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            app.ctx.wake.deliveries.clear()
            await deliverer.turn()
            if deliverer.is_idle:
                return
            if not deliverer._reports:
                await app.ctx.wake.deliveries.wait()


async def follower_at_a_server_that_is_down(app: App) -> None:
    """What they are sent goes to a host that has no address. (To their own, a connection is open
    from when they were met.)
    """
    ann = await app.followed_by(app.world.actor("https://a.example/users/ann"))
    await app.ctx.db.write(
        lambda tx: tx.run(
            "UPDATE actors SET shared_inbox = 'https://down.example/inbox' WHERE id = :id",
            {"id": ann.id},
        )
    )
    app.world.name("down.example")


async def host_id(app: App, name: str) -> int:
    found = await app.ctx.db.read(lambda reader: hosts.by_name(reader, name))
    assert found is not None
    return found.id


async def test_a_receipt_names_who_has_it_who_is_tried_who_lost_it_and_who_was_left_out(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await follower_at_a_server_that_is_down(app)
        for name in ("good", "picky", "closed"):
            ann = app.world.actor(f"https://{name}.example/users/ann")
            await app.followed_by(ann)
        gone = await app.followed_by(app.world.actor("https://lost.example/users/gone"))
        await app.ctx.db.write(
            lambda tx: tx.run("UPDATE actors SET state = 'gone' WHERE id = :id", {"id": gone.id})
        )
        blocked = await app.followed_by(app.world.actor("https://rude.example/users/eve"))
        await app.ctx.db.write(lambda tx: blocks.block_actor(tx, blocked.id, app.clock.now))
        app.world.serve("https://picky.example/inbox", Answer(403, body=f"bad {SECRET}".encode()))
        app.world.serve("https://closed.example/inbox", Answer(410))
        note = await app.publish("Hello, everybody")
        await send(app)

        page = await app.get(f"/posts/{note.id}/receipt")
        said = texts(page)
        assert "Reached 1 of 4 servers" in said
        assert "good.example" in said.partition("1 has it")[2]
        assert "2 are still tried" in said
        assert "down.example Its name leads nowhere: it may be gone for good." in said
        assert "picky.example It does not accept what we send (403)." in said
        assert "closed.example Whom it was for is not there any more (410)." in said
        assert "@gone@lost.example The account has been deleted." in said
        assert "@eve@rude.example Blocked by you." in said
        assert SECRET not in page.text
        rows = str(await app.rows())
        assert SECRET not in rows

        thread = await app.get(f"/@maya/{note.public_id}")
        assert "reached 1 of 4 servers · 2 retry" in texts(thread)
        assert f"/posts/{note.id}/receipt" in thread.text
        stranger = await app.browser().get(f"/@maya/{note.public_id}")
        assert "reached" not in texts(stranger)

        # Later: the queue is empty, and the receipt still knows.
        for _ in range(4):
            app.clock.forward(days=8)
            await send(app)
        await app.login()
        assert await app.count("deliveries") == 0
        said = texts(await app.get(f"/posts/{note.id}/receipt"))
        assert "3 did not get it" in said
        assert "down.example Its name leads nowhere" in said
        assert "Receipt" not in said.partition("Reached")[0]


async def test_a_receipt_of_followers_is_sealed_and_nobody_elses_post_has_one(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.followed_by(app.world.actor("https://good.example/users/ann"))
        note = await app.publish("Psst", Visibility.FOLLOWERS)
        await send(app)
        outgoing = (await app.rows())["outgoing"]
        assert "good.example" not in str(outgoing)
        assert b"good.example" not in b"".join(
            value for row in outgoing for value in row if isinstance(value, bytes)
        )
        ben = app.world.actor("https://b.example/users/ben")
        uri = await app.theirs(ben)
        theirs = await app.ctx.db.read(
            lambda reader: reader.value("SELECT id FROM notes WHERE uri = :uri", {"uri": uri})
        )
        assert (await app.get(f"/posts/{theirs}/receipt")).status_code == 404
        assert (await app.get("/posts/9/receipt")).status_code == 404
        stranger = await app.browser().get(f"/posts/{note.id}/receipt")
        assert stranger.status_code == 303
        assert stranger.headers["location"].startswith("/login")


async def test_an_edit_is_tried_where_the_post_was_given_up_on(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.followed_by(app.world.actor("https://a.example/users/ann"))
        app.world.serve("https://a.example/inbox", Answer(410))
        note = await app.publish("Hello")
        await send(app)
        assert "1 did not get it" in texts(await app.get(f"/posts/{note.id}/receipt"))
        await outbox_notes.edit(app.ctx, note.id, outbox_notes.Draft("Hello!", Visibility.PUBLIC))
        assert "1 is still tried" in texts(await app.get(f"/posts/{note.id}/receipt"))


async def test_a_post_for_nobody_and_one_too_old_say_so(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        note = await app.publish("Is anybody here?")
        assert "Sent to nobody" in texts(await app.get(f"/posts/{note.id}/receipt"))
        app.clock.forward(days=91)
        await app.login()
        said = texts(await app.get(f"/posts/{note.id}/receipt"))
        assert "The receipt is gone" in said
        assert "Receipts are kept for 90 days." in said


async def test_the_status_page_says_what_waits_and_who_fails_and_tries_again(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        said = texts(await app.get("/settings/status"))
        assert "Every server for which something waits answered the last time." in said
        await follower_at_a_server_that_is_down(app)
        note = await app.publish("Hello")
        await send(app)
        said = texts(await app.get("/settings/status"))
        assert "down.example 1 waits Its name leads nowhere" in said
        assert "Does not answer since 22 November 2026, 12:00." in said

        number = await host_id(app, "down.example")
        app.world.name("down.example", "93.184.216.34")
        answer = await app.post(f"/settings/status/hosts/{number}/try")
        assert answer.headers["location"] == "/settings/status?done=try#failing"
        await send(app)
        assert len(app.world.posts("https://down.example/inbox")) == 1
        assert "Reached 1 of 1 server" in texts(await app.get(f"/posts/{note.id}/receipt"))


async def test_giving_up_on_a_server_throws_away_what_waits_and_the_receipt_says_so(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await follower_at_a_server_that_is_down(app)
        note = await app.publish("Hello")
        await send(app)
        number = await host_id(app, "down.example")
        assert (
            await app.client.post(f"/settings/status/hosts/{number}/give-up")
        ).status_code == 403
        assert await app.count("deliveries") == 1
        answer = await app.post(f"/settings/status/hosts/{number}/give-up")
        assert answer.status_code == 303
        assert await app.count("deliveries") == 0
        assert "down.example You gave up on it." in texts(
            await app.get(f"/posts/{note.id}/receipt")
        )
        assert "thrown away" in texts(await app.get(answer.headers["location"]))
        # Nothing waits any more: there is nothing to try, and no server of that number.
        for wrong in (number, 10**6):
            assert (await app.post(f"/settings/status/hosts/{wrong}/try")).status_code == 404


async def test_what_is_late_is_marked(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.ctx.db.write(
            lambda tx: tx.run(
                "INSERT INTO jobs (kind, key, due_at) VALUES ('refresh', 'x', :at)",
                {"at": (app.clock.now - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")},
            )
        )
        assert "the machine may be too busy" in texts(await app.get("/settings/status"))
