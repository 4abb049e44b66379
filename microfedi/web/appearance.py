"""How the owner's own pages look: theme, colour, size, counts."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import InvalidInput
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import looks
from microfedi.storage.looks import Accent, Looks, TextSize, Theme
from microfedi.words import _


async def show(request: Request) -> Response:
    """GET /settings/appearance."""
    return await _page(request, None)


async def submit(request: Request) -> Response:
    """POST /settings/appearance."""
    ctx = context_of(request)
    form = await forms.read(request)
    try:
        chosen = Looks(
            theme=forms.choice(form, "theme", Theme),
            accent=forms.choice(form, "accent", Accent),
            text_size=forms.choice(form, "text_size", TextSize),
            shows_counts=forms.flag(form, "shows_counts"),
        )
    except InvalidInput as problem:
        return await _page(request, problem)
    await ctx.db.write(lambda tx: looks.set_looks(tx, chosen))
    await ctx.reload_owner()
    return RedirectResponse("/settings/appearance?saved=1", 303)


async def _page(request: Request, problem: InvalidInput | None) -> Response:
    values = {
        "problem": problem,
        "saved": "saved" in request.query_params,
        "themes": [
            (Theme.SYSTEM, _("As the system says")),
            (Theme.LIGHT, _("Light")),
            (Theme.DARK, _("Dark")),
            (Theme.CONTRAST, _("High contrast")),
        ],
        "accents": [
            (Accent.BLUE, "blue", _("Blue")),
            (Accent.TEAL, "teal", _("Teal")),
            (Accent.GREEN, "green", _("Green")),
            (Accent.AMBER, "amber", _("Amber")),
            (Accent.ROSE, "rose", _("Rose")),
            (Accent.GRAPHITE, "graphite", _("Graphite")),
        ],
        "sizes": [
            (TextSize.SMALL, _("Small")),
            (TextSize.NORMAL, _("Normal")),
            (TextSize.LARGE, _("Large")),
            (TextSize.LARGER, _("Larger")),
        ],
    }
    code = 422 if problem else 200
    return await page(request, "settings_appearance.html", values, status_code=code)


owner_routes = [
    Route("/settings/appearance", show, methods=["GET"]),
    Route("/settings/appearance", submit, methods=["POST"]),
]
