"""Opening the messages again, and locking them."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import Locked
from microfedi.http import addresses, forms, vaults
from microfedi.http import sessions as http_sessions
from microfedi.http.context import context_of
from microfedi.storage import door_log
from microfedi.web import redirects


async def submit(request: Request) -> Response:
    """POST /unlock: with the password, or a passkey; then on to where one wanted to go."""
    form = await forms.read(request)
    if await vaults.of(request) is None:
        raise Locked("neither password nor passkey was sent")
    return RedirectResponse(redirects.local(forms.text(form, "next"), "/messages"), 303)


async def lock(request: Request) -> Response:
    """POST /lock: this browser's session goes on, without the messages."""
    ctx = context_of(request)
    session = await http_sessions.of(request)
    who, now = addresses.visitor(request), ctx.now()
    if session is not None and ctx.unlocked.lock(session.id):
        await ctx.db.write(lambda tx: door_log.add(tx, door_log.Kind.VAULT_LOCKED, now=now, by=who))
    return RedirectResponse("/messages", 303)


owner_routes = [
    Route("/unlock", submit, methods=["POST"]),
    Route("/lock", lock, methods=["POST"]),
]
