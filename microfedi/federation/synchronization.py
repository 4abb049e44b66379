"""Do we and another server agree on whether the owner follows somebody there? If not: repair.

A post for followers brings a digest of those followers of its author whom the author's server knows
on ours. If it is not the one of those we know of, their list is fetched and read.

Source: FEP-8fcf.
"""

import logging
from datetime import timedelta

from microfedi.errors import NotAuthorized
from microfedi.federation import fetching
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget
from microfedi.federation.outbox import follows
from microfedi.protocol import parse, shapes, synchronization, uris
from microfedi.protocol.signatures import Request
from microfedi.protocol.synchronization import Claim
from microfedi.storage import actors, blocks, following, jobs, notifications, timeline
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction

log = logging.getLogger(__name__)

KIND = "synchronize"
MAX_PAGES = 5  # of a list of people who live here: there is one
MAX_ITEMS = 200  # of it; more are no followers of ours
# So that what is just under way (an Accept, an Undo) has arrived before a list is asked for.
DELAY = timedelta(minutes=2)


async def heed(ctx: Context, request: Request, actor_uri: str) -> None:
    """Look at the header of a request that `actor_uri` signed; plan a repair if we disagree.

    Nothing is fetched here, and nothing later unless the header names the author's own followers
    and a list on the author's own server.
    """
    claim = synchronization.read(request.one(synchronization.HEADER.lower()))
    if claim is None or ctx.synchronized.get(actor_uri, ctx.now()) is not None:
        return
    if await ctx.db.read(lambda reader: _disagrees(ctx, reader, claim, actor_uri)):
        key = " ".join((actor_uri, claim.url, claim.digest))
        due_at = ctx.now() + DELAY
        await ctx.db.write(lambda tx: jobs.add(tx, KIND, key, due_at=due_at))
        ctx.synchronized.put(actor_uri, True, ctx.now())
        ctx.wake.jobs.set()


async def run(ctx: Context, key: str) -> None:
    """Fetch the list of who on our server follows somebody, signed by the owner, and repair. A job.

    Raises: RemoteError, ProtocolError.
    """
    actor_uri, url, digest = key.split(" ")
    listed = await _listed(ctx, actor_uri, url)
    await ctx.db.write(lambda tx: _repair(ctx, tx, actor_uri, listed, digest))
    ctx.wake.deliveries.set()
    ctx.wake.jobs.set()


def _disagrees(ctx: Context, reader: Reader, claim: Claim, actor_uri: str) -> bool:
    actor = actors.by_uri(reader, actor_uri)
    if actor is None or claim.collection_uri != actor.followers_uri or " " in claim.url + actor_uri:
        return False
    if not uris.is_acceptable(claim.url, allow_http=ctx.config.federation.development):
        return False
    if not uris.same_origin(claim.url, actor_uri):
        return False
    if blocks.is_blocked(reader, actor_uri):
        return False
    is_followed = following.is_followed(reader, actor.id)
    return claim.digest != synchronization.digest([ctx.owner.uri] if is_followed else [])


async def _listed(ctx: Context, actor_uri: str, url: str) -> set[str]:
    """Return who of ours stands in the list, read to its last page.

    Raises: RemoteError, ProtocolError if any of it cannot be had: half a list proves nothing.
    """
    budget = Budget(2 * MAX_PAGES)
    found: list[str] = []
    seen: set[str] = set()
    at: str | None = url
    while at is not None and at not in seen:
        seen.add(at)
        if len(seen) > MAX_PAGES or not uris.same_origin(at, actor_uri):
            raise NotAuthorized("expected a short list on the author's own server")
        got = await fetching.by_owner(ctx, at, budget)
        if not uris.same_origin(got.url, actor_uri):
            raise NotAuthorized("expected the list on the author's own server")
        page = parse.collection(got.document)
        while page.first_page is not None:
            found += _ids(page.items)
            page = page.first_page
        found += _ids(page.items)
        at = page.next or page.first
        if len(found) > MAX_ITEMS:
            raise NotAuthorized("expected no more people than live here")
    return {uri for uri in found if uris.same_origin(uri, ctx.config.base_url)}


def _ids(items: tuple[object, ...]) -> list[str]:
    return [uri for uri in map(shapes.id_of, items) if uri is not None]


def _repair(ctx: Context, tx: Transaction, actor_uri: str, listed: set[str], digest: str) -> None:
    actor = actors.by_uri(tx, actor_uri)
    if actor is None:
        return
    ours = following.by_actor(tx, actor.id)
    is_listed = ctx.owner.uri in listed
    if is_listed and ours is not None and ours.state == "requested":
        # Their Accept was lost.
        following.set_state(tx, actor.id, "accepted")
        notifications.add(tx, "follow_accepted", actor_id=actor.id, now=ctx.now())
        jobs.add(tx, "backfill", actor.uri, due_at=ctx.now())
    elif is_listed and (ours is None or ours.state == "rejected"):
        log.info("taking back a follow that is none here: %s", actor_uri)
        follows.take_back(ctx, tx, actor)
    elif (
        not is_listed
        and ours is not None
        and ours.state == "accepted"
        # What the post said and what the list says now must be the same.
        and synchronization.digest(listed) == digest
    ):
        log.info("no longer followed, by the word of its server: %s", actor_uri)
        _forget(tx, actor)


def _forget(tx: Transaction, actor: Actor) -> None:
    following.remove(tx, actor.id)
    timeline.remove_of(tx, actor.id)
