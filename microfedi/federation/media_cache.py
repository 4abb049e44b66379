"""Others' pictures, films and sounds through our own cache: never hot-linked.

A page shows a picture of somebody's under an address of ours that carries the picture's URL and our
signature over it, so that nobody can have us fetch what no page of ours shows. Pictures are decoded
and written anew; films and sounds are kept as they are if their first bytes say what they are;
everything else is refused.
"""

import asyncio
import base64
import binascii
import hmac
import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from weakref import WeakKeyDictionary

from microfedi import imagework
from microfedi.errors import (
    ForbiddenAddress,
    InvalidInput,
    MalformedDocument,
    NotAuthorized,
    RemoteError,
    RemoteGone,
    RemoteTooLarge,
)
from microfedi.federation import fetching
from microfedi.federation.context import Context
from microfedi.protocol import media_types
from microfedi.storage import files, media, upkeep
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.sealed import Sealer

log = logging.getLogger(__name__)

PATH = "/media/proxy/"

# Bytes of a picture as it lies at its origin. Servers make previews of 1 MB; originals have 10.
MAX_IMAGE_BYTES = 16 * 1024 * 1024
# Seconds for all of it: a film of 100 MB over a line of 15 Mbit/s. On slower ones it is a link.
DEADLINE_S = 60.0
# Fetches at once. A page may show forty pictures that are new to us; their servers are few.
MAX_FETCHES = 6
# What could not be had is asked for again after so long.
ABSENT_FOR = timedelta(hours=1)
# A copy's last use is written down so seldom that looking at pictures costs no disk.
USE_RESOLUTION = timedelta(hours=6)
# Bytes that are gathered before they are written.
_WRITE_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A copy on our disk. It may be dropped at any time: open it soon."""

    path: Path
    media_type: str
    size_bytes: int


@dataclass(slots=True, eq=False)
class _State:
    """What is under way, by key, so that a picture that stands on a page ten times comes once."""

    fetching: dict[str, asyncio.Task[CachedFile]] = field(default_factory=dict)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_FETCHES))


_states: WeakKeyDictionary[Context, _State] = WeakKeyDictionary()


def proxy_path(sealer: Sealer, url: str) -> str:
    """Return our own path for somebody's picture: signed, since only our pages may make one."""
    return f"{PATH}{_signature(sealer, url)}/{_encoded(url.encode())}"


def url_of(sealer: Sealer, signature: str, encoded: str) -> str:
    """Read the URL out of the two parts of such a path.

    Raises: NotAuthorized if it is not exactly as we made it.
    """
    try:
        data = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        url = data.decode()
    except (ValueError, binascii.Error):
        url = ""
    # One spelling only: another one would be another address for the same picture.
    if not url or _encoded(url.encode()) != encoded:
        raise NotAuthorized("not an address that we made")
    expected = _signature(sealer, url)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise NotAuthorized("not an address that we made")
    return url


def too_large(reader: Reader, urls: Iterable[str]) -> set[str]:
    """Return which of these URLs are known to lead to more than we copy."""
    keys = {_key(reader.sealer, url): url for url in urls}
    return {keys[key] for key in media.too_large(reader, keys)} if keys else set()


async def forget(ctx: Context, urls: Iterable[str]) -> None:
    """Delete our copies of what lies there."""
    keys = [_key(ctx.db.sealer, url) for url in urls]
    await ctx.db.write(lambda tx: media.delete_cached(tx, keys))
    for key in keys:
        await asyncio.to_thread(files.delete, ctx.config.cache_dir, key)


async def fetch(ctx: Context, url: str) -> CachedFile:
    """Return our copy of the picture, film or sound at `url`; fetch it first if there is none.

    Whoever asks for the same one meanwhile waits for the same fetch.

    Raises: RemoteError if it cannot be had, or is nothing that we show.
    """
    key = _key(ctx.db.sealer, url)
    state = _states.setdefault(ctx, _State())
    under_way = state.fetching.get(key)
    if under_way is None:
        found = await _copy(ctx, key)
        if found is not None:
            return found
        under_way = state.fetching.get(key)
    if under_way is None:
        # A task of its own: whoever asked first may leave while others wait for it.
        under_way = asyncio.create_task(_fetch(ctx, state, key, url), name="media fetch")
        state.fetching[key] = under_way
        under_way.add_done_callback(lambda task: _forget(state, key, task))
    return await asyncio.shield(under_way)


def _forget(state: _State, key: str, task: asyncio.Task[CachedFile]) -> None:
    del state.fetching[key]
    if not task.cancelled():
        task.exception()  # has been looked at, even if everybody who waited has left


async def _copy(ctx: Context, key: str) -> CachedFile | None:
    """Return what lies there; None if it should be fetched."""
    known = await ctx.db.read(lambda reader: media.cached(reader, key))
    if known is None:
        return None
    now = ctx.now()
    if not known.media_type:
        if now - known.fetched_at < ABSENT_FOR:
            raise RemoteGone("this could not be had a short while ago")
        return None
    path = ctx.config.cache_dir / key
    if not await asyncio.to_thread(path.exists):
        return None
    if now - known.used_at >= USE_RESOLUTION:
        await ctx.db.write(lambda tx: media.touch_cached(tx, [key], now))
    return CachedFile(path, known.media_type, known.size_bytes)


async def _fetch(ctx: Context, state: _State, key: str, url: str) -> CachedFile:
    try:
        await fetching.check_host(ctx, url)
    except MalformedDocument as problem:
        raise ForbiddenAddress("not a URL that we fetch") from problem
    async with state.slots:
        try:
            media_type, size_bytes = await _download(ctx, key, url)
        except (RemoteError, InvalidInput) as problem:
            log.info("no copy of %s: %s", url, problem)
            await _note(ctx, key, "", 0, is_too_large=isinstance(problem, RemoteTooLarge))
            if isinstance(problem, RemoteError):
                raise
            raise RemoteError(f"not a picture that we can show: {problem}") from problem
    await _note(ctx, key, media_type, size_bytes)
    return CachedFile(ctx.config.cache_dir / key, media_type, size_bytes)


async def _note(
    ctx: Context, key: str, media_type: str, size_bytes: int, *, is_too_large: bool = False
) -> None:
    """Write down what was had; if it is too much, drop what was not looked at for the longest."""
    now = ctx.now()
    budget = ctx.owner.disk_budget_bytes if ctx.has_owner else None

    def write(tx: Transaction) -> list[str]:
        media.put_cached(
            tx,
            key,
            media_type=media_type,
            size_bytes=size_bytes,
            now=now,
            is_too_large=is_too_large,
        )
        if budget is None or not size_bytes:
            return []
        return upkeep.trim_cache(tx, upkeep.cache_room(tx, budget), but=key)

    for dropped in await ctx.db.write(write):
        await asyncio.to_thread(files.delete, ctx.config.cache_dir, dropped)


async def _download(ctx: Context, key: str, url: str) -> tuple[str, int]:
    """Fetch, look at the first bytes, and write the file. Return its type and size.

    Raises: RemoteError; InvalidInput if the picture cannot be read.
    """
    most = ctx.config.limits.copied_film_mb * 1_000_000
    async with ctx.remote.stream(url, max_bytes=most, deadline_s=DEADLINE_S) as incoming:
        head = b""
        async for piece in incoming.pieces:
            head += piece
            if len(head) >= media_types.SNIFF_BYTES:
                break
        media_type = media_types.sniff(head)
        if media_type in media_types.VIDEO_TYPES | media_types.AUDIO_TYPES:
            size = await _write_pieces(ctx.config.cache_dir, key, head, incoming.pieces)
            return media_type or "", size
        if media_type not in media_types.IMAGE_TYPES:
            raise RemoteError("no picture, film or sound")
        data = bytearray(head)
        async for piece in incoming.pieces:
            data += piece
            if len(data) > MAX_IMAGE_BYTES:
                raise RemoteError(f"a picture of more than {MAX_IMAGE_BYTES} bytes")
    picture = await imagework.reencode(bytes(data), purpose="cache")
    await asyncio.to_thread(files.write, ctx.config.cache_dir, key, picture.data)
    return picture.media_type, len(picture.data)


async def _write_pieces(
    directory: Path, key: str, head: bytes, pieces: AsyncIterator[bytes]
) -> int:
    """Write a file of any size without having it in memory, and not on the loop."""
    file = await asyncio.to_thread(files.Growing, directory, key)
    size = len(head)
    waiting = bytearray(head)
    try:
        async for piece in pieces:
            waiting += piece
            size += len(piece)
            if len(waiting) >= _WRITE_BYTES:
                await asyncio.to_thread(file.add, bytes(waiting))
                waiting.clear()
        await asyncio.to_thread(file.add, bytes(waiting))
        await asyncio.to_thread(file.finish)
    except BaseException:
        file.abandon()
        raise
    return size


def _key(sealer: Sealer, url: str) -> str:
    return sealer.lookup_key("media cache", url).hex()


def _signature(sealer: Sealer, url: str) -> str:
    return _encoded(sealer.lookup_key("media proxy", url))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
