"""Tidying up, every few hours: what has served its time, what the disk budget has no room for."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from microfedi.federation import linked, uploads
from microfedi.federation.context import Context
from microfedi.storage import (
    drafts,
    files,
    hosts,
    media,
    mutes,
    outgoing,
    previews,
    received,
    server_facts,
    sessions,
    strangers,
    threads,
    upkeep,
    waiting_files,
)
from microfedi.storage.database import Reader, Transaction

log = logging.getLogger(__name__)

EVERY = timedelta(hours=6)

# Handled activities are kept so long, to recognise a repeat: servers try for a week or two.
RECEIVED_FOR = timedelta(days=14)
# That something of others was deleted.
TOMBSTONES_FOR = timedelta(days=180)
# Receipts of what was sent.
RECEIPTS_FOR = timedelta(days=90)
# What we learnt about servers to which we send nothing.
HOSTS_FOR = timedelta(days=90)
# People of whom we keep nothing any more.
ACTORS_FOR = timedelta(days=30)
# How the last look for a thread went.
THREADS_FOR = timedelta(days=30)
# That a form was sent, or its draft deleted: longer than a window stays open.
FORMS_FOR = timedelta(days=30)
# That a picture could not be had.
ABSENT_FOR = timedelta(days=1)

# Posts younger than this stay, whatever the budget: a thread that is being read must not vanish.
YOUNG = timedelta(days=2)
# When there is too much, we go down to this part of the budget, so as not to start over at once.
TARGET_SHARE = 0.95


async def run(ctx: Context, key: str) -> timedelta | None:
    """Drop what has served its time, then what the budget has no room for. A job."""
    await _drop_old(ctx)
    forgotten = await ctx.db.write(
        lambda tx: waiting_files.purge(tx, ctx.now() - waiting_files.KEPT_FOR)
    )
    await uploads.discard(ctx, forgotten)
    if ctx.has_owner:
        await keep_to_budget(ctx, ctx.owner.disk_budget_bytes)
    await _remove_leftovers(ctx)
    return EVERY


async def keep_to_budget(ctx: Context, budget_bytes: int) -> int:
    """Drop copies, then posts, until database and copies fit; return how many posts went."""
    if await ctx.db.read(_used_bytes) <= budget_bytes:
        return 0
    target = int(budget_bytes * TARGET_SHARE)
    # Copies first, down to their least share; if posts went and it is still too much, the rest.
    await _trim_cache(
        ctx,
        lambda reader: max(
            target - upkeep.database_bytes(reader), int(target * upkeep.MIN_CACHE_SHARE)
        ),
    )
    dropped = 0
    for strangers_only, last_resort in ((True, False), (False, False), (True, True)):
        after_id: int | None = 0
        while after_id is not None and await ctx.db.read(_used_bytes) > target:
            count, after_id = await ctx.db.write(
                partial(
                    upkeep.drop_posts,
                    published_before=ctx.now() - YOUNG,
                    after_id=after_id,
                    strangers_only=strangers_only,
                    last_resort=last_resort,
                )
            )
            dropped += count
    await _trim_cache(ctx, lambda reader: max(0, target - upkeep.database_bytes(reader)))
    used = await ctx.db.read(_used_bytes)
    log.info("pruned posts=%d used=%d budget=%d", dropped, used, budget_bytes)
    if used > budget_bytes:
        log.warning(
            "%d MB are in use and nothing more may be dropped; the budget is %d MB",
            used // 1_000_000,
            budget_bytes // 1_000_000,
        )
    return dropped


def _used_bytes(reader: Reader) -> int:
    return upkeep.database_bytes(reader) + media.cached_bytes(reader)


async def _trim_cache(ctx: Context, room: Callable[[Reader], int]) -> None:
    while dropped := await ctx.db.write(lambda tx: upkeep.trim_cache(tx, room(tx))):
        for key in dropped:
            await asyncio.to_thread(files.delete, ctx.config.cache_dir, key)


async def _drop_old(ctx: Context) -> None:
    now = ctx.now()
    steps: list[Callable[[Transaction, datetime], object]] = [
        lambda tx, now: received.prune(tx, now - RECEIVED_FOR),
        lambda tx, now: sessions.prune(tx, now),
        lambda tx, now: mutes.prune(tx, now),
        lambda tx, now: strangers.prune(tx, now - strangers.HELD_FOR),
        lambda tx, now: upkeep.drop_tombstones(tx, now - TOMBSTONES_FOR),
        lambda tx, now: outgoing.prune(tx, now - RECEIPTS_FOR),
        lambda tx, now: hosts.prune(tx, now - HOSTS_FOR),
        lambda tx, now: upkeep.forget_absent(tx, now - ABSENT_FOR),
        lambda tx, now: previews.prune(tx, now - linked.KEPT),
        lambda tx, now: threads.prune(tx, now - THREADS_FOR),
        lambda tx, now: drafts.prune(tx, now - FORMS_FOR),
        lambda tx, now: server_facts.prune(tx, now - server_facts.KEPT_FOR),
    ]
    for step in steps:  # one write each, so that others get their turn in between
        await ctx.db.write(partial(_step, step, now))
    while await ctx.db.write(lambda tx: upkeep.drop_actors(tx, now - ACTORS_FOR)) == upkeep.BATCH:
        pass


def _step(step: Callable[[Transaction, datetime], object], now: datetime, tx: Transaction) -> None:
    step(tx, now)


async def _remove_leftovers(ctx: Context) -> None:
    """Delete files of the cache that no row knows: a crash came between file and row.

    One whose row is just being written may go too; then it is fetched again.
    """
    directory = ctx.config.cache_dir
    lying = await asyncio.to_thread(files.names, directory)
    known = await ctx.db.read(upkeep.cached_keys)
    for name in lying - known:
        await asyncio.to_thread(files.delete, directory, name)
