"""Security: who is logged in, the password, recovery codes, keys, and one lock for it all."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi import words
from microfedi.account import setup, unlocked
from microfedi.errors import InvalidInput, TooBusy, WrongCredentials
from microfedi.federation.outbox import keys
from microfedi.http import forms
from microfedi.http import sessions as http_sessions
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import door_log, passkeys, sessions
from microfedi.storage import owner as owner_storage
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.vault_keys import Opened
from microfedi.web import proving
from microfedi.words import _


async def show_security(request: Request) -> Response:
    """GET /settings/security: password, second factor, recovery codes, sessions."""
    return await _security_page(request, {})


async def change_password(request: Request) -> Response:
    """POST /settings/security/password: asks for both factors; ends every other session."""

    async def change(form: FormData, opened: Opened | None) -> dict[str, Any]:
        new = forms.text(form, "new_password")
        if new != forms.text(form, "new_password_again"):
            raise InvalidInput("new_password", _("The two new passwords differ."))
        ctx, session = context_of(request), await http_sessions.of(request)
        session_id = session.id if session else None
        await setup.change_password(
            ctx.db,
            ctx.config,
            password=new,
            opened=opened,
            session_id=session_id,
            now=ctx.now(),
        )
        ctx.unlocked.lock_all(but=session_id)
        return {"done": _("The password is changed, and every other session has ended.")}

    return await _after_both_factors(request, change)


async def renew_codes(request: Request) -> Response:
    """POST /settings/security/codes: ten new recovery codes; the old ones are worthless."""

    async def change(form: FormData, opened: Opened | None) -> dict[str, Any]:
        codes = await setup.renew_recovery_codes(context_of(request).db)
        return {
            "done": _("These are your new recovery codes. The old ones no longer work."),
            "codes": codes,
        }

    return await _after_both_factors(request, change)


async def renew_keys(request: Request) -> Response:
    """POST /settings/security/keys: new keys for signing; everybody who follows is told."""

    async def change(form: FormData, opened: Opened | None) -> dict[str, Any]:
        await keys.renew(context_of(request))
        return {
            "done": _(
                "You have new keys. Your followers' servers are being told; the old keys are "
                "removed as soon as they know, after two days at the latest."
            )
        }

    return await _after_both_factors(request, change)


async def end_session(request: Request) -> Response:
    """POST /settings/security/sessions/{id}/end."""
    session_id = forms.path_id(request, "id")
    ctx = context_of(request)
    await ctx.db.write(lambda tx: sessions.end(tx, session_id))
    ctx.unlocked.lock(session_id)
    return RedirectResponse("/settings/security#sessions", 303)


async def end_sessions(request: Request) -> Response:
    """POST /settings/security/sessions/end: every one but this."""
    this = await http_sessions.of(request)
    but = this.id if this else None
    ctx = context_of(request)
    await ctx.db.write(lambda tx: sessions.end_all(tx, but=but))
    ctx.unlocked.lock_all(but=but)
    return RedirectResponse("/settings/security#sessions", 303)


async def set_idle(request: Request) -> Response:
    """POST /settings/security/idle: after how long messages are locked again."""
    ctx = context_of(request)
    form = await forms.read(request)
    minutes = int(forms.one_of(form, "minutes", [str(one) for one in unlocked.IDLE_CHOICES]))
    await ctx.db.write(lambda tx: owner_storage.set_vault_idle(tx, minutes))
    await ctx.reload_owner()
    return RedirectResponse("/settings/security#vault", 303)


async def lock_everything(request: Request) -> Response:
    """POST /settings/security/lock: every session ends, this one too, and every vault is locked.

    It asks for nothing: whoever is in a hurry must not look for a phone.
    """
    ctx = context_of(request)
    now, visitor = ctx.now(), proving.visitor(request)

    def change(tx: Transaction) -> None:
        count = sessions.end_all(tx)
        door_log.add(
            tx,
            door_log.Kind.LOCKED,
            now=now,
            address=visitor.address,
            browser=visitor.browser,
            detail=str(count),
        )

    await ctx.db.write(change)
    ctx.unlocked.lock_all()
    response = RedirectResponse("/login", 303)
    http_sessions.clear_cookie(response, ctx.config)
    return response


async def _after_both_factors(
    request: Request, change: Callable[[FormData, Opened | None], Awaitable[dict[str, Any]]]
) -> Response:
    """Do `change` if both factors are right, else say so; nothing is kept then."""
    form = await forms.read(request)
    try:
        opened = await proving.confirmed(request, form)
        return await _security_page(request, await change(form, opened))
    except (InvalidInput, WrongCredentials, TooBusy) as problem:
        return await _security_page(request, {"problem": words.of(problem)}, status_code=422)


async def _security_page(
    request: Request, values: dict[str, Any], *, status_code: int = 200
) -> Response:
    ctx = context_of(request)

    def question(reader: Reader) -> tuple[list[sessions.Session], int, bool]:
        codes_left = owner_storage.recovery_codes_left(reader)
        return sessions.all(reader), codes_left, bool(passkeys.all(reader))

    found, codes_left, has_passkeys = await ctx.db.read(question)
    shown = {
        "sessions": found,
        "codes_left": codes_left,
        "has_passkeys": has_passkeys,
        "idle_choices": [(one, words.duration(one * 60)) for one in unlocked.IDLE_CHOICES],
        "problem": None,
        "done": None,
        "codes": None,
        **values,
    }
    return await page(request, "settings_security.html", shown, status_code=status_code)


owner_routes = [
    Route("/settings/security", show_security, methods=["GET"]),
    Route("/settings/security/password", change_password, methods=["POST"]),
    Route("/settings/security/codes", renew_codes, methods=["POST"]),
    Route("/settings/security/keys", renew_keys, methods=["POST"]),
    Route("/settings/security/idle", set_idle, methods=["POST"]),
    Route("/settings/security/lock", lock_everything, methods=["POST"]),
    Route("/settings/security/sessions/end", end_sessions, methods=["POST"]),
    Route("/settings/security/sessions/{id}/end", end_session, methods=["POST"]),
]
