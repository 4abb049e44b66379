"""What answers once the account is deleted: 410 at every address, for everybody, for ever."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from microfedi.http import pages
from microfedi.http.context import context_of
from microfedi.http.negotiate import wants_activity
from microfedi.storage.owner import Owner
from microfedi.words import _, mark

WORDS = mark("This account has been deleted")
# What a page needs, and what watches the process.
_STAYS = ("/healthz", "/robots.txt", "/favicon.ico")
# What others need to believe the last Delete.
_WHILE_TELLING = ("/actor", "/.well-known/webfinger")


class Deleted:
    """Stands before every route. The keys are shown until everybody has been told."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_open(Request(scope)):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        response = await _gone(request)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Vary"] = "Accept, Cookie, Signature"
        await response(scope, receive, send)


def _is_open(request: Request) -> bool:
    ctx = context_of(request)
    if not ctx.has_owner or ctx.owner.deleted_at is None:
        return True
    path = request.url.path
    if path.startswith("/static/") or path in _STAYS:
        return True
    if ctx.owner.erased_at is not None:
        return False
    return path in _WHILE_TELLING or _is_key(request, ctx.owner)


def _is_key(request: Request, owner: Owner) -> bool:
    is_asking = request.method in ("GET", "HEAD")
    return is_asking and request.url.path == f"/users/{owner.handle}" and wants_activity(request)


async def _gone(request: Request) -> Response:
    if wants_activity(request) or request.url.path.endswith("/inbox"):
        return PlainTextResponse(f"{WORDS}.\n", 410)
    return await pages.page(request, "deleted.html", {"words": _(WORDS)}, status_code=410)
