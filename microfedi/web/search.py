"""One box: people, hashtags and posts that are here; an address or a URL is fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import NotFound, ProtocolError, RemoteError
from microfedi.federation import lookup
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page, zone_of
from microfedi.storage import bookmarks, likes, notes, search, search_index
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.owner import Owner
from microfedi.storage.search import Tag
from microfedi.web import cards, searching, searching_messages, troubles
from microfedi.web.cards import Card
from microfedi.web.searching import Asked
from microfedi.web.searching_messages import Hit, Hits
from microfedi.words import _

MAX_QUERY_CHARS = 2000  # as long as a URL may be
MAX_SHOW_CHARS = 20
PAGE_NOTES = 20
PAGE_FOUND = 16  # posts of a search: people and hashtags stand beside them
PAGE_PEOPLE = 40
PAGE_TAGS = 40
# Of each kind, where all kinds stand on one page.
FEW_PEOPLE = 3
FEW_TAGS = 6

Tab = Literal["all", "people", "hashtags", "posts", "messages"]
TABS: tuple[Tab, ...] = ("all", "people", "hashtags", "posts", "messages")


@dataclass(frozen=True, slots=True)
class Results:
    """What was found for `text`, as far as the tab `show` shows it."""

    text: str
    show: Tab
    people: Sequence[Actor]
    tags: Sequence[Tag]
    cards: Sequence[Card]
    remarks: Sequence[str]
    older: str
    is_cut: bool
    """Whether the search stopped somewhere in the past; `older` goes on there."""
    is_behind: bool
    """Whether some posts cannot be found yet."""
    hits: Sequence[Hit] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found."""
        return not (self.people or self.tags or self.cards or self.hits or self.is_cut)


def address(text: str, show: Tab = "all", before: int | None = None) -> str:
    """Return where the results of a search stand."""
    values: dict[str, str | int] = {"q": text}
    if show != "all":
        values["show"] = show
    if before is not None:
        values["before"] = before
    return f"/search?{urlencode(values)}"


async def show(request: Request) -> Response:
    """GET /search: the box, and what is found here for `q`. No other server is asked."""
    ctx = context_of(request)
    text = " ".join(request.query_params.get("q", "")[:MAX_QUERY_CHARS].split())
    wanted = request.query_params.get("show")
    tab = next((one for one in TABS if one == wanted), TABS[0])
    if not text:
        return await _box(request, "", "", tab)
    before = forms.query_id(request, "before")
    asked = searching.understood(text, zone=zone_of(ctx.owner.time_zone), now=ctx.now())
    if tab == "messages":
        results = _of_messages(text, await searching_messages.found(request, asked))
    else:
        results = await ctx.db.read(lambda r: _found(r, text, asked, tab, before, ctx.owner))
    values = {"text": text, "problem": "", "results": results, "show": tab, "tabs": _tabs(text)}
    return await page(request, "search.html", values)


async def submit(request: Request) -> Response:
    """POST /search: go to what was found. A POST, since it may ask another server."""
    ctx = context_of(request)
    form = await forms.read(request)
    text = forms.line(form, "q", limit=MAX_QUERY_CHARS)
    if forms.line(form, "show", limit=MAX_SHOW_CHARS) == "messages":
        return RedirectResponse(address(text, "messages"), 303)  # nobody else is asked for it
    if not text:
        return await _box(request, "", "")
    if text.startswith("#") and len(text) > 1 and " " not in text:
        return RedirectResponse(f"/tags/{quote(text[1:].lower(), safe='')}", 303)
    if not _is_address(text):
        return RedirectResponse(address(text), 303)
    if not ctx.config.federates and "://" not in text:
        problem = _("This server speaks with no other: nobody can be fetched.")
        return await _box(request, text, problem)
    try:
        found = await lookup.anything(ctx, text)
    except (NotFound, RemoteError, ProtocolError) as error:
        return await _box(request, text, troubles.of_lookup(error))
    if isinstance(found, Actor):
        return RedirectResponse(f"/people/{found.id}", 303)
    return RedirectResponse(cards.url_of(found, ctx.owner), 303)


def _is_address(text: str) -> bool:
    """Return whether it is somebody's handle or something's URL: one word, and no operator's.

    >>> [_is_address(text) for text in ("@bob@b.example", "https://b.example/1", "b@b.example")]
    [True, True, True]
    >>> [_is_address(text) for text in ("bob", "@bob", "from:bob@b.example", "b@c.example boat")]
    [False, False, False, False]
    """
    if " " in text or text.startswith(("from:", "-", '"')):
        return False
    return "://" in text or "@" in text.strip("@")


async def _box(request: Request, text: str, problem: str, tab: Tab = "all") -> Response:
    values = {"text": text, "problem": problem, "results": None, "show": tab, "tabs": ()}
    return await page(request, "search.html", values, status_code=422 if problem else 200)


def _tabs(text: str) -> list[tuple[Tab, str, str]]:
    """Return each tab with its name and its address."""
    names: dict[Tab, str] = {
        "all": _("All"),
        "people": _("People"),
        "hashtags": _("Hashtags"),
        "posts": _("Posts"),
        "messages": _("Messages"),
    }
    return [(one, names[one], address(text, one)) for one in TABS]


def _of_messages(text: str, found: Hits) -> Results:
    before = found.before
    return Results(
        text=text,
        show="messages",
        people=(),
        tags=(),
        cards=(),
        remarks=found.remarks,
        older=address(text, "messages", before) if before is not None else "",
        is_cut=found.is_cut,
        is_behind=False,
        hits=found.hits,
    )


def _found(
    reader: Reader, text: str, asked: Asked, tab: Tab, before: int | None, owner: Owner
) -> Results:
    people: Sequence[Actor] = ()
    tags: Sequence[Tag] = ()
    found = search.Found(())
    is_first = before is None
    if asked.said and is_first and tab in ("all", "people"):
        most = PAGE_PEOPLE if tab == "people" else FEW_PEOPLE
        people = search.people(reader, asked.said, limit=most)
    if asked.said and " " not in asked.said and is_first and tab in ("all", "hashtags"):
        most = PAGE_TAGS if tab == "hashtags" else FEW_TAGS
        tags = search.tags(reader, asked.said, limit=most)
    if tab in ("all", "posts"):
        asked = searching.with_names(reader, asked, owner)
        found = search.find(reader, asked.query, before=before, limit=PAGE_FOUND)
    return Results(
        text=text,
        show=tab,
        people=people,
        tags=tags,
        cards=cards.of_notes(reader, found.notes, owner) if found.notes else (),
        remarks=asked.remarks,
        older=address(text, tab, found.before) if found.before is not None else "",
        is_cut=found.is_cut,
        is_behind=(
            tab in ("all", "posts")
            and len(found.notes) < PAGE_FOUND  # who finds much misses nothing yet
            and search_index.is_behind(reader)
        ),
    )


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
        "heading": _("Bookmarks"),
        "cards": shown,
        "older": f"/bookmarks?before={shown[-1].note.id}" if len(shown) == PAGE_NOTES else "",
        "empty": _("Bookmark a post to find it again. Only you see your bookmarks."),
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
        "heading": _("Favourites"),
        "cards": shown,
        "older": f"/favourites?before={shown[-1].note.id}" if len(shown) == PAGE_NOTES else "",
        "empty": _("Favourite a post to tell its author that you like it."),
    }
    return await page(request, "posts.html", values)


owner_routes = [
    Route("/search", show, methods=["GET"]),
    Route("/search", submit, methods=["POST"]),
    Route("/bookmarks", show_bookmarks, methods=["GET"]),
    Route("/favourites", show_favourites, methods=["GET"]),
]
