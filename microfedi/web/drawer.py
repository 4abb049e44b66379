"""The drawer: strangers' first messages wait in it, with what is known of who wrote them.

Nothing is fetched for it, no picture and no portrait: whoever wrote does not learn that it was
looked at.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.federation.outbox import blocks as outbox_blocks
from microfedi.federation.outbox import conversations as outbox
from microfedi.http import forms, vaults
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import acquaintance, conversations
from microfedi.storage.acquaintance import Stranger, Written
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.web import talks
from microfedi.web.talks import Talk

PAGE_REQUESTS = 15


@dataclass(frozen=True, slots=True)
class Waiting:
    """A first message: the conversation that it would be, who wrote, and what came."""

    talk: Talk
    strangers: tuple[Stranger, ...]
    written: Written


@dataclass(frozen=True, slots=True)
class Drawer:
    """A page of the drawer. `older` is where the next one begins."""

    waiting: list[Waiting]
    declined: list[Actor]
    older: str


async def show(request: Request) -> Response:
    """GET /messages/requests: who wrote for the first time, and who was declined."""
    ctx = context_of(request)
    before = forms.query_id(request, "before")

    def question(reader: Reader) -> Drawer:
        found = talks.of(
            reader,
            conversations.page(
                reader, state="request", before=before, limit=PAGE_REQUESTS, now=ctx.now()
            ),
        )
        ids = [talk.conversation.id for talk in found]
        written = acquaintance.written(reader, ids)
        writers = {one for some in written.values() for one in some.writers}
        known = acquaintance.strangers(reader, writers)
        waiting = [
            Waiting(
                talk,
                tuple(known[one] for one in came.writers if one in known),
                came,
            )
            for talk in found
            if (came := written.get(talk.conversation.id)) is not None
        ]
        older = f"?before={found[-1].conversation.last_message_id}" if found else ""
        return Drawer(
            waiting,
            [] if before else conversations.declined(reader),
            older if len(found) == PAGE_REQUESTS else "",
        )

    drawer = await ctx.db.read(question, vault=await vaults.of(request))
    values = {"drawer": drawer, "day": talks.day_in(request)}
    return await page(request, "message_requests.html", values)


async def accept(request: Request) -> Response:
    """POST /messages/{id}/accept: the stranger is a stranger no longer."""
    talk = await talks.asked(request)
    await outbox.accept(context_of(request), talk.conversation.id)
    return RedirectResponse(f"/messages/{talk.conversation.id}", 303)


async def decline(request: Request) -> Response:
    """POST /messages/{id}/decline: delete it, keep no more of it; `block` is person or server.

    What blocking a server takes along is said on a page of its own, which asks.
    """
    ctx = context_of(request)
    talk = await talks.asked(request)
    form = await forms.read(request)
    chosen = forms.one_of(form, "block", ("", "person", "server"))
    people = await outbox.decline(ctx, talk.conversation.id)
    if chosen == "person":
        for actor in people:
            await outbox_blocks.block(ctx, actor.id)
    if chosen == "server" and people:
        host = people[0].host.partition(":")[0]
        return RedirectResponse(f"/settings/blocks/server?host={host}", 303)
    return RedirectResponse("/messages/requests", 303)


async def undecline(request: Request) -> Response:
    """POST /messages/declined/{id}/undo: somebody may write again."""
    await outbox.undecline(context_of(request), forms.path_id(request, "id"))
    return RedirectResponse("/messages/requests", 303)


owner_routes = [
    Route("/messages/requests", show, methods=["GET"]),
    Route("/messages/declined/{id}/undo", undecline, methods=["POST"]),
    Route("/messages/{id}/accept", accept, methods=["POST"]),
    Route("/messages/{id}/decline", decline, methods=["POST"]),
]
