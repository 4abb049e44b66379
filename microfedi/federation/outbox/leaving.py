"""The owner deletes the account: everybody known is told, and nothing stays but a gravestone."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta

from microfedi.federation.context import Context
from microfedi.federation.outbox import sending
from microfedi.protocol import vocab
from microfedi.storage import erasing, files, jobs, schema
from microfedi.storage.database import Transaction

log = logging.getLogger(__name__)

KIND = "erase"
CHECK_EVERY = timedelta(minutes=5)  # whether everybody has been told
# Who could not be told by then finds out by asking: 410. Deliveries are tried for 93 hours.
TOLD_WITHIN = timedelta(days=7)


async def delete_account(
    ctx: Context, *, if_still: Callable[[Transaction], bool] = lambda tx: True
) -> None:
    """Delete the account for good, unless `if_still` says no. Ask `login.confirm` first.

    The deletion is written down in one transaction together with what is to be sent, so that it
    is carried to its end whatever happens to the process afterwards.

    Source: ActivityPub 6.4; Delete of an actor as Mastodon does it.
    """
    now = ctx.now()

    def change(tx: Transaction) -> int | None:
        if not if_still(tx):
            return None
        owner = ctx.owner
        activity = vocab.Delete(
            uri=f"{owner.uri}#delete",
            actor_uri=owner.uri,
            to=(vocab.PUBLIC,),
            published=now,
            object_uri=owner.uri,
        )
        inboxes = erasing.inboxes(tx)
        erasing.begin(tx, now)
        jobs.add(tx, KIND, "", due_at=now)
        return sending.hand_over(ctx, tx, activity, inboxes, about=owner.uri)

    told = await ctx.db.write(change)
    await ctx.reload_owner()
    if told is None:
        return
    ctx.wake.deliveries.set()
    ctx.wake.jobs.set()
    log.warning("the account is being deleted; inboxes that are told: %d", told)
    await _clear(ctx)


async def erase(ctx: Context, key: str) -> timedelta | None:
    """Go on with a deletion: clear what is here, and stop showing the keys when all are told.

    A job, also done at every start.
    """
    owner = ctx.owner if ctx.has_owner else None
    if owner is None or owner.deleted_at is None or owner.erased_at is not None:
        return None
    await _clear(ctx)
    now = ctx.now()
    if now < owner.deleted_at + TOLD_WITHIN and not await ctx.db.read(erasing.is_told):
        return CHECK_EVERY
    await ctx.db.write(lambda tx: erasing.finish(tx, now))
    await ctx.reload_owner()
    log.warning("the account is deleted, and everybody was told who could be reached")
    return None


async def _clear(ctx: Context) -> None:
    """Delete rows, then files: own ones, copies of others', and of the database."""
    await ctx.db.write(erasing.contents)
    for copy in await asyncio.to_thread(schema.copies, ctx.config.database_file):
        await asyncio.to_thread(copy.unlink, missing_ok=True)
    for directory in (ctx.config.media_dir, ctx.config.cache_dir):
        for name in await asyncio.to_thread(files.names, directory):
            await asyncio.to_thread(files.delete, directory, name)
