"""Reports: the owner's about somebody, and others' about the owner."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation.outbox import reports as outbox
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol.vocab import Visibility
from microfedi.storage import actors, note_lists, notes, reports
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note
from microfedi.storage.reports import Report
from microfedi.web import cards

SHOWN = 40  # reports on a page
OFFERED = 20  # of somebody's posts, the last ones, to be ticked


@dataclass(frozen=True, slots=True)
class Thing:
    """What a report names: a post or a person that we know, or an address alone."""

    uri: str
    url: str
    note: Note | None
    person: Actor | None


@dataclass(frozen=True, slots=True)
class Told:
    """A report with what it names. `by` is who sent it; of the owner's whom it is about."""

    report: Report
    by: Actor | None
    things: Sequence[Thing]


async def ask(request: Request) -> Response:
    """GET /people/{id}/report: what is wrong, and which posts; `post` is ticked already."""
    ticked = forms.query_id(request, "post")
    return await _form(request, {ticked} if ticked else set(), "", None)


async def send(request: Request) -> Response:
    """POST /people/{id}/report."""
    form = await forms.read(request)
    ticked: set[int] = set()
    comment = ""
    try:
        values = forms.texts(form, "post", limit=20, most=outbox.MAX_POSTS)
        ticked = {int(one) for one in values if one.isascii() and one.isdigit() and len(one) < 19}
        comment = forms.text(form, "comment", limit=reports.MAX_CONTENT_CHARS)
        await outbox.report(
            context_of(request), forms.path_id(request, "id"), note_ids=ticked, comment=comment
        )
    except InvalidInput as problem:
        return await _form(request, ticked, comment, problem)
    return RedirectResponse("/settings/reports", 303)


async def show(request: Request) -> Response:
    """GET /settings/reports: what arrived and what was sent, the newest first."""
    ctx = context_of(request)
    before = forms.query_id(request, "before")

    def question(reader: Reader) -> tuple[list[Told], str]:
        found = reports.page(reader, before_id=before, limit=SHOWN)
        people = actors.by_ids(reader, {one.actor_id for one in found if one.actor_id})
        told = [
            Told(
                one,
                people.get(one.actor_id) if one.actor_id else None,
                [_thing(reader, uri, ctx.owner.uri) for uri in one.object_uris[: outbox.MAX_POSTS]],
            )
            for one in found
        ]
        older = f"/settings/reports?before={found[-1].id}" if len(found) == SHOWN else ""
        return told, older

    def _thing(reader: Reader, uri: str, owner_uri: str) -> Thing:
        note = notes.by_uri(reader, uri)
        if note is not None:
            return Thing(uri, cards.url_of(note, ctx.owner), note, None)
        person = actors.by_uri(reader, uri)
        if person is None:
            return Thing(uri, "", None, None)
        url = f"/@{person.username}" if uri == owner_uri else f"/people/{person.id}"
        return Thing(uri, url, None, person)

    told, older = await ctx.db.read(question)
    return await page(request, "settings_reports.html", {"told": told, "older": older})


async def _form(
    request: Request, ticked: set[int], comment: str, problem: InvalidInput | None
) -> Response:
    ctx = context_of(request)
    actor_id = forms.path_id(request, "id")

    def question(reader: Reader) -> tuple[Actor | None, list[Note]]:
        theirs = note_lists.by_actor(
            reader,
            actor_id,
            visibilities=[one for one in Visibility if one is not Visibility.DIRECT],
            limit=OFFERED,
        )
        known = {note.id for note in theirs}
        more = notes.by_ids(reader, ticked - known).values()
        older = [note for note in more if note.actor_id == actor_id]
        return actors.by_id(reader, actor_id), [*older, *theirs]

    actor, offered = await ctx.db.read(question)
    if actor is None or actor.id == ctx.owner.actor_id:
        raise NotFound("nobody of that number who could be reported")
    values = {
        "actor": actor,
        "offered": offered,
        "ticked": ticked,
        "comment": comment,
        "problem": problem,
        "limit": reports.MAX_CONTENT_CHARS,
    }
    return await page(request, "report.html", values, status_code=422 if problem else 200)


owner_routes = [
    Route("/people/{id}/report", ask, methods=["GET"]),
    Route("/people/{id}/report", send, methods=["POST"]),
    Route("/settings/reports", show, methods=["GET"]),
]
