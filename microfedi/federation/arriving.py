"""A film on its way into our cache: what of it has come can be played already."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import BinaryIO

from microfedi.errors import RemoteError
from microfedi.storage import files

# Bytes that are gathered before they are written.
WRITE_BYTES = 512 * 1024


class Arriving:
    """A file of `size_bytes` that is being written. Whoever wants what has not come yet waits."""

    def __init__(self, directory: Path, name: str, media_type: str, size_bytes: int) -> None:
        self.media_type = media_type
        self.size_bytes = size_bytes
        self.name = name
        self._directory = directory
        self._file: files.Growing | None = None
        self._have = 0
        self._has_ended = False
        self._news = asyncio.Event()

    async def write(self, head: bytes, pieces: AsyncIterator[bytes]) -> int:
        """Write the file without having it in memory, and not on the loop; return its size."""
        file = self._file = await asyncio.to_thread(files.Growing, self._directory, self.name)
        waiting = bytearray(head)
        try:
            await self._add(file, waiting)
            async for piece in pieces:
                waiting += piece
                if len(waiting) >= WRITE_BYTES:
                    await self._add(file, waiting)
            await self._add(file, waiting)
            await asyncio.to_thread(file.finish)
        except BaseException:
            file.abandon()
            raise
        finally:
            self._has_ended = True
            self._news.set()
        return self._have

    async def part(self, start: int, stop: int) -> AsyncGenerator[bytes]:
        """Yield the bytes from `start` up to `stop`, in pieces, as they come.

        Raises: RemoteError if they never will.
        """
        await self._until(start)
        file = await asyncio.to_thread(self._opened)
        try:
            while start < stop:
                have = await self._until(start)
                size = min(stop, have, start + files.PIECE_BYTES) - start
                piece = await asyncio.to_thread(_read, file, start, size)
                start += len(piece)
                yield piece
        finally:
            file.close()

    async def _add(self, file: files.Growing, waiting: bytearray) -> None:
        await asyncio.to_thread(file.add, bytes(waiting))
        self._have += len(waiting)
        waiting.clear()
        self._news.set()
        self._news = asyncio.Event()

    async def _until(self, position: int) -> int:
        """Wait until there is something at `position`; return how much there is."""
        while self._have <= position:
            if self._has_ended:
                raise RemoteError("the film broke off")
            await self._news.wait()
        return self._have

    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise RemoteError("the film never came")
        return self._file.opened()


def _read(file: BinaryIO, start: int, size: int) -> bytes:
    file.seek(start)
    piece = file.read(size)
    if not piece:
        raise RemoteError("the film broke off")
    return piece
