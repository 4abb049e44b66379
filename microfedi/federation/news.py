"""Says that something has come, to whoever waits for it: the owner's open pages."""

import asyncio


class News:
    """One for the server, used from its event loop only. It carries no word of what came."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def tell(self) -> None:
        """Wake everybody who waits."""
        self._next.set()
        self._next = asyncio.Event()

    def coming(self) -> asyncio.Event:
        """Return what is set by the next news: ask first, look then, and nothing is missed."""
        return self._next
