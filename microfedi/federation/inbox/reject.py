"""Somebody does not want the owner to follow them, at once or no longer."""

from microfedi.federation.context import Context
from microfedi.federation.inbox import accept
from microfedi.protocol.vocab import Reject
from microfedi.storage import following, notifications
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction


def apply(ctx: Context, tx: Transaction, reject: Reject, sender: Actor) -> None:
    """Follow `sender` no longer; what was said of it before is taken back.

    Source: ActivityPub 7.7.
    Raises: NotAuthorized if it answers no Follow of ours to them.
    """
    accept.answered(ctx, tx, reject, sender)
    following.set_state(tx, sender.id, "rejected")
    notifications.remove(tx, "follow_accepted", sender.id)
