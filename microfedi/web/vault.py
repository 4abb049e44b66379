"""The message vault's own page: what opens it, other locks, and vaults that were lost."""

from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi import words
from microfedi.account import unlocked, vaults
from microfedi.http import addresses, forms
from microfedi.http import sessions as http_sessions
from microfedi.http import vaults as http_vaults
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import owner as owner_storage
from microfedi.storage import passkeys, vault_keys
from microfedi.storage.database import Reader
from microfedi.storage.passkeys import Passkey
from microfedi.storage.vault_keys import Opened, Way
from microfedi.web import proving
from microfedi.words import _


async def show(request: Request) -> Response:
    """GET /settings/messages: what opens the messages, and what can be done about it."""
    return await _page(request, {})


async def set_idle(request: Request) -> Response:
    """POST /settings/messages/idle: after how long messages are locked again."""
    ctx = context_of(request)
    await http_vaults.needed(request)  # a locked phone does not make itself stay open for longer
    form = await forms.read(request)
    minutes = int(forms.one_of(form, "minutes", [str(one) for one in unlocked.IDLE_CHOICES]))
    await ctx.db.write(lambda tx: owner_storage.set_vault_idle(tx, minutes))
    await ctx.reload_owner()
    return RedirectResponse("/settings/messages", 303)


async def renew_recovery_key(request: Request) -> Response:
    """POST /settings/messages/recovery-key: another one; the one on paper opens nothing more."""

    async def change(form: FormData, opened: Opened | None) -> dict[str, Any]:
        ctx = context_of(request)
        fresh = await vaults.renew_recovery_key(
            ctx.db, opened, now=ctx.now(), by=addresses.visitor(request)
        )
        return {"recovery_key": fresh, "done": _("You have a new recovery key.")}

    return await proving.then(request, change, _page)


async def renew_locks(request: Request) -> Response:
    """POST /settings/messages/locks: other keys for everything from now on."""

    async def change(form: FormData, opened: Opened | None) -> dict[str, Any]:
        ctx = context_of(request)
        made = await vaults.renew_locks(
            ctx.db,
            opened,
            forms.text(form, "password"),
            now=ctx.now(),
            by=addresses.visitor(request),
        )
        await _hold(request, made.opened)
        return {
            "recovery_key": made.recovery_key,
            "done": _("The locks are changed, and there is a new recovery key."),
        }

    return await proving.then(request, change, _page)


async def adopt(request: Request) -> Response:
    """POST /settings/messages/older: open what was sealed for ever, with what opened it once."""

    async def change(form: FormData, opened: Opened | None) -> dict[str, Any]:
        ctx = context_of(request)
        typed = forms.text(form, "older", limit=vaults.MAX_TYPED_CHARS)
        made = await vaults.adopt(
            ctx.db, opened, typed, now=ctx.now(), by=addresses.visitor(request)
        )
        await _hold(request, made)
        return {"done": _("Your older messages open again.")}

    return await proving.then(request, change, _page)


async def _hold(request: Request, opened: Opened) -> None:
    """Keep the vault open here, with its other keys, and lock it in every other browser."""
    ctx, session = context_of(request), await http_sessions.of(request)
    ctx.unlocked.lock_all()
    if session is not None:
        http_vaults.hold(ctx, session.id, http_sessions.token_of(request), opened)


async def _page(request: Request, values: dict[str, Any], *, status_code: int = 200) -> Response:
    ctx = context_of(request)

    def question(reader: Reader) -> tuple[list[Way], list[Passkey]]:
        return vault_keys.ways(reader), passkeys.all(reader)

    ways, known = await ctx.db.read(question)
    newest = max((way.vault for way in ways), default=0)
    names = {one.credential.hex(): one.name for one in known}
    shown = {
        "ways": [(way, names.get(way.holder, "")) for way in ways if way.vault == newest],
        "is_something_lost": any(way.vault != newest for way in ways),
        "has_passkeys": bool(known),
        "idle_choices": [(one, words.duration(one * 60)) for one in unlocked.IDLE_CHOICES],
        "recovery_key": "",
        "problem": None,
        "done": None,
        **values,
    }
    return await page(request, "settings_messages.html", shown, status_code=status_code)


owner_routes = [
    Route("/settings/messages", show, methods=["GET"]),
    Route("/settings/messages/idle", set_idle, methods=["POST"]),
    Route("/settings/messages/recovery-key", renew_recovery_key, methods=["POST"]),
    Route("/settings/messages/locks", renew_locks, methods=["POST"]),
    Route("/settings/messages/older", adopt, methods=["POST"]),
]
