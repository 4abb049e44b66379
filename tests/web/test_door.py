"""The door log on its page, the lock for everything, and what waits for its day."""

from pathlib import Path

from microfedi.storage.database import Transaction
from tests.app_fixture import HANDLE, PASSWORD, App, an_app, texts


async def ask_to_delete(app: App) -> None:
    app.clock.forward(seconds=30)
    typed = {"handle": HANDLE, "password": PASSWORD, "code": app.code()}
    assert (await app.post("/settings/delete", typed)).status_code == 303


async def test_who_came_in_and_who_tried_is_written_down(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        thief = app.browser()
        page = await thief.get("/login")
        app.clock.forward(minutes=1)
        await app.post(
            "/settings/security/password",
            {
                "password": "wrong",
                "code": app.code(),
                "new_password": "nine quiet geese on a jetty",
                "new_password_again": "nine quiet geese on a jetty",
            },
        )
        assert page.status_code == 200

        said = texts(await app.get("/settings/door"))

        assert said.index("A login failed") < said.index("Logged in · password and app")
        assert "In a browser that was never here before" in said
        assert "missing" not in said


async def test_the_log_is_the_owners_alone(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        assert (await app.get("/settings/door")).headers["location"].startswith("/login")


async def test_a_changed_line_is_said_in_red(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()

        def tamper(tx: Transaction) -> None:
            tx.run("DROP TRIGGER door_log_keeps_lines")
            tx.run("UPDATE door_log SET address = '192.0.2.200' WHERE number = 1")

        await app.ctx.db.write(tamper)

        said = texts(await app.get("/settings/door"))

        assert "Line 1 is missing or is not as it was written" in said


async def test_what_a_browser_calls_itself_is_text(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        app.client.headers["user-agent"] = "<script>alert(1)</script>"
        await app.login()
        page = await app.get("/settings/door")
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text


async def test_a_browser_is_called_what_people_call_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        itself = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        app.client.headers["user-agent"] = itself
        await app.login()
        page = await app.get("/settings/door")
        assert f'<bdi title="{itself}">Firefox, Linux</bdi>' in page.text


async def test_one_button_locks_everything(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        first = dict(app.client.cookies)
        app.client.cookies.clear()
        app.clock.forward(minutes=1)
        await app.login()

        answer = await app.post("/settings/security/lock")

        assert answer.headers["location"] == "/login"
        assert await app.count("sessions") == 0
        app.client.cookies.update(first)
        assert (await app.get("/home")).headers["location"].startswith("/login")
        app.clock.forward(minutes=1)
        await app.login()
        assert "Everything was locked" in texts(await app.get("/settings/door"))


async def test_what_waits_is_said_on_every_page_and_can_be_stopped(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await ask_to_delete(app)

        for path in ("/home", "/settings", "/messages", f"/@{HANDLE}"):
            said = texts(await app.get(path))
            assert "Your account will be deleted on 23 November 2026, 12:" in said, path
        assert "will be deleted" not in texts(await app.browser().get(f"/@{HANDLE}"))

        await app.post("/settings/acts/delete/cancel")

        assert "will be deleted" not in texts(await app.get("/home"))
        said = texts(await app.get("/settings/door"))
        assert "Cancelled · deleting the account" in said
        assert "Asked for, to be done in a day · deleting the account" in said


async def test_asking_twice_is_said(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await ask_to_delete(app)
        app.clock.forward(minutes=1)
        typed = {"handle": HANDLE, "password": PASSWORD, "code": app.code()}
        answer = await app.post("/settings/delete", typed)
        assert answer.status_code == 422
        assert "asked for already" in texts(answer)


async def test_nothing_of_another_kind_is_stopped(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await ask_to_delete(app)
        for kind in ("move", "x" * 500, "%27"):
            assert (await app.post(f"/settings/acts/{kind}/cancel")).status_code == 303
        assert "will be deleted" in texts(await app.get("/home"))
