"""The page where another authenticator app takes the place of the one before."""

from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi import words
from microfedi.account import authenticator, totp
from microfedi.account.authenticator import Pending
from microfedi.errors import InvalidInput
from microfedi.http import addresses, csrf, forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import passkeys
from microfedi.storage.vault_keys import Opened
from microfedi.web import proving

MAX_CODE_CHARS = 20


async def show(request: Request) -> Response:
    """GET /settings/app: both factors are asked for, before anything is shown."""
    return await _page(request, {})


async def begin(request: Request) -> Response:
    """POST /settings/app: show the secret of the new app."""

    async def change(form: FormData, opened: Opened | None) -> dict[str, Any]:
        ctx = context_of(request)
        token = csrf.token(request)
        return _shown(request, authenticator.begin(ctx.db.sealer, bound_to=token, now=ctx.now()))

    return await proving.then(request, change, _page)


async def finish(request: Request) -> Response:
    """POST /settings/app/code: with the new app's code, it takes the place of the old one."""
    ctx = context_of(request)
    form = await forms.read(request)
    values: dict[str, Any] = {}
    try:
        pending = authenticator.resumed(
            ctx.db.sealer,
            forms.text(form, "sealed", limit=authenticator.MAX_SEALED_CHARS),
            bound_to=csrf.token(request),
            now=ctx.now(),
        )
        values = _shown(request, pending)
        code = forms.text(form, "code", limit=MAX_CODE_CHARS)
        await authenticator.finish(
            ctx.db, pending, code, now=ctx.now(), by=addresses.visitor(request)
        )
    except InvalidInput as problem:
        return await _page(request, values | {"problem": words.of(problem)}, status_code=422)
    return RedirectResponse("/settings/security?app", 303)


def _shown(request: Request, pending: Pending) -> dict[str, Any]:
    ctx = context_of(request)
    label = f"{ctx.owner.handle}@{ctx.config.domain}"
    uri = totp.provisioning_uri(pending.secret, handle=label, host=ctx.config.host)
    return {"pending": pending, "qr": totp.qr_svg(uri)}


async def _page(request: Request, values: dict[str, Any], *, status_code: int = 200) -> Response:
    known = await context_of(request).db.read(passkeys.all)
    shown = {"pending": None, "problem": None, "has_passkeys": bool(known), **values}
    return await page(request, "settings_app.html", shown, status_code=status_code)


owner_routes = [
    Route("/settings/app", show, methods=["GET"]),
    Route("/settings/app", begin, methods=["POST"]),
    Route("/settings/app/code", finish, methods=["POST"]),
]
