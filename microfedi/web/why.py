"""Why am I seeing this? What brought a post to the owner, for each of them."""

from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi import words
from microfedi.errors import NotFound
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page, zone_of
from microfedi.storage import lists, notes, reasons
from microfedi.storage.database import Reader
from microfedi.storage.lists import List
from microfedi.storage.reasons import Reasons
from microfedi.web import cards
from microfedi.web.cards import Card


async def show(request: Request) -> Response:
    """GET /posts/{id}/why: the post, and what brought it."""
    ctx = context_of(request)
    note_id = forms.path_id(request, "id")

    def question(reader: Reader) -> tuple[Card, Reasons, list[List]] | None:
        note = notes.by_id(reader, note_id)
        if note is None:
            return None
        found = reasons.of(reader, note)
        named = lists.everyone(reader) if found.list_ids else []
        inside = [one for one in named if one.id in found.list_ids]
        return cards.of_note(reader, note, ctx.owner), found, inside

    answer = await ctx.db.read(question)
    if answer is None:
        raise NotFound("no such post")
    card, found, inside = answer

    def day(instant: datetime) -> str:
        zone = zone_of(ctx.owner.time_zone)
        return words.day_briefly(instant.astimezone(zone), with_year=True)

    values = {"card": card, "reasons": found, "lists": inside, "day": day}
    return await page(request, "why.html", values)


owner_routes = [Route("/posts/{id}/why", show, methods=["GET"])]
