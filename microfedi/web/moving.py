"""Other accounts of the owner's: those that may move here, and the one to move to."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi import words
from microfedi.errors import InvalidInput, TooBusy
from microfedi.federation.outbox import irreversible, moving
from microfedi.http import addresses, forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import actors, followers, passkeys
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.web import proving

MAX_ACCOUNT_CHARS = 2000  # as long as a URL may be


async def show(request: Request) -> Response:
    """GET /settings/moving: the accounts that may move here, and where the owner lives."""
    return await _page(request)


async def add(request: Request) -> Response:
    """POST /settings/moving/aliases: with both factors, an account that may move here."""
    ctx = context_of(request)
    form = await forms.read(request)
    alias = ""
    try:
        alias = forms.line(form, "alias", limit=MAX_ACCOUNT_CHARS)
        other = await moving.check_alias(ctx, alias)  # first: a mistyped name costs no code
        await proving.confirmed(request, form)
        await moving.add_alias(ctx, other, by=addresses.visitor(request))
    except (InvalidInput, TooBusy) as problem:
        return await _page(request, problem=problem, alias=alias)
    return RedirectResponse("/settings/moving", 303)


async def remove(request: Request) -> Response:
    """POST /settings/moving/aliases/remove: with both factors."""
    form = await forms.read(request)
    try:
        uri = forms.line(form, "uri", limit=MAX_ACCOUNT_CHARS)
        await proving.confirmed(request, form)
        await moving.remove_alias(context_of(request), uri, by=addresses.visitor(request))
    except (InvalidInput, TooBusy) as problem:
        return await _page(request, problem=problem)
    return RedirectResponse("/settings/moving", 303)


async def ask(request: Request) -> Response:
    """POST /settings/moving/check: what it means to move there. A POST: it asks another server."""
    form = await forms.read(request)
    typed = ""
    try:
        typed = forms.line(form, "target", limit=MAX_ACCOUNT_CHARS)
        target = await moving.check_target(context_of(request), typed)
    except InvalidInput as problem:
        return await _page(request, problem=problem, typed=typed)
    return await _consequences(request, target, None)


async def move(request: Request) -> Response:
    """POST /settings/moving/move: with both factors, send followers there."""
    ctx = context_of(request)
    form = await forms.read(request)
    uri = ""
    try:
        uri = forms.line(form, "target", limit=MAX_ACCOUNT_CHARS)
        target = await moving.check_target(ctx, uri)
    except InvalidInput as problem:
        return await _page(request, problem=problem, typed=uri)
    try:
        await proving.confirmed(request, form)
        await irreversible.ask(ctx, "move", target.uri, by=addresses.visitor(request))
    except (InvalidInput, TooBusy) as problem:
        return await _consequences(request, target, problem)
    return RedirectResponse("/settings/moving", 303)


async def take_back(request: Request) -> Response:
    """POST /settings/moving/back: with both factors, live here again."""
    form = await forms.read(request)
    try:
        await proving.confirmed(request, form)
        await moving.take_back(context_of(request), by=addresses.visitor(request))
    except (InvalidInput, TooBusy) as problem:
        return await _page(request, problem=problem)
    return RedirectResponse("/settings/moving", 303)


async def _consequences(
    request: Request, target: Actor, problem: InvalidInput | TooBusy | None
) -> Response:
    count, has_passkeys = await context_of(request).db.read(
        lambda reader: (followers.count(reader), bool(passkeys.all(reader)))
    )
    values = {
        "target": target,
        "followers": count,
        "has_passkeys": has_passkeys,
        "problem": str(problem) if problem else "",
    }
    return await page(request, "settings_move.html", values, status_code=422 if problem else 200)


async def _page(
    request: Request,
    *,
    problem: InvalidInput | TooBusy | None = None,
    alias: str = "",
    typed: str = "",
) -> Response:
    ctx = context_of(request)

    def question(reader: Reader) -> tuple[Sequence[str], dict[str, Actor], bool]:
        uris = moving.aliases(reader, ctx)
        moved = [ctx.owner.moved_to] if ctx.owner.moved_to else []
        return uris, actors.by_uris(reader, [*uris, *moved]), bool(passkeys.all(reader))

    uris, known, has_passkeys = await ctx.db.read(question)
    values = {
        "aliases": uris,
        "known": known,
        "moved_to": ctx.owner.moved_to,
        "has_passkeys": has_passkeys,
        "problem": problem if getattr(problem, "field", "") else None,
        "said": words.of(problem) if problem and not getattr(problem, "field", "") else "",
        "alias": alias,
        "typed": typed,
    }
    return await page(request, "settings_moving.html", values, status_code=422 if problem else 200)


owner_routes = [
    Route("/settings/moving", show, methods=["GET"]),
    Route("/settings/moving/aliases", add, methods=["POST"]),
    Route("/settings/moving/aliases/remove", remove, methods=["POST"]),
    Route("/settings/moving/check", ask, methods=["POST"]),
    Route("/settings/moving/move", move, methods=["POST"]),
    Route("/settings/moving/back", take_back, methods=["POST"]),
]
