"""What stands before every route: handles in any case, and what nobody caught."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from tests.app_fixture import ACTIVITY, BASE_URL, HANDLE, PAGE, App, an_app


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("/@MAYA", "/@maya"),
        ("/@Maya?before=7&x=%20", "/@maya?before=7&x=%20"),
        ("/%40Maya/feed.atom", "/@maya/feed.atom"),
        ("/users/Maya", "/users/maya"),
        ("/users/MAYA/outbox?page=true", "/users/maya/outbox?page=true"),
        ("/users/MA%59A/notes/x%2Fy//", "/users/maya/notes/x%2Fy//"),
        ("/@MAYA/", "/@maya/"),
    ],
)
async def test_a_handle_in_another_case_leads_to_the_right_one(
    asked: str, meant: str, tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        for accept in (PAGE, ACTIVITY):
            answer = await app.get(asked, **accept)
            assert (answer.status_code, answer.headers["location"]) == (308, meant)
            assert answer.headers["x-content-type-options"] == "nosniff"


async def test_what_is_behind_it_is_there(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        for path in (f"/@MAYA/{note.public_id}", f"/users/MAYA/notes/{note.public_id}"):
            led = await app.client.get(path, headers=ACTIVITY, follow_redirects=True)
            assert led.json()["id"] == note.uri


async def test_only_the_owners_handle_and_only_questions_are_led(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for path in ("/@mayo", "/users/MAYO", "/users", "/users/", "/@", "/@MAYA%00", "/MAYA"):
            assert (await app.get(path, **PAGE)).status_code == 404, path
        posted = await app.client.post("/users/MAYA/inbox", content=b"{}")
        assert posted.status_code == 404
    async with an_app(tmp_path / "new", with_owner=False) as app:
        assert (await app.get("/@MAYA", **PAGE)).status_code == 404


def browser_of(app: App) -> httpx2.AsyncClient:
    """One that gets the exceptions that would reach uvicorn, which logs them."""
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app.asgi, raise_app_exceptions=True), base_url=BASE_URL
    )


async def test_what_nobody_caught_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(request: Request) -> Response:
        raise RuntimeError("a secret of the inside")

    async with an_app(tmp_path) as app, browser_of(app) as browser:
        app.asgi.router.routes.insert(0, Route("/broken", broken))
        with caplog.at_level(logging.WARNING):
            answer = await browser.get("/broken", headers=PAGE)

        assert answer.status_code == 500
        assert answer.headers["content-security-policy"]
        assert "secret" not in answer.text
        (said,) = caplog.records
        assert said.exc_info is not None
        number = answer.headers["x-request-id"]
        assert number in said.getMessage()
        assert number in answer.text
        assert (await browser.get(f"/@{HANDLE}")).status_code == 200


async def test_what_breaks_within_an_answer_reaches_the_server_below(tmp_path: Path) -> None:
    async def half(request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            yield b"half of it"
            raise RuntimeError("no more")

        return StreamingResponse(parts())

    async with an_app(tmp_path) as app, browser_of(app) as browser:
        app.asgi.router.routes.insert(0, Route("/half", half))
        with pytest.raises(RuntimeError, match="no more"):
            await browser.get("/half")
