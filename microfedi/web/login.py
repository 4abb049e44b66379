"""The two doors for a person: setup behind its one-time link, and login with two factors."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi import imagework, words
from microfedi.account import login, setup, tokens
from microfedi.account.setup import Pending, SetupProblems
from microfedi.errors import InvalidInput, NotFound, TooBusy, WrongCredentials
from microfedi.federation.outbox import profile
from microfedi.http import addresses, forms, vaults
from microfedi.http import sessions as http_sessions
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import door_log, sessions
from microfedi.storage.database import Transaction
from microfedi.web import proving, redirects, resuming

MAX_PICTURE_BYTES = 8_000_000  # of the first profile picture, as phones take them


async def show_setup(request: Request) -> Response:
    """GET /setup/{token}: the form, with a QR code drawn here. Looking at it uses nothing up."""
    ctx = context_of(request)
    token = await _open_token(request)
    pending = setup.begin(ctx.db.sealer, ctx.config, token=token, handle=ctx.config.handle)
    return await _setup_page(request, pending, {"handle": ctx.config.handle, "name": ""}, {})


async def submit_setup(request: Request) -> Response:
    """POST /setup/{token}: make the owner, or show everything that is to be corrected."""
    ctx = context_of(request)
    token = await _open_token(request)
    form = await forms.read(request)
    sealed = forms.text(form, "sealed", limit=setup.MAX_PENDING_CHARS)
    shown = {"handle": "", "name": ""}
    try:
        shown["handle"] = forms.line(form, "handle", limit=100).lower().removeprefix("@")
        shown["name"] = forms.line(form, "name", limit=500)
        pictures = [
            await imagework.reencode(data, purpose="avatar")
            for data in await forms.slots(form, "picture", most=1, max_bytes=MAX_PICTURE_BYTES)
            if data
        ]
        if forms.text(form, "password") != forms.text(form, "password_again"):
            raise InvalidInput("password_again", "The two passwords differ.")
        made = await setup.finish(
            ctx.db,
            ctx.config,
            token=token,
            sealed=sealed,
            handle=shown["handle"],
            name=shown["name"] or shown["handle"],
            password=forms.text(form, "password"),
            code=forms.line(form, "code", limit=100),
            typed_back=forms.line(form, "typed_back", limit=100),
            now=ctx.now(),
        )
    except (SetupProblems, InvalidInput, TooBusy) as problem:
        pending = setup.again(
            ctx.db.sealer, ctx.config, token=token, sealed=sealed, handle=shown["handle"]
        )
        return await _setup_page(request, pending, shown, _by_field(problem))
    await ctx.reload_owner()
    if pictures:
        await profile.set_picture(ctx, avatar=pictures[0])
    session = tokens.new()
    now, who = ctx.now(), addresses.visitor(request)

    def enter(tx: Transaction) -> tuple[int, str]:
        session_id = login.begin_session(tx, session, by=who, now=now)
        door_log.add(tx, door_log.Kind.SIGN_IN, now=now, by=who, detail="setup")
        device, _ = login.recognise(tx, "", by=who, now=now)  # the first: nothing is strange
        return session_id, device

    session_id, device = await ctx.db.write(enter)
    ctx.unlocked.hold(session_id, made.opened, tokens.wrap_key(session), now)
    response = RedirectResponse("/home", 303)
    http_sessions.set_cookie(response, ctx.config, session)
    http_sessions.set_device(response, ctx.config, device)
    return response


async def show_login(request: Request) -> Response:
    """GET /login."""
    ctx = context_of(request)
    if not ctx.has_owner:
        return RedirectResponse("/", 303)
    target = redirects.local(request.query_params.get("next", ""), "/home")
    if await http_sessions.of(request) is not None:
        return RedirectResponse(target, 303)
    return await page(request, "login.html", {"next": target, "problem": None, "carried": None})


async def submit_login(request: Request) -> Response:
    """POST /login: password and code together; one answer for whatever was wrong."""
    ctx = context_of(request)
    form = await forms.read(request)
    target = redirects.local(forms.text(form, "next"), "/home")
    old = await http_sessions.of(request)
    typed = resuming.carried(request, form)
    try:
        entered = await login.attempt(
            ctx.door,
            proving.factors(request, form),
            by=addresses.visitor(request),
            now=ctx.now(),
            replaces=old.id if old else None,
            device=http_sessions.device_of(request),
        )
    except (WrongCredentials, TooBusy, InvalidInput) as problem:
        return await _login_page(request, target, problem, typed)
    await ctx.reload_owner()  # every page may have to say that there was a login from elsewhere
    if entered.opened is not None:
        vaults.hold(ctx, entered.session_id, entered.token, entered.opened)
    if typed is not None:  # what was sent after its session had ended
        target = await resuming.go_on(ctx, typed, resuming.chosen(form))
    response = RedirectResponse(target, 303)
    http_sessions.set_cookie(response, ctx.config, entered.token)
    http_sessions.set_device(response, ctx.config, entered.device)
    return response


async def submit_logout(request: Request) -> Response:
    """POST /logout: the session ends here and on the server."""
    ctx = context_of(request)
    session = await http_sessions.of(request)
    if session is not None:
        now, who = ctx.now(), addresses.visitor(request)

        def leave(tx: Transaction) -> None:
            if sessions.end(tx, session.id):
                door_log.add(tx, door_log.Kind.SIGN_OUT, now=now, by=who)

        await ctx.db.write(leave)
        ctx.unlocked.lock(session.id)
    response = RedirectResponse("/", 303)
    http_sessions.clear_cookie(response, ctx.config)
    return response


async def _login_page(
    request: Request, target: str, problem: Exception, typed: resuming.Carried | None
) -> Response:
    status = 429 if isinstance(problem, TooBusy) else 401
    words = {"next": target, "problem": str(problem), "carried": typed}
    response = await page(request, "login.html", words, status_code=status)
    if isinstance(problem, TooBusy):
        response.headers["Retry-After"] = str(problem.retry_after_s)
    return response


async def _setup_page(
    request: Request, pending: Pending, shown: dict[str, Any], problems: dict[str, str]
) -> Response:
    values = {"pending": pending, "shown": shown, "problems": problems}
    return await page(request, "setup.html", values, status_code=422 if problems else 200)


def _by_field(problem: Exception) -> dict[str, str]:
    if isinstance(problem, SetupProblems):
        return problem.problems
    if isinstance(problem, InvalidInput):
        return {problem.field or "form": words.of(problem)}
    return {"form": str(problem)}


async def _open_token(request: Request) -> str:
    ctx = context_of(request)
    token: str = request.path_params["token"]
    now = ctx.now()
    if len(token) > tokens.MAX_TOKEN_CHARS or not await ctx.db.read(
        lambda r: setup.is_open(r, token, now)
    ):
        raise NotFound("no such setup link")
    return token


form_routes = [
    Route("/setup/{token}", show_setup, methods=["GET"]),
    Route("/setup/{token}", submit_setup, methods=["POST"]),
    Route("/login", show_login, methods=["GET"]),
    Route("/login", submit_login, methods=["POST"]),
]
owner_routes = [Route("/logout", submit_logout, methods=["POST"])]
