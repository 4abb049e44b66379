"""Polls as time goes by: others hear of new votes, and of how it ended."""

import logging
from datetime import timedelta

from microfedi.errors import ProtocolError, RemoteError
from microfedi.federation import lookup
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget
from microfedi.federation.inbox import votes
from microfedi.federation.outbox import notes as outbox_notes
from microfedi.storage import notes, notifications, polls
from microfedi.storage.database import Transaction

log = logging.getLogger(__name__)


async def tally(ctx: Context, uri: str) -> timedelta | None:
    """Tell everybody who has a poll of the owner's how it stands; key: the note's URI."""
    await ctx.db.write(lambda tx: _tell(ctx, tx, uri))
    ctx.wake.deliveries.set()
    return None


async def end(ctx: Context, uri: str) -> timedelta | None:
    """End a poll of the owner's, or ask how one ended in which they voted; key: the note's URI."""
    note = await ctx.db.read(lambda reader: notes.by_uri(reader, uri))
    if note is None or note.poll is None:
        return None
    owner_id = ctx.owner.actor_id
    if note.actor_id == owner_id:

        def close(tx: Transaction) -> None:
            if polls.close(tx, note.id, ctx.now()):
                _tell(ctx, tx, uri)
                notifications.add(tx, "poll", actor_id=owner_id, note_id=note.id, now=ctx.now())

        await ctx.db.write(close)
        ctx.wake.deliveries.set()
        return None
    try:
        said = await lookup.fetch_note(ctx, uri, Budget())
    except (RemoteError, ProtocolError) as error:
        log.info("how a poll ended could not be asked: %s", error)
        said = None

    def note_end(tx: Transaction) -> None:
        if said is not None:
            votes.refresh(tx, note, said)
        notifications.add(tx, "poll", actor_id=note.actor_id, note_id=note.id, now=ctx.now())

    await ctx.db.write(note_end)
    return None


def _tell(ctx: Context, tx: Transaction, uri: str) -> None:
    note = notes.by_uri(tx, uri)
    if note is not None and note.actor_id == ctx.owner.actor_id:
        outbox_notes.tell(ctx, tx, note, also=polls.voters(tx, note.id, limit=2000))
