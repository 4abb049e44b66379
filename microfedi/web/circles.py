"""Circles: some of the followers, under a name, whom a post can be for."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import InvalidInput, NotFound
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol import ids
from microfedi.storage import circles, followers
from microfedi.storage.actors import Actor
from microfedi.storage.circles import Circle
from microfedi.storage.database import Reader, Transaction

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
    circle = await _circle(request)
    form = await forms.read(request)
    try:
        name = forms.line(form, "name", limit=MAX_TYPED_CHARS)
        await context_of(request).db.write(lambda tx: circles.rename(tx, circle, name))
    except InvalidInput as problem:
        return await _one(request, problem)
    return RedirectResponse(f"/circles/{circle.id}", 303)


async def delete(request: Request) -> Response:
    """POST /circles/{id}/delete."""
    circle = await _circle(request)
    await context_of(request).db.write(lambda tx: circles.delete(tx, circle.id))
    return RedirectResponse("/circles", 303)


async def add(request: Request) -> Response:
    """POST /circles/{id}/add: take the followers in who are ticked."""
    circle = await _circle(request)
    form = await forms.read(request)

    def change(tx: Transaction) -> None:
        chosen = forms.texts(form, "person", limit=20, most=PAGE_PEOPLE)
        people = {int(one) for one in chosen if one.isascii() and one.isdigit() and len(one) < 19}
        circles.add(tx, circle.id, people)

    try:
        await context_of(request).db.write(change)
    except InvalidInput as problem:
        return await _one(request, problem)
    return RedirectResponse(f"/circles/{circle.id}", 303)


async def remove(request: Request) -> Response:
    """POST /circles/{id}/remove: take somebody out."""
    circle = await _circle(request)
    person = forms.row_id(await forms.read(request), "person")
    await context_of(request).db.write(lambda tx: circles.remove(tx, circle.id, person))
    return RedirectResponse(f"/circles/{circle.id}", 303)


async def _list(request: Request, name: str, problem: InvalidInput | None) -> Response:
    found = await context_of(request).db.read(circles.everyone)
    values = {"circles": found, "name": name, "problem": problem}
    return await page(request, "circles.html", values, status_code=422 if problem else 200)


async def _one(request: Request, problem: InvalidInput | None) -> Response:
    circle = await _circle(request)
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


async def _circle(request: Request) -> Circle:
    circle_id = forms.path_id(request, "id")
    found = await context_of(request).db.read(lambda r: circles.by_id(r, circle_id))
    if found is None:
        raise NotFound("no circle of that number")
    return found


owner_routes = [
    Route("/circles", show_all, methods=["GET"]),
    Route("/circles", create, methods=["POST"]),
    Route("/circles/{id}", show, methods=["GET"]),
    Route("/circles/{id}", rename, methods=["POST"]),
    Route("/circles/{id}/delete", delete, methods=["POST"]),
    Route("/circles/{id}/add", add, methods=["POST"]),
    Route("/circles/{id}/remove", remove, methods=["POST"]),
]
