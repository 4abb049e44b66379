"""Deleting the account: what goes and what stays, and then three things typed to be sure."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi import words
from microfedi.errors import InvalidInput, TooBusy
from microfedi.federation.outbox import irreversible
from microfedi.http import addresses, forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol.vocab import Visibility
from microfedi.storage import erasing, followers, note_lists, passkeys
from microfedi.storage.database import Reader
from microfedi.web import proving

MAX_HANDLE_CHARS = 300


async def show(request: Request) -> Response:
    """GET /settings/delete: what goes, what stays, and that it is for ever."""
    return await _page(request, "")


async def submit(request: Request) -> Response:
    """POST /settings/delete: with the handle typed and both factors, delete everything."""
    ctx = context_of(request)
    form = await forms.read(request)
    try:
        typed = forms.line(form, "handle", limit=MAX_HANDLE_CHARS).removeprefix("@").lower()
        handle = ctx.owner.handle.lower()
        if typed not in (handle, f"{handle}@{ctx.config.domain}"):
            raise InvalidInput("handle", "Type %(handle)s to be sure.", handle=ctx.owner.handle)
        await proving.confirmed(request, form)
        await irreversible.ask(ctx, "delete", by=addresses.visitor(request))
    except (InvalidInput, TooBusy) as problem:
        return await _page(request, words.of(problem))
    return RedirectResponse("/settings/delete", 303)


async def _page(request: Request, problem: str) -> Response:
    ctx = context_of(request)

    def question(reader: Reader) -> tuple[int, int, int, bool]:
        return (
            note_lists.count_of(reader, ctx.owner.actor_id, tuple(Visibility)),
            followers.count(reader),
            len(erasing.inboxes(reader)) if ctx.config.federates else 0,
            bool(passkeys.all(reader)),
        )

    posts, people, servers, has_passkeys = await ctx.db.read(question)
    values = {
        "posts": posts,
        "followers": people,
        "servers": servers,
        "has_passkeys": has_passkeys,
        "problem": problem,
    }
    return await page(request, "settings_delete.html", values, status_code=422 if problem else 200)


owner_routes = [
    Route("/settings/delete", show, methods=["GET"]),
    Route("/settings/delete", submit, methods=["POST"]),
]
