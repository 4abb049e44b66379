"""Security: who is logged in, the password, recovery codes, keys, and one lock for it all."""

from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi import words
from microfedi.account import renewing
from microfedi.errors import InvalidInput
from microfedi.federation import alerts
from microfedi.federation.outbox import keys
from microfedi.http import addresses, forms
from microfedi.http import sessions as http_sessions
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import credentials, door_log, passkeys, recognised, sessions
from microfedi.storage.alerts import State
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.vault_keys import Opened
from microfedi.web import browsers, proving
from microfedi.words import _, ngettext


async def show_security(request: Request) -> Response:
    """GET /settings/security: password, second factor, recovery codes, sessions."""
    values = {}
    if "app" in request.query_params:
        values["done"] = _("Codes come from the new app from now on.")
    return await _security_page(request, values)


async def change_password(request: Request) -> Response:
    """POST /settings/security/password: asks for both factors; ends every other session."""

    async def change(form: FormData, opened: Opened | None) -> dict[str, Any]:
        new = forms.text(form, "new_password")
        if new != forms.text(form, "new_password_again"):
            raise InvalidInput("new_password", _("The two new passwords differ."))
        ctx, session = context_of(request), await http_sessions.of(request)
        session_id = session.id if session else None
        await renewing.change_password(
            ctx.db,
            ctx.config,
            password=new,
            opened=opened,
            session_id=session_id,
            now=ctx.now(),
            by=addresses.visitor(request),
        )
        ctx.unlocked.lock_all(but=session_id)
        return {"done": _("The password is changed, and every other session has ended.")}

    return await proving.then(request, change, _security_page)


async def renew_codes(request: Request) -> Response:
    """POST /settings/security/codes: ten new recovery codes; the old ones are worthless."""

    async def change(form: FormData, opened: Opened | None) -> dict[str, Any]:
        ctx = context_of(request)
        codes = await renewing.renew_recovery_codes(
            ctx.db, now=ctx.now(), by=addresses.visitor(request)
        )
        return {
            "done": _("These are your new recovery codes. The old ones no longer work."),
            "codes": codes,
        }

    return await proving.then(request, change, _security_page)


async def renew_keys(request: Request) -> Response:
    """POST /settings/security/keys: new keys for signing; everybody who follows is told."""

    async def change(form: FormData, opened: Opened | None) -> dict[str, Any]:
        await keys.renew(context_of(request), by=addresses.visitor(request))
        return {
            "done": _(
                "You have new keys. Your followers' servers are being told; the old keys are "
                "removed as soon as they know, after two days at the latest."
            )
        }

    return await proving.then(request, change, _security_page)


async def end_sessions(request: Request) -> Response:
    """POST /settings/security/sessions/end: those that are chosen, or every one but this.

    With both factors: whoever ends sessions also silences the browsers that would tell of it.
    """

    async def change(form: FormData, opened: Opened | None) -> dict[str, Any]:
        ctx, this = context_of(request), await http_sessions.of(request)
        now, who = ctx.now(), addresses.visitor(request)
        chosen = {value for value in form.getlist("session") if isinstance(value, str)}
        everyone = forms.flag(form, "all")

        def end(tx: Transaction) -> list[int]:
            ended = []
            for one in sessions.all(tx):
                is_this = this is not None and one.id == this.id
                if is_this or not (everyone or str(one.id) in chosen):
                    continue
                sessions.end(tx, one.id)
                door_log.add(tx, door_log.Kind.SESSION_ENDED, now=now, by=who, detail=one.address)
                ended.append(one.id)
            return ended

        ended = await ctx.db.write(end)
        for session_id in ended:
            ctx.unlocked.lock(session_id)
        return {"done": ngettext("%(num)s session ended.", "%(num)s sessions ended.", len(ended))}

    return await proving.then(request, change, _security_page)


async def test_alerts(request: Request) -> Response:
    """POST /settings/security/alerts/test: one by every way, to see whether it comes."""
    await forms.read(request)
    try:
        await alerts.test(context_of(request))
    except InvalidInput as problem:
        return await _security_page(request, {"problem": words.of(problem)}, status_code=422)
    said = _("A test is on its way. If it does not come in a minute, look here again for why.")
    return await _security_page(request, {"done": said})


async def lock_everything(request: Request) -> Response:
    """POST /settings/security/lock: every session ends, this one too, and every vault is locked.

    It asks for nothing: whoever is in a hurry must not look for a phone.
    """
    ctx = context_of(request)
    now, who = ctx.now(), addresses.visitor(request)

    def change(tx: Transaction) -> None:
        # First: the browsers of the sessions that end are told, too.
        count = str(len(sessions.all(tx)))
        door_log.add(tx, door_log.Kind.LOCKED, now=now, by=who, detail=count)
        sessions.end_all(tx)
        recognised.forget(tx)

    await ctx.db.write(change)
    ctx.unlocked.lock_all()
    response = RedirectResponse("/login", 303)
    http_sessions.clear_cookie(response, ctx.config)
    return response


async def _security_page(
    request: Request, values: dict[str, Any], *, status_code: int = 200
) -> Response:
    ctx = context_of(request)

    def question(
        reader: Reader,
    ) -> tuple[list[sessions.Session], int, bool, tuple[int, State, State]]:
        return (
            sessions.all(reader),
            credentials.recovery_codes_left(reader),
            bool(passkeys.all(reader)),
            alerts.ways(reader),
        )

    found, codes_left, has_passkeys, (subscribed, pushes, mails) = await ctx.db.read(question)
    shown = {
        "sessions": found,
        "browser_name": browsers.name,
        "codes_left": codes_left,
        "has_passkeys": has_passkeys,
        "browsers": subscribed if ctx.config.federates else 0,
        "pushes": pushes,
        "mails": mails,
        "push_problem": words.gettext(pushes.problem) if pushes.problem else "",
        "mail_problem": words.gettext(mails.problem) if mails.problem else "",
        "mail_to": ctx.config.mail.to if ctx.config.mails else "",
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
    Route("/settings/security/lock", lock_everything, methods=["POST"]),
    Route("/settings/security/sessions/end", end_sessions, methods=["POST"]),
    Route("/settings/security/alerts/test", test_alerts, methods=["POST"]),
]
