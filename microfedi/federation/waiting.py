"""How a worker waits."""

import asyncio


async def until_woken(event: asyncio.Event, seconds: float) -> None:
    """Wait until `event` is set, `seconds` at most."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
