"""Whom a post of the owner's is for, and who has a copy of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from microfedi.errors import InvalidInput
from microfedi.federation import consent
from microfedi.federation.context import Context
from microfedi.federation.outbox import quotes as outbox_quotes
from microfedi.federation.outbox import sending
from microfedi.protocol.vocab import Activity, Visibility
from microfedi.storage import actors, announces, circles, groups, likes, note_lists, notes
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note

# Actors who are told of an edit or a deletion beside followers: liked, boosted, replied. More than
# these have it from somebody's followers anyway, and fetch it again themselves.
MAX_TOLD = 2000
# From narrow to wide: a reply may be seen by no more people than what it answers.
_WIDTH = {
    Visibility.LIMITED: 0,
    Visibility.FOLLOWERS: 1,
    Visibility.UNLISTED: 2,
    Visibility.PUBLIC: 3,
}


@dataclass(frozen=True, slots=True)
class Circle:
    """Who gets a post for a circle, and the address that stands for them all."""

    uri: str
    people: list[Actor]


@dataclass(frozen=True, slots=True)
class Place:
    """What a post answers and what it quotes, each with its author, and the circle it is for."""

    parent: Note | None = None
    author: Actor | None = None
    quoted: tuple[Note, Actor] | None = None
    circle: Circle | None = None


def place(
    ctx: Context,
    reader: Reader,
    visibility: Visibility,
    *,
    in_reply_to: int | None,
    quote: int | None,
    circle: int | None,
) -> Place:
    """Return where a post belongs, all named by row ids.

    Raises: InvalidInput if it would be seen by more people than what it answers, or its author or
    that of what it quotes does not want it.
    """
    parent, author = _parent(reader, in_reply_to)
    chosen = _circle(ctx, reader, visibility, circle, parent)
    _refuse_widening(visibility, parent, chosen)
    _demand_reply(ctx, reader, parent, author)
    quoted = outbox_quotes.quotable(ctx, reader, quote, visibility)
    return Place(parent, author, quoted, chosen)


def groups_of(reader: Reader, mentioned: list[Actor], parent: Note | None) -> list[Actor]:
    """Return the groups that a post is for: mentioned in it, or where it answers something."""
    named = () if parent is None else actors.by_uris(reader, parent.audience).values()
    found = {one.id: one for one in (*mentioned, *named) if one.type == "Group"}
    return list(found.values())


def inboxes(
    ctx: Context, reader: Reader, note: Note, activity: Activity, *, also: Iterable[int] = ()
) -> list[str]:
    """Return who is sent something about a note: of a circle exactly those who got it."""
    people = circles.readers(reader, note.id)
    if people:
        return sending.personal(reader, people)
    return sending.audience(ctx, reader, activity, also=also)


def addressed(reader: Reader, note: Note) -> list[Actor]:
    """Return whom a note names, of those we know."""
    return list(actors.by_uris(reader, [*note.to, *note.cc]).values())


def who_has(reader: Reader, note: Note) -> set[int]:
    """Who has a copy of the owner's note for some other reason than being followed by it."""
    replied = note_lists.replies_to(reader, note.id, visibilities=list(_WIDTH), limit=MAX_TOLD)
    mentioned = actors.by_uris(reader, [one.href for one in note.mentions])
    return {
        *likes.likers(reader, note.id, limit=MAX_TOLD),
        *announces.announcers(reader, note.id, limit=MAX_TOLD),
        *(one.actor_id for one in replied),
        *(one.id for one in mentioned.values()),
    }


def _parent(reader: Reader, note_id: int | None) -> tuple[Note | None, Actor | None]:
    if note_id is None:
        return None, None
    parent = notes.by_id(reader, note_id)
    if parent is None:
        raise InvalidInput("", "What this answers has been deleted meanwhile.")
    return parent, actors.by_id(reader, parent.actor_id)


def _demand_reply(ctx: Context, reader: Reader, parent: Note | None, author: Actor | None) -> None:
    """Refuse what the author would not let others see: GoToSocial hides such answers."""
    if parent is not None and groups.is_locked(reader, parent.id):
        raise InvalidInput("", "The moderators of the group have closed this thread.")
    if parent is None or author is None or parent.policy is None:
        return
    if consent.asks_us(ctx, reader, parent.policy.can_reply, parent, author) == "no":
        raise InvalidInput(
            "", "%(address)s lets only some people answer this post.", address=author.address
        )


def _circle(
    ctx: Context, reader: Reader, visibility: Visibility, chosen: int | None, parent: Note | None
) -> Circle | None:
    """Return who a limited post is for: a circle, or who got the owner's post that it answers.

    Raises: InvalidInput if nobody is in it.
    """
    if visibility is not Visibility.LIMITED:
        return None
    if parent is not None:
        people = circles.readers(reader, parent.id)
        prefix = ctx.owner.addresses.circle("")
        uri = next((one for one in parent.to if one.startswith(prefix)), None)
        return Circle(uri, people) if uri is not None and people else None
    found = None if chosen is None else circles.by_id(reader, chosen)
    if found is None:
        return None
    people = circles.people(reader, found.id)
    if not people:
        raise InvalidInput("visibility", "Nobody is in the circle %(name)s yet.", name=found.name)
    return Circle(ctx.owner.addresses.circle(found.public_id), people)


def _refuse_widening(visibility: Visibility, parent: Note | None, circle: Circle | None) -> None:
    if visibility is Visibility.DIRECT:
        raise InvalidInput("visibility", "A message is written in Messages.")
    if parent is None:
        if visibility is Visibility.LIMITED and circle is None:
            raise InvalidInput("visibility", "Please choose who it is for.")
    elif _WIDTH[visibility] > _WIDTH[parent.visibility]:
        raise InvalidInput("visibility", "A reply cannot be seen by more than what it answers.")
