"""Fetching afterwards: the last posts of somebody who is followed, and profiles again.

Nobody is notified of anything found here, and Home shows it where its time of publishing belongs.
"""

import logging
import random
from collections.abc import Sequence
from datetime import timedelta

from microfedi.errors import ProtocolError, RemoteError, RemoteGone
from microfedi.federation import fetching, keeping, lookup, server_facts, verifying
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget, Document
from microfedi.protocol import activities, kinds, parse, uris, vocab
from microfedi.protocol.vocab import Visibility
from microfedi.storage import actors, departed, following, jobs, pins, timeline
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction
from microfedi.storage.notes import Note

log = logging.getLogger(__name__)

MAX_POSTS = 20  # of an outbox: a first screen of Home
MAX_PINNED = 10  # Mastodon allows 5
MAX_PAGES = 3  # of one collection; the first one has 10 to 20 items everywhere
# Requests for one backfill: a profile with its WebFinger, two collections of which some list mere
# ids. Each takes 15 s at most, and they come one after the other.
MAX_FETCHES = 40

# Profiles of followers and followed are looked at again when they are older than this ...
PROFILE_FOR = timedelta(days=7)
# ... so many at a time ...
MAX_REFRESHED = 100
# ... every few hours, one after the other.
REFRESH_EVERY = timedelta(hours=6)
REFRESH_PACE = timedelta(minutes=2)


async def run(ctx: Context, uri: str) -> None:
    """Fetch somebody's profile, what they have pinned, and their last posts. A job.

    Raises: RemoteError, ProtocolError if not even the profile can be had.
    """
    budget = Budget(MAX_FETCHES)
    actor = await lookup.kept_actor(ctx, uri, budget, fresh=True)
    if actor.id == ctx.owner.actor_id:
        return
    await _refresh_pinned(ctx, actor, budget)
    posts = await _posts_in(ctx, actor, actor.outbox, MAX_POSTS, budget)
    await ctx.db.write(lambda tx: _keep_posts(ctx, tx, actor, posts))


async def refresh(ctx: Context, uri: str) -> None:
    """Fetch a profile again, and what is pinned on it. Whoever is gone for good, by their own
    server's word, is forgotten.

    A job. Raises: RemoteError, ProtocolError.
    """
    budget = Budget()
    try:
        actor = await lookup.kept_actor(ctx, uri, budget, fresh=True)
    except RemoteGone as problem:
        if problem.status != 410:
            raise
        await ctx.db.write(lambda tx: _forget(tx, uri))
        return
    if actor.id != ctx.owner.actor_id:
        await _refresh_pinned(ctx, actor, budget)
        await ctx.db.write(lambda tx: _plan_checks(ctx, tx, actor))


def _plan_checks(ctx: Context, tx: Transaction, actor: Actor) -> None:
    """What a profile names, and its server, are looked at again with it."""
    verifying.plan(ctx, tx, actor)
    server_facts.plan(ctx, tx, actor)


async def refresh_stale(ctx: Context, key: str) -> timedelta | None:
    """Ask for the profiles that are the oldest to be fetched again. A periodic job."""
    now = ctx.now()
    limit = 10 * MAX_REFRESHED
    stale = await ctx.db.read(
        lambda reader: actors.stale(reader, before=now - PROFILE_FOR, limit=limit)
    )
    # By lot, so that those that cannot be fetched do not keep the others out.
    chosen = random.sample(stale, min(len(stale), MAX_REFRESHED))

    def add(tx: Transaction) -> None:
        for position, uri in enumerate(chosen):
            jobs.add_if_missing(tx, "refresh", uri, due_at=now + REFRESH_PACE * position)

    if chosen:
        await ctx.db.write(add)
        ctx.wake.jobs.set()
    return REFRESH_EVERY


async def _refresh_pinned(ctx: Context, actor: Actor, budget: Budget) -> None:
    """Have what somebody has pinned now; if that cannot be had, what they had stays."""
    try:
        pinned = await _posts_in(ctx, actor, actor.featured, MAX_PINNED, budget)
    except (RemoteError, ProtocolError) as problem:
        log.info("no pinned posts of %s: %s", actor.uri, problem)
        return
    await ctx.db.write(lambda tx: _keep_pinned(ctx, tx, actor, pinned))


async def _posts_in(
    ctx: Context, actor: Actor, collection: str | None, limit: int, budget: Budget
) -> list[vocab.Note]:
    """Return up to `limit` posts of the actor's own in one of their collections, as listed."""
    if collection is None:
        return []
    found: list[vocab.Note] = []
    for item in await _items(ctx, actor, collection, limit, budget):
        try:
            note = await _note_of(ctx, actor, item, budget)
        except (RemoteError, ProtocolError) as problem:
            log.info("left out a post of %s: %s", actor.uri, problem)
            if budget.left <= 0:
                break
            continue
        if note is not None:
            found.append(note)
    return found


async def _items(
    ctx: Context, actor: Actor, collection: str, limit: int, budget: Budget
) -> list[str | Document]:
    """Read a collection and its first pages, as far as they lie on the actor's own server."""
    items: list[str | Document] = []
    seen: set[str] = set()
    url: str | None = collection
    for _ in range(1 + MAX_PAGES):
        if url is None or url in seen or len(items) >= limit:
            break
        seen.add(url)
        if not uris.same_origin(url, actor.uri):
            break
        try:
            found = await fetching.anywhere(ctx, url, budget, as_owner=True)
            page = parse.collection(found.document)
        except (RemoteError, ProtocolError):
            if url == collection:
                raise
            break  # what came before it counts
        if not uris.same_origin(found.url, actor.uri):
            break
        items += page.items
        if page.first_page is not None:
            page = page.first_page
            items += page.items
            url = page.next
        else:
            url = page.next or page.first
    return items[:limit]


async def _note_of(
    ctx: Context, actor: Actor, item: str | Document, budget: Budget
) -> vocab.Note | None:
    """Return the post that an item is, or creates; None if it is something else.

    What is written out counts if it is the actor's own: it comes from their own server. A mere id
    is fetched, from there too. Of others' posts that are listed nothing is believed.
    """
    if isinstance(item, str):
        if not uris.same_origin(item, actor.uri):
            return None
        item = await fetching.at_its_id(ctx, item, budget, as_owner=True)
    kind = kinds.type_of(item)
    if kind in vocab.NOTE_TYPES:
        note = parse.note(item)
    elif kind == "Create":
        activity = activities.read(item)
        if not isinstance(activity, vocab.Create) or activity.actor_uri != actor.uri:
            return None
        if activity.note is not None:
            note = activity.note
        elif uris.same_origin(activity.object_uri, actor.uri):
            note = await lookup.fetch_note(ctx, activity.object_uri, budget)
        else:
            return None
    else:
        return None
    keeping.check_author(note, actor.uri)
    return note


def _keep_pinned(ctx: Context, tx: Transaction, actor: Actor, posts: Sequence[vocab.Note]) -> None:
    kept = [note.id for post in posts if (note := _keep(ctx, tx, actor, post)) is not None]
    pins.replace(tx, actor.id, kept)


def _keep_posts(ctx: Context, tx: Transaction, actor: Actor, posts: Sequence[vocab.Note]) -> None:
    is_followed = following.is_followed(tx, actor.id)
    count = 0
    for post in posts:
        note = _keep(ctx, tx, actor, post)
        if note is not None and is_followed:
            count += timeline.add(tx, note_id=note.id, at=note.published_at)
    log.info("fetched posts=%d home=%d of %s", len(posts), count, actor.uri)


def _keep(ctx: Context, tx: Transaction, actor: Actor, post: vocab.Note) -> Note | None:
    visibility = keeping.visibility_of(ctx, tx, post, actor)
    if visibility is Visibility.DIRECT:
        return None
    kept = keeping.keep(ctx, tx, post, actor, visibility)
    return None if kept is None else kept[0]


def _forget(tx: Transaction, uri: str) -> None:
    actor_id = actors.id_of(tx, uri)
    if actor_id is not None:
        log.info("forgot %s, who is gone", uri)
        departed.forget(tx, actor_id)
