"""What somebody passed on: a hint, never a claim. The origin says whether it is so.

Source: FEP-fe34; ActivityPub 7.1.2.
"""

from microfedi.errors import NotAuthorized, RemoteGone
from microfedi.federation import keeping, lookup
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget
from microfedi.federation.inbox import create, update
from microfedi.protocol import vocab
from microfedi.protocol.vocab import Activity, Announce, Create, Delete, Update
from microfedi.storage import notes
from microfedi.storage.database import Transaction


async def handle(ctx: Context, activity: Activity, budget: Budget) -> None:
    """Ask the origin of what `activity` is about, and do what that says.

    Raises: RemoteError, ProtocolError.
    """
    match activity:
        case Create(object_uri=uri) | Update(object_uri=uri):
            if uri != activity.actor_uri:
                await _renew(ctx, uri, activity, budget)
        case Announce(object_uri=uri):
            # That it was boosted cannot be asked anybody; that it exists, can.
            await lookup.kept_note(ctx, uri, budget)
        case Delete(object_uri=uri):
            await _check_gone(ctx, uri, budget)


async def _renew(ctx: Context, uri: str, activity: Activity, budget: Budget) -> None:
    note = await lookup.fetch_note(ctx, uri, budget)
    author = await lookup.kept_actor(ctx, note.attributed_to, budget)

    def change(tx: Transaction) -> None:
        keeping.check_author(note, author.uri)
        # As the author would have sent it: `to` and `cc` are those of the origin.
        said = vocab.Update(
            uri=activity.uri, actor_uri=author.uri, to=note.to, cc=note.cc, object_uri=uri
        )
        if notes.id_of(tx, uri) is None:
            create.take(ctx, tx, note, author, activity=said)
        else:
            update.apply_note(ctx, tx, said, note, author)

    await ctx.db.write(change)


async def _check_gone(ctx: Context, uri: str, budget: Budget) -> None:
    """Delete our copy of a post if its origin has it no longer."""
    try:
        await lookup.fetch_note(ctx, uri, budget)
    except RemoteGone:
        await ctx.db.write(lambda tx: _delete(ctx, tx, uri))
    else:
        raise NotAuthorized("it was not deleted")


def _delete(ctx: Context, tx: Transaction, uri: str) -> None:
    note = notes.by_uri(tx, uri)
    if note is not None and note.actor_id != ctx.owner.actor_id:
        notes.delete(tx, note.id, now=ctx.now())
