"""One box: an address or a URL is fetched, a hashtag is opened."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import NotFound, ProtocolError, RemoteError
from microfedi.federation import lookup
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import bookmarks, likes, notes
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.web import cards
from microfedi.web.cards import Card

MAX_QUERY_CHARS = 2000  # as long as a URL may be
PAGE_NOTES = 40


async def show(request: Request) -> Response:
    """GET /search: the empty box."""
    return await _box(request, "", "")


async def submit(request: Request) -> Response:
    """POST /search: go to what was found. A POST, since it may ask another server."""
    ctx = context_of(request)
    text = forms.line(await forms.read(request), "q", limit=MAX_QUERY_CHARS)
    if not text:
        return await _box(request, "", "")
    if text.startswith("#") and len(text) > 1:
        return RedirectResponse(f"/tags/{quote(text[1:].lower(), safe='')}", 303)
    if not ctx.config.federates and "://" not in text and "@" in text.strip("@"):
        return await _box(request, text, "This server speaks with no other: nobody can be fetched.")
    try:
        found = await lookup.anything(ctx, text)
    except (NotFound, RemoteError, ProtocolError) as error:
        return await _box(request, text, str(error))
    if isinstance(found, Actor):
        return RedirectResponse(f"/people/{found.id}", 303)
    return RedirectResponse(cards.url_of(found, ctx.owner), 303)


async def _box(request: Request, text: str, problem: str) -> Response:
    values = {"text": text, "problem": problem}
    return await page(request, "search.html", values, status_code=422 if problem else 200)


async def show_bookmarks(request: Request) -> Response:
    """GET /bookmarks: what the owner wants to find again."""
    ctx = context_of(request)
    before = forms.query_id(request, "before")

    def question(reader: Reader) -> list[Card]:
        ids = bookmarks.page(reader, before_id=before, limit=PAGE_NOTES)
        found = notes.by_ids(reader, ids)
        return cards.of_notes(reader, [found[one] for one in ids if one in found], ctx.owner)

    shown = await ctx.db.read(question)
    values = {
        "heading": "Bookmarks",
        "cards": shown,
        "older": f"/bookmarks?before={shown[-1].note.id}" if len(shown) == PAGE_NOTES else "",
        "empty": "Bookmark a post to find it again. Only you see your bookmarks.",
    }
    return await page(request, "posts.html", values)


async def show_favourites(request: Request) -> Response:
    """GET /favourites: what the owner told its authors to like."""
    ctx = context_of(request)
    before = forms.query_id(request, "before")

    def question(reader: Reader) -> list[Card]:
        ids = likes.liked_page(reader, ctx.owner.actor_id, before_id=before, limit=PAGE_NOTES)
        found = notes.by_ids(reader, ids)
        return cards.of_notes(reader, [found[one] for one in ids if one in found], ctx.owner)

    shown = await ctx.db.read(question)
    values = {
        "heading": "Favourites",
        "cards": shown,
        "older": f"/favourites?before={shown[-1].note.id}" if len(shown) == PAGE_NOTES else "",
        "empty": "Favourite a post to tell its author that you like it.",
    }
    return await page(request, "posts.html", values)


owner_routes = [
    Route("/search", show, methods=["GET"]),
    Route("/search", submit, methods=["POST"]),
    Route("/bookmarks", show_bookmarks, methods=["GET"]),
    Route("/favourites", show_favourites, methods=["GET"]),
]
