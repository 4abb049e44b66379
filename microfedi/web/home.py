"""Home: what the people followed posted, newest first; it opens where the owner stopped."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import NotFound
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol.filtering import Place
from microfedi.storage import actors, following, stretches, timeline
from microfedi.storage import owner as owner_storage
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.owner import HomeReplies
from microfedi.web import cards, composer, reading, redirects
from microfedi.web.cards import Card, Sieve
from microfedi.web.composer import Box, Offer
from microfedi.web.reading import Part
from microfedi.words import _, ngettext

PAGE_BOOSTS = 40  # behind one line

BOOSTS_A_DAY = (1, 2, 3, 5, 10, 20, 0)  # to choose from; 0 is all
REPLIES: tuple[HomeReplies, ...] = ("all", "followed", "none")


# A page, whether it is empty since nothing has come yet, and the composer with drafts above it.
_Shown = tuple[Part, bool, Box | None, list[Offer]]


async def show(request: Request) -> Response:
    """GET /home: where the owner stopped, or the page that the address names."""
    ctx = context_of(request)
    mark = ctx.owner.home_read_position

    def question(reader: Reader) -> _Shown | RedirectResponse:
        found = reading.part(request, reader, base="/home", mark=mark)
        if isinstance(found, RedirectResponse):
            return found
        is_empty = not found.rows and timeline.is_empty(reader)
        box = None if found.newer else composer.box(ctx, reader, composer.empty(ctx))
        offers = [] if found.newer else composer.offers(reader, limit=1)
        return found, is_empty, box, offers

    answer = await ctx.db.read(question)
    if isinstance(answer, RedirectResponse):
        return answer
    part, is_empty, box, offers = answer
    values = {
        "part": part,
        "base": "/home",
        "box": box,
        "offers": offers,
        "replies": replies_words(),
        "boosts": boosts_words(),
        "is_empty": is_empty,
    }
    response = await page(request, "home.html", values)
    if part.shown_to and not reading.is_prefetch(request):
        await _read_to(request, part.shown_to)
    return response


async def read(request: Request) -> Response:
    """POST /home/read: all up to here counts as read."""
    await _read_to(request, forms.row_id(await forms.read(request), "position"))
    return RedirectResponse("/home", 303)


async def choose(request: Request) -> Response:
    """POST /home/shown: which replies and boosts stand on Home from now on."""
    ctx = context_of(request)
    form = await forms.read(request)
    replies = forms.one_of(form, "replies", REPLIES)
    boosts = forms.one_of(form, "boosts", ["none", *(str(one) for one in BOOSTS_A_DAY)])
    await ctx.db.write(
        lambda tx: owner_storage.set_home(
            tx,
            replies=replies,
            boosts=boosts != "none",
            boosts_a_day=None if boosts == "none" else int(boosts),
        )
    )
    await ctx.reload_owner()
    return RedirectResponse(redirects.local(forms.text(form, "next"), "/home"), 303)


async def show_boosts(request: Request) -> Response:
    """GET /home/boosts/{id}: what stands behind the line of somebody's boosts."""
    return await boosts_page(request, base="/home")


async def boosts_page(request: Request, *, base: str, list_id: int | None = None) -> Response:
    """Show the boosts that a line of Home or of a list stands for."""
    ctx = context_of(request)
    actor_id = forms.path_id(request, "actor" if list_id else "id")
    low = forms.query_id(request, "low") or 1
    high = forms.query_id(request, "high") or stretches.END - 1

    def question(reader: Reader) -> tuple[Actor | None, list[Card], str]:
        found = stretches.boosts_of(
            reader,
            actor_id,
            low=low,
            high=high,
            limit=PAGE_BOOSTS,
            now=ctx.now(),
            list_id=list_id,
        )
        sieve = Sieve(Place.HOME, ctx.now())
        older = ""
        if len(found) == PAGE_BOOSTS:
            older = f"{base}/boosts/{actor_id}?low={low}&high={found[-1].position - 1}"
        shown = cards.of_entries(reader, found, ctx.owner, sieve)
        return actors.by_id(reader, actor_id), shown, older

    actor, shown, older = await ctx.db.read(question)
    if actor is None:
        raise NotFound("nobody of that number")
    values: dict[str, Any] = {
        "heading": _("Boosts by %(name)s", name=actor.display_name),
        "cards": shown,
        "older": older,
        "back": base,
        "empty": _("They are not here any more."),
    }
    return await page(request, "posts.html", values)


async def hide_boosts(request: Request) -> Response:
    """POST /people/{id}/hide_boosts: what somebody boosts is not shown any more."""
    return await _set_hides_boosts(request, hides=True)


async def show_boosts_again(request: Request) -> Response:
    """POST /people/{id}/show_boosts: it is, also what came meanwhile."""
    return await _set_hides_boosts(request, hides=False)


def replies_words() -> list[tuple[HomeReplies, str]]:
    """Return which replies can be shown, in words."""
    words = {
        "all": _("All replies"),
        "followed": _("Replies to people I follow"),
        "none": _("No replies"),
    }
    return [(one, words[one]) for one in REPLIES]


def boosts_words() -> list[tuple[str, str]]:
    """Return how many boosts of one person and day can be shown, in words."""
    some = [
        (str(one), ngettext("%(num)s a day of each person", "%(num)s a day of each person", one))
        for one in BOOSTS_A_DAY
        if one
    ]
    return [("0", _("All boosts")), *reversed(some), ("none", _("No boosts"))]


async def _set_hides_boosts(request: Request, *, hides: bool) -> Response:
    actor_id = forms.path_id(request, "id")
    target = forms.text(await forms.read(request), "next")

    def work(tx: Transaction) -> bool:
        return following.set_hides_boosts(tx, actor_id, hides=hides)

    if not await context_of(request).db.write(work):
        raise NotFound("nobody of that number is followed")
    return RedirectResponse(redirects.local(target, f"/people/{actor_id}"), 303)


async def _read_to(request: Request, position: int) -> None:
    ctx = context_of(request)
    most = min(position, stretches.newest_possible(ctx.now()))
    await ctx.db.write(lambda tx: owner_storage.set_read_position(tx, most))
    await ctx.reload_owner()


owner_routes = [
    Route("/home", show, methods=["GET"]),
    Route("/home/read", read, methods=["POST"]),
    Route("/home/shown", choose, methods=["POST"]),
    Route("/home/boosts/{id}", show_boosts, methods=["GET"]),
    Route("/people/{id}/hide_boosts", hide_boosts, methods=["POST"]),
    Route("/people/{id}/show_boosts", show_boosts_again, methods=["POST"]),
]
