"""Messages: a place of their own, with the people named and the servers that could read along."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import InvalidInput, NotFound, ProtocolError, RemoteError
from microfedi.federation import lookup
from microfedi.federation.outbox import conversations as outbox_conversations
from microfedi.federation.outbox import messages as outbox
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol import webfinger
from microfedi.storage import actors, blocks, conversations, encrypted, messages
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.encrypted import Pile
from microfedi.storage.conversations import Conversation
from microfedi.storage.messages import Message
from microfedi.web import shown
from microfedi.web.shown import Shown

PAGE_CONVERSATIONS = 50
PAGE_MESSAGES = 50
MAX_PEOPLE = 20  # in one conversation: more is a mailing list, and nobody reads that many names


@dataclass(frozen=True, slots=True)
class Bubble:
    """A message in its conversation."""

    message: Message
    author: Actor
    is_mine: bool
    pictures: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation in the list, or open."""

    conversation: Conversation
    people: tuple[Actor, ...]
    last: Message | None = None

    @property
    def names(self) -> str:
        """The people as a line."""
        return ", ".join(actor.name or actor.username for actor in self.people)


async def show_all(request: Request) -> Response:
    """GET /messages: the open conversations, and strangers' first messages apart from them."""
    ctx = context_of(request)

    def question(reader: Reader) -> tuple[list[Talk], list[Talk]]:
        return (
            _talks(reader, conversations.page(reader, state="open", limit=PAGE_CONVERSATIONS, now=ctx.now())),
            _talks(
                reader, conversations.page(reader, state="request", limit=PAGE_CONVERSATIONS, now=ctx.now())
            ),
        )

    talks, requests = await ctx.db.read(question)
    sealed = await ctx.db.read(_piles)
    values = {"talks": talks, "requests": requests, "piles": sealed}
    return await page(request, "messages.html", values)


def _piles(reader: Reader) -> list[tuple[Actor, Pile]]:
    """From whom something end-to-end encrypted has come; not of whom the owner has blocked."""
    found = encrypted.piles(reader, limit=PAGE_CONVERSATIONS)
    people = actors.by_ids(reader, {one.actor_id for one in found})
    return [
        (people[one.actor_id], one)
        for one in found
        if one.actor_id in people and not blocks.is_blocked(reader, people[one.actor_id].uri)
    ]


async def delete_encrypted(request: Request) -> Response:
    """POST /messages/encrypted/{id}/delete: everything encrypted that came from somebody."""
    actor_id = forms.path_id(request, "id")
    await context_of(request).db.write(lambda tx: encrypted.delete_of(tx, actor_id))
    return RedirectResponse("/messages", 303)


def _talks(reader: Reader, found: Sequence[Conversation]) -> list[Talk]:
    people = actors.by_ids(reader, {one for c in found for one in c.people})
    last = messages.by_ids(reader, {c.last_message_id for c in found})
    return [
        Talk(
            c,
            tuple(people[one] for one in c.people if one in people),
            last.get(c.last_message_id),
        )
        for c in found
    ]


async def show(request: Request) -> Response:
    """GET /messages/{id}: a conversation, the newest at the bottom, and the box to answer."""
    talk = await _talk(request)
    return await _open(request, talk, {"source": ""}, None)


async def send(request: Request) -> Response:
    """POST /messages/{id}: to the people of the conversation and nobody else."""
    ctx = context_of(request)
    talk = await _talk(request)
    form = await forms.read(request)
    source = ""
    try:
        source = forms.text(form, "source")
        if talk.conversation.state == "request":
            raise InvalidInput("source", "Accept the conversation before you answer.")
        await outbox.send(ctx, [actor.id for actor in talk.people], source)
    except InvalidInput as problem:
        return await _open(request, talk, {"source": source}, problem)
    return RedirectResponse(f"/messages/{talk.conversation.id}#end", 303)


async def show_new(request: Request) -> Response:
    """GET /messages/new: to whom, and what."""
    ctx = context_of(request)
    to = ""
    actor_id = forms.query_id(request, "to")
    if actor_id is not None:
        actor = await ctx.db.read(lambda r: actors.by_id(r, actor_id))
        if actor is not None and actor.id != ctx.owner.actor_id:
            found = await ctx.db.read(lambda r: conversations.find(r, [actor.id]))
            if found is not None:
                return RedirectResponse(f"/messages/{found}#end", 303)
            to = actor.address
    return await _new(request, {"to": to, "source": "", "people": []}, None)


async def submit_new(request: Request) -> Response:
    """POST /messages/new: first the people are looked up and named; sending is a second step."""
    ctx = context_of(request)
    form = await forms.read(request)
    shown: dict[str, Any] = {"to": "", "source": "", "people": []}
    try:
        shown["to"] = forms.line(form, "to", limit=2000)
        shown["source"] = forms.text(form, "source")
        shown["people"] = people = await _people(request, shown["to"])
        confirmed = forms.texts(form, "person", limit=20, most=MAX_PEOPLE)
        if sorted(confirmed) != sorted(str(actor.id) for actor in people):
            return await _new(request, shown, None)
        message = await outbox.send(ctx, [actor.id for actor in people], shown["source"])
    except InvalidInput as problem:
        return await _new(request, shown, problem)
    return RedirectResponse(f"/messages/{message.conversation_id}#end", 303)


async def accept(request: Request) -> Response:
    """POST /messages/{id}/accept: the stranger is a stranger no longer."""
    talk = await _talk(request)
    await outbox_conversations.accept(context_of(request), talk.conversation.id)
    return RedirectResponse(f"/messages/{talk.conversation.id}", 303)


async def remove(request: Request) -> Response:
    """POST /messages/{id}/remove: delete the copy of a conversation, or decline a request."""
    talk = await _talk(request)
    await outbox_conversations.remove(context_of(request), talk.conversation.id)
    return RedirectResponse("/messages", 303)


async def edit(request: Request) -> Response:
    """POST /messages/{id}/{message}/edit: a new version of an own message."""
    ctx = context_of(request)
    talk, message = await _own_message(request)
    form = await forms.read(request)
    try:
        await outbox.edit(ctx, message.id, forms.text(form, "source"))
    except InvalidInput as problem:
        return await _open(request, talk, {"source": ""}, problem)
    return RedirectResponse(f"/messages/{talk.conversation.id}#m{message.id}", 303)


async def delete(request: Request) -> Response:
    """POST /messages/{id}/{message}/delete: gone here, and the others are asked to forget it."""
    talk, message = await _own_message(request)
    await outbox.delete(context_of(request), message.id)
    return RedirectResponse(f"/messages/{talk.conversation.id}", 303)


async def _talk(request: Request) -> Talk:
    conversation_id = forms.path_id(request, "id")
    now = context_of(request).now()

    def question(reader: Reader) -> Talk | None:
        found = conversations.by_id(reader, conversation_id, now=now)
        return _talks(reader, [found])[0] if found else None

    talk = await context_of(request).db.read(question)
    if talk is None:
        raise NotFound("no such conversation")
    return talk


async def _own_message(request: Request) -> tuple[Talk, Message]:
    ctx = context_of(request)
    talk, message_id = await _talk(request), forms.path_id(request, "message")
    message = await ctx.db.read(lambda r: messages.by_id(r, message_id))
    if (
        message is None
        or message.conversation_id != talk.conversation.id
        or message.actor_id != ctx.owner.actor_id
    ):
        raise NotFound("no such message of the owner's")
    return talk, message


async def _people(request: Request, to: str) -> list[Actor]:
    ctx = context_of(request)
    handles = [part for part in to.replace(",", " ").split() if part]
    if not handles:
        raise InvalidInput("to", "To whom? An address looks like @name@server.example.")
    if len(handles) > MAX_PEOPLE:
        raise InvalidInput("to", "At most %(limit)s people.", limit=MAX_PEOPLE)
    people: dict[int, Actor] = {}
    for text in handles:
        handle = webfinger.parse_handle(text)
        if handle is None:
            raise InvalidInput(
                "to", "%(text)s is no address; one looks like @name@server.example.", text=text
            )
        try:
            actor = await lookup.by_handle(ctx, str(handle))
        except (NotFound, RemoteError, ProtocolError) as error:
            raise InvalidInput(
                "to", "%(text)s was not found: %(error)s", text=text, error=error
            ) from error
        if actor.id == ctx.owner.actor_id:
            raise InvalidInput("to", "You are in every conversation of yours already.")
        people[actor.id] = actor
    return list(people.values())


async def _open(
    request: Request, talk: Talk, draft: dict[str, Any], problem: InvalidInput | None
) -> Response:
    ctx = context_of(request)
    owner_id = ctx.owner.actor_id
    before = forms.query_id(request, "before")

    def question(reader: Reader) -> tuple[list[Bubble], str]:
        found = messages.page(reader, talk.conversation.id, before=before, limit=PAGE_MESSAGES)
        people = actors.by_ids(reader, {m.actor_id for m in found})
        bubbles = [
            Bubble(
                m,
                people[m.actor_id],
                m.actor_id == owner_id,
                shown.of(reader, m.attachments, is_ours=m.public_id is not None)[0],
            )
            for m in found
            if m.actor_id in people
        ]
        older = f"?before={found[0].id}" if len(found) == PAGE_MESSAGES else ""
        return bubbles, older

    bubbles, older = await ctx.db.read(question)
    if talk.conversation.unread and talk.conversation.state == "open":
        await ctx.db.write(lambda tx: conversations.mark_read(tx, talk.conversation.id))
    values = {
        "talk": talk,
        "bubbles": bubbles,
        "older": older,
        "draft": draft,
        "problem": problem,
        "servers": _servers(talk.people),
        "limit": ctx.config.limits.post_characters,
    }
    return await page(request, "conversation.html", values, status_code=422 if problem else 200)


async def _new(request: Request, shown: dict[str, Any], problem: InvalidInput | None) -> Response:
    ctx = context_of(request)
    values = {
        "draft": shown,
        "servers": _servers(shown["people"]),
        "problem": problem,
        "limit": ctx.config.limits.post_characters,
    }
    return await page(request, "message_new.html", values, status_code=422 if problem else 200)


def _servers(people: Sequence[Actor]) -> list[str]:
    """Whose operators could read a message to these people."""
    return sorted({actor.host for actor in people})


owner_routes = [
    Route("/messages/encrypted/{id}/delete", delete_encrypted, methods=["POST"]),
    Route("/messages", show_all, methods=["GET"]),
    Route("/messages/new", show_new, methods=["GET"]),
    Route("/messages/new", submit_new, methods=["POST"]),
    Route("/messages/{id}", show, methods=["GET"]),
    Route("/messages/{id}", send, methods=["POST"]),
    Route("/messages/{id}/accept", accept, methods=["POST"]),
    Route("/messages/{id}/remove", remove, methods=["POST"]),
    Route("/messages/{id}/{message}/edit", edit, methods=["POST"]),
    Route("/messages/{id}/{message}/delete", delete, methods=["POST"]),
]
