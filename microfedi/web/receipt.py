"""How far a post of the owner's has come, server by server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.errors import NotFound
from microfedi.federation import prune
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol.vocab import Visibility
from microfedi.storage import actors, followers, notes, receipts
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note
from microfedi.storage.receipts import Server
from microfedi.web import cards, troubles

MAX_NAMES = 800  # servers that have it: names alone
MAX_TROUBLES = 60  # servers that do not, with why; the others are counted
MAX_LEFT_OUT = 50  # people


@dataclass(frozen=True, slots=True)
class Found:
    """A post's receipt. `left_out` are people who are never sent to, as it is today."""

    note: Note
    servers: Sequence[Server]
    sent_at: datetime | None
    left_out: Sequence[Actor]


async def show(request: Request) -> Response:
    """GET /posts/{id}/receipt: of the owner's own posts alone."""
    ctx = context_of(request)
    note_id = forms.path_id(request, "id")

    def question(reader: Reader) -> Found:
        note = notes.by_id(reader, note_id)
        if note is None or note.actor_id != ctx.owner.actor_id:
            raise NotFound("no post of the owner's of that number")
        return Found(
            note,
            receipts.servers(reader, note.id),
            receipts.sent_at(reader, note.id),
            _left_out(reader, note),
        )

    found = await ctx.db.read(question)
    by_state = {
        state: [one for one in found.servers if one.state == state]
        for state in ("sent", "pending", "dropped")
    }
    values = {
        "note": found.note,
        "url": cards.url_of(found.note, ctx.owner),
        "servers": by_state,
        "total": len(found.servers),
        "most_names": MAX_NAMES,
        "most": MAX_TROUBLES,
        "sent_at": found.sent_at,
        "left_out": found.left_out,
        "reasons": {one.host: troubles.in_words(one.problem) for one in found.servers},
        "kept_days": prune.RECEIPTS_FOR.days,
        "is_kept": found.sent_at is not None
        or ctx.now() - found.note.received_at < prune.RECEIPTS_FOR,
        "federates": ctx.config.federates,
    }
    return await page(request, "receipt.html", values)


def _left_out(reader: Reader, note: Note) -> list[Actor]:
    """Return who is named in a post, or follows, and is never sent to: gone, or blocked."""
    named = actors.by_uris(reader, {mention.href for mention in note.mentions})
    left = followers.unreachable(
        reader,
        named=[one.id for one in named.values()],
        with_followers=note.visibility.is_open or note.visibility is Visibility.FOLLOWERS,
        limit=MAX_LEFT_OUT,
    )
    return list(left)


owner_routes = [Route("/posts/{id}/receipt", show, methods=["GET"])]
