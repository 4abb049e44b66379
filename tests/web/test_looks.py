"""The language of pages and how they look: the owner's wish, and what strangers' browsers ask."""

from pathlib import Path

import pytest

from microfedi.config import Config
from tests.app_fixture import HANDLE, an_app

LOOKS = {"theme": "dark", "accent": "teal", "text_size": "larger", "shows_counts": "on"}


async def test_strangers_read_what_their_browser_asks_for(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = app.browser()
        german = await browser.get("/login", headers={"accept-language": "de-AT, en;q=0.5"})
        english = await browser.get("/login", headers={"accept-language": "tlh, en;q=0.5"})

        assert '<html lang="de" dir="ltr">' in german.text
        assert "Passwort" in german.text
        assert '<html lang="en" dir="ltr">' in english.text
        assert "Password" in english.text
        for answer in (german, english):
            assert "Accept-Language" in answer.headers["vary"]


@pytest.mark.parametrize("path", ["/nothing", f"/@{HANDLE}/nothing", "/login"])
async def test_errors_and_pages_alike_say_that_they_depend_on_it(tmp_path: Path, path: str) -> None:
    async with an_app(tmp_path) as app:
        answer = await app.browser().get(path, headers={"accept-language": "de"})

        assert "Accept-Language" in answer.headers["vary"]
        assert 'lang="de"' in answer.text


async def test_documents_do_not(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        answer = await app.asked_by(None, f"https://home.example/@{HANDLE}")

        assert "Accept-Language" not in answer.headers.get("vary", "")


async def test_the_owner_reads_the_language_they_chose(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        form = {"message_policy": "anyone", "time_zone": "UTC"}
        await app.post("/settings/preferences", {**form, "language": "de"})
        page = (await app.get("/settings/preferences")).text
        assert '<html lang="de"' in page
        assert '<option value="de" lang="de" selected>Deutsch</option>' in page

        # Strangers go on reading what they ask for.
        theirs = await app.browser().get("/about", headers={"accept-language": "en"})
        assert '<html lang="en"' in theirs.text

        refused = await app.post("/settings/preferences", {**form, "language": "../../etc"})
        assert refused.status_code == 422
        await app.post("/settings/preferences", {**form, "language": ""})
        assert '<html lang="en"' in (await app.get("/settings/preferences")).text


async def test_errors_of_a_form_are_said_in_it(tmp_path: Path) -> None:
    """An error from below carries its values by name, and is translated where it is shown."""
    async with an_app(tmp_path) as app:
        await app.login()
        form = {"message_policy": "anyone", "time_zone": "UTC", "language": "de"}
        await app.post("/settings/preferences", form)
        answer = await app.post("/compose", {"source": "x" * 10_001, "visibility": "public"})

        assert answer.status_code == 422
        limit = Config().limits.post_characters
        assert f"Höchstens {limit} Zeichen, bitte." in answer.text


async def test_looks_stand_on_the_page_of_the_owner_alone(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        saved = await app.post("/settings/appearance", LOOKS)
        assert saved.headers["location"] == "/settings/appearance?saved=1"
        page = (await app.get("/settings/appearance?saved=1")).text
        assert 'data-theme="dark" data-accent="teal" data-size="larger">' in page
        assert '<meta name="theme-color" content="#131315">' in page
        assert 'name="shows_counts" checked' in page

        assert "data-theme" not in (await app.browser().get(f"/@{HANDLE}")).text


@pytest.mark.parametrize(
    "wrong", [{"theme": "sepia"}, {"accent": '"><script>'}, {"text_size": "9000%"}]
)
async def test_other_looks_are_refused(tmp_path: Path, wrong: dict[str, str]) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        answer = await app.post("/settings/appearance", {**LOOKS, **wrong})

        assert answer.status_code == 422
        assert "Please choose one of the options." in answer.text
        assert "data-theme" not in answer.text
