"""The door log: who came in, who tried, and what was done there."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import door_log
from microfedi.storage.database import Reader
from microfedi.storage.door_log import Kind, Line
from microfedi.words import _, mark

PAGE_LINES = 50

KINDS = {
    Kind.SIGN_IN: mark("Logged in"),
    Kind.NEW_BROWSER: mark("In a browser that was never here before"),
    Kind.FAILURE: mark("A login failed"),
    Kind.SLOWED: mark("Tries were slowed"),
    Kind.SIGN_OUT: mark("Logged out"),
    Kind.SESSION_ENDED: mark("Another session was ended"),
    Kind.LOCKED: mark("Everything was locked"),
    Kind.PASSWORD: mark("The password was changed"),
    Kind.TOTP: mark("The authenticator app was changed"),
    Kind.RECOVERY_CODES: mark("New recovery codes were made"),
    Kind.RECOVERY_CODE_USED: mark("A recovery code was used"),
    Kind.PASSKEY_ADDED: mark("A passkey was added"),
    Kind.PASSKEY_REMOVED: mark("A passkey was removed"),
    Kind.TOKEN: mark("An app got access"),
    Kind.TOKEN_ENDED: mark("An app's access ended"),
    Kind.VAULT_OPENED: mark("The messages were opened"),
    Kind.VAULT_LOCKED: mark("The messages were locked"),
    Kind.VAULT_KEY: mark("The messages got a new key"),
    Kind.RECOVERY_KEY: mark("A new recovery key was made"),
    Kind.EXPORT: mark("Data was taken out"),
    Kind.KEYS: mark("New keys for signing were made"),
    Kind.ACT_ASKED: mark("Asked for, to be done in a day"),
    Kind.ACT_CANCELLED: mark("Cancelled"),
    Kind.ACT_DONE: mark("Done, after its day"),
    Kind.ACT_FAILED: mark("Could not be done"),
    Kind.SHELL: mark("Done on the server itself"),
}
# What the detail of a line says, where it is one of ours.
DETAILS = {
    "totp": mark("password and app"),
    "recovery": mark("password and recovery code"),
    "passkey": mark("passkey"),
    "passkey and password": mark("password and passkey"),
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
        "broken": broken,
        "older": f"/settings/door?before={shown[-1].number}" if len(lines) > PAGE_LINES else "",
    }
    return await page(request, "settings_door.html", values)


def _name(kind: str) -> str:
    try:
        return _(KINDS[Kind(kind)])
    except (KeyError, ValueError):  # of a later version
        return kind


def _detail(detail: str) -> str:
    return _(DETAILS[detail]) if detail in DETAILS else detail


owner_routes = [Route("/settings/door", show, methods=["GET"])]
