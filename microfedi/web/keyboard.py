"""The keys: which there are, and whether they do anything."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import owner as owner_storage
from microfedi.words import _

# What static/app.js does. "g h" is one after the other.
Keys = tuple[tuple[str, ...], str]


def groups() -> list[tuple[str, list[Keys]]]:
    """Return every key with what it does, as the pages say it."""
    return [
        (
            _("Reading"),
            [
                (("j", "k"), _("Next and previous post")),
                (("o", "Enter"), _("Open the post")),
                (("p",), _("Its author's profile")),
                (("x",), _("Show or hide what a warning covers")),
                (("h",), _("Show or hide sensitive media")),
                (("e",), _("Open the picture")),
                ((".",), _("Show new posts")),
                (("0",), _("To the top")),
                (("Backspace",), _("Back")),
            ],
        ),
        (
            _("A post"),
            [
                (("r",), _("Reply")),
                (("f", "l"), _("Favourite")),
                (("Shift b",), _("Boost")),
                (("q",), _("Quote")),
                (("d",), _("Bookmark")),
                (("m",), _("Mention the author")),
            ],
        ),
        (
            _("Writing and finding"),
            [
                (("n", "c"), _("New post")),
                (("Ctrl Enter",), _("Publish or send")),
                (("s", "/"), _("Search")),
                (("?",), _("These keys")),
                (("Esc",), _("Close")),
            ],
        ),
        (
            _("Going to"),
            [
                (("g h",), _("Home")),
                (("g d", "g c"), _("Messages")),
                (("g n",), _("Notifications")),
                (("g f",), _("Favourites")),
                (("g b",), _("Bookmarks")),
                (("g l", "g i"), _("Lists")),
                (("g t",), _("Followed hashtags")),
                (("g p", "g u"), _("Your profile")),
                (("g r",), _("Follow requests")),
                (("g m",), _("Mutes")),
                (("g s",), _("Settings")),
            ],
        ),
    ]


async def show(request: Request) -> Response:
    """GET /settings/keyboard."""
    return await page(request, "settings_keyboard.html", {"groups": groups()})


async def submit(request: Request) -> Response:
    """POST /settings/keyboard: whether single keys do anything (WCAG 2.2, 2.1.4)."""
    ctx = context_of(request)
    wanted = forms.flag(await forms.read(request), "shortcuts")
    await ctx.db.write(lambda tx: owner_storage.set_shortcuts(tx, has_shortcuts=wanted))
    await ctx.reload_owner()
    return RedirectResponse("/settings/keyboard", 303)


owner_routes = [
    Route("/settings/keyboard", show, methods=["GET"]),
    Route("/settings/keyboard", submit, methods=["POST"]),
]
