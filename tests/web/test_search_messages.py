"""Messages are searched in memory: in a session that has the vault open, and in no other."""

import logging
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from microfedi.storage import message_search
from microfedi.storage.database import Reader
from microfedi.storage.search import Query, Term
from microfedi.web import searching_messages
from tests.app_fixture import PASSWORD, App, an_app, texts
from tests.web.test_search import indexed
from tests.web.test_vault import ALICE, a_talk, is_locked, writes

BOB = "https://bob.example/users/bob"


async def found(app: App, text: str, more: str = "") -> str:
    answer = await app.get(f"/search?show=messages&q={quote_plus(text)}{more}")
    assert answer.status_code == 200
    return texts(answer)


def further(page: str) -> str:
    """The address of the next page."""
    return page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")


async def test_words_find_messages_and_lead_to_them(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        bob = await app.follow(app.world.actor(BOB))
        talk = await a_talk(app)
        await writes(
            app, alice, 'Die Crème brûlée schmeckt, <a href="https://pages.example/x">sieh</a>', 1
        )
        await app.message([bob.id], "A kite over wet sand")
        await indexed(app)  # the names of people

        for text in (
            "creme",
            "BRULEE",
            '"crème brulee"',
            "schme*",
            "brulee from:@alice@vic.example",
        ):
            page = await found(app, text)
            assert "schmeckt" in page, text
            assert "wet sand" not in page, text
        assert "You: A kite" in await found(app, "wet sand from:me")
        for text in ('"sand wet"', "kite -sand", "schme", "kite from:@alice@vic.example"):
            assert "Nothing found" in await found(app, text), text
        assert "schmeckt" not in await found(app, "-from:alice")
        assert "schmeckt" in await found(app, "has:link")
        assert "wet sand" not in await found(app, "has:link")
        assert "wet sand" in await found(app, "after:2000")
        assert "Nothing found" in await found(app, "before:2000")
        answer = await app.get("/search?show=messages&q=creme")
        assert f'href="{talk}/' in answer.text
        assert "are about posts" in await found(app, "kite in:home")
        assert "are about posts" not in await found(app, "kite")


async def test_a_locked_session_is_asked_and_comes_back_with_its_question(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        talk = await a_talk(app)
        path = "/search?show=messages&q=very+private"
        assert f'href="{talk}/' in (await app.get(path)).text

        await app.post("/lock")
        locked = await app.get(path)

        assert locked.status_code == 401
        assert is_locked(locked.text)
        assert talk not in locked.text
        back = await app.post("/unlock", {"vault_password": PASSWORD, "next": path}, page=path)
        assert back.headers["location"] == path
        assert f'href="{talk}/' in (await app.get(path)).text


async def test_another_session_opens_nothing_for_this_one(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await a_talk(app)
        await app.post("/lock")
        other = app.browser()
        await app.login(other)
        path = "/search?show=messages&q=private"
        assert "a-very-private-word" in texts(await other.get(path))

        assert is_locked((await app.get(path)).text)
        stranger = await app.browser().get(path)
        assert stranger.status_code in (303, 401)
        assert "a-very" not in stranger.text


async def test_posts_and_other_tabs_find_no_message(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await a_talk(app)
        for show in ("all", "people", "hashtags", "posts", "nonsense"):
            page = texts(await app.get(f"/search?q=private&show={show}"))
            assert "a-very-private-word" not in page


async def test_a_search_of_messages_asks_no_other_server_and_logs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await a_talk(app)
        before = len(app.world.gets())
        with caplog.at_level(logging.DEBUG, logger="microfedi"):
            answer = await app.post("/search", {"q": "@zed@vic.example", "show": "messages"})
            assert answer.headers["location"] == "/search?q=%40zed%40vic.example&show=messages"
            await found(app, "@zed@vic.example")
        assert len(app.world.gets()) == before
        assert "zed" not in caplog.text


async def test_what_is_opened_for_a_page_is_bounded_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        bob = await app.follow(app.world.actor(BOB))
        monkeypatch.setattr(message_search, "BATCH", 3)
        monkeypatch.setattr(searching_messages, "PAGE_MESSAGES", 2)
        await app.message([bob.id], "first heron")
        for number in range(7):
            app.clock.forward(seconds=1)
            await app.message([bob.id], f"plain {number}")
        for number in range(3):
            app.clock.forward(seconds=1)
            await app.message([bob.id], f"heron {number}")

        first = await app.get("/search?show=messages&q=heron")
        assert "heron 2" in first.text
        assert "heron 1" in first.text
        assert "heron 0" not in first.text
        second = await app.get(further(first.text))
        assert "heron 0" in second.text
        assert "Many messages were opened so far." in second.text
        assert "first heron" not in second.text
        third = await app.get(further(second.text))
        assert "first heron" in third.text
        assert 'rel="next"' not in third.text

        await app.post("/lock")
        assert is_locked((await app.get(further(first.text))).text)


async def test_batches_are_bounded_in_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        bob = await app.follow(app.world.actor(BOB))
        for number in range(3):
            app.clock.forward(seconds=1)
            await app.message([bob.id], f"heron {number} " + "x" * 300)
        monkeypatch.setattr(message_search, "BATCH_BYTES", 700)
        monkeypatch.setattr(searching_messages, "MAX_BATCHES", 1)

        first = await app.get("/search?show=messages&q=heron")
        assert "heron 2" in first.text
        assert "heron 1" not in first.text  # they did not fit into one
        assert "heron 1" in (await app.get(further(first.text))).text


async def test_who_waits_in_the_drawer_is_not_found(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await writes(app, app.world.actor(ALICE), "a first heron")

        assert "Nothing found" in await found(app, "heron")


@pytest.mark.parametrize(
    "text",
    ["(" * 2000, '"' * 1999, "* -* \\", "%'; DROP TABLE messages", "\x00", "a " * 999, "in:"],
)
async def test_odd_questions_are_answered(tmp_path: Path, text: str) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await a_talk(app)
        await found(app, text)
        await found(app, text, "&before=1")


async def test_it_needs_the_vault_whoever_asks(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await a_talk(app)

        def question(reader: Reader) -> None:
            with pytest.raises(Exception, match="not open"):
                message_search.step(reader, Query((Term("private"),)))

        await app.ctx.db.read(question)
