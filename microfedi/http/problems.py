"""Errors become responses here and nowhere else: a page for people, a sentence for servers."""

import logging
import sqlite3
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from microfedi import words
from microfedi.errors import (
    BadSignature,
    DiskFull,
    Gone,
    InvalidInput,
    KeyUnavailable,
    Locked,
    MalformedDocument,
    NotAuthorized,
    NotFound,
    RemoteError,
    TooBusy,
    WrongCredentials,
)
from microfedi.http import csrf, pages, vaults
from microfedi.http.context import context_of
from microfedi.http.negotiate import wants_activity
from microfedi.storage import room
from microfedi.words import _, mark

log = logging.getLogger(__name__)

FULL_RETRY_AFTER_S = 900  # seconds; while the disk is full: others keep what they have for us
RETRY_AFTER_S = 60  # seconds; what we tell a server whose key we could not fetch

_WORDS = {
    400: (
        mark("That was not understood"),
        mark("The request is not one that this server can read."),
    ),
    401: (mark("Not signed"), mark("A valid signature was expected.")),
    403: (
        mark("Not allowed"),
        mark("The form is no longer valid. Go back, reload the page and try again."),
    ),
    404: (mark("Not found"), mark("Nothing is here, or nothing that you may see.")),
    405: (mark("Not possible"), mark("This address does not do that.")),
    410: (mark("Deleted"), mark("This was deleted by its author.")),
    413: (mark("Too large"), mark("That is more than this server takes at once.")),
    415: (mark("Not readable"), mark("This server does not read that kind of document.")),
    422: (mark("Please correct this"), ""),
    429: (mark("Too many at once"), mark("Please wait a little and try again.")),
    500: (
        mark("Something broke"),
        mark("That is our fault. The server's log says more under this number:"),
    ),
    502: (mark("The other server did not answer"), mark("Try again in a while.")),
    503: (mark("Not now"), mark("Please try again in a minute.")),
}
_FULL = (
    mark("The disk is full"),
    mark(
        "Nothing was changed. Make room on the server's disk, then go back and send it again: what "
        "you wrote is still in your browser."
    ),
)


def _status_of(error: Exception) -> int:
    match error:
        case HTTPException(status_code=status):
            return status
        case MalformedDocument() | ClientDisconnect():  # nobody is there to read the latter
            return 400
        case BadSignature():
            return 401
        case NotAuthorized() | csrf.CrossSite():
            return 403
        case NotFound():
            return 404
        case Gone():
            return 410
        case WrongCredentials():
            return 401
        case InvalidInput():
            return 422
        case TooBusy():
            return 429
        case RemoteError():
            return 502
        case KeyUnavailable() | DiskFull():
            return 503
    return 500


class LastResort:
    """Answers what no route and no handler caught, so that it stands in the log once.

    What breaks within an answer goes on to the server below, which ends the connection and says
    so in the log itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            if has_begun or scope["type"] != "http":
                raise
            response = await answer(Request(scope), error)
            await response(scope, receive, send)


async def answer(request: Request, error: Exception) -> Response:
    """Return what `error` says to whoever asked. Nothing of its inside is shown, but what the
    owner can correct and what another server must know to do better.
    """
    if isinstance(error, Locked):
        return await vaults.locked_page(request, error)
    cause = error.__cause__ if isinstance(error, DiskFull) else error
    if cause is not None and room.is_lack(cause):  # not only foreseen
        context_of(request).db.room.failed()
        error = DiskFull()
    status = _status_of(error)
    if isinstance(error, sqlite3.Error):
        log.error("request=%s the database failed: %s", request.scope.get("request_id"), error)
    elif status == 500:
        log.exception("request=%s failed", request.scope.get("request_id"), exc_info=error)
    title, advice = _WORDS.get(status, _WORDS[400])
    if isinstance(error, DiskFull):
        title, advice = _FULL
    said = words.of(error) if isinstance(error, InvalidInput | RemoteError | TooBusy) else ""
    headers = dict(getattr(error, "headers", None) or {})
    if status == 503:
        wait_s = FULL_RETRY_AFTER_S if isinstance(error, DiskFull) else RETRY_AFTER_S
        headers.setdefault("Retry-After", str(wait_s))
    if isinstance(error, TooBusy):
        headers["Retry-After"] = str(error.retry_after_s)
    headers["Cache-Control"] = "no-store"
    if status == 404:  # the same answer for whatever is not there: to everybody, for ever
        headers["Vary"] = "Accept, Cookie, Signature"
    if wants_activity(request) or request.url.path.endswith("/inbox"):
        text = str(error) if status in (400, 401, 403) and not _is_http(error) else title
        return PlainTextResponse(f"{text}\n", status, headers=headers)
    values: Mapping[str, Any] = {
        "title": _(title),
        "words": said or (advice and _(advice)),
        "request_id": request.scope.get("request_id", "") if status == 500 else "",
        "status": status,
        "came_from": _came_from(request),
    }
    response = await pages.page(request, "problem.html", values, status_code=status)
    response.headers.update(headers)
    return response


def _came_from(request: Request) -> str:
    """Return the page of ours that a form was sent from, as a path; "" if it is not known."""
    referer = request.headers.get("referer", "")
    base = f"{context_of(request).config.base_url}/"
    path = "/" + referer.removeprefix(base)
    return path if referer.startswith(base) and not path.startswith(("//", "/\\")) else ""


def _is_http(error: Exception) -> bool:
    return isinstance(error, HTTPException)
