"""Others' pictures, films and sounds through our own cache: never hot-linked.

A page shows a picture of somebody's under an address of ours that carries the picture's URL and our
signature over it, so that nobody can have us fetch what no page of ours shows. Pictures are decoded
and written anew; films and sounds are kept as they are if their first bytes say what they are;
everything else is refused.
"""

import asyncio
import base64
import binascii
import contextlib
import hmac
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from microfedi import imagework
from microfedi.errors import (
    NotAuthorized,
    RemoteError,
)
from microfedi.federation import copies
from microfedi.federation.arriving import Arriving
from microfedi.federation.context import Context
from microfedi.protocol import media_types
from microfedi.storage import files, media
from microfedi.storage.database import Reader
from microfedi.storage.sealed import Sealer

log = logging.getLogger(__name__)

PATH = "/media/proxy/"

# Bytes of a picture as it lies at its origin. Servers make previews of 1 MB; originals have 10.
MAX_IMAGE_BYTES = 16 * 1024 * 1024
# Seconds for a picture, and until the first bytes of a film are there ...
DEADLINE_S = 30.0
# ... and for all of a film, which is played meanwhile: 100 MB over a line of 3 Mbit/s.
FILM_DEADLINE_S = 300.0
# Fetches at once. A page may show forty pictures that are new to us; their servers are few.
MAX_FETCHES = 6
# Films that arrive at once, beside the pictures.
MAX_FILMS = 3
# A copy's last use is written down so seldom that looking at pictures costs no disk.
USE_RESOLUTION = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A copy on our disk. It may be dropped at any time: open it soon."""

    path: Path
    media_type: str
    size_bytes: int

    @property
    def name(self) -> str:
        return self.path.name

    def part(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from `start` up to `stop`. Blocks. Raises: FileNotFoundError."""
        return files.part(self.path.parent, self.path.name, start, stop)


class _Fetch:
    """A fetch that is under way. `film` is there as soon as we know that it is one.

    It is a task of its own: whoever asked first may leave while others wait for it.
    """

    def __init__(self, ctx: Context, state: "_State", key: str, url: str) -> None:
        self.film: asyncio.Future[Arriving] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(_fetch(ctx, state, self.film, key, url), name="media fetch")


@dataclass(slots=True, eq=False)
class _State:
    """What is under way, by key, so that a picture that stands on a page ten times comes once."""

    fetching: dict[str, _Fetch] = field(default_factory=dict)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_FETCHES))
    films: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_FILMS))


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


def likenesses(reader: Reader, urls: Iterable[str]) -> dict[str, int]:
    """Return what the pictures at these URLs look like, as far as we have copies of them."""
    keys = {name_of(reader.sealer, url): url for url in urls}
    found = media.likenesses(reader, keys) if keys else {}
    return {keys[key]: likeness for key, likeness in found.items()}


async def forget(ctx: Context, urls: Iterable[str]) -> None:
    """Delete our copies of what lies there."""
    keys = [name_of(ctx.db.sealer, url) for url in urls]
    await ctx.db.write(lambda tx: media.delete_cached(tx, keys))
    for key in keys:
        await asyncio.to_thread(files.delete, ctx.config.cache_dir, key)


async def fetch(ctx: Context, url: str) -> CachedFile:
    """Return our copy of the picture, film or sound at `url`; fetch it first if there is none.

    Whoever asks for the same one meanwhile waits for the same fetch.

    Raises: RemoteError if it cannot be had, or is nothing that we show.
    """
    found = await _found(ctx, url)
    return found if isinstance(found, CachedFile) else await asyncio.shield(found.task)


async def opened(ctx: Context, url: str) -> CachedFile | Arriving:
    """As `fetch`, but a film that says how long it is can be played while it arrives."""
    found = await _found(ctx, url)
    if isinstance(found, CachedFile):
        return found
    either: set[asyncio.Future[Any]] = {found.task, found.film}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    return await asyncio.shield(found.task) if found.task.done() else found.film.result()


async def _found(ctx: Context, url: str) -> CachedFile | _Fetch:
    """Return our copy, or the fetch for it, begun if there was none."""
    key = name_of(ctx.db.sealer, url)
    state = _states.setdefault(ctx, _State())
    if key not in state.fetching:
        found = await _copy(ctx, key)
        if found is not None:
            return found
    if key not in state.fetching:  # nobody began one meanwhile
        begun = state.fetching[key] = _Fetch(ctx, state, key, url)
        begun.task.add_done_callback(lambda task: _forget(state, key, task))
    return state.fetching[key]


def _forget(state: _State, key: str, task: asyncio.Task[CachedFile]) -> None:
    del state.fetching[key]
    if not task.cancelled():
        task.exception()  # has been looked at, even if everybody who waited has left


async def _copy(ctx: Context, key: str) -> CachedFile | None:
    """Return what lies there; None if it should be fetched."""
    known = await copies.known(ctx, key)
    if known is None:
        return None
    path = ctx.config.cache_dir / key
    if not await asyncio.to_thread(path.exists):
        return None
    now = ctx.now()
    if now - known.used_at >= USE_RESOLUTION:
        await ctx.db.note(lambda tx: media.touch_cached(tx, [key], now))
    return CachedFile(path, known.media_type, known.size_bytes)


async def _fetch(
    ctx: Context, state: _State, film: asyncio.Future[Arriving], key: str, url: str
) -> CachedFile:
    async with copies.attempt(ctx, key, url), contextlib.AsyncExitStack() as slot:
        await slot.enter_async_context(state.slots)

        async def begins(arriving: Arriving) -> None:
            """Let pictures go on, and whoever waits for the film begin to play it."""
            await slot.aclose()
            deadline.reschedule(asyncio.get_running_loop().time() + FILM_DEADLINE_S)
            await slot.enter_async_context(state.films)
            if arriving.size_bytes:
                film.set_result(arriving)

        async with asyncio.timeout(DEADLINE_S) as deadline:
            media_type, size_bytes, likeness = await _download(ctx, key, url, begins)
    await copies.note(ctx, key, media_type, size_bytes, likeness=likeness)
    return CachedFile(ctx.config.cache_dir / key, media_type, size_bytes)


async def _download(
    ctx: Context,
    key: str,
    url: str,
    begins: Callable[[Arriving], Awaitable[None]],
) -> tuple[str, int, str]:
    """Fetch, look at the first bytes, and write the file. Return its type, size and likeness.

    `begins` is called once it turns out to be a film.

    Raises: RemoteError; InvalidInput if the picture cannot be read.
    """
    most = ctx.config.limits.copied_film_mb * 1_000_000
    async with ctx.remote.stream(url, max_bytes=most, deadline_s=FILM_DEADLINE_S) as incoming:
        head = b""
        async for piece in incoming.pieces:
            head += piece
            if len(head) >= media_types.SNIFF_BYTES:
                break
        media_type = media_types.sniff(head)
        if media_type in media_types.VIDEO_TYPES | media_types.AUDIO_TYPES:
            length = incoming.headers.get("content-length", "")
            size = int(length) if length.isascii() and length.isdigit() else 0
            arriving = Arriving(ctx.config.cache_dir, key, media_type or "", size)
            await begins(arriving)
            return arriving.media_type, await arriving.write(head, incoming.pieces), ""
        if media_type not in media_types.IMAGE_TYPES:
            raise RemoteError("no picture, film or sound")
        data = bytearray(head)
        async for piece in incoming.pieces:
            data += piece
            if len(data) > MAX_IMAGE_BYTES:
                raise RemoteError("a picture of more than %(limit)s bytes", limit=MAX_IMAGE_BYTES)
    picture = await imagework.reencode(bytes(data), purpose="cache")
    await asyncio.to_thread(files.write, ctx.config.cache_dir, key, picture.data)
    return picture.media_type, len(picture.data), picture.likeness


def name_of(sealer: Sealer, url: str) -> str:
    """Return what the copy of what lies at `url` is called."""
    return sealer.lookup_key("media cache", url).hex()


def _signature(sealer: Sealer, url: str) -> str:
    return _encoded(sealer.lookup_key("media proxy", url))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
