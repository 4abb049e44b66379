"""Somebody does not want the owner to follow them, at once or no longer."""

from microfedi.federation.context import Context
from microfedi.federation.inbox import accept
from microfedi.protocol.vocab import Reject
from microfedi.storage import following, notifications
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction


def apply(ctx: Context, tx: Transaction, reject: Reject, sender: Actor) -> None:
    """Follow `sender` no longer, or do not quote them; what was said of it before is taken back.

    Source: ActivityPub 7.7; FEP-044f.
    Raises: NotAuthorized if it answers nothing that we asked of them.
    """
    quote = accept.quote_answered(ctx, tx, reject, sender)
    if quote is not None:
        accept.refuse_quote(ctx, tx, quote)
        return
    accept.answered(ctx, tx, reject, sender)
    following.set_state(tx, sender.id, "rejected")
    notifications.remove(tx, "follow_accepted", sender.id)
