"""New keys for the owner: made, told to everybody with a signature by the old ones, then used.

Everything that is sent afterwards is signed by the new keys, which others find in the owner's
document. The old ones stand there too until whoever follows has heard.
"""

import asyncio
import logging
from datetime import timedelta

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation.context import Context
from microfedi.federation.outbox import profile, sending
from microfedi.protocol import keys, vocab
from microfedi.storage import door_log, jobs, outgoing, signing_keys
from microfedi.storage import owner as owner_storage
from microfedi.storage.database import Transaction
from microfedi.storage.door_log import NOBODY, Visitor
from microfedi.storage.owner import Owner

log = logging.getLogger(__name__)

KIND = "retire_keys"
# The old keys are kept at least so long: some verify what they got only later.
KEPT_AT_LEAST = timedelta(hours=1)
# And no longer than this, whoever has not heard: they find the new ones when they look.
KEPT_AT_MOST = timedelta(hours=48)
CHECK_EVERY = timedelta(minutes=15)


async def renew(ctx: Context, *, by: Visitor = NOBODY) -> None:
    """Replace the owner's keys, and tell followers. Ask `login.confirm` first.

    Source: the practice of signed rotation: an Update by the old key lists the new ones.
    Raises: InvalidInput while the keys before the present ones are still known.
    """
    rsa_pem = await asyncio.to_thread(keys.generate_rsa)
    ed25519_pem = keys.generate_ed25519()
    now = ctx.now()

    def change(tx: Transaction) -> None:
        if not signing_keys.replace(tx, rsa_pem=rsa_pem, ed25519_pem=ed25519_pem, now=now):
            raise InvalidInput("", "The keys were changed a short while ago. Wait until tomorrow.")
        _tell(ctx, tx, by_old_key=True)
        jobs.add(tx, KIND, "", due_at=now + KEPT_AT_LEAST)
        door_log.add(tx, door_log.Kind.KEYS, now=now, by=by)

    await ctx.db.write(change)
    await ctx.reload_owner()
    ctx.wake.deliveries.set()
    ctx.wake.jobs.set()
    log.info("the owner has new keys, number %d", ctx.owner.key_number)


async def retire(ctx: Context, key: str) -> timedelta | None:
    """Forget the old keys when everybody has heard of the new ones, or long enough has passed.

    A job.
    """
    now = ctx.now()

    def change(tx: Transaction) -> timedelta | None:
        changed_at = signing_keys.changed_at(tx)
        if changed_at is None or ctx.owner.old_rsa is None:
            return None
        left = changed_at + KEPT_AT_MOST - now
        if left > timedelta() and outgoing.wait_for_old_key(tx):
            return min(left, CHECK_EVERY)
        signing_keys.forget_old(tx)
        _tell(ctx, tx, by_old_key=False)
        return None

    again = await ctx.db.write(change)
    if again is None:
        await ctx.reload_owner()
        ctx.wake.deliveries.set()
    return again


def _tell(ctx: Context, tx: Transaction, *, by_old_key: bool) -> None:
    """Send followers the owner as the database has them now."""
    owner: Owner | None = owner_storage.load(tx)
    if owner is None:
        raise NotFound("nobody lives here yet")
    activity = vocab.Update(
        uri=sending.mint(ctx, "updates"),
        actor_uri=owner.uri,
        to=(vocab.PUBLIC,),
        cc=(owner.addresses.followers,),
        published=ctx.now(),
        object_uri=owner.uri,
        actor=profile.describe(tx, owner),
    )
    inboxes = sending.audience(ctx, tx, activity)
    sending.hand_over(ctx, tx, activity, inboxes, about=owner.uri, by_old_key=by_old_key)
