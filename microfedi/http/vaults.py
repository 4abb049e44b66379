"""The message vault of whoever asks: open for their session, or a page that asks them to open it.

A page of messages hands what `of` returns to its questions; where it is None and something sealed
is met, `Locked` is raised, and answered by a page that asks for the password. What a form brought
is on that page, and is sent again with it: nothing typed is lost when the vault has locked
itself.
"""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from microfedi.account import login, tokens
from microfedi.errors import InvalidInput, Locked, TooBusy
from microfedi.federation.context import Context
from microfedi.http import addresses, csrf, forms
from microfedi.http import sessions as http_sessions
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import passkeys
from microfedi.storage.vault import SecretKeys
from microfedi.storage.vault_keys import Opened
from microfedi.words import of as words_of

PASSWORD = "vault_password"  # noqa: S105 - the name of a field
PASSKEY = "vault_passkey"
_OURS = (csrf.FIELD, PASSWORD, PASSKEY)
MAX_CARRIED_CHARS = 200_000  # of what a form brought: the longest message, and its fields


async def of(request: Request) -> SecretKeys | None:
    """Return what opens messages if this session has the vault open; None if it has not.

    A form that carries the password opens it.

    Raises: Locked if what it carries does not open it.
    """
    opened = await opened_of(request)
    return None if opened is None else opened.keys()


async def opened_of(request: Request) -> Opened | None:
    """Return the vault itself, as `of` does: for whoever changes its keys."""
    state = request.state
    if hasattr(state, "vault"):
        found: Opened | None = state.vault
        return found
    state.vault = None
    ctx = context_of(request)
    session = await http_sessions.of(request)
    if session is None:
        return None
    token = http_sessions.token_of(request)
    state.vault = ctx.unlocked.use(
        session.id, tokens.wrap_key(token), ctx.now(), idle=_idle_of(ctx)
    )
    if state.vault is None and request.method == "POST":
        form = await forms.read(request)
        if form.get(PASSWORD) or form.get(PASSKEY):
            state.vault = await _try(request)
            hold(ctx, session.id, token, state.vault)
    opened_or_none: Opened | None = state.vault
    return opened_or_none


async def needed(request: Request) -> SecretKeys:
    """Return what opens messages. Raises: Locked if this session has not the vault open."""
    keys = await of(request)
    if keys is None:
        raise Locked("the message vault is not open")
    return keys


def hold(ctx: Context, session_id: int, token: str, opened: Opened) -> None:
    """Keep the vault open for the session whose cookie is `token`, as long as the owner chose."""
    ctx.unlocked.hold(session_id, opened, tokens.wrap_key(token), ctx.now(), idle=_idle_of(ctx))


def _idle_of(ctx: Context) -> timedelta:
    return timedelta(minutes=ctx.owner.vault_idle_minutes)


async def _try(request: Request) -> Opened:
    ctx = context_of(request)
    form = await forms.read(request)
    try:
        opened = await login.open_vault(
            ctx.door,
            login.Factors(
                password=forms.text(form, PASSWORD),
                passkey=forms.text(form, PASSKEY, limit=login.MAX_PASSKEY_CHARS),
                bound_to=csrf.token(request),
            ),
            by=addresses.visitor(request),
            now=ctx.now(),
        )
    except (InvalidInput, TooBusy) as problem:
        raise Locked(words_of(problem)) from problem
    await ctx.reload_owner()  # every page may have to say that a key was exchanged
    return opened


async def locked_page(request: Request, problem: Locked) -> Response:
    """Return the page that asks for the password, and carries on with what was asked for."""
    carried: list[tuple[str, str]] = []
    lost_files = False
    action, target = "/unlock", request.url.path
    if request.url.query:
        target += f"?{request.url.query}"
    if request.method == "POST":
        form = await forms.read(request)
        action = target
        texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
        lost_files = any(not isinstance(value, str) and value.size for value in form.values())
        if sum(len(value) for _, value in texts) <= MAX_CARRIED_CHARS:
            carried = [(name, value) for name, value in texts if name not in _OURS]
    has_passkeys = await context_of(request).db.read(lambda r: bool(passkeys.all(r)))
    values = {
        "action": action,
        "target": target,
        "carried": carried,
        "lost_files": lost_files,
        "typed": next((value for name, value in carried if name == "source"), ""),
        "has_passkeys": has_passkeys,
        # What the storage says is for the log; what a try brought is for people.
        "problem": str(problem) if isinstance(problem.__cause__, InvalidInput | TooBusy) else "",
    }
    return await page(request, "unlock.html", values, status_code=401)
