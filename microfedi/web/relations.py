"""Who follows the owner, whom the owner follows, and who asks: lists to look through."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol import instants
from microfedi.storage import following, relations
from microfedi.storage.database import Reader
from microfedi.storage.relations import MAX_WORDS_CHARS, Order, Related, Whose

PAGE_PEOPLE = 40
PAGE_WAITING = 100  # who was asked and has not answered, above the list of the followed


@dataclass(frozen=True, slots=True)
class Found:
    """A page of people, with how many there are in all lists."""

    people: list[Related]
    followers: int
    following: int
    requests: int
    waiting: list[Related]
    followed: frozenset[int]


async def show_followers(request: Request) -> Response:
    """GET /followers."""
    return await _list(request, "followers", "followers.html")


async def show_following(request: Request) -> Response:
    """GET /following: whom the owner follows, and who has not answered yet."""
    return await _list(request, "following", "following.html")


async def show_requests(request: Request) -> Response:
    """GET /follow-requests: who asks to follow, the one who waits longest first."""
    return await _list(request, "followers", "follow_requests.html", state="requested")


async def _list(
    request: Request,
    whose: Whose,
    template: str,
    *,
    state: Literal["accepted", "requested"] = "accepted",
) -> Response:
    ctx = context_of(request)
    is_asking = state == "requested"
    words = request.query_params.get("q", "").strip()[:MAX_WORDS_CHARS]
    order = "oldest" if is_asking else _order(request)
    after = _after(request)

    def question(reader: Reader) -> Found:
        people = relations.page(
            reader, whose, state=state, words=words, order=order, after=after, limit=PAGE_PEOPLE
        )
        waiting: list[Related] = []
        if whose == "following" and not after and not words:
            waiting = relations.page(reader, "following", state="requested", limit=PAGE_WAITING)
        return Found(
            people,
            relations.count(reader, "followers", "accepted"),
            relations.count(reader, "following", "accepted"),
            relations.count(reader, "followers", "requested"),
            waiting,
            following.among(reader, [one.actor.id for one in people])
            if whose == "followers"
            else frozenset(),
        )

    found = await ctx.db.read(question)
    path = request.url.path
    wishes = {key: value for key, value in (("q", words), ("sort", order)) if value}
    if is_asking or order == "newest":
        wishes.pop("sort")
    older = ""
    if len(found.people) == PAGE_PEOPLE:
        last = found.people[-1]
        place = {"after": str(last.actor.id), "at": instants.to_text(last.since)}
        older = f"{path}?{urlencode(wishes | place)}"
    values = {
        "found": found,
        "words": words,
        "order": order,
        "is_first": after is None,
        "most_words": MAX_WORDS_CHARS,
        "older": older,
        "newer": f"{path}?{urlencode(wishes)}".rstrip("?") if after else "",
    }
    return await page(request, template, values)


def _order(request: Request) -> Order:
    match request.query_params.get("sort"):
        case "oldest":
            return "oldest"
        case "name":
            return "name"
    return "newest"


def _after(request: Request) -> tuple[datetime, int] | None:
    """Return after whom the page begins, None for the first page or if it is not understood."""
    actor_id = forms.query_id(request, "after")
    at = instants.from_wire(request.query_params.get("at"))
    return None if actor_id is None or at is None else (at, actor_id)


owner_routes = [
    Route("/followers", show_followers, methods=["GET"]),
    Route("/following", show_following, methods=["GET"]),
    Route("/follow-requests", show_requests, methods=["GET"]),
]
