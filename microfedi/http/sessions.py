"""Who is logged in: a cookie that names a row, and nothing that matters inside it."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from microfedi.account import tokens
from microfedi.config import Config
from microfedi.errors import DiskFull
from microfedi.http import csrf, forms, readonly
from microfedi.http.context import context_of
from microfedi.storage import sessions
from microfedi.storage.sessions import Session

# How often the row notes that it is being used: often enough for "active now".
TOUCH_EVERY = timedelta(minutes=5)
COOKIE_SECONDS = int(sessions.ABSOLUTE.total_seconds())  # as long as a session can last

# A browser is recognised for as long as browsers keep a cookie at all (RFC 6265bis 5.5).
DEVICE_SECONDS = 400 * 86400

Endpoint = Callable[[Request], Awaitable[Response]]


def cookie_name(config: Config) -> str:
    """The session cookie's name. Over plain http the base URL is in it: ports share cookies."""
    return _name(config, "session")


def _name(config: Config, what: str) -> str:
    if config.is_https:
        return f"__Host-{what}"
    return f"{what}-" + hashlib.sha256(config.base_url.encode()).hexdigest()[:12]


async def of(request: Request) -> Session | None:
    """Return the session of whoever asks, None for strangers."""
    state = request.state
    if hasattr(state, "session"):
        found: Session | None = state.session
        return found
    ctx = context_of(request)
    token = request.cookies.get(cookie_name(ctx.config), "")
    state.session = None
    if token and len(token) <= tokens.MAX_TOKEN_CHARS:
        now = ctx.now()
        session = await ctx.db.read(lambda r: sessions.by_token(r, tokens.hash_of(token), now=now))
        state.session = session
        if session is not None and now - session.last_used_at > TOUCH_EVERY:
            await ctx.db.note(lambda tx: sessions.touch(tx, session.id, now))
    session_or_none: Session | None = state.session
    return session_or_none


def token_of(request: Request) -> str:
    """Return what the session's cookie holds, "" if there is none."""
    return request.cookies.get(cookie_name(context_of(request).config), "")


def set_cookie(response: Response, config: Config, token: str) -> None:
    """Hand a session's token to the browser, out of reach of scripts and other sites' posts."""
    response.set_cookie(
        cookie_name(config),
        token,
        max_age=COOKIE_SECONDS,
        path="/",
        secure=config.is_https,
        httponly=True,
        samesite="lax",
    )


def device_of(request: Request) -> str:
    """Return what a browser is recognised by, "" if there is nothing. It opens nothing."""
    found = request.cookies.get(_name(context_of(request).config, "device"), "")
    return found if len(found) <= tokens.MAX_TOKEN_CHARS else ""


def set_device(response: Response, config: Config, token: str) -> None:
    """Hand a browser what it is recognised by at its next login; it outlives the session."""
    response.set_cookie(
        _name(config, "device"),
        token,
        max_age=DEVICE_SECONDS,
        path="/",
        secure=config.is_https,
        httponly=True,
        samesite="lax",
    )


def clear_cookie(response: Response, config: Config) -> None:
    """Take the cookie back, and have the browser forget everything else that it keeps of ours:
    where it is pushed to, the page for no network, what the script noted.
    """
    response.delete_cookie(
        cookie_name(config), path="/", secure=config.is_https, httponly=True, samesite="lax"
    )
    response.headers["Clear-Site-Data"] = '"storage"'


def owner_only(endpoint: Endpoint) -> Endpoint:
    """Close a page: without a session, to the login; every change needs the form's token."""

    async def closed(request: Request) -> Response:
        session = await of(request)
        if session is None:
            if request.method in ("GET", "HEAD"):
                target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                return RedirectResponse(f"/login?next={quote(target)}", 303)
            return RedirectResponse("/login", 303)
        try:
            readonly.check(request)
            await csrf.check(request)
            response = await endpoint(request)
        finally:
            await forms.close(request)
            _wake(request)
        if getattr(request.state, "is_proven", False):
            await _renew(request, session, response)
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Accel-Buffering"] = "no"  # nor in a temporary file of nginx
        return response

    return closed


async def _renew(request: Request, session: Session, response: Response) -> None:
    """Give whoever has just proven who they are another token: copies of the last are worthless."""
    ctx, token = context_of(request), tokens.new()
    try:
        goes_on = await ctx.db.write(lambda tx: sessions.renew(tx, session, tokens.hash_of(token)))
    except DiskFull:  # what was asked for is done, and the last one goes on
        return
    if goes_on:
        old_key, new_key = tokens.wrap_key(token_of(request)), tokens.wrap_key(token)
        ctx.unlocked.hand_over(session.id, old_key, new_key)
        set_cookie(response, ctx.config, token)


def public_form(endpoint: Endpoint) -> Endpoint:
    """An open page with a form (login, setup): the form's token is checked, nothing is cached."""

    async def checked(request: Request) -> Response:
        await of(request)  # what the token is bound to must not change between page and form
        try:
            readonly.check(request)
            await csrf.check(request)
            response = await endpoint(request)
        finally:
            await forms.close(request)
            _wake(request)
        csrf.set_cookie(request, response)
        response.headers["Cache-Control"] = "no-store"
        return response

    return checked


def _wake(request: Request) -> None:
    """Have jobs looked after: what was done may be an alert, also if it was refused."""
    if request.method == "POST":
        context_of(request).wake.jobs.set()


def visitors_form(endpoint: Endpoint) -> Endpoint:
    """An open page with a form that changes nothing of ours: it must come from a page of ours, and
    visitors get no cookie for it.
    """

    async def checked(request: Request) -> Response:
        try:
            csrf.check_origin(request)
            response = await endpoint(request)
        finally:
            await forms.close(request)
        response.headers["Cache-Control"] = "no-store"
        return response

    return checked
