"""The owner blocks people and servers, for a while or for good.

Whether people are told of it is the owner's choice. A server that is blocked hears nothing at all.

Source: ActivityPub 6.9, which advises against delivering a Block; Mastodon hides posts by it.
"""

from datetime import datetime, timedelta

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation import media_cache
from microfedi.federation.context import Context
from microfedi.federation.outbox import follows, sending
from microfedi.protocol import vocab
from microfedi.storage import actors, blocks, jobs, purge, timeline
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction

_ACTOR, _HOST = "actor", "host"


async def block(ctx: Context, actor_id: int, *, lasts: timedelta | None = None) -> None:
    """Block somebody: follows end in both directions, and their posts leave Home.

    `lasts` says for how long, None is for good. They are sent a Block if the owner tells people.

    Raises: NotFound if there is no such actor; InvalidInput if it is the owner.
    """

    def change(tx: Transaction) -> None:
        actor = actors.by_id(tx, actor_id)
        if actor is None:
            raise NotFound("no such actor")
        if actor.id == ctx.owner.actor_id:
            raise InvalidInput("", "That is you.")
        now = ctx.now()
        follows.end_following(ctx, tx, actor)
        follows.end_being_followed(ctx, tx, actor)
        timeline.remove_of(tx, actor_id)
        until = None if lasts is None else now + lasts
        known = blocks.of_actor(tx, actor_id)
        uri = known.uri if known is not None else None
        if uri is None and ctx.owner.sends_blocks:
            uri = sending.mint(ctx, "blocks")
            sending.hand_over(ctx, tx, _block(ctx, actor, uri), [actor.inbox], about=actor.uri)
        blocks.block_actor(tx, actor_id, now, until=until, uri=uri)
        _end_at(tx, until, f"{_ACTOR} {actor_id}")

    await ctx.db.write(change)
    ctx.wake.deliveries.set()
    ctx.wake.jobs.set()


async def unblock(ctx: Context, actor_id: int) -> None:
    """Take a block back. Nobody follows anybody again by that. Who was told of it is told now."""
    await ctx.db.write(lambda tx: _unblock(ctx, tx, actor_id))
    ctx.wake.deliveries.set()


async def block_host(ctx: Context, host: str, *, lasts: timedelta | None = None) -> None:
    """Block a server and every host below its name, and remove what is here of it.

    Follows, Home, notifications and what waits to be sent there go at once; posts that hang on
    nothing of the owner's, and copies of pictures, little by little. Nobody there is told.

    Raises: InvalidInput("host") if it is no host name, or our own.
    """

    def change(tx: Transaction) -> None:
        now = ctx.now()
        until = None if lasts is None else now + lasts
        name = blocks.block_host(tx, blockable(ctx, host), now, until=until)
        purge.cut_ties(tx, name, now)
        jobs.add(tx, "purge", name, due_at=now)
        _end_at(tx, until, f"{_HOST} {name}")

    await ctx.db.write(change)
    ctx.wake.jobs.set()


async def unblock_host(ctx: Context, host: str) -> None:
    """Take the block of a server back. What was removed does not come back by that."""
    await ctx.db.write(lambda tx: blocks.unblock_host(tx, host))


def blockable(ctx: Context, host: str) -> str:
    """Return the name of a server as it is kept.

    Raises: InvalidInput("host") if it is no host name, or our own.
    """
    name = blocks.host_name(host)
    own = ctx.config.host.partition(":")[0]
    if own == name or own.endswith("." + name):
        raise InvalidInput("host", "That is this server.")
    return name


async def end(ctx: Context, key: str) -> timedelta | None:
    """End a block whose time is over; key of the job: actor and row id, or host and name."""
    kind, _, which = key.partition(" ")

    def change(tx: Transaction) -> timedelta | None:
        found = blocks.of_actor(tx, int(which)) if kind == _ACTOR else blocks.of_host(tx, which)
        if found is None or found.until is None:
            return None  # unblocked meanwhile, or blocked for good
        left = found.until - ctx.now()
        if left > timedelta():
            return left
        if kind == _ACTOR:
            _unblock(ctx, tx, int(which))
        else:
            blocks.unblock_host(tx, which)
        return None

    left = await ctx.db.write(change)
    ctx.wake.deliveries.set()
    return left


async def clear(ctx: Context, host: str) -> timedelta | None:
    """Remove posts and pictures of a blocked server, as long as it is; key of the job: its name."""
    while await ctx.db.read(lambda reader: blocks.of_host(reader, host)) is not None:
        count, urls = await ctx.db.write(lambda tx: purge.drop_posts(tx, host))
        await media_cache.forget(ctx, urls)
        if count < purge.BATCH:
            await media_cache.forget(ctx, await ctx.db.read(lambda r: purge.portraits(r, host)))
            break
    return None


def _unblock(ctx: Context, tx: Transaction, actor_id: int) -> None:
    known = blocks.of_actor(tx, actor_id)
    if known is None:
        return
    blocks.unblock_actor(tx, actor_id)
    if known.uri is not None:
        undo = vocab.Undo(
            uri=sending.mint(ctx, "undos"),
            actor_uri=ctx.owner.uri,
            to=(known.actor.uri,),
            object_uri=known.uri,
            inner=_block(ctx, known.actor, known.uri),
        )
        sending.hand_over(ctx, tx, undo, [known.actor.inbox], about=known.actor.uri)


def _block(ctx: Context, actor: Actor, uri: str) -> vocab.Block:
    return vocab.Block(uri=uri, actor_uri=ctx.owner.uri, to=(actor.uri,), object_uri=actor.uri)


def _end_at(tx: Transaction, until: datetime | None, key: str) -> None:
    if until is not None:
        jobs.add(tx, "unblock", key, due_at=until)
