"""The owner follows and unfollows, lets followers in, turns them away, and removes them."""

from datetime import timedelta

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation.context import Context
from microfedi.federation.outbox import sending
from microfedi.protocol import vocab
from microfedi.storage import actors, blocks, followers, following, notifications, timeline
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction

AGAIN = timedelta(minutes=1)  # a form sent twice by a shaking finger asks once


async def follow(ctx: Context, actor_id: int) -> None:
    """Ask to follow somebody; nothing happens if the owner follows them already.

    A request that was not answered within a minute is sent again, under a new id.

    Source: ActivityPub 6.5.
    Raises: NotFound if there is no such actor; InvalidInput if they cannot be followed.
    """

    def change(tx: Transaction) -> None:
        actor = _actor(ctx, tx, actor_id)
        if not ctx.may_speak_with(actor.host.partition(":")[0]):
            raise InvalidInput("", "This server does not speak with %(host)s.", host=actor.host)
        if actor.moved_to is not None:
            raise InvalidInput(
                "", "They have moved to %(moved_to)s: follow them there.", moved_to=actor.moved_to
            )
        if actor.state != "ok":
            raise InvalidInput("", "This account is not there any more.")
        if blocks.is_blocked(tx, actor.uri):
            raise InvalidInput(
                "", "You have blocked %(address)s: unblock them first.", address=actor.address
            )
        ours = following.by_actor(tx, actor_id)
        if ours is not None and ours.state == "accepted":
            return
        if ours is not None and ours.state == "requested" and ctx.now() < ours.created_at + AGAIN:
            return
        start_following(ctx, tx, actor)

    await ctx.db.write(change)
    ctx.wake.deliveries.set()


async def unfollow(ctx: Context, actor_id: int) -> None:
    """Follow somebody no longer, or take a request back; their posts leave Home.

    Source: ActivityPub 6.10.
    Raises: NotFound if there is no such actor.
    """
    await ctx.db.write(lambda tx: end_following(ctx, tx, _actor(ctx, tx, actor_id)))
    ctx.wake.deliveries.set()


async def accept(ctx: Context, actor_id: int) -> None:
    """Let somebody in who asked to follow.

    Source: ActivityPub 6.6, 7.6.
    Raises: NotFound if they did not ask.
    """

    def change(tx: Transaction) -> None:
        actor = _actor(ctx, tx, actor_id)
        follower = followers.by_actor(tx, actor_id)
        if follower is None or not followers.accept(tx, actor_id):
            raise NotFound("they did not ask to follow")
        notifications.remove(tx, "follow_request", actor_id)
        answer = vocab.Accept(
            uri=sending.mint(ctx, "accepts"),
            actor_uri=ctx.owner.uri,
            to=(actor.uri,),
            object_uri=follower.follow_uri,
            follow=_theirs(ctx, actor, follower.follow_uri),
        )
        sending.hand_over(ctx, tx, answer, [actor.inbox], about=follower.follow_uri)

    await ctx.db.write(change)
    ctx.wake.deliveries.set()


async def reject(ctx: Context, actor_id: int) -> None:
    """Turn a request down, or remove a follower: their server hears of it.

    Source: ActivityPub 6.7, 7.7.
    Raises: NotFound if they neither follow nor asked.
    """

    def change(tx: Transaction) -> None:
        if not end_being_followed(ctx, tx, _actor(ctx, tx, actor_id)):
            raise NotFound("they do not follow")

    await ctx.db.write(change)
    ctx.wake.deliveries.set()


def start_following(ctx: Context, tx: Transaction, actor: Actor) -> None:
    """Ask somebody who is there and not blocked."""
    request = _follow(ctx, actor, sending.mint(ctx, "follows"))
    following.put(tx, actor.id, request.uri, "requested", ctx.now())
    sending.hand_over(ctx, tx, request, [actor.inbox], about=actor.uri)


def end_following(ctx: Context, tx: Transaction, actor: Actor) -> bool:
    """Take our follow of somebody back; False if there was none."""
    ours = following.by_actor(tx, actor.id)
    if ours is None:
        return False
    following.remove(tx, actor.id)
    timeline.remove_of(tx, actor.id)
    _send_undo(ctx, tx, actor, ours.follow_uri)
    return True


def take_back(ctx: Context, tx: Transaction, actor: Actor) -> None:
    """Tell a server that holds the owner for a follower that it is not so.

    Whatever id our Follow had there: servers look at who follows whom.
    """
    following.remove(tx, actor.id)
    _send_undo(ctx, tx, actor, sending.mint(ctx, "follows"))


def _send_undo(ctx: Context, tx: Transaction, actor: Actor, follow_uri: str) -> None:
    undo = vocab.Undo(
        uri=sending.mint(ctx, "undos"),
        actor_uri=ctx.owner.uri,
        to=(actor.uri,),
        object_uri=follow_uri,
        inner=_follow(ctx, actor, follow_uri),
    )
    sending.hand_over(ctx, tx, undo, [actor.inbox], about=actor.uri)


def end_being_followed(ctx: Context, tx: Transaction, actor: Actor) -> bool:
    """Remove a follower or a request, and say so; False if there was none."""
    follower = followers.by_actor(tx, actor.id)
    if follower is None:
        return False
    followers.remove(tx, actor.id)
    notifications.remove(tx, "follow_request", actor.id)
    answer = vocab.Reject(
        uri=sending.mint(ctx, "rejects"),
        actor_uri=ctx.owner.uri,
        to=(actor.uri,),
        object_uri=follower.follow_uri,
        follow=_theirs(ctx, actor, follower.follow_uri),
    )
    sending.hand_over(ctx, tx, answer, [actor.inbox], about=follower.follow_uri)
    return True


def _actor(ctx: Context, reader: Reader, actor_id: int) -> Actor:
    actor = actors.by_id(reader, actor_id)
    if actor is None:
        raise NotFound("no such actor")
    if actor.id == ctx.owner.actor_id:
        raise InvalidInput("", "That is you.")
    return actor


def _follow(ctx: Context, actor: Actor, uri: str) -> vocab.Follow:
    return vocab.Follow(uri=uri, actor_uri=ctx.owner.uri, to=(actor.uri,), object_uri=actor.uri)


def _theirs(ctx: Context, actor: Actor, uri: str) -> vocab.Follow:
    """Their Follow, as far as others look at it."""
    return vocab.Follow(uri=uri, actor_uri=actor.uri, object_uri=ctx.owner.uri)
