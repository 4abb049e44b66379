"""The owner blocks people and servers. Nobody is told: a block is only seen by its effects.

Source: ActivityPub 6.9 advises against delivering a Block.
"""

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation.context import Context
from microfedi.federation.outbox import follows
from microfedi.storage import actors, blocks, timeline
from microfedi.storage.database import Transaction


async def block(ctx: Context, actor_id: int) -> None:
    """Block somebody: follows end in both directions, and their posts leave Home.

    Raises: NotFound if there is no such actor.
    """

    def change(tx: Transaction) -> None:
        actor = actors.by_id(tx, actor_id)
        if actor is None:
            raise NotFound("no such actor")
        if actor.id == ctx.owner.actor_id:
            raise InvalidInput("", "That is you.")
        follows.end_following(ctx, tx, actor)
        follows.end_being_followed(ctx, tx, actor)
        timeline.remove_of(tx, actor_id)
        blocks.block_actor(tx, actor_id, ctx.now())

    await ctx.db.write(change)
    ctx.wake.deliveries.set()


async def unblock(ctx: Context, actor_id: int) -> None:
    """Take a block back. Nobody follows anybody again by that."""
    await ctx.db.write(lambda tx: blocks.unblock_actor(tx, actor_id))


async def block_host(ctx: Context, host: str) -> None:
    """Block a server and every host below its name; nothing is sent there any more.

    Raises: InvalidInput("host") if it is no host name, or our own.
    """
    own = ctx.config.host.partition(":")[0]

    def change(tx: Transaction) -> None:
        name = blocks.block_host(tx, host, ctx.now())
        if own == name or own.endswith("." + name):
            raise InvalidInput("host", "That is this server.")

    await ctx.db.write(change)


async def unblock_host(ctx: Context, host: str) -> None:
    """Take the block of a server back."""
    await ctx.db.write(lambda tx: blocks.unblock_host(tx, host))
