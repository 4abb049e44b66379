"""Bytes in files: written whole or not at all, readable by us alone, sealed if asked to be.

These functions block; async code calls them through `asyncio.to_thread`.
"""

import contextlib
import os
import re
import secrets
from pathlib import Path

from microfedi.storage.sealed import Sealer

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TEMPORARY = ".part"


def write(directory: Path, name: str, data: bytes, *, sealer: Sealer | None = None) -> None:
    """Write `data` as `name` in `directory` (made if it is missing); sealed if there is a sealer.

    Raises: ValueError if `name` is not one of ours; OSError if the disk is full.
    """
    path = _path(directory, name)
    if sealer is not None:
        data = sealer.seal("media", data, bound_to=name)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{name}.{secrets.token_hex(8)}{_TEMPORARY}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_directory(directory)


class Growing:
    """A file that is written piece by piece: `add` bytes, then `finish` or `abandon` it.

    Raises: ValueError if `name` is not one of ours; OSError if the disk is full.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._path = _path(directory, name)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._temporary = self._path.with_name(f"{name}.{secrets.token_hex(8)}{_TEMPORARY}")
        descriptor = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "wb")

    def add(self, data: bytes) -> None:
        """Write more."""
        self._file.write(data)

    def finish(self) -> None:
        """Give the file its name: now it is there, whole."""
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
        self._temporary.replace(self._path)
        _sync_directory(self._path.parent)

    def abandon(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._temporary.unlink(missing_ok=True)


def read(directory: Path, name: str, *, sealer: Sealer | None = None) -> bytes | None:
    """Return the bytes of a file, None if there is none.

    Raises: ValueError if it is sealed under another key or name, or damaged.
    """
    try:
        data = _path(directory, name).read_bytes()
    except FileNotFoundError:
        return None
    return data if sealer is None else sealer.open("media", data, bound_to=name)


def delete(directory: Path, name: str) -> bool:
    """Delete a file; False if there was none."""
    try:
        _path(directory, name).unlink()
    except FileNotFoundError:
        return False
    return True


def names(directory: Path) -> set[str]:
    """Return the names of the files that are there."""
    with contextlib.suppress(FileNotFoundError):
        return {path.name for path in directory.iterdir() if _NAME.fullmatch(path.name)}
    return set()


def clear_unfinished(directory: Path) -> int:
    """Delete what a crash left half-written, at start; return how many there were."""
    found = list(directory.glob(f"*{_TEMPORARY}"))
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def _path(directory: Path, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise ValueError("not the name of a file of ours")
    return directory / name


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
