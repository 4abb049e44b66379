"""The owner comes from another server's page: to follow somebody, to answer or share something.

Nothing happens by coming here, whatever the address says: it only shows what was asked for, and the
buttons that are there anyway.
"""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.errors import NotFound, ProtocolError, RemoteError
from microfedi.federation import lookup
from microfedi.federation.context import Context
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol import intents, uris
from microfedi.storage import standing
from microfedi.storage.actors import Actor
from microfedi.storage.notes import Note
from microfedi.web import cards, compose, composer, troubles
from microfedi.web import trust as trusting
from microfedi.web.cards import Card
from microfedi.words import _

MAX_SHARED_CHARS = 20_000  # of a text that comes in an address; browsers send little more

_INTENTS = ("Follow", "Like", "Announce")


@dataclass(frozen=True, slots=True)
class After:
    """What the page that the owner came from wants to be done afterwards: "" is nothing.

    `intents.CLOSE`, or a web address. It is shown, and gone to by the owner's own click alone.
    """

    success: str
    cancel: str

    @property
    def success_host(self) -> str:
        """The host of the address; "" if it is none."""
        return _host(self.success)

    @property
    def cancel_host(self) -> str:
        """The host of the address; "" if it is none."""
        return _host(self.cancel)


async def authorize(request: Request) -> Response:
    """GET /authorize_interaction: who or what another server's page sent the owner here for.

    `uri` (older: `acct`) is the address of a person or a post, or a handle. `intent` says which
    button the owner came for.

    Source: OStatus subscribe as Mastodon does it; FEP-3b86.
    """
    ctx = context_of(request)
    wanted = _value(request, "uri", "acct", limit=uris.MAX_URI_CHARS + 1)
    intent = request.query_params.get("intent", "")
    values: dict[str, Any] = {
        "wanted": wanted,
        "intent": intent if intent in _INTENTS else "",
        "after": _after(request),
        "person": None,
        "card": None,
        "problem": "",
    }
    if not wanted:
        values["problem"] = _("The page that you come from did not say whom or what it is about.")
        return await page(request, "authorize.html", values, status_code=422)
    try:
        found = await _found(ctx, wanted)
    except (NotFound, RemoteError, ProtocolError) as error:
        values["problem"] = troubles.of_lookup(error)
        return await page(request, "authorize.html", values, status_code=422)
    if isinstance(found, Actor):
        values["person"] = found
        values["relation"], trust = await ctx.db.read(
            lambda r: (standing.of_actor(r, found, ctx.now()), trusting.of(ctx, r, found))
        )
        await trusting.look_again(ctx, found, trust)
        values["trust"] = trust
    else:
        values["card"] = await _card(ctx, found)
    return await page(request, "authorize.html", values)


async def share(request: Request) -> Response:
    """GET /share: the box for a post, filled in; nothing is published before the owner does it.

    `text` (or `content`), `title` (or `name`), `url`, `summary` for a content warning, `inReplyTo`.

    Source: what Mastodon takes; Web Share Target; FEP-3b86 (Create).
    """
    ctx = context_of(request)
    title = _value(request, "title", "name", limit=1000).replace("\n", " ")
    text = _value(request, "text", "content", limit=MAX_SHARED_CHARS)
    url = _value(request, "url", limit=uris.MAX_URI_CHARS + 1)
    pieces = [title if title not in text else "", text, url if url not in text else ""]
    source = "\n\n".join(piece for piece in pieces if piece)
    parent: Note | None = None
    problem = ""
    answered = _value(request, "inReplyTo", limit=uris.MAX_URI_CHARS + 1)
    if answered:
        try:
            found = await _found(ctx, answered)
            parent = found if isinstance(found, Note) else None
            problem = "" if parent else _("What you want to answer is no post.")
        except (NotFound, RemoteError, ProtocolError) as error:
            problem = _(
                "The post that you want to answer was not found: %(problem)s",
                problem=troubles.of_lookup(error),
            )
    return await compose.filled(
        request,
        parent,
        source=source,
        summary=_value(request, "summary", limit=composer.MAX_SUMMARY_CHARS).replace("\n", " "),
        on_success=_after(request).success,
        problem=problem,
    )


async def shared(request: Request) -> Response:
    """GET /share/done: the post is out; the way back to where the owner came from."""
    return await page(request, "shared.html", {"after": _after(request)})


async def _found(ctx: Context, wanted: str) -> Actor | Note:
    if not ctx.config.federates:
        raise NotFound("this server speaks with no other")
    return await lookup.anything(ctx, wanted)


async def _card(ctx: Context, note: Note) -> Card:
    return await ctx.db.read(lambda r: cards.of_note(r, note, ctx.owner))


def _value(request: Request, *names: str, limit: int) -> str:
    """Return the first of these parameters that says something, without what cannot be shown."""
    for name in names:
        value = request.query_params.get(name, "")
        if not intents.is_left_blank(value):
            value = value[:limit].replace("\r\n", "\n").replace("\r", "\n")
            return "".join(c for c in value if c == "\n" or c.isprintable()).strip()
    return ""


def _after(request: Request) -> After:
    return After(_target(request, "on-success"), _target(request, "on-cancel"))


def _target(request: Request, name: str) -> str:
    """Return where to go afterwards if it can be trusted to be what it looks like."""
    value = _value(request, name, limit=uris.MAX_URI_CHARS + 1)
    allow_http = not context_of(request).config.is_https
    is_plain = value == intents.CLOSE or uris.is_acceptable(value, allow_http=allow_http)
    return value if is_plain else ""


def _host(address: str) -> str:
    return uris.authority(address) if address and address != intents.CLOSE else ""


owner_routes = [
    Route("/authorize_interaction", authorize, methods=["GET"]),
    Route("/share", share, methods=["GET"]),
    Route("/share/done", shared, methods=["GET"]),
]
