"""The owner's pictures: written to a file, known to the database, read and deleted again.

The bytes come from `imagework`, without any metadata. They are ciphertext on disk unless the post
they belong to is open to everybody.
"""

import asyncio
from collections.abc import Iterable, Sequence

from microfedi.errors import InvalidInput
from microfedi.federation.context import Context
from microfedi.imagework import Picture
from microfedi.protocol import ids, vocab
from microfedi.protocol.addresses import Addresses
from microfedi.storage import files, media
from microfedi.storage.media import Media


async def keep(ctx: Context, picture: Picture) -> Media:
    """Keep a picture that belongs to no post and is for everybody to see: of the profile.

    Raises: InvalidInput("picture") if the owner's disk budget is used up.
    """
    (written,) = await write(ctx, [picture], sealed=False)
    try:
        await ctx.db.write(lambda tx: media.add(tx, written, ctx.now()))
    except Exception:
        await discard(ctx, [written.public_id])
        raise
    return written


async def write(ctx: Context, pictures: Sequence[Picture], *, sealed: bool) -> list[Media]:
    """Write pictures to files; the caller adds the records to what it writes, or discards them.

    Raises: InvalidInput("picture") if the owner's disk budget is used up.
    """
    if not pictures:
        return []
    used = await ctx.db.read(media.total_bytes)
    if used + sum(len(one.data) for one in pictures) > ctx.owner.disk_budget_bytes:
        raise InvalidInput("picture", "There is no room left for pictures: see Settings, Storage.")
    written: list[Media] = []
    try:
        for picture in pictures:
            record = Media(
                public_id=ids.public_id(),
                media_type=picture.media_type,
                size_bytes=len(picture.data),
                width=picture.width,
                height=picture.height,
                blurhash=picture.blurhash,
                sealed=sealed,
            )
            written.append(record)
            await asyncio.to_thread(
                files.write,
                ctx.config.media_dir,
                record.public_id,
                picture.data,
                sealer=ctx.db.sealer if sealed else None,
            )
    except Exception:
        await discard(ctx, [one.public_id for one in written])
        raise
    return written


async def discard(ctx: Context, public_ids: Iterable[str]) -> None:
    """Delete files whose records are gone, or never came to be."""
    for public_id in public_ids:
        await asyncio.to_thread(files.delete, ctx.config.media_dir, public_id)


async def read(ctx: Context, record: Media) -> bytes | None:
    """Return the bytes of a picture; None if the file is not there."""
    return await asyncio.to_thread(
        files.read,
        ctx.config.media_dir,
        record.public_id,
        sealer=ctx.db.sealer if record.sealed else None,
    )


def attachment(record: Media, alt: str, addresses: Addresses) -> vocab.Attachment:
    """Return a picture as a note carries it."""
    return vocab.Attachment(
        url=addresses.media(record.public_id),
        media_type=record.media_type,
        alt=alt,
        width=record.width,
        height=record.height,
        blurhash=record.blurhash,
    )
