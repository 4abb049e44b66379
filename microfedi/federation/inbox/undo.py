"""Somebody takes back a follow, a like, a reaction, a boost, a block, or their yes to a follow."""

from microfedi.federation import permission
from microfedi.federation.context import Context
from microfedi.federation.inbox import like, reject
from microfedi.protocol.vocab import Accept, Announce, Block, Follow, Like, Reject, Undo
from microfedi.storage import (
    announces,
    blocks,
    followers,
    likes,
    notes,
    notifications,
    reactions,
    tombstones,
)
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction


def apply(ctx: Context, tx: Transaction, undo: Undo, sender: Actor) -> None:
    """Take back what `sender` did: found by its id, or as what the inline copy describes.

    Only what `sender` themselves did is ever looked for, whatever the copy says. A like or boost
    that is taken back before it arrived is not counted when it does.

    Source: ActivityPub 7.12 and 6.10.
    Raises: NotAuthorized if the id is of something by somebody else.
    """
    uri = undo.object_uri
    if uri is not None and _undo_by_id(ctx, tx, uri, sender):
        return
    follower = followers.by_actor(tx, sender.id)
    match undo.inner:
        case Follow(object_uri=target) if target == ctx.owner.uri:
            _end_follow(tx, sender)
        case Block(object_uri=target) if target == ctx.owner.uri:
            blocks.blocked_by_remove(tx, sender.id)
        case Like(object_uri=target) | Announce(object_uri=target):
            _undo_by_object(ctx, tx, undo, target, sender)
        case Accept(object_uri=answered, follow=follow):
            # The same as a Reject after the fact.
            no = Reject(uri=undo.uri, actor_uri=undo.actor_uri, object_uri=answered, follow=follow)
            reject.apply(ctx, tx, no, sender)
        case None if uri is not None:
            if follower is not None and follower.follow_uri == uri:
                _end_follow(tx, sender)
            elif blocks.block_uri(tx, sender.id) == uri:
                blocks.blocked_by_remove(tx, sender.id)


def _end_follow(tx: Transaction, sender: Actor) -> None:
    followers.remove(tx, sender.id)
    notifications.remove(tx, "follow", sender.id)
    notifications.remove(tx, "follow_request", sender.id)


def _undo_by_id(ctx: Context, tx: Transaction, uri: str, sender: Actor) -> bool:
    found = likes.by_uri(tx, uri)
    if found is not None:
        permission.demand(ctx, tx, sender, "change", found)
        likes.remove(tx, found.note_id, sender.id)
        notifications.remove(tx, "like", sender.id, found.note_id)
        return True
    reaction = reactions.by_uri(tx, uri)
    if reaction is not None:
        permission.demand(ctx, tx, sender, "change", reaction)
        _undo_reaction(tx, reaction.note_id, sender, reaction.name)
        return True
    announce = announces.by_uri(tx, uri)
    if announce is not None:
        permission.demand(ctx, tx, sender, "change", announce)
        announces.remove(tx, announce.id)
        notifications.remove(tx, "announce", sender.id, announce.note_id)
        return True
    return False


def _undo_reaction(tx: Transaction, note_id: int, sender: Actor, name: str) -> bool:
    notifications.remove(tx, "reaction", sender.id, note_id, name)
    return reactions.remove(tx, note_id, sender.id, name)


def _undo_by_object(ctx: Context, tx: Transaction, undo: Undo, target: str, sender: Actor) -> None:
    note_id = notes.id_of(tx, target)
    if note_id is None:
        return
    if isinstance(undo.inner, Like):
        if like.is_reaction(undo.inner):
            found = _undo_reaction(tx, note_id, sender, undo.inner.content)
        else:
            found = likes.remove(tx, note_id, sender.id)
            notifications.remove(tx, "like", sender.id, note_id)
    else:
        announce = announces.of(tx, note_id, sender.id)
        found = announce is not None and announces.remove(tx, announce.id)
        notifications.remove(tx, "announce", sender.id, note_id)
    if not found and undo.object_uri is not None:
        tombstones.bury(tx, undo.object_uri, ctx.now())
