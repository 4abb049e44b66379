"""What all pages of messages share: conversations with their people, and who could read along."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup
from starlette.requests import Request

from microfedi import words
from microfedi.errors import InvalidInput, MalformedDocument, NotFound, ProtocolError, RemoteError
from microfedi.federation import lookup
from microfedi.federation.outbox import writing
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import zone_of
from microfedi.protocol import markup, uris, webfinger
from microfedi.storage import actors, conversations, message_drafts, messages
from microfedi.storage.actors import Actor
from microfedi.storage.conversations import Conversation
from microfedi.storage.database import Reader
from microfedi.storage.messages import Message
from microfedi.web import troubles
from microfedi.words import _

MAX_PEOPLE = 20  # in one conversation: more is a mailing list, and nobody reads that many names
MAX_NAMED = 4  # in a heading
MAX_NAME_CHARS = 40  # of a name in a sentence


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation in the list, or open. `has_draft`: something was typed and not sent."""

    conversation: Conversation
    people: tuple[Actor, ...]
    last: Message | None = None
    has_draft: bool = False

    @property
    def names(self) -> str:
        """The people as a line."""
        named = [short(actor) for actor in self.people[:MAX_NAMED]]
        more = len(self.people) - len(named)
        if more:
            return _("%(names)s and %(count)s more", names=", ".join(named), count=more)
        return ", ".join(named)

    @property
    def addresses(self) -> str:
        """The people as somebody types them."""
        return " ".join(actor.address for actor in self.people)


def short(actor: Actor) -> str:
    """Return what somebody is called, not longer than it can be read in a sentence.

    Whoever calls themselves something longer does not push away who else could read along.
    """
    name = actor.display_name
    return name if len(name) <= MAX_NAME_CHARS else f"{name[:MAX_NAME_CHARS]}…"


def of(reader: Reader, found: Sequence[Conversation]) -> list[Talk]:
    """Return conversations with their people, the newest message, and whether a draft waits."""
    people = actors.by_ids(reader, {one for c in found for one in c.people})
    last = messages.by_ids(reader, {c.last_message_id for c in found})
    has_open = any(c.state == "open" for c in found)
    drafts = message_drafts.waiting(reader) if has_open else set()
    return [
        Talk(
            c,
            tuple(people[one] for one in c.people if one in people),
            last.get(c.last_message_id),
            c.id in drafts,
        )
        for c in found
    ]


def by_ids(reader: Reader, ids: Iterable[int], *, now: datetime) -> dict[int, Talk]:
    """Return conversations with their people, by row id; nothing of the vault is opened."""
    found = conversations.by_ids(reader, set(ids), now=now)
    people = actors.by_ids(reader, {one for c in found.values() for one in c.people})
    return {
        c.id: Talk(c, tuple(people[one] for one in c.people if one in people))
        for c in found.values()
    }


async def asked(request: Request) -> Talk:
    """Return the conversation that the path names. Raises: NotFound."""
    ctx = context_of(request)
    conversation_id = forms.path_id(request, "id")

    found = await ctx.db.read(lambda reader: by_ids(reader, [conversation_id], now=ctx.now()))
    if conversation_id not in found:
        raise NotFound("no such conversation")
    return found[conversation_id]


def servers(people: Iterable[Actor]) -> list[str]:
    """Return whose operators could read a message to these people.

    Whoever runs the server where somebody's inbox is, where their account is, or whose name is in
    their address: these may be three.
    """
    found: set[str] = set()
    for actor in people:
        found.add(actor.host)
        found.add(actor.address.rpartition("@")[2])
        try:
            found.add(uris.authority(actor.inbox))
        except MalformedDocument:
            continue
    return sorted(found)


def readers(people: Sequence[Actor]) -> dict[str, Markup]:
    """Return who can read what is sent to these people, for the line that says so."""
    return {
        "names": listed([short(one) for one in people]),
        "servers": listed(servers(people)),
    }


def day_in(request: Request) -> Callable[[datetime], str]:
    """Return what names a day, as the owner's calendar has it."""
    zone = zone_of(context_of(request).owner.time_zone)
    return lambda instant: words.day_briefly(instant.astimezone(zone), with_year=True)


def listed(parts: Sequence[object]) -> Markup:
    """Return things as a sentence lists them, each kept together whatever its script."""
    each = [Markup("<bdi>{}</bdi>").format(part) for part in parts]
    if len(each) < 2:
        return each[0] if each else Markup("")
    several = Markup(", ").join(each[:-1])
    # Both are escaped already, and the words around them are ours or a translator's.
    return Markup(_("%(several)s and %(last)s", several=several, last=each[-1]))  # noqa: S704


def outside(source: str, people: Iterable[Actor], own_address: str) -> list[str]:
    """Return the handles in a text that mean nobody of the conversation: they get nothing."""
    inside = writing.among(source, people)
    own = own_address.removeprefix("@").lower()
    named = {
        f"@{handle}": None
        for handle in markup.mentions_in(source)
        if handle not in inside and handle.lower() != own
    }
    return list(named)


async def people_in(request: Request, to: str) -> list[Actor]:
    """Look up the people whose addresses somebody typed. Raises: InvalidInput("to")."""
    ctx = context_of(request)
    handles = [part for part in to.replace(",", " ").split() if part]
    if not handles:
        raise InvalidInput("to", "To whom? An address looks like @name@server.example.")
    if len(handles) > MAX_PEOPLE:
        raise InvalidInput("to", "At most %(max_people)s people.", max_people=MAX_PEOPLE)
    people: dict[int, Actor] = {}
    for text in handles:
        handle = webfinger.parse_handle(text)
        if handle is None:
            raise InvalidInput(
                "to", "%(text)s is no address; one looks like @name@server.example.", text=text
            )
        try:
            actor = await lookup.by_handle(ctx, str(handle))
        except (NotFound, RemoteError, ProtocolError) as error:
            raise InvalidInput(
                "to",
                "%(text)s was not found: %(error)s",
                text=text,
                error=troubles.of_lookup(error),
            ) from error
        if actor.id == ctx.owner.actor_id:
            raise InvalidInput("to", "You are in every conversation of yours already.")
        people[actor.id] = actor
    return list(people.values())
