"""A message is sent at the time that was chosen for it, whether or not its owner is there."""

import logging
from datetime import datetime, timedelta

from microfedi import words
from microfedi.errors import InvalidInput, NotFound
from microfedi.federation.context import Context
from microfedi.federation.outbox import drafts as outbox_drafts
from microfedi.federation.outbox import messages as outbox
from microfedi.federation.outbox import writing
from microfedi.storage import conversations, jobs, message_drafts, scheduled_messages
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.scheduled_messages import Scheduled
from microfedi.storage.vault import SecretKeys

log = logging.getLogger(__name__)

JOB = "send_message"
_BROKEN = words.mark("Something broke while it was sent: the server's log says more.")


async def schedule(
    ctx: Context, conversation_id: int, source: str, summary: str, at: datetime
) -> None:
    """Let a message to the people of a conversation wait until `at`.

    Raises: InvalidInput if that is too soon or too late, or it is empty or too long.
    """
    outbox_drafts.check_time(ctx, at)
    writing.check(ctx, source, 0)

    def change(tx: Transaction) -> None:
        key = scheduled_messages.add(tx, conversation_id, source, summary.strip(), at)
        message_drafts.remove(tx, conversation_id)
        jobs.add(tx, JOB, key, due_at=at)

    await ctx.db.write(change)
    ctx.wake.jobs.set()


async def send_due(ctx: Context, key: str) -> timedelta | None:
    """Send what has waited for its time, once. A job; `key` is its own."""

    def question(reader: Reader) -> Scheduled | None:
        return scheduled_messages.waiting(reader, key)

    scheduled = await ctx.db.read(question)
    if scheduled is None or scheduled.send_at is None or not ctx.has_owner:
        return None
    if scheduled.send_at > ctx.now():  # a clock that was set back
        return scheduled.send_at - ctx.now()
    try:
        await _send(ctx, scheduled)
        return None
    except (InvalidInput, NotFound) as problem:
        why = problem if isinstance(problem, InvalidInput) else InvalidInput("", problem.template)
    except Exception:
        log.exception("a scheduled message was not sent")
        why = InvalidInput("", _BROKEN)

    def change(tx: Transaction) -> None:
        if question(tx) is not None:
            scheduled_messages.give_back(tx, scheduled, why)

    await ctx.db.write(change)
    return None


async def send_now(ctx: Context, conversation_id: int, key: str, vault: SecretKeys) -> None:
    """Wait no longer. Raises: NotFound; InvalidInput as outbox.messages.send."""
    await _send(ctx, await _found(ctx, conversation_id, key, vault))


async def take_back(ctx: Context, conversation_id: int, key: str, vault: SecretKeys) -> None:
    """Do not send it: its text stands in the box of the conversation again, behind what is there.

    Raises: NotFound.
    """
    scheduled = await _found(ctx, conversation_id, key, vault)

    def change(tx: Transaction) -> None:
        if not scheduled_messages.remove(tx, key):
            raise NotFound("this message waits no more")
        draft = message_drafts.get(tx, conversation_id)
        source = "\n\n".join(one for one in (draft.source, scheduled.source) if one.strip())
        summary = draft.summary or scheduled.summary
        message_drafts.put(tx, conversation_id, message_drafts.Draft(source, summary))

    await ctx.db.write(change, vault=vault)


async def _send(ctx: Context, scheduled: Scheduled) -> None:
    people = await ctx.db.read(
        lambda reader: conversations.by_id(reader, scheduled.conversation_id, now=ctx.now())
    )
    if people is None:
        raise NotFound("the conversation is not there any more")
    await outbox.send(
        ctx,
        people.people,
        scheduled.source,
        summary=scheduled.summary,
        scheduled=scheduled.key,
    )


async def _found(ctx: Context, conversation_id: int, key: str, vault: SecretKeys) -> Scheduled:
    found = await ctx.db.read(lambda reader: scheduled_messages.by_key(reader, key), vault=vault)
    if found is None or found.conversation_id != conversation_id:
        raise NotFound("this message waits no more")
    return found
