"""Notifications: who did something that concerns the owner."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import actors, notes, notifications
from microfedi.storage import owner as owner_storage
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.notifications import Kind, Notification
from microfedi.web import cards
from microfedi.web.cards import Card

PAGE_NOTIFICATIONS = 40


@dataclass(frozen=True, slots=True)
class Told:
    """A notification with what it is about."""

    notification: Notification
    actor: Actor
    card: Card | None


async def show(request: Request) -> Response:
    """GET /notifications: newest first; those since the last look are above the divider."""
    ctx = context_of(request)
    owner = ctx.owner
    before = forms.query_id(request, "before")
    mentions_only = request.query_params.get("show") == "mentions"
    kinds: tuple[Kind, ...] | None = ("mention",) if mentions_only else None

    def question(reader: Reader) -> tuple[list[Told], int, int]:
        found = notifications.page(
            reader, before_id=before, limit=PAGE_NOTIFICATIONS, kinds=kinds, now=ctx.now()
        )
        people = actors.by_ids(reader, {one.actor_id for one in found})
        posts = notes.by_ids(reader, {one.note_id for one in found if one.note_id})
        shown = {c.note.id: c for c in cards.of_notes(reader, list(posts.values()), owner)}
        told = [
            Told(one, people[one.actor_id], shown.get(one.note_id) if one.note_id else None)
            for one in found
            if one.actor_id in people
        ]
        oldest = found[-1].id if len(found) == PAGE_NOTIFICATIONS else 0
        return told, notifications.newest_id(reader), oldest

    told, newest, oldest = await ctx.db.read(question)
    tab = "&show=mentions" if mentions_only else ""
    values = {
        "told": told,
        "read_id": owner.notifications_read_id,
        "mentions_only": mentions_only,
        "older": f"/notifications?before={oldest}{tab}" if oldest else "",
    }
    response = await page(request, "notifications.html", values)
    if newest > owner.notifications_read_id and "prefetch" not in request.headers.get(
        "sec-purpose", ""
    ):
        await ctx.db.write(lambda tx: owner_storage.set_notifications_read(tx, newest))
        await ctx.reload_owner()
    return response


owner_routes = [Route("/notifications", show, methods=["GET"])]
