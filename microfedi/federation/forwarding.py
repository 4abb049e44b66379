"""Passing on what answers the owner's posts, so that their followers see the whole conversation.

Source: ActivityPub 7.1.2.
"""

from microfedi.federation.context import Context
from microfedi.federation.outbox import sending
from microfedi.protocol import loads, shapes, uris
from microfedi.protocol.vocab import PUBLIC_SPELLINGS, Activity, Create, Delete, Update
from microfedi.storage import followers, forwards, notes
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction

MAX_PER_HOUR = 120  # activities; a lively conversation. Each goes to every server that follows.
MAX_PER_AUTHOR_PER_HOUR = 20  # of them
MAX_BYTES = 64 * 1024  # of one: Misskey and its family take no more


def concerns_followers(ctx: Context, reader: Reader, activity: Activity) -> bool:
    """True if an activity is about an answer to an open post of the owner's, new to us, and says
    itself that it is for everybody and for the owner's followers.

    Asked before it is applied: afterwards nothing is new, and what is deleted is gone.
    """
    addressed = {*activity.to, *activity.cc}
    if addressed.isdisjoint(PUBLIC_SPELLINGS):
        return False
    if ctx.owner.addresses.followers not in addressed:
        return False
    match activity:
        case Create(note=note) if note is not None:
            return (
                _is_open_and_ours(ctx, reader, note.in_reply_to)
                and notes.id_of(reader, note.uri) is None
            )
        case Update(object_uri=uri) | Delete(object_uri=uri):
            kept = notes.by_uri(reader, uri)
            return (
                kept is not None
                and kept.visibility.is_open
                and _is_open_and_ours(ctx, reader, kept.in_reply_to_uri)
            )
    return False


def forward(ctx: Context, tx: Transaction, activity: Activity, body: bytes, sender: Actor) -> bool:
    """Send what was just applied on to followers' servers as it came, byte for byte.

    Only what carries something by which they can tell who wrote it, and never to where it comes
    from. False if it is not passed on. Wake the deliveries after the commit.
    """
    match activity:
        case Create(note=note) if note is not None:
            kept = notes.by_uri(tx, note.uri)
            if kept is None or not kept.visibility.is_open:
                return False  # it was not taken
            about = note.uri
        case Update(object_uri=uri) | Delete(object_uri=uri):
            about = uri
        case _:
            return False
    if len(body) > MAX_BYTES or not _is_vouched_for(body):
        return False
    now = ctx.now()
    theirs, everybodys = forwards.counts(tx, sender.id, now)
    if theirs >= MAX_PER_AUTHOR_PER_HOUR or everybodys >= MAX_PER_HOUR:
        return False
    inboxes = [one for one in followers.inboxes(tx) if not uris.same_origin(one, sender.uri)]
    if not sending.pass_on(ctx, tx, body, inboxes, about=about):
        return False
    forwards.add(tx, sender.id, now)
    return True


def _is_open_and_ours(ctx: Context, reader: Reader, uri: str | None) -> bool:
    note = None if uri is None else notes.by_uri(reader, uri)
    return note is not None and note.actor_id == ctx.owner.actor_id and note.visibility.is_open


def _is_vouched_for(body: bytes) -> bool:
    """True if there is a proof (FEP-8b32) or a signature of the older kind inside.

    Not whether it is right: those who get it ask that themselves.
    """
    document = loads.document(body)
    found = [*shapes.objects(document.get("proof")), *shapes.objects(document.get("signature"))]
    values = [one.get("proofValue") or one.get("signatureValue") for one in found]
    return any(isinstance(value, str) and value for value in values)
