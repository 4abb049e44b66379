"""Somebody puts a post on top of their profile, or takes it off: Add and Remove."""

from microfedi.errors import NotAuthorized
from microfedi.federation import lookup, permission
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget
from microfedi.protocol.vocab import Add, Remove
from microfedi.storage import notes, pins
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction

MAX_PINNED = 20  # of one person that we keep; Mastodon allows 5


def needs(_: Context, add: Add) -> bool:
    """True unless it is a hashtag, of which we keep nothing."""
    return add.hashtag is None


async def fetch(ctx: Context, add: Add, budget: Budget) -> Add:
    """Have the post here, from its origin.

    Raises: RemoteError, ProtocolError.
    """
    await lookup.kept_note(ctx, add.object_uri, budget)
    return add


def add(ctx: Context, tx: Transaction, activity: Add, sender: Actor) -> None:
    """Pin a post of `sender`'s, if they say so of their own featured collection.

    Source: ActivityPub 7.8; Mastodon's `featured`.
    Raises: NotAuthorized if the collection is another, or the post is somebody else's.
    """
    _demand_own(activity, sender)
    note = notes.by_uri(tx, activity.object_uri)
    if activity.hashtag is not None or note is None:
        return
    permission.demand(ctx, tx, sender, "pin", note)
    if len(pins.of(tx, sender.id)) < MAX_PINNED:
        pins.add(tx, note.id)


def remove(ctx: Context, tx: Transaction, activity: Remove, sender: Actor) -> None:
    """Take a post of `sender`'s off their profile.

    Source: ActivityPub 7.9.
    Raises: NotAuthorized if the collection is another, or the post is somebody else's.
    """
    _demand_own(activity, sender)
    note = notes.by_uri(tx, activity.object_uri)
    if activity.hashtag is not None or note is None:
        return
    permission.demand(ctx, tx, sender, "change", note)
    pins.remove(tx, note.id)


def _demand_own(activity: Add | Remove, sender: Actor) -> None:
    if sender.featured is None or activity.target_uri != sender.featured:
        raise NotAuthorized("the sender's own featured collection was expected")
