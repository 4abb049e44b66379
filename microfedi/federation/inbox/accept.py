"""Somebody lets the owner follow them."""

from microfedi.errors import NotAuthorized
from microfedi.federation import permission
from microfedi.federation.context import Context
from microfedi.federation.outbox import notes as outbox_notes
from microfedi.protocol import uris
from microfedi.protocol.vocab import Accept, Reject
from microfedi.storage import following, jobs, notes, notifications, quotes
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction
from microfedi.storage.following import Following
from microfedi.storage.quotes import Quote


def apply(ctx: Context, tx: Transaction, accept: Accept, sender: Actor) -> None:
    """Follow `sender` from now on, if we asked; what they posted before is fetched afterwards.

    Or quote them, if that is what we asked.

    Source: ActivityPub 7.6; FEP-044f.
    Raises: NotAuthorized if it answers nothing that we asked of them.
    """
    quote = quote_answered(ctx, tx, accept, sender)
    if quote is not None:
        if accept.result is None or not uris.same_origin(accept.result, sender.uri):
            raise NotAuthorized("a stamp on the server of the quoted author was expected")
        if quote.state != "pending":
            return  # answered: every change of mind would be an Update to all followers
        _conclude(ctx, tx, quote, "accepted", accept.result)
        note = notes.by_id(tx, quote.note_id)
        if note is not None:
            notifications.add(
                tx, "quote_accepted", actor_id=sender.id, note_id=note.id, now=ctx.now()
            )
        return
    ours = answered(ctx, tx, accept, sender)
    if ours.state == "accepted":
        return
    now = ctx.now()
    following.set_state(tx, sender.id, "accepted")
    notifications.add(tx, "follow_accepted", actor_id=sender.id, now=now)
    jobs.add(tx, "backfill", sender.uri, due_at=now)


def quote_answered(
    ctx: Context, tx: Transaction, answer: Accept | Reject, sender: Actor
) -> Quote | None:
    """Return the quote of ours that is answered; None if it is not about one.

    Raises: NotAuthorized if somebody else than the quoted author answers.
    """
    quote = None if answer.object_uri is None else quotes.by_request(tx, answer.object_uri)
    if quote is None:
        return None
    quoted = notes.by_uri(tx, quote.quoted_uri)
    if quoted is None:
        raise NotAuthorized("an answer about a post that is here was expected")
    permission.demand(ctx, tx, sender, "change", quoted)
    return quote


def refuse_quote(ctx: Context, tx: Transaction, quote: Quote) -> None:
    """Quote no longer what its author does not want to be quoted; the text stays, with a link."""
    _conclude(ctx, tx, quote, "rejected", None)


def _conclude(
    ctx: Context, tx: Transaction, quote: Quote, state: quotes.State, stamp: str | None
) -> None:
    if (quote.state, quote.authorization) == (state, stamp):
        return
    quotes.set_state(tx, quote.note_id, state, authorization=stamp, now=ctx.now())
    note = notes.by_id(tx, quote.note_id)
    if note is not None and note.actor_id == ctx.owner.actor_id:
        outbox_notes.tell(ctx, tx, note)


def answered(ctx: Context, tx: Transaction, answer: Accept | Reject, sender: Actor) -> Following:
    """Return the Follow of ours that an Accept or Reject answers.

    It is found among our own: by its id, or, since some answer with an id of their making, as our
    Follow of the sender. What the answer carries inline is never believed.

    Raises: NotAuthorized if there is none, or it was of somebody else.
    """
    ours = None
    if answer.object_uri is not None:
        ours = following.by_follow_uri(tx, answer.object_uri)
    if ours is None and answer.follow is not None:
        is_ours = (answer.follow.actor_uri, answer.follow.object_uri) == (ctx.owner.uri, sender.uri)
        ours = following.by_actor(tx, sender.id) if is_ours else None
    if ours is None:
        raise NotAuthorized("it answers no Follow of ours")
    permission.demand(ctx, tx, sender, "change", ours)
    return ours
