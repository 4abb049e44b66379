"""Having everything sent that waits, over the real wire."""

import asyncio

from microfedi.federation.context import Context
from microfedi.federation.deliver import Deliverer
from tests.another_server import PATIENCE_S, AnotherServer, Received


async def send_all(ctx: Context, world: AnotherServer) -> list[Received]:
    """Send what is due until nothing is; return the POSTs that arrived meanwhile."""
    before = len(world.posts())
    deliverer = Deliverer(ctx)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            ctx.wake.deliveries.clear()
            await deliverer.turn()
            if deliverer.is_idle:
                return world.posts()[before:]
            await ctx.wake.deliveries.wait()
