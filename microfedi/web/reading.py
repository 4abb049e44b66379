"""Home and lists as pages: they open where the owner stopped, and are read upwards from there.

The address of a page says all that it shows (`at`: around the mark as it was then), so that a page
that the owner comes back to is the same. The mark moves for what was shown, and only if nothing
below it was left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse

from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import zone_of
from microfedi.protocol.filtering import Place
from microfedi.storage import actors, filters, notes, stretches
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note
from microfedi.storage.owner import Owner
from microfedi.storage.stretches import Gathered, Stretch
from microfedi.web import cards
from microfedi.web.cards import Card, Sieve

PAGE_ENTRIES = 15  # with pictures and the box for a new post some 55 kB and 7 ms
LEAST_READ = 4  # of them below the mark: where one stopped is known by what stands there


@dataclass(frozen=True, slots=True)
class More:
    """A line for somebody's boosts beyond those that stand by themselves."""

    actor: Actor
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class Row:
    """A post, a line for more boosts, or the mark (neither of them)."""

    position: int
    card: Card | None = None
    more: More | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A page of Home or of a list, from `high` down.

    `mark` is when what stands below the mark came. `since`: from then on everything has been read
    when this page has been. The clocks say their times, "" if it was not today. `shown_to` is the
    position up to which this page counts as read, 0 if it moves no mark.
    """

    rows: Sequence[Row]
    older: str
    newer: str
    newest: str
    since: datetime | None
    since_clock: str
    mark: datetime | None
    mark_clock: str
    high: int
    shown_to: int
    is_gap_below: bool
    is_filtered_empty: bool


def part(
    request: Request, reader: Reader, *, base: str, mark: int, list_id: int | None = None
) -> Part | RedirectResponse:
    """Read the page that the address names.

    If it names none, and there is anything new: the way to where the owner stopped.
    """
    ctx = context_of(request)
    now, owner = ctx.now(), ctx.owner
    at, before, after, since = (
        _position(request, name) for name in ("at", "before", "after", "since")
    )
    if at:
        stretch = stretches.around(
            reader, at, limit=PAGE_ENTRIES, least_below=LEAST_READ, now=now, list_id=list_id
        )
    elif after and not before:
        stretch = stretches.above(reader, after, limit=PAGE_ENTRIES, now=now, list_id=list_id)
    else:
        stretch = stretches.below(
            reader, before or stretches.END, limit=PAGE_ENTRIES, now=now, list_id=list_id
        )
    if mark and stretch.high > mark and not request.url.query:
        return RedirectResponse(f"{base}?at={mark}#mark", 303)
    stopped = at or mark
    is_read = not stretch.has_newer and mark >= stretch.high
    begun = at or since or (mark if is_read else None)
    shown = cards.of_entries(reader, stretch.entries, owner, Sieve(Place.HOME, now))
    rows = [Row(card.position, card=card) for card in shown]
    rows += _gathered(reader, stretch, base, stopped)
    if stopped and stretch.low <= stopped < stretch.high:
        rows.append(Row(stopped))
    # The mark stands above the post at its position.
    rows.sort(key=lambda row: (row.position, row.card is None and row.more is None), reverse=True)
    is_whole = not mark or stretch.low <= mark + 1 or not stretch.has_older
    clock = _clock(now, owner.time_zone)
    since_at = None if stretch.has_newer or not begun else stretches.instant_of(begun)
    return Part(
        rows=rows,
        older=f"{base}?before={stretch.low}" if stretch.has_older else "",
        newer=(
            f"{base}?after={stretch.high}" + (f"&since={begun}" if begun else "")
            if stretch.has_newer
            else ""
        ),
        newest=f"{base}?newest" if stretch.has_newer else "",
        since=since_at,
        since_clock=clock(since_at) if since_at else "",
        mark=stretches.instant_of(stopped) if stopped else None,
        mark_clock=clock(stretches.instant_of(stopped)) if stopped else "",
        high=stretch.high,
        shown_to=stretch.high if is_whole and stretch.high > mark else 0,
        is_gap_below=not is_whole and stretch.high > mark,
        is_filtered_empty=bool(stretch.entries) and not shown,
    )


def count_new(reader: Reader, after: int, owner: Owner, *, now: datetime, most: int) -> int:
    """Return how many posts on Home came above a position, at most `most`; those hidden left out.

    Of quotes the words of who quotes are looked at, not those of who is quoted.
    """
    came = stretches.new_after(reader, after, now=now, most=most)
    if not came or not owner.filters.hides_at(Place.HOME, now):
        return len(came)
    found = notes.by_ids(reader, {entry.note_id for entry in came})
    hidden = {note.id for note in found.values() if _is_hidden(note, owner, now)}
    return sum(entry.note_id not in hidden for entry in came)


def is_prefetch(request: Request) -> bool:
    """Whether nobody looks at this page yet."""
    return "prefetch" in request.headers.get("sec-purpose", "")


def _is_hidden(note: Note, owner: Owner, now: datetime) -> bool:
    fate = filters.verdict(owner.filters, note, Place.HOME, now)
    return note.actor_id != owner.actor_id and fate is not None and fate.hides


def _position(request: Request, name: str) -> int | None:
    """Return a position that the address names; None if it names none that there could be."""
    named = forms.query_id(request, name)
    return named if named is not None and named < stretches.END else None


def _gathered(reader: Reader, stretch: Stretch, base: str, stopped: int) -> list[Row]:
    """Return a line for each person whose boosts were too many, above the mark and below it."""
    groups: dict[tuple[int, bool], list[Gathered]] = {}
    for one in stretch.gathered:
        groups.setdefault((one.actor_id, one.position > stopped), []).append(one)
    people = actors.by_ids(reader, {actor_id for actor_id, _ in groups}) if groups else {}
    return [
        Row(
            found[0].position,
            more=More(
                people[actor_id],
                len(found),
                f"{base}/boosts/{actor_id}?low={found[-1].position}&high={found[0].position}",
            ),
        )
        for (actor_id, _), found in groups.items()
        if actor_id in people
    ]


def _clock(now: datetime, time_zone: str) -> Callable[[datetime], str]:
    """Return what says the time of an instant of today; "" for others, whose day matters."""
    zone = zone_of(time_zone)

    def clock(instant: datetime) -> str:
        there = instant.astimezone(zone)
        return f"{there:%H:%M}" if there.date() == now.astimezone(zone).date() else ""

    return clock
