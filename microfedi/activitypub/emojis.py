"""The owner's own custom emoji, as documents for other servers."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.activitypub import documents
from microfedi.errors import NotFound
from microfedi.federation import emojis
from microfedi.http.context import context_of
from microfedi.protocol import render
from microfedi.storage import own_emojis


async def show(request: Request) -> Response:
    """GET /emojis/{shortcode}: name, picture, and when it was last changed. Source: FEP-9098."""
    ctx = context_of(request)
    shortcode: str = request.path_params["shortcode"]
    if not ctx.config.federates or not ctx.has_owner:
        raise NotFound("this server speaks with no other")
    found = await ctx.db.read(lambda reader: own_emojis.by_shortcode(reader, shortcode))
    if found is None:
        raise NotFound("no such emoji")
    tag = emojis.as_tag(found, ctx.owner.addresses)
    return documents.respond(request, render.emoji_document(tag))


routes = [Route("/emojis/{shortcode}", show, methods=["GET"])]
