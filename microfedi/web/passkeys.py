"""Passkeys: what the browser is asked, and the page where they are named, added and removed."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from microfedi import words
from microfedi.account import passkeys
from microfedi.errors import InvalidInput, NotFound, TooBusy
from microfedi.http import addresses, csrf, forms
from microfedi.http import sessions as http_sessions
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import door_log, vault_keys
from microfedi.storage import passkeys as storage
from microfedi.storage.database import Transaction
from microfedi.storage.passkeys import Passkey
from microfedi.web import proving
from microfedi.words import _


async def ask(request: Request) -> Response:
    """GET /passkeys/ask: what to ask the authenticator for: `login`, `confirm` or `make`.

    Strangers learn nothing by it: before a login no passkey is named.
    """
    ctx = context_of(request)
    if not ctx.has_owner:
        raise NotFound("nobody lives here yet")
    purpose = request.query_params.get("for", "")
    challenge = ctx.door.challenges.new(purpose, csrf.token(request), ctx.now())
    if purpose == "login":
        return JSONResponse(passkeys.to_use(ctx.config, challenge))
    if await http_sessions.of(request) is None or purpose not in ("confirm", "make"):
        raise NotFound("not to be asked here")
    if purpose == "confirm":
        known = await ctx.db.read(storage.all)
        return JSONResponse(passkeys.to_use(ctx.config, challenge, known=known))

    def enrol(tx: Transaction) -> tuple[bytes, list[Passkey]]:
        return storage.user_handle(tx), storage.all(tx)

    user, known = await ctx.db.write(enrol)
    options = passkeys.to_make(
        ctx.config, challenge, user=user, handle=ctx.owner.handle, known=known
    )
    return JSONResponse(options)


async def show(request: Request) -> Response:
    """GET /settings/passkeys."""
    return await _page(request)


async def add(request: Request) -> Response:
    """POST /settings/passkeys: with both factors, one more."""
    ctx = context_of(request)
    form = await forms.read(request)
    name = ""
    try:
        name = forms.line(form, "name", limit=storage.MAX_NAME_CHARS)
        if not name:
            raise InvalidInput("name", "Please give it a name.")
        answer = forms.text(form, "made", limit=passkeys.MAX_ANSWER_CHARS)
        new = passkeys.made(
            ctx.config,
            ctx.door.challenges,
            answer,
            bound_to=csrf.token(request),
            now=ctx.now(),
        )
        opened = await proving.confirmed(request, form)
        who, now = addresses.visitor(request), ctx.now()

        def change(tx: Transaction) -> bool:
            added = storage.add(
                tx,
                credential=new.credential,
                public_key=new.public_key,
                uses=new.uses,
                name=name,
                has_prf=new.has_prf,
                now=now,
            )
            if added is None:
                return False
            if opened is not None and new.vault_key is not None:
                holder = new.credential.hex()
                vault_keys.let_in(tx, opened, "passkey", new.vault_key, holder=holder, now=now)
            door_log.add(tx, door_log.Kind.PASSKEY_ADDED, now=now, by=who, detail=name)
            return True

        if not await ctx.db.write(change):
            raise InvalidInput(
                "",
                "This passkey is known already, or there are %(most)s of them.",
                most=storage.MAX_PASSKEYS,
            )
    except (InvalidInput, TooBusy) as problem:
        return await _page(request, problem=words.of(problem), name=name)
    return RedirectResponse("/settings/passkeys", 303)


async def rename(request: Request) -> Response:
    """POST /settings/passkeys/{id}/name: with both factors."""
    ctx = context_of(request)
    passkey_id = forms.path_id(request, "id")
    form = await forms.read(request)
    try:
        name = forms.line(form, "name", limit=storage.MAX_NAME_CHARS)
        if not name:
            raise InvalidInput("name", "Please give it a name.")
        await proving.confirmed(request, form)
    except (InvalidInput, TooBusy) as problem:
        return await _page(request, problem=words.of(problem))
    who, now = addresses.visitor(request), ctx.now()

    def change(tx: Transaction) -> None:
        if storage.rename(tx, passkey_id, name):
            door_log.add(tx, door_log.Kind.PASSKEY_RENAMED, now=now, by=who, detail=name)

    await ctx.db.write(change)
    return RedirectResponse("/settings/passkeys", 303)


async def remove(request: Request) -> Response:
    """POST /settings/passkeys/{id}/remove: with both factors; it opens nothing any more."""
    ctx = context_of(request)
    passkey_id = forms.path_id(request, "id")
    form = await forms.read(request)
    try:
        await proving.confirmed(request, form)
    except (InvalidInput, TooBusy) as problem:
        return await _page(request, problem=words.of(problem))
    who, now = addresses.visitor(request), ctx.now()

    def change(tx: Transaction) -> None:
        gone = storage.remove(tx, passkey_id)
        if gone is None:
            return
        vault_keys.close_way(tx, "passkey", holder=gone.credential.hex())
        door_log.add(tx, door_log.Kind.PASSKEY_REMOVED, now=now, by=who, detail=gone.name)

    await ctx.db.write(change)
    return RedirectResponse("/settings/passkeys", 303)


async def _page(request: Request, *, problem: str = "", name: str = "") -> Response:
    def question(reader: Any) -> tuple[list[Passkey], set[str]]:
        opening = {way.holder for way in vault_keys.ways(reader) if way.kind == "passkey"}
        return storage.all(reader), opening

    found, opening = await context_of(request).db.read(question)
    values = {
        "passkeys": [(one, one.credential.hex() in opening) for one in found],
        "has_passkeys": bool(found),
        "problem": problem,
        "name": name or _("This device"),
    }
    return await page(
        request, "settings_passkeys.html", values, status_code=422 if problem else 200
    )


form_routes = [Route("/passkeys/ask", ask, methods=["GET"])]
owner_routes = [
    Route("/settings/passkeys", show, methods=["GET"]),
    Route("/settings/passkeys", add, methods=["POST"]),
    Route("/settings/passkeys/{id}/name", rename, methods=["POST"]),
    Route("/settings/passkeys/{id}/remove", remove, methods=["POST"]),
]
