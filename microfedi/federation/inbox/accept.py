"""Somebody lets the owner follow them."""

from microfedi.errors import NotAuthorized
from microfedi.federation import permission
from microfedi.federation.context import Context
from microfedi.protocol.vocab import Accept, Reject
from microfedi.storage import following, jobs, notifications
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction
from microfedi.storage.following import Following


def apply(ctx: Context, tx: Transaction, accept: Accept, sender: Actor) -> None:
    """Follow `sender` from now on, if we asked; what they posted before is fetched afterwards.

    Source: ActivityPub 7.6.
    Raises: NotAuthorized if it answers no Follow of ours to them.
    """
    ours = answered(ctx, tx, accept, sender)
    if ours.state == "accepted":
        return
    now = ctx.now()
    following.set_state(tx, sender.id, "accepted")
    notifications.add(tx, "follow_accepted", actor_id=sender.id, now=now)
    jobs.add(tx, "backfill", sender.uri, due_at=now)


def answered(ctx: Context, tx: Transaction, answer: Accept | Reject, sender: Actor) -> Following:
    """Return the Follow of ours that an Accept or Reject answers.

    It is found among our own: by its id, or, since some answer with an id of their making, as our
    Follow of the sender. What the answer carries inline is never believed.

    Raises: NotAuthorized if there is none, or it was of somebody else.
    """
    ours = None
    if answer.object_uri is not None:
        ours = following.by_follow_uri(tx, answer.object_uri)
    if ours is None and answer.follow is not None:
        is_ours = (answer.follow.actor_uri, answer.follow.object_uri) == (ctx.owner.uri, sender.uri)
        ours = following.by_actor(tx, sender.id) if is_ours else None
    if ours is None:
        raise NotAuthorized("it answers no Follow of ours")
    permission.demand(ctx, tx, sender, "change", ours)
    return ours
