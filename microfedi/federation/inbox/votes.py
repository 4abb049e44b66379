"""Votes in a poll of the owner's, and what others' servers say about how theirs stand."""

import logging

from microfedi.federation import permission
from microfedi.federation.context import Context
from microfedi.federation.outbox import polls as outbox_polls
from microfedi.protocol import vocab
from microfedi.storage import jobs, notes, polls
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction
from microfedi.storage.notes import Note

log = logging.getLogger(__name__)


def take(ctx: Context, tx: Transaction, vote: vocab.Note, voter: Actor) -> None:
    """Count a vote, once; nothing of it is kept but that `voter` has voted.

    Too late, for something that is not offered, a second choice where there is one: it is not
    counted, and nobody is told. Others hear of the new result a little later.

    Source: Mastodon's votes; there is no standard. Security catalogue S-054.
    Raises: NotAuthorized if it is no poll of the owner's, or one that they may not see.
    """
    note = notes.by_uri(tx, vote.in_reply_to or "")
    if note is None or note.poll is None:
        return
    permission.demand(ctx, tx, voter, "vote", note)
    standing = polls.standing(tx, note.id)
    names = [one.name for one in note.poll.options]
    if standing is None or standing.is_over(ctx.now()) or vote.name not in names:
        log.info("a vote of %s was not counted", voter.uri)
        return
    option = names.index(vote.name)
    is_first = not polls.has_voted(tx, note.id, voter.id)
    if not polls.vote(tx, note.id, voter.id, option, is_multiple=note.poll.is_multiple):
        return
    if is_first:
        polls.count(tx, note.id, [option])
    else:
        polls.count_more(tx, note.id, option)
    jobs.add(tx, "tally", note.uri, due_at=ctx.now() + outbox_polls.TALLY_AFTER)


def refresh(tx: Transaction, kept: Note, said: vocab.Note) -> None:
    """Take over how a poll stands, if it asks the same as before."""
    if kept.poll is None or said.poll is None:
        return
    names = [one.name for one in kept.poll.options]
    if names == [one.name for one in said.poll.options]:
        polls.put(tx, kept.id, said.poll)
