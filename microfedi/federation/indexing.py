"""Makes posts and people searchable, a little after they came: in small steps, one at a time.

There is a loop for it, not a job: something comes every few seconds, and nobody waits for it.
"""

import logging
from functools import partial

from microfedi.federation import waiting
from microfedi.federation.context import Context
from microfedi.storage import search_index

log = logging.getLogger(__name__)

# Seconds between two looks for what is new: so old is what cannot be found yet.
LOOK_S = 3.0
# Seconds between two steps: whoever brings posts, or reads a page, gets their turn meanwhile.
PAUSE_S = 0.05


class Indexer:
    """The worker that reads the words of posts. One for the whole process."""

    def __init__(self, ctx: Context, *, look_s: float = LOOK_S, pause_s: float = PAUSE_S) -> None:
        self._ctx = ctx
        self._look_s = look_s
        self._pause_s = pause_s

    async def run(self) -> None:
        """Read whatever comes, until the server stops."""
        while not self._ctx.stopping.is_set():
            await waiting.until_room(self._ctx.db.room)
            await self.turn()
            await waiting.until_woken(self._ctx.stopping, self._look_s)

    async def turn(self) -> None:
        """Read everything that waits; then have the words of what was deleted leave the file."""
        db, read = self._ctx.db, 0
        while await db.read(search_index.has_waiting):
            db.room.demand()
            read += await db.write(search_index.index)
            await waiting.until_woken(self._ctx.stopping, self._pause_s)
        if read > search_index.BATCH:
            log.info("made searchable posts_and_people=%d", read)
        now = self._ctx.now()
        if await db.read(partial(search_index.is_untidy, now=now)):
            await db.write(partial(search_index.begin_tidying, now=now))
            while await db.write(search_index.tidy):
                await waiting.until_woken(self._ctx.stopping, self._pause_s)
            log.info("tidied the search index")
