"""Bytes in files: written whole or not at all, readable by us alone, sealed if asked to be.

A sealed file is one byte 0x02 and then pieces, each sealed by itself and bound to the file's name,
its number and the size of the whole: so a player can have the middle of a film without the rest
being opened, and no piece can be left out, moved, or taken from elsewhere. (Version 1 was a single
sealed value; it is still read.)

These functions block; async code calls them through `asyncio.to_thread`.
"""

import contextlib
import os
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from microfedi.errors import DiskFull
from microfedi.storage import room
from microfedi.storage.sealed import OVERHEAD_BYTES, Sealer
from microfedi.storage.vault import FILE_HEAD_BYTES, SEALED_PIECE_BYTES, PublicKey, SecretKeys
from microfedi.storage.vault import PIECE_BYTES as VAULT_PIECE_BYTES

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TEMPORARY = ".part"
# Bytes that are sealed, or read, at once: what is in memory of a film that somebody watches.
PIECE_BYTES = 256 * 1024
_IN_PIECES = b"\x02"
_VAULT_PURPOSE = "message file"


def write(directory: Path, name: str, data: bytes, *, sealer: Sealer | None = None) -> None:
    """Write `data` as `name` in `directory` (made if it is missing); sealed if there is a sealer.

    Raises: ValueError if `name` is not one of ours; DiskFull.
    """

    def put(file: BinaryIO) -> None:
        if sealer is None:
            file.write(data)
        else:
            _write_sealed(file, data, name, sealer)

    _written(directory, name, put)


def _written(directory: Path, name: str, put: Callable[[BinaryIO], object]) -> None:
    """Have `put` write a file that is there whole, or not at all."""
    path = _path(directory, name)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{name}.{secrets.token_hex(8)}{_TEMPORARY}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            put(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if room.is_lack(error):
            raise DiskFull from error
        raise
    _sync_directory(directory)


class Growing:
    """A file that is written piece by piece: `add` bytes, then `finish` or `abandon` it.

    Raises: ValueError if `name` is not one of ours; DiskFull.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._path = _path(directory, name)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._temporary = self._path.with_name(f"{name}.{secrets.token_hex(8)}{_TEMPORARY}")
        descriptor = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "wb")

    def add(self, data: bytes) -> None:
        """Write more: from now on it can be read."""
        with _noticing_lack_of_room():
            self._file.write(data)
            self._file.flush()

    def opened(self) -> BinaryIO:
        """Open the file to be read, whether it is finished or not."""
        try:
            return self._temporary.open("rb")
        except FileNotFoundError:
            return self._path.open("rb")

    def finish(self) -> None:
        """Give the file its name: now it is there, whole."""
        with _noticing_lack_of_room(), self._file:
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
    size = size_of(directory, name, is_sealed=sealer is not None)
    if size is None:
        return None
    return b"".join(part(directory, name, 0, size, sealer=sealer))


def size_of(directory: Path, name: str, *, is_sealed: bool = False) -> int | None:
    """Return how many bytes are in a file, before they were sealed; None if there is none."""
    try:
        with _path(directory, name).open("rb") as file:
            return _plain_size(file) if is_sealed else os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return None


def part(
    directory: Path, name: str, start: int, stop: int, *, sealer: Sealer | None = None
) -> Iterator[bytes]:
    """Yield the bytes of a file from `start` up to `stop`, of which there are so many, in pieces.

    Raises: ValueError if it is sealed under another key or name, or damaged; FileNotFoundError.
    """
    with _path(directory, name).open("rb") as file:
        if sealer is None:
            yield from _plain_part(file, start, stop)
        elif file.read(1) == _IN_PIECES:
            yield from _sealed_part(file, start, stop, name, sealer)
        else:
            file.seek(0)
            yield sealer.open("media", file.read(), bound_to=name)[start:stop]


def write_in_vault(directory: Path, name: str, data: bytes, key: PublicKey, sealer: Sealer) -> None:
    """Write `data` as `name`, sealed by the message vault: only its owner can read it again.

    Raises: as `write`.
    """
    sealed = key.seal_file(_VAULT_PURPOSE, [data], bound_to=_vault_place(sealer, name))
    _written(directory, name, lambda file: file.writelines(sealed))


def vault_part(
    directory: Path, name: str, start: int, stop: int, keys: SecretKeys, sealer: Sealer
) -> Iterator[bytes]:
    """Yield the bytes of a file of the vault from `start` up to `stop`, in pieces.

    Raises: ValueError if it is of another vault or name, or damaged; FileNotFoundError.
    """
    with _path(directory, name).open("rb") as file:
        head = file.read(FILE_HEAD_BYTES)
        first = start // VAULT_PIECE_BYTES
        file.seek(FILE_HEAD_BYTES + first * SEALED_PIECE_BYTES)
        # To its end: that the last piece is the last one is part of what is checked.
        sealed = iter(lambda: file.read(SEALED_PIECE_BYTES), b"")
        at = first * VAULT_PIECE_BYTES
        place = _vault_place(sealer, name)
        for piece in keys.open_file(_VAULT_PURPOSE, head, sealed, bound_to=place, first=first):
            yield piece[max(0, start - at) : stop - at]
            at += len(piece)
            if at >= stop:
                return


def _vault_place(sealer: Sealer, name: str) -> str:
    """Return what a file of the vault is bound to: its name, and that this server wrote it."""
    return f"{name} {sealer.lookup_key(_VAULT_PURPOSE, name).hex()}"


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


@contextlib.contextmanager
def _noticing_lack_of_room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if room.is_lack(error):
            raise DiskFull from error
        raise


def _write_sealed(file: BinaryIO, data: bytes, name: str, sealer: Sealer) -> None:
    file.write(_IN_PIECES)
    for number, start in enumerate(range(0, len(data), PIECE_BYTES)):
        piece = data[start : start + PIECE_BYTES]
        file.write(sealer.seal("media", piece, bound_to=f"{name}/{number}/{len(data)}"))


def _plain_size(file: BinaryIO) -> int:
    """Tell the size of what was sealed from the size of the file."""
    size = os.fstat(file.fileno()).st_size
    if file.read(1) != _IN_PIECES:
        return max(0, size - OVERHEAD_BYTES)
    pieces = -(-(size - 1) // (PIECE_BYTES + OVERHEAD_BYTES))
    return size - 1 - pieces * OVERHEAD_BYTES


def _plain_part(file: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    file.seek(start)
    while start < stop and (piece := file.read(min(PIECE_BYTES, stop - start))):
        start += len(piece)
        yield piece


def _sealed_part(
    file: BinaryIO, start: int, stop: int, name: str, sealer: Sealer
) -> Iterator[bytes]:
    file.seek(0)
    size = _plain_size(file)
    for number in range(start // PIECE_BYTES, -(-stop // PIECE_BYTES)):
        first = number * PIECE_BYTES
        file.seek(len(_IN_PIECES) + number * (PIECE_BYTES + OVERHEAD_BYTES))
        sealed = file.read(PIECE_BYTES + OVERHEAD_BYTES)
        piece = sealer.open("media", sealed, bound_to=f"{name}/{number}/{size}")
        yield piece[max(0, start - first) : stop - first]


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
