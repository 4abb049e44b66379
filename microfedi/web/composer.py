"""The box that posts are written in: what was typed in it, and what it offers."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from starlette.datastructures import FormData
from starlette.requests import Request

from microfedi import words
from microfedi.errors import InvalidInput
from microfedi.federation.context import Context
from microfedi.federation.outbox import drafts as outbox
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import zone_of
from microfedi.protocol.vocab import Visibility
from microfedi.storage import circles, drafts, notes
from microfedi.storage.database import Reader
from microfedi.storage.drafts import Draft, Kept
from microfedi.storage.notes import Note
from microfedi.web import cards, polls, tongues, uploading
from microfedi.web.cards import Card
from microfedi.web.uploading import File
from microfedi.words import _

MAX_SUMMARY_CHARS = 500
MAX_LANGUAGE_CHARS = 35  # BCP 47: the longest tag that is to be expected
MAX_BACK_CHARS = 2100  # of the address that the owner came from to share something
MAX_CHOICE_CHARS = 40  # the longest is that of a circle, with its row id
MAX_AT_CHARS = 30  # a local time
BEGINNING_CHARS = 100  # of a draft, where it is only to be recognised

_CIRCLE: Final = "circle-"
_OPEN: Final = (Visibility.PUBLIC, Visibility.UNLISTED, Visibility.FOLLOWERS)
_KEY = re.compile(r"[A-Za-z0-9_-]{20,40}")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice:
    """For whom a post can be. By `kind` the button says it, too."""

    value: str
    words: str
    kind: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A draft that waits to be continued, by the beginning of what it says."""

    kept: Kept
    beginning: str
    url: str


@dataclass(frozen=True, slots=True)
class Box:
    """All that the composer shows. `undescribed` files are to be described, or published so."""

    draft: Draft
    key: str
    version: int
    chosen: str
    choices: Sequence[Choice]
    files: Sequence[File]
    limit: int
    languages: Sequence[tuple[str, str]]
    lasting: Sequence[tuple[int, str]]
    earliest: str
    zone: str
    note_id: int | None = None
    reply_to: Card | None = None
    undescribed: int = 0
    problem: InvalidInput | None = None

    @property
    def action(self) -> str:
        """Where the form goes."""
        return "/compose" if self.note_id is None else f"/posts/{self.note_id}/edit"


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form brought: the draft, and the first thing in it that cannot be."""

    draft: Draft
    key: str
    version: int
    problem: InvalidInput | None


def box(
    ctx: Context,
    reader: Reader,
    draft: Draft,
    *,
    parent: Note | None = None,
    key: str = "",
    version: int = 0,
    note: Note | None = None,
    undescribed: int = 0,
    problem: InvalidInput | None = None,
) -> Box:
    """Return the composer with `draft` in it; `note` is the own post that it is to change."""
    shown = None if parent is None else cards.of_note(reader, parent, ctx.owner)
    known = circles.everyone(reader) if note is None and parent is None else []
    return Box(
        draft=draft,
        key=key or drafts.new_key(),
        version=version,
        chosen=_chosen(draft, known),
        choices=[] if note is not None else _choices(reader, parent, known),
        files=uploading.shown(reader, draft.attached, note),
        limit=ctx.config.limits.post_characters,
        languages=tongues.offered(draft.language, ctx.owner.post_language, words.language()),
        lasting=polls.lasting(),
        earliest=earliest(ctx),
        zone=ctx.owner.time_zone,
        note_id=None if note is None else note.id,
        reply_to=shown,
        undescribed=undescribed,
        problem=problem,
    )


def empty(ctx: Context, parent: Note | None = None, *, quote: int | None = None) -> Draft:
    """Return what a fresh composer holds: a reply takes over warning, language and audience."""
    usual = ctx.owner.post_language or words.language()
    if parent is None:
        return Draft(language=usual, quote=quote)
    is_open = parent.visibility in _OPEN
    return Draft(
        summary=parent.summary,
        language=parent.language or usual,
        visibility=parent.visibility if is_open else Visibility.LIMITED,
        in_reply_to=parent.id,
        quote=quote,
    )


def of_note(note: Note) -> Draft:
    """Return what the form holds that changes an own post."""
    return Draft(
        source=note.source or "",
        summary=note.summary,
        visibility=note.visibility,
        language=note.language or "",
        sensitive=note.sensitive,
        edits=note.id,
        attached=uploading.of(note),
    )


async def typed(request: Request, *, note: Note | None = None) -> Typed:
    """Read the form; whatever is wrong with it, the rest of what was typed is there."""
    ctx = context_of(request)
    form = await forms.read(request)
    problems: list[InvalidInput] = []

    def tried(read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except InvalidInput as problem:
            problems.append(problem)
            return otherwise

    def raw(name: str) -> str:
        value = form.get(name, "")
        return value if isinstance(value, str) else ""

    start = Draft()
    asked = tried(lambda: polls.typed(form), polls.empty())
    known = await ctx.db.read(circles.everyone) if raw("visibility").startswith(_CIRCLE) else []
    visibility, circle = tried(
        lambda: _audience(forms.text(form, "visibility", limit=MAX_CHOICE_CHARS), known), ("", "")
    )
    if "visibility" not in form and not raw("reply_to"):
        visibility = Visibility.PUBLIC
    draft = Draft(
        source=tried(lambda: forms.text(form, "source"), ""),
        summary=tried(
            lambda: forms.line(form, "summary", limit=MAX_SUMMARY_CHARS),
            raw("summary")[: 4 * MAX_SUMMARY_CHARS],
        ),
        visibility=visibility,
        circle=circle,
        language=tried(lambda: forms.line(form, "language", limit=MAX_LANGUAGE_CHARS), ""),
        sensitive=tried(lambda: forms.flag(form, "sensitive"), start.sensitive),
        in_reply_to=tried(lambda: _row_id(form, "reply_to"), None),
        quote=tried(lambda: _row_id(form, "quote"), None),
        edits=None if note is None else note.id,
        options=tuple(asked["options"]),
        lasts=asked["lasts"],
        is_multiple=asked["is_multiple"],
        attached=tried(lambda: uploading.typed(form), ()),
        at=tried(lambda: forms.line(form, "at", limit=MAX_AT_CHARS), ""),
        replaces=_key(raw("replaces")),
        on_success=tried(lambda: forms.text(form, "on_success", limit=MAX_BACK_CHARS), ""),
    )
    version = tried(
        lambda: forms.integer(form, "version", low=0, high=10**9) if raw("version") else 0, 0
    )
    return Typed(draft, _key(raw("key")), version, problems[0] if problems else None)


def offers(reader: Reader, *, limit: int, in_reply_to: int | None = None) -> list[Offer]:
    """Return drafts to continue: of an answer only those to the same post."""
    found = drafts.unfinished(reader)
    if in_reply_to is not None:
        found = [one for one in found if one.draft.in_reply_to == in_reply_to]
    return [offer(one) for one in found[:limit]]


def offer(kept: Kept) -> Offer:
    """Return a draft as it is offered."""
    draft = kept.draft
    said = draft.source or draft.summary or " · ".join(draft.options)
    url = f"/compose?draft={kept.key}"
    if draft.edits is not None:
        url = f"/posts/{draft.edits}/edit?draft={kept.key}"
    return Offer(kept, " ".join(said.split())[:BEGINNING_CHARS], url)


def allowed(reader: Reader, draft: Draft) -> Note | None:
    """Return what a draft answers. Raises: InvalidInput if it is for more people than that is."""
    parent = None
    if draft.in_reply_to is not None:
        parent = notes.by_id(reader, draft.in_reply_to)
        if parent is None:
            raise InvalidInput("", "What this answers has been deleted meanwhile.")
    if draft.visibility == outbox.CIRCLE and parent is None:
        return None  # whether it is there, publishing it tells
    if draft.visibility not in [one.value for one in _choices(reader, parent, ())]:
        if draft.visibility in _OPEN:
            raise InvalidInput("visibility", "A reply cannot be seen by more than what it answers.")
        raise InvalidInput("visibility", "Please choose again who may see it.")
    return parent


def at(ctx: Context, typed_at: str) -> datetime:
    """Return the instant that a local time of the owner's is, in their time zone.

    Raises: InvalidInput if it is no time, or none that there is on that day.
    """
    return instant_of(typed_at, ctx.owner.time_zone)


def instant_of(typed_at: str, zone_name: str) -> datetime:
    """Return the instant of a local time; where clocks go back, the first of the two.

    >>> instant_of("2026-06-01T08:00", "Europe/Vienna").isoformat()
    '2026-06-01T08:00:00+02:00'
    >>> instant_of("2026-10-25T02:30", "Europe/Vienna").isoformat()
    '2026-10-25T02:30:00+02:00'
    >>> instant_of("2026-03-29T02:30", "Europe/Vienna")
    Traceback (most recent call last):
    microfedi.errors.InvalidInput: On that day the clocks go forward: there is no 02:30.
    """
    zone = zone_of(zone_name)
    try:
        local = datetime.strptime(typed_at[:16].replace(" ", "T"), "%Y-%m-%dT%H:%M")  # noqa: DTZ007
        there = local.replace(tzinfo=zone)
        back = datetime.fromtimestamp(there.timestamp(), zone)
    except (ValueError, OverflowError, OSError):
        raise InvalidInput(
            "at", "Please say when, with day and time, like 2026-05-03T08:10."
        ) from None
    if back.replace(tzinfo=None) != local:
        raise InvalidInput(
            "at",
            "On that day the clocks go forward: there is no %(time)s.",
            time=f"{local:%H:%M}",
        )
    return there


def earliest(ctx: Context) -> str:
    """Return the soonest time that can be chosen, with a minute for it to be sent in."""
    return local_text(ctx.now() + outbox.SOONEST + timedelta(minutes=2), ctx.owner.time_zone)


def local_text(instant: datetime, zone_name: str) -> str:
    """Return an instant as <input type=datetime-local> has it."""
    return f"{instant.astimezone(zone_of(zone_name)):%Y-%m-%dT%H:%M}"


def _choices(
    reader: Reader, parent: Note | None, known: Sequence[circles.Circle]
) -> Sequence[Choice]:
    """Who may see it, circles too: for a reply no more people than may see what it answers."""
    usual = [
        Choice("public", _("Public – everybody"), "public"),
        Choice("unlisted", _("Quiet public – everybody, not promoted"), "unlisted"),
        Choice("followers", _("Followers – only they"), "followers"),
    ]
    if parent is None:
        named = [
            Choice(f"{_CIRCLE}{one.id}", _("Circle: %(name)s", name=one.name), "circle")
            for one in known
        ]
        return [*usual, *named]
    is_in_circle = bool(circles.readers(reader, parent.id))
    those = _("The same circle") if is_in_circle else _("Only the people in it")
    widest = {Visibility.PUBLIC: 0, Visibility.UNLISTED: 1, Visibility.FOLLOWERS: 2}.get(
        parent.visibility, len(_OPEN)
    )
    return [*usual[widest:], Choice("limited", those, "limited")]


def _chosen(draft: Draft, known: Sequence[circles.Circle]) -> str:
    if draft.visibility != outbox.CIRCLE:
        return draft.visibility
    return next((f"{_CIRCLE}{one.id}" for one in known if one.public_id == draft.circle), "")


def _audience(value: str, known: Sequence[circles.Circle]) -> tuple[str, str]:
    """Return the visibility that was chosen, and the public id of the circle if it was one."""
    if not value.startswith(_CIRCLE):
        return value, ""
    found = next((one for one in known if f"{_CIRCLE}{one.id}" == value), None)
    if found is None:
        raise InvalidInput("visibility", "Please choose again who may see it.")
    return outbox.CIRCLE, found.public_id


def _row_id(form: FormData, name: str) -> int | None:
    return forms.row_id(form, name) if form.get(name) else None


def _key(value: str) -> str:
    return value if _KEY.fullmatch(value) else ""


def continued(kept: Kept, zone_name: str) -> dict[str, Any]:
    """Return what `box` needs to go on with a draft; with a scheduled one, beside it."""
    if kept.publish_at is None:
        return {"draft": kept.draft, "key": kept.key, "version": kept.version}
    at = local_text(kept.publish_at, zone_name)
    return {"draft": replace(kept.draft, replaces=kept.key, at=at)}
