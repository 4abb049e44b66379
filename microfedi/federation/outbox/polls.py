"""The owner asks something and counts the votes, or votes in a poll of somebody else's."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation.context import Context
from microfedi.federation.outbox import sending
from microfedi.protocol import ids, sanitize, vocab
from microfedi.storage import actors, jobs, notes, polls
from microfedi.storage.database import Transaction

MIN_OPTIONS = 2
MAX_OPTIONS = 10  # as many as fit on a telephone; Mastodon has 4
MAX_OPTION_CHARS = 100  # Mastodon's is 50
SHORTEST = timedelta(minutes=5)  # as Mastodon
LONGEST = timedelta(days=30)
# Others hear of new votes so much later: one message for all that come meanwhile. As Mastodon.
TALLY_AFTER = timedelta(minutes=3)
# How a poll of somebody else's ended is asked so long after its end.
ENDED_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class PollDraft:
    """What the owner asks, and how long."""

    options: tuple[str, ...]
    lasts: timedelta
    is_multiple: bool = False


def asked(draft: PollDraft, now: datetime) -> vocab.Poll:
    """Return a poll as it begins.

    Raises: InvalidInput.
    """
    named = (sanitize.plain(one, limit=MAX_OPTION_CHARS + 1).strip() for one in draft.options)
    options = [one for one in named if one]
    if len(options) < MIN_OPTIONS:
        raise InvalidInput("poll", "A poll needs two answers at least.")
    if len(options) > MAX_OPTIONS:
        raise InvalidInput("poll", "A poll has %(limit)s answers at most.", limit=MAX_OPTIONS)
    if any(len(one) > MAX_OPTION_CHARS for one in options):
        raise InvalidInput(
            "poll", "An answer has %(limit)s characters at most.", limit=MAX_OPTION_CHARS
        )
    if len({one.casefold() for one in options}) < len(options):
        raise InvalidInput("poll", "Two of the answers are the same.")
    if not SHORTEST <= draft.lasts <= LONGEST:
        raise InvalidInput("poll", "A poll lasts from 5 minutes to 30 days.")
    return vocab.Poll(
        tuple(vocab.Option(one) for one in options),
        is_multiple=draft.is_multiple,
        ends=now + draft.lasts,
        voters=0,
    )


async def vote(ctx: Context, note_id: int, chosen: Collection[int]) -> None:
    """Vote in a poll of somebody else's: its author's server is told, and nobody else.

    Source: Mastodon's votes; there is no standard.
    Raises: NotFound if there is no such poll; InvalidInput if one cannot vote like that.
    """
    owner, now = ctx.owner, ctx.now()

    def change(tx: Transaction) -> None:
        note = notes.by_id(tx, note_id)
        author = None if note is None else actors.by_id(tx, note.actor_id)
        standing = polls.standing(tx, note_id, voter_id=owner.actor_id)
        if note is None or author is None or note.poll is None or standing is None:
            raise NotFound("no such poll")
        if author.id == owner.actor_id:
            raise InvalidInput("", "Nobody votes in a poll of their own.")
        if standing.is_over(now):
            raise InvalidInput("", "This poll is over.")
        if standing.chosen:
            raise InvalidInput("", "You have voted already.")
        options = sorted(set(chosen))
        if not options or not all(0 <= one < len(note.poll.options) for one in options):
            raise InvalidInput("", "Choose an answer first.")
        if len(options) > 1 and not note.poll.is_multiple:
            raise InvalidInput("", "Only one answer can be chosen.")
        polls.count(tx, note_id, options)
        for option in options:
            polls.vote(tx, note_id, owner.actor_id, option, is_multiple=note.poll.is_multiple)
            uri = sending.mint(ctx, "votes")
            ballot = vocab.Note(
                uri=f"{uri}#vote",
                attributed_to=owner.uri,
                name=note.poll.options[option].name,
                to=(author.uri,),
                in_reply_to=note.uri,
                published=now,
            )
            create = vocab.Create(
                uri=uri,
                actor_uri=owner.uri,
                to=(author.uri,),
                published=now,
                object_uri=ballot.uri,
                note=ballot,
            )
            inboxes = sending.personal(tx, [author])
            sending.hand_over(ctx, tx, create, inboxes, about=f"{note.uri}#{ids.public_id()}")
        if standing.ends_at is not None:
            jobs.add(tx, "poll", note.uri, due_at=standing.ends_at + ENDED_AFTER)

    await ctx.db.write(change)
    ctx.wake.deliveries.set()
    ctx.wake.jobs.set()
