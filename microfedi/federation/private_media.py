"""Copies of what others sent in messages: fetched when they are looked at, sealed by the vault.

Nothing of them is ever on the disk in the clear: what comes is decoded and sealed in memory. What
is too large for that is a link to its original.
"""

import asyncio
import base64
import logging
from collections.abc import Iterable, Iterator
from weakref import WeakKeyDictionary

from microfedi import imagework
from microfedi.errors import NotAuthorized, RemoteError
from microfedi.federation import copies
from microfedi.federation.context import Context
from microfedi.protocol import media_types
from microfedi.protocol.vocab import Attachment
from microfedi.storage import files, media, vault_keys
from microfedi.storage.database import Reader
from microfedi.storage.media import CachedMedia
from microfedi.storage.sealed import Sealer
from microfedi.storage.vault import SecretKeys

log = logging.getLogger(__name__)

PATH = "/media/private/"
_PURPOSE = "private media"

# Bytes of a picture, film or sound: it is in memory once while it is sealed, and so is its picture
# while it is decoded. Most servers take 16 MB at most, and phones send voices of 1 MB.
MAX_BYTES = 24 * 1024 * 1024
# Seconds for all of it; the browser shows the page meanwhile.
DEADLINE_S = 60.0
# At once: each may hold MAX_BYTES.
MAX_FETCHES = 2
_slots: WeakKeyDictionary[Context, asyncio.Semaphore] = WeakKeyDictionary()


def path(sealer: Sealer, url: str) -> str:
    """Return our own path for what lies at `url`: sealed, since paths are kept in many places."""
    return PATH + base64.urlsafe_b64encode(sealer.seal(_PURPOSE, url.encode())).decode()


def url_of(sealer: Sealer, sealed: str) -> str:
    """Read the URL out of such a path. Raises: NotAuthorized if we did not make it."""
    try:
        data = base64.b64decode(sealed, altchars=b"-_", validate=True)
        return sealer.open(_PURPOSE, data).decode()
    except ValueError:
        raise NotAuthorized("not an address that we made") from None


def names_of(reader: Reader, attachments: Iterable[Attachment]) -> list[str]:
    """Return the names that copies of what hangs on a message will have."""
    urls = (url for one in attachments for url in one.urls)
    return [media.private_name(reader.sealer, url) for url in urls]


async def fetch(ctx: Context, url: str) -> CachedMedia:
    """Return what is known of our copy of what lies at `url`; fetch it first if there is none.

    Raises: RemoteError if it cannot be had, or is nothing that we show.
    """
    slots = _slots.setdefault(ctx, asyncio.Semaphore(MAX_FETCHES))
    async with slots:  # who asks for the same one meanwhile finds it when it is their turn
        key = media.private_name(ctx.db.sealer, url)
        known = await copies.known(ctx, key)
        if known is not None:
            lies_there = await asyncio.to_thread(files.size_of, ctx.config.cache_dir, key)
            if lies_there is not None:
                return known
        return await _fetch(ctx, key, url)


def part(
    ctx: Context, found: CachedMedia, keys: SecretKeys, start: int, stop: int
) -> Iterator[bytes]:
    """Yield a part of a copy. Blocks. Raises: FileNotFoundError; ValueError if it does not open."""
    return files.vault_part(ctx.config.cache_dir, found.key, start, stop, keys, ctx.db.sealer)


async def _fetch(ctx: Context, key: str, url: str) -> CachedMedia:
    public = await ctx.db.read(vault_keys.current)
    if public is None:
        raise RemoteError("there is no vault to put it into")
    async with copies.attempt(ctx, key, url), asyncio.timeout(DEADLINE_S):
        media_type, data = await _download(ctx, url)
    await asyncio.to_thread(
        files.write_in_vault, ctx.config.cache_dir, key, data, public, ctx.db.sealer
    )
    return await copies.note(ctx, key, media_type, len(data))


async def _download(ctx: Context, url: str) -> tuple[str, bytes]:
    """Return what lies there, as we show it: pictures are encoded anew.

    Raises: RemoteError; InvalidInput if the picture cannot be read.
    """
    async with ctx.remote.stream(url, max_bytes=MAX_BYTES, deadline_s=DEADLINE_S) as incoming:
        data = b"".join([piece async for piece in incoming.pieces])
    media_type = media_types.sniff(data[: media_types.SNIFF_BYTES]) or ""
    if media_type in media_types.VIDEO_TYPES | media_types.AUDIO_TYPES:
        return media_type, data
    if media_type not in media_types.IMAGE_TYPES:
        raise RemoteError("no picture, film or sound")
    picture = await imagework.reencode(data, purpose="cache")
    return picture.media_type, picture.data
