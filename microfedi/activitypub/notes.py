"""Notes for other servers, and the small collections that belong to each."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.activitypub import documents
from microfedi.errors import NotFound
from microfedi.federation.outbox import notes as outbox
from microfedi.federation.visibility import may_see
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.protocol import render
from microfedi.protocol.vocab import Visibility
from microfedi.storage import notes, threads, tombstones
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note

PAGE_ITEMS = 20
OPEN = (Visibility.PUBLIC, Visibility.UNLISTED)


async def show(request: Request) -> Response:
    """GET /users/{handle}/notes/{public_id}: for whoever may see it, 404 for everybody else.

    410 is for what was open once and has been deleted.
    """
    documents.demand_handle(request)
    ctx = context_of(request)
    uri = ctx.owner.addresses.note(request.path_params["public_id"])
    note, deleted = await _find(request)
    if note is None:
        if deleted:
            return documents.respond(request, render.tombstone(uri), status_code=410)
        raise NotFound("no such note")
    document = await ctx.db.read(lambda r: outbox.as_document(r, note, ctx.owner.addresses))
    return documents.respond(request, render.note(document), is_open=note.visibility.is_open)


async def activity(request: Request) -> Response:
    """GET /users/{handle}/notes/{public_id}/activity: the Create of an open note."""
    note = await _visible(request)
    ctx = context_of(request)
    create = await ctx.db.read(lambda r: outbox.create_of(r, note, ctx.owner.addresses))
    return documents.respond(request, render.activity(create), is_open=note.visibility.is_open)


async def replies(request: Request) -> Response:
    """GET .../replies: the ids of open answers, the owner's own first, the oldest first."""
    note = await _visible(request)
    uri = f"{note.uri}/replies"
    if "page" not in request.query_params:
        collection = render.collection(uri, note.replies, first=f"{uri}?page=true", ordered=False)
        return documents.respond(request, collection, is_open=note.visibility.is_open)
    after = forms.query_id(request, "after") or 0
    is_others = "others" in request.query_params
    found = await context_of(request).db.read(
        lambda reader: threads.open_replies(
            reader, note.id, after=(is_others, after), limit=PAGE_ITEMS + 1
        )
    )
    shown = found[:PAGE_ITEMS]
    page = render.collection_page(
        _page(uri, after, is_others=is_others),
        part_of=uri,
        items=[one.uri for one in shown],
        next=_page(uri, shown[-1].id, is_others=shown[-1].is_others)
        if len(found) > PAGE_ITEMS
        else None,
        ordered=False,
    )
    return documents.respond(request, page, is_open=note.visibility.is_open)


async def context(request: Request) -> Response:
    """GET .../context: the ids of the open posts of a thread that the owner began, oldest first.

    Source: FEP-7888, FEP-f228.
    """
    note = await _visible(request)
    if note.in_reply_to_uri is not None:
        raise NotFound("this thread was begun by somebody else")
    ctx = context_of(request)
    uri = f"{note.uri}/context"
    if "page" not in request.query_params:
        total = await ctx.db.read(lambda reader: threads.count_open(reader, note.thread_id))
        collection = render.collection(uri, total, first=f"{uri}?page=true")
        collection["attributedTo"] = ctx.owner.uri
        return documents.respond(request, collection, is_open=note.visibility.is_open)
    after = forms.query_id(request, "after") or 0
    found = await ctx.db.read(
        lambda reader: threads.open_page(reader, note.thread_id, after=after, limit=PAGE_ITEMS + 1)
    )
    shown = found[:PAGE_ITEMS]
    page = render.collection_page(
        _page(uri, after),
        part_of=uri,
        items=[one.uri for one in shown],
        next=_page(uri, shown[-1].id) if len(found) > PAGE_ITEMS else None,
    )
    return documents.respond(request, page, is_open=note.visibility.is_open)


def _page(uri: str, after: int, *, is_others: bool = False) -> str:
    """Return the address of the page of a collection that begins behind a row."""
    others = "&others=true" if is_others else ""
    return f"{uri}?page=true" + (f"&after={after}{others}" if after else "")


async def likes(request: Request) -> Response:
    """GET .../likes: how many, not who."""
    note = await _visible(request)
    collection = render.collection(f"{note.uri}/likes", note.likes, ordered=False)
    return documents.respond(request, collection, is_open=note.visibility.is_open)


async def shares(request: Request) -> Response:
    """GET .../shares: how many, not who."""
    note = await _visible(request)
    collection = render.collection(f"{note.uri}/shares", note.announces, ordered=False)
    return documents.respond(request, collection, is_open=note.visibility.is_open)


async def _visible(request: Request) -> Note:
    documents.demand_handle(request)
    note, _ = await _find(request)
    if note is None:
        raise NotFound("no such note")
    return note


async def _find(request: Request) -> tuple[Note | None, bool]:
    """Return the note if the asker may see it; else whether it was public and is deleted."""
    ctx = context_of(request)
    public_id: str = request.path_params["public_id"]
    uri = ctx.owner.addresses.note(public_id)

    def question(reader: Reader) -> tuple[Note | None, bool]:
        found = notes.by_public_id(reader, public_id)
        grave = tombstones.of(reader, uri) if found is None else None
        return found, grave is not None and grave.was_public

    note, deleted = await ctx.db.read(question)
    if await documents.is_unwelcome(request):
        return None, False
    if deleted or (note is not None and note.visibility.is_open):
        return note, deleted
    # Who asks is found out for what is not there too: the look at their key must not tell either.
    asker = await documents.asker_of(request)
    if note is None or not await ctx.db.read(lambda reader: may_see(reader, note, asker)):
        return None, False
    return note, False


_BASE = "/users/{handle}/notes/{public_id}"
routes = [
    Route(f"{_BASE}/activity", activity, methods=["GET"]),
    Route(f"{_BASE}/context", context, methods=["GET"]),
    Route(f"{_BASE}/replies", replies, methods=["GET"]),
    Route(f"{_BASE}/likes", likes, methods=["GET"]),
    Route(f"{_BASE}/shares", shares, methods=["GET"]),
]
