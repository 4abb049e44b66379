"""Says that something has changed to whoever waits for it: the owner's open pages, and pushes."""

import asyncio
import contextlib
from collections.abc import Iterator


class News:
    """One for the server, used from its event loop only. It carries no word of what came.

    `most` may listen at once, `most_each` of them as the same one; whoever comes last has a seat,
    and who sat longest gives way.
    """

    def __init__(self, *, most: int, most_each: int) -> None:
        self._most = most
        self._most_each = most_each
        self._next = asyncio.Event()
        self._seats: list[tuple[int, asyncio.Event]] = []

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._seats)

    def tell(self) -> None:
        """Wake everybody who waits."""
        self._next.set()
        self._next = asyncio.Event()

    def coming(self) -> asyncio.Event:
        """Return what is set by the next news: ask first, look then, and nothing is missed."""
        return self._next

    @contextlib.contextmanager
    def seat(self, who: int) -> Iterator[asyncio.Event]:
        """Listen as `who`; the event is set when the seat is needed for somebody newer."""
        taken = asyncio.Event()
        self._seats.append((who, taken))
        theirs = [seat for seat in self._seats if seat[0] == who]
        for seat in (*theirs[: -self._most_each], *self._seats[: -self._most]):
            seat[1].set()
        try:
            yield taken
        finally:
            self._seats = [seat for seat in self._seats if seat[1] is not taken]
