"""The owner's pictures, films and sounds: written to files, known to the database, read, deleted.

The bytes come from `imagework`, without any metadata. They are ciphertext on disk unless the post
they belong to is open to everybody.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from microfedi.errors import InvalidInput
from microfedi.federation.context import Context
from microfedi.imagework import Picture
from microfedi.protocol import ids, vocab
from microfedi.protocol.addresses import Addresses
from microfedi.storage import files, media
from microfedi.storage.media import Media


@dataclass(frozen=True, slots=True)
class Upload:
    """What was written: its record, and that of the still of a film, a file of its own."""

    record: Media
    picture: Picture
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
    written: list[Upload] = []
    try:
        for picture in pictures:
            record = await _write(ctx, picture, sealed=sealed)
            written.append(Upload(record, picture))
            if picture.poster is not None:
                poster = await _write(ctx, picture.poster, sealed=sealed)
                written[-1] = Upload(record, picture, poster)
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


def part(ctx: Context, record: Media, start: int, stop: int) -> Iterator[bytes]:
    """Yield a part of a file, opened if it is sealed. Blocks.

    Raises: FileNotFoundError; ValueError if it is damaged, or sealed under another key.
    """
    sealer = ctx.db.sealer if record.sealed else None
    return files.part(ctx.config.media_dir, record.public_id, start, stop, sealer=sealer)


def attachment(upload: Upload, alt: str, addresses: Addresses) -> vocab.Attachment:
    """Return a picture, a film or a sound as a note carries it."""
    record, picture, poster = upload.record, upload.picture, upload.poster
    return vocab.Attachment(
        url=addresses.media(record.public_id),
        media_type=record.media_type,
        alt=alt,
        width=record.width or None,
        height=record.height or None,
        blurhash=record.blurhash or None,
        focal_point=picture.focal_point,
        duration_s=picture.duration_s,
        preview=None if poster is None else addresses.media(poster.public_id),
    )
