"""A post that was sent after its session had ended: nothing lost, nothing slipped in."""

import base64
import html
import json
import re
from pathlib import Path

import httpx2

from microfedi.protocol.vocab import Visibility
from microfedi.storage import drafts, note_lists
from microfedi.storage.notes import Note
from tests.app_fixture import BASE_URL, PASSWORD, App, an_app, texts
from tests.web.pictures import a_png

KEY = "k" * 22
TEXT = 'An hour of work: <b>"herons"</b> & reeds'
OURS = {"origin": BASE_URL, "sec-fetch-site": "same-origin"}
FORM = {"key": KEY, "version": "0", "source": TEXT, "visibility": "followers", "whole": "1"}


async def posts(app: App) -> list[Note]:
    return await app.ctx.db.read(
        lambda r: note_lists.by_actor(
            r, app.ctx.owner.actor_id, visibilities=list(Visibility), limit=99
        )
    )


def hidden(page: httpx2.Response) -> dict[str, str]:
    """What the form of the login page carries."""
    found = re.findall(r'<input type="hidden" name="(csrf|next|resume)" value="([^"]*)"', page.text)
    return {name: html.unescape(value) for name, value in found}


async def send(
    app: App,
    browser: httpx2.AsyncClient,
    form: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> httpx2.Response:
    return await browser.post("/compose", data=form or FORM, headers=headers or OURS)


async def log_in(
    app: App, browser: httpx2.AsyncClient, page: httpx2.Response, **more: str
) -> httpx2.Response:
    app.clock.forward(seconds=30)
    form = {"password": PASSWORD, "code": app.code(), **hidden(page), **more}
    return await browser.post("/login", data=form, headers=OURS)


async def test_s_129_a_text_comes_back_in_the_login_page_and_is_posted_after_it(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        browser = app.browser()
        before = await app.rows()
        page = await send(app, browser)

        assert page.status_code == 401
        assert page.headers["cache-control"] == "no-store"
        assert f"\n{html.escape(TEXT, quote=False)}" in page.text.replace("&#34;", '"')
        assert "Followers" in texts(page)
        assert await app.rows() == before  # nothing is kept for a stranger
        wrong = await browser.post(
            "/login", data={"password": "no", "code": "000000", **hidden(page)}, headers=OURS
        )
        assert wrong.status_code == 401
        assert TEXT in html.unescape(wrong.text)
        assert await posts(app) == []

        answer = await log_in(app, browser, wrong, resume_as="publish")

        (note,) = await posts(app)
        assert (note.source, note.visibility) == (TEXT, Visibility.FOLLOWERS)
        assert answer.status_code == 303
        assert answer.headers["location"].endswith(note.public_id or "-")
        again = await log_in(app, browser, page)
        assert again.status_code in (303, 403)
        assert len(await posts(app)) == 1


async def test_s_129_it_can_be_kept_as_a_draft_or_dropped(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for what, kept in (("draft", 1), ("drop", 0)):
            browser = app.browser()
            page = await send(app, browser, FORM | {"key": what[0] * 22})
            answer = await log_in(app, browser, page, resume_as=what)
            assert answer.status_code == 303
            assert await posts(app) == []
            found = await app.ctx.db.read(drafts.unfinished)
            assert len(found) == 1
            assert answer.headers["location"].startswith("/compose?draft=" if kept else "/home")


async def test_s_129_what_another_site_sends_is_never_carried(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for headers in (
            {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": BASE_URL, "sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"sec-fetch-site": "none"},
            {"origin": f"{BASE_URL}.evil.example"},
            {"x-nothing": "said"},
        ):
            page = await send(app, app.browser(), headers=headers)
            assert page.status_code == 303, headers
            assert page.headers["location"] == "/login"
            assert "herons" not in page.text
        as_json = await app.browser().post("/compose", json=FORM, headers=OURS)
        assert as_json.status_code == 303


async def test_s_129_what_is_carried_belongs_to_the_browser_that_sent_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        attacker, owner = app.browser("198.51.100.7"), app.browser()
        forged = await send(app, attacker)  # a program can claim any origin
        resume = hidden(forged)["resume"]
        login = await owner.get("/login")

        for stolen in (resume, resume[:-4] + "AAAA", "x", "=", "A" * 500, "é"):
            app.clock.forward(minutes=2)
            form = {"password": PASSWORD, "code": app.code(), **hidden(login), "resume": stolen}
            answer = await owner.post("/login", data=form, headers=OURS)
            assert answer.status_code in (303, 403), stolen
            owner = app.browser()
            login = await owner.get("/login")

        assert await posts(app) == []
        assert await app.ctx.db.read(drafts.unfinished) == []
        # Nor does the login form of the attacker's browser work in another.
        token = hidden(forged)["csrf"]
        form = {"password": PASSWORD, "code": app.code(), "csrf": token, "resume": resume}
        assert (await owner.post("/login", data=form, headers=OURS)).status_code == 403


async def test_s_129_the_page_says_what_it_will_post(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = app.browser()
        page = await send(app, browser, FORM | {"summary": "Care <script>", "visibility": "x"})
        assert "<script>" not in page.text.split("</head>")[1]
        resume = base64.urlsafe_b64decode(hidden(page)["resume"])
        assert b"herons" not in resume
        answer = await log_in(app, browser, page)
        assert answer.headers["location"].startswith("/compose?draft=")  # for nobody that there is
        assert await posts(app) == []


async def test_s_129_files_do_not_survive_and_the_page_says_so(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = app.browser()
        files = [("picture", ("a.png", a_png() + bytes(900_000), "image/png"))]
        page = await browser.post("/compose", data=FORM, files=files, headers=OURS)
        assert page.status_code == 401
        assert TEXT in html.unescape(page.text)
        assert "have to be chosen again" in texts(page)
        assert list(app.ctx.config.media_dir.glob("*")) == []
        answer = await log_in(app, browser, page, resume_as="publish")
        assert await posts(app) == []
        shown = await browser.get(answer.headers["location"])
        assert TEXT in html.unescape(shown.text)
        assert '<option value="followers" selected' in shown.text


async def test_s_129_what_is_too_long_is_shown_and_not_carried(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        page = await send(app, app.browser(), FORM | {"source": "long " * 40_000})
        assert page.status_code == 401
        assert "resume" not in hidden(page)
        assert "It is too long" in texts(page)
        for odd in ("", " \n "):
            page = await send(app, app.browser(), FORM | {"source": odd})
            assert page.headers["location"] == "/login?next=/compose"
        body = b"source=" + b"x" * 3_000_000
        kind = {"content-type": "application/x-www-form-urlencoded"}
        answer = await app.browser().post("/compose", content=body, headers=OURS | kind)
        assert answer.status_code in (303, 401, 413)


async def test_s_129_a_form_of_an_earlier_session_is_shown_again(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        old = await app.token()
        another = app.browser()
        await app.login(another)  # in another window; the form still has the token of before
        app.client.cookies = another.cookies
        await app.get("/home")
        rows = await app.rows()

        answer = await app.client.post("/compose", data=FORM | {"csrf": old}, headers=OURS)

        assert answer.status_code == 422
        assert TEXT in html.unescape(answer.text)
        assert "You have logged in again since" in texts(answer)
        assert await app.rows() == rows
        evil = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
        answer = await app.client.post("/compose", data=FORM | {"csrf": old}, headers=evil)
        assert answer.status_code == 403
        assert "herons" not in answer.text
        assert json.dumps(TEXT) not in answer.text
