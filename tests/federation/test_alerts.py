"""Alerts: what is told of, by which ways, and what becomes of one that does not get through."""

from datetime import timedelta
from pathlib import Path

import pytest

from microfedi.account import renewing
from microfedi.config import Mail
from microfedi.federation import alerts
from microfedi.storage.database import Reader
from tests.another_server import Answer
from tests.app_fixture import PASSWORD, App, an_app, texts
from tests.mail_server import PASSWORD as MAIL_PASSWORD
from tests.mail_server import USER, MailServer, mail_server
from tests.push_service import PushedTo

CREATED = Answer(201, content_type=None)
TOLD = {"title": "Look at your door log", "tag": "alert", "url": "/settings/door"}
ADDRESS = "203.0.113.77"


async def turned_on(app: App) -> PushedTo:
    """Log in, have this browser told, and send what that was."""
    browser = PushedTo(app.world)
    app.world.serve(browser.endpoint, CREATED)
    await app.login()
    answer = await app.post("/settings/push/subscribe", browser.form(), page="/settings/push")
    assert answer.status_code == 303
    await alerts.run(app.ctx, "")
    assert browser.told() == []  # that login was before
    return browser


def mail_to(server: MailServer) -> Mail:
    return Mail(
        "localhost", server.port, "tls", USER, MAIL_PASSWORD, "", "us@us.example", "me@x.ex"
    )


async def waiting(app: App) -> list[tuple[str, str]]:
    def question(reader: Reader) -> list[tuple[str, str]]:
        rows = reader.all("SELECT kind, channel FROM alerts WHERE due_at IS NOT NULL ORDER BY id")
        return [(row["kind"], row["channel"]) for row in rows]

    return await app.ctx.db.read(question)


async def test_a_login_from_a_new_browser_is_pushed_without_a_word_of_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)

        await app.login(app.browser(ADDRESS, **{"user-agent": "Thief/1.0"}))
        assert await alerts.run(app.ctx, "") is None

        assert browser.told() == [TOLD]
        (push,) = browser.pushes()
        assert push.headers["urgency"] == "high"


async def test_a_known_browser_in_a_known_network_is_not_told_of(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        phone = app.browser(ADDRESS)
        await app.login(phone)
        await alerts.run(app.ctx, "")
        assert len(browser.told()) == 1

        await app.post("/logout", client=phone)
        await app.login(phone)
        await alerts.run(app.ctx, "")
        assert len(browser.told()) == 1

        # The same cookie from elsewhere, then the same place without the cookie.
        elsewhere = app.browser("198.51.100.4")
        elsewhere.cookies.update(phone.cookies)
        elsewhere.cookies.delete("__Host-session")
        await app.login(elsewhere)
        await alerts.run(app.ctx, "")
        assert len(browser.told()) == 2
        await app.login(app.browser(ADDRESS))
        await alerts.run(app.ctx, "")
        assert len(browser.told()) == 3


async def test_an_old_copy_of_the_cookie_is_worth_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        phone, thief = app.browser(), app.browser()
        await app.login(phone)
        copied = phone.cookies["__Host-device"]
        await app.post("/logout", client=phone)
        await app.login(phone)
        await alerts.run(app.ctx, "")
        assert len(browser.told()) == 1
        thief.cookies.set("__Host-device", copied, domain="us.example")
        await app.login(thief)
        await alerts.run(app.ctx, "")
        assert len(browser.told()) == 2


async def test_the_cookie_of_a_browser_opens_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        answer = await app.login()
        (said,) = [
            one for one in answer.headers.get_list("set-cookie") if one.startswith("__Host-device=")
        ]
        for word in ("Secure", "HttpOnly", "SameSite=lax", "Path=/", "Max-Age=34560000"):
            assert word in said
        thief = app.browser()
        value = app.client.cookies["__Host-device"]
        thief.cookies.set("__Host-device", value, domain="us.example")
        thief.cookies.set("__Host-session", value, domain="us.example")
        assert (await thief.get("/home")).status_code == 303
        kept = [bytes(mark) for _kind, mark, _at in (await app.rows())["recognised"]]
        assert kept
        assert value.encode() not in kept


async def test_ending_the_session_does_not_silence_what_came_before(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        thief = app.browser(ADDRESS)
        await app.login(thief)
        await app.post("/settings/security/sessions/end", {"all": "1"} | app.proof(), client=thief)
        assert await app.count("push_subscriptions") == 0

        await alerts.run(app.ctx, "")

        assert browser.told() == [TOLD]


async def test_locking_everything_is_told_where_it_ends(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        await app.post("/settings/security/lock")
        await alerts.run(app.ctx, "")
        assert browser.told() == [TOLD]
        assert await app.count("recognised") == 0  # whoever comes next is new


async def test_somebody_on_the_server_is_told_of_by_mail_and_push(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        mail_server(tmp_path, monkeypatch) as server,
        an_app(tmp_path, mail=mail_to(server)) as app,
    ):
        browser = await turned_on(app)
        server.mails.clear()
        app.clock.forward(minutes=1)
        await renewing.reset(
            app.ctx.db, app.ctx.config, password="a wholly new password", now=app.clock.now
        )
        await alerts.run(app.ctx, "")
        assert browser.told() == [TOLD]
        (mail,) = server.mails
        assert "Done on the server itself." in mail


async def test_accounts_that_may_move_here_are_told_of(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        other = app.world.actor("https://old.example/users/maya")
        await app.meet(other)
        moving = "/settings/moving/aliases"
        for number, path in enumerate((moving, f"{moving}/remove"), start=1):
            app.clock.forward(minutes=1)
            fields = {"alias": other.uri, "uri": other.uri} | app.proof()
            assert (await app.post(path, fields, page="/settings/moving")).status_code == 303
            await alerts.run(app.ctx, "")
            assert len(browser.told()) == number


async def test_a_mail_says_what_and_when_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        mail_server(tmp_path, monkeypatch) as server,
        an_app(tmp_path, mail=mail_to(server)) as app,
    ):
        await app.login(app.browser(ADDRESS, **{"user-agent": "Thief/1.0"}))
        await alerts.run(app.ctx, "")
        (mail,) = server.mails
        assert "Subject: us.example: look at your door log" in mail
        assert "In a browser that was never here before." in mail
        assert "22 November 2026, 12:00 (UTC)" in mail
        assert "https://us.example/settings/door" in mail
        assert ADDRESS not in mail
        assert "Thief" not in mail


async def test_many_failures_are_told_of_once_an_hour(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        for number in range(40):
            app.clock.forward(seconds=20)
            wrong = {"password": "wrong wrong wrong", "code": "000000"}
            thief = app.browser(f"203.0.{number}.1")
            assert (await app.post("/login", wrong, page="/login", client=thief)).status_code == 401
        await alerts.run(app.ctx, "")
        assert browser.told() == [TOLD]
        said = texts(await app.get("/settings/door"))
        assert said.count("Many logins failed") == 1
        assert said.count("A login failed") == 30
        assert said.count("the others of this hour are not written") == 1


async def test_one_that_does_not_get_through_is_tried_for_two_days(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        app.world.serve(browser.endpoint, Answer(503, content_type=None))
        await app.login(app.browser(ADDRESS))
        waits = []
        while (wait := await alerts.run(app.ctx, "")) is not None:
            waits.append(wait)
            assert len(waits) < 50
            app.clock.forward(seconds=wait.total_seconds())
        assert sum(waits, timedelta()) < alerts.TRIED_FOR
        assert sum(waits, timedelta()) > alerts.TRIED_FOR - 2 * alerts.MAX_WAIT
        assert len(browser.pushes()) == len(waits) + 1
        said = texts(await app.get("/settings/security"))
        assert "The last one did not get through: The push service did not take it." in said
        assert await waiting(app) == []

        app.world.serve(browser.endpoint, CREATED)
        await app.login(app.browser("198.51.100.99"))
        await alerts.run(app.ctx, "")
        assert "did not get through" not in texts(await app.get("/settings/security"))


async def test_they_survive_a_restart(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        await app.login(app.browser(ADDRESS))
        assert ("new_browser", "push") in await waiting(app)
    async with an_app(tmp_path) as app:
        app.clock.forward(hours=1)
        app.world.serve(browser.endpoint, CREATED)
        browser.world = app.world
        await alerts.run(app.ctx, "")
        assert browser.told() == [TOLD]


async def test_a_test_is_sent_by_every_way_and_not_twice_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        mail_server(tmp_path, monkeypatch) as server,
        an_app(tmp_path, mail=mail_to(server)) as app,
    ):
        browser = await turned_on(app)
        server.mails.clear()
        page = texts(await app.get("/settings/security"))
        assert "Push : 1 browser" in page
        assert "Mail : me@x.ex" in page
        assert "A test is on its way" in texts(await app.post("/settings/security/alerts/test"))
        await alerts.run(app.ctx, "")
        assert browser.told() == [TOLD]
        assert "This is the test that you asked for" in server.mails[0]
        assert "last sent now" in texts(await app.get("/settings/security"))
        again = await app.post("/settings/security/alerts/test")
        assert again.status_code == 422
        assert "wait a minute" in texts(again)


async def test_a_wrong_mail_password_is_said_and_a_working_push_is_not_held_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        mail_server(tmp_path, monkeypatch) as server,
        an_app(tmp_path, mail=mail_to(server)) as app,
    ):
        browser = await turned_on(app)
        server.mails.clear()
        server.refuses = "AUTH"
        await app.post("/settings/security/alerts/test")
        await alerts.run(app.ctx, "")
        assert browser.told() == [TOLD]
        said = texts(await app.get("/settings/security"))
        assert "get through: the mail server" in said
        assert MAIL_PASSWORD not in said
        server.refuses = ""
        app.clock.forward(minutes=2)
        await alerts.run(app.ctx, "")
        assert len(server.mails) == 1


async def test_a_trial_sends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        mail_server(tmp_path, monkeypatch) as server,
        an_app(tmp_path, base_url="http://localhost:8000", mail=mail_to(server)) as app,
    ):
        await app.login()
        await alerts.run(app.ctx, "")
        assert server.connections == 0
        assert await waiting(app) == []


async def test_the_pages_say_it_everywhere_until_it_is_known(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        assert "somebody logged in" not in texts(await app.get("/home"))
        thief = app.browser(ADDRESS)
        await app.login(thief)

        for path in ("/home", "/settings", "/messages", "/notifications"):
            page = await app.get(path)
            assert "in a browser that was never here before" in texts(page), path
            assert "/settings/security/lock" in page.text
        (number,) = [line.number for line in app.ctx.strange_logins[:1]]

        # It cannot say of itself that it is known.
        await app.post("/settings/door/known", {"line": str(number)}, client=thief)
        assert "somebody logged in" in texts(await app.get("/home"))
        for odd in ("", "x", "-1", "99999999999999999999", "1"):
            await app.post("/settings/door/known", {"line": odd})
            assert "somebody logged in" in texts(await app.get("/home"))

        await app.post("/settings/door/known", {"line": str(number)})
        assert "somebody logged in" not in texts(await app.get("/home"))


async def test_after_a_week_they_say_it_no_more(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.login(app.browser(ADDRESS))
        app.clock.forward(days=4)
        assert "somebody logged in" in texts(await app.get("/home"))
        app.clock.forward(days=3.1)
        assert "somebody logged in" not in texts(await app.get("/home"))


async def test_the_password_is_told_of(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        new = "nine quiet geese on a jetty"
        fields = {"new_password": new, "new_password_again": new} | app.proof()
        assert fields["password"] == PASSWORD
        assert "is changed" in texts(await app.post("/settings/security/password", fields))
        await alerts.run(app.ctx, "")
        assert browser.told() == [TOLD]
