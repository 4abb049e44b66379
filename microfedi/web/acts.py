"""What cannot be undone and waits for its day: every page says so, and one press stops it."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.federation.outbox import irreversible
from microfedi.http.context import context_of
from microfedi.web import proving


async def cancel(request: Request) -> Response:
    """POST /settings/acts/{kind}/cancel: nothing is asked for; stopping a thief must be easy."""
    who = proving.visitor(request)
    kind: str = request.path_params["kind"]
    await irreversible.cancel(context_of(request), kind, address=who.address, browser=who.browser)
    return RedirectResponse("/settings/door", 303)


owner_routes = [Route("/settings/acts/{kind}/cancel", cancel, methods=["POST"])]
