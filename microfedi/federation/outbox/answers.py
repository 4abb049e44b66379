"""The owner agrees to be quoted, answered or listed, or does not, or no longer."""

from microfedi.errors import NotFound
from microfedi.federation.context import Context
from microfedi.federation.outbox import sending
from microfedi.protocol import vocab
from microfedi.protocol.addresses import Addresses
from microfedi.storage import actors, notes, notifications, stamps
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.stamps import FeatureStamp, Stamp

_TYPES = {"quote": "QuoteAuthorization", "reply": "ReplyAuthorization"}


async def decide(ctx: Context, public_id: str, *, agrees: bool) -> None:
    """Answer what waits for the owner.

    Raises: NotFound if nothing of that name waits.
    """

    def change(tx: Transaction) -> None:
        stamp = stamps.by_public_id(tx, public_id)
        state: stamps.State = "accepted" if agrees else "rejected"
        if stamp is not None and stamp.state == "pending":
            stamps.set_state(tx, public_id, state)
            notifications.remove(tx, "quote_request", stamp.actor_id, stamp.note_id)
            answer(ctx, tx, _demand(tx, public_id))
            return
        feature = stamps.feature_by_public_id(tx, public_id)
        if feature is None or feature.state != "pending":
            raise NotFound("nobody waits for an answer to this")
        stamps.set_feature_state(tx, public_id, state)
        notifications.remove(tx, "feature_request", feature.actor_id)
        found = stamps.feature_by_public_id(tx, public_id)
        if found is not None:
            answer_feature(ctx, tx, found)

    await ctx.db.write(change)
    ctx.wake.deliveries.set()


async def revoke(ctx: Context, public_id: str) -> None:
    """Take a yes back: the stamp is gone, and whoever relies on it is told.

    Source: FEP-044f, FEP-7aa9.
    Raises: NotFound if there was no yes.
    """

    def change(tx: Transaction) -> None:
        stamp = stamps.by_public_id(tx, public_id)
        feature = stamps.feature_by_public_id(tx, public_id) if stamp is None else None
        if stamp is not None and stamp.state == "accepted":
            stamps.set_state(tx, public_id, "revoked")
            _tell_revoked(ctx, tx, uri_of(ctx.owner.addresses, stamp), stamp.actor_id)
        elif feature is not None and feature.state == "accepted":
            stamps.set_feature_state(tx, public_id, "revoked")
            uri = ctx.owner.addresses.stamp("feature", public_id)
            _tell_revoked(ctx, tx, uri, feature.actor_id)
        else:
            raise NotFound("there is no such consent")

    await ctx.db.write(change)
    ctx.wake.deliveries.set()


def answer(ctx: Context, tx: Transaction, stamp: Stamp) -> None:
    """Tell who asked to quote or answer what was decided."""
    note = notes.by_id(tx, stamp.note_id)
    if note is None:
        return
    asks = vocab.QuoteRequest if stamp.kind == "quote" else vocab.ReplyRequest
    sender = actors.by_id(tx, stamp.actor_id)
    if sender is None:
        return
    request = asks(
        uri=stamp.request_uri,
        actor_uri=sender.uri,
        object_uri=note.uri,
        instrument_uri=stamp.other_uri,
    )
    result = uri_of(ctx.owner.addresses, stamp)
    _send_answer(ctx, tx, request, sender, result if stamp.state == "accepted" else None)


def answer_feature(ctx: Context, tx: Transaction, stamp: FeatureStamp) -> None:
    """Tell who asked to list the owner what was decided."""
    sender = actors.by_id(tx, stamp.actor_id)
    if sender is None:
        return
    request = vocab.FeatureRequest(
        uri=stamp.request_uri,
        actor_uri=sender.uri,
        object_uri=ctx.owner.uri,
        instrument_uri=stamp.collection_uri,
    )
    result = ctx.owner.addresses.stamp("feature", stamp.public_id)
    _send_answer(ctx, tx, request, sender, result if stamp.state == "accepted" else None)


def uri_of(addresses: Addresses, stamp: Stamp) -> str:
    """Return the id of the document that says yes."""
    return addresses.stamp(stamp.kind, stamp.public_id)


def document(ctx: Context, reader: Reader, kind: str, public_id: str) -> vocab.Stamp | None:
    """Return a stamp as others get it; None if there is no such yes, or no longer.

    Source: FEP-044f, FEP-7aa9.
    """
    addresses = ctx.owner.addresses
    if kind == "feature":
        feature = stamps.feature_by_public_id(reader, public_id)
        if feature is None or feature.state != "accepted":
            return None
        return vocab.Stamp(
            addresses.stamp("feature", public_id),
            "FeatureAuthorization",
            addresses.actor,
            feature.collection_uri,
            addresses.actor,
        )
    stamp = stamps.by_public_id(reader, public_id)
    note = None if stamp is None else notes.by_id(reader, stamp.note_id)
    if stamp is None or note is None or stamp.kind != kind or stamp.state != "accepted":
        return None
    return vocab.Stamp(
        uri_of(addresses, stamp), _TYPES[kind], addresses.actor, stamp.other_uri, note.uri
    )


def _send_answer(
    ctx: Context, tx: Transaction, request: vocab.Request, sender: actors.Actor, result: str | None
) -> None:
    said: vocab.Activity
    if result is None:
        said = vocab.Reject(
            uri=sending.mint(ctx, "rejects"),
            actor_uri=ctx.owner.uri,
            to=(sender.uri,),
            object_uri=request.uri,
            request=request,
        )
    else:
        said = vocab.Accept(
            uri=sending.mint(ctx, "accepts"),
            actor_uri=ctx.owner.uri,
            to=(sender.uri,),
            object_uri=request.uri,
            request=request,
            result=result,
        )
    sending.hand_over(ctx, tx, said, sending.personal(tx, [sender]), about=request.instrument_uri)


def _tell_revoked(ctx: Context, tx: Transaction, uri: str, actor_id: int) -> None:
    sender = actors.by_id(tx, actor_id)
    if sender is None:
        return
    delete = vocab.Delete(
        uri=sending.mint(ctx, "deletes"),
        actor_uri=ctx.owner.uri,
        to=(vocab.PUBLIC,),
        cc=(sender.uri,),
        published=ctx.now(),
        object_uri=uri,
    )
    inboxes = sending.audience(ctx, tx, delete, also=[actor_id])
    sending.hand_over(ctx, tx, delete, inboxes, about=uri)


def _demand(reader: Reader, public_id: str) -> Stamp:
    stamp = stamps.by_public_id(reader, public_id)
    if stamp is None:
        raise NotFound("nobody waits for an answer to this")
    return stamp
