"""Keys of strangers, for as long as the process lives: bounded memory, never rows.

Whoever we know has their keys in the database. What is here keeps a thousand strangers, or a
thousand wrong signatures, from making us ask a thousand times.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from microfedi.errors import KeyUnavailable
from microfedi.protocol.vocab import Actor

V = TypeVar("V")

MAX_ACTORS = 256  # documents of at most 200 kB each, of 5 kB usually
MAX_REMEMBERED = 2048  # key ids and hosts of which we know that they are no good now
ACTOR_KEPT = timedelta(minutes=30)
# A key that its server does not know, or whose fresh copy does not fit either, is not asked for
# again so soon.
KEY_REFUSED_FOR = timedelta(minutes=5)
HOST_DOWN_FOR = timedelta(minutes=1)  # its senders try again themselves
MAX_FETCHES = 8  # of keys at once
MAX_WAITING = 64  # requests that wait for a fetch; whoever comes then is asked to come later
# ... and how many of either may be of hosts below one name, such as a.evil.example, b.evil.example:
# names below one's own cost nothing, and servers that hang must not make all others wait.
MAX_FETCHES_OF_SITE = 2
MAX_WAITING_OF_SITE = 16


class Remembered(Generic[V]):
    """A few things for a while; the least recently used go first."""

    def __init__(self, limit: int, kept: timedelta) -> None:
        self._limit = limit
        self._kept = kept
        self._entries: OrderedDict[str, tuple[datetime, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, key: str, value: V, now: datetime) -> None:
        """Remember `value` from now on."""
        self._entries[key] = (now, value)
        self._entries.move_to_end(key)
        while len(self._entries) > self._limit:
            self._entries.popitem(last=False)

    def get(self, key: str, now: datetime) -> V | None:
        """Return what was remembered, None if it was not, or is too long ago."""
        found = self._entries.get(key)
        if found is None:
            return None
        if now - found[0] > self._kept:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return found[1]

    def take(self, key: str) -> V | None:
        """Return what was remembered, and remember it no longer."""
        found = self._entries.pop(key, None)
        return None if found is None else found[1]

    def forget(self, key: str) -> None:
        """Remember it no longer."""
        self._entries.pop(key, None)


class Keyring:
    """What we know of keys beside the database, and who is fetching one now."""

    def __init__(self) -> None:
        self.actors: Remembered[Actor] = Remembered(MAX_ACTORS, ACTOR_KEPT)  # by key id
        # By key id: why it is not asked for again now.
        self.refused: Remembered[str] = Remembered(MAX_REMEMBERED, KEY_REFUSED_FOR)
        self.down: Remembered[str] = Remembered(MAX_REMEMBERED, HOST_DOWN_FOR)  # by host
        self.judging = 0  # requests whose signature and content are being looked at
        self._slots = asyncio.Semaphore(MAX_FETCHES)
        self._turns: dict[str, tuple[asyncio.Semaphore, int]] = {}  # by host, and by ".site"
        self._waiting = 0

    @contextlib.asynccontextmanager
    async def fetching(self, host: str) -> AsyncIterator[None]:
        """Hold one of the few places for fetching a key, the only one for `host`.

        Raises: KeyUnavailable if too many wait already.
        """
        site = "." + ".".join(host.rsplit(".", 2)[-2:])
        _, of_site = self._turns.get(site, (None, 0))
        if self._waiting >= MAX_WAITING or of_site >= MAX_WAITING_OF_SITE:
            raise KeyUnavailable("too many keys are being fetched now")
        self._waiting += 1
        try:
            async with self._turn(site, MAX_FETCHES_OF_SITE), self._turn(host, 1), self._slots:
                yield
        finally:
            self._waiting -= 1

    @contextlib.asynccontextmanager
    async def _turn(self, name: str, at_once: int) -> AsyncIterator[None]:
        """Be one of the few at once; nothing is kept of a name that nobody uses."""
        turn, users = self._turns.get(name, (asyncio.Semaphore(at_once), 0))
        self._turns[name] = (turn, users + 1)
        try:
            async with turn:
                yield
        finally:
            turn, users = self._turns[name]
            if users == 1:
                del self._turns[name]
            else:
                self._turns[name] = (turn, users - 1)
