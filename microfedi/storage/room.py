"""Room on the disk: whether there is any, so that a full disk breaks nothing.

The disk counts as full below a reserve, with which what is there can still be deleted (also that
writes), and after a write that failed for want of room, whatever the free space looks like: there
are quotas. Then one write is tried again after a while, and if it succeeds everything goes on.
"""

import errno
import logging
import os
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from microfedi.errors import DiskFull

log = logging.getLogger(__name__)

# Bytes kept free: the write-ahead log, the deletion of a year of posts, a login.
RESERVE_BYTES = 64 * 1024 * 1024
# Bytes that must be free again before anything goes on, so that it does not go back and forth.
ENOUGH_BYTES = RESERVE_BYTES * 5 // 4
LOOK_S = 5.0  # seconds between two looks at the disk
REST_S = 15.0  # seconds after a failed write until the next one is tried

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# How SQLite says it: it calls everything but ENOSPC an error of writing.
_NO_ROOM_SQLITE = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_SHMSIZE,
    }
)


def is_lack(error: BaseException) -> bool:
    """True if `error` says that there was no room for what should have been written."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) in _NO_ROOM_SQLITE
    return isinstance(error, OSError) and error.errno in NO_ROOM


def free_bytes(directory: Path) -> int:
    """Return how much we may still write on the disk that `directory` is on."""
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize


class Room:
    """Watches the disk. `free` returns the free bytes of it; `clock` seconds that only grow."""

    def __init__(
        self,
        directory: Path,
        *,
        free: Callable[[], int] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.free = free or partial(free_bytes, directory)
        self.clock = clock
        self._is_low = False
        self._look_at = 0.0
        self._failed_until: float | None = None

    def is_full(self) -> bool:
        """True while nothing new should be kept."""
        now = self.clock()
        if now >= self._look_at:
            self._look_at = now + LOOK_S
            self._look()
        return self._is_low or (self._failed_until is not None and now < self._failed_until)

    def demand(self) -> None:
        """Raises: DiskFull while nothing new should be kept."""
        if self.is_full():
            raise DiskFull()

    def failed(self) -> None:
        """Note that a write failed for want of room."""
        if self._failed_until is None:
            log.error("the disk is full: nothing new is kept until there is room")
        self._failed_until = self.clock() + REST_S

    def succeeded(self) -> None:
        """Note that something was written."""
        if self._failed_until is not None and self.clock() >= self._failed_until:
            self._failed_until = None
            log.warning("there is room on the disk again")

    def _look(self) -> None:
        try:
            free = self.free()
        except OSError as error:
            log.warning("the free space of the disk is not known: %s", error)
            return
        was_low, self._is_low = (
            self._is_low,
            free < (ENOUGH_BYTES if self._is_low else RESERVE_BYTES),
        )
        if self._is_low and not was_low:
            log.error("the disk is almost full free_bytes=%d: nothing new is kept", free)
        elif was_low and not self._is_low:
            log.warning("there is room on the disk again free_bytes=%d", free)
