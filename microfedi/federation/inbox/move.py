"""Somebody the owner follows lives elsewhere now."""

from datetime import datetime, timedelta

from microfedi.errors import NotAuthorized
from microfedi.federation import lookup, permission
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget
from microfedi.federation.outbox import follows
from microfedi.protocol.vocab import Move
from microfedi.storage import actors, blocks, followers, following, moves, notifications
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.moves import Moved

COOLDOWN = timedelta(days=7)  # as Mastodon: who moves more often than that plays with followers


def needs(_: Context, __: Move) -> bool:
    """Always: nothing is believed but what both accounts say now."""
    return True


async def fetch(ctx: Context, move: Move, budget: Budget) -> Move:
    """Read both accounts anew, and check that each names the other.

    Source: FEP-7628; security catalogue S-050.
    Raises: NotAuthorized if they do not, or moved just before; RemoteError, ProtocolError.
    """
    if move.object_uri != move.actor_uri or move.target_uri == ctx.owner.uri:
        raise NotAuthorized("a Move of the actor themselves, to somebody else, was expected")
    _demand_rest(await ctx.db.read(lambda reader: _last(reader, move)), ctx.now())
    target = await lookup.fetch_actor(ctx, move.target_uri, budget)
    old = await lookup.fetch_actor(ctx, move.actor_uri, budget)
    if old.uri not in target.also_known_as:
        raise NotAuthorized("a target that names the old account was expected")
    if old.moved_to != target.uri or target.uri == old.uri:
        raise NotAuthorized("an old account that names the target was expected")
    if target.moved_to is not None or target.suspended:
        raise NotAuthorized("a target that is there was expected")
    await lookup.kept_actor(ctx, old.uri, budget, fresh=True)
    await lookup.kept_actor(ctx, target.uri, budget, fresh=True)
    return move


def apply(ctx: Context, tx: Transaction, move: Move, sender: Actor) -> None:
    """Take our follow along, and tell the owner. A follower who moved asks again from there.

    Source: FEP-7628.
    Raises: NotAuthorized if it is of somebody else, or they moved just before.
    """
    permission.demand(ctx, tx, sender, "be", move.object_uri)
    target = actors.by_uri(tx, move.target_uri)
    now = ctx.now()
    if target is None or blocks.is_blocked(tx, move.target_uri):
        return
    _demand_rest(moves.last(tx, sender.id), now)
    ours = following.by_actor(tx, sender.id)
    is_follower = followers.by_actor(tx, sender.id) is not None
    if (ours is None or ours.state == "rejected") and not is_follower:
        return
    moves.put(tx, sender.id, target.uri, now)
    notifications.add(tx, "moved", actor_id=sender.id, now=now)
    if ours is None or ours.state == "rejected":
        return
    known = following.by_actor(tx, target.id)
    if known is None or known.state == "rejected":
        follows.start_following(ctx, tx, target)
    follows.end_following(ctx, tx, sender)


def _last(reader: Reader, move: Move) -> Moved | None:
    actor_id = actors.id_of(reader, move.actor_uri)
    return None if actor_id is None else moves.last(reader, actor_id)


def _demand_rest(last: Moved | None, now: datetime) -> None:
    if last is not None and now - last.moved_at < COOLDOWN:
        raise NotAuthorized("a Move once a week was expected")
