"""The owner likes a post, and takes it back. Only its author is told."""

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation import consent
from microfedi.federation.context import Context
from microfedi.federation.outbox import sending
from microfedi.protocol import vocab
from microfedi.storage import actors, likes, notes
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.notes import Note


async def like(ctx: Context, note_id: int) -> None:
    """Like a post; nothing happens if the owner likes it already.

    Source: ActivityPub 6.8.
    Raises: NotFound if there is no such post.
    """

    def change(tx: Transaction) -> None:
        note, author = _note(tx, note_id)
        rule = None if note.policy is None else note.policy.can_like
        if consent.asks_us(ctx, tx, rule, note, author) == "no":
            raise InvalidInput(
                "", "%(address)s does not want favourites for this post.", address=author.address
            )
        activity = _like(ctx, note, author, sending.mint(ctx, "likes"))
        if likes.add(tx, note_id, ctx.owner.actor_id, activity.uri, ctx.now()):
            inboxes = sending.personal(tx, [author])
            sending.hand_over(ctx, tx, activity, inboxes, about=note.uri)

    await ctx.db.write(change)
    ctx.wake.deliveries.set()


async def unlike(ctx: Context, note_id: int) -> None:
    """Take a like back; nothing happens if there is none.

    Source: ActivityPub 6.10.
    Raises: NotFound if there is no such post.
    """

    def change(tx: Transaction) -> None:
        note, author = _note(tx, note_id)
        ours = likes.of(tx, note_id, ctx.owner.actor_id)
        if ours is None:
            return
        likes.remove(tx, note_id, ctx.owner.actor_id)
        undo = vocab.Undo(
            uri=sending.mint(ctx, "undos"),
            actor_uri=ctx.owner.uri,
            to=(author.uri,),
            object_uri=ours.uri,
            inner=_like(ctx, note, author, ours.uri),
        )
        sending.hand_over(ctx, tx, undo, sending.personal(tx, [author]), about=note.uri)

    await ctx.db.write(change)
    ctx.wake.deliveries.set()


def _note(reader: Reader, note_id: int) -> tuple[Note, Actor]:
    note = notes.by_id(reader, note_id)
    author = None if note is None else actors.by_id(reader, note.actor_id)
    if note is None or author is None:
        raise NotFound("no such post")
    return note, author


def _like(ctx: Context, note: Note, author: Actor, uri: str) -> vocab.Like:
    return vocab.Like(uri=uri, actor_uri=ctx.owner.uri, to=(author.uri,), object_uri=note.uri)
