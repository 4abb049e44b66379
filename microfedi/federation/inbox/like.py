"""Somebody likes a post of the owner's, or reacts to it with an emoji."""

from microfedi.errors import NotAuthorized
from microfedi.federation import permission
from microfedi.federation.context import Context
from microfedi.protocol.vocab import Like
from microfedi.storage import likes, notes, notifications, reactions, tombstones
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction


def apply(ctx: Context, tx: Transaction, like: Like, sender: Actor) -> None:
    """Count it and tell the owner.

    One with an emoji is a reaction, whichever of the two spellings it came in; a custom emoji whose
    picture is not sent along is a like.

    Source: ActivityPub 7.10; FEP-c0e0.
    Raises: NotAuthorized if it is no post of the owner's, or not one that they may see.
    """
    note = notes.by_uri(tx, like.object_uri)
    if note is None:
        raise NotAuthorized(f"{like.object_uri[:200]} is no post of ours")
    permission.demand(ctx, tx, sender, "react", note)
    if tombstones.of(tx, like.uri) is not None:
        return  # taken back before it arrived
    now = ctx.now()
    if is_reaction(like):
        added = reactions.add(tx, note.id, sender.id, like.content, like.uri, now, emoji=like.emoji)
        if added:
            notifications.add(
                tx, "reaction", actor_id=sender.id, note_id=note.id, now=now, detail=like.content
            )
    elif likes.add(tx, note.id, sender.id, like.uri, now):
        notifications.add(tx, "like", actor_id=sender.id, note_id=note.id, now=now)


def is_reaction(like: Like) -> bool:
    """True if a Like is more than that; a heart is what others' servers write for a plain one."""
    if like.content.startswith(":"):
        return like.emoji is not None
    return like.content not in ("", "❤", "❤️", "♥", "♥️")
