"""One message: whether it got there, what it said before, and changing or deleting it."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation.outbox import messages as outbox
from microfedi.http import forms, vaults
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import messages
from microfedi.storage.database import Reader
from microfedi.storage.messages import Message
from microfedi.web import bubbles, talks
from microfedi.web import messages as listed
from microfedi.web.bubbles import Bubble
from microfedi.web.talks import Talk


async def show(request: Request) -> Response:
    """GET /messages/{id}/{message}: the message, its earlier versions, and what can be done."""
    talk, message = await _asked(request)
    return await _page(request, talk, message, None, None)


async def edit(request: Request) -> Response:
    """POST /messages/{id}/{message}/edit: a new version of an own message, for the same people."""
    talk, message = await _asked(request)
    ctx = context_of(request)
    form = await forms.read(request)
    typed: dict[str, Any] | None = None
    try:
        source = forms.text(form, "source")
        summary = forms.line(form, "summary", limit=listed.MAX_SUMMARY_CHARS)
        outside = listed.unasked(request, form, source, talk.people)
        typed = {"source": source, "summary": summary, "outside": outside}
        if outside:
            return await _page(request, talk, message, typed, None)
        vault = await vaults.of(request)
        await outbox.edit(ctx, message.id, source, summary=summary, vault=vault)
    except InvalidInput as problem:
        return await _page(request, talk, message, typed, problem)
    return RedirectResponse(f"/messages/{talk.conversation.id}#m{message.id}", 303)


async def delete(request: Request) -> Response:
    """POST /messages/{id}/{message}/delete: gone here; of an own one the others are asked, too."""
    talk, message = await _asked(request)
    await outbox.delete(context_of(request), message.id)
    return RedirectResponse(f"/messages/{talk.conversation.id}#end", 303)


async def _asked(request: Request) -> tuple[Talk, Message]:
    talk, message_id = await talks.asked(request), forms.path_id(request, "message")
    vault = await vaults.of(request)
    message = await context_of(request).db.read(
        lambda r: messages.by_id(r, message_id), vault=vault
    )
    if message is None or message.conversation_id != talk.conversation.id:
        raise NotFound("no such message")
    return talk, message


async def _page(
    request: Request,
    talk: Talk,
    message: Message,
    typed: dict[str, Any] | None,
    problem: InvalidInput | None,
) -> Response:
    ctx = context_of(request)

    def question(reader: Reader) -> tuple[list[Bubble], list[Bubble]]:
        before = messages.versions(reader, message.id)
        return (
            bubbles.of(request, reader, talk, [message]),
            bubbles.of(request, reader, talk, before),
        )

    now, before = await ctx.db.read(question, vault=await vaults.of(request))
    if not now:
        raise NotFound("no such message")
    draft = typed or {"source": message.source or "", "summary": message.summary, "outside": []}
    values = {
        "talk": talk,
        "bubble": now[0],
        "versions": before[::-1],
        "draft": draft,
        "problem": problem,
        **talks.readers(talk.people),
        "limit": ctx.config.limits.post_characters,
    }
    return await page(request, "message.html", values, status_code=422 if problem else 200)


owner_routes = [
    Route("/messages/{id}/{message}", show, methods=["GET"]),
    Route("/messages/{id}/{message}/edit", edit, methods=["POST"]),
    Route("/messages/{id}/{message}/delete", delete, methods=["POST"]),
]
