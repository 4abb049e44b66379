"""Somebody boosts a post."""

from microfedi.errors import NotAuthorized
from microfedi.federation import fetching, lookup, permission
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget
from microfedi.protocol import addressing
from microfedi.protocol.vocab import Announce, Visibility
from microfedi.storage import (
    actors,
    announces,
    blocks,
    following,
    notes,
    notifications,
    timeline,
    tombstones,
)
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction
from microfedi.storage.notes import Note


def needs(ctx: Context, announce: Announce) -> bool:
    """True unless it is about a post of ours: those are here or nowhere."""
    return not fetching.is_ours(ctx, announce.object_uri)


async def fetch(ctx: Context, announce: Announce, budget: Budget) -> Announce:
    """Have the boosted post here, from its origin. What was sent along of it is not looked at.

    Raises: RemoteError, ProtocolError.
    """
    await lookup.kept_note(ctx, announce.object_uri, budget)
    return announce


def apply(ctx: Context, tx: Transaction, announce: Announce, sender: Actor) -> None:
    """Count it, put it on Home if the owner follows `sender`, tell the owner if it is theirs.

    Source: ActivityPub 7.11.
    Raises: NotAuthorized if the post is not there, or not `sender`'s to spread.
    """
    note = notes.by_uri(tx, announce.object_uri)
    if note is None:
        raise NotAuthorized(f"{announce.object_uri[:200]} is no post that we have")
    permission.demand(ctx, tx, sender, "boost", note)
    seen_by = _visibility(announce, sender)
    if tombstones.of(tx, announce.uri) is not None:
        return  # taken back before it arrived
    now = ctx.now()
    kept = announces.add(
        tx,
        uri=announce.uri,
        note_id=note.id,
        actor_id=sender.id,
        visibility=seen_by,
        published_at=announce.published or now,
        now=now,
    )
    if kept is None:
        return
    if following.is_followed(tx, sender.id) and not _is_author_blocked(tx, note):
        timeline.add(tx, note_id=note.id, announce_id=kept.id, at=now)
    if note.actor_id == ctx.owner.actor_id:
        notifications.add(tx, "announce", actor_id=sender.id, note_id=note.id, now=now)


def _visibility(announce: Announce, sender: Actor) -> Visibility:
    """Return who may see the boost."""
    seen_by = addressing.visibility_of(
        announce.to, announce.cc, followers_uri=sender.followers_uri, persons=frozenset()
    )
    return seen_by if seen_by.is_open else Visibility.FOLLOWERS


def _is_author_blocked(tx: Transaction, note: Note) -> bool:
    author = actors.by_id(tx, note.actor_id)
    return author is not None and blocks.is_blocked(tx, author.uri)
