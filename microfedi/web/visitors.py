"""For people of other servers: from the owner's profile or post to where they can act, at home."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.errors import InvalidInput, NotFound, TooBusy
from microfedi.federation.context import Context
from microfedi.federation.visibility import may_see
from microfedi.federation.visitors import Visitors
from microfedi.http import forms
from microfedi.http.addresses import client_address
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol import intents, uris, webfinger
from microfedi.protocol.intents import Wish
from microfedi.protocol.webfinger import Handle
from microfedi.storage import actors, notes
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note

MAX_TYPED_CHARS = 500  # of an address or of a profile's URL

_WISHES: dict[str, Wish] = {
    "follow": "follow",
    "reply": "reply",
    "favourite": "favourite",
    "boost": "boost",
    "open": "open",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What somebody wants to act on: the owner, or an open post of theirs."""

    owner: Actor
    note: Note | None


async def show(request: Request) -> Response:
    """GET /interact: the form, and how it is done by hand. Nothing is fetched for a GET."""
    subject = await _subject(request, request.query_params.get("post", ""))
    return await _page(request, subject, "open" if subject.note else "follow", "", None)


async def submit(request: Request) -> Response:
    """POST /interact: look for the way to the visitor's own server, and show it as a link.

    A link and no redirect: where it leads is read before it is followed, and the rule that forms of
    ours are sent nowhere else (`form-action 'self'`) holds.
    """
    ctx = context_of(request)
    form = await forms.read(request)
    subject = await _subject(request, forms.text(form, "post", limit=100))
    wish = _WISHES[forms.one_of(form, "wish", _WISHES)]
    typed = ""
    try:
        typed = forms.line(form, "handle", limit=MAX_TYPED_CHARS)
        handle = _handle_of(ctx, typed)
        home = await _visitors(request).home_of(
            ctx, handle, address=client_address(request, ctx.config)
        )
    except InvalidInput as problem:
        return await _page(request, subject, wish, typed, problem)
    except TooBusy as busy:
        wait = InvalidInput("", "Too many are asking at the moment. By hand it works at once.")
        response = await _page(request, subject, wish, typed, wait, status_code=429)
        response.headers["Retry-After"] = str(busy.retry_after_s)
        return response
    uri = subject.note.uri if subject.note else ctx.owner.uri
    address = None
    if home is not None:
        address = intents.way(
            home.templates,
            wish,
            uri=uri,
            subject=uri if subject.note else f"{ctx.owner.handle}@{ctx.config.domain}",
            hosts=home.hosts,
            allow_http=not ctx.config.is_https,
        )
    if address is None:
        silence = InvalidInput(
            "",
            "%(host)s did not say where it lets you do this. By hand it works.",
            host=handle.host,
        )
        return await _page(request, subject, wish, typed, silence, status_code=200)
    return await _page(request, subject, wish, typed, None, address=address)


def _visitors(request: Request) -> Visitors:
    known: Visitors | None = getattr(request.app.state, "visitors", None)
    if known is None:
        known = request.app.state.visitors = Visitors()
    return known


def _handle_of(ctx: Context, typed: str) -> Handle:
    """Read what somebody typed as their own address; the address of their profile will do.

    Raises: InvalidInput.
    """
    handle = webfinger.parse_handle(typed)
    if handle is None and uris.is_acceptable(typed, allow_http=not ctx.config.is_https):
        name = urlsplit(typed).path.removeprefix("/users/").removeprefix("/@").strip("/")
        handle = webfinger.parse_handle(f"{name}@{uris.authority(typed)}")
    if handle is None:
        raise InvalidInput("handle", "Please type it like @you@your.server.")
    if handle.host in (ctx.config.host, ctx.config.domain):
        raise InvalidInput("handle", "This is the address of this server. Which one is yours?")
    return handle


async def _subject(request: Request, public_id: str) -> Subject:
    ctx = context_of(request)
    if not ctx.config.federates or not ctx.has_owner:
        raise NotFound("this server speaks with no other")

    def question(reader: Reader) -> Subject | None:
        me = actors.by_id(reader, ctx.owner.actor_id)
        note = notes.by_public_id(reader, public_id) if public_id else None
        if me is None or (public_id and note is None):
            return None
        if note is not None and not (note.visibility.is_open and may_see(reader, note, None)):
            return None
        return Subject(me, note)

    found = await ctx.db.read(question)
    if found is None:
        raise NotFound("no such post")
    return found


async def _page(
    request: Request,
    subject: Subject,
    wish: Wish,
    typed: str,
    problem: InvalidInput | None,
    *,
    status_code: int | None = None,
    address: str = "",
) -> Response:
    values = {
        "subject": subject,
        "wish": wish,
        "typed": typed,
        "problem": problem,
        "address": address,
        "place": uris.authority(address) if address else "",
    }
    status = status_code or (422 if problem else 200)
    return await page(request, "interact.html", values, status_code=status)


form_routes = [
    Route("/interact", show, methods=["GET"]),
    Route("/interact", submit, methods=["POST"]),
]
