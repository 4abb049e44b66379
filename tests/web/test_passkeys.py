"""Passkeys through the pages: added, used beside the password or alone, removed."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from microfedi.account import renewing
from microfedi.federation.outbox import irreversible
from microfedi.storage import vault_keys
from tests.app_fixture import PASSWORD, App, an_app, texts
from tests.authenticator import USER_PRESENT, Authenticator


def a_device() -> Authenticator:
    return Authenticator("https://us.example", "us.example")


async def asked(app: App, purpose: str) -> dict[str, Any]:
    answer = await app.get(f"/passkeys/ask?for={purpose}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def add(app: App, device: Authenticator, **fields: str) -> httpx2.Response:
    app.clock.forward(minutes=1)
    made = device.make(await asked(app, "make"))
    typed = {"name": "My phone", "password": PASSWORD, "code": app.code(), "made": made}
    return await app.post("/settings/passkeys", typed | fields)


async def enrolled(app: App, device: Authenticator) -> None:
    await app.login()
    assert (await add(app, device)).status_code == 303


async def log_in(app: App, device: Authenticator, **fields: str) -> httpx2.Response:
    app.client.cookies.clear()
    app.clock.forward(minutes=1)
    await app.get("/login")
    passkey = device.use(await asked(app, "login"))
    return await app.post("/login", {"passkey": passkey} | fields, page="/login")


async def is_in(app: App) -> bool:
    return (await app.get("/settings/door")).status_code == 200


async def test_a_passkey_logs_in_alone(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        device = a_device()
        await enrolled(app, device)
        assert "My phone" in texts(await app.get("/settings/passkeys"))

        answer = await log_in(app, device)

        assert answer.headers["location"] == "/home"
        assert await is_in(app)
        said = texts(await app.get("/settings/door"))
        assert "Logged in · passkey" in said
        assert "A passkey was added · My phone" in said


async def test_beside_the_password_it_stands_for_the_code(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        device = a_device()
        await enrolled(app, device)
        wrong = await log_in(app, device, password="wrong " + PASSWORD)
        assert wrong.status_code == 401
        assert not await is_in(app)

        assert (await log_in(app, device, password=PASSWORD)).status_code == 303

        assert await is_in(app)
        ways = await app.ctx.db.read(vault_keys.ways)
        assert [way.kind for way in ways] == ["passkey", "password", "recovery"]
        assert "Opens your messages" in texts(await app.get("/settings/passkeys"))


@pytest.mark.parametrize("has_prf", [True, False])
async def test_with_prf_it_opens_the_messages_and_without_the_account_only(
    tmp_path: Path, has_prf: bool
) -> None:
    async with an_app(tmp_path) as app:
        device = a_device()
        device.has_prf = has_prf
        await enrolled(app, device)
        await log_in(app, device, password=PASSWORD)
        app.ctx.unlocked.lock_all()

        assert (await log_in(app, device)).status_code == 303

        assert len(app.ctx.unlocked._held) == has_prf


async def test_a_wrong_or_used_answer_logs_nobody_in(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        mine, other = a_device(), a_device()
        await enrolled(app, mine)
        other.user = mine.user
        assert (await log_in(app, other)).status_code == 401
        mine.flags = USER_PRESENT  # nobody asked for the finger
        assert (await log_in(app, mine)).status_code == 401
        mine.flags |= 4
        mine.origin = "https://us.example.evil.example"
        assert (await log_in(app, mine)).status_code == 401
        mine.origin = "https://us.example"
        for garbage in ("{}", "x" * 40_000, json.dumps({"rawId": "AAAA"})):
            app.clock.forward(minutes=10)
            answer = await app.post("/login", {"passkey": garbage}, page="/login")
            assert answer.status_code == 401
        assert not await is_in(app)
        app.clock.forward(minutes=10)
        assert (await log_in(app, mine)).status_code == 303


async def test_an_answer_from_another_browser_is_worth_nothing(tmp_path: Path) -> None:
    """Somebody who saw the answer on its way cannot use it: it is bound to the form's cookie."""
    async with an_app(tmp_path) as app:
        device = a_device()
        await enrolled(app, device)
        app.client.cookies.clear()
        await app.get("/login")
        passkey = device.use(await asked(app, "login"))
        app.client.cookies.clear()
        await app.get("/login")
        assert (await app.post("/login", {"passkey": passkey}, page="/login")).status_code == 401


async def test_a_copied_passkey_is_noticed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        device = a_device()
        await enrolled(app, device)
        assert (await log_in(app, device)).status_code == 303
        device.uses = 0
        assert (await log_in(app, device)).status_code == 401


async def test_adding_asks_for_both_factors(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        for fields in ({"password": "wrong"}, {"code": "000000"}, {"made": "{}"}, {"name": " "}):
            assert (await add(app, a_device(), **fields)).status_code == 422
        assert await app.count("passkeys") == 0


async def test_a_removed_one_opens_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        device = a_device()
        await enrolled(app, device)
        app.clock.forward(minutes=1)
        assert (
            await app.post("/settings/passkeys/1/remove", {"password": "no"})
        ).status_code == 422
        app.clock.forward(minutes=1)
        typed = {"password": PASSWORD, "code": app.code()}
        assert (await app.post("/settings/passkeys/1/remove", typed)).status_code == 303
        assert await app.count("passkeys") == 0
        assert (await log_in(app, device)).status_code == 401


async def test_a_reset_on_the_server_undoes_what_a_thief_left_behind(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        device = a_device()
        await enrolled(app, device)
        await irreversible.ask(app.ctx, "delete")

        await renewing.reset(
            app.ctx.db, app.ctx.config, password="nine blue kettles on the moor", now=app.clock.now
        )

        assert await app.count("passkeys") == 0
        assert await app.count("pending_acts") == 0
        ways = await app.ctx.db.read(vault_keys.ways)
        assert "passkey" not in {way.kind for way in ways}
        assert (await log_in(app, device)).status_code == 401


async def test_names_are_text(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await enrolled(app, a_device())
        await app.post("/settings/passkeys/1/name", {"name": '"><b>bold'} | app.proof())
        page = (await app.get("/settings/passkeys")).text
        assert "<b>bold" not in page
        assert "&lt;b&gt;bold" in page
        assert (await app.post("/settings/passkeys/1/name", {"name": ""})).status_code == 422


async def test_strangers_learn_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await enrolled(app, a_device())
        app.client.cookies.clear()
        assert (await asked(app, "login"))["allowCredentials"] == []
        for purpose in ("make", "confirm", "", "x"):
            assert (await app.get(f"/passkeys/ask?for={purpose}")).status_code == 404


async def test_it_stands_for_the_code_before_what_matters(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        device = a_device()
        await enrolled(app, device)
        app.clock.forward(minutes=1)
        for purpose, status in (("login", 422), ("confirm", 200)):
            passkey = device.use(
                await asked(app, "confirm")
                | {"challenge": (await asked(app, purpose))["challenge"]}
            )
            answer = await app.post(
                "/settings/security/codes", {"password": PASSWORD, "passkey": passkey}
            )
            assert answer.status_code == status, purpose


async def test_a_password_is_not_changed_so_that_it_opens_no_messages(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        device = a_device()
        device.has_prf = False
        await enrolled(app, device)
        app.clock.forward(minutes=1)
        new = "nine quiet geese on a jetty"
        fields = {"new_password": new, "new_password_again": new}
        answer = await app.post(
            "/settings/security/password",
            {**fields, "passkey": device.use(await asked(app, "confirm"))},
        )
        assert answer.status_code == 422
        assert "Type your password as well" in texts(answer)
        assert (await app.unlock()).status_code == 303

        both = {"passkey": device.use(await asked(app, "confirm")), "password": PASSWORD}
        answer = await app.post("/settings/security/password", {**fields, **both})
        assert answer.status_code == 200
        app.ctx.unlocked.lock_all()
        assert (await app.unlock(new)).status_code == 303
