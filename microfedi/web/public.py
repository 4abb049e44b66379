"""What everybody may see: the owner's profile, posts, hashtags."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi import words
from microfedi.errors import Gone, NotFound
from microfedi.federation.visibility import OWNER, Asker, may_see
from microfedi.http import forms, sessions
from microfedi.http.context import context_of
from microfedi.http.pages import page, zone_of
from microfedi.protocol import sanitize
from microfedi.protocol.vocab import Visibility
from microfedi.storage import actors, notes, published, tombstones
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note
from microfedi.web import cards, gallery, history, profiles, thread
from microfedi.web import trust as trusting
from microfedi.web.profiles import Content
from microfedi.web.trust import Trust

DESCRIPTION_CHARS = 200  # of the profile, for previews elsewhere

OPEN = (Visibility.PUBLIC, Visibility.UNLISTED)


@dataclass(frozen=True, slots=True)
class Profile:
    """The owner's own page, for whoever asks. The counts are -1 if they are nobody's business."""

    actor: Actor
    description: str
    links: Sequence[str]
    tags: Sequence[str]
    content: Content
    posts: int
    followers: int
    following: int
    joined: str
    trust: Trust


async def asker_of(request: Request) -> Asker:
    """Return the owner if this browser is logged in, else anybody."""
    return OWNER if await sessions.of(request) is not None else None


async def start(request: Request) -> Response:
    """GET /: setup waits, Home, or the owner's page."""
    ctx = context_of(request)
    if not ctx.has_owner:
        return await page(request, "waiting.html")
    if await sessions.of(request) is not None:
        return RedirectResponse("/home", 303)
    return RedirectResponse(f"/@{ctx.owner.handle}", 303)


def _demand_handle(request: Request) -> None:
    ctx = context_of(request)
    if not ctx.has_owner or request.path_params["handle"] != ctx.owner.handle:
        raise NotFound("nobody of that name lives here")


async def to_profile(request: Request) -> Response:
    """GET /users/{handle} by a browser: to the page."""
    _demand_handle(request)
    return RedirectResponse(f"/@{context_of(request).owner.handle}", 302)


async def to_post(request: Request) -> Response:
    """GET /users/{handle}/notes/{public_id} by a browser: to the page, if there is one to see."""
    note = await _visible(request)
    return RedirectResponse(cards.url_of(note, context_of(request).owner), 302)


async def show_profile(request: Request) -> Response:
    """GET /@{handle}: who the owner is, and their open posts; the owner sees all of them."""
    _demand_handle(request)
    ctx = context_of(request)
    owner = ctx.owner
    asker = await asker_of(request)
    before = forms.query_id(request, "before")
    tab = profiles.tab_of(request)
    base, zone = f"/@{owner.handle}", zone_of(owner.time_zone)

    def question(reader: Reader) -> Profile:
        me = actors.by_id(reader, owner.actor_id)
        if me is None:
            raise NotFound("nobody of that name lives here")
        wanted = OPEN if asker is None else tuple(v for v in Visibility if v != Visibility.DIRECT)
        content = profiles.content(
            reader,
            me,
            base,
            tab=tab,
            visibilities=wanted,
            before=before,
            owner=owner,
            asker=asker,
        )
        counts = published.counts(reader, me.id, wanted)
        hidden = owner.hides_follows and asker is None
        return Profile(
            replace(me, fields=tuple((name, sanitize.as_me(value)) for name, value in me.fields)),
            " ".join(sanitize.text(me.summary, limit=DESCRIPTION_CHARS).split()),
            [link for _, value in me.fields for link in sanitize.links_in(value)],
            counts.tags,
            content,
            counts.posts,
            -1 if hidden else counts.followers,
            -1 if hidden else counts.following,
            words.day_briefly(owner.created_at.astimezone(zone), with_year=True),
            trusting.of_owner(reader, me),
        )

    profile = await ctx.db.read(question)
    values = {"profile": profile, "trust": profile.trust}
    response = await page(request, "profile.html", values)
    response = finish(response, asker, owner.uri)
    for kind, name in (("atom+xml", "atom"), ("feed+json", "json")):
        feed = f'<{owner.addresses.page}/feed.{name}>; rel="alternate"; type="application/{kind}"'
        response.headers["Link"] += f", {feed}"
    return response


async def show_post(request: Request) -> Response:
    """GET /@{handle}/{public_id}: a post in its thread, as far as whoever asks may see it."""
    note = await _visible(request)
    asker = await asker_of(request)
    return finish(await thread.shown(request, note, asker), asker, note.uri)


async def show_history(request: Request) -> Response:
    """GET /@{handle}/{public_id}/history: what a post said before, for whoever may see it."""
    note = await _visible(request)
    return finish(await history.of(request, note), await asker_of(request))


async def show_media(request: Request) -> Response:
    """GET /@{handle}/{public_id}/media/{number}: one picture, for whoever may see the post."""
    note = await _visible(request)
    return finish(await gallery.of(request, note), await asker_of(request))


async def _visible(request: Request) -> Note:
    """Return the note of the address if whoever asks may see it.

    Raises: Gone if it was open and is deleted; NotFound for everything else, in the same words.
    """
    _demand_handle(request)
    ctx = context_of(request)
    public_id: str = request.path_params["public_id"]
    asker = await asker_of(request)
    uri = ctx.owner.addresses.note(public_id)

    def question(reader: Reader) -> tuple[Note | None, bool]:
        found = notes.by_public_id(reader, public_id)
        if found is None:
            grave = tombstones.of(reader, uri)
            return None, grave is not None and grave.was_public
        return (found if may_see(reader, found, asker) else None), False

    note, deleted = await ctx.db.read(question)
    if deleted:
        raise Gone("this post was deleted")
    if note is None:
        raise NotFound("no such post")
    return note


def finish(response: Response, asker: Asker, uri: str = "") -> Response:
    """Say where the same is for servers, and that what the owner saw is kept nowhere."""
    if uri:
        response.headers["Link"] = f'<{uri}>; rel="alternate"; type="application/activity+json"'
    response.headers["Cache-Control"] = "no-store" if asker is OWNER else "private, no-cache"
    response.headers["Vary"] = "Cookie"
    return response


public_routes = [
    Route("/", start, methods=["GET"]),
    Route("/@{handle}/{public_id}/history", show_history, methods=["GET"]),
    Route("/@{handle}/{public_id}/media/{number}", show_media, methods=["GET"]),
]
