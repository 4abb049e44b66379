"""Hashtags: a page for each, and those that the owner follows."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation.visibility import OWNER
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol import markup
from microfedi.protocol.filtering import Place
from microfedi.storage import followed_tags, note_lists, timeline
from microfedi.storage.database import Reader, Transaction
from microfedi.web import cards, public, redirects
from microfedi.web.cards import Card, Sieve
from microfedi.words import _

PAGE_NOTES = 18  # with pictures some 55 kB; small, so that a famous boost costs little
MAX_TYPED_CHARS = 200  # of a hashtag, before it is said that it is none


async def show_tag(request: Request) -> Response:
    """GET /tags/{tag}: the owner's public posts with it; for the owner, everybody's."""
    ctx = context_of(request)
    if not ctx.has_owner:
        raise NotFound("nobody lives here yet")
    tag: str = request.path_params["tag"].lower()
    if not tag or len(tag) > markup.MAX_HASHTAG_CHARS or not tag.isprintable():
        raise NotFound("no such hashtag")
    asker = await public.asker_of(request)
    before = forms.query_id(request, "before")

    def question(reader: Reader) -> tuple[list[Card], str, bool]:
        found = note_lists.by_tag(
            reader,
            tag,
            before_id=before,
            limit=PAGE_NOTES,
            own_public=asker is not OWNER,
        )
        older = f"?before={found[-1].id}" if len(found) == PAGE_NOTES else ""
        sieve = Sieve(Place.HOME, ctx.now()) if asker is OWNER else None
        shown = cards.of_notes(reader, found, ctx.owner, sieve=sieve)
        return shown, older, asker is OWNER and followed_tags.is_followed(reader, tag)

    shown, older, is_followed = await ctx.db.read(question)
    values = {
        "heading": f"#{tag}",
        "tag": tag,
        "can_follow": asker is OWNER and is_tag(tag),
        "is_followed": is_followed,
        "cards": shown,
        "older": older,
        "empty": _("No post with this hashtag has come by."),
    }
    return public.finish(await page(request, "posts.html", values), asker)


async def show_all(request: Request) -> Response:
    """GET /hashtags: those that the owner follows."""
    return await _index(request, "", None)


async def follow(request: Request) -> Response:
    """POST /hashtags: follow one, from its page or typed."""
    ctx = context_of(request)
    form = await forms.read(request)
    typed = ""
    try:
        typed = forms.line(form, "tag", limit=MAX_TYPED_CHARS)
        tag = typed.removeprefix("#").lower()
        if not is_tag(tag):
            raise InvalidInput("tag", "A hashtag is one word of letters and digits, like #kites.")
        now = ctx.now()
        await ctx.db.write(lambda tx: followed_tags.follow(tx, tag, now))
    except InvalidInput as problem:
        return await _index(request, typed, problem)
    return _back(forms.text(form, "next"))


async def unfollow(request: Request) -> Response:
    """POST /hashtags/unfollow: no longer; what it brought to Home goes."""
    form = await forms.read(request)
    tag = forms.line(form, "tag", limit=MAX_TYPED_CHARS)

    def work(tx: Transaction) -> None:
        if followed_tags.unfollow(tx, tag):
            timeline.remove_by_tag(tx, tag)

    await context_of(request).db.write(work)
    return _back(forms.text(form, "next"))


def is_tag(word: str) -> bool:
    """Return whether a word, lower-case without `#`, is a hashtag if it stands in a text.

    >>> is_tag("été2026"), is_tag("two words"), is_tag("2026"), is_tag("")
    (True, False, False, False)
    """
    return markup.hashtags_in(f"#{word}") == [word]


def path_of(tag: str) -> str:
    """Return the page of a hashtag."""
    return f"/tags/{quote(tag, safe='')}"


def _back(target: str) -> Response:
    return RedirectResponse(redirects.local(target, "/hashtags"), 303)


async def _index(request: Request, typed: str, problem: InvalidInput | None) -> Response:
    found = await context_of(request).db.read(followed_tags.everyone)
    values = {"tags": found, "typed": typed, "problem": problem}
    return await page(request, "hashtags.html", values, status_code=422 if problem else 200)


public_routes = [Route("/tags/{tag}", show_tag, methods=["GET"])]

owner_routes = [
    Route("/hashtags", show_all, methods=["GET"]),
    Route("/hashtags", follow, methods=["POST"]),
    Route("/hashtags/unfollow", unfollow, methods=["POST"]),
]
