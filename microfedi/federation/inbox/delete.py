"""Something of somebody's is gone, or they are."""

from microfedi.federation.context import Context
from microfedi.federation.inbox import handling
from microfedi.protocol.vocab import Delete
from microfedi.storage import actors, messages, notes
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction


def apply(ctx: Context, tx: Transaction, delete: Delete, sender: Actor) -> None:
    """Remove a post or a message of `sender`'s, or all of `sender`.

    What we do not have yet will not be taken when it comes.

    Source: ActivityPub 7.4.
    Raises: NotAuthorized if it is somebody else's.
    """
    uri = delete.object_uri
    if uri == sender.uri:
        actors.forget(tx, sender.id)
        return
    note = notes.by_uri(tx, uri)
    if note is not None:
        handling.demand_theirs(sender, note.actor_id, uri)
        notes.delete(tx, note.id, now=ctx.now())
        return
    message = messages.by_uri(tx, uri)
    if message is not None:
        handling.demand_theirs(sender, message.actor_id, uri)
        messages.delete(tx, uri, now=ctx.now())
        return
    notes.bury(tx, uri, ctx.now())
