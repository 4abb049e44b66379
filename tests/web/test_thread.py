"""A post's page: the rest of its thread is looked for, and what is missing is said."""

from pathlib import Path

from microfedi.federation import jobs, threads
from microfedi.federation.jobs import JobsWorker
from microfedi.protocol.vocab import PUBLIC
from microfedi.storage import blocks, departed, notes
from microfedi.storage.database import Transaction
from tests.another_server import AS2, Answer
from tests.app_fixture import App, an_app, texts

ALICE = "https://vic.example/users/alice"
BOB = "https://vic.example/users/bob"
CAROL = "https://fol.example/users/carol"


async def page_of(app: App, uri: str) -> str:
    """Where the owner reads a post of somebody else's."""
    note = await app.ctx.db.read(lambda reader: notes.by_uri(reader, uri))
    assert note is not None
    return f"/posts/{note.id}"


async def work(app: App) -> None:
    """Do the jobs that are due."""
    worker = JobsWorker(app.ctx, table={"replies": jobs.JOBS["replies"]})
    await worker.turn()
    while not worker.is_idle:
        await app.ctx.wake.jobs.wait()
        app.ctx.wake.jobs.clear()


async def test_the_replies_are_looked_for_when_the_owner_opens_a_post(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        app.world.actor(CAROL)
        app.world.name("away.example")
        await app.login()
        uri = await app.theirs(alice, replies=f"{ALICE}/notes/1/replies")
        child = f"{CAROL}/notes/1"
        note = {"id": child, "type": "Note", "attributedTo": CAROL, "content": "<p>I reply</p>"}
        app.world.serve(child, {"@context": AS2, **note, "to": [PUBLIC], "inReplyTo": uri})
        lost = [f"https://away.example/{number}" for number in range(3)]
        replies = {"id": f"{uri}/replies", "type": "Collection", "items": [child, *lost]}
        app.world.serve(f"{uri}/replies", {"@context": AS2, **replies})
        page = await page_of(app, uri)
        before = len(app.world.requests)

        first = await app.get(page)
        assert len(app.world.requests) == before  # the page waits for nobody
        assert "Fetching replies …" in texts(first)
        assert "I reply" not in texts(first)
        await work(app)
        second = await app.get(page)

        assert "I reply" in texts(second)
        assert (
            "3 replies could not be fetched: away.example did not answer. Last looked for replies: "
            in texts(second)
        )
        assert "Fetching" not in texts(second)


async def test_the_owner_can_have_a_thread_looked_for_again(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        await app.login()
        uri = await app.theirs(alice)
        page = await page_of(app, uri)
        await app.get(page)
        await work(app)
        assert f'formaction="{page}/look"' in (await app.get(page)).text

        app.clock.forward(seconds=threads.LOOK_AGAIN_AFTER.total_seconds())
        answer = await app.post(f"{page}/look", {"next": page}, page=page)

        assert answer.status_code == 303
        assert answer.headers["location"].startswith(page)
        assert "Fetching replies …" in texts(await app.get(page))


async def test_strangers_cause_no_look(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        note = await app.publish("Hello")
        await app.theirs(alice, inReplyTo=note.uri)

        answer = await app.get(f"/@maya/{note.public_id}")

        assert answer.status_code == 200
        assert "Fetching" not in answer.text
        assert await app.count("thread_fetches") == 0


async def test_where_nobody_else_takes_part_nothing_is_looked_for(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        note = await app.publish("Hello")

        answer = await app.get(f"/@maya/{note.public_id}")

        assert "replies" not in texts(answer).lower()
        assert await app.count("thread_fetches") == 0


async def test_a_deleted_beginning_is_said(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        app.world.serve(f"{CAROL}/notes/1", Answer(410))
        await app.login()
        uri = await app.theirs(alice, inReplyTo=f"{CAROL}/notes/1")
        page = await page_of(app, uri)

        await app.get(page)
        await work(app)
        answer = await app.get(page)

        assert "What this thread answers was deleted." in texts(answer)
        assert "not been found" not in texts(answer)


async def test_who_is_suspended_or_has_moved_is_shown_as_such(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice, bob = app.world.actor(ALICE, suspended=True), app.world.actor(BOB, movedTo=CAROL)
        await app.login()
        by_alice = await page_of(app, await app.theirs(alice))
        by_bob = await page_of(app, await app.theirs(bob))
        ids = [(await app.meet(one)).id for one in (alice, bob)]

        for path in (by_alice, f"/people/{ids[0]}"):
            shown = texts(await app.get(path))
            assert "This account has been suspended by its server." in shown
            assert " suspended " in shown
        for path in (by_bob, f"/people/{ids[1]}"):
            shown = texts(await app.get(path))
            assert f"This account says that it has moved to {CAROL} ." in shown
        assert " moved " in texts(await app.get(by_bob))


async def test_who_is_gone_is_shown_as_such(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = await app.meet(app.world.actor(ALICE))
        await app.login()

        def leave(tx: Transaction) -> None:
            blocks.block_actor(tx, alice.id, app.clock.now)
            departed.forget(tx, alice.id)

        await app.ctx.db.write(leave)

        answer = await app.get(f"/people/{alice.id}")

        assert "This account has been deleted." in texts(answer)
