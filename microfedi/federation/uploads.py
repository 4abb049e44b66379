"""The owner's pictures, films and sounds: written to files, known to the database, read, deleted.

The bytes come from `imagework`, without any metadata. They are ciphertext on disk unless the post
they belong to is open to everybody.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from microfedi.errors import InvalidInput
from microfedi.federation.context import Context
from microfedi.imagework import Picture
from microfedi.protocol import ids, vocab
from microfedi.protocol.addresses import Addresses
from microfedi.storage import files, media, waiting_files
from microfedi.storage.drafts import Attached
from microfedi.storage.media import Media
from microfedi.storage.vault import SecretKeys
from microfedi.storage.waiting_files import Waiting

T = TypeVar("T")
# What is to be written, the still of a film, its length in seconds, and what must stay in view.
File = tuple[T, T | None, float | None, tuple[float, float] | None]


@dataclass(frozen=True, slots=True)
class Upload:
    """What was written: its record, and that of the still of a film, a file of its own."""

    record: Media
    duration_s: float | None = None
    focal_point: tuple[float, float] | None = None
    poster: Media | None = None

    @property
    def records(self) -> tuple[Media, ...]:
        return (self.record,) if self.poster is None else (self.record, self.poster)


async def keep(ctx: Context, picture: Picture) -> Media:
    """Keep a picture that belongs to no post and is for everybody to see: of the profile.

    Raises: InvalidInput("picture") if the owner's disk budget is used up.
    """
    (written,) = await write(ctx, [picture], sealed=False)
    try:
        await ctx.db.write(lambda tx: media.add(tx, written.record, ctx.now()))
    except Exception:
        await discard(ctx, names_of([written]))
        raise
    return written.record


async def write(ctx: Context, pictures: Sequence[Picture], *, sealed: bool) -> list[Upload]:
    """Write pictures to files; the caller adds the records to what it writes, or discards them.

    Raises: InvalidInput("picture") if the owner's disk budget is used up.
    """
    if not pictures:
        return []
    used = await ctx.db.read(media.total_bytes)
    stills = [one.poster for one in pictures if one.poster is not None]
    if used + sum(len(one.data) for one in [*pictures, *stills]) > ctx.owner.disk_budget_bytes:
        raise InvalidInput("picture", "There is no room left for pictures: see Settings, Storage.")
    files = [(one, one.poster, one.duration_s, one.focal_point) for one in pictures]
    return await _all(ctx, files, lambda one: _write(ctx, one, sealed=sealed))


async def hold(ctx: Context, picture: Picture) -> Waiting:
    """Keep a file that hangs on nothing yet, sealed: its post may be for few, or never be.

    Raises: InvalidInput("picture") if the owner's disk budget is used up, or too much waits.
    """
    if await ctx.db.read(waiting_files.count) >= waiting_files.MAX_WAITING:
        raise InvalidInput("picture", "Too many files wait to be published: delete some drafts.")
    (written,) = await write(ctx, [picture], sealed=True)
    waiting = Waiting(written.record, written.poster, written.duration_s)
    try:
        await ctx.db.write(lambda tx: waiting_files.add(tx, waiting, ctx.now()))
    except Exception:
        await discard(ctx, waiting.names)
        raise
    return waiting


async def take(ctx: Context, attached: Sequence[Attached], *, sealed: bool) -> list[Upload]:
    """Write files that wait anew, under fresh names, as their post needs them: sealed or open.

    The caller adds the records to what it writes and releases what waited, or discards them. One
    file is in memory at a time.

    Raises: InvalidInput("picture") if one of them is not there any more.
    """
    names = [one.name for one in attached]
    known = await ctx.db.read(lambda reader: waiting_files.by_names(reader, names))
    if any(name not in known for name in names):
        raise InvalidInput("picture", "A file is not here any more: please add it again.")
    waiting = [(known[one.name], one.focal_point) for one in attached]
    files = [(one.record, one.poster, one.duration_s, focal) for one, focal in waiting]
    return await copies(ctx, files, sealed=sealed)


async def copies(ctx: Context, files: Iterable[File[Media]], *, sealed: bool) -> list[Upload]:
    """Write files once more under fresh names, sealed or not.

    Raises: InvalidInput("picture") if one is not there, or damaged.
    """
    return await _all(ctx, files, lambda one: _copy(ctx, one, sealed=sealed))


async def _copy(ctx: Context, record: Media, *, sealed: bool) -> Media:
    sealer = ctx.db.sealer
    made = replace(record, public_id=ids.public_id(), sealed=sealed, note_id=None, message_id=None)

    def work() -> bool:
        directory = ctx.config.media_dir
        source = sealer if record.sealed else None
        data = files.read(directory, record.public_id, sealer=source)
        if data is not None:
            files.write(directory, made.public_id, data, sealer=sealer if sealed else None)
        return data is not None

    try:
        is_there = await asyncio.to_thread(work)
    except ValueError:
        is_there = False
    if not is_there:
        raise InvalidInput("picture", "A file is not here any more: please add it again.")
    return made


async def _all(
    ctx: Context, files: Iterable[File[T]], write_one: Callable[[T], Awaitable[Media]]
) -> list[Upload]:
    """Write files, each with the still of a film: all of them, or none is left."""
    written: list[Upload] = []
    try:
        for file, poster, duration_s, focal_point in files:
            written.append(Upload(await write_one(file), duration_s, focal_point))
            if poster is not None:
                written[-1] = replace(written[-1], poster=await write_one(poster))
    except Exception:
        await discard(ctx, names_of(written))
        raise
    return written


async def _write(ctx: Context, picture: Picture, *, sealed: bool) -> Media:
    record = Media(
        public_id=ids.public_id(),
        media_type=picture.media_type,
        size_bytes=len(picture.data),
        width=picture.width,
        height=picture.height,
        blurhash=picture.blurhash,
        sealed=sealed,
    )
    await asyncio.to_thread(
        files.write,
        ctx.config.media_dir,
        record.public_id,
        picture.data,
        sealer=ctx.db.sealer if sealed else None,
    )
    return record


def names_of(uploads: Iterable[Upload]) -> list[str]:
    """Return the names of all files that were written."""
    return [record.public_id for upload in uploads for record in upload.records]


async def discard(ctx: Context, public_ids: Iterable[str]) -> None:
    """Delete files whose records are gone, or never came to be."""
    for public_id in public_ids:
        await asyncio.to_thread(files.delete, ctx.config.media_dir, public_id)


def part(
    ctx: Context, record: Media, start: int, stop: int, *, vault: SecretKeys | None = None
) -> Iterator[bytes]:
    """Yield a part of a file, opened if it is sealed. Blocks.

    Raises: FileNotFoundError, also if only the vault opens it and there is no `vault`; ValueError
        if it is damaged, or sealed under another key.
    """
    if record.in_vault:
        if vault is None:
            raise FileNotFoundError(record.public_id)
        return files.vault_part(
            ctx.config.media_dir, record.file_name, start, stop, vault, ctx.db.sealer
        )
    sealer = ctx.db.sealer if record.sealed else None
    return files.part(ctx.config.media_dir, record.public_id, start, stop, sealer=sealer)


def attachment(upload: Upload, alt: str, addresses: Addresses) -> vocab.Attachment:
    """Return a picture, a film or a sound as a note carries it."""
    record, poster = upload.record, upload.poster
    return vocab.Attachment(
        url=addresses.media(record.public_id),
        media_type=record.media_type,
        alt=alt,
        width=record.width or None,
        height=record.height or None,
        blurhash=record.blurhash or None,
        focal_point=upload.focal_point,
        duration_s=upload.duration_s,
        preview=None if poster is None else addresses.media(poster.public_id),
    )
