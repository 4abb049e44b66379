"""Lists: some of the people followed, read by themselves; and those who are seldom heard."""

from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.errors import InvalidInput, NotFound
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol import ids
from microfedi.protocol.filtering import Place
from microfedi.storage import actors, followed_tags, following, lists, stretches
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.lists import List, Replies
from microfedi.web import asked, cards, home, reading
from microfedi.web.cards import Card, Sieve
from microfedi.web.reading import Part
from microfedi.words import _

PAGE_PEOPLE = 100  # people followed who are offered at once; one form takes no more fields
PAGE_NOTES = 40
MAX_TYPED_CHARS = 200  # of a name, before it is said that it is too long

REPLIES: tuple[Replies, ...] = ("list", "followed", "none")

# Seldom heard: whoever wrote fewer posts than this in so long.
QUIET_POSTS = 5
QUIET_FOR = timedelta(days=30)


async def show_all(request: Request) -> Response:
    """GET /lists."""
    return await _index(request, "", None)


async def create(request: Request) -> Response:
    """POST /lists: a new one, empty."""
    ctx = context_of(request)
    form = await forms.read(request)
    name = ""
    try:
        name = forms.line(form, "name", limit=MAX_TYPED_CHARS)
        now, public_id = ctx.now(), ids.public_id()
        list_id = await ctx.db.write(lambda tx: lists.create(tx, public_id, name, now=now))
    except InvalidInput as problem:
        return await _index(request, name, problem)
    return RedirectResponse(f"/lists/{list_id}/edit", 303)


async def show(request: Request) -> Response:
    """GET /lists/{id}: where the owner stopped, or the page that the address names."""
    list_id = forms.path_id(request, "id")
    base = f"/lists/{list_id}"

    def question(reader: Reader) -> tuple[List, Part] | RedirectResponse | None:
        one = lists.by_id(reader, list_id)
        if one is None:
            return None
        mark = one.read_position
        found = reading.part(request, reader, base=base, mark=mark, list_id=list_id)
        return found if isinstance(found, RedirectResponse) else (one, found)

    answer = await context_of(request).db.read(question)
    if answer is None:
        raise NotFound("no list of that number")
    if isinstance(answer, RedirectResponse):
        return answer
    one, part = answer
    response = await page(request, "list.html", {"list": one, "part": part, "base": base})
    if part.shown_to and not reading.is_prefetch(request):
        await _read_to(request, list_id, part.shown_to)
    return response


async def read(request: Request) -> Response:
    """POST /lists/{id}/read: all up to here counts as read."""
    one = await asked.row(request, lists.by_id)
    await _read_to(request, one.id, forms.row_id(await forms.read(request), "position"))
    return RedirectResponse(f"/lists/{one.id}", 303)


async def show_boosts(request: Request) -> Response:
    """GET /lists/{id}/boosts/{actor}: what stands behind the line of somebody's boosts."""
    one = await asked.row(request, lists.by_id)
    return await home.boosts_page(request, base=f"/lists/{one.id}", list_id=one.id)


async def edit(request: Request) -> Response:
    """GET /lists/{id}/edit: its name, what it shows, who is in it and who could be."""
    return await _edit(request, None)


async def change(request: Request) -> Response:
    """POST /lists/{id}/edit: another name, or other things that it shows."""
    one = await asked.row(request, lists.by_id)
    form = await forms.read(request)
    try:
        name = forms.line(form, "name", limit=MAX_TYPED_CHARS)
        replies = forms.one_of(form, "replies", REPLIES)
        is_exclusive = forms.flag(form, "is_exclusive")
        await context_of(request).db.write(
            lambda tx: lists.change(tx, one, name=name, replies=replies, is_exclusive=is_exclusive)
        )
    except InvalidInput as problem:
        return await _edit(request, problem)
    return RedirectResponse(f"/lists/{one.id}", 303)


async def delete(request: Request) -> Response:
    """POST /lists/{id}/delete."""
    one = await asked.row(request, lists.by_id)
    await context_of(request).db.write(lambda tx: lists.delete(tx, one.id))
    return RedirectResponse("/lists", 303)


async def add(request: Request) -> Response:
    """POST /lists/{id}/add: take the people in who are ticked."""
    one = await asked.row(request, lists.by_id)
    form = await forms.read(request)

    try:
        people = forms.row_ids(form, "person", most=PAGE_PEOPLE)
        await context_of(request).db.write(lambda tx: lists.add(tx, one.id, people))
    except InvalidInput as problem:
        return await _edit(request, problem)
    return RedirectResponse(f"/lists/{one.id}/edit", 303)


async def remove(request: Request) -> Response:
    """POST /lists/{id}/remove: take somebody out."""
    one = await asked.row(request, lists.by_id)
    person = forms.row_id(await forms.read(request), "person")
    await context_of(request).db.write(lambda tx: lists.remove(tx, one.id, person))
    return RedirectResponse(f"/lists/{one.id}/edit", 303)


async def show_of_person(request: Request) -> Response:
    """GET /people/{id}/lists: which lists somebody is in."""
    return await _of_person(request, None)


async def set_of_person(request: Request) -> Response:
    """POST /people/{id}/lists: put somebody into these lists, and into no others."""
    ctx = context_of(request)
    actor_id = forms.path_id(request, "id")
    form = await forms.read(request)

    def work(tx: Transaction) -> None:
        chosen = forms.row_ids(form, "list", most=lists.MAX_LISTS)
        if following.by_actor(tx, actor_id) is None:
            raise InvalidInput("", "Only people whom you follow can be in a list.")
        lists.set_of_actor(tx, actor_id, chosen)

    try:
        await ctx.db.write(work)
    except InvalidInput as problem:
        return await _of_person(request, problem)
    return RedirectResponse(f"/people/{actor_id}", 303)


async def show_seldom_heard(request: Request) -> Response:
    """GET /lists/seldom: what those wrote who write little."""
    ctx = context_of(request)
    now = ctx.now()
    before = forms.query_id(request, "before") or stretches.END

    def question(reader: Reader) -> tuple[list[Card], str]:
        found = stretches.seldom_heard(
            reader,
            since=now - QUIET_FOR,
            fewer_than=QUIET_POSTS,
            before=before,
            limit=PAGE_NOTES,
            now=now,
        )
        older = f"/lists/seldom?before={found[-1].position}" if len(found) == PAGE_NOTES else ""
        return cards.of_entries(reader, found, ctx.owner, Sieve(Place.HOME, now)), older

    shown, older = await ctx.db.read(question)
    values = {
        "heading": _("Seldom heard"),
        "intro": _(
            "Posts of the last %(days)s days by people you follow who wrote fewer than %(count)s.",
            days=QUIET_FOR.days,
            count=QUIET_POSTS,
        ),
        "cards": shown,
        "older": older,
        "back": "/lists",
        "empty": _("Nobody whom you follow wrote just a little. Quiet people will stand here."),
    }
    return await page(request, "posts.html", values)


def replies_words() -> list[tuple[Replies, str]]:
    """Return which replies a list can show, in words."""
    words: dict[Replies, str] = {
        "list": _("Replies to people in this list"),
        "followed": _("Replies to people I follow"),
        "none": _("No replies"),
    }
    return [(one, words[one]) for one in REPLIES]


async def _read_to(request: Request, list_id: int, position: int) -> None:
    ctx = context_of(request)
    most = min(position, stretches.newest_possible(ctx.now()))
    await ctx.db.write(lambda tx: lists.set_read_position(tx, list_id, most))


async def _index(request: Request, name: str, problem: InvalidInput | None) -> Response:
    def question(reader: Reader) -> tuple[list[List], int]:
        return lists.everyone(reader), len(followed_tags.everyone(reader))

    found, tags = await context_of(request).db.read(question)
    values = {"lists": found, "tags": tags, "name": name, "problem": problem}
    return await page(request, "lists.html", values, status_code=422 if problem else 200)


async def _edit(request: Request, problem: InvalidInput | None) -> Response:
    list_id = forms.path_id(request, "id")
    before = forms.query_id(request, "before")

    def question(reader: Reader) -> tuple[List | None, list[Actor], list[Actor]]:
        return (
            lists.by_id(reader, list_id),
            lists.people(reader, list_id),
            following.page(reader, before_id=before, limit=PAGE_PEOPLE),
        )

    one, people, offered = await context_of(request).db.read(question)
    if one is None:
        raise NotFound("no list of that number")
    inside = {actor.id for actor in people}
    is_more = len(offered) == PAGE_PEOPLE
    values: dict[str, Any] = {
        "list": one,
        "people": people,
        "offered": [actor for actor in offered if actor.id not in inside],
        "follows_any": bool(offered),
        "older": f"/lists/{one.id}/edit?before={offered[-1].id}" if is_more else "",
        "replies": replies_words(),
        "problem": problem,
    }
    return await page(request, "list_edit.html", values, status_code=422 if problem else 200)


async def _of_person(request: Request, problem: InvalidInput | None) -> Response:
    actor_id = forms.path_id(request, "id")

    def question(reader: Reader) -> tuple[Actor | None, bool, list[List], set[int]]:
        return (
            actors.by_id(reader, actor_id),
            following.by_actor(reader, actor_id) is not None,
            lists.everyone(reader),
            lists.of_actor(reader, actor_id),
        )

    actor, is_followed, found, inside = await context_of(request).db.read(question)
    if actor is None:
        raise NotFound("nobody of that number")
    values = {
        "actor": actor,
        "is_followed": is_followed,
        "lists": found,
        "inside": inside,
        "problem": problem,
    }
    return await page(request, "person_lists.html", values, status_code=422 if problem else 200)


owner_routes = [
    Route("/lists", show_all, methods=["GET"]),
    Route("/lists", create, methods=["POST"]),
    Route("/lists/seldom", show_seldom_heard, methods=["GET"]),
    Route("/lists/{id}", show, methods=["GET"]),
    Route("/lists/{id}/read", read, methods=["POST"]),
    Route("/lists/{id}/boosts/{actor}", show_boosts, methods=["GET"]),
    Route("/lists/{id}/edit", edit, methods=["GET"]),
    Route("/lists/{id}/edit", change, methods=["POST"]),
    Route("/lists/{id}/delete", delete, methods=["POST"]),
    Route("/lists/{id}/add", add, methods=["POST"]),
    Route("/lists/{id}/remove", remove, methods=["POST"]),
    Route("/people/{id}/lists", show_of_person, methods=["GET"]),
    Route("/people/{id}/lists", set_of_person, methods=["POST"]),
]
