"""What opens the messages can be made anew, and what was lost can be found again."""

import html
import re
from pathlib import Path

import httpx2
import pytest

from microfedi.account import passwords, recovery_key, renewing, vaults
from microfedi.errors import InvalidInput, WrongCredentials
from microfedi.storage import credentials, vault, vault_keys
from microfedi.storage.door_log import NOBODY
from microfedi.storage.vault_keys import Opened
from tests.app_fixture import PASSWORD, App, an_app, texts

ALICE = "https://vic.example/users/alice"
FIRST, SECOND = "a-very-private-word", "another-private-word"
NEW_PASSWORD = "nine blue kettles on the moor"
PLACE = "/settings/messages"


async def change(app: App, path: str, **typed: str) -> httpx2.Response:
    """Send a form of the page with both factors."""
    app.clock.forward(minutes=1)
    factors = {"password": PASSWORD, "code": app.code()}
    return await app.post(f"{PLACE}/{path}", factors | typed, page=PLACE)


def shown_key(answer: httpx2.Response) -> str:
    assert answer.status_code == 200, texts(answer)
    found = re.search(r'<p class="secret"[^>]*>([^<]+)</p>', answer.text)
    assert found, texts(answer)
    assert answer.headers["cache-control"] == "no-store"
    return html.unescape(found[1])


async def opened_by(app: App, kind: vault_keys.Kind, key: bytes) -> Opened:
    return await app.ctx.db.read(lambda r: vault_keys.open_by(r, kind, key))


async def can_be_read(app: App, talk: str) -> list[str]:
    page = (await app.get(talk)).text
    return [word for word in (FIRST, SECOND) if word in page]


async def start_anew(app: App, typed_key: str = "") -> None:
    """A new password, set on the server, and a login with it."""
    app.clock.forward(minutes=1)
    fresh = await renewing.reset(
        app.ctx.db, app.ctx.config, password=NEW_PASSWORD, now=app.clock.now, typed_key=typed_key
    )
    app.secret = fresh.factors.totp_secret
    app.client.cookies.clear()
    app.clock.forward(minutes=1)
    typed = {"password": NEW_PASSWORD, "code": app.code()}
    assert (await app.post("/login", typed, page="/login")).status_code == 303


async def test_a_new_recovery_key_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        old = shown_key(await change(app, "recovery-key"))
        new = shown_key(await change(app, "recovery-key"))

        assert old != new
        assert new not in (await app.get(PLACE)).text
        assert (await opened_by(app, "recovery", recovery_key.key_of(new))).vault == 1
        with pytest.raises(WrongCredentials):
            await opened_by(app, "recovery", recovery_key.key_of(old))
        assert texts(await app.get("/settings/door")).count("A new recovery key was made") == 2


async def test_it_opens_the_messages_after_a_new_password(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        friend = await app.follow(app.world.actor(ALICE))
        message = await app.message([friend.id], FIRST)
        await app.login()
        key = shown_key(await change(app, "recovery-key"))

        await start_anew(app, key)

        assert FIRST in (await app.get(f"/messages/{message.conversation_id}")).text
        assert "Older messages" not in texts(await app.get(PLACE))


async def test_other_locks_open_what_was_there_and_shut_out_older_copies(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        friend = await app.follow(app.world.actor(ALICE))
        await app.login()
        message = await app.message([friend.id], FIRST)
        talk = f"/messages/{message.conversation_id}"
        first_key = shown_key(await change(app, "recovery-key"))
        # Who copied the disk now, and knows the password:
        proof = await passwords.verify(PASSWORD, await app.ctx.db.read(credentials.password_hash))
        assert proof is not None
        assert proof.vault_key is not None
        thief = await opened_by(app, "password", proof.vault_key)
        other = app.browser()
        await app.login(other)

        new_key = shown_key(await change(app, "locks"))

        await app.message([friend.id], SECOND)
        assert await can_be_read(app, talk) == [FIRST, SECOND]
        assert (await other.get(talk)).status_code == 401  # its vault has the locks of before
        for opens_nothing in (first_key, recovery_key.new()):
            with pytest.raises(WrongCredentials):
                await opened_by(app, "recovery", recovery_key.key_of(opens_nothing))
        rows = await app.rows()
        numbers = [row[0] for row in rows["vault_keys"]]
        assert len(numbers) == 2
        assert [number for number in numbers if number not in thief.secrets] == [max(numbers)]
        (wrapped,) = [row[3] for row in rows["vault_keys"] if row[0] == max(numbers)]
        vaults_of = {row[1] for row in rows["vault_keys"]}
        assert vaults_of == {2}
        with pytest.raises(ValueError, match="does not open"):
            vault.unwrap(thief.master, wrapped, bound_to=f"key 2 {max(numbers)}")
        app.client.cookies.clear()
        await app.login()
        assert await can_be_read(app, talk) == [FIRST, SECOND]
        await start_anew(app, new_key)
        assert await can_be_read(app, talk) == [FIRST, SECOND]


@pytest.mark.parametrize("what", ["password", "recovery"])
async def test_what_was_lost_is_found_again(tmp_path: Path, what: str) -> None:
    async with an_app(tmp_path) as app:
        friend = await app.follow(app.world.actor(ALICE))
        message = await app.message([friend.id], FIRST)
        talk = f"/messages/{message.conversation_id}"
        await app.login()
        old_key = shown_key(await change(app, "recovery-key"))
        assert "Older messages" not in texts(await app.get(PLACE))
        await start_anew(app)
        await app.message([friend.id], SECOND)
        page = (await app.get(talk)).text
        assert "Sealed for ever" in page
        assert SECOND in page
        assert FIRST not in page
        assert "Older messages that do not open" in texts(await app.get(PLACE))

        for wrong in ("no such password as this", recovery_key.new()):
            answer = await change(app, "older", password=NEW_PASSWORD, older=wrong)
            assert answer.status_code == 422
            assert "opens none" in texts(answer)
        older = PASSWORD if what == "password" else old_key
        answer = await change(app, "older", password=NEW_PASSWORD, older=older)

        assert answer.status_code == 200, texts(answer)
        page = (await app.get(talk)).text
        assert all(word in page for word in (FIRST, SECOND))
        assert "Older messages" not in texts(await app.get(PLACE))
        assert "Messages that were sealed for ever were opened" in texts(
            await app.get("/settings/door")
        )


@pytest.mark.parametrize("path", ["recovery-key", "locks", "older"])
async def test_nothing_is_changed_without_both_factors(tmp_path: Path, path: str) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        before = {name: (await app.rows())[name] for name in ("vault_keys", "vault_ways")}
        for typed in ({"password": "wrong " + PASSWORD}, {"code": "000000"}, {"password": ""}):
            answer = await change(app, path, older="anything at all", **typed)
            assert answer.status_code == 422, typed
            app.clock.forward(minutes=20)
        assert (await app.client.post(f"{PLACE}/{path}", data={})).status_code == 403
        assert before == {name: (await app.rows())[name] for name in before}


async def test_a_password_way_is_not_renewed_by_another_password(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        proof = await passwords.verify(PASSWORD, await app.ctx.db.read(credentials.password_hash))
        assert proof is not None
        assert proof.vault_key is not None
        opened = await opened_by(app, "password", proof.vault_key)
        with pytest.raises(InvalidInput):
            await vaults.renew_locks(
                app.ctx.db, opened, "not the password", now=app.clock.now, by=NOBODY
            )
        assert await app.count("vault_keys") == 1
