"""What the owner does not want to read for a while: people, conversations, servers."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi import words
from microfedi.errors import InvalidInput, NotFound
from microfedi.federation.outbox import mutes as outbox
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import actors, mutes, notes
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.mutes import MutedActor, MutedHost
from microfedi.storage.notes import Note
from microfedi.web import asked, cards, redirects
from microfedi.words import _

# For how long somebody is muted or blocked, in seconds; 0 is for good.
LASTING = (0, 3600, 24 * 3600, 7 * 24 * 3600, 30 * 24 * 3600)


def lasting() -> list[tuple[int, str]]:
    """Return `LASTING` with its words, for a menu."""
    return [(seconds, words.duration(seconds) or _("For good")) for seconds in LASTING]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A muted conversation: the first post of it that is here, and who wrote that."""

    note: Note
    author: Actor | None
    url: str
    until: datetime | None


def lasts(form: FormData) -> timedelta | None:
    """Return how long it shall last, None for good. Raises: InvalidInput."""
    if not form.get("lasts"):
        return None
    chosen = int(forms.one_of(form, "lasts", [str(seconds) for seconds in LASTING]))
    return timedelta(seconds=chosen) if chosen else None


async def ask_person(request: Request) -> Response:
    """GET /people/{id}/mute: for how long, and whether notifications are muted too."""
    ctx = context_of(request)
    actor_id = forms.path_id(request, "id")

    def question(reader: Reader) -> tuple[Actor | None, MutedActor | None]:
        return actors.by_id(reader, actor_id), mutes.of_actor(reader, actor_id, ctx.now())

    actor, muted = await ctx.db.read(question)
    if actor is None or actor.id == ctx.owner.actor_id:
        raise NotFound("nobody of that number who could be muted")
    values = {"actor": actor, "note": None, "muted": muted, "where": f"/people/{actor.id}"}
    return await page(request, "mute.html", {**values, "lasting": lasting()})


async def mute_person(request: Request) -> Response:
    """POST /people/{id}/mute."""
    form = await forms.read(request)
    actor_id = forms.path_id(request, "id")
    await outbox.mute(
        context_of(request),
        actor_id,
        lasts=lasts(form),
        with_notifications=forms.flag(form, "notifications"),
    )
    return RedirectResponse(f"/people/{actor_id}", 303)


async def unmute_person(request: Request) -> Response:
    """POST /people/{id}/unmute."""
    actor_id = forms.path_id(request, "id")
    await outbox.unmute(context_of(request), actor_id)
    return await _back(request, f"/people/{actor_id}")


async def ask_thread(request: Request) -> Response:
    """GET /posts/{id}/mute: for how long its conversation shall be muted."""
    ctx = context_of(request)
    note = await asked.row(request, notes.by_id)
    muted = await ctx.db.read(lambda r: mutes.of_thread(r, note.thread_id, ctx.now()))
    values = {"actor": None, "note": note, "muted": muted, "where": cards.url_of(note, ctx.owner)}
    return await page(request, "mute.html", {**values, "lasting": lasting()})


async def mute_thread(request: Request) -> Response:
    """POST /posts/{id}/mute."""
    ctx = context_of(request)
    note = await asked.row(request, notes.by_id)
    await outbox.mute_thread(ctx, note.id, lasts=lasts(await forms.read(request)))
    return RedirectResponse(cards.url_of(note, ctx.owner), 303)


async def unmute_thread(request: Request) -> Response:
    """POST /posts/{id}/unmute."""
    ctx = context_of(request)
    note = await asked.row(request, notes.by_id)
    await outbox.unmute_thread(ctx, note.id)
    return await _back(request, cards.url_of(note, ctx.owner))


async def show(request: Request) -> Response:
    """GET /settings/mutes: everything that is muted."""
    return await _page(request, "", None)


async def mute_server(request: Request) -> Response:
    """POST /settings/mutes: mute a server and all below its name."""
    form = await forms.read(request)
    host = ""
    try:
        host = forms.line(form, "host", limit=253)
        await outbox.mute_host(context_of(request), host, lasts=lasts(form))
    except InvalidInput as problem:
        return await _page(request, host, problem)
    return RedirectResponse("/settings/mutes", 303)


async def unmute_server(request: Request) -> Response:
    """POST /settings/mutes/remove."""
    form = await forms.read(request)
    await outbox.unmute_host(context_of(request), forms.line(form, "host", limit=253))
    return RedirectResponse("/settings/mutes", 303)


async def _page(request: Request, host: str, problem: InvalidInput | None) -> Response:
    ctx = context_of(request)
    now = ctx.now()

    def question(reader: Reader) -> tuple[list[MutedActor], list[Conversation], list[MutedHost]]:
        threads = mutes.muted_threads(reader, now)
        found = notes.by_ids(reader, [one.note_id for one in threads])
        people = actors.by_ids(reader, {note.actor_id for note in found.values()})
        conversations = []
        for one in threads:
            note = found[one.note_id]
            url = cards.url_of(note, ctx.owner)
            conversations.append(Conversation(note, people.get(note.actor_id), url, one.until))
        return mutes.muted_actors(reader, now), conversations, mutes.muted_hosts(reader, now)

    people, conversations, hosts = await ctx.db.read(question)
    values: dict[str, Any] = {
        "people": people,
        "conversations": conversations,
        "hosts": hosts,
        "host": host,
        "problem": problem,
        "lasting": lasting(),
    }
    return await page(request, "settings_mutes.html", values, status_code=422 if problem else 200)


async def _back(request: Request, fallback: str) -> Response:
    form = await forms.read(request)
    return RedirectResponse(redirects.local(forms.text(form, "next"), fallback), 303)


owner_routes = [
    Route("/people/{id}/mute", ask_person, methods=["GET"]),
    Route("/people/{id}/mute", mute_person, methods=["POST"]),
    Route("/people/{id}/unmute", unmute_person, methods=["POST"]),
    Route("/posts/{id}/mute", ask_thread, methods=["GET"]),
    Route("/posts/{id}/mute", mute_thread, methods=["POST"]),
    Route("/posts/{id}/unmute", unmute_thread, methods=["POST"]),
    Route("/settings/mutes", show, methods=["GET"]),
    Route("/settings/mutes", mute_server, methods=["POST"]),
    Route("/settings/mutes/remove", unmute_server, methods=["POST"]),
]
