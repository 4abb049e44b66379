"""What is missing of a thread: fetched when the owner opens a post, each post from its own server.

Upwards along `inReplyTo`; downwards through the collection in which whoever began the thread lists
its posts (`context`), or else through the list of replies of one post after the other. A list says
only where to ask. Nobody is notified of anything found here, and Home does not change.

Source: FEP-7888, FEP-f228; ActivityPub 7.10 for lists of replies.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import timedelta
from functools import partial

from microfedi.errors import ProtocolError, RemoteGone
from microfedi.federation import fetching, lookup
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget, Document
from microfedi.federation.inbox import update
from microfedi.federation.thread_search import Item, Search
from microfedi.protocol import kinds, parse, shapes, uris, vocab
from microfedi.storage import actors, blocks, following, jobs, notes, threads, tombstones
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.notes import Note
from microfedi.storage.threads import Fetch, State, What

log = logging.getLogger(__name__)

MAX_ANCESTORS = 50  # posts that are fetched in one look, upwards
# The same for a post of somebody who is not followed: the rest is fetched when it is opened.
MAX_ANCESTORS_OF_STRANGERS = 5
MAX_CHECKED = 40  # posts that we have and ask for once more in one look
DEADLINE_S = 60.0  # seconds for one look; what has come by then counts

COOLDOWN = timedelta(minutes=15)  # between two looks for a thread because a post was opened
LOOK_AGAIN_AFTER = timedelta(minutes=1)  # if the owner wants one with a button
AHEAD = timedelta(hours=1)  # the owner waits for it: before all jobs for which nobody waits
# Of posts of whom we do not follow nobody tells us: when they were last seen so long ago, they are
# fetched again.
FRESH_FOR = timedelta(days=1)


async def visit(ctx: Context, note: Note, *, after: timedelta = COOLDOWN) -> bool:
    """Have the thread of a post looked for, unless that was done within the time `after`."""
    now = ctx.now()
    if ctx.db.room.is_full():
        return False

    def change(tx: Transaction) -> bool:
        if not threads.begin(tx, note.thread_id, now=now, after=after):
            return False
        jobs.add(tx, "replies", note.uri, due_at=now - AHEAD)
        return True

    if not ctx.config.federates or not await ctx.db.write(change):
        return False
    ctx.wake.jobs.set()
    return True


async def look_again(ctx: Context, note_id: int) -> None:
    """Have the thread of a post looked for because the owner wants it, though not without end."""
    note = await ctx.db.read(lambda reader: notes.by_id(reader, note_id))
    if note is not None:
        await visit(ctx, note, after=LOOK_AGAIN_AFTER)


async def upwards(ctx: Context, uri: str) -> None:
    """Fetch what a post that we have answers, `MAX_ANCESTORS` at most, and at the word of a
    stranger a few. A job.

    Raises: RemoteError, ProtocolError.
    """

    def reach(reader: Reader) -> int:
        note = notes.by_uri(reader, uri)
        is_known = note is not None and following.is_followed(reader, note.actor_id)
        return MAX_ANCESTORS if is_known else MAX_ANCESTORS_OF_STRANGERS

    search = Search(ctx)
    problem = await _above(search, uri, most=await ctx.db.read(reach))
    if problem is not None:
        raise problem


async def complete(ctx: Context, uri: str) -> None:
    """Fetch what is missing around a post that we have, and what of it may have changed. A job.

    What cannot be had is written down for the page, and is no reason to try again.
    """
    note = await ctx.db.read(lambda reader: notes.by_uri(reader, uri))
    if note is None:
        return
    search = Search(ctx)
    await _write_down(search, note, "running")
    try:
        async with asyncio.timeout(DEADLINE_S):
            await _above(search, uri)
            await _write_down(search, note, "running")
            await _below(search, note.id)
    except TimeoutError:
        search.note_problem("more")
    await search.keep()
    log.info("looked for a thread found=%d problems=%d", search.found, len(search.problems))
    await _write_down(search, note, "done")


async def _write_down(search: Search, note: Note, state: State) -> None:
    """Keep how a look goes for whoever opens a post of the thread."""
    fetch = Fetch(state, search.found, search.problems, search.ctx.now())

    def change(tx: Transaction) -> None:
        # Since the look began, the thread may have got another beginning.
        now = notes.by_id(tx, note.id)
        threads.put(tx, note.thread_id if now is None else now.thread_id, fetch)

    await search.ctx.db.write(change)


async def _above(search: Search, uri: str, *, most: int = MAX_ANCESTORS) -> Exception | None:
    """Climb from a post and fetch what is missing there; return what went wrong."""
    ctx = search.ctx
    for _ in range(most):
        parent, is_deleted = await ctx.db.read(partial(_missing_parent, ctx, uri))
        if parent is None:
            return None
        if is_deleted:
            search.note_problem("above", "gone", uris.host(parent))
            return None
        fetched = await search.ask("above", parent, _fetcher(search, parent, only_open=False))
        if not isinstance(fetched, Item):
            if fetched is None:
                search.note_problem("above", "refused", uris.host(parent))
            return fetched
        await search.keep(top=fetched.note.uri)
        if fetched.note.uri != parent:  # it is called something else than what is answered
            search.note_problem("above", "unreadable", uris.host(parent))
            return None
        uri = parent
    if (await ctx.db.read(partial(_missing_parent, ctx, uri)))[0] is not None:
        search.note_problem("above", "limit")
    return None


def _missing_parent(ctx: Context, uri: str, reader: Reader) -> tuple[str | None, bool]:
    """Return the first post above one that we do not have, and whether that was deleted."""
    missing = threads.missing_above(reader, uri)
    if missing is None:
        return None, False
    return missing, fetching.is_ours(ctx, missing) or tombstones.of(reader, missing) is not None


def _fetcher(
    search: Search, uri: str, *, only_open: bool
) -> Callable[[Budget], Awaitable[Item | None]]:
    return lambda budget: search.fetch(uri, budget, only_open=only_open)


async def _below(search: Search, note_id: int) -> None:
    """Fetch what answers a post and everything else in its thread, if everybody may see it."""
    ctx = search.ctx

    def question(reader: Reader) -> tuple[Note, Note, str] | None:
        note = notes.by_id(reader, note_id)
        if note is None or not note.visibility.is_open:
            return None
        root = notes.by_id(reader, note.thread_id) or note
        author = actors.by_id(reader, root.actor_id)
        return None if author is None else (note, root, author.uri)

    found = await ctx.db.read(question)
    if found is None:
        return
    note, root, root_author = found
    if not await _through_context(search, root, root_author):
        await _through_replies(search, note, root)
    await _check(search, note)


async def _check(search: Search, note: Note) -> None:
    """Fetch again what may have changed or gone without our being told."""
    ctx = search.ctx
    due = await ctx.db.read(
        lambda reader: threads.unchecked(
            reader,
            note.thread_id,
            before=ctx.now() - FRESH_FOR,
            first=note.id,
            limit=MAX_CHECKED,
        )
    )
    await asyncio.gather(*(_check_one(search, note_id, uri) for note_id, uri in due))


async def _check_one(search: Search, note_id: int, uri: str) -> None:
    """Take a post of somebody else's as it is now; remove it if it is not there any more."""
    ctx = search.ctx
    answer = await search.ask(
        None, uri, lambda budget: lookup.fetch_note(ctx, uri, budget, as_owner=False)
    )

    def change(tx: Transaction) -> None:
        threads.checked(tx, note_id, ctx.now())
        if isinstance(answer, RemoteGone) and answer.status in (404, 410):
            # It was for everybody and is for nobody now. Only 410 is for ever.
            notes.delete(tx, note_id, now=ctx.now(), is_for_ever=answer.status == 410)
        elif isinstance(answer, vocab.Note) and answer.uri == uri:
            kept = notes.by_id(tx, note_id)
            author = None if kept is None else actors.by_id(tx, kept.actor_id)
            if author is not None and author.uri == answer.attributed_to:
                news = vocab.Update(uri=uri, actor_uri=author.uri, object_uri=uri, note=answer)
                update.apply_note(ctx, tx, news, answer, author)

    await ctx.db.write(change)


async def _through_context(search: Search, root: Note, root_author: str) -> bool:
    """Fetch what whoever began the thread lists as its posts; False if there is no such list.

    Believed is a list on their own server, or one that says it is theirs as their post says it is
    the one.
    """
    url = root.context
    if url is None or root.public_id is not None or not root.visibility.is_open:
        return False
    if not _may_ask(search.ctx, url):
        return False
    is_found = False
    async for items in _pages(search, None, url, owner=root_author):
        is_found = True
        await _fetch_items(search, items)
    return is_found


async def _through_replies(search: Search, note: Note, root: Note) -> None:
    """Fetch the replies to a post, the replies to those, and so on; then those of the beginning."""
    below, lists = await search.ctx.db.read(lambda reader: _tree(reader, root.thread_id))
    wave = list(dict.fromkeys([note.uri, root.uri]))
    seen: set[str] = set()
    while wave:
        seen.update(wave)
        fetched = await asyncio.gather(
            *(_replies_of(search, uri, lists[uri]) for uri in wave if lists.get(uri))
        )
        await search.keep()
        new = [item.note for items in fetched for item in items]
        for one in new:
            lists[one.uri] = one.replies_uri
            if one.in_reply_to is not None:
                below.setdefault(one.in_reply_to, []).append(one.uri)
        children = [child for uri in wave for child in below.get(uri, ())]
        wave = [uri for uri in dict.fromkeys(children) if uri not in seen]


def _tree(reader: Reader, thread_id: int) -> tuple[dict[str, list[str]], dict[str, str | None]]:
    """Return what answers what in a thread as far as we have it, and where each lists its replies.

    Our own posts list theirs here, and closed ones for nobody.
    """
    below: dict[str, list[str]] = {}
    lists: dict[str, str | None] = {}
    for note in threads.notes_of(reader, thread_id):
        if note.in_reply_to_uri is not None:
            below.setdefault(note.in_reply_to_uri, []).append(note.uri)
        if note.public_id is None and note.visibility.is_open:
            lists[note.uri] = note.replies_uri
    return below, lists


async def _replies_of(search: Search, uri: str, listed_at: str | None) -> list[Item]:
    if listed_at is None or not uris.same_origin(listed_at, uri):
        return []
    found: list[Item] = []
    async for items in _pages(search, "list", listed_at):
        found += await _fetch_items(search, items)
    return found


async def _pages(
    search: Search, what: What | None, url: str, *, owner: str | None = None
) -> AsyncIterator[list[str]]:
    """Yield what a collection lists, page by page, as far as its pages lie on its own server.

    With `owner` nothing is yielded unless it lies on the owner's server, or names them as owner.
    """
    seen: set[str] = set()
    first = url
    next_url: str | None = url
    while next_url is not None and next_url not in seen:
        if not uris.same_origin(next_url, first):
            return
        if search.pages_left <= 0:
            search.note_problem("more")
            return
        search.pages_left -= 1
        seen.add(next_url)
        asked = next_url
        found = await search.ask(what, asked, partial(fetching.anywhere, search.ctx, asked))
        if isinstance(found, Exception) or not uris.same_origin(found.url, first):
            return
        try:
            page = parse.collection(found.document)
        except ProtocolError:
            if what is not None:
                search.note_problem(what, "unreadable", uris.host(asked))
            return
        is_theirs = owner is None or uris.same_origin(found.url, owner) or owner == page.owner
        if asked == first and not is_theirs:
            return
        items = list(page.items)
        if page.first_page is not None:
            page = page.first_page
            items += page.items
            next_url = page.next
        else:
            next_url = page.next or page.first
        yield [uri for item in items if (uri := _listed(item)) is not None]


def _listed(item: str | Document) -> str | None:
    """Return the id of the post that an item is, or is about. What else it says is not believed."""
    if isinstance(item, str):
        return item
    try:
        kind = kinds.type_of(item)
    except ProtocolError:
        return None
    return shapes.first(item.get("object")) if kind in ("Create", "Add") else shapes.id_of(item)


async def _fetch_items(search: Search, listed: Iterable[str]) -> list[Item]:
    """Fetch the posts that we do not have, and return them: each from its own server."""
    ctx = search.ctx
    wanted = [uri for uri in dict.fromkeys(listed) if uri not in search.seen]
    search.seen.update(wanted)
    wanted = [uri for uri in wanted if _may_ask(ctx, uri)]
    wanted = await ctx.db.read(lambda reader: _unknown(reader, wanted))
    if len(wanted) > search.items_left:
        wanted = wanted[: search.items_left]
        search.note_problem("more")
    search.items_left -= len(wanted)
    fetched = await asyncio.gather(
        *(search.ask("replies", uri, _fetcher(search, uri, only_open=True)) for uri in wanted)
    )
    await search.keep()
    return [one for one in fetched if isinstance(one, Item)]


def _unknown(reader: Reader, wanted: list[str]) -> list[str]:
    found = threads.unknown(reader, wanted)
    hosts = {uris.host(uri) for uri in found}
    blocked = {host for host in hosts if blocks.is_host_blocked(reader, host)}
    return [uri for uri in found if uris.host(uri) not in blocked]


def _may_ask(ctx: Context, uri: str) -> bool:
    return uris.is_acceptable(
        uri, allow_http=ctx.config.federation.development
    ) and not fetching.is_ours(ctx, uri)
