"""A message that is sent later: by the server itself, whether or not its owner is there."""

import re
from datetime import timedelta
from pathlib import Path

import httpx2

from microfedi.account.unlocked import Unlocked
from microfedi.federation.outbox import scheduled_messages as outbox
from microfedi.storage import blocks, scheduled_messages, vault_keys
from microfedi.storage.database import Reader, Transaction
from tests.another_server import RemoteActor
from tests.app_fixture import App, an_app, texts
from tests.federation.outbox.sent import send_all
from tests.web.test_vault import ALICE, is_locked

WORDS = "see you at the jetty"


async def a_talk(app: App) -> tuple[RemoteActor, str]:
    await app.login()
    alice = app.world.actor(ALICE)
    met = await app.follow(alice)
    first = await app.message([met.id], "Hello")
    await send_all(app.ctx, app.world)
    return alice, f"/messages/{first.conversation_id}"


def later(app: App, **by: float) -> str:
    return f"{app.clock.now + timedelta(**by):%Y-%m-%dT%H:%M}"


async def scheduled(app: App, talk: str, **fields: str) -> httpx2.Response:
    typed = {"source": WORDS, "at": later(app, hours=3)} | fields
    return await app.post(talk, typed, page=talk)


async def keys(app: App) -> list[str]:
    def question(reader: Reader) -> list[str]:
        return [row["key"] for row in reader.all("SELECT key FROM scheduled_messages")]

    return await app.ctx.db.read(question)


async def due(app: App) -> None:
    """Do what the job does, for each that waits, and again: it is done once."""
    for key in await keys(app):
        await outbox.send_due(app.ctx, key)
        await outbox.send_due(app.ctx, key)


async def test_a_locked_phone_shows_nothing_of_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        _, talk = await a_talk(app)
        assert (await scheduled(app, talk, summary="a plan")).status_code == 303
        app.ctx.unlocked.lock_all()
        pages = ("", "?before=1", "?after=9223372036854775806", "/details", "/1")
        for path in (*(talk + one for one in pages), "/scheduled", "/messages"):
            page = await app.get(path)
            assert WORDS not in page.text, path
            assert "a plan" not in page.text, path
            if "?" in path:
                assert is_locked(page.text), path


async def test_it_is_sent_at_its_time_while_the_vault_is_locked(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        _, talk = await a_talk(app)
        assert (await scheduled(app, talk, summary="a plan")).status_code == 303
        page = await app.get(talk)
        assert "Is sent on" in texts(page)
        assert WORDS in page.text
        assert WORDS not in (await app.get("/messages")).text
        assert "1 message to" in texts(await app.get("/scheduled"))
        assert await app.ctx.db.read(lambda r: r.value("SELECT kind FROM jobs WHERE key != ''"))

        await due(app)  # too soon
        assert await send_all(app.ctx, app.world) == []
        app.clock.forward(hours=3, minutes=1)
        app.ctx.unlocked = Unlocked()  # and it was started anew
        assert is_locked((await app.get(talk)).text)
        await due(app)

        (arrived,) = await send_all(app.ctx, app.world)
        assert WORDS in arrived.body.decode()
        assert await keys(app) == []
        await app.unlock()
        page = await app.get(talk)
        assert page.text.count(WORDS) == 1
        assert "Is sent on" not in texts(page)
        sealed = await app.ctx.db.read(
            lambda r: [one["body_sealed"] for one in r.all("SELECT body_sealed FROM messages")]
        )
        assert [one[:1] for one in sealed] == [b"\x02", b"\x02"]  # the copy here: by the vault


async def test_what_is_typed_meanwhile_stays_in_the_box(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        _, talk = await a_talk(app)
        await scheduled(app, talk)
        await app.post(f"{talk}/draft", {"source": "half a thought"}, page=talk)
        app.clock.forward(hours=4)
        await due(app)
        await app.unlock()
        assert "half a thought</textarea>" in (await app.get(talk)).text


async def test_it_is_sent_now_or_taken_back_into_the_box(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        _, talk = await a_talk(app)
        await scheduled(app, talk, source="the first")
        (key,) = await keys(app)
        sent = await app.post(f"{talk}/scheduled/{key}/send", page=talk)
        assert sent.status_code == 303
        assert len(await send_all(app.ctx, app.world)) == 1
        again = await app.post(f"{talk}/scheduled/{key}/send", page=talk)
        assert again.status_code == 404

        await scheduled(app, talk, source="the second")
        await app.post(f"{talk}/draft", {"source": "typed before"}, page=talk)
        (key,) = await keys(app)
        elsewhere = await app.post(f"/messages/999/scheduled/{key}/cancel", page=talk)
        assert elsewhere.status_code == 404
        await app.post(f"{talk}/scheduled/{key}/cancel", page=talk)
        box = re.search(r"<textarea[^>]*>([^<]*)</textarea>", (await app.get(talk)).text)
        assert box
        assert box[1] == "typed before\n\nthe second"
        assert await keys(app) == []


async def test_a_locked_session_sees_and_moves_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        _, talk = await a_talk(app)
        await scheduled(app, talk)
        (key,) = await keys(app)
        await app.post("/lock")
        for path in (talk, "/scheduled", "/messages"):
            assert WORDS not in (await app.get(path)).text
        for what in ("send", "cancel"):
            answer = await app.post(f"{talk}/scheduled/{key}/{what}", page="/settings")
            assert answer.status_code == 401
        assert await keys(app) == [key]


async def test_what_cannot_be_sent_waits_for_its_owner_sealed_by_the_vault(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        _, talk = await a_talk(app)
        await scheduled(app, talk)
        await app.ctx.db.write(lambda tx: blocks.block_host(tx, "vic.example", app.clock.now))
        app.clock.forward(hours=4)
        await due(app)
        assert await send_all(app.ctx, app.world) == []
        (body,) = await app.ctx.db.read(
            lambda r: [one["body_sealed"] for one in r.all("SELECT * FROM scheduled_messages")]
        )
        assert body[:1] == b"\x02"
        await app.unlock()
        page = texts(await app.get(talk))
        assert "It was not sent" in page
        assert WORDS in page
        (key,) = await keys(app)
        assert (await app.post(f"{talk}/scheduled/{key}/cancel", page=talk)).status_code == 303


async def test_one_that_a_lost_vault_sealed_keeps_nobody_out_of_the_conversation(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        _, talk = await a_talk(app)
        await scheduled(app, talk)
        (key,) = await keys(app)

        def lose(tx: Transaction) -> None:
            opened = vault_keys.create(tx, now=app.clock.now)
            vault_keys.let_in(tx, opened, "password", b"x" * 32, now=app.clock.now)

        await app.ctx.db.write(lambda tx: blocks.block_host(tx, "vic.example", app.clock.now))
        app.clock.forward(hours=4)
        await app.ctx.db.write(lose)
        await due(app)  # sealed by a vault that the password does not open
        await app.unlock()

        page = await app.get(talk)
        assert page.status_code == 200
        assert "It was not sent: It is sealed for ever" in texts(page)
        assert WORDS not in page.text
        assert f"{key}/send" not in page.text
        assert (await app.post(f"{talk}/scheduled/{key}/send", page=talk)).status_code == 422
        await app.post(f"{talk}/scheduled/{key}/cancel", page=talk)
        assert await keys(app) == []
        assert "It was not sent" not in texts(await app.get(talk))


async def test_what_makes_no_sense_is_said_and_nothing_is_sent(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        _, talk = await a_talk(app)
        for at in (later(app, minutes=1), later(app, days=400), "tomorrow", "2026-13-01T00:00"):
            answer = await scheduled(app, talk, at=at)
            assert answer.status_code == 422, at
            assert WORDS in answer.text  # what was typed is still there
        answer = await scheduled(app, talk, source="")
        assert answer.status_code == 422
        outside = await scheduled(app, talk, source="Hi @zed@zed.example")
        assert "is not part of this conversation" in texts(outside)
        assert await keys(app) == []
        assert await send_all(app.ctx, app.world) == []


async def test_so_many_wait_and_no_more(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        _, talk = await a_talk(app)

        def fill(tx: Transaction) -> None:
            for _ in range(scheduled_messages.MAX_WAITING):
                scheduled_messages.add(tx, int(talk[10:]), "x", "", app.clock.now)

        await app.ctx.db.write(fill)
        answer = await scheduled(app, talk)
        assert answer.status_code == 422
        assert "At most 50 messages" in texts(answer)


async def test_a_conversation_that_is_removed_takes_them_along(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        _, talk = await a_talk(app)
        await scheduled(app, talk)
        (key,) = await keys(app)
        await app.post(f"{talk}/remove", page=talk)
        assert await keys(app) == []
        app.clock.forward(hours=4)
        assert await outbox.send_due(app.ctx, key) is None
        assert await send_all(app.ctx, app.world) == []
