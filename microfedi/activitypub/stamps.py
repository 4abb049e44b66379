"""The documents by which the owner agrees to be quoted, answered or listed."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.activitypub import documents
from microfedi.errors import NotFound
from microfedi.federation.outbox import answers
from microfedi.http.context import context_of
from microfedi.protocol import render

KINDS = ("quote", "reply", "feature")


async def show(request: Request) -> Response:
    """GET /users/{handle}/{kind}_authorizations/{public_id}: yes; 404 once it was taken back."""
    documents.demand_handle(request)
    await documents.demand_welcome(request)
    ctx = context_of(request)
    kind = request.url.path.rpartition("/")[0].rpartition("/")[2].removesuffix("_authorizations")
    public_id: str = request.path_params["public_id"]
    found = await ctx.db.read(lambda r: answers.document(ctx, r, kind, public_id))
    if found is None:
        raise NotFound("no such consent")
    return documents.respond(request, render.stamp(found))


routes = [
    Route(f"/users/{{handle}}/{kind}_authorizations/{{public_id}}", show, methods=["GET"])
    for kind in KINDS
]
