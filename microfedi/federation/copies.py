"""Copies of what lies on other servers: what is known of one, and what is written down of it.

What is common to copies for everybody (`media_cache`) and to those of messages (`private_media`).
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import timedelta

from microfedi.errors import (
    ForbiddenAddress,
    InvalidInput,
    MalformedDocument,
    RemoteError,
    RemoteGone,
    RemoteTooLarge,
)
from microfedi.federation import fetching
from microfedi.federation.context import Context
from microfedi.storage import files, media, upkeep
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.media import CachedMedia
from microfedi.storage.sealed import Sealer

log = logging.getLogger(__name__)

# Returns what the copy of what lies at a URL is called.
NameOf = Callable[[Sealer, str], str]

# What could not be had is asked for again after so long.
ABSENT_FOR = timedelta(hours=1)


async def known(ctx: Context, key: str) -> CachedMedia | None:
    """Return what is known of a copy; None if it has to be fetched.

    Raises: RemoteGone if it could not be had a short while ago.
    """
    found = await ctx.db.read(lambda reader: media.cached(reader, key))
    if found is None or found.media_type:
        return found
    if ctx.now() - found.fetched_at < ABSENT_FOR:
        raise RemoteGone("this could not be had a short while ago")
    return None


def too_large(reader: Reader, urls: Iterable[str], name_of: NameOf) -> set[str]:
    """Return which of these URLs are known to lead to more than we copy."""
    keys = {name_of(reader.sealer, url): url for url in urls}
    return {keys[key] for key in media.too_large(reader, keys)} if keys else set()


@contextlib.asynccontextmanager
async def attempt(ctx: Context, key: str, url: str) -> AsyncIterator[None]:
    """Within, try to fetch what lies at `url`: what goes wrong is written down, and not tried again
    for a while.

    Raises: DiskFull; RemoteError if it may not be fetched, cannot be had, or is nothing we show.
    """
    ctx.db.room.demand()
    try:
        await fetching.check_host(ctx, url)
    except MalformedDocument as problem:
        raise ForbiddenAddress("not a URL that we fetch") from problem
    try:
        yield
    except (RemoteError, InvalidInput, TimeoutError) as problem:
        log.info("no copy: %s", problem)
        await note(ctx, key, is_too_large=isinstance(problem, RemoteTooLarge))
        if isinstance(problem, RemoteError):
            raise
        raise RemoteError(
            "not a picture that we can show: %(problem)s", problem=problem
        ) from problem


async def note(
    ctx: Context,
    key: str,
    media_type: str = "",
    size_bytes: int = 0,
    *,
    is_too_large: bool = False,
    likeness: str = "",
) -> CachedMedia:
    """Write down what was had; if it is too much, drop what was not looked at for the longest."""
    now = ctx.now()
    budget = ctx.owner.disk_budget_bytes if ctx.has_owner else None

    def write(tx: Transaction) -> list[str]:
        media.put_cached(
            tx,
            key,
            media_type=media_type,
            size_bytes=size_bytes,
            now=now,
            is_too_large=is_too_large,
            likeness=likeness,
        )
        if budget is None or not size_bytes:
            return []
        return upkeep.trim_cache(tx, upkeep.cache_room(tx, budget), but=key)

    for dropped in await ctx.db.write(write):
        await asyncio.to_thread(files.delete, ctx.config.cache_dir, dropped)
    return CachedMedia(key, media_type, size_bytes, now, now)
