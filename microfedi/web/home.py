"""Home: what the people followed posted, newest first, with a mark where the owner stopped."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import owner as owner_storage
from microfedi.storage import timeline
from microfedi.storage.database import Reader
from microfedi.web import cards, compose
from microfedi.web.cards import Card

PAGE_ENTRIES = 30  # as many as people scroll through at once, in some 60 kB and 8 ms


# Entries, their cards, the newest position of all, whether there are more, whom a post can be for.
_Page = tuple[list[timeline.Entry], list[Card], int, bool, Sequence[tuple[str, str]]]


async def show(request: Request) -> Response:
    """GET /home: a page of Home. Looking at its newest page moves the mark."""
    ctx = context_of(request)
    owner = ctx.owner
    now = ctx.now()
    before, after = forms.query_id(request, "before"), forms.query_id(request, "after")

    def question(reader: Reader) -> _Page:
        entries = timeline.home_page(
            reader, before=before, after=after, limit=PAGE_ENTRIES + 1, now=now
        )
        more = len(entries) > PAGE_ENTRIES
        entries = entries[-PAGE_ENTRIES:] if after else entries[:PAGE_ENTRIES]
        newest = timeline.newest_position(reader, now=now)
        shown = cards.of_entries(reader, entries, owner)
        return entries, shown, newest, more, compose.choices_for(reader)

    entries, shown, newest, more, choices = await ctx.db.read(question)
    is_newest_page = not entries or entries[0].position == newest
    older = newer = ""
    if entries and (more or after):
        older = f"/home?before={entries[-1].position}"
    if entries and not is_newest_page:
        newer = f"/home?after={entries[0].position}"
    positions = {entry.note_id: entry.position for entry in entries}
    values = {
        "cards": shown,
        "positions": positions,
        "read_position": owner.home_read_position,
        "older": older,
        "newer": newer,
        "choices": choices,
        "limit": ctx.config.limits.post_characters,
    }
    response = await page(request, "home.html", values)
    if is_newest_page and newest > owner.home_read_position and not _is_prefetch(request):
        await ctx.db.write(lambda tx: owner_storage.set_read_position(tx, newest))
        await ctx.reload_owner()
    return response


def _is_prefetch(request: Request) -> bool:
    return "prefetch" in request.headers.get("sec-purpose", "")


owner_routes = [Route("/home", show, methods=["GET"])]
