"""Messages: a place of their own. The list of conversations, and how a new one begins."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import InvalidInput
from microfedi.federation.outbox import messages as outbox
from microfedi.http import forms, vaults
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import actors, blocks, conversations, encrypted, message_drafts
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.encrypted import Pile
from microfedi.storage.message_drafts import Draft
from microfedi.web import attachments, talks
from microfedi.web.talks import Talk

PAGE_CONVERSATIONS = 40
MAX_TO_CHARS = 2000  # twenty addresses, long ones
MAX_SUMMARY_CHARS = 500


@dataclass(frozen=True, slots=True)
class Listed:
    """The page of conversations. `older` is where the next one begins."""

    talks: list[Talk]
    requests: int
    piles: list[tuple[Actor, Pile]]
    has_draft: bool
    older: str


async def show_all(request: Request) -> Response:
    """GET /messages: the open conversations, the one with the newest message first."""
    ctx = context_of(request)
    before = forms.query_id(request, "before")

    def question(reader: Reader) -> Listed:
        found = conversations.page(
            reader, state="open", before=before, limit=PAGE_CONVERSATIONS, now=ctx.now()
        )
        is_full = len(found) == PAGE_CONVERSATIONS
        return Listed(
            talks.of(reader, found),
            0 if before else conversations.requests(reader),
            [] if before else _piles(reader),
            not before and not message_drafts.get(reader, None).is_empty,
            f"?before={found[-1].last_message_id}" if is_full else "",
        )

    listed = await ctx.db.read(question, vault=await vaults.of(request))
    return await page(request, "messages.html", {"listed": listed})


def _piles(reader: Reader) -> list[tuple[Actor, Pile]]:
    """From whom something end-to-end encrypted has come; not of whom the owner has blocked."""
    found = encrypted.piles(reader, limit=PAGE_CONVERSATIONS)
    if not found:
        return []
    people = actors.by_ids(reader, {one.actor_id for one in found})
    blocked = blocks.blocked_of(reader, [actor.uri for actor in people.values()])
    return [
        (people[one.actor_id], one)
        for one in found
        if one.actor_id in people and people[one.actor_id].uri not in blocked
    ]


async def delete_encrypted(request: Request) -> Response:
    """POST /messages/encrypted/{id}/delete: everything encrypted that came from somebody."""
    actor_id = forms.path_id(request, "id")
    await context_of(request).db.write(lambda tx: encrypted.delete_of(tx, actor_id))
    return RedirectResponse("/messages", 303)


async def show_new(request: Request) -> Response:
    """GET /messages/new: to whom. `to` is somebody, `with` a conversation to add somebody to."""
    ctx = context_of(request)
    actor_id, with_id = forms.query_id(request, "to"), forms.query_id(request, "with")

    def question(reader: Reader) -> tuple[int | None, Draft]:
        draft = message_drafts.get(reader, None)
        if actor_id is not None:
            actor = actors.by_id(reader, actor_id)
            if actor is not None and actor.id != ctx.owner.actor_id:
                return conversations.find(reader, [actor.id]), replace(draft, to=actor.address)
        if with_id is not None:
            found = conversations.by_id(reader, with_id, now=ctx.now())
            if found is not None:
                (talk,) = talks.of(reader, [found])
                return None, replace(draft, to=talk.addresses)
        return None, draft

    known, draft = await ctx.db.read(question, vault=await vaults.of(request))
    if known is not None:
        return RedirectResponse(f"/messages/{known}#end", 303)
    shown = empty() | {"to": draft.to, "source": draft.source, "summary": draft.summary}
    return await _new(request, shown, None, is_adding=with_id is not None)


async def submit_new(request: Request) -> Response:
    """POST /messages/new: first the people are looked up and named; sending is a second step.

    Who is named is compared with who was shown: whoever changes the people is shown them again.
    """
    ctx = context_of(request)
    form = await forms.read(request)
    await vaults.of(request)  # sending needs no secret, but whoever writes is looking
    shown = empty()
    try:
        also = forms.line(form, "also", limit=MAX_TO_CHARS)  # named in the text, and then asked for
        shown["to"] = f"{forms.line(form, 'to', limit=MAX_TO_CHARS)} {also}".strip()
        shown["source"] = source = forms.text(form, "source")
        shown |= typed(form)
        shown["people"] = people = await talks.people_in(request, shown["to"])
        confirmed = forms.texts(form, "person", limit=20, most=talks.MAX_PEOPLE)
        if sorted(confirmed) != sorted(str(actor.id) for actor in people):
            return await _new(request, shown, None)
        shown["outside"] = unasked(request, form, source, people)
        if shown["outside"]:
            return await _new(request, shown, None)
        message = await outbox.send(
            ctx,
            [actor.id for actor in people],
            source,
            await attachments.read(form, ctx.config.limits),
            summary=shown["summary"],
            sensitive=shown["sensitive"],
        )
        await ctx.db.write(lambda tx: message_drafts.remove(tx, None))
    except InvalidInput as problem:
        return await _new(request, shown, problem)
    return RedirectResponse(f"/messages/{message.conversation_id}#end", 303)


async def keep_draft(request: Request) -> Response:
    """POST /messages/new/draft: what has been typed so far of a new message."""
    form = await forms.read(request)
    draft = Draft(
        forms.text(form, "source"),
        forms.line(form, "summary", limit=MAX_SUMMARY_CHARS),
        forms.line(form, "to", limit=MAX_TO_CHARS),
    )
    await context_of(request).db.write(lambda tx: message_drafts.put(tx, None, draft))
    return kept(request, "/messages")


def typed(form: Any) -> dict[str, Any]:
    """Return what was typed beside the text, to show it again. Raises: InvalidInput."""
    return {
        "summary": forms.line(form, "summary", limit=MAX_SUMMARY_CHARS),
        "sensitive": forms.flag(form, "sensitive"),
        "alts": attachments.alts(form),
    }


def unasked(request: Request, form: Any, source: str, people: Sequence[Actor]) -> list[str]:
    """Return the handles in a text that get nothing, unless the owner has been told of just them.

    Raises: InvalidInput.
    """
    ctx = context_of(request)
    own = f"@{ctx.owner.handle}@{ctx.config.domain}"
    named = talks.outside(source, people, own)
    told = forms.text(form, "as_text", limit=10_000).split()
    return [] if set(named) <= set(told) else named


def kept(request: Request, back: str) -> Response:
    """Answer a draft: nothing to a script, the page it belongs to to a person."""
    if request.headers.get("sec-fetch-dest") == "empty":
        return Response(status_code=204)
    return RedirectResponse(back, 303)


def empty() -> dict[str, Any]:
    """Return what is in the form for a message before anything is typed."""
    beside = {"alts": [], "sensitive": False, "outside": [], "at": ""}
    return {"to": "", "source": "", "summary": "", "people": [], **beside}


async def _new(
    request: Request,
    shown: dict[str, Any],
    problem: InvalidInput | None,
    *,
    is_adding: bool = False,
) -> Response:
    ctx = context_of(request)
    people: list[Actor] = shown["people"]
    values = {
        "draft": shown,
        "people": people,
        **talks.readers(people),
        "problem": problem,
        "limit": ctx.config.limits.post_characters,
        "is_adding": is_adding,
    }
    return await page(request, "message_new.html", values, status_code=422 if problem else 200)


owner_routes = [
    Route("/messages/encrypted/{id}/delete", delete_encrypted, methods=["POST"]),
    Route("/messages", show_all, methods=["GET"]),
    Route("/messages/new", show_new, methods=["GET"]),
    Route("/messages/new", submit_new, methods=["POST"]),
    Route("/messages/new/draft", keep_draft, methods=["POST"]),
]
