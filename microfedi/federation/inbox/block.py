"""Somebody wants nothing to do with the owner."""

from microfedi.federation import permission
from microfedi.federation.context import Context
from microfedi.protocol.vocab import Block
from microfedi.storage import blocks, followers, following, notifications
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction


def apply(ctx: Context, tx: Transaction, block: Block, sender: Actor) -> None:
    """End both follows, and remember it. Servers are not asked to send this, but Mastodon does.

    Source: ActivityPub 6.9.
    Raises: NotAuthorized if it is about somebody else.
    """
    permission.demand(ctx, tx, sender, "address", block.object_uri)
    followers.remove(tx, sender.id)
    following.remove(tx, sender.id)
    notifications.remove(tx, "follow", sender.id)
    notifications.remove(tx, "follow_request", sender.id)
    blocks.blocked_by_add(tx, sender.id, block.uri)
