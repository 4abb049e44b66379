"""Somebody or something by its URI, its page or its handle: from storage, else fetched and kept."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urljoin

from microfedi.errors import (
    ForbiddenAddress,
    MalformedDocument,
    NotAuthorized,
    NotFound,
    ProtocolError,
    RemoteError,
    RemoteGone,
    RemoteRefused,
)
from microfedi.federation import fetching, handles, keeping, tagged
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget, Document
from microfedi.protocol import activities, alternates, answers, kinds, parse, uris, vocab, webfinger
from microfedi.protocol.vocab import Visibility
from microfedi.storage import actors, notes, tombstones
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.notes import Note

log = logging.getLogger(__name__)

__all__ = ["Budget", "Found", "anything", "by_handle", "find_actor", "kept_actor", "kept_note"]

STALE_AFTER = timedelta(days=1)  # an actor fetched longer ago is fetched again when it is met
MAX_PAGE_BYTES = 512 * 1024  # of an HTML page in which we look for a link


@dataclass(frozen=True, slots=True)
class Found:
    """An actor as fetched just now, and the handle (user@host) that WebFinger confirmed."""

    actor: vocab.Actor
    handle: str | None


async def fetch_actor(ctx: Context, uri: str, budget: Budget) -> vocab.Actor:
    """Fetch an actor document at its own address; nothing is kept.

    Raises: RemoteError, ProtocolError.
    """
    return _actor_of(await fetching.at_its_id(ctx, uri, budget), uri)


async def find_actor(ctx: Context, uri: str, budget: Budget) -> Found:
    """Fetch an actor document and have its handle confirmed; nothing is kept.

    Raises: RemoteError, ProtocolError.
    """
    actor = await fetch_actor(ctx, uri, budget)
    return Found(actor, await handles.confirmed(ctx, actor, budget))


async def kept_actor(
    ctx: Context, uri: str, budget: Budget | None = None, *, fresh: bool = False
) -> Actor:
    """Return the actor with this id; fetched and kept if unknown, stale, or `fresh` is wanted.

    Whoever is known is returned as known if they cannot be fetched now and `fresh` is not wanted.

    Raises: RemoteError, ProtocolError.
    """
    stored = await ctx.db.read(lambda reader: actors.by_uri(reader, uri))
    if stored is not None and not fresh:
        is_recent = ctx.now() - stored.fetched_at < STALE_AFTER
        if is_recent or stored.state == "gone" or fetching.is_ours(ctx, uri):
            return stored
    if stored is not None and stored.id == ctx.owner.actor_id:
        return stored
    try:
        found = await find_actor(ctx, uri, budget or Budget())
    except (RemoteError, ProtocolError):
        if stored is None or fresh:
            raise
        return stored
    return await _kept(ctx, found)


async def by_handle(ctx: Context, handle: str) -> Actor:
    """Return who is called user@host.

    What they are called in the end is what their own document and WebFinger agree on.

    Raises: RemoteGone if there is nobody; RemoteError; MalformedDocument if it is no handle, or
    WebFinger contradicts itself.
    """
    asked = webfinger.parse_handle(handle)
    if asked is None:
        raise MalformedDocument(f"expected a handle like @name@server.example, not {handle[:100]}")
    stored = await ctx.db.read(lambda reader: actors.by_handle(reader, str(asked)))
    if stored is not None and (
        stored.id == ctx.owner.actor_id or ctx.now() - stored.fetched_at < STALE_AFTER
    ):
        return stored
    if asked.host in (ctx.config.host, ctx.config.domain):
        raise RemoteGone("%(asked)s is nobody here", asked=asked)
    budget = Budget()
    try:
        canonical, uri = await handles.resolve(ctx, asked, budget)
        actor = await fetch_actor(ctx, uri, budget)
    except RemoteError:
        if stored is None:
            raise
        return stored
    own = handles.claimed(actor)
    if own is not None and own.matches(canonical) and uri == actor.uri:
        return await _kept(ctx, Found(actor, str(canonical)))
    return await _kept(ctx, Found(actor, await handles.confirmed(ctx, actor, budget)))


async def kept_note(ctx: Context, uri: str, budget: Budget | None = None) -> Note:
    """Return the post with this id; fetched at its origin and kept, with its author, if unknown.

    Nobody is told and Home does not change. Asks once more as the owner if a stranger may not see
    it.

    Raises: NotFound if it would be one of ours; RemoteGone if it was deleted; RemoteError,
    ProtocolError.
    """
    budget = budget or Budget()
    stored = await _stored_note(ctx, uri)
    if stored is not None:
        return stored
    document = await fetching.at_its_id(ctx, uri, budget, as_owner=True)
    if not uris.same_origin(fetching.id_of(document), uri):
        raise NotAuthorized(f"{uri[:200]} leads to another server")
    return await _kept_note(ctx, document, budget)


async def fetch_note(
    ctx: Context, uri: str, budget: Budget, *, as_owner: bool = True
) -> vocab.Note:
    """Fetch a post at its origin; nothing is kept. Asks as `kept_note`, unless not `as_owner`.

    Raises: RemoteError, ProtocolError.
    """
    document = await fetching.at_its_id(ctx, uri, budget, as_owner=as_owner)
    note = parse.note(document)
    if not uris.same_origin(note.uri, uri):
        raise NotAuthorized(f"{uri[:200]} leads to another server")
    keeping.check_author(note, note.attributed_to)
    return note


async def anything(ctx: Context, text: str) -> Actor | Note:
    """Return what the owner means: a handle, the address of a profile or a post, or its page.

    Raises: NotFound, RemoteError, ProtocolError; the message says what was found instead.
    """
    text = text.strip()
    if webfinger.parse_handle(text) is not None:
        return await by_handle(ctx, text)
    if not uris.is_acceptable(text, allow_http=ctx.config.federation.development):
        raise MalformedDocument("expected a handle like @name@server.example, or a web address")
    url = uris.without_fragment(text)
    known = await ctx.db.read(lambda reader: _known(reader, url))
    if known is not None:
        return known
    if fetching.is_ours(ctx, url):
        raise NotFound("there is nothing of that address here")
    budget = Budget()
    try:
        document = await fetching.at_its_id(ctx, url, budget, as_owner=True)
    except RemoteRefused as refused:
        if refused.status is None or not 200 <= refused.status < 300:
            raise
        # A page for people. One hop from there, to a document that is judged like any other.
        link = await _alternate(ctx, url, budget)
        document = await fetching.at_its_id(ctx, link, budget, as_owner=True)
    if kinds.type_of(document) in vocab.ACTOR_TYPES:
        actor = _actor_of(document, fetching.id_of(document))
        return await _kept(ctx, Found(actor, await handles.confirmed(ctx, actor, budget)))
    stored = await _stored_note(ctx, fetching.id_of(document))
    return stored or await _kept_note(ctx, document, budget)


def _known(reader: Reader, url: str) -> Actor | Note | None:
    actor = actors.by_uri(reader, url) or actors.by_url(reader, url)
    if actor is not None:
        return actor
    note = notes.by_uri(reader, url)
    if note is None:
        page = notes.by_url(reader, url)
        note = page if page is not None and uris.same_origin(page.uri, url) else None
    return note


async def _stored_note(ctx: Context, uri: str) -> Note | None:
    def question(reader: Reader) -> tuple[Note | None, bool]:
        return notes.by_uri(reader, uri), tombstones.of(reader, uri) is not None

    stored, is_deleted = await ctx.db.read(question)
    if stored is None and is_deleted:
        raise RemoteGone("this was deleted")
    if stored is None and fetching.is_ours(ctx, uri):
        raise NotFound("there is no such post here")
    return stored


def _actor_of(document: Document, asked: str) -> vocab.Actor:
    actor = parse.actor(document)
    if not uris.same_origin(actor.uri, asked):
        raise NotAuthorized(f"{asked[:200]} leads to another server")
    return actor


async def _kept(ctx: Context, found: Found) -> Actor:
    def change(tx: Transaction) -> Actor:
        return actors.keep(tx, found.actor, handle=found.handle, now=ctx.now())

    return await ctx.db.write(change)


async def _kept_note(ctx: Context, document: Document, budget: Budget) -> Note:
    if kinds.type_of(document) == "Create":  # some answer so when asked for a boost's object
        activity = activities.read(document)
        if not isinstance(activity, vocab.Create):
            raise MalformedDocument("expected a post")
        document = await fetching.at_its_id(ctx, activity.object_uri, budget, as_owner=True)
    note = parse.note(document)
    keeping.check_author(note, note.attributed_to)
    author = await kept_actor(ctx, note.attributed_to, budget)

    def change(tx: Transaction) -> Note | None:
        visibility = keeping.visibility_of(ctx, tx, note, author)
        if visibility is Visibility.DIRECT:
            raise NotAuthorized("this is a message, not a post")
        kept = keeping.keep(ctx, tx, note, author, visibility)
        if kept is not None and kept[1]:
            tagged.place(ctx, tx, kept[0])
        return None if kept is None else kept[0]

    kept = await ctx.db.write(change)
    if kept is None:
        raise RemoteGone("this was deleted")
    return kept


async def _alternate(ctx: Context, url: str, budget: Budget) -> str:
    """Return where a page says that its ActivityPub document lies. Raises: RemoteRefused."""
    await fetching.check_host(ctx, url)
    budget.spend()
    page = await ctx.remote.get_bytes(url, max_bytes=MAX_PAGE_BYTES, accept="text/html")
    link = alternates.in_header(page.headers.get("link", ""))
    if link is None and answers.media_type(page.content_type) == "text/html":
        link = alternates.in_page(page.body.decode("utf-8", errors="replace"))
    try:
        target = None if link is None else urljoin(page.url, link)
    except ValueError:
        target = None
    if target is None or not uris.is_acceptable(
        target, allow_http=ctx.config.federation.development
    ):
        raise RemoteRefused("there is no post and no profile at that address")
    if fetching.is_ours(ctx, target):
        raise ForbiddenAddress("that page points back to this server")
    return target
