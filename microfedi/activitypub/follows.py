"""Who follows the owner, and whom the owner follows: as far as the owner tells."""

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.activitypub import documents
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.protocol import render
from microfedi.storage import followers, following
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader

PAGE_PEOPLE = 40  # addresses only: a page has some 2 kB


async def show_followers(request: Request) -> Response:
    """GET /users/{handle}/followers: who was let in, the last met first."""
    return await _collection(
        request,
        "followers",
        followers.count,
        lambda reader, before: followers.accepted(reader, before_id=before, limit=PAGE_PEOPLE + 1),
    )


async def show_following(request: Request) -> Response:
    """GET /users/{handle}/following: who let the owner in, the last met first."""
    return await _collection(
        request,
        "following",
        following.count,
        lambda reader, before: following.page(reader, before_id=before, limit=PAGE_PEOPLE + 1),
    )


async def _collection(
    request: Request,
    name: str,
    count: Callable[[Reader], int],
    people: Callable[[Reader, int | None], Sequence[Actor]],
) -> Response:
    """Answer with the collection, or a page of it. A hidden one is a name and nothing else,
    whatever is asked.
    """
    await documents.demand_welcome(request)
    ctx = context_of(request)
    uri = f"{ctx.owner.addresses.actor}/{name}"
    if ctx.owner.hides_follows:
        return documents.respond(request, render.collection(uri, None))
    if "page" not in request.query_params:
        total = await ctx.db.read(count)
        return documents.respond(request, render.collection(uri, total, first=f"{uri}?page=true"))
    before = forms.query_id(request, "before")
    found = await ctx.db.read(lambda reader: people(reader, before))
    shown = found[:PAGE_PEOPLE]
    page = render.collection_page(
        f"{uri}?page=true" + (f"&before={before}" if before else ""),
        part_of=uri,
        items=[one.uri for one in shown],
        next=f"{uri}?page=true&before={shown[-1].id}" if len(found) > PAGE_PEOPLE else None,
    )
    return documents.respond(request, page)


routes = [
    Route("/users/{handle}/followers", show_followers, methods=["GET"]),
    Route("/users/{handle}/following", show_following, methods=["GET"]),
]
