"""The owner reports somebody to the people who run their server."""

from collections.abc import Collection

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation.context import Context
from microfedi.federation.outbox import sending
from microfedi.protocol import ids, vocab
from microfedi.storage import actors, notes, reports
from microfedi.storage.database import Transaction

MAX_POSTS = 50  # of one report


async def report(ctx: Context, actor_id: int, *, note_ids: Collection[int], comment: str) -> None:
    """Send a report about somebody, and posts of theirs, to their server; keep a copy.

    It comes from this server, not from the owner, so that whoever is reported need not learn who
    did it. On a server for one person that hides little, and the page says so.

    Source: Mastodon's reports; there is no standard.
    Raises: NotFound; InvalidInput if nothing can be sent there, or the comment is too long.
    """
    if len(comment) > reports.MAX_CONTENT_CHARS:
        most = f"{reports.MAX_CONTENT_CHARS:,}"
        raise InvalidInput("comment", "At most %(limit)s characters, please.", limit=most)
    if len(note_ids) > MAX_POSTS:
        raise InvalidInput("post", "At most %(limit)s posts, please.", limit=MAX_POSTS)

    def change(tx: Transaction) -> None:
        actor = actors.by_id(tx, actor_id)
        if actor is None or actor.id == ctx.owner.actor_id:
            raise NotFound("nobody who could be reported")
        found = notes.by_ids(tx, note_ids).values()
        posts = [note.uri for note in found if note.actor_id == actor_id]
        addresses = ctx.owner.addresses
        flag = vocab.Flag(
            uri=addresses.flag(ids.public_id()),
            actor_uri=addresses.instance_actor,
            to=(actor.uri,),
            object_uris=(actor.uri, *posts),
            content=comment,
        )
        if not sending.hand_over(ctx, tx, flag, [actor.inbox], about=flag.uri, by_instance=True):
            raise InvalidInput(
                "", "Nothing is sent to %(host)s: it is blocked, or closed off.", host=actor.host
            )
        reports.add(
            tx,
            flag.uri,
            actor_id=actor_id,
            is_mine=True,
            object_uris=flag.object_uris,
            content=comment,
            now=ctx.now(),
        )

    await ctx.db.write(change)
    ctx.wake.deliveries.set()
