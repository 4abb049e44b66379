"""Quotes by others: has the quoted author agreed? Their server says so, nobody else.

Source: FEP-044f; security catalogue S-055.
"""

import logging
from datetime import timedelta

from microfedi.errors import ProtocolError, RemoteError, RemoteGone
from microfedi.federation import consent, fetching, keeping, lookup
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget
from microfedi.protocol import parse, uris, vocab
from microfedi.storage import actors, jobs, notes, notifications, quotes
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.notes import Note
from microfedi.storage.quotes import Quote

log = logging.getLogger(__name__)

MAX_WAITING = 500  # quotes; strangers can have us look by mentions
CHECKED_AGAIN = timedelta(days=7)  # as Mastodon: a stamp may have been taken back unheard


def take(ctx: Context, tx: Transaction, note: Note, said: vocab.Note, author: Actor) -> None:
    """Keep that a post of somebody's quotes another, tell the owner if it is theirs, and have it
    found out whether that is agreed.
    """
    keeping.keep_quote(ctx, tx, note, said, author)
    quote = quotes.of_note(tx, note.id)
    if quote is None:
        return
    quoted = notes.by_uri(tx, quote.quoted_uri)
    if quoted is not None and quoted.actor_id == ctx.owner.actor_id:
        notifications.add(tx, "quote", actor_id=author.id, note_id=note.id, now=ctx.now())
    plan(ctx, tx, note)


def plan(ctx: Context, tx: Transaction, note: Note) -> None:
    """Have it found out whether a post may quote what it quotes, unless that is known.

    Asked for what arrives, what is boosted, and what the owner opens; never for what a quote led
    to, or a chain of them would have us fetch without end.
    """
    quote = quotes.of_note(tx, note.id)
    if quote is None or fetching.is_ours(ctx, quote.quoted_uri) or note.public_id is not None:
        return
    checked_at = quote.checked_at
    is_old = checked_at is None or ctx.now() - checked_at > CHECKED_AGAIN
    if quote.state == "pending" or quote.quoted_id is None or is_old:
        jobs.add(tx, "quote", note.uri, due_at=ctx.now(), most=MAX_WAITING)


async def check(ctx: Context, uri: str) -> timedelta | None:
    """Fetch what a post quotes, and the stamp; key of the job: the quoting note's URI.

    Raises: RemoteError if a server cannot be reached: it is tried again.
    """

    def question(reader: Reader) -> tuple[Note, Quote, Actor] | None:
        note = notes.by_uri(reader, uri)
        quote = None if note is None else quotes.of_note(reader, note.id)
        author = None if note is None else actors.by_id(reader, note.actor_id)
        if note is None or quote is None or author is None:
            return None
        return note, quote, author

    found = await ctx.db.read(question)
    if found is None or fetching.is_ours(ctx, found[1].quoted_uri):
        return None
    note, quote, author = found
    budget = Budget()
    try:
        quoted = await lookup.kept_note(ctx, quote.quoted_uri, budget)
    except (RemoteGone, ProtocolError) as error:
        log.info("what a post quotes could not be had: %s", error)
        return None
    quoted_author = await ctx.db.read(lambda r: actors.by_id(r, quoted.actor_id))
    if quoted_author is None:
        return None
    state: quotes.State = "unknown"
    if quoted.actor_id == author.id:
        state = "accepted"
    elif quote.authorization is not None:
        is_agreed = await _is_agreed(ctx, note, quote, quoted_author, budget)
        state = "accepted" if is_agreed else "revoked"
    authorization = quote.authorization if state == "accepted" else None
    await ctx.db.write(
        lambda tx: quotes.set_state(tx, note.id, state, authorization=authorization, now=ctx.now())
    )
    return None


async def _is_agreed(
    ctx: Context, note: Note, quote: Quote, quoted_author: Actor, budget: Budget
) -> bool:
    stamp_uri = quote.authorization
    if stamp_uri is None or not uris.same_origin(stamp_uri, quoted_author.uri):
        return False  # a stamp on another server says nothing, and is not fetched
    try:
        document = await fetching.at_its_id(ctx, stamp_uri, budget)
        stamp = parse.stamp(document)
    except (RemoteGone, ProtocolError) as error:
        log.info("a stamp was not there: %s", error)
        return False
    except RemoteError:
        raise
    return stamp.uri == stamp_uri and consent.is_stamp_for(
        stamp,
        kind="QuoteAuthorization",
        note_uri=note.uri,
        target_uri=quote.quoted_uri,
        author_uri=quoted_author.uri,
    )
