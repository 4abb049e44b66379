"""Somebody asks to quote or to answer a post of the owner's, or to put the owner into a list."""

import dataclasses

from microfedi.errors import NotAuthorized
from microfedi.federation import consent, keeping, lookup, permission
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget
from microfedi.federation.outbox import answers
from microfedi.protocol import ids, uris
from microfedi.protocol.vocab import FeatureRequest, QuoteRequest, ReplyRequest
from microfedi.storage import notes, notifications, stamps
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction
from microfedi.storage.owner import FeaturePolicy
from microfedi.storage.stamps import FeatureStamp, Stamp


def needs(_: Context, request: QuoteRequest | ReplyRequest) -> bool:
    """True if the post that would quote or answer was not sent along."""
    return request.note is None


async def fetch(
    ctx: Context, request: QuoteRequest | ReplyRequest, budget: Budget
) -> QuoteRequest | ReplyRequest:
    """Get the post that would quote or answer.

    Raises: NotAuthorized if it lies elsewhere, so that nobody has us ask just anybody;
    RemoteError, ProtocolError.
    """
    if not uris.same_origin(request.instrument_uri, request.actor_uri):
        raise NotAuthorized("a post on the sender's own server was expected")
    note = await lookup.fetch_note(ctx, request.instrument_uri, budget)
    return dataclasses.replace(request, note=note)


def apply(
    ctx: Context, tx: Transaction, request: QuoteRequest | ReplyRequest, sender: Actor
) -> None:
    """Answer as the owner wishes: yes with a stamp, no, or later, when the owner has decided.

    Source: FEP-044f; GoToSocial's interaction policies.
    Raises: NotAuthorized if the post is not the owner's or not open, or what would quote it is
    somebody else's or does not say so.
    """
    note = notes.by_uri(tx, request.object_uri)
    said = request.note
    if note is None or said is None:
        raise NotAuthorized("a post of the owner's and the one that quotes it were expected")
    permission.demand(ctx, tx, sender, "ask", note)
    permission.demand(ctx, tx, sender, "write", said)
    is_quote = isinstance(request, QuoteRequest)
    if (said.quote if is_quote else said.in_reply_to) != note.uri:
        raise NotAuthorized("a post that quotes or answers what is asked about was expected")
    states: dict[consent.Answer, stamps.State] = {
        "yes": "accepted",
        "no": "rejected",
        "ask": "pending",
    }
    wish: consent.Answer
    if is_quote:
        wish = consent.may_quote(ctx, tx, note, sender)
    else:
        wish = "yes" if consent.may_reply(ctx, tx, note, sender) else "no"
    stamp = stamps.put(
        tx,
        Stamp(
            public_id=ids.public_id(),
            kind="quote" if is_quote else "reply",
            note_id=note.id,
            actor_id=sender.id,
            other_uri=said.uri,
            request_uri=request.uri,
            state=states[wish],
            created_at=ctx.now(),
        ),
    )
    if stamp is None:
        raise NotAuthorized("fewer requests about one post were expected")
    if stamp.state == "pending":
        # What is to be decided about can be read before.
        visibility = keeping.visibility_of(ctx, tx, said, sender)
        if visibility.is_open:
            keeping.keep(ctx, tx, said, sender, visibility)
        notifications.add(tx, "quote_request", actor_id=sender.id, note_id=note.id, now=ctx.now())
    else:
        answers.answer(ctx, tx, stamp)


def apply_feature(ctx: Context, tx: Transaction, request: FeatureRequest, sender: Actor) -> None:
    """Answer a wish to list the owner as the owner wishes.

    Source: FEP-7aa9.
    Raises: NotAuthorized if it is about somebody else, or the list is not on their server.
    """
    permission.demand(ctx, tx, sender, "address", request.object_uri)
    if not uris.same_origin(request.instrument_uri, sender.uri):
        raise NotAuthorized("a collection of the sender's was expected")
    states: dict[FeaturePolicy, stamps.State] = {
        "anyone": "accepted",
        "ask": "pending",
        "nobody": "rejected",
    }
    stamp = stamps.put_feature(
        tx,
        FeatureStamp(
            public_id=ids.public_id(),
            actor_id=sender.id,
            collection_uri=request.instrument_uri,
            request_uri=request.uri,
            state=states[ctx.owner.feature_policy],
            created_at=ctx.now(),
        ),
    )
    if stamp is None or stamp.actor_id != sender.id:
        raise NotAuthorized("a collection of the sender's was expected")
    if stamp.state == "pending":
        notifications.add(tx, "feature_request", actor_id=sender.id, now=ctx.now())
        return
    answers.answer_feature(ctx, tx, stamp)
    if stamp.state == "accepted":
        notifications.add(tx, "feature", actor_id=sender.id, now=ctx.now())
