"""The owner boosts a post, and takes it back."""

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation import consent
from microfedi.federation.context import Context
from microfedi.federation.outbox import sending
from microfedi.protocol import addressing, ids, vocab
from microfedi.protocol.vocab import Visibility
from microfedi.storage import actors, announces, notes
from microfedi.storage.announces import Announce
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.notes import Note


async def announce(ctx: Context, note_id: int) -> None:
    """Boost a post that everybody may see; nothing happens if it is boosted already.

    The boost of a quiet post is as quiet. Followers are told, and the author.

    Source: ActivityPub 7.11; only the id of the post travels.
    Raises: NotFound if there is no such post; InvalidInput if it is not for everybody.
    """

    def change(tx: Transaction) -> None:
        note, author_uri = _note(tx, note_id)
        if not note.visibility.is_open:
            raise InvalidInput("", "Only what everybody may see can be boosted.")
        author = actors.by_id(tx, note.actor_id)
        rule = None if note.policy is None else note.policy.can_announce
        if author and consent.asks_us(ctx, tx, rule, note, author) == "no":
            raise InvalidInput(
                "", "%(address)s does not want this post to be boosted.", address=author.address
            )
        public_id = ids.public_id()
        kept = announces.add(
            tx,
            uri=ctx.owner.addresses.activity("announces", public_id),
            public_id=public_id,
            note_id=note_id,
            actor_id=ctx.owner.actor_id,
            visibility=note.visibility,
            published_at=ctx.now(),
            now=ctx.now(),
        )
        if kept is None:
            return
        activity = to_vocab(ctx, kept, note, author_uri)
        inboxes = sending.audience(ctx, tx, activity)
        sending.hand_over(ctx, tx, activity, inboxes, about=note.uri)

    await ctx.db.write(change)
    ctx.wake.deliveries.set()


async def unannounce(ctx: Context, note_id: int) -> None:
    """Take a boost back; nothing happens if there is none.

    Source: ActivityPub 6.10.
    Raises: NotFound if there is no such post.
    """

    def change(tx: Transaction) -> None:
        note, author_uri = _note(tx, note_id)
        ours = announces.of(tx, note_id, ctx.owner.actor_id)
        if ours is None:
            return
        inner = to_vocab(ctx, ours, note, author_uri)
        undo = vocab.Undo(
            uri=sending.mint(ctx, "undos"),
            actor_uri=ctx.owner.uri,
            to=inner.to,
            cc=inner.cc,
            object_uri=inner.uri,
            inner=inner,
        )
        inboxes = sending.audience(ctx, tx, undo)
        announces.remove(tx, ours.id)
        sending.hand_over(ctx, tx, undo, inboxes, about=note.uri)

    await ctx.db.write(change)
    ctx.wake.deliveries.set()


def to_vocab(ctx: Context, announce: Announce, note: Note, author_uri: str) -> vocab.Announce:
    """Return a boost of the owner's as it travels."""
    is_own = author_uri == ctx.owner.uri
    to, cc = addressing.address(
        Visibility(announce.visibility),
        followers_uri=ctx.owner.addresses.followers,
        mentioned=() if is_own else (author_uri,),
    )
    return vocab.Announce(
        uri=announce.uri,
        actor_uri=ctx.owner.uri,
        to=to,
        cc=cc,
        published=announce.published_at,
        object_uri=note.uri,
    )


def _note(reader: Reader, note_id: int) -> tuple[Note, str]:
    note = notes.by_id(reader, note_id)
    author = None if note is None else actors.by_id(reader, note.actor_id)
    if note is None or author is None:
        raise NotFound("no such post")
    return note, author.uri
