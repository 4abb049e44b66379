"""What other servers say of themselves, asked for politely: once a week at most, and only of the
servers of people whom the owner meets.

Source: NodeInfo 2.1.
"""

import logging
from datetime import timedelta

from microfedi.errors import ProtocolError, RemoteError, RemoteGone, RemoteRefused
from microfedi.federation import fetching
from microfedi.federation.context import Context
from microfedi.protocol import loads, nodefacts, uris
from microfedi.storage import jobs, server_facts
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.server_facts import Said

log = logging.getLogger(__name__)

MAX_WAITING = 200  # servers; a flood of strangers brings no flood of questions
SPREAD = timedelta(seconds=30)
DEADLINE_S = 10.0


def plan(ctx: Context, tx: Transaction, actor: Actor) -> None:
    """Have somebody's server asked what it is, unless it was asked this week."""
    if not is_due(ctx, tx, actor):
        return
    jobs.add_if_missing(tx, "server_facts", actor.uri, due_at=ctx.soon(SPREAD), most=MAX_WAITING)


def is_due(ctx: Context, reader: Reader, actor: Actor) -> bool:
    """Whether somebody's server was not asked this week."""
    if not ctx.config.federates or fetching.is_ours(ctx, actor.uri):
        return False
    return not server_facts.is_fresh(reader, actor.host, ctx.now())


async def run(ctx: Context, uri: str) -> timedelta | None:
    """Ask a server for its NodeInfo, and whether it shows a profile unsigned. A job; key: the
    profile's id.
    """
    host = uris.authority(uri)
    if await ctx.db.read(lambda reader: server_facts.is_fresh(reader, host, ctx.now())):
        return None
    try:
        await fetching.check_host(ctx, uri)
    except (RemoteError, ProtocolError):  # blocked, or none that we may speak with
        return None
    said = await _said(ctx, uri, host)
    await ctx.db.write(lambda tx: server_facts.put(tx, host, said, ctx.now()))
    return None


async def _said(ctx: Context, uri: str, host: str) -> Said:
    scheme = uri.partition("://")[0]
    facts = nodefacts.NodeFacts("", "", None, None)
    try:
        where = f"{scheme}://{host}/.well-known/nodeinfo"
        body = await ctx.remote.get_jrd(where, deadline_s=DEADLINE_S)
        link = nodefacts.link_in(loads.document(body))
        # Whoever answers for a server must be on it: else anybody's NodeInfo could be borrowed.
        if link is not None and uris.same_origin(link, uri):
            body = await ctx.remote.get_jrd(link, deadline_s=DEADLINE_S)
            facts = nodefacts.read(loads.document(body))
    except (RemoteError, ProtocolError) as problem:
        log.info("no NodeInfo of %s: %s", host, problem)
    return Said(
        facts.software,
        facts.version,
        facts.users,
        facts.open_registrations,
        await _wants_signatures(ctx, uri),
    )


async def _wants_signatures(ctx: Context, uri: str) -> bool | None:
    """Whether a profile that a signed request gets is refused to an unsigned one."""
    try:
        await ctx.remote.get_json(uri, sign=None, deadline_s=DEADLINE_S)
    except (RemoteRefused, RemoteGone) as refused:
        return True if refused.status in (401, 403) else None
    except (RemoteError, ProtocolError):
        return None
    return False
