"""Somebody boosts a post."""

import contextlib

from microfedi.errors import NotAuthorized
from microfedi.federation import fetching, forwarded, linked, lookup, permission, quoting
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget
from microfedi.protocol import addressing
from microfedi.protocol.vocab import Announce, Create, Delete, Lock, Undo, Update, Visibility
from microfedi.storage import (
    actors,
    announces,
    blocks,
    following,
    groups,
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
    return not fetching.is_ours(ctx, _subject(announce))


async def fetch(ctx: Context, announce: Announce, budget: Budget) -> Announce:
    """Have the boosted post here, from its origin. What was sent along of it is not looked at.

    Groups pass on whole activities. Those are hints: the origin is asked.

    Raises: RemoteError, ProtocolError.
    """
    match announce.inner:
        case None | Create():
            await lookup.kept_note(ctx, _subject(announce), budget)
        case Update():
            await forwarded.handle(ctx, announce.inner, budget)
        case Delete():
            # Still there at its origin: then it was taken out of the group alone.
            with contextlib.suppress(NotAuthorized):
                await forwarded.handle(ctx, announce.inner, budget)
    return announce


def apply(ctx: Context, tx: Transaction, announce: Announce, sender: Actor) -> None:
    """Count it, put it on Home if the owner follows `sender`, tell the owner if it is theirs.

    Source: ActivityPub 7.11; FEP-1b12 for groups.
    Raises: NotAuthorized if the post is not there, or not `sender`'s to spread.
    """
    match announce.inner:
        case None | Create():
            _boost(ctx, tx, announce, sender)
        case Delete(object_uri=uri):
            _moderate(tx, uri, sender, "hidden")
        case Lock(object_uri=uri):
            _moderate(tx, uri, sender, "locked")
        case Undo(inner=Lock(object_uri=uri)):
            _moderate(tx, uri, sender, "shown")


def _boost(ctx: Context, tx: Transaction, announce: Announce, sender: Actor) -> None:
    note = notes.by_uri(tx, _subject(announce))
    if note is None:
        raise NotAuthorized(f"{announce.object_uri[:200]} is no post that we have")
    permission.demand(ctx, tx, sender, "boost", note)
    seen_by = _visibility(announce, sender)
    if tombstones.of(tx, announce.uri) is not None:
        return  # taken back before it arrived
    is_group = sender.type == "Group"
    if is_group and groups.add(tx, note.id, sender.id) == "hidden":
        return
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
        # A group passes on every answer too, and what its author has sent as well.
        is_more = is_group and (note.in_reply_to_uri is not None or timeline.has(tx, note.id))
        if not is_more:
            linked.plan(ctx, tx, note)
            quoting.plan(ctx, tx, note)
            timeline.remove_tagged(tx, note.id)
            timeline.add(tx, note_id=note.id, announce_id=kept.id, at=now)
    if note.actor_id == ctx.owner.actor_id and not is_group:
        notifications.add(tx, "announce", actor_id=sender.id, note_id=note.id, now=now)


def _moderate(tx: Transaction, uri: str, group: Actor, state: groups.State) -> None:
    """Take over what a group says of a post that it passed on: of that, it is the master."""
    note_id = notes.id_of(tx, uri)
    if note_id is None or not groups.set_state(tx, note_id, group.id, state):
        return
    announce = announces.of(tx, note_id, group.id)
    if state == "hidden" and announce is not None:
        announces.remove(tx, announce.id)


def _subject(announce: Announce) -> str:
    """Return the post that is passed on."""
    if isinstance(announce.inner, Create):
        return announce.inner.object_uri
    return announce.object_uri


def _visibility(announce: Announce, sender: Actor) -> Visibility:
    """Return who may see the boost."""
    seen_by = addressing.visibility_of(
        announce.to, announce.cc, followers_uri=sender.followers_uri, persons=frozenset()
    )
    return seen_by if seen_by.is_open else Visibility.FOLLOWERS


def _is_author_blocked(tx: Transaction, note: Note) -> bool:
    author = actors.by_id(tx, note.actor_id)
    return author is not None and blocks.is_blocked(tx, author.uri)
