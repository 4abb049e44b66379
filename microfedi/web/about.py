"""What this is, and how a trial becomes a server."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.http.pages import page


async def show(request: Request) -> Response:
    """GET /about."""
    return await page(request, "about.html")


public_routes = [Route("/about", show, methods=["GET"])]
