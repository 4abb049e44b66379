"""The owner puts posts on top of the profile."""

from microfedi.errors import InvalidInput
from microfedi.federation.context import Context
from microfedi.federation.outbox import profile
from microfedi.federation.outbox.notes import demand_own
from microfedi.storage import pins
from microfedi.storage.database import Transaction

MAX_PINNED = 5  # as many as Mastodon shows


async def pin(ctx: Context, note_id: int) -> None:
    """Put an open post of the owner's on top of the profile, and tell followers to look again.

    Raises: InvalidInput if it is not open, or there are too many; NotFound if not the owner's.
    """

    def change(tx: Transaction) -> None:
        note = demand_own(ctx, tx, note_id)
        if not note.visibility.is_open:
            raise InvalidInput("", "Only what everybody may see can be pinned.")
        pinned = pins.of(tx, ctx.owner.actor_id)
        if any(one.id == note_id for one in pinned):
            return
        if len(pinned) >= MAX_PINNED:
            raise InvalidInput(
                "", "At most %(limit)s posts can be pinned: unpin one first.", limit=MAX_PINNED
            )
        pins.add(tx, note_id)
        profile.tell(ctx, tx)

    await ctx.db.write(change)
    ctx.wake.deliveries.set()


async def unpin(ctx: Context, note_id: int) -> None:
    """Take a post off the top of the profile.

    Raises: NotFound if it is not the owner's.
    """

    def change(tx: Transaction) -> None:
        demand_own(ctx, tx, note_id)
        if pins.remove(tx, note_id):
            profile.tell(ctx, tx)

    await ctx.db.write(change)
    ctx.wake.deliveries.set()
