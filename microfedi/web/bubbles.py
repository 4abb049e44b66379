"""Messages as a conversation shows them: days, what is new, and what happened in between."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from starlette.requests import Request

from microfedi import words
from microfedi.http.context import context_of
from microfedi.http.pages import summary_line, zone_of
from microfedi.protocol import ids, vocab
from microfedi.storage import actor_events, actors, notes, receipts
from microfedi.storage.actor_events import Event
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.messages import Message
from microfedi.storage.receipts import Server
from microfedi.web import cards, shown
from microfedi.web.shown import Shown
from microfedi.web.talks import Talk
from microfedi.words import _

CONTINUED_S = 300  # what the same person writes within so long goes on


@dataclass(frozen=True, slots=True)
class Told:
    """Something that changed of somebody in the conversation: a key, a server, an address."""

    event: Event
    actor: Actor


@dataclass(frozen=True, slots=True)
class Answered:
    """The owner's post, or somebody's, that a message answers."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Bubble:
    """A message in its conversation.

    `day` stands above it if it is the first of a day, `is_first_unread` if the owner has not seen
    it and what follows. `is_continued`: the one above is by the same person, a moment ago.
    `missing` are servers that do not have it (the owner's only). `events` happened just before it.
    """

    message: Message
    author: Actor
    is_mine: bool
    pictures: tuple[Shown, ...]
    files: tuple[vocab.Attachment, ...]
    day: str = ""
    is_first_unread: bool = False
    is_continued: bool = False
    missing: tuple[Server, ...] = ()
    events: tuple[Told, ...] = ()
    answered: Answered | None = None


def of(request: Request, reader: Reader, talk: Talk, found: Sequence[Message]) -> list[Bubble]:
    """Return messages as the page shows them. Of strangers' nothing is fetched: it would tell."""
    ctx = context_of(request)
    owner, zone = ctx.owner, zone_of(ctx.owner.time_zone)
    people = {one.id: one for one in talk.people}
    if others := {m.actor_id for m in found} - people.keys():
        people |= actors.by_ids(reader, others)
    ours = [m.id for m in found if m.public_id is not None]
    missing = receipts.missing(reader, ours) if ours else {}
    answered = _answered(request, reader, found)
    today = ctx.now().astimezone(zone).date()
    read_id = talk.conversation.read_message_id
    lines: list[Bubble] = []
    last_day: date | None = None
    is_new_seen = False
    for message in found:
        author = people.get(message.actor_id)
        if author is None:
            continue
        is_mine = message.actor_id == owner.actor_id
        pictures, files = shown.of(reader, message.attachments, is_ours=is_mine, is_private=True)
        if talk.conversation.state == "request":
            pictures = ()
        at = message.published_at.astimezone(zone)
        is_new = not is_mine and message.id > read_id and not is_new_seen
        is_new_seen = is_new_seen or is_new
        above = lines[-1].message if lines and lines[-1].author.id == author.id else None
        lines.append(
            Bubble(
                message,
                author,
                is_mine,
                pictures,
                files,
                day=_day(at, today) if at.date() != last_day else "",
                is_first_unread=is_new and talk.conversation.state == "open",
                is_continued=above is not None
                and at.date() == last_day
                and not is_new
                and (message.published_at - above.published_at).total_seconds() < CONTINUED_S,
                missing=tuple(missing.get(message.id, ())),
                answered=answered.get(message.in_reply_to or ""),
            )
        )
        last_day = at.date()
    return lines


def _day(at: datetime, today: date) -> str:
    days = (today - at.date()).days
    if days == 0:
        return _("Today")
    if days == 1:
        return _("Yesterday")
    return words.day_briefly(at, with_year=at.year != today.year)


def _answered(request: Request, reader: Reader, found: Sequence[Message]) -> dict[str, Answered]:
    """Return the posts that messages answer: other software sends answers in a circle like that."""
    uris = {m.in_reply_to for m in found if m.in_reply_to} - {m.uri for m in found}
    if not uris:
        return {}
    ids = notes.ids_of(reader, uris)
    posts = notes.by_ids(reader, ids.values()) if ids else {}
    owner = context_of(request).owner
    return {
        uri: Answered(summary_line(posts[note_id]), cards.url_of(posts[note_id], owner))
        for uri, note_id in ids.items()
        if note_id in posts
    }


def changes(
    request: Request, reader: Reader, talk: Talk, lines: Sequence[Bubble], *, is_newest: bool
) -> tuple[list[Bubble], list[Told], list[Told]]:
    """Return the lines with what changed of the people, in its place; and what comes before and
    after them.

    What changed before the first line is said above the newest page: it may be that the one who
    writes now is somebody else.
    """
    people = {one.id: one for one in talk.people}
    since = context_of(request).now() - actor_events.RECENT
    found = actor_events.of(reader, people.keys(), since=since)
    told = [Told(one, people[one.actor_id]) for one in reversed(found)]
    placed: list[Bubble] = []
    above: list[Told] = []
    for number, line in enumerate(lines):
        arrived = ids.instant_of(line.message.id)
        before = [one for one in told if one.event.at <= arrived]
        told = [one for one in told if one.event.at > arrived]
        if number == 0:
            above = before if is_newest else []
            before = []
        placed.append(replace(line, events=tuple(before)) if before else line)
    return placed, above, told if is_newest else []
