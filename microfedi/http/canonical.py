"""Handles in addresses may be written in any case; what is there stands under one of them."""

from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from microfedi.http.context import context_of


class CanonicalHandle:
    """Sends whoever asks for `/@Alice` or `/users/ALICE/...` to the owner's handle as it is spelt.

    Asking only: what is delivered to an inbox was signed for the address that it came to.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        target = _canonical(scope)
        if target is None:
            await self._app(scope, receive, send)
            return
        query: bytes = scope["query_string"]
        response = RedirectResponse(target + ("?" + query.decode("latin-1") if query else ""), 308)
        response.headers["Cache-Control"] = "no-store"
        await response(scope, receive, send)


def _canonical(scope: Scope) -> str | None:
    """Return the path that is meant, if it is another one than the one asked for."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return None
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    segments = raw_path.partition(b"?")[0].split(b"/")
    index = 2 if segments[1:2] == [b"users"] else 1
    if len(segments) <= index:
        return None
    sign = b"" if index == 2 else b"@"
    asked = unquote_to_bytes(segments[index])
    ctx = context_of(Request(scope))
    if not asked.startswith(sign) or not ctx.has_owner:
        return None
    handle = sign + ctx.owner.handle.encode()
    if asked == handle or asked.lower() != handle.lower():
        return None
    segments[index] = handle
    return b"/".join(segments).decode("latin-1")
