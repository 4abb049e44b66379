"""Another authenticator app takes the place of the one before, in the pages."""

import html
import re
from datetime import timedelta
from pathlib import Path

import httpx2
import pyotp

from microfedi.account import authenticator
from tests.app_fixture import App, an_app, texts

PLACE = "/settings/app"


async def begun(app: App) -> tuple[str, dict[str, str]]:
    """Prove who one is; return the new secret, and what the form of it sends."""
    answer = await app.post(PLACE, app.proof(), page=PLACE)
    assert answer.status_code == 200, texts(answer)
    assert answer.headers["cache-control"] == "no-store"
    secret = re.search(r'<p class="secret"[^>]*>([A-Z2-7]{32})</p>', answer.text)
    sealed = re.search(r'name="sealed" value="([^"]+)"', answer.text)
    assert secret
    assert sealed
    assert "<svg" in answer.text
    assert secret[1] not in html.unescape(sealed[1])
    return secret[1], {"sealed": html.unescape(sealed[1])}


def code_of(app: App, secret: str) -> str:
    return pyotp.TOTP(secret).at(app.clock.now)


async def confirmed(app: App, fields: dict[str, str], code: str) -> httpx2.Response:
    return await app.post(f"{PLACE}/code", fields | {"code": code}, page=PLACE)


async def logs_in(app: App, secret: str) -> bool:
    app.clock.forward(minutes=1)
    typed = {"password": "seven quiet herons on a jetty", "code": code_of(app, secret)}
    answer = await app.post("/login", typed, page="/login", client=app.browser())
    return answer.status_code == 303


async def test_the_new_app_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        new, fields = await begun(app)
        assert await logs_in(app, app.secret)  # nothing has changed yet

        wrong = await confirmed(app, fields, code_of(app, app.secret))
        assert wrong.status_code == 422
        assert "not the new app" in texts(wrong)
        assert new in wrong.text  # one goes on where one was
        assert await logs_in(app, app.secret)

        app.clock.forward(minutes=1)
        code = code_of(app, new)
        done = await confirmed(app, fields, code)
        assert done.headers["location"] == "/settings/security?app"
        assert "from the new app" in texts(await app.get(done.headers["location"]))
        typed = {"password": "seven quiet herons on a jetty", "code": code}
        again = await app.post("/login", typed, page="/login", client=app.browser())
        assert again.status_code != 303  # that code was used
        assert await logs_in(app, new)
        assert not await logs_in(app, app.secret)
        assert "The authenticator app was changed" in texts(await app.get("/settings/door"))


async def test_a_recovery_code_is_enough_when_the_phone_is_gone(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        proof = app.proof() | {"code": app.recovery_codes[0]}
        assert (await app.post(PLACE, proof, page=PLACE)).status_code == 200


async def test_an_unlocked_browser_alone_changes_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        for typed in ({}, app.proof() | {"password": "wrong"}, app.proof() | {"code": "000000"}):
            answer = await app.post(PLACE, typed, page=PLACE)
            assert answer.status_code in (401, 422)
            assert 'class="secret"' not in answer.text
        for sealed in ("", "x", "AAAA", "A" * 900):
            answer = await confirmed(app, {"sealed": sealed}, "000000")
            assert answer.status_code == 422
        assert await logs_in(app, app.secret)


async def test_what_was_begun_elsewhere_or_long_ago_is_not_finished(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        new, fields = await begun(app)
        other = app.browser()
        await app.login(other)
        page = await app.token(PLACE, other)
        stolen = fields | {"code": code_of(app, new), "csrf": page}
        assert (await other.post(f"{PLACE}/code", data=stolen)).status_code == 422

        app.clock.now += authenticator.GOOD_FOR + timedelta(seconds=1)
        late = await confirmed(app, fields, code_of(app, new))
        assert late.status_code == 422
        assert "took too long" in texts(late)
        assert await logs_in(app, app.secret)
