"""Somebody wants to follow the owner."""

from microfedi.federation import permission
from microfedi.federation.context import Context
from microfedi.federation.outbox import follows, sending
from microfedi.protocol.vocab import Accept, Follow
from microfedi.storage import followers, notifications
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction


def apply(ctx: Context, tx: Transaction, follow: Follow, sender: Actor) -> None:
    """Let `sender` follow the owner, or have the owner asked first if that is their wish.

    A Follow we already accepted is accepted again, quietly: our first Accept may have been lost on
    the way. Whoever is new is turned away if the owner has moved: they follow them there.

    Source: ActivityPub 7.5; FEP-7628.
    Raises: NotAuthorized if the Follow is for anyone but the owner.
    """
    owner = ctx.owner
    permission.demand(ctx, tx, sender, "address", follow.object_uri)
    now = ctx.now()
    known = followers.by_actor(tx, sender.id)
    if owner.moved_to is not None and (known is None or known.state != "accepted"):
        followers.put(tx, sender.id, follow.uri, "requested", now)
        follows.end_being_followed(ctx, tx, sender)
        return
    wished: followers.State = "requested" if owner.approves_followers else "accepted"
    follower = followers.put(tx, sender.id, follow.uri, wished, now)
    if known is None or known.state != follower.state:
        kind: notifications.Kind = "follow" if follower.state == "accepted" else "follow_request"
        if follower.state == "accepted":
            notifications.remove(tx, "follow_request", sender.id)
        notifications.add(tx, kind, actor_id=sender.id, now=now)
    if follower.state == "accepted":
        answer = Accept(
            uri=sending.mint(ctx, "accepts"),
            actor_uri=owner.uri,
            to=(sender.uri,),
            object_uri=follow.uri,
            follow=Follow(uri=follow.uri, actor_uri=sender.uri, object_uri=owner.uri),
        )
        sending.hand_over(ctx, tx, answer, [sender.inbox], about=follow.uri)
