"""What runs beside the requests: processing what arrived, delivering, jobs. Start, wake, stop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from microfedi.errors import DiskFull
from microfedi.federation import deliver, indexing, jobs, process, pushing
from microfedi.federation.context import Context

log = logging.getLogger(__name__)

# Seconds that a worker rests after something in it broke, so that a lasting fault (a full disk)
# fills neither the processor nor the log.
PAUSE_S = 10.0
# Seconds that stopping may take; what is not done by then is due again at the next start.
STOP_S = 5.0

Loop = Callable[[], Awaitable[None]]


class Workers:
    """The loops that live as long as the process. `start` them once, `stop` them at the end."""

    def __init__(self, ctx: Context, *, pause_s: float = PAUSE_S) -> None:
        self._ctx = ctx
        self._pause_s = pause_s
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start every loop; each begins with what an earlier process left."""
        ctx = self._ctx
        loops: dict[str, Loop] = {
            "process": process.Processor(ctx).run,
            "deliver": deliver.Deliverer(ctx).run,
            "jobs": jobs.JobsWorker(ctx).run,
            "search": indexing.Indexer(ctx).run,
            "push": pushing.Pusher(ctx).run,
        }
        self._tasks = [
            asyncio.create_task(self._keep_alive(name, loop), name=f"worker {name}")
            for name, loop in loops.items()
        ]

    async def stop(self) -> None:
        """End every loop within `STOP_S`. What is interrupted is due again."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            _, pending = await asyncio.wait(self._tasks, timeout=STOP_S)
            for task in pending:
                log.warning("%s did not stop in time", task.get_name())
        self._tasks = []

    async def _keep_alive(self, name: str, loop: Loop) -> None:
        """Run a loop; if something in it breaks, say so, rest, and go on."""
        while True:
            try:
                await loop()
            except DiskFull:
                log.warning("the %s worker rests: the disk is full", name)
            except Exception:
                log.exception("the %s worker broke; it goes on in %g s", name, self._pause_s)
            await asyncio.sleep(self._pause_s)
