"""Something of somebody's is gone, or they are."""

from microfedi.errors import NotAuthorized
from microfedi.federation import forgetting, permission
from microfedi.federation.context import Context
from microfedi.federation.outbox import notes as outbox_notes
from microfedi.protocol import uris
from microfedi.protocol.vocab import Delete
from microfedi.storage import departed, encrypted, message_heads, notes, quotes, tombstones
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
        departed.forget(tx, sender.id)
        return
    note = notes.by_uri(tx, uri)
    if note is not None:
        permission.demand(ctx, tx, sender, "change", note)
        notes.delete(tx, note.id, now=ctx.now())
        return
    message = message_heads.by_uri(tx, uri)
    if message is not None:
        permission.demand(ctx, tx, sender, "change", message)
        forgetting.drop(ctx, tx, [message.id])
        return
    if encrypted.has(tx, uri):
        if not encrypted.delete(tx, uri, sender.id):
            raise NotAuthorized(f"{uri[:200]} is not theirs to delete")
        return
    stamped = quotes.by_authorization(tx, uri)
    if stamped:
        _revoke(ctx, tx, stamped, uri, sender)
        return
    tombstones.bury(tx, uri, ctx.now())


def _revoke(
    ctx: Context, tx: Transaction, stamped: list[quotes.Quote], uri: str, sender: Actor
) -> None:
    """Take it that the quoted author no longer agrees. The quoted post is theirs, and here.

    Source: FEP-044f.
    Raises: NotAuthorized if the stamp is on another server than the one who takes it back.
    """
    if not uris.same_origin(uri, sender.uri):
        raise NotAuthorized("a stamp of the sender's own was expected")
    for one in stamped:
        quoted = notes.by_uri(tx, one.quoted_uri)
        if quoted is not None:
            permission.demand(ctx, tx, sender, "change", quoted)
            quotes.set_state(tx, one.note_id, "revoked", authorization=None, now=ctx.now())
            note = notes.by_id(tx, one.note_id)
            if note is not None and note.actor_id == ctx.owner.actor_id:
                outbox_notes.tell(ctx, tx, note)
