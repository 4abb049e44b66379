"""A post that is sent after its session has ended: its text comes back inside the login page.

Nothing of it is kept on the server for somebody who is not logged in. The page carries it, sealed,
so that what is published after the login is what the page has shown; and only in the browser whose
own form it came from: nobody can make another page put a text there.
"""

import base64
import binascii
import json
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation.context import Context
from microfedi.http import csrf, forms, sessions
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol.vocab import Visibility
from microfedi.storage import drafts
from microfedi.storage.drafts import Attached, Draft
from microfedi.web import cards, compose, composer, uploading
from microfedi.web.composer import Typed

# Bytes of the form that are looked at for somebody who is not logged in: all of its texts.
MAX_READ_BYTES = 400_000
# Bytes of what the login page carries; the longest post has 40,000.
MAX_CARRIED_BYTES = 120_000
MAX_FIELD_CHARS = 2 * MAX_CARRIED_BYTES
# Before the files stands a field that tells whether everything typed was read.
WHOLE: Final = "whole"
_PURPOSE: Final = "resume"

What = Literal["publish", "draft", "drop"]


@dataclass(frozen=True, slots=True)
class Carried:
    """What the login page carries. `field` is empty if it is too long for that.

    `is_whole` is False if files came with it: they are lost, and the post waits as a draft.
    """

    draft: Draft
    key: str
    version: int
    is_whole: bool
    field: str = ""


def keeping_text(endpoint: sessions.Endpoint) -> sessions.Endpoint:
    """Close the composer's address to strangers, as the others are, without losing a text."""
    closed = sessions.owner_only(endpoint)

    async def kept(request: Request) -> Response:
        if await sessions.of(request) is None:
            return await _logged_out(request)
        try:
            return await closed(request)
        except csrf.CrossSite:
            csrf.check_origin(request)  # from elsewhere it is refused all the same
        problem = InvalidInput("", "You have logged in again since. Look it over and send it now.")
        typed = await composer.typed(request)
        return await compose.shown_again(request, replace(typed, key="", problem=problem))

    return kept


async def _logged_out(request: Request) -> Response:
    try:
        csrf.check_origin(request)
        form, has_files = await forms.read_beginning(request, most_bytes=MAX_READ_BYTES)
    except (csrf.CrossSite, InvalidInput):
        return RedirectResponse("/login", 303)
    try:
        typed = await composer.typed(request)
        draft = typed.draft
        is_whole = form.get(WHOLE) == "1" and not has_files and typed.problem is None
        if not is_whole and not form.get("visibility"):  # it stood behind what was not read
            draft = replace(draft, visibility=Visibility.FOLLOWERS)
        carried = _sealed(request, Carried(draft, typed.key, typed.version, is_whole))
        if draft.is_empty:
            return RedirectResponse("/login?next=/compose", 303)
        values = {"next": "/home", "problem": None, "carried": carried}
        response = await page(request, "login.html", values, status_code=401)
    finally:
        await forms.close(request)
    csrf.set_cookie(request, response)
    response.headers["Cache-Control"] = "no-store"
    return response


def carried(request: Request, form: FormData) -> Carried | None:
    """Return what the login form carries; None if nothing, or nothing that this page has sealed."""
    field = forms.text(form, "resume", limit=MAX_FIELD_CHARS)
    if not field:
        return None
    sealer = context_of(request).db.sealer
    try:
        sealed = base64.b64decode(field, altchars=b"-_", validate=True)
        plain = sealer.open(_PURPOSE, sealed, bound_to=csrf.token(request))
    except (ValueError, binascii.Error):
        return None
    body: dict[str, Any] = json.loads(plain)
    draft = body["draft"]
    draft["options"] = tuple(draft["options"])
    draft["attached"] = tuple(
        Attached(o["name"], o["alt"], tuple(o["focal_point"]) if o["focal_point"] else None)
        for o in draft["attached"]
    )
    return Carried(Draft(**draft), body["key"], body["version"], body["is_whole"], field)


def chosen(form: FormData) -> What:
    """Return what shall become of it after the login."""
    wanted = forms.text(form, "resume_as", limit=20)
    return "draft" if wanted == "draft" else "drop" if wanted == "drop" else "publish"


async def go_on(ctx: Context, what: Carried, then: What) -> str:
    """Publish what was carried, or keep it as a draft; return where that is to be seen."""
    if then == "drop":
        return "/home"
    draft, key = what.draft, what.key or drafts.new_key()
    problem = ""
    if then == "publish" and what.is_whole and not uploading.undescribed(draft.attached):
        try:
            if draft.at:
                raise InvalidInput("", "It waits to be scheduled.")
            return cards.url_of(await compose.publish(ctx, key, draft), ctx.owner)
        except (InvalidInput, NotFound):
            problem = "&resumed=1"
    if await ctx.db.read(lambda reader: drafts.finished(reader, key)) is not None:
        key = drafts.new_key()
    try:
        kept = await ctx.db.write(
            lambda tx: compose.keep(tx, ctx, Typed(draft, key, what.version, None))
        )
    except InvalidInput:
        return "/drafts"
    return f"/compose?draft={kept.key}{problem}"


def _sealed(request: Request, what: Carried) -> Carried:
    body = asdict(what)
    plain = json.dumps(body).encode()
    if len(plain) > MAX_CARRIED_BYTES:
        return what
    sealer = context_of(request).db.sealer
    sealed = sealer.seal(_PURPOSE, plain, bound_to=csrf.token(request))
    return replace(what, field=base64.urlsafe_b64encode(sealed).decode())
