"""Whom and which servers the owner wants nothing of, and whether people are told."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation.outbox import blocks as outbox
from microfedi.federation.outbox import profile
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import actors, blocks, purge
from microfedi.storage.actors import Actor
from microfedi.storage.blocks import BlockedActor, BlockedHost
from microfedi.storage.database import Reader
from microfedi.storage.purge import Counts
from microfedi.web import asked, mutes, redirects

MAX_HOST_CHARS = 253


@dataclass(frozen=True, slots=True)
class Question:
    """A server that is about to be blocked, and what would go."""

    host: str
    counts: Counts


async def ask(request: Request) -> Response:
    """GET /people/{id}/block: what it means, and for how long."""
    actor = await asked.row(request, actors.by_id)
    if actor.id == context_of(request).owner.actor_id:
        raise NotFound("nobody of that number who could be blocked")
    values = {"actor": actor, "question": None, "lasting": mutes.lasting()}
    return await page(request, "block.html", values)


async def block(request: Request) -> Response:
    """POST /people/{id}/block: nothing of them any more, nothing to them."""
    actor = await asked.row(request, actors.by_id)
    form = await forms.read(request)
    await outbox.block(context_of(request), actor.id, lasts=mutes.lasts(form))
    return await _back(request, actor)


async def unblock(request: Request) -> Response:
    """POST /people/{id}/unblock."""
    actor = await asked.row(request, actors.by_id)
    await outbox.unblock(context_of(request), actor.id)
    return await _back(request, actor)


async def show(request: Request) -> Response:
    """GET /settings/blocks: whom and which servers the owner wants nothing of."""
    return await _page(request, "", None)


async def ask_server(request: Request) -> Response:
    """GET /settings/blocks/server?host=: what would go if this server were blocked."""
    ctx = context_of(request)
    typed = request.query_params.get("host", "")[:MAX_HOST_CHARS]
    try:
        host = outbox.blockable(ctx, typed)
    except InvalidInput as problem:
        return await _page(request, typed, problem)
    counts = await ctx.db.read(lambda r: purge.counts(r, host))
    values = {"actor": None, "question": Question(host, counts), "lasting": mutes.lasting()}
    return await page(request, "block.html", values)


async def block_server(request: Request) -> Response:
    """POST /settings/blocks: block a server and all below its name."""
    form = await forms.read(request)
    host = ""
    try:
        host = forms.line(form, "host", limit=MAX_HOST_CHARS)
        await outbox.block_host(context_of(request), host, lasts=mutes.lasts(form))
    except InvalidInput as problem:
        return await _page(request, host, problem)
    return RedirectResponse("/settings/blocks", 303)


async def unblock_server(request: Request) -> Response:
    """POST /settings/blocks/remove."""
    form = await forms.read(request)
    host = forms.line(form, "host", limit=MAX_HOST_CHARS)
    await outbox.unblock_host(context_of(request), host)
    return RedirectResponse("/settings/blocks", 303)


async def set_telling(request: Request) -> Response:
    """POST /settings/blocks/telling: whether people are told that they are blocked."""
    form = await forms.read(request)
    await profile.set_policies(context_of(request), sends_blocks=forms.flag(form, "sends_blocks"))
    return RedirectResponse("/settings/blocks", 303)


async def _page(request: Request, host: str, problem: InvalidInput | None) -> Response:
    def question(reader: Reader) -> tuple[list[BlockedActor], list[BlockedHost]]:
        return blocks.blocked_actors(reader), blocks.blocked_hosts(reader)

    people, hosts = await context_of(request).db.read(question)
    values = {"people": people, "hosts": hosts, "host": host, "problem": problem}
    return await page(request, "settings_blocks.html", values, status_code=422 if problem else 200)


async def _back(request: Request, actor: Actor) -> Response:
    form = await forms.read(request)
    return RedirectResponse(redirects.local(forms.text(form, "next"), f"/people/{actor.id}"), 303)


owner_routes = [
    Route("/people/{id}/block", ask, methods=["GET"]),
    Route("/people/{id}/block", block, methods=["POST"]),
    Route("/people/{id}/unblock", unblock, methods=["POST"]),
    Route("/settings/blocks", show, methods=["GET"]),
    Route("/settings/blocks", block_server, methods=["POST"]),
    Route("/settings/blocks/server", ask_server, methods=["GET"]),
    Route("/settings/blocks/remove", unblock_server, methods=["POST"]),
    Route("/settings/blocks/telling", set_telling, methods=["POST"]),
]
