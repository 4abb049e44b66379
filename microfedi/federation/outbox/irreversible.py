"""What cannot be undone is asked for, waits for a day, and is then done, unless it is cancelled."""

import logging
from datetime import datetime, timedelta
from functools import partial

from microfedi.errors import InvalidInput
from microfedi.federation.context import Context
from microfedi.federation.outbox import leaving, moving
from microfedi.storage import door_log, jobs, pending_acts
from microfedi.storage.database import Transaction
from microfedi.storage.door_log import NOBODY, Visitor
from microfedi.storage.pending_acts import Act, Kind

log = logging.getLogger(__name__)

JOB = "act"


async def ask(ctx: Context, kind: Kind, detail: str = "", *, by: Visitor = NOBODY) -> Act:
    """Have it done in a day. Ask `login.confirm` first.

    Raises: InvalidInput if it waits already.
    """
    now = ctx.now()

    def change(tx: Transaction) -> Act | None:
        act = pending_acts.ask(tx, kind, detail, now=now)
        if act is not None:
            jobs.add(tx, JOB, kind, due_at=act.due_at)
            door_log.add(
                tx,
                door_log.Kind.ACT_ASKED,
                now=now,
                by=by,
                detail=f"{kind} {detail}".strip(),
            )
        return act

    act = await ctx.db.write(change)
    if act is None:
        raise InvalidInput("", "That was asked for already, and waits for its time.")
    await ctx.reload_owner()
    ctx.wake.jobs.set()
    log.warning("asked for, to be done at %s: %s", act.due_at, kind)
    return act


async def cancel(ctx: Context, kind: str, *, by: Visitor = NOBODY) -> bool:
    """Leave it undone; False if nothing of that kind waits. Whoever is logged in may do it."""
    now = ctx.now()

    def change(tx: Transaction) -> bool:
        is_there = pending_acts.cancel(tx, kind)
        if is_there:
            door_log.add(
                tx,
                door_log.Kind.ACT_CANCELLED,
                now=now,
                by=by,
                detail=kind,
            )
        return is_there

    is_cancelled = await ctx.db.write(change)
    await ctx.reload_owner()
    ctx.wake.jobs.set()
    return is_cancelled


async def run(ctx: Context, key: str) -> timedelta | None:
    """Do what has waited for its day. A job; its key is the kind."""
    now = ctx.now()
    waits = await ctx.db.read(pending_acts.waiting)
    act = next((one for one in waits if one.kind == key), None)
    if act is None:
        return None
    if act.due_at > now:
        return act.due_at - now
    try:
        if act.kind == "move":
            await moving.move(
                ctx, act.detail, if_still=partial(_take, act, door_log.Kind.ACT_DONE, now)
            )
        else:
            await leaving.delete_account(
                ctx, if_still=partial(_take, act, door_log.Kind.ACT_DONE, now)
            )
    except InvalidInput as problem:  # the other account changed its mind: the owner asks anew
        await ctx.db.write(partial(_take, act, door_log.Kind.ACT_FAILED, now, why=f": {problem}"))
        await ctx.reload_owner()
    return None


def _take(act: Act, how: door_log.Kind, now: datetime, tx: Transaction, *, why: str = "") -> bool:
    """Take it off the list and say how it went; False if it was cancelled at the last moment.

    In the transaction that does it: what is broken off half-way waits on, and is done then.
    """
    if pending_acts.take(tx, act.kind, now=now) is None:
        return False
    detail = f"{act.kind} {act.detail}".strip()
    door_log.add(tx, how, now=now, detail=detail + why)
    return True
