"""A new version of a post, a message, or of somebody's profile."""

import dataclasses
from datetime import datetime, timedelta

from microfedi.federation import keeping, lookup, permission, private_media, quoting
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget
from microfedi.federation.inbox import create, votes
from microfedi.protocol import vocab
from microfedi.protocol.vocab import Update
from microfedi.storage import actors, announces, jobs, message_heads, messages, notes, notifications
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction

# An edit may overtake its post on the way; of an older post it says nothing new.
TAKEN_AS_NEW = timedelta(days=1)


def needs(_: Context, update: Update) -> bool:
    """True if only an id was sent, or a part."""
    return update.note is None and update.actor is None


async def fetch(ctx: Context, update: Update, budget: Budget) -> Update:
    """Get the new version from its origin.

    Raises: RemoteError, ProtocolError.
    """
    if update.object_uri == update.actor_uri:
        found = await lookup.fetch_actor(ctx, update.object_uri, budget)
        return dataclasses.replace(update, actor=found)
    note = await lookup.fetch_note(ctx, update.object_uri, budget)
    return dataclasses.replace(update, note=note)


def apply(ctx: Context, tx: Transaction, update: Update, sender: Actor) -> None:
    """Take a newer version in place of the older; author, id, type, thread and audience stay.

    Without a newer `updated` it is no edit: others send those when a poll's count changes.

    Source: ActivityPub 7.3.
    Raises: NotAuthorized if it is somebody else's.
    """
    if update.actor is not None:
        _apply_actor(ctx, tx, update.actor, sender)
    elif update.note is not None:
        apply_note(ctx, tx, update, update.note, sender)


def _apply_actor(ctx: Context, tx: Transaction, actor: vocab.Actor, sender: Actor) -> None:
    permission.demand(ctx, tx, sender, "be", actor.uri)
    kept = actors.keep(tx, actor, handle=None, now=ctx.now())
    if kept.handle is None:  # the name has changed, and has to be confirmed
        jobs.add(tx, "refresh", actor.uri, due_at=ctx.now())


def apply_note(
    ctx: Context, tx: Transaction, update: Update, note: vocab.Note, sender: Actor
) -> None:
    permission.demand(ctx, tx, sender, "write", note)
    now = ctx.now()
    kept = notes.by_uri(tx, note.uri)
    if kept is not None:
        permission.demand(ctx, tx, sender, "change", kept)
        if not _is_newer(note, kept.updated_at or kept.published_at):
            votes.refresh(tx, kept, note)
            return
        edited = notes.edit(tx, kept.id, note, html=keeping.html_of(ctx, tx, note), now=now)
        if edited is not None and (edited.quote or kept.quote):
            quoting.take(ctx, tx, edited, note, sender)
        if announces.of(tx, kept.id, ctx.owner.actor_id) is not None:
            # The owner vouched for another text.
            notifications.add(tx, "update", actor_id=sender.id, note_id=kept.id, now=now)
        return
    message = message_heads.by_uri(tx, note.uri)
    if message is not None:
        permission.demand(ctx, tx, sender, "change", message)
        if _is_newer(note, message.edited_at or message.published_at):
            html = keeping.html_of(ctx, tx, note)
            copies = private_media.names_of(tx, note.attachments)
            messages.edit(tx, message.id, note, html=html, now=now, copies=copies)
        return
    if note.published is not None and now - note.published < TAKEN_AS_NEW:
        create.take(ctx, tx, note, sender, activity=update)


def _is_newer(note: vocab.Note, known: datetime) -> bool:
    return note.updated is not None and note.updated > known
