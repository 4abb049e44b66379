"""Seals what an older database holds of messages by the vault, in small steps."""

import logging
from datetime import timedelta

from microfedi.federation.context import Context
from microfedi.storage import resealing

log = logging.getLogger(__name__)

JOB = "seal"  # account/login.py asks for it when it makes the vault


async def run(ctx: Context, key: str) -> timedelta | None:
    """Seal all of it. A job; broken off, it goes on where it was."""
    count = 0
    while not ctx.stopping.is_set() and (done := await ctx.db.write(resealing.some)):
        count += done
    if count:
        log.info("sealed by the vault: %d", count)
    return None
