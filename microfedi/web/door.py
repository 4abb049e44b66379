"""The door log: who came in, who tried, and what was done there."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.http import forms, sessions
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import door_log
from microfedi.storage.database import Reader
from microfedi.storage.door_log import Kind, Line
from microfedi.web import browsers
from microfedi.words import _, mark

PAGE_LINES = 50

# What the detail of a line says, where it is one of ours.
DETAILS = {
    "totp": mark("password and app"),
    "recovery": mark("password and recovery code"),
    "passkey": mark("passkey"),
    "passkey and password": mark("password and passkey"),
    "setup": mark("setting up"),
    "delete": mark("deleting the account"),
}


async def show(request: Request) -> Response:
    """GET /settings/door: the newest lines, and whether all of them are as they were written."""
    before = forms.query_id(request, "before")

    def question(reader: Reader) -> tuple[list[Line], int | None]:
        lines = door_log.page(reader, before=before, limit=PAGE_LINES + 1)
        return lines, door_log.broken_at(reader) if before is None else None

    lines, broken = await context_of(request).db.read(question)
    shown = lines[:PAGE_LINES]
    values = {
        "lines": [(line, _name(line.kind), _detail(line.detail)) for line in shown],
        "browser_name": browsers.name,
        "broken": broken,
        "older": f"/settings/door?before={shown[-1].number}" if len(lines) > PAGE_LINES else "",
    }
    return await page(request, "settings_door.html", values)


async def know(request: Request) -> Response:
    """POST /settings/door/known: the logins up to a line were the owner's own.

    A login cannot say this of itself.
    """
    ctx = context_of(request)
    form = await forms.read(request)
    chosen = forms.text(form, "line", limit=20)
    session = await sessions.of(request)
    line = next((one for one in ctx.strange_logins if str(one.number) == chosen), None)
    if line is not None and session is not None and not line.is_of(session.created_at):
        await ctx.db.write(lambda tx: door_log.know(tx, line.number))
        await ctx.reload_owner()
    return RedirectResponse("/settings/door", 303)


def _name(kind: str) -> str:
    try:
        return _(door_log.NAMES[Kind(kind)])
    except (KeyError, ValueError):  # of a later version
        return kind


def _detail(detail: str) -> str:
    return _(DETAILS[detail]) if detail in DETAILS else detail


owner_routes = [
    Route("/settings/door", show, methods=["GET"]),
    Route("/settings/door/known", know, methods=["POST"]),
]
