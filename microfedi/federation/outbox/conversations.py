"""What the owner does with whole conversations: lets strangers in or not, mutes, has them fade.

Whoever is declined is not told, neither by us nor by what we fetch.
"""

from datetime import timedelta
from functools import partial

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation import forgetting
from microfedi.federation.context import Context
from microfedi.federation.outbox import messages as outbox_messages
from microfedi.storage import actors, conversations, following, jobs, message_heads
from microfedi.storage.actors import Actor
from microfedi.storage.conversations import Conversation
from microfedi.storage.database import Reader, Transaction

# How often it is looked whether the time of messages is over: it is said in days.
EVERY = timedelta(minutes=30)
BATCH = 100  # messages that go in one write: others want to write too


async def accept(ctx: Context, conversation_id: int) -> None:
    """Let strangers' first messages be a conversation. Raises: NotFound."""

    def change(tx: Transaction) -> None:
        found = _demand(ctx, tx, conversation_id)
        conversations.accept(tx, conversation_id)
        conversations.undecline(tx, found.people)

    await ctx.db.write(change)


async def decline(ctx: Context, conversation_id: int) -> list[Actor]:
    """Delete strangers' first messages, and keep nothing more of who wrote them; return who.

    Raises: NotFound; InvalidInput if it is no request.
    """

    def change(tx: Transaction) -> list[Actor]:
        found = _demand(ctx, tx, conversation_id)
        if found.state != "request":
            raise InvalidInput("", "This conversation is open already.")
        people = writers(ctx, tx, conversation_id)
        conversations.decline(
            tx, [one.id for one in people if not following.is_followed(tx, one.id)], ctx.now()
        )
        forgetting.drop(ctx, tx, message_heads.ids_of(tx, conversation_id))
        conversations.remove(tx, conversation_id)
        return people

    people = await ctx.db.write(change)
    ctx.wake.jobs.set()
    return people


async def undecline(ctx: Context, actor_id: int) -> None:
    """Let somebody write again who was declined."""
    await ctx.db.write(lambda tx: conversations.undecline(tx, [actor_id]))


async def remove(ctx: Context, conversation_id: int, *, for_others: bool = False) -> None:
    """Delete a conversation here; `for_others` asks them to delete what the owner wrote.

    Raises: NotFound.
    """

    def change(tx: Transaction) -> None:
        _demand(ctx, tx, conversation_id)
        ours = forgetting.drop(ctx, tx, message_heads.ids_of(tx, conversation_id))
        if for_others:
            outbox_messages.take_back(ctx, tx, ours)
        conversations.remove(tx, conversation_id)

    await ctx.db.write(change)
    ctx.wake.deliveries.set()
    ctx.wake.jobs.set()


async def mute(ctx: Context, conversation_id: int, *, lasts: timedelta | None) -> None:
    """Do not tell of what comes in a conversation for a while; None is for good. Raises: NotFound.

    It is kept and can be read.
    """

    def change(tx: Transaction) -> None:
        _demand(ctx, tx, conversation_id)
        until = None if lasts is None else ctx.now() + lasts
        conversations.mute(tx, conversation_id, until=until)

    await ctx.db.write(change)


async def unmute(ctx: Context, conversation_id: int) -> None:
    """Tell of what comes in a conversation again."""
    await ctx.db.write(lambda tx: conversations.unmute(tx, conversation_id))


async def keep_for(ctx: Context, conversation_id: int, days: int | None) -> None:
    """Have messages deleted so many days after they came, and others asked to delete the owner's.

    It counts for what is here already, too. None is never.

    Raises: NotFound; InvalidInput("days").
    """
    if days is not None and days not in conversations.KEPT_DAYS:
        raise InvalidInput("days", "Please choose one of the options.")

    def change(tx: Transaction) -> None:
        _demand(ctx, tx, conversation_id)
        conversations.keep_for(tx, conversation_id, days)
        if days is not None:
            jobs.add(tx, "expire", "", due_at=ctx.now())

    await ctx.db.write(change)
    ctx.wake.jobs.set()


async def expire(ctx: Context, key: str) -> timedelta | None:
    """Delete the messages whose time is over; a job, periodic.

    A message goes in the write that also puts the request to the others on its way: each is asked
    once, whatever breaks off in between.
    """
    for conversation_id, after in await ctx.db.read(conversations.fading):
        while await ctx.db.write(partial(_expire_some, ctx, conversation_id, after)):
            pass
    ctx.wake.deliveries.set()
    ctx.wake.jobs.set()
    return EVERY


def _expire_some(ctx: Context, conversation_id: int, after: timedelta, tx: Transaction) -> bool:
    """Delete a batch; True if there may be more."""
    before = ctx.now() - after
    going = message_heads.older_than(tx, conversation_id, instant=before, limit=BATCH)
    outbox_messages.take_back(ctx, tx, forgetting.drop(ctx, tx, going))
    return len(going) == BATCH


def writers(ctx: Context, reader: Reader, conversation_id: int) -> list[Actor]:
    """Return who has written in a conversation, beside the owner."""
    found = message_heads.writers(reader, conversation_id) - {ctx.owner.actor_id}
    return list(actors.by_ids(reader, found).values())


def _demand(ctx: Context, reader: Reader, conversation_id: int) -> Conversation:
    found = conversations.by_id(reader, conversation_id, now=ctx.now())
    if found is None:
        raise NotFound("no such conversation")
    return found
