"""Messages are sealed at rest: what opens them, for whom, for how long, and what goes on then."""

import re
from pathlib import Path

import pytest

from microfedi.account.unlocked import Unlocked
from microfedi.storage import message_heads, vault_keys
from microfedi.storage.database import Transaction
from tests.another_server import AS2, RemoteActor
from tests.app_fixture import PASSWORD, US, App, an_app, texts

ALICE = "https://vic.example/users/alice"
WORDS = "a-very-private-word"


async def a_talk(app: App) -> str:
    """A conversation with Alice, of one message; return its path."""
    met = await app.follow(app.world.actor(ALICE))
    message = await app.message([met.id], WORDS)
    return f"/messages/{message.conversation_id}"


async def writes(app: App, alice: RemoteActor, words: str, number: int = 1) -> None:
    """Alice answers."""
    app.clock.forward(seconds=1)
    uri = f"{ALICE}/m/{number}"
    note = {
        "@context": AS2,
        "id": f"{uri}/create",
        "type": "Create",
        "actor": ALICE,
        "to": [US],
        "object": {
            "id": uri,
            "type": "Note",
            "attributedTo": ALICE,
            "to": [US],
            "content": f"<p>{words}</p>",
            "tag": [{"type": "Mention", "href": US, "name": "@maya@us.example"}],
        },
    }
    await app.deliver(alice, note)
    await app.process()


def is_locked(page: str) -> bool:
    return "Messages are locked" in page


async def test_the_login_opens_them(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        talk = await a_talk(app)
        await app.login()
        assert WORDS in (await app.get(talk)).text
        assert WORDS in (await app.get("/messages")).text


async def test_they_lock_themselves_and_the_password_opens_them(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        talk = await a_talk(app)
        await app.login()
        app.clock.forward(minutes=14)
        assert WORDS in (await app.get(talk)).text
        app.clock.forward(minutes=14)
        assert WORDS in (await app.get(talk)).text
        app.clock.forward(minutes=16)
        for path in (talk, "/messages", f"{talk}/1", "/messages/requests", "/messages/new"):
            page = (await app.get(path)).text
            assert WORDS not in page, path
        answer = await app.get(talk)
        assert answer.status_code == 401
        assert is_locked(answer.text)
        assert (await app.get("/home?newest")).status_code == 200  # the login goes on

        wrong = await app.unlock("wrong " + PASSWORD)
        assert wrong.status_code == 401
        assert "does not open your messages" in texts(wrong)
        assert is_locked((await app.get(talk)).text)

        assert (await app.unlock()).headers["location"] == "/messages"
        assert WORDS in (await app.get(talk)).text
        assert "The messages were opened" in texts(await app.get("/settings/door"))


async def test_a_longer_time_is_set_with_the_messages_open_alone(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        talk = await a_talk(app)
        await app.login()
        idle, here = "/settings/messages/idle", "/settings/messages"
        app.clock.forward(minutes=300)
        answer = await app.post(idle, {"minutes": "720"}, page=here)
        assert answer.status_code == 401
        assert is_locked(answer.text)
        assert is_locked((await app.get(talk)).text)

        fields = {"minutes": "720", "vault_password": PASSWORD}
        assert (await app.post(idle, fields, page=here)).status_code == 303
        assert WORDS in (await app.get(talk)).text
        app.clock.forward(minutes=300)
        assert WORDS in (await app.get(talk)).text


async def test_the_page_leads_on_to_where_one_wanted_to_go(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        talk = await a_talk(app)
        await app.login()
        app.ctx.unlocked.lock_all()
        page = (await app.get(f"{talk}?before=9223372036854775807")).text
        target = re.search(r'name="next" value="([^"]*)"', page)
        assert target is not None
        fields = {"vault_password": PASSWORD, "next": target.group(1)}
        answer = await app.post("/unlock", fields, page="/settings")
        assert answer.headers["location"] == f"{talk}?before=9223372036854775807"
        elsewhere = {"vault_password": PASSWORD, "next": "https://evil.example/"}
        answer = await app.post("/unlock", elsewhere, page="/settings")
        assert answer.headers["location"] == "/messages"


async def test_a_restart_locks_them(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        talk = await a_talk(app)
        await app.login()
        app.ctx.unlocked = Unlocked()  # what a new process begins with
        assert is_locked((await app.get(talk)).text)
        await app.unlock()
        assert WORDS in (await app.get(talk)).text


async def test_another_browser_does_not_open_them(tmp_path: Path) -> None:
    """A session that the thief of the database made up has no key, whoever else is logged in."""
    async with an_app(tmp_path) as app:
        talk = await a_talk(app)
        await app.login()
        assert WORDS in (await app.get(talk)).text
        app.client.cookies.clear()
        assert (await app.get(talk)).status_code == 303
        await app.login()
        app.ctx.unlocked.lock(2)
        assert is_locked((await app.get(talk)).text)


@pytest.mark.parametrize("path", ["/lock", "/settings/security/sessions/end", "/logout"])
async def test_what_locks_them(tmp_path: Path, path: str) -> None:
    async with an_app(tmp_path) as app:
        await a_talk(app)
        await app.login()
        mine = app.browser()
        await app.login(mine)
        assert len(app.ctx.unlocked._held) == 2
        await app.post(path, {"all": "1"} | app.proof())
        assert len(app.ctx.unlocked._held) == 1


async def test_a_locked_server_receives_seals_and_sends_on(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        talk = await a_talk(app)
        alice = app.world.actor(ALICE)
        await writes(app, alice, "their-private-word")
        rows = await app.ctx.db.read(
            lambda r: [row["body_sealed"] for row in r.all("SELECT body_sealed FROM messages")]
        )
        assert [row[:3] for row in rows] == [b"\x02\x00\x01"] * 2

        # What arrives later about it is done without opening it.
        edited = {
            "@context": AS2,
            "id": f"{ALICE}/m/1/update",
            "type": "Update",
            "actor": ALICE,
            "to": [US],
            "object": {
                "id": f"{ALICE}/m/1",
                "type": "Note",
                "attributedTo": ALICE,
                "to": [US],
                "content": "<p>their-better-word</p>",
                "updated": "2026-11-22T12:01:00Z",
                "tag": [{"type": "Mention", "href": US, "name": "@maya@us.example"}],
            },
        }
        await app.deliver(alice, edited)
        await app.process()
        await app.login()
        page = (await app.get(talk)).text
        assert "their-better-word" in page
        assert "their-private-word" not in page
        app.ctx.unlocked.lock_all()
        await writes(app, alice, "while-locked", 2)
        await app.deliver(
            alice,
            {
                "@context": AS2,
                "id": f"{ALICE}/m/1/delete",
                "type": "Delete",
                "actor": ALICE,
                "to": [US],
                "object": f"{ALICE}/m/1",
            },
        )
        await app.process()
        await app.unlock()
        page = (await app.get(talk)).text
        assert "while-locked" in page
        assert "their-better-word" not in page


async def test_nothing_typed_is_lost(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        talk = await a_talk(app)
        await app.login()
        number = int(talk.rpartition("/")[2])
        message_id = await app.ctx.db.read(lambda r: message_heads.ids_of(r, number)[0])
        app.ctx.unlocked.lock_all()

        answer = await app.post(f"{talk}/{message_id}/edit", {"source": "my <new> words"})

        assert answer.status_code == 401
        assert "What you wrote is kept on this page" in texts(answer)
        assert f'action="{talk}/{message_id}/edit"' in answer.text
        assert 'name="source" value="my &lt;new&gt; words"' in answer.text
        carried = {"source": "my <new> words", "vault_password": PASSWORD}
        assert (await app.post(f"{talk}/{message_id}/edit", carried)).status_code == 303
        assert "my &lt;new&gt; words" in (await app.get(talk)).text


async def test_sending_needs_no_open_vault_and_drafts_are_kept(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        talk = await a_talk(app)
        await app.login()
        app.ctx.unlocked.lock_all()
        assert (await app.post(f"{talk}/draft", {"source": "half a sen"})).status_code in (204, 303)
        assert (await app.post(talk, {"source": "sent while locked"})).status_code == 303
        await app.unlock()
        assert "sent while locked" in (await app.get(talk)).text


async def test_without_the_key_nothing_is_opened_and_it_is_said(tmp_path: Path) -> None:
    """After a loss: what is older is sealed for ever, and the rest goes on."""
    async with an_app(tmp_path) as app:
        talk = await a_talk(app)
        await app.login()

        def lose(tx: Transaction) -> None:
            opened = vault_keys.create(tx, now=app.clock.now)
            vault_keys.let_in(tx, opened, "password", b"x" * 32, now=app.clock.now)

        await app.ctx.db.write(lose)
        key = await app.ctx.db.read(vault_keys.current)
        assert key is not None
        assert key.number == 2
        await writes(app, app.world.actor(ALICE), "of the new vault")

        said = texts(await app.get(talk))

        assert WORDS in said
        assert "of the new vault" not in said
        assert "Sealed for ever" in said


async def test_words_of_a_draft_are_not_on_the_disk(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        talk = await a_talk(app)
        await app.login()
        await app.post(f"{talk}/draft", {"source": "pumpernickel"})
        assert b"pumpernickel" not in repr(await app.rows()).encode()
        kept = await app.ctx.db.read(lambda r: r.value("SELECT body_sealed FROM message_drafts"))
        assert kept[:1] == b"\x02"
