"""The owner's own custom emoji: added, removed, and found in what the owner writes."""

import re

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation import uploads
from microfedi.federation.context import Context
from microfedi.federation.outbox import profile
from microfedi.imagework import Picture
from microfedi.storage import media, own_emojis
from microfedi.storage.database import Transaction
from microfedi.storage.own_emojis import OwnEmoji

# Bytes of a picture, as others take them. Source: FEP-9098 and Mastodon.
MAX_BYTES = 256_000
# Emoji of one owner: the page shows all of them.
MAX_EMOJIS = 500

_SHORTCODE = re.compile(r"[A-Za-z0-9_]{2,64}")


async def add(ctx: Context, shortcode: str, picture: Picture) -> None:
    """Keep an emoji; if the profile has its name in it already, followers are told.

    Raises: InvalidInput if it has no name that others understand, or one that is taken.
    """
    if not _SHORTCODE.fullmatch(shortcode):
        raise InvalidInput("shortcode", "A name has 2 to 64 of a-z, A-Z, 0-9 and _.")
    if len(picture.data) > MAX_BYTES:
        raise InvalidInput(
            "picture", "At most %(limit)s kB, please: a shorter one?", limit=MAX_BYTES // 1000
        )
    kept = await uploads.keep(ctx, picture)
    emoji = OwnEmoji(shortcode, kept.public_id, kept.media_type, ctx.now())

    def change(tx: Transaction) -> None:
        if len(own_emojis.all(tx)) >= MAX_EMOJIS:
            raise InvalidInput(
                "", "At most %(limit)s emoji, please: remove one first.", limit=MAX_EMOJIS
            )
        if not own_emojis.add(tx, emoji):
            raise InvalidInput(
                "shortcode",
                "There is a :%(shortcode)s: already: remove it first.",
                shortcode=shortcode,
            )
        profile.draw_emojis(ctx, tx)

    try:
        await ctx.db.write(change)
    except Exception:
        await ctx.db.write(lambda tx: media.delete(tx, [kept.public_id]))
        await uploads.discard(ctx, [kept.public_id])
        raise
    await _changed(ctx)


async def remove(ctx: Context, shortcode: str) -> None:
    """Delete an emoji and its picture: what was written with it shows its name again.

    Raises: NotFound.
    """

    def change(tx: Transaction) -> str:
        emoji = own_emojis.by_shortcode(tx, shortcode)
        if emoji is None:
            raise NotFound("no such emoji")
        own_emojis.remove(tx, shortcode)
        media.delete(tx, [emoji.file])
        profile.draw_emojis(ctx, tx)
        return emoji.file

    await uploads.discard(ctx, [await ctx.db.write(change)])
    await _changed(ctx)


async def _changed(ctx: Context) -> None:
    await ctx.reload_owner()
    ctx.wake.deliveries.set()
