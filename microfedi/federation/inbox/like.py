"""Somebody likes a post of the owner's."""

from microfedi.errors import NotAuthorized
from microfedi.federation import visibility
from microfedi.federation.context import Context
from microfedi.protocol.vocab import Like
from microfedi.storage import likes, notes, notifications
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction


def apply(ctx: Context, tx: Transaction, like: Like, sender: Actor) -> None:
    """Count it and tell the owner. A reaction with an emoji counts as a like.

    Source: ActivityPub 7.10; FEP-c0e0.
    Raises: NotAuthorized if it is no post of the owner's, or not one that they may see.
    """
    note = notes.by_uri(tx, like.object_uri)
    if note is None or note.actor_id != ctx.owner.actor_id:
        raise NotAuthorized(f"{like.object_uri[:200]} is no post of ours")
    if not visibility.may_see(tx, note, sender.uri):
        raise NotAuthorized("a post that they may see was expected")
    if notes.tombstone(tx, like.uri) is not None:
        return  # taken back before it arrived
    if likes.add(tx, note.id, sender.id, like.uri, ctx.now()):
        notifications.add(tx, "like", actor_id=sender.id, note_id=note.id, now=ctx.now())
