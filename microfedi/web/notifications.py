"""Notifications: who did something that concerns the owner, and what of strangers waits.

A page is a stretch of what was told, without gaps: it is gathered into groups by kind and post, and
ends after so many groups. The next page goes on after the last one that was read, so that nothing
is lost or shown twice, however many did the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol import sanitize
from microfedi.protocol.filtering import Place
from microfedi.storage import (
    actors,
    filters,
    notes,
    notifications,
    strangers,
)
from microfedi.storage import owner as owner_storage
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note
from microfedi.storage.notifications import Above, Kind, Notification
from microfedi.storage.owner import Owner
from microfedi.storage.strangers import ABOUT, About, Held, Rule
from microfedi.web import asked, cards, reading, redirects
from microfedi.web.cards import Card

Tab = Literal["all", "mentions", "follows", "boosts"]

MOST_READ = 400  # notifications for a page; a post that everybody boosts is one group of them
MOST_GROUPS = 30  # of a page
MOST_CARDS = 14  # of them whole posts, which take the most room
MOST_FACES = 6  # of a group; the others are a number
TEXT_CHARS = 140  # of a post that something is about: two lines on a phone
SHOWN_REQUESTS = 5  # above the first page; the others are on their own page
PAGE_HELD = 40  # people of whom something waits
MOST_PEOPLE_COUNTED = 100

KINDS: Final[Mapping[Tab, tuple[Kind, ...] | None]] = {
    "all": None,
    "mentions": ("mention", "quote"),
    "follows": ("follow", "follow_request", "follow_accepted"),
    "boosts": ("like", "announce", "reaction"),
}
_WITH_REQUESTS: Final = ("all", "follows")
_NOTHING_NEW: Final = 2**63 - 1  # a mark above everything
# Who did one of these to the same post, or to the owner, stands in one line.
_GROUPED: Final = frozenset({"like", "announce", "reaction", "follow", "follow_request"})
_WHOLE: Final = frozenset({"mention", "quote", "update"})  # the post itself is shown


@dataclass(slots=True)
class Group:
    """What several people did, or one. `people` are those named, of `count`; newest first.

    `note` is what it is about; `card` instead if it is shown whole. `emojis` are those of
    reactions, with their pictures. `is_new`: since the owner looked the last time.
    """

    newest: Notification
    is_new: bool
    actor_ids: dict[int, None] = field(default_factory=dict)  # in order, each once
    people: Sequence[Actor] = ()
    note: Note | None = None
    note_url: str = ""
    card: Card | None = None
    emojis: dict[str, str | None] = field(default_factory=dict)
    kinds: set[Kind] = field(default_factory=set)

    @property
    def kind(self) -> Kind:
        """What it was. Who quotes the owner mostly mentions them too: that is one thing."""
        return "quote" if "quote" in self.kinds else self.newest.kind

    @property
    def text(self) -> str:
        """How the post begins that it is about; its warning instead, if it has one."""
        if self.note is None:
            return ""
        said = self.note.summary or self.note.name
        line = " ".join((said or sanitize.text(self.note.html, limit=2 * TEXT_CHARS)).split())
        return line if len(line) <= TEXT_CHARS else line[: TEXT_CHARS - 1].rstrip() + "…"

    @property
    def count(self) -> int:
        """How many people."""
        return len(self.actor_ids)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of groups. `next_id` goes on before it, 0 at the end. `hidden` are those that the
    owner's filters hide. `requests` are people who ask to follow, for the first page.
    """

    groups: Sequence[Group]
    next_id: int
    hidden: int
    requests: Sequence[Actor] = ()


async def show(request: Request) -> Response:
    """GET /notifications: newest first; those since the last look are above the divider.

    Looking at the newest page of all moves the mark, a tab does not: it shows a part only.
    """
    ctx = context_of(request)
    tab = _tab(request)
    before = forms.query_id(request, "before")
    # The mark as it was when the first page was opened: that page has moved it meanwhile.
    read_id = forms.query_id(request, "read") if before else None
    if read_id is None:
        read_id = ctx.owner.notifications_read_id
    mark = read_id

    def question(reader: Reader) -> tuple[Page, Above | None]:
        found = notifications.page(
            reader, before_id=before, limit=MOST_READ, kinds=KINDS[tab], now=ctx.now()
        )
        above = None if before else notifications.above(reader, requests=SHOWN_REQUESTS)
        asking = above.request_ids if above is not None and tab in _WITH_REQUESTS else ()
        return _page(reader, ctx.owner, found, mark, ctx.now(), asking=asking), above

    shown, above = await ctx.db.read(question)
    query = "" if tab == "all" else f"&show={tab}"
    values = {
        # Who asks to follow stands above, as long as nobody has answered.
        "groups": [one for one in shown.groups if one.kind != "follow_request"],
        "above": above,
        "requests": shown.requests,
        "hidden": shown.hidden,
        "tab": tab,
        "is_first": above is not None,
        "has_mark": bool(mark),
        "most_faces": MOST_FACES,
        "most_people": MOST_PEOPLE_COUNTED,
        "older": f"/notifications?before={shown.next_id}&read={mark}{query}"
        if shown.next_id
        else "",
        "newer": f"/notifications{query.replace('&', '?')}" if before else "",
        "done": request.query_params.get("done", ""),
    }
    response = await page(request, "notifications.html", values)
    is_looked_at = above is not None and tab == "all" and not reading.is_prefetch(request)
    if above is not None and is_looked_at and above.newest_id > mark:
        newest = above.newest_id
        await ctx.db.note(lambda tx: owner_storage.set_notifications_read(tx, newest))
        await ctx.reload_owner()
    return response


async def mark_read(request: Request) -> Response:
    """POST /notifications/read: move the mark without looking at everything."""
    ctx = context_of(request)
    await ctx.db.write(
        lambda tx: owner_storage.set_notifications_read(tx, notifications.newest_id(tx))
    )
    await ctx.reload_owner()
    form = await forms.read(request)
    return RedirectResponse(redirects.local(forms.text(form, "next"), "/notifications"), 303)


async def show_held(request: Request) -> Response:
    """GET /notifications/filtered: of which strangers something waits."""
    ctx = context_of(request)
    before = forms.query_id(request, "before")

    def question(reader: Reader) -> tuple[list[Held], int]:
        held = strangers.held(reader, before_id=before, limit=PAGE_HELD)
        return held, strangers.people_held(reader, MOST_PEOPLE_COUNTED)

    held, count = await ctx.db.read(question)
    older = f"/notifications/filtered?before={held[-1].newest_id}" if len(held) == PAGE_HELD else ""
    values = {
        "held": held,
        "count": count,
        "most_people": MOST_PEOPLE_COUNTED,
        "older": older,
        "newer": "/notifications/filtered" if before else "",
        "kept_days": strangers.HELD_FOR.days,
        "done": request.query_params.get("done", ""),
    }
    return await page(request, "notifications_filtered.html", values)


async def show_held_of(request: Request) -> Response:
    """GET /notifications/filtered/{id}: what somebody did, before they are let in or not."""
    ctx = context_of(request)
    actor = await asked.row(request, actors.by_id)
    before = forms.query_id(request, "before")

    def question(reader: Reader) -> Page:
        found = notifications.held(reader, actor.id, before_id=before, limit=MOST_READ)
        return _page(reader, ctx.owner, found, _NOTHING_NEW, ctx.now())

    shown = await ctx.db.read(question)
    here = f"/notifications/filtered/{actor.id}"
    values = {
        "actor": actor,
        "groups": shown.groups,
        "hidden": shown.hidden,
        "most_faces": MOST_FACES,
        "older": f"{here}?before={shown.next_id}" if shown.next_id else "",
        "newer": here if before else "",
    }
    return await page(request, "notifications_of.html", values)


async def accept_held(request: Request) -> Response:
    """POST /notifications/filtered/{id}/accept: tell of somebody, what waits and what comes."""
    ctx = context_of(request)
    actor = await asked.row(request, actors.by_id)
    await ctx.db.write(lambda tx: strangers.accept(tx, actor.id, ctx.now()))
    return RedirectResponse("/notifications/filtered?done=accepted", 303)


async def dismiss_held(request: Request) -> Response:
    """POST /notifications/filtered/{id}/dismiss: throw away what waits of somebody."""
    ctx = context_of(request)
    actor = await asked.row(request, actors.by_id)
    await ctx.db.write(lambda tx: strangers.dismiss(tx, actor.id))
    return RedirectResponse("/notifications/filtered?done=dismissed", 303)


async def dismiss_all(request: Request) -> Response:
    """POST /notifications/filtered/dismiss: throw away all that waits."""
    await context_of(request).db.write(strangers.dismiss_all)
    return RedirectResponse("/notifications/filtered?done=dismissed", 303)


async def show_rules(request: Request) -> Response:
    """GET /settings/notifications: what strangers meet, and whom the owner let in."""
    ctx = context_of(request)

    def question(reader: Reader) -> tuple[dict[About, Rule], list[Actor], int]:
        return (
            strangers.rules(reader),
            strangers.accepted(reader, PAGE_HELD),
            strangers.people_held(reader, MOST_PEOPLE_COUNTED),
        )

    rules, accepted, held = await ctx.db.read(question)
    values = {
        "rules": rules,
        "accepted": accepted,
        "held": held,
        "most_people": MOST_PEOPLE_COUNTED,
        "kept_days": strangers.HELD_FOR.days,
        "saved": "saved" in request.query_params,
    }
    return await page(request, "settings_notifications.html", values)


async def submit_rules(request: Request) -> Response:
    """POST /settings/notifications: other rules, for what comes from now on."""
    form = await forms.read(request)
    wanted: dict[About, Rule] = {about: _rule(forms.text(form, about)) for about in ABOUT}
    await context_of(request).db.write(lambda tx: strangers.set_rules(tx, wanted))
    return RedirectResponse("/settings/notifications?saved=1", 303)


async def unaccept(request: Request) -> Response:
    """POST /settings/notifications/people/{id}/remove: the rules count for somebody again."""
    actor = await asked.row(request, actors.by_id)
    await context_of(request).db.write(lambda tx: strangers.unaccept(tx, actor.id))
    return RedirectResponse("/settings/notifications#people", 303)


def gather(found: Iterable[Notification], mark: int) -> tuple[list[Group], int]:
    """Return notifications as groups, as many as a page has; and how many of them are in these.

    What is older than the mark is never in one group with what is newer.
    """
    groups: dict[object, Group] = {}
    used = posts = 0
    for one in found:
        is_new = one.id > mark
        key = _key(one, is_new)
        group = groups.get(key)
        if group is None:
            is_post = one.kind in _WHOLE
            if len(groups) == MOST_GROUPS or (is_post and posts == MOST_CARDS):
                break
            posts += is_post
            group = groups[key] = Group(one, is_new)
        group.kinds.add(one.kind)
        group.actor_ids[one.actor_id] = None
        if one.detail:
            group.emojis[one.detail] = one.picture
        used += 1
    return list(groups.values()), used


def _key(one: Notification, is_new: bool) -> object:
    if one.kind in _GROUPED:
        return one.kind, one.note_id, is_new
    if one.kind in ("mention", "quote") and one.note_id:
        return "post", one.note_id, is_new
    return one.id


def _page(
    reader: Reader,
    owner: Owner,
    found: Sequence[Notification],
    mark: int,
    now: datetime,
    *,
    asking: Sequence[int] = (),
) -> Page:
    """Read what a page of groups needs."""
    groups, used = gather(found, mark)
    is_end = used == len(found) < MOST_READ
    next_id = 0 if is_end or not used else found[used - 1].id
    about = notes.by_ids(reader, {one.newest.note_id for one in groups if one.newest.note_id})
    whole = [
        about[one.newest.note_id]
        for one in groups
        if one.kind in _WHOLE and one.newest.note_id in about
    ]
    found_cards = cards.of_notes(reader, whole, owner)
    shown = {card.note.id: card for card in found_cards}
    faces = {actor_id for one in groups for actor_id in list(one.actor_ids)[:MOST_FACES]}
    known = {card.author.id: card.author for card in found_cards}
    people = known | actors.by_ids(reader, (faces | set(asking)) - known.keys())
    kept, hidden = [], 0
    for one in groups:
        note_id = one.newest.note_id
        one.note = about.get(note_id) if note_id else None
        one.card = shown.get(note_id) if note_id and one.kind in _WHOLE else None
        one.note_url = cards.url_of(one.note, owner) if one.note else ""
        one.people = [people[i] for i in list(one.actor_ids)[:MOST_FACES] if i in people]
        if _is_hidden(one, owner, now):
            hidden += 1
        elif one.people:
            kept.append(one)
    return Page(kept, next_id, hidden, [people[i] for i in asking if i in people])


def _is_hidden(group: Group, owner: Owner, now: datetime) -> bool:
    """True for somebody else's post that the owner's filters hide."""
    if group.card is None or group.card.is_mine:
        return False
    quoted = group.card.quote.card if group.card.quote else None
    verdict = filters.verdict(
        owner.filters,
        group.card.note,
        Place.NOTIFICATIONS,
        now,
        quoted=quoted.note if quoted else None,
    )
    return verdict is not None and verdict.hides


def _tab(request: Request) -> Tab:
    wanted = request.query_params.get("show")
    return next((one for one in KINDS if one == wanted), "all")


def _rule(value: str) -> Rule:
    return "filter" if value == "filter" else "ignore" if value == "ignore" else "accept"


owner_routes = [
    Route("/notifications", show, methods=["GET"]),
    Route("/notifications/read", mark_read, methods=["POST"]),
    Route("/notifications/filtered", show_held, methods=["GET"]),
    Route("/notifications/filtered/dismiss", dismiss_all, methods=["POST"]),
    Route("/notifications/filtered/{id}", show_held_of, methods=["GET"]),
    Route("/notifications/filtered/{id}/accept", accept_held, methods=["POST"]),
    Route("/notifications/filtered/{id}/dismiss", dismiss_held, methods=["POST"]),
    Route("/settings/notifications", show_rules, methods=["GET"]),
    Route("/settings/notifications", submit_rules, methods=["POST"]),
    Route("/settings/notifications/people/{id}/remove", unaccept, methods=["POST"]),
]
