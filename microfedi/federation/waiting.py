"""How a worker waits."""

import asyncio

from microfedi.storage.room import LOOK_S, Room


async def until_woken(event: asyncio.Event, seconds: float) -> None:
    """Wait until `event` is set, `seconds` at most."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


async def until_room(room: Room) -> None:
    """Wait while the disk is full: what waits in the database waits on."""
    while room.is_full():  # noqa: ASYNC110 - the disk tells nobody when there is room again
        await asyncio.sleep(LOOK_S)
