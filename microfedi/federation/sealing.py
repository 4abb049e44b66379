"""Seals by the vault what could not be sealed at once: an older database, and files on their way.

A picture in a message is fetched by the others' servers, without a signature, when the message
reaches them: as long as that may happen its file is under the server key. A day after everybody has
the message it is sealed by the vault, and served to nobody but its owner.
"""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from microfedi.federation.context import Context
from microfedi.storage import files, jobs, media, resealing, schema, vault_keys
from microfedi.storage.database import Transaction
from microfedi.storage.media import Media
from microfedi.storage.vault import PublicKey

log = logging.getLogger(__name__)

JOB = "seal"  # periodic; account/login.py asks for it when it makes the vault

AGAIN = timedelta(hours=1)
# After everybody has the message: servers fetch pictures at once or when somebody looks.
FETCHED_WITHIN = timedelta(hours=24)
# A copy of the database from before an upgrade: time to notice that it went wrong.
COPY_KEPT_FOR = timedelta(days=14)
BATCH = 20  # files: each is in memory once
_FIRST_WITH_VAULT = 4  # schema


async def run(ctx: Context, key: str) -> timedelta | None:
    """Seal what there is to seal. Broken off, it goes on where it was."""
    public = await ctx.db.read(vault_keys.current)
    if public is None:
        return AGAIN
    count = 0
    while not ctx.stopping.is_set() and (done := await ctx.db.write(resealing.some)):
        count += done
    before = ctx.now() - FETCHED_WITHIN
    while not ctx.stopping.is_set():
        found = await ctx.db.read(lambda r: media.for_vault(r, before=before, limit=BATCH))
        moved = [one for one in found if await _move(ctx, one, public)]
        count += len(moved)
        if len(found) < BATCH or not moved:
            break
    if count:
        log.info("sealed by the vault: %d", count)
    is_done = not count and not ctx.stopping.is_set()
    await asyncio.to_thread(_forget_copies, ctx.config.database_file, ctx.now(), is_done=is_done)
    return AGAIN


def _forget_copies(database_file: Path, now: datetime, *, is_done: bool) -> None:
    """Delete copies from before upgrades: those that are old, since what was deleted is in them;
    and once all messages are sealed here, those in which they are not.
    """
    for copy, version in schema.copies(database_file).items():
        age = now - datetime.fromtimestamp(copy.stat().st_mtime, UTC)
        if age > COPY_KEPT_FOR or (is_done and version < _FIRST_WITH_VAULT):
            copy.unlink(missing_ok=True)
            log.info("deleted a copy of the database from before an upgrade, of schema %d", version)


async def _move(ctx: Context, one: Media, public: PublicKey) -> bool:
    """Seal a file anew under its other name; the old one is deleted by a job, come what may."""
    directory = ctx.config.media_dir
    name = media.vault_name(one.public_id)

    def work() -> bool:
        sealer = ctx.db.sealer if one.sealed else None
        data = files.read(directory, one.public_id, sealer=sealer)
        if data is not None:
            files.write_in_vault(directory, name, data, public, ctx.db.sealer)
        return data is not None

    try:
        if not await asyncio.to_thread(work):
            return False
    except ValueError:
        log.error("picture=%s is damaged, or sealed under another key", one.public_id)
        return False

    def change(tx: Transaction) -> bool:
        if not media.moved_to_vault(tx, one.public_id):
            return False
        jobs.add(tx, "shred", f"own {one.public_id}", due_at=ctx.now())
        return True

    if await ctx.db.write(change):
        ctx.wake.jobs.set()
        return True
    await asyncio.to_thread(files.delete, directory, name)  # the message was deleted meanwhile
    return False
