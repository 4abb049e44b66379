"""Messages go for good: what they said, what they said before, files, and copies of pictures.

The rows go at once; the bytes go by a job that is written down with it, so that a power cut in
between leaves nothing lying.
"""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from microfedi.federation.context import Context
from microfedi.storage import files, jobs, media, message_heads
from microfedi.storage.database import Transaction
from microfedi.storage.message_heads import Head

MAX_WAITING = 1_000_000  # files that wait to be deleted: a promise is not dropped
_OWN = "own"
_COPY = "copy"


def drop(ctx: Context, tx: Transaction, message_ids: Iterable[int]) -> tuple[Head, ...]:
    """Delete messages here; return those of the owner's, which others still have.

    Set `ctx.wake.jobs` after the commit.
    """
    now = ctx.now()
    gone = message_heads.delete(tx, message_ids, now=now)
    media.delete_cached(tx, gone.copies)
    for kind, names in ((_OWN, gone.files), (_COPY, gone.copies)):
        for name in names:
            jobs.add(tx, "shred", f"{kind} {name}", due_at=now, most=MAX_WAITING)
    return gone.ours


async def shred(ctx: Context, key: str) -> timedelta | None:
    """Delete the bytes of a picture; key of the job: whose it was, and the file's name."""
    kind, _, name = key.partition(" ")
    directory = ctx.config.media_dir if kind == _OWN else ctx.config.cache_dir
    await asyncio.to_thread(files.delete, directory, name)
    return None
