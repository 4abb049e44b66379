"""Circles: some of the followers, under a name, whom a post can be for."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import InvalidInput
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol import ids
from microfedi.storage import circles, followers
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.web import asked

PAGE_PEOPLE = 100  # followers who are offered at once; one form takes no more fields
MAX_TYPED_CHARS = 200  # of a name, before it is said that it is too long


async def show_all(request: Request) -> Response:
    """GET /circles."""
    return await _list(request, "", None)


async def create(request: Request) -> Response:
    """POST /circles: a new one, empty."""
    ctx = context_of(request)
    form = await forms.read(request)
    name = ""
    try:
        name = forms.line(form, "name", limit=MAX_TYPED_CHARS)
        now, public_id = ctx.now(), ids.public_id()
        circle_id = await ctx.db.write(lambda tx: circles.create(tx, public_id, name, now))
    except InvalidInput as problem:
        return await _list(request, name, problem)
    return RedirectResponse(f"/circles/{circle_id}", 303)


async def show(request: Request) -> Response:
    """GET /circles/{id}: who is in it, and who could be."""
    return await _one(request, None)


async def rename(request: Request) -> Response:
    """POST /circles/{id}: another name."""
    circle = await asked.row(request, circles.by_id)
    form = await forms.read(request)
    try:
        name = forms.line(form, "name", limit=MAX_TYPED_CHARS)
        await context_of(request).db.write(lambda tx: circles.rename(tx, circle, name))
    except InvalidInput as problem:
        return await _one(request, problem)
    return RedirectResponse(f"/circles/{circle.id}", 303)


async def delete(request: Request) -> Response:
    """POST /circles/{id}/delete."""
    circle = await asked.row(request, circles.by_id)
    await context_of(request).db.write(lambda tx: circles.delete(tx, circle.id))
    return RedirectResponse("/circles", 303)


async def add(request: Request) -> Response:
    """POST /circles/{id}/add: take the followers in who are ticked."""
    circle = await asked.row(request, circles.by_id)
    form = await forms.read(request)

    try:
        people = forms.row_ids(form, "person", most=PAGE_PEOPLE)
        await context_of(request).db.write(lambda tx: circles.add(tx, circle.id, people))
    except InvalidInput as problem:
        return await _one(request, problem)
    return RedirectResponse(f"/circles/{circle.id}", 303)


async def remove(request: Request) -> Response:
    """POST /circles/{id}/remove: take somebody out."""
    circle = await asked.row(request, circles.by_id)
    person = forms.row_id(await forms.read(request), "person")
    await context_of(request).db.write(lambda tx: circles.remove(tx, circle.id, person))
    return RedirectResponse(f"/circles/{circle.id}", 303)


async def _list(request: Request, name: str, problem: InvalidInput | None) -> Response:
    found = await context_of(request).db.read(circles.everyone)
    values = {"circles": found, "name": name, "problem": problem}
    return await page(request, "circles.html", values, status_code=422 if problem else 200)


async def _one(request: Request, problem: InvalidInput | None) -> Response:
    circle = await asked.row(request, circles.by_id)
    before = forms.query_id(request, "before")

    def question(reader: Reader) -> tuple[list[Actor], list[Actor]]:
        offered = followers.accepted(reader, before_id=before, limit=PAGE_PEOPLE)
        return circles.people(reader, circle.id), offered

    people, offered = await context_of(request).db.read(question)
    inside = {one.id for one in people}
    more = f"/circles/{circle.id}?before={offered[-1].id}" if len(offered) == PAGE_PEOPLE else ""
    values: dict[str, Any] = {
        "circle": circle,
        "people": people,
        "offered": [one for one in offered if one.id not in inside],
        "older": more,
        "problem": problem,
    }
    return await page(request, "circle.html", values, status_code=422 if problem else 200)


owner_routes = [
    Route("/circles", show_all, methods=["GET"]),
    Route("/circles", create, methods=["POST"]),
    Route("/circles/{id}", show, methods=["GET"]),
    Route("/circles/{id}", rename, methods=["POST"]),
    Route("/circles/{id}/delete", delete, methods=["POST"]),
    Route("/circles/{id}/add", add, methods=["POST"]),
    Route("/circles/{id}/remove", remove, methods=["POST"]),
]
