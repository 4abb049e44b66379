"""What hangs under the owner's actor: outbox, featured posts and hashtags, boosts."""

from collections.abc import Sequence
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.activitypub import documents
from microfedi.activitypub.inbox import as_signed
from microfedi.activitypub.notes import OPEN
from microfedi.errors import NotFound
from microfedi.federation import verify
from microfedi.federation.context import Context
from microfedi.federation.outbox import announces as outbox_announces
from microfedi.federation.outbox import notes as outbox_notes
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.protocol import render, uris, vocab
from microfedi.storage import actors, announces, featured_tags, followers, notes, pins, published
from microfedi.storage.database import Reader
from microfedi.storage.timeline import Entry

PAGE_ITEMS = 20


async def outbox(request: Request) -> Response:
    """GET /users/{handle}/outbox: open posts and boosts, the newest first. Closed ones do not
    stand there and are not counted, whoever asks.
    """
    await documents.demand_welcome(request)
    ctx = context_of(request)
    owner = ctx.owner
    uri = owner.addresses.outbox
    if "page" not in request.query_params:
        total = await ctx.db.read(lambda r: published.count(r, owner.actor_id, OPEN))
        return documents.respond(request, render.collection(uri, total, first=f"{uri}?page=true"))
    before = forms.query_id(request, "before")

    def question(reader: Reader) -> tuple[list[vocab.Activity], int | None]:
        found = published.page(
            reader, owner.actor_id, visibilities=OPEN, before=before, limit=PAGE_ITEMS + 1
        )
        shown = found[:PAGE_ITEMS]
        more = shown[-1].position if len(found) > PAGE_ITEMS else None
        return _said(ctx, reader, shown), more

    activities, more = await ctx.db.read(question)
    page = render.collection_page(
        f"{uri}?page=true" + (f"&before={before}" if before else ""),
        part_of=uri,
        items=[render.activity(one) for one in activities],
        next=f"{uri}?page=true&before={more}" if more else None,
    )
    return documents.respond(request, page)


def _said(ctx: Context, reader: Reader, entries: Sequence[Entry]) -> list[vocab.Activity]:
    """Return what the owner did: a Create for each post, an Announce for each boost."""
    found = notes.by_ids(reader, {one.note_id for one in entries})
    boosts = announces.by_ids(reader, [one.announce_id for one in entries if one.announce_id])
    authors = actors.by_ids(reader, {note.actor_id for note in found.values()})
    said: list[vocab.Activity] = []
    for entry in entries:
        note = found[entry.note_id]
        if entry.announce_id is None:
            said.append(outbox_notes.create_of(reader, note, ctx.owner.addresses))
        else:
            boost, author = boosts[entry.announce_id], authors[note.actor_id]
            said.append(outbox_announces.to_vocab(ctx, boost, note, author.uri))
    return said


async def featured(request: Request) -> Response:
    """GET /users/{handle}/featured: the pinned posts, whole."""
    await documents.demand_welcome(request)
    ctx = context_of(request)
    owner = ctx.owner

    def question(reader: Reader) -> list[vocab.Note]:
        return [
            outbox_notes.as_document(reader, note, owner.addresses)
            for note in pins.of(reader, owner.actor_id)
            if note.visibility.is_open
        ]

    items = [render.note(note) for note in await ctx.db.read(question)]
    collection = render.collection(owner.addresses.featured, len(items), items=items)
    return documents.respond(request, collection)


async def show_featured_tags(request: Request) -> Response:
    """GET /users/{handle}/featured_tags: the hashtags that stand on the profile."""
    await documents.demand_welcome(request)
    ctx = context_of(request)
    addresses = ctx.owner.addresses
    tags = await ctx.db.read(featured_tags.all)
    items: list[str | render.Document] = [
        {"type": "Hashtag", "href": addresses.tag(quote(tag, safe="")), "name": f"#{tag}"}
        for tag in tags
    ]
    collection = render.collection(addresses.featured_tags, len(items), items=items, ordered=False)
    return documents.respond(request, collection)


async def followers_synchronization(request: Request) -> Response:
    """GET /users/{handle}/followers_synchronization: who of the asker's own server follows.

    Source: FEP-8fcf: only for who has signed the request, and only of their own server.
    Raises: BadSignature (401), KeyUnavailable (503), NotFound for whoever is blocked.
    """
    await documents.demand_welcome(request)
    ctx = context_of(request)
    signer = await verify.signer_of(ctx, as_signed(request))
    if signer is None:
        raise NotFound("nobody of that name speaks with you")
    host = uris.authority(signer.uri)
    items = await ctx.db.read(lambda reader: followers.uris_on(reader, host))
    uri = ctx.owner.addresses.followers_synchronization
    collection = render.collection(uri, len(items), items=items)
    return documents.respond(request, collection, is_open=False)


async def announce(request: Request) -> Response:
    """GET /users/{handle}/announces/{public_id}: a boost, as it was delivered."""
    await documents.demand_welcome(request)
    ctx = context_of(request)
    public_id: str = request.path_params["public_id"]

    def question(reader: Reader) -> vocab.Announce | None:
        boost = announces.by_public_id(reader, public_id)
        note = None if boost is None else notes.by_id(reader, boost.note_id)
        author = None if note is None else actors.by_id(reader, note.actor_id)
        if boost is None or note is None or author is None or boost.visibility not in OPEN:
            return None
        return outbox_announces.to_vocab(ctx, boost, note, author.uri)

    found = await ctx.db.read(question)
    if found is None:
        raise NotFound("no such boost")
    return documents.respond(request, render.activity(found))


async def instance_outbox(request: Request) -> Response:
    """GET /actor/outbox: the server itself says nothing."""
    ctx = context_of(request)
    if not ctx.config.federates or not ctx.has_owner:
        raise NotFound("this server speaks with no other")
    uri = f"{ctx.config.base_url}/actor/outbox"
    return documents.respond(request, render.collection(uri, 0, items=[]))


routes = [
    Route("/users/{handle}/outbox", outbox, methods=["GET"]),
    Route("/users/{handle}/featured", featured, methods=["GET"]),
    Route("/users/{handle}/featured_tags", show_featured_tags, methods=["GET"]),
    Route("/users/{handle}/followers_synchronization", followers_synchronization, methods=["GET"]),
    Route("/users/{handle}/announces/{public_id}", announce, methods=["GET"]),
    Route("/actor/outbox", instance_outbox, methods=["GET"]),
]
