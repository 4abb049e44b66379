"""The owner mutes people, conversations and servers. It stays here: nobody is told.

The name of a server may be any, met or not.
"""

from datetime import timedelta

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation.context import Context
from microfedi.storage import actors, mutes, notes
from microfedi.storage.database import Transaction


async def mute(
    ctx: Context, actor_id: int, *, lasts: timedelta | None, with_notifications: bool = True
) -> None:
    """Keep somebody's posts and boosts off Home for a while; None is for good.

    Raises: NotFound if there is no such actor; InvalidInput if it is the owner.
    """

    def change(tx: Transaction) -> None:
        if actors.by_id(tx, actor_id) is None:
            raise NotFound("no such actor")
        if actor_id == ctx.owner.actor_id:
            raise InvalidInput("", "That is you.")
        now = ctx.now()
        until = None if lasts is None else now + lasts
        mutes.mute_actor(tx, actor_id, with_notifications=with_notifications, until=until, now=now)

    await ctx.db.write(change)


async def unmute(ctx: Context, actor_id: int) -> None:
    """Take a mute back: what came meanwhile stands at Home."""
    await ctx.db.write(lambda tx: mutes.unmute_actor(tx, actor_id))


async def mute_thread(ctx: Context, note_id: int, *, lasts: timedelta | None) -> None:
    """Keep the conversation around a post off Home, and do not tell of it.

    Raises: NotFound if the post is not there.
    """

    def change(tx: Transaction) -> None:
        note = notes.by_id(tx, note_id)
        if note is None:
            raise NotFound("no such post")
        now = ctx.now()
        until = None if lasts is None else now + lasts
        mutes.mute_thread(tx, note.thread_id, until=until, now=now)

    await ctx.db.write(change)


async def unmute_thread(ctx: Context, note_id: int) -> None:
    """Take the mute of the conversation around a post back."""

    def change(tx: Transaction) -> None:
        note = notes.by_id(tx, note_id)
        if note is not None:
            mutes.unmute_thread(tx, note.thread_id)

    await ctx.db.write(change)


async def mute_host(ctx: Context, host: str, *, lasts: timedelta | None) -> None:
    """Keep everybody on a server, and on those below its name, off Home, and do not tell of them.

    Raises: InvalidInput("host") if it is no host name, or our own.
    """
    own = ctx.config.host.partition(":")[0]

    def change(tx: Transaction) -> None:
        now = ctx.now()
        until = None if lasts is None else now + lasts
        name = mutes.mute_host(tx, host, until=until, now=now)
        if own == name or own.endswith("." + name):
            raise InvalidInput("host", "That is this server.")

    await ctx.db.write(change)


async def unmute_host(ctx: Context, host: str) -> None:
    """Take the mute of a server back."""
    await ctx.db.write(lambda tx: mutes.unmute_host(tx, host))
