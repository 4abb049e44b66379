"""The doors for a person, as a browser and an attacker find them: login, sessions, setup, hosts."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import httpx2
import pyotp
import pytest

from microfedi.account import setup
from microfedi.config import Config
from microfedi.errors import ConfigError
from microfedi.federation import start
from tests.app_fixture import ACTIVITY, BASE_URL, HANDLE, PASSWORD, App, an_app
from tests.factories import NOON
from tests.web.test_vault import WORDS, a_talk

COOKIE = "__Host-session"


async def enter(
    app: App, client: httpx2.AsyncClient, password: str = PASSWORD, code: str | None = None
) -> httpx2.Response:
    """Try to log in, through the form."""
    data = {"password": password, "code": app.code() if code is None else code}
    return await app.post("/login", data, page="/login", client=client)


async def test_s_119_thirty_wrong_passwords_and_then_the_right_one(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        thief = app.browser("203.0.113.5")
        statuses = [(await enter(app, thief, "wrong wrong wrong")).status_code for _ in range(30)]
        assert statuses[:5] == [401] * 5
        assert set(statuses[5:]) == {429}
        slowed = await enter(app, thief)
        assert slowed.status_code == 429
        assert 0 < int(slowed.headers["retry-after"]) <= 300
        assert "wait" in slowed.text
        # Somebody else's address is not slowed by that one.
        assert (await enter(app, app.browser("198.51.100.7"))).status_code == 303
        app.clock.forward(minutes=6)
        assert (await enter(app, thief)).status_code == 303


async def test_s_119_from_many_addresses_everybody_waits_but_not_for_ever(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()  # from 192.0.2.1, which is known from now on
        statuses = []
        for n in range(25):
            client = app.browser(f"203.0.113.{n}")
            statuses.append((await enter(app, client, "wrong wrong wrong")).status_code)
        assert statuses == [401] * 19 + [429] * 6  # twenty at once, with the owner's own
        app.clock.forward(seconds=30)
        assert (await enter(app, app.browser("192.0.2.1"))).status_code == 303


async def test_s_119_whatever_is_wrong_the_answer_is_the_same(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        app.clock.forward(seconds=30)
        used = app.code()
        assert (await enter(app, app.browser(), code=used)).status_code == 303
        texts = set()
        for n, (password, code) in enumerate(
            [("wrong wrong wrong", app.code()), (PASSWORD, "000000"), (PASSWORD, used), ("", ""),
             (PASSWORD, "aaaaa-bbbbb"), ("x", "١٢٣٤٥٦")]
        ):  # fmt: skip
            answer = await enter(app, app.browser(f"203.0.113.{n}"), password, code)
            assert answer.status_code == 401
            texts.add(re.sub(r'name="csrf" value="\w+"', "", answer.text))
        assert len(texts) == 1


@pytest.mark.parametrize(
    "header", ["x-forwarded-for", "x-real-ip", "cf-connecting-ip", "true-client-ip", "forwarded"]
)
async def test_s_120_a_header_is_no_other_address(header: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        statuses = []
        for n in range(8):
            value = f"for=203.0.113.{n}" if header == "forwarded" else f"203.0.113.{n}"
            client = app.browser("198.51.100.1", **{header: value})
            statuses.append((await enter(app, client, "wrong wrong wrong")).status_code)
        assert statuses == [401] * 5 + [429] * 3


async def test_s_120_behind_a_trusted_proxy_its_word_counts(tmp_path: Path) -> None:
    async with an_app(tmp_path, trusted_proxies=("10.0.0.0/8",)) as app:
        for n in range(8):
            # What the client wrote itself stands before what the proxy added.
            client = app.browser("10.0.0.1", **{"x-forwarded-for": f"198.51.100.9, 203.0.113.{n}"})
            assert (await enter(app, client, "wrong wrong wrong")).status_code == 401
        forged = [
            (
                await enter(
                    app,
                    app.browser("10.0.0.1", **{"x-forwarded-for": f"192.0.2.{n}, 203.0.113.99"}),
                    "wrong wrong wrong",
                )
            ).status_code
            for n in range(8)
        ]
        assert forged == [401] * 5 + [429] * 3


async def test_s_122_a_code_is_good_once(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        app.clock.forward(minutes=5)
        code = app.code()
        assert (await enter(app, app.browser(), code=code)).status_code == 303
        assert (await enter(app, app.browser(), code=code)).status_code == 401
        older = pyotp.TOTP(app.secret).at(app.clock.now - timedelta(seconds=30))
        assert (await enter(app, app.browser(), code=older)).status_code == 401
        app.clock.forward(seconds=30)
        wide = "".join(chr(ord(digit) + 0xFEE0) for digit in app.code())
        assert (await enter(app, app.browser(), code=wide)).status_code == 401
        assert (await enter(app, app.browser())).status_code == 303


async def test_s_122_in_parallel_too(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        app.clock.forward(minutes=5)
        answers = await asyncio.gather(*(enter(app, app.browser()) for _ in range(3)))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses.count(303) == 1
        assert await app.count("sessions") == 1


async def test_s_122_a_recovery_code_is_good_once(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        code = app.recovery_codes[3]
        assert (await enter(app, app.browser(), code=code)).status_code == 303
        assert (await enter(app, app.browser(), code=code)).status_code == 401
        assert (await enter(app, app.browser(), code=app.recovery_codes[4])).status_code == 303


async def test_s_124_a_cookie_alone_changes_no_factor(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        before = await app.rows()
        new = {
            "new_password": "a wholly other sentence",
            "new_password_again": "a wholly other sentence",
        }
        spent = app.code()
        for path in ("/settings/security/password", "/settings/security/codes"):
            for factors in (
                {},
                {"password": PASSWORD},
                {"code": "000000"},
                {"password": PASSWORD, "code": spent},
                {"password": "wrong wrong wrong", "code": app.code()},
            ):
                answer = await app.post(path, new | factors)
                assert answer.status_code in (401, 403, 422, 429), (path, factors)
                app.clock.forward(minutes=6)  # and the throttle forgets
                spent = spent if "code" not in factors else "123456"
        after = await app.rows()
        assert after["owner"] == before["owner"]
        assert after["recovery_codes"] == before["recovery_codes"]


async def test_s_124_with_both_factors_it_does_and_other_browsers_are_out(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        other = app.browser()
        await app.login(other)
        await app.login()
        app.clock.forward(seconds=30)
        new = "a wholly other sentence"
        answer = await app.post(
            "/settings/security/password",
            {
                "password": PASSWORD, "code": app.code(),
                "new_password": new, "new_password_again": new,
            },
        )  # fmt: skip
        assert answer.status_code == 200
        assert (await app.get("/home")).status_code == 200
        assert (await other.get("/home")).status_code == 303
        app.clock.forward(seconds=30)
        assert (await enter(app, app.browser())).status_code == 401
        app.clock.forward(seconds=30)
        assert (await enter(app, app.browser(), new)).status_code == 303


async def test_s_125_there_is_no_other_door(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        stranger = app.browser()
        for headers in (
            {"authorization": f"Basic {PASSWORD}"},
            {"authorization": "Bearer abc"},
            {"cookie": f"{COOKIE}=1"},
            {"cookie": f"{COOKIE}="},
            {"cookie": "session=1; user=maya"},
        ):
            answer = await stranger.get("/home", headers=headers)
            assert answer.headers["location"].startswith("/login"), headers
        for path in (
            "/oauth/token",
            "/api/v1/apps",
            "/auth",
            "/api/v1/accounts/verify_credentials",
        ):
            assert (await stranger.post(path)).status_code == 404
        for code in ("", "none", "null", "0", " "):
            client = app.browser(f"203.0.113.{len(code)}{ord((code or 'a')[0])}"[:14])
            assert (await enter(app, client, code=code)).status_code in (401, 429)


async def test_s_127_a_session_begins_with_the_login(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        fixed = "A" * 43
        client = app.browser()
        client.cookies.set(COOKIE, fixed, domain="us.example")
        answer = await app.login(client)
        (header,) = [c for c in answer.headers.get_list("set-cookie") if c.startswith(COOKIE)]
        value, *attributes = [one.strip() for one in header.split(";")]
        assert value != f"{COOKIE}={fixed}"
        assert len(value.removeprefix(f"{COOKIE}=")) >= 22  # 128 bits
        assert {one.lower() for one in attributes} == {
            "secure", "httponly", "samesite=lax", "path=/", "max-age=2592000",
        }  # fmt: skip
        # Logged in again from the same browser: the first session is over.
        first = value.partition("=")[2]
        page = await client.get("/home", headers={"cookie": f"{COOKIE}={first}"})
        assert page.status_code == 200
        stale = app.browser()
        stale.cookies.set(COOKIE, fixed, domain="us.example")
        assert (await stale.get("/home")).status_code == 303


NEW_PASSWORD = "nine quiet geese on a jetty"


async def test_s_127_a_proof_gives_another_cookie_and_the_copied_one_is_worthless(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        talk = await a_talk(app)
        await app.login()
        thief = app.browser("203.0.113.9")
        thief.cookies.set(COOKIE, app.client.cookies[COOKIE], domain="us.example")
        assert WORDS in (await thief.get(talk)).text
        token = await app.token()

        fields = {"new_password": NEW_PASSWORD, "new_password_again": NEW_PASSWORD}
        await app.post("/settings/security/password", {**fields, **app.proof()})

        assert (await thief.get(talk)).status_code == 303
        assert WORDS in (await app.get(talk)).text  # open here, as before
        assert await app.token() == token  # what is typed in another tab can still be sent


async def test_s_127_a_wrong_proof_gives_no_other_cookie(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        answer = await app.post(
            "/settings/security/codes", {"password": PASSWORD, "code": "000000"}
        )
        assert answer.status_code == 422
        assert "set-cookie" not in answer.headers


async def test_s_129_a_later_session_has_other_forms(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        first = await app.token()
        await app.post("/logout")
        app.clock.forward(minutes=1)
        await app.login()
        assert await app.token() != first


async def test_opening_the_messages_does_not_forgive_wrong_codes(tmp_path: Path) -> None:
    """A thief of cookie and password has the first half of every proof, and guesses the other."""
    async with an_app(tmp_path) as app:
        await app.login()
        token = await app.token()
        looked_at = 0
        for number in range(12):
            fields = {"csrf": token, "password": PASSWORD, "code": "000000"}
            answer = await app.client.post("/settings/security/codes", data=fields)
            looked_at += "too many tries" not in answer.text
            if number % 3 == 2:
                app.ctx.unlocked.lock_all()
                fields = {"csrf": token, "vault_password": PASSWORD}
                await app.client.post("/unlock", data=fields)
        assert looked_at == 5


async def test_s_127_no_answer_sets_a_weaker_cookie(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        answers = [await app.get(path) for path in ("/", "/login", "/about", f"/@{HANDLE}", "/x")]
        answers.append(await app.login())
        answers += [await app.get(path) for path in ("/home", "/settings/security", "/x")]
        answers.append(await app.post("/logout"))
        cookies = [c for answer in answers for c in answer.headers.get_list("set-cookie")]
        assert len(cookies) >= 3
        for cookie in cookies:
            assert cookie.startswith("__Host-")
            for part in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
                assert part in cookie
            assert "domain" not in cookie.lower()


async def test_s_127_after_logging_out_the_cookie_is_worthless(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        kept = app.client.cookies[COOKIE]
        assert (await app.post("/logout")).status_code == 303
        assert await app.count("sessions") == 0
        thief = app.browser()
        thief.cookies.set(COOKIE, kept, domain="us.example")
        assert (await thief.get("/home")).status_code == 303


async def test_s_127_a_session_ends_by_itself(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        app.clock.forward(days=7, seconds=1)
        assert (await app.get("/home")).status_code == 303
        await app.login()
        for _ in range(29):
            app.clock.forward(days=1)
            assert (await app.get("/home")).status_code == 200
        app.clock.forward(days=1, seconds=1)
        assert (await app.get("/home")).status_code == 303


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "us.example/x?", "us.example:444", "us.example@evil.example", "",
        "us.example.", "us.example evil", "USER@us.example", "us.example,evil.example", "localhost",
    ],
)  # fmt: skip
async def test_s_131_another_host_is_not_ours(host: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for path in (
            "/",
            "/login",
            f"/users/{HANDLE}",
            "/.well-known/webfinger",
            "/home",
            "/inbox",
        ):
            answer = await app.get(path, host=host)
            assert answer.status_code == 400, path
            assert "evil" not in answer.text


async def _raw(
    app: App, target: bytes, headers: list[tuple[bytes, bytes]]
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Ask with exactly this request target and these headers."""
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message)

    path = target.partition(b"?")[0]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET",
        "scheme": "https", "path": path.decode("latin-1"), "raw_path": path,
        "query_string": target.partition(b"?")[2], "root_path": "", "headers": headers,
        "client": ("192.0.2.1", 1), "server": ("127.0.0.1", 8000), "state": {},
    }  # fmt: skip
    await app.asgi(scope, receive, send)
    begun = sent[0]
    status, raw = begun["status"], begun["headers"]
    assert isinstance(status, int)
    assert isinstance(raw, list)
    body = b"".join(part for one in sent[1:] if isinstance(part := one.get("body"), bytes))
    return status, dict(raw), body


async def test_s_131_odd_request_targets(tmp_path: Path) -> None:
    us = [(b"host", b"us.example")]
    async with an_app(tmp_path) as app:
        assert (await _raw(app, b"/about", us))[0] == 200
        for target in (b"@evil.example", b"https://us.example/about", b"*", b"about", b"", b"\\x"):
            assert (await _raw(app, target, us))[0] == 400, target
        for target in (b"//evil.example/%2e%2e", b"//about", b"/.//home", b"/\x00", b"/%00"):
            status, headers, _ = await _raw(app, target, us)
            assert status in (303, 404), target
            assert b"evil" not in headers.get(b"location", b"")
        assert (await _raw(app, b"/about", []))[0] == 400
        assert (await _raw(app, b"/about", us * 2))[0] == 400
        assert (await _raw(app, b"/about", [*us, (b"host", b"evil.example")]))[0] == 400


async def test_s_131_addresses_come_from_the_settings(tmp_path: Path) -> None:
    forged = {
        "x-forwarded-host": "evil.example", "x-forwarded-proto": "http",
        "x-original-url": "/home", "forwarded": "host=evil.example", "x-forwarded-prefix": "/evil",
    }  # fmt: skip
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        for path, accept in (
            ("/", {}), (f"/@{HANDLE}", {}), (f"/@{HANDLE}/{note.public_id}", {}),
            (f"/users/{HANDLE}", ACTIVITY), (f"/users/{HANDLE}/outbox?page=true", ACTIVITY),
            (f"/@{HANDLE}/feed.atom", {}), ("/.well-known/nodeinfo", {}), ("/login", {}),
            (f"/.well-known/webfinger?resource=acct:{HANDLE}@us.example", {}), ("/home", {}),
        ):  # fmt: skip
            answer = await app.get(path, **(accept | forged))
            assert answer.status_code in (200, 303), path
            assert "evil" not in answer.text + str(answer.headers), path
            assert "http://us.example" not in answer.text + str(answer.headers), path


async def test_s_133_other_sites_read_nothing_with_the_owners_cookie(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        await app.login()
        for origin in ("https://evil.example", "null", "https://us.example.evil.example"):
            for path in ("/home", "/messages", "/settings/security", f"/@{HANDLE}", "/login"):
                answer = await app.get(path, origin=origin)
                names = [name for name in answer.headers if name.startswith("access-control-")]
                assert names == [], path
            for path in (f"/users/{HANDLE}", f"/users/{HANDLE}/notes/{note.public_id}"):
                answer = await app.get(path, origin=origin, **ACTIVITY)
                assert answer.headers["access-control-allow-origin"] == "*"
                assert "access-control-allow-credentials" not in answer.headers
        answer = await app.client.options("/home", headers={"origin": "https://evil.example"})
        assert answer.status_code == 405


async def test_s_134_passwords_are_taken_whole(tmp_path: Path) -> None:
    long = "correct horse " * 8  # 112 bytes
    async with an_app(tmp_path) as app:
        await app.login()
        app.clock.forward(seconds=30)
        new = long + "cafe\u0301"
        answer = await app.post(
            "/settings/security/password",
            {
                "password": PASSWORD, "code": app.code(),
                "new_password": new, "new_password_again": new,
            },
        )  # fmt: skip
        assert answer.status_code == 200
        assert "changed" in answer.text
        for n, wrong in enumerate(
            (long + "cafe", long + "cafX", " " + new, new + " ", new.upper())
        ):
            app.clock.forward(seconds=30)
            assert (await enter(app, app.browser(f"203.0.113.{n}"), wrong)).status_code == 401
        app.clock.forward(seconds=30)
        assert (
            await enter(app, app.browser("203.0.113.50"), long + "caf\u00e9")
        ).status_code == 303


async def test_s_134_what_is_too_long_costs_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for password, status in (("x" * 5000, 401), ("x" * 1_000_000, 413), ("a\x00b", 401)):
            for _ in range(7):  # more than may be wrong: it is not even counted
                answer = await enter(app, app.client, password)
                assert answer.status_code in (status, 422, 400), len(password)
        assert (await app.login()).status_code == 303


async def test_s_143_setup_is_behind_its_link_and_gone_afterwards(tmp_path: Path) -> None:
    async with an_app(tmp_path, with_owner=False) as app:
        config = app.ctx.config
        first = await setup.new_link(app.ctx.db, config, app.clock.now)
        link = (await setup.new_link(app.ctx.db, config, app.clock.now)).removeprefix(BASE_URL)
        for path in ("/setup", "/setup/", "/setup/none", "/setup/" + "x" * 5000, first[18:]):
            assert (await app.get(path)).status_code == 404, path
            assert (await app.client.post(path, data={})).status_code in (403, 404), path
        page = await app.get(link)
        assert page.status_code == 200
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin"
        sealed = re.search(r'name="sealed" value="([^"]+)"', page.text)
        assert sealed
        data = {"handle": HANDLE, "password": PASSWORD, "sealed": sealed.group(1)}
        foreign = await app.client.post(link, data=data, headers={"origin": "https://evil.example"})
        assert foreign.status_code == 403
        assert (await app.client.post(link, data=data)).status_code == 403
        assert await app.count("owner") == 0
        app.clock.forward(hours=1, seconds=1)
        assert (await app.get(link)).status_code == 404


async def test_s_143_when_there_is_an_owner_nobody_sets_up(tmp_path: Path) -> None:
    async with an_app(tmp_path, with_owner=False) as app:
        link = await setup.new_link(app.ctx.db, app.ctx.config, app.clock.now)
        await setup.make_owner(
            app.ctx.db, app.ctx.config, handle=HANDLE, name="Maya", password=PASSWORD, now=NOON
        )
        await app.ctx.reload_owner()
        assert (await app.get(link.removeprefix(BASE_URL))).status_code == 404
        with pytest.raises(ConfigError):
            await setup.new_link(app.ctx.db, app.ctx.config, app.clock.now)


async def test_s_143_a_weak_or_missing_key_starts_nothing(tmp_path: Path) -> None:
    config = Config(base_url=BASE_URL, data_dir=tmp_path / "data")
    async with an_app(tmp_path):
        pass
    key = config.server_key_file.read_bytes()
    for weak in (b"", b"secret", b"\x00" * 32, key[:16]):
        config.server_key_file.write_bytes(weak)
        with pytest.raises(ConfigError):
            start.prepare(config)
    config.server_key_file.unlink()
    with pytest.raises(ConfigError):
        start.prepare(config)
    assert not config.server_key_file.exists()


async def test_s_144_secrets_are_on_no_page_and_in_the_clear_in_no_table(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        await app.login()
        token = app.client.cookies[COOKIE]
        pages = [
            await app.get(path, **accept)
            for path in (
                "/", "/home", "/settings", "/settings/security", "/settings/profile", "/login",
                f"/@{HANDLE}", f"/users/{HANDLE}", f"/users/{HANDLE}/outbox?page=true", "/actor",
                f"/users/{HANDLE}/notes/{note.public_id}", f"/@{HANDLE}/feed.atom", "/about",
                "/nodeinfo/2.1", "/healthz", "/nothing", "/.well-known/security.txt",
            )
            for accept in ({}, ACTIVITY)
        ]  # fmt: skip
        secrets = ["PRIVATE KEY", app.secret, token, PASSWORD, *app.recovery_codes]
        for page in pages:
            shown = page.text + str(page.headers)
            assert [one for one in secrets if one in shown] == [], page.url
        for query in (f"access_token={token}", f"token={token}", f"{COOKIE}={token}"):
            answer = await app.browser().get(f"/home?{query}")
            assert answer.status_code == 303
        dump = b"".join(path.read_bytes() for path in app.data_dir.glob("microfedi.db*"))
        typed = [code.replace("-", "") for code in app.recovery_codes]
        for secret in (*secrets, *typed):
            assert secret.encode() not in dump, secret[:4]
