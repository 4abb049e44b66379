"""A draft becomes a post: when the owner says so, or at the time that was chosen for it."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from microfedi import words
from microfedi.errors import InvalidInput, NotFound
from microfedi.federation import uploads
from microfedi.federation.context import Context
from microfedi.federation.outbox import notes as outbox
from microfedi.federation.outbox.polls import PollDraft
from microfedi.protocol.vocab import Visibility
from microfedi.storage import circles, drafts, jobs, media, notes, polls, waiting_files
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.drafts import Attached, Draft, Kept
from microfedi.storage.notes import Note
from microfedi.storage.waiting_files import Waiting

log = logging.getLogger(__name__)

CIRCLE: Final = "circle"  # as the visibility of a draft; which one, `Draft.circle` says
SOONEST = timedelta(minutes=5)  # from now; as Mastodon
LATEST = timedelta(days=366)  # a year: what is later was a slip of the finger

_BROKEN = words.mark("Something broke while it was published: the server's log says more.")


async def publish(ctx: Context, key: str, draft: Draft) -> Note:
    """Publish a draft; it is a draft no longer. `key` is that of its form.

    Raises: InvalidInput as outbox.notes.publish, or if it was published before.
    """
    circle = await ctx.db.read(lambda reader: _circle(reader, draft))
    visibility = Visibility.LIMITED if draft.visibility == CIRCLE else _visibility(draft)
    asked = None
    if any(one.strip() for one in draft.options):
        asked = PollDraft(draft.options, timedelta(seconds=draft.lasts), draft.is_multiple)
    wanted = outbox.Draft(
        source=draft.source,
        visibility=visibility,
        summary=draft.summary,
        language=draft.language or None,
        sensitive=draft.sensitive,
        in_reply_to=draft.in_reply_to,
        poll=asked,
        quote=draft.quote,
        circle=circle,
        files=draft.attached,
        key=key,
        replaces=draft.replaces,
    )
    return await outbox.publish(ctx, wanted)


async def schedule(ctx: Context, kept: Kept, at: datetime) -> Kept:
    """Let a draft wait until `at`, to be published then.

    Raises: InvalidInput if that is too soon or too late, or it is too long or empty now.
    """
    check_time(ctx, at)
    draft = kept.draft
    outbox.check(ctx, draft.source, len(draft.attached), draft.language)

    def change(tx: Transaction) -> Kept:
        if draft.replaces and drafts.finished(tx, draft.replaces) is not None:
            raise InvalidInput("", "It has been published, or deleted, meanwhile.")
        made = drafts.schedule(tx, kept, at, ctx.now())
        jobs.add(tx, "publish", kept.key, due_at=at)
        return made

    made = await ctx.db.write(change)
    ctx.wake.jobs.set()
    return made


def check_time(ctx: Context, at: datetime) -> None:
    """Refuse what is too soon or too late. Raises: InvalidInput."""
    if at < ctx.now() + SOONEST:
        raise InvalidInput(
            "at",
            "Please choose a time at least %(minutes)s minutes from now.",
            minutes=int(SOONEST.total_seconds() // 60),
        )
    if at > ctx.now() + LATEST:
        raise InvalidInput("at", "Please choose a time within the next year.")


async def publish_due(ctx: Context, key: str) -> timedelta | None:
    """Publish what has waited for its time, once; what cannot be stays as a draft. A job."""
    kept = await ctx.db.read(lambda reader: drafts.by_key(reader, key))
    if kept is None or kept.publish_at is None or not ctx.has_owner:
        return None
    if kept.publish_at > ctx.now():  # it was put off meanwhile
        return kept.publish_at - ctx.now()
    try:
        await publish(ctx, key, kept.draft)
        return None
    except (InvalidInput, NotFound) as problem:
        why = problem if isinstance(problem, InvalidInput) else InvalidInput("", problem.template)
    except Exception:
        log.exception("a scheduled post was not published")
        why = InvalidInput("", _BROKEN)
    await ctx.db.write(lambda tx: _give_back(tx, kept, why))
    return None


async def redraft(ctx: Context, note_id: int) -> str:
    """Delete a post of the owner's; what it said, with its files, is a draft: return its key.

    Raises: NotFound if it is not the owner's; InvalidInput if the people it was for cannot be
    chosen any more: what it said would be offered to more.
    """
    note, draft = await ctx.db.read(lambda reader: _as_it_was(ctx, reader, note_id))
    records = await ctx.db.read(lambda reader: media.of_note(reader, note_id))
    known = {one.public_id: one for one in records}
    hanging = [
        (known[name], one)
        for one in note.attachments
        if (name := one.url.rpartition("/")[2]) in known
    ]
    files = [
        (record, known.get((one.preview or "").rpartition("/")[2]), one.duration_s, one.focal_point)
        for record, one in hanging
    ]
    copies = await uploads.copies(ctx, files, sealed=True)
    attached = [
        Attached(copy.record.public_id, one.alt, one.focal_point)
        for copy, (_, one) in zip(copies, hanging, strict=True)
    ]
    key = drafts.new_key()

    def keep(tx: Transaction) -> None:
        for one in copies:
            waiting_files.add(tx, Waiting(one.record, one.poster, one.duration_s), ctx.now())
        drafts.save(tx, key, 0, replace(draft, attached=tuple(attached)), ctx.now())

    try:
        await outbox.delete(ctx, note_id, also=keep)
    except Exception:
        await uploads.discard(ctx, uploads.names_of(copies))
        raise
    return key


def _as_it_was(ctx: Context, reader: Reader, note_id: int) -> tuple[Note, Draft]:
    note = notes.by_id(reader, note_id)
    if note is None or note.actor_id != ctx.owner.actor_id:
        raise NotFound("no post of the owner's")
    parent = notes.by_id(reader, note.in_reply_to_id) if note.in_reply_to_id else None
    visibility: str = note.visibility
    circle = ""
    if note.visibility is Visibility.LIMITED and parent is None:
        addresses = ctx.owner.addresses
        named = {addresses.circle(one.public_id): one.public_id for one in circles.everyone(reader)}
        circle = next((named[uri] for uri in note.to if uri in named), "")
        if not circle:
            raise InvalidInput(
                "",
                "Its circle, or what it answers, is not here any more, so it cannot be published "
                "again for the same people. It was not deleted: copy the text, then delete it.",
            )
        visibility = CIRCLE
    poll = polls.filled(reader, note.id, note.poll)
    lasted = poll.ends - note.published_at if poll is not None and poll.ends else None
    return note, Draft(
        source=note.source or "",
        summary=note.summary,
        visibility=visibility,
        circle=circle,
        language=note.language or "",
        sensitive=note.sensitive,
        in_reply_to=parent.id if parent else None,
        quote=notes.id_of(reader, note.quote) if note.quote else None,
        options=tuple(one.name for one in poll.options) if poll else (),
        lasts=int(lasted.total_seconds()) if lasted else Draft().lasts,
        is_multiple=poll is not None and poll.is_multiple,
    )


def _give_back(tx: Transaction, kept: Kept, why: InvalidInput) -> None:
    now = drafts.by_key(tx, kept.key)
    if now is not None and now.publish_at == kept.publish_at:
        drafts.unschedule(tx, now, why)


def _circle(reader: Reader, draft: Draft) -> int | None:
    if draft.visibility != CIRCLE:
        return None
    found = next((o for o in circles.everyone(reader) if o.public_id == draft.circle), None)
    if found is None:
        raise InvalidInput("visibility", "This circle is not there any more.")
    return found.id


def _visibility(draft: Draft) -> Visibility:
    try:
        return Visibility(draft.visibility)
    except ValueError:
        raise InvalidInput("visibility", "Please choose again who may see it.") from None
