"""A conversation: what was said, the box to answer, and how the owner wants to hear of it."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import InvalidInput
from microfedi.federation.outbox import conversations as outbox_conversations
from microfedi.federation.outbox import messages as outbox
from microfedi.federation.outbox import scheduled_messages as outbox_scheduled
from microfedi.http import forms, vaults
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import (
    acquaintance,
    conversations,
    message_drafts,
    messages,
    scheduled_messages,
)
from microfedi.storage.acquaintance import Stranger, Written
from microfedi.storage.database import Reader
from microfedi.storage.message_drafts import Draft
from microfedi.storage.scheduled_messages import Scheduled
from microfedi.storage.vault import SecretKeys
from microfedi.web import attachments, bubbles, composer, mutes, talks
from microfedi.web import messages as listed
from microfedi.web.bubbles import Bubble, Told
from microfedi.web.talks import Talk

PAGE_MESSAGES = 50


@dataclass(frozen=True, slots=True)
class Opened:
    """A page of a conversation. `older` and `newer` are where the next ones begin."""

    bubbles: list[Bubble]
    above: list[Told]
    below: list[Told]
    older: str
    newer: str
    draft: Draft
    scheduled: list[Scheduled]
    strangers: list[Stranger]
    written: Written | None


async def show(request: Request) -> Response:
    """GET /messages/{id}: a conversation, the newest at the bottom, and the box to answer."""
    talk = await talks.asked(request)
    return await _open(request, talk, None, None)


async def send(request: Request) -> Response:
    """POST /messages/{id}: to the people of the conversation and nobody else."""
    ctx = context_of(request)
    talk = await talks.asked(request)
    form = await forms.read(request)
    await vaults.of(request)  # sending needs no secret, but whoever writes is looking
    typed = listed.empty()
    try:
        typed["source"] = forms.text(form, "source")
        typed |= listed.typed(form)
        typed["at"] = forms.line(form, "at", limit=composer.MAX_AT_CHARS)
        if talk.conversation.state == "request":
            raise InvalidInput("source", "Accept the conversation before you answer.")
        typed["outside"] = listed.unasked(request, form, typed["source"], talk.people)
        if typed["outside"]:
            return await _open(request, talk, typed, None)
        files = await attachments.read(form, ctx.config.limits)
        if typed["at"]:
            if files:
                raise InvalidInput("at", "Files cannot wait. Send them without a time.")
            at = composer.at(ctx, typed["at"])
            await outbox_scheduled.schedule(
                ctx, talk.conversation.id, typed["source"], typed["summary"], at
            )
        else:
            await outbox.send(
                ctx,
                talk.conversation.people,
                typed["source"],
                files,
                summary=typed["summary"],
                sensitive=typed["sensitive"],
            )
    except InvalidInput as problem:
        return await _open(request, talk, typed, problem)
    return RedirectResponse(f"/messages/{talk.conversation.id}#end", 303)


async def send_now(request: Request) -> Response:
    """POST /messages/{id}/scheduled/{key}/send: do not wait any longer."""
    talk, key, vault = await _waiting(request)
    try:
        await outbox_scheduled.send_now(context_of(request), talk.conversation.id, key, vault)
    except InvalidInput as problem:
        return await _open(request, talk, None, problem)
    return RedirectResponse(f"/messages/{talk.conversation.id}#end", 303)


async def take_back(request: Request) -> Response:
    """POST /messages/{id}/scheduled/{key}/cancel: its text stands in the box again."""
    talk, key, vault = await _waiting(request)
    await outbox_scheduled.take_back(context_of(request), talk.conversation.id, key, vault)
    return RedirectResponse(f"/messages/{talk.conversation.id}#end", 303)


async def _waiting(request: Request) -> tuple[Talk, str, SecretKeys]:
    talk = await talks.asked(request)
    return talk, request.path_params["key"], await vaults.needed(request)


async def keep_draft(request: Request) -> Response:
    """POST /messages/{id}/draft: what has been typed so far."""
    talk = await talks.asked(request)
    await vaults.of(request)  # it stays open while somebody types
    form = await forms.read(request)
    draft = Draft(
        forms.text(form, "source"), forms.line(form, "summary", limit=listed.MAX_SUMMARY_CHARS)
    )
    conversation_id = talk.conversation.id
    await context_of(request).db.write(lambda tx: message_drafts.put(tx, conversation_id, draft))
    return listed.kept(request, f"/messages/{conversation_id}#end")


async def show_details(request: Request) -> Response:
    """GET /messages/{id}/details: who is in it, and how the owner wants to hear of it."""
    talk = await talks.asked(request)
    if talk.conversation.state == "request":  # nothing of a stranger is drawn before it is accepted
        return RedirectResponse(f"/messages/{talk.conversation.id}", 303)
    return await _details(request, talk, None)


async def mute(request: Request) -> Response:
    """POST /messages/{id}/mute: no badge and no push for a while; it is kept."""
    talk = await talks.asked(request)
    lasts = mutes.lasts(await forms.read(request))
    await outbox_conversations.mute(context_of(request), talk.conversation.id, lasts=lasts)
    return RedirectResponse(f"/messages/{talk.conversation.id}/details", 303)


async def unmute(request: Request) -> Response:
    """POST /messages/{id}/unmute."""
    talk = await talks.asked(request)
    await outbox_conversations.unmute(context_of(request), talk.conversation.id)
    return RedirectResponse(f"/messages/{talk.conversation.id}/details", 303)


async def keep_for(request: Request) -> Response:
    """POST /messages/{id}/kept: after how many days messages are deleted, "" for never."""
    talk = await talks.asked(request)
    form = await forms.read(request)
    try:
        choices = ["", *(str(days) for days in conversations.KEPT_DAYS)]
        chosen = forms.one_of(form, "days", choices)
        days = int(chosen) if chosen else None
        await outbox_conversations.keep_for(context_of(request), talk.conversation.id, days)
    except InvalidInput as problem:
        return await _details(request, talk, problem)
    return RedirectResponse(f"/messages/{talk.conversation.id}/details", 303)


async def mark_unread(request: Request) -> Response:
    """POST /messages/{id}/unread: the newest message counts as new again."""
    talk = await talks.asked(request)
    await context_of(request).db.write(
        lambda tx: conversations.mark_unread(tx, talk.conversation.id)
    )
    return RedirectResponse("/messages", 303)


async def remove(request: Request) -> Response:
    """POST /messages/{id}/remove: delete the owner's copy, and ask the others if that is wanted."""
    talk = await talks.asked(request)
    form = await forms.read(request)
    await outbox_conversations.remove(
        context_of(request), talk.conversation.id, for_others=forms.flag(form, "for_others")
    )
    return RedirectResponse("/messages", 303)


async def _open(
    request: Request, talk: Talk, typed: dict[str, Any] | None, problem: InvalidInput | None
) -> Response:
    ctx = context_of(request)
    conversation = talk.conversation
    is_request = conversation.state == "request"
    before, after = forms.query_id(request, "before"), forms.query_id(request, "after")

    def question(reader: Reader) -> Opened:
        found = messages.page(
            reader, conversation.id, before=before, after=after, limit=PAGE_MESSAGES
        )
        is_full = len(found) == PAGE_MESSAGES
        older = bool(found) and (after is not None or is_full)
        newer = bool(found) and (before is not None or (after is not None and is_full))
        strangers = (
            acquaintance.strangers(reader, {m.actor_id for m in found if m.public_id is None})
            if is_request
            else {}
        )
        written = acquaintance.written(reader, [conversation.id]) if is_request else {}
        lines, above, below = bubbles.changes(
            request, reader, talk, bubbles.of(request, reader, talk, found), is_newest=not newer
        )
        return Opened(
            lines,
            above,
            below,
            f"?before={found[0].id}" if older else "",
            f"?after={found[-1].id}" if newer else "",
            Draft() if typed or is_request else message_drafts.get(reader, conversation.id),
            [] if is_request else scheduled_messages.of_conversation(reader, conversation.id),
            list(strangers.values()),
            written.get(conversation.id),
        )

    # What waits to be sent is not sealed by the vault, and is shown with it alone all the same.
    opened = await ctx.db.read(question, vault=await vaults.needed(request))
    if conversation.unread and not is_request and not opened.newer:
        await ctx.db.note(lambda tx: conversations.mark_read(tx, conversation.id))
    draft = typed or listed.empty() | {
        "source": opened.draft.source,
        "summary": opened.draft.summary,
    }
    values = {
        "talk": talk,
        "opened": opened,
        "draft": draft,
        "problem": problem,
        **talks.readers(talk.people),
        "day": talks.day_in(request),
        "limit": ctx.config.limits.post_characters,
        "earliest": composer.earliest(ctx),
        "absent": [one for one in talk.people if one.state != "ok" or one.moved_to],
    }
    return await page(request, "conversation.html", values, status_code=422 if problem else 200)


async def _details(request: Request, talk: Talk, problem: InvalidInput | None) -> Response:
    values = {
        "talk": talk,
        "problem": problem,
        **talks.readers(talk.people),
        "lasting": mutes.lasting(),
        "kept_days": conversations.KEPT_DAYS,
    }
    status = 422 if problem else 200
    return await page(request, "conversation_details.html", values, status_code=status)


owner_routes = [
    Route("/messages/{id}", show, methods=["GET"]),
    Route("/messages/{id}", send, methods=["POST"]),
    Route("/messages/{id}/scheduled/{key}/send", send_now, methods=["POST"]),
    Route("/messages/{id}/scheduled/{key}/cancel", take_back, methods=["POST"]),
    Route("/messages/{id}/draft", keep_draft, methods=["POST"]),
    Route("/messages/{id}/details", show_details, methods=["GET"]),
    Route("/messages/{id}/mute", mute, methods=["POST"]),
    Route("/messages/{id}/unmute", unmute, methods=["POST"]),
    Route("/messages/{id}/kept", keep_for, methods=["POST"]),
    Route("/messages/{id}/unread", mark_unread, methods=["POST"]),
    Route("/messages/{id}/remove", remove, methods=["POST"]),
]
