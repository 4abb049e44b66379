"""Settings: the owner's own custom emoji."""

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi import imagework
from microfedi.errors import InvalidInput
from microfedi.federation.outbox import emojis
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.imagework import Picture
from microfedi.protocol import media_types
from microfedi.storage import own_emojis

_TYPES = frozenset({"image/png", "image/gif", "image/webp"})


async def show(request: Request) -> Response:
    """GET /settings/emoji: those there are, and a form for another."""
    return await _page(request, "", None)


async def add(request: Request) -> Response:
    """POST /settings/emoji: keep one."""
    form = await forms.read(request)
    shortcode = ""
    try:
        shortcode = forms.line(form, "shortcode", limit=66).strip(":")
        await emojis.add(context_of(request), shortcode, await _picture(form))
    except InvalidInput as problem:
        return await _page(request, shortcode, problem)
    return RedirectResponse("/settings/emoji", 303)


async def remove(request: Request) -> Response:
    """POST /settings/emoji/{shortcode}/remove."""
    await emojis.remove(context_of(request), request.path_params["shortcode"])
    return RedirectResponse("/settings/emoji", 303)


async def _picture(form: FormData) -> Picture:
    for data in await forms.slots(form, "picture", most=1, max_bytes=emojis.MAX_BYTES):
        if not data:
            continue
        if media_types.sniff(data) not in _TYPES:
            raise InvalidInput("picture", "An emoji is a PNG, GIF or WebP picture.")
        return await imagework.reencode(data, purpose="emoji")
    raise InvalidInput("picture", "Please choose a picture.")


async def _page(request: Request, shortcode: str, problem: InvalidInput | None) -> Response:
    ctx = context_of(request)
    values = {
        "emojis": await ctx.db.read(own_emojis.all),
        "shortcode": shortcode,
        "problem": problem,
    }
    return await page(request, "settings_emoji.html", values, status_code=422 if problem else 200)


owner_routes = [
    Route("/settings/emoji", show, methods=["GET"]),
    Route("/settings/emoji", add, methods=["POST"]),
    Route("/settings/emoji/{shortcode}/remove", remove, methods=["POST"]),
]
