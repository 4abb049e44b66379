"""What cannot be undone and waits for its day: every page says so, and one press stops it."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.federation.outbox import irreversible
from microfedi.http import addresses
from microfedi.http.context import context_of


async def cancel(request: Request) -> Response:
    """POST /settings/acts/{kind}/cancel: nothing is asked for; stopping a thief must be easy."""
    kind: str = request.path_params["kind"]
    await irreversible.cancel(context_of(request), kind, by=addresses.visitor(request))
    return RedirectResponse("/settings/door", 303)


owner_routes = [Route("/settings/acts/{kind}/cancel", cancel, methods=["POST"])]
