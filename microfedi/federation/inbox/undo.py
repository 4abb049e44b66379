"""Somebody takes back a follow, a like, a boost or a block."""

from microfedi.federation.context import Context
from microfedi.federation.inbox import handling
from microfedi.protocol.vocab import Announce, Block, Follow, Like, Undo
from microfedi.storage import announces, blocks, followers, likes, notes, notifications
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
    if uri is not None and (_undo_like(tx, uri, sender) or _undo_announce(tx, uri, sender)):
        return
    follower = followers.by_actor(tx, sender.id)
    match undo.inner:
        case Follow(object_uri=target) if target == ctx.owner.uri:
            _end_follow(tx, sender)
        case Block(object_uri=target) if target == ctx.owner.uri:
            blocks.blocked_by_remove(tx, sender.id)
        case Like(object_uri=target) | Announce(object_uri=target):
            _undo_by_object(ctx, tx, undo, target, sender)
        case None if uri is not None:
            if follower is not None and follower.follow_uri == uri:
                _end_follow(tx, sender)
            elif blocks.block_uri(tx, sender.id) == uri:
                blocks.blocked_by_remove(tx, sender.id)


def _end_follow(tx: Transaction, sender: Actor) -> None:
    followers.remove(tx, sender.id)
    notifications.remove(tx, "follow", sender.id)
    notifications.remove(tx, "follow_request", sender.id)


def _undo_like(tx: Transaction, uri: str, sender: Actor) -> bool:
    like = likes.by_uri(tx, uri)
    if like is None:
        return False
    handling.demand_theirs(sender, like.actor_id, uri)
    likes.remove(tx, like.note_id, sender.id)
    notifications.remove(tx, "like", sender.id, like.note_id)
    return True


def _undo_announce(tx: Transaction, uri: str, sender: Actor) -> bool:
    announce = announces.by_uri(tx, uri)
    if announce is None:
        return False
    handling.demand_theirs(sender, announce.actor_id, uri)
    announces.remove(tx, announce.id)
    notifications.remove(tx, "announce", sender.id, announce.note_id)
    return True


def _undo_by_object(ctx: Context, tx: Transaction, undo: Undo, target: str, sender: Actor) -> None:
    note_id = notes.id_of(tx, target)
    if note_id is None:
        return
    if isinstance(undo.inner, Like):
        found = likes.remove(tx, note_id, sender.id)
        notifications.remove(tx, "like", sender.id, note_id)
    else:
        announce = announces.of(tx, note_id, sender.id)
        found = announce is not None and announces.remove(tx, announce.id)
        notifications.remove(tx, "announce", sender.id, note_id)
    if not found and undo.object_uri is not None:
        notes.bury(tx, undo.object_uri, ctx.now())
