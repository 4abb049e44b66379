"""Does an activity concern us? What does not is answered 202 and leaves no trace.

Asked before anything is kept, so that nobody fills the disk of a server that they have nothing to
do with. Who may do what is judged later, by the handlers.
"""

from microfedi.federation import fetching
from microfedi.federation.context import Context
from microfedi.protocol import vocab
from microfedi.protocol.vocab import (
    Accept,
    Activity,
    Add,
    Announce,
    Block,
    Create,
    Delete,
    Encrypted,
    FeatureRequest,
    Flag,
    Follow,
    Like,
    Move,
    QuoteRequest,
    Reject,
    Remove,
    ReplyRequest,
    Undo,
    Update,
)
from microfedi.storage import (
    actors,
    announces,
    blocks,
    encrypted,
    followers,
    following,
    likes,
    message_heads,
    notes,
    quotes,
    reactions,
)
from microfedi.storage.database import Reader


def concerns_us(ctx: Context, reader: Reader, activity: Activity) -> bool:
    """True if `activity` is from somebody followed, for the owner, or about what we keep."""
    owner_uri = ctx.owner.uri
    sender_id = actors.id_of(reader, activity.actor_uri)
    match activity:
        case Follow() | Block() | FeatureRequest():
            return activity.object_uri == owner_uri
        case QuoteRequest() | ReplyRequest():
            return is_owners(ctx, reader, activity.object_uri)
        case Flag():
            return is_about_us(ctx, reader, activity)
        case Move():
            return sender_id is not None and (
                following.by_actor(reader, sender_id) is not None
                or followers.by_actor(reader, sender_id) is not None
            )
        case Add() | Remove():
            return _is_followed(reader, sender_id)
        case Accept() | Reject():
            return _is_answer(ctx, reader, activity, sender_id)
        case Create(encrypted=Encrypted() as sealed):
            return is_sealed_for_us(ctx, activity, sealed)
        case Create():
            return is_wanted(ctx, reader, activity, activity.note, sender_id)
        case Update():
            if activity.object_uri == activity.actor_uri:
                return sender_id is not None
            return _is_kept(reader, activity.object_uri) or is_wanted(
                ctx, reader, activity, activity.note, sender_id
            )
        case Delete():
            if activity.object_uri == activity.actor_uri:
                return sender_id is not None
            # Of people followed also what we do not have yet: the Create may come later.
            return (
                _is_kept(reader, activity.object_uri)
                or _is_followed(reader, sender_id)
                or bool(quotes.by_authorization(reader, activity.object_uri))
                or encrypted.has(reader, activity.object_uri)
            )
        case Like():
            return is_owners(ctx, reader, activity.object_uri)
        case Announce():
            # Whole activities are passed on by groups that are followed, and by nobody else.
            return _is_followed(reader, sender_id) or (
                activity.inner is None and is_owners(ctx, reader, activity.object_uri)
            )
        case Undo():
            return sender_id is not None and _is_undoable(ctx, reader, activity, sender_id)
    return False


def is_wanted(
    ctx: Context,
    reader: Reader,
    activity: Activity,
    note: vocab.Note | None,
    sender_id: int | None,
) -> bool:
    """True for a post by somebody followed, addressed to the owner, or in a thread that we keep."""
    owner_uri = ctx.owner.uri
    if _is_followed(reader, sender_id):
        return True
    if owner_uri in activity.to or owner_uri in activity.cc:
        return True
    if note is None:
        return False
    if owner_uri in note.to or owner_uri in note.cc:
        return True
    return note.in_reply_to is not None and notes.id_of(reader, note.in_reply_to) is not None


def is_owners(ctx: Context, reader: Reader, note_uri: str) -> bool:
    """True if a post of the owner's has this id."""
    public_id = ctx.owner.addresses.public_id_in(note_uri)
    return public_id is not None and notes.id_of(reader, note_uri) is not None


def is_sealed_for_us(ctx: Context, activity: Activity, sealed: Encrypted) -> bool:
    """True for an encrypted object that is for the owner by name, and for nobody unnamed.

    Key packages are public, and none of ours to keep.

    Source: MLS over ActivityPub; security catalogue S-150.
    """
    addressed = {*activity.to, *activity.cc, *sealed.to, *sealed.cc}
    return (
        sealed.type != "KeyPackage"
        and sealed.attributed_to == activity.actor_uri
        and ctx.owner.uri in addressed
        and vocab.PUBLIC not in addressed
    )


def is_about_us(ctx: Context, reader: Reader, flag: Flag) -> bool:
    """True if a report names the owner or a post of the owner's."""
    return any(uri == ctx.owner.uri or is_owners(ctx, reader, uri) for uri in flag.object_uris)


def _is_answer(
    ctx: Context, reader: Reader, answer: Accept | Reject, sender_id: int | None
) -> bool:
    """True if it may answer a Follow or a request of ours; which one, the handler finds out."""
    if sender_id is None:
        return False
    if following.by_actor(reader, sender_id) is not None:
        return True
    uri = answer.object_uri
    return uri is not None and fetching.is_ours(ctx, uri)


def _is_followed(reader: Reader, actor_id: int | None) -> bool:
    return actor_id is not None and following.is_followed(reader, actor_id)


def _is_kept(reader: Reader, uri: str) -> bool:
    return notes.id_of(reader, uri) is not None or message_heads.has(reader, uri)


def _is_undoable(ctx: Context, reader: Reader, undo: Undo, sender_id: int) -> bool:
    """True if the sender did something here that this may take back, or may yet arrive."""
    match undo.inner:
        case Follow(object_uri=uri) | Block(object_uri=uri):
            return uri == ctx.owner.uri
        case Accept():
            return following.by_actor(reader, sender_id) is not None
        case Like(object_uri=uri) | Announce(object_uri=uri):
            if notes.id_of(reader, uri) is not None:
                return True
    if undo.object_uri is None:
        return False
    follower = followers.by_actor(reader, sender_id)
    return (
        (follower is not None and follower.follow_uri == undo.object_uri)
        or likes.by_uri(reader, undo.object_uri) is not None
        or reactions.by_uri(reader, undo.object_uri) is not None
        or announces.by_uri(reader, undo.object_uri) is not None
        or blocks.has_blocked_us(reader, sender_id)
    )
