"""A post in its thread, and what the owner does to it: boost, favourite, bookmark, pin."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.federation import quoting
from microfedi.federation import threads as look_for
from microfedi.federation.context import Context
from microfedi.federation.outbox import announces, likes
from microfedi.federation.outbox import pins as outbox_pins
from microfedi.federation.visibility import OWNER, Asker, may_see
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol.filtering import Place
from microfedi.storage import bookmarks, mutes, notes, threads
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note
from microfedi.storage.owner import Owner
from microfedi.storage.threads import Fetch
from microfedi.web import asked, cards, missing, redirects
from microfedi.web.cards import Card, Sieve

MAX_DEPTH = 8  # levels of indentation; deeper answers stand below each other


@dataclass(frozen=True, slots=True)
class Branch:
    """A post and the answers to it. `depth` counts from the post that the page is about."""

    card: Card
    depth: int


@dataclass(frozen=True, slots=True)
class Thread:
    """What stands above the post, the post, and the answers below it in reading order."""

    above: tuple[Card, ...]
    focus: Card
    below: tuple[Branch, ...]
    is_missing_parent: bool
    is_others: bool
    """Whether somebody else takes part, whose server may know more."""
    is_cut: bool
    """Whether the thread is too long for one page."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the last look for what is missing went: `above` and `below` in words, `at` when."""

    is_under_way: bool
    at: datetime
    above: str = ""
    below: tuple[str, ...] = ()


def read(
    reader: Reader, note: Note, owner: Owner, asker: Asker, sieve: Sieve | None = None
) -> Thread:
    """Gather the thread around `note` as far as `asker` may see it. `note` itself is not sieved."""
    whole = threads.notes_of(reader, note.thread_id)
    found = [one for one in whole if may_see(reader, one, asker)]
    if all(n.id != note.id for n in found):
        found.append(note)
    by_id = {card.note.id: card for card in cards.of_notes(reader, found, owner, sieve=sieve)}
    answers: dict[int, list[int]] = {}
    for one in sorted(found, key=lambda n: n.id):
        if one.in_reply_to_id is not None and one.in_reply_to_id != one.id:
            answers.setdefault(one.in_reply_to_id, []).append(one.id)
    above: list[Card] = []
    seen = {note.id}
    current = note
    while current.in_reply_to_id in by_id and current.in_reply_to_id not in seen:
        card = by_id[current.in_reply_to_id]
        seen.add(card.note.id)
        above.append(card)
        current = card.note
    below: list[Branch] = []
    waiting = [(one, 1) for one in reversed(answers.get(note.id, []))]
    while waiting:
        note_id, depth = waiting.pop()
        if note_id in seen or note_id not in by_id:
            continue
        seen.add(note_id)
        below.append(Branch(by_id[note_id], min(depth, MAX_DEPTH)))
        waiting.extend((one, depth + 1) for one in reversed(answers.get(note_id, [])))
    return Thread(
        above=tuple(reversed(above)),
        focus=replace(by_id[note.id], filtered=""),
        below=tuple(below),
        is_missing_parent=current.in_reply_to_uri is not None and current.in_reply_to_id is None,
        is_others=any(one.public_id is None for one in found),
        is_cut=_is_cut(reader, note.thread_id, whole),
    )


def _is_cut(reader: Reader, thread_id: int, whole: Sequence[Note]) -> bool:
    """Whether the page shows less than there is; few threads are so long that it is asked."""
    said = sum(len(one.html) for one in whole)
    return len(whole) >= threads.MAX_NOTES or (
        said > threads.MAX_LONG_BYTES // 4 and threads.is_longer(reader, thread_id, len(whole))
    )


async def show(request: Request) -> Response:
    """GET /posts/{id}: anybody's post as the owner sees it. Own ones have their public page."""
    ctx = context_of(request)
    note = await asked.row(request, notes.by_id)
    if note.public_id is not None:
        return RedirectResponse(cards.url_of(note, ctx.owner), 303)
    return await shown(request, note, OWNER)


async def shown(request: Request, note: Note, asker: Asker) -> Response:
    """Return the page of `note` for `asker`; for the owner the rest is fetched afterwards."""
    ctx = context_of(request)

    def question(reader: Reader) -> tuple[Thread, Fetch | None]:
        sieve = Sieve(Place.THREADS, ctx.now(), keeps_gaps=True) if asker is OWNER else None
        thread = read(reader, note, ctx.owner, asker, sieve)
        if asker is not OWNER:
            return thread, None
        if thread.focus.is_mine:
            thread = replace(thread, focus=cards.with_receipt(reader, thread.focus))
        return thread, threads.fetch_of(reader, note.thread_id)

    thread, fetch = await ctx.db.read(question)
    look = None
    is_open = note.visibility.is_open and thread.is_others
    if asker is OWNER and ctx.config.federates and (is_open or thread.is_missing_parent):
        look = await _look(ctx, note, fetch)
    if asker is OWNER and ctx.config.federates and note.quote is not None:
        await ctx.db.note(lambda tx: quoting.plan(ctx, tx, note))
        ctx.wake.jobs.set()
    muted = None
    if asker is OWNER:
        muted = await ctx.db.read(lambda r: mutes.of_thread(r, note.thread_id, ctx.now()))
    shown = {"thread": thread, "muted": muted, "look": look}
    return await page(request, "thread.html", shown)


async def _look(ctx: Context, note: Note, last: Fetch | None) -> Look:
    """Have the thread looked for if it is time; return how that goes, or how it went."""
    is_due = last is None or ctx.now() - last.changed_at >= look_for.COOLDOWN
    if (is_due and await look_for.visit(ctx, note)) or last is None:
        return Look(True, ctx.now())
    return Look(
        last.state != "done",
        last.changed_at,
        missing.above(last.problems),
        missing.below(last.problems),
    )


async def show_card(request: Request) -> Response:
    """GET /posts/{id}/card: the post alone, for the script that shows it anew after an action."""
    ctx, note = context_of(request), await asked.row(request, notes.by_id)
    card = await ctx.db.read(lambda reader: cards.of_note(reader, note, ctx.owner))
    return await page(request, "card.html", {"card": card})


def _act(
    action: Callable[[Context, int], Awaitable[object]],
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        note = await asked.row(request, notes.by_id)
        ctx = context_of(request)
        await action(ctx, note.id)
        form = await forms.read(request)
        fallback = cards.url_of(note, ctx.owner)
        target = redirects.local(forms.text(form, "next"), fallback).partition("#")[0]
        return RedirectResponse(f"{target}#n{note.id}", 303)  # back to where the button was

    return endpoint


async def _bookmark(ctx: Context, note_id: int) -> None:
    now = ctx.now()
    await ctx.db.write(lambda tx: bookmarks.add(tx, note_id, now))


async def _unbookmark(ctx: Context, note_id: int) -> None:
    await ctx.db.write(lambda tx: bookmarks.remove(tx, note_id))


_ACTIONS: dict[str, Callable[[Context, int], Awaitable[object]]] = {
    "boost": announces.announce,
    "unboost": announces.unannounce,
    "favourite": likes.like,
    "unfavourite": likes.unlike,
    "look": look_for.look_again,
    "bookmark": _bookmark,
    "unbookmark": _unbookmark,
    "pin": outbox_pins.pin,
    "unpin": outbox_pins.unpin,
}

owner_routes = [
    Route("/posts/{id}", show, methods=["GET"]),
    Route("/posts/{id}/card", show_card, methods=["GET"]),
    *(
        Route(f"/posts/{{id}}/{name}", _act(action), methods=["POST"])
        for name, action in _ACTIONS.items()
    ),
]
