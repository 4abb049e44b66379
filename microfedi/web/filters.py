"""Keyword filters: words that the owner does not want to meet, where and for how long."""

from dataclasses import replace
from datetime import datetime, timedelta

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi import words
from microfedi.errors import InvalidInput
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol import filtering
from microfedi.protocol.filtering import Filter, Place
from microfedi.storage import filters
from microfedi.storage.database import Transaction
from microfedi.web import asked
from microfedi.words import _

MAX_TYPED_CHARS = 200  # of a name, before it is said that it is too long
# Of the words, one on each line.
MAX_WORDS_CHARS = filtering.MAX_PHRASES * (filtering.MAX_PHRASE_CHARS + 1)

# For how long a filter works, in seconds; 0 is for good.
LASTING = (0, 1800, 3600, 6 * 3600, 12 * 3600, 24 * 3600, 7 * 24 * 3600, 30 * 24 * 3600)
AS_IT_IS = "as-it-is"

_NEW = Filter(0, "", (), frozenset(Place))


async def show_all(request: Request) -> Response:
    """GET /settings/filters."""
    found = await context_of(request).db.read(filters.everyone)
    return await page(request, "filters.html", {"filters": found, "places": places()})


async def show_new(request: Request) -> Response:
    """GET /settings/filters/new: an empty form; `words` fills it in."""
    typed = request.query_params.get("words", "")[: filtering.MAX_PHRASE_CHARS]
    phrases = (typed,) if typed.isprintable() and typed.strip() else ()
    return await _form(request, replace(_NEW, phrases=phrases, name=" ".join(phrases)[:60]), None)


async def show(request: Request) -> Response:
    """GET /settings/filters/{id}: to change it."""
    return await _form(request, await asked.row(request, filters.by_id), None)


async def create(request: Request) -> Response:
    """POST /settings/filters/new."""
    return await _put(request, _NEW)


async def change(request: Request) -> Response:
    """POST /settings/filters/{id}."""
    return await _put(request, await asked.row(request, filters.by_id))


async def delete(request: Request) -> Response:
    """POST /settings/filters/{id}/delete."""
    ctx = context_of(request)
    filter_id = forms.path_id(request, "id")
    await ctx.db.write(lambda tx: filters.delete(tx, filter_id))
    await ctx.reload_owner()
    return RedirectResponse("/settings/filters", 303)


def places() -> dict[Place, str]:
    """Return where a filter can work, in words."""
    return {
        Place.HOME: _("Home and lists"),
        Place.NOTIFICATIONS: _("Notifications"),
        Place.THREADS: _("Threads"),
        Place.PROFILES: _("Profiles"),
    }


async def _put(request: Request, before: Filter) -> Response:
    ctx = context_of(request)
    form = await forms.read(request)
    wanted = before
    try:
        wanted = _read(form, before)
        wanted = replace(wanted, until=_until(request, form, before))

        def work(tx: Transaction) -> int:
            return filters.put(tx, wanted)

        await ctx.db.write(work)
    except InvalidInput as problem:
        return await _form(request, wanted, problem)
    await ctx.reload_owner()
    return RedirectResponse("/settings/filters", 303)


def _read(form: FormData, before: Filter) -> Filter:
    """Return the filter that a form describes. Raises: InvalidInput."""
    chosen = set(forms.texts(form, "place", limit=20, most=len(Place)))
    lines = forms.text(form, "phrases", limit=MAX_WORDS_CHARS).split("\n")
    return replace(
        before,
        name=forms.line(form, "name", limit=MAX_TYPED_CHARS),
        phrases=tuple(" ".join(line.split()) for line in lines if line.strip()),
        places=frozenset(one for one in Place if one.value in chosen),
        whole_words=forms.flag(form, "whole_words"),
        hides=forms.one_of(form, "action", ("warn", "hide")) == "hide",
    )


def _until(request: Request, form: FormData, before: Filter) -> datetime | None:
    chosen = forms.one_of(form, "lasts", [AS_IT_IS, *(str(seconds) for seconds in LASTING)])
    if chosen == AS_IT_IS:
        return before.until
    seconds = int(chosen)
    return context_of(request).now() + timedelta(seconds=seconds) if seconds else None


async def _form(request: Request, one: Filter, problem: InvalidInput | None) -> Response:
    lasting = [(str(s), words.duration(s) or _("For good")) for s in LASTING]
    values = {
        "filter": one,
        "places": places(),
        "lasting": lasting,
        "as_it_is": AS_IT_IS,
        "max_words_chars": MAX_WORDS_CHARS,
        "problem": problem,
    }
    return await page(request, "filter.html", values, status_code=422 if problem else 200)


owner_routes = [
    Route("/settings/filters", show_all, methods=["GET"]),
    Route("/settings/filters/new", show_new, methods=["GET"]),
    Route("/settings/filters/new", create, methods=["POST"]),
    Route("/settings/filters/{id}", show, methods=["GET"]),
    Route("/settings/filters/{id}", change, methods=["POST"]),
    Route("/settings/filters/{id}/delete", delete, methods=["POST"]),
]
