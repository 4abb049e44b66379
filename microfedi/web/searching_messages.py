"""The search's tab of messages: with the vault open in this session alone, and page by page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from starlette.requests import Request

from microfedi.http import forms, vaults
from microfedi.http.context import context_of
from microfedi.storage import message_search
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.messages import Message
from microfedi.storage.search import Query
from microfedi.web import searching, talks
from microfedi.web.searching import Asked
from microfedi.web.talks import Talk
from microfedi.words import _

MAX_BATCHES = 2  # opened for one page: some tenths of a second of a small machine
PAGE_MESSAGES = 20
MAX_SHOWN_CHARS = 240  # of a message: it has a page of its own
BEFORE_CHARS = 60  # shown before the first word that was found


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that was found: in which conversation, whose face and what of it is shown."""

    message: Message
    face: Actor | None
    talk: Talk
    excerpt: str


@dataclass(frozen=True, slots=True)
class Hits:
    """A page of them. `before` is where the next begins; `is_cut`: so many were opened already."""

    hits: Sequence[Hit]
    remarks: Sequence[str]
    before: int | None
    is_cut: bool


async def found(request: Request, asked: Asked) -> Hits:
    """Search the messages, batch by batch: others are answered in between.

    Raises: Locked if the vault is not open in this session.
    """
    ctx = context_of(request)
    vault = await vaults.needed(request)
    asked = await ctx.db.read(lambda r: searching.with_names(r, asked, ctx.owner))
    query = message_search.without_posts(asked.query)
    remarks = list(asked.remarks)
    if query != asked.query:
        remarks.append(_("“in:”, “is:boosted” and “has:quote” are about posts: left out here."))
    before = forms.query_id(request, "before")
    messages: list[Message] = []
    for _batch in range(MAX_BATCHES):
        look = partial(message_search.step, query=query, before=before)
        step = await ctx.db.read(look, vault=vault)
        messages += step.messages
        before = step.before
        if before is None or len(messages) >= PAGE_MESSAGES:
            break
    if len(messages) > PAGE_MESSAGES:
        del messages[PAGE_MESSAGES:]
        before = messages[-1].id
    hits = await ctx.db.read(lambda r: _hits(r, request, messages, query), vault=vault)
    is_cut = before is not None and len(messages) < PAGE_MESSAGES
    return Hits(hits, remarks, before, is_cut)


def _hits(reader: Reader, request: Request, found: Sequence[Message], query: Query) -> list[Hit]:
    ctx = context_of(request)
    if not found:
        return []
    known = talks.by_ids(reader, {one.conversation_id for one in found}, now=ctx.now())
    people = {one.id: one for talk in known.values() for one in talk.people}
    return [
        Hit(one, people.get(one.actor_id) or _face(talk), talk, _excerpt(one, query))
        for one in found
        if (talk := known.get(one.conversation_id)) is not None
    ]


def _face(talk: Talk) -> Actor | None:
    """Return the face of a conversation, as in the list of them: for what the owner wrote."""
    return talk.people[0] if talk.people else None


def _excerpt(message: Message, query: Query) -> str:
    """Return the part of a message where the first word was found; of one with a warning, that."""
    said = message.summary or " ".join(message_search.text_of(message).split())
    words = [re.escape(one.text.rstrip("*")) for one in query.terms if not one.is_excluded]
    match = re.search("|".join(words), said, re.IGNORECASE) if words else None
    start = max(0, match.start() - BEFORE_CHARS) if match else 0
    if start:
        start = said.find(" ", start, start + BEFORE_CHARS) + 1 or start
    cut = said[start : start + MAX_SHOWN_CHARS]
    return f"{'…' if start else ''}{cut}{'…' if start + len(cut) < len(said) else ''}"
