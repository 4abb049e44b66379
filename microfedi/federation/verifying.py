"""Whether the pages that a profile names link back to it: looked at by ourselves, again and again.

Source: the microformats wiki, rel-me; what Mastodon does with profile fields.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from microfedi.errors import MalformedDocument, ProtocolError, RemoteError
from microfedi.federation import fetching
from microfedi.federation.context import Context
from microfedi.protocol import answers, relme, sanitize, uris
from microfedi.storage import actors, jobs, verified_links
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.verified_links import Link

log = logging.getLogger(__name__)

MAX_PAGE_BYTES = 1024 * 1024
DEADLINE_S = 10.0  # for one page
MAX_WAITING = 500  # profiles; whoever has us look at more is looked at later
# Own pages are looked at in this rhythm; a page of somebody else's when somebody looks at them.
EVERY = verified_links.FRESH_FOR
SPREAD = timedelta(seconds=20)


def pages(ctx: Context, actor: Actor) -> list[str]:
    """Return the pages in the rows of a profile that could vouch for it, at most MAX_LINKS.

    A row counts if it is one link. What lies on the person's own server, or on ours, says nothing.
    """
    hosts = {actor.host, actor.address.rpartition("@")[2], ctx.config.host, ctx.config.domain}
    for address in (actor.inbox, actor.url or ""):
        try:
            hosts.add(uris.authority(address))
        except MalformedDocument:
            continue
    others = frozenset(hosts)
    found = (link for _, value in actor.fields for link in sanitize.pages_in(value)[:1])
    named = dict.fromkeys(uris.without_fragment(link) for link in found)
    usable = [one for one in named if relme.may_vouch(one, others=others)]
    return usable[: verified_links.MAX_LINKS]


def plan(ctx: Context, tx: Transaction, actor: Actor, *, at_once: bool = False) -> None:
    """Have the pages of a profile looked at, if there are any and it is time."""
    if at_once:
        jobs.add(tx, "verify", actor.uri, due_at=ctx.now(), most=MAX_WAITING)
    elif is_due(ctx, tx, actor):
        jobs.add_if_missing(tx, "verify", actor.uri, due_at=ctx.soon(SPREAD), most=MAX_WAITING)


def is_due(ctx: Context, reader: Reader, actor: Actor) -> bool:
    """Whether a page of the profile was not looked at for a week, or never."""
    return bool(actor.fields) and are_due(ctx, actor, verified_links.of_actor(reader, actor.id))


def are_due(ctx: Context, actor: Actor, known: Mapping[str, Link]) -> bool:
    """As `is_due`, when it is `known` already what was seen."""
    named = pages(ctx, actor) if ctx.config.federates and actor.fields else []
    before = ctx.now() - verified_links.FRESH_FOR
    return any(one not in known or known[one].checked_at <= before for one in named)


async def run(ctx: Context, uri: str) -> timedelta | None:
    """Look at the pages of a profile; the owner's are looked at every week. A job."""
    actor = await ctx.db.read(lambda reader: actors.by_uri(reader, uri))
    if actor is None or actor.state != "ok" or not ctx.config.federates:
        return None
    named = pages(ctx, actor)
    await ctx.db.write(lambda tx: verified_links.keep_only(tx, actor.id, named))
    for url in named:
        await look(ctx, actor, url)
    return EVERY if named and actor.id == ctx.owner.actor_id else None


async def look(ctx: Context, actor: Actor, url: str) -> None:
    """Look at one page and keep whether it names the profile. No signature goes with the request.

    A page that is gone, or somebody else's now, does not link back; one whose server is down says
    nothing yet.
    """
    profile = frozenset(one for one in (actor.uri, actor.url, *_own(ctx, actor)) if one)
    now = ctx.now()
    try:
        links_back = await _links_back(ctx, url, profile)
    except (RemoteError, ProtocolError) as problem:
        log.info("a page that a profile names could not be read: %s", problem)
        await ctx.db.write(lambda tx: _put_failure(tx, actor, url, now))
        return
    await ctx.db.write(lambda tx: _put(tx, actor, url, links_back, now))


async def _links_back(ctx: Context, url: str, profile: frozenset[str]) -> bool:
    await fetching.check_host(ctx, url)
    fetched = await ctx.remote.get_bytes(
        url, max_bytes=MAX_PAGE_BYTES, deadline_s=DEADLINE_S, accept="text/html"
    )
    if not fetched.url.startswith("https://") or not relme.same_site(url, fetched.url):
        return False
    if answers.media_type(fetched.content_type) not in ("text/html", "application/xhtml+xml"):
        return False
    html = fetched.body.decode("utf-8", errors="replace")
    return await asyncio.to_thread(relme.links_back, html, fetched.url, profile)


def _own(ctx: Context, actor: Actor) -> tuple[str, ...]:
    return (ctx.owner.addresses.page,) if actor.id == ctx.owner.actor_id else ()


def _put(tx: Transaction, actor: Actor, url: str, links_back: bool, now: datetime) -> None:
    if actors.by_id(tx, actor.id) is not None:  # may have been forgotten meanwhile
        verified_links.put(tx, actor.id, url, links_back=links_back, now=now)


def _put_failure(tx: Transaction, actor: Actor, url: str, now: datetime) -> None:
    if actors.by_id(tx, actor.id) is not None:
        verified_links.put_failure(tx, actor.id, url, now)
