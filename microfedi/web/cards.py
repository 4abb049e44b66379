"""A post as a page shows it, with everything it needs: gathered for a whole page in few queries."""

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from microfedi.federation import linked
from microfedi.protocol import sanitize, uris, vocab
from microfedi.protocol.filtering import Place, Verdict
from microfedi.protocol.sanitize import SafeHtml
from microfedi.protocol.vocab import Visibility
from microfedi.storage import (
    actors,
    circles,
    filters,
    marks,
    notes,
    polls,
    previews,
    quotes,
    receipts,
    selfthreads,
)
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.marks import Tally
from microfedi.storage.notes import Note
from microfedi.storage.owner import Owner
from microfedi.storage.previews import Preview
from microfedi.storage.receipts import Receipt
from microfedi.storage.selfthreads import Part
from microfedi.storage.timeline import Entry
from microfedi.web import shown
from microfedi.web.shown import Shown
from microfedi.words import _, mark

MAX_SHOWN_REACTIONS = 12  # different ones, of one post
MAX_SHOWN_CHOICES = 50  # of one poll; some ask hundreds, and a page has many posts

_PLAIN = frozenset(
    {"Note", "Article", "Page", "Question", "Image", "Video", "Audio", "ChatMessage"}
)
_WHY = {
    "unknown": mark("It is not known whether its author agrees to be quoted."),
    "pending": mark("Its author has not agreed to be quoted yet."),
    "rejected": mark("Its author does not want to be quoted here."),
    "revoked": mark("Its author no longer agrees to be quoted here."),
    "accepted": mark("It could not be fetched."),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer of a poll as it is shown. `percent` is of all who voted."""

    name: str
    votes: int
    percent: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class PollShown:
    """A poll as it is shown: with its result, or with buttons to vote."""

    choices: tuple[Choice, ...]
    is_multiple: bool
    voters: int
    ends_at: datetime | None
    is_over: bool
    can_vote: bool


@dataclass(frozen=True, slots=True)
class Sieve:
    """Where and when posts are shown to the owner: that decides which filters they go through.

    `keeps_gaps`: what would be hidden stands behind the filter's name, since others hang on it.
    """

    place: Place
    now: datetime
    keeps_gaps: bool = False


@dataclass(frozen=True, slots=True)
class Quoted:
    """What a post quotes. `card` only if its author agreed and it is kept here; `why` otherwise."""

    uri: str
    host: str
    card: "Card | None" = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A post in a page. `key` tells apart the same post boosted twice on one page; `anchor` is
    where the page is scrolled to after something was done to it: the first of them.
    """

    note: Note
    author: Actor
    key: str
    anchor: str
    url: str
    is_mine: bool
    boosted_by: Actor | None = None
    booster_url: str = ""
    reply_to: Actor | None = None
    reply_to_url: str = ""
    is_favourite: bool = False
    is_boosted: bool = False
    is_bookmarked: bool = False
    is_pinned: bool = False
    pictures: tuple[Shown, ...] = ()
    files: tuple[vocab.Attachment, ...] = ()
    poll: PollShown | None = None
    quote: Quoted | None = None
    reactions: tuple[Tally, ...] = ()
    group: Actor | None = None
    preview: Preview | None = None
    receipt: Receipt | None = None
    circle: str = ""
    position: int = 0  # on Home or in a list
    part: Part | None = None
    tag: str = ""  # that the owner follows, and that brought it
    filtered: str = ""  # the name of the filter that it stands behind

    @property
    def author_url(self) -> str:
        """The author's page on this server; others' pages here are the owner's alone."""
        return _page_of(self.author, is_owner=self.is_mine)

    @property
    def hashtags(self) -> tuple[str, ...]:
        """Those that the text does not say."""
        return shown.other_hashtags(self.note)

    @property
    def kind(self) -> str:
        """What it is, in a word for a person; "" for a post like any other."""
        return "" if self.note.type in _PLAIN else _split(self.note.type)

    @property
    def can_boost(self) -> bool:
        """Only open posts can be boosted, and one's own for followers."""
        return self.note.visibility.is_open

    @property
    def can_quote(self) -> bool:
        """Own open posts, and those of others that say who may; in the end their author decides."""
        policy = self.note.policy
        return self.note.visibility.is_open and (
            self.is_mine or (policy is not None and policy.can_quote is not None)
        )

    @property
    def html(self) -> SafeHtml:
        """The text; what is shown as a quote is not linked to once more."""
        if self.quote is not None and self.quote.card is not None:
            return sanitize.without_quote_link(self.note.html)
        return self.note.html

    @property
    def beginning(self) -> str:
        """How a long text begins; "" for others."""
        return shown.beginning(self.html)

    @property
    def can_pin(self) -> bool:
        """Own open posts."""
        return self.is_mine and self.note.visibility.is_open


def url_of(note: Note, owner: Owner | None) -> str:
    """Return the page of a note on this server: public for ours, behind the login for others'."""
    if note.public_id is not None and owner is not None:
        return f"/@{owner.handle}/{note.public_id}"
    return f"/posts/{note.id}"


def _page_of(actor: Actor, *, is_owner: bool) -> str:
    return f"/@{actor.username}" if is_owner else f"/people/{actor.id}"


def of_entries(
    reader: Reader,
    entries: Sequence[Entry],
    owner: Owner,
    sieve: Sieve | None = None,
    *,
    met: Sequence[Actor] = (),
) -> list[Card]:
    """Return the cards of a part of Home, or of somebody's page; those `met` are not looked up."""
    found = notes.by_ids(reader, {entry.note_id for entry in entries})
    shown = [(entry, found[entry.note_id]) for entry in entries if entry.note_id in found]
    return _build(
        reader,
        [note for _, note in shown],
        owner,
        entries=[entry for entry, _ in shown],
        sieve=sieve,
        met=met,
    )


def of_notes(
    reader: Reader,
    found: Sequence[Note],
    owner: Owner | None,
    *,
    pinned: bool = False,
    with_quotes: bool = True,
    sieve: Sieve | None = None,
) -> list[Card]:
    """Return the cards of notes. For a stranger (`owner` is only whose server it is) the marks
    of what the owner did are there too: templates show them only in a session.
    """
    return _build(reader, found, owner, pinned=pinned, with_quotes=with_quotes, sieve=sieve)


def of_note(reader: Reader, note: Note, owner: Owner | None) -> Card:
    """Return the card of one note."""
    return of_notes(reader, [note], owner)[0]


def _build(
    reader: Reader,
    found: Sequence[Note],
    owner: Owner | None,
    *,
    entries: Sequence[Entry] = (),
    pinned: bool = False,
    with_quotes: bool = True,
    sieve: Sieve | None = None,
    met: Sequence[Actor] = (),
) -> list[Card]:
    ids = {note.id for note in found}
    parents = {note.id: note for note in found}
    absent = {n.in_reply_to_id for n in found if n.in_reply_to_id} - parents.keys()
    if absent:
        parents |= notes.by_ids(reader, absent)
    named = {n.actor_id for n in found} | {n.actor_id for n in parents.values()}
    named |= {entry.announcer_id for entry in entries if entry.announcer_id is not None}
    people = {actor.id: actor for actor in met}
    if strangers := named - set(people):
        people |= actors.by_ids(reader, strangers)
    mine = owner.actor_id if owner is not None else 0
    done = marks.of_notes(reader, mine, ids)
    asked = {n.id for n in found if n.poll is not None}
    standings = polls.of_notes(reader, asked, voter_id=mine) if asked else {}
    quoting = [n for n in found if n.quote is not None] if with_quotes else []
    quoted = _quoted(reader, quoting, owner) if quoting else {}
    groups = _groups(reader, found)
    continued = _continued(found, parents)
    parts = selfthreads.of_notes(reader, continued) if continued else {}
    linking = {n.id: url for n in found if (url := linked.of(n)) is not None}
    pages = previews.of_urls(reader, set(linking.values())) if linking else {}
    rounds = _circles(reader, found, owner)
    cards: list[Card] = []
    seen: set[int] = set()
    for index, note in enumerate(found):
        entry = entries[index] if entries else None
        booster = entry.announcer_id if entry is not None else None
        author = people.get(note.actor_id)
        if author is None:
            continue
        quote = quoted.get(note.id)
        fate = _fate(note, quote, owner, sieve)
        if fate is not None and fate.hides:
            continue
        parent = parents.get(note.in_reply_to_id) if note.in_reply_to_id else None
        who = people.get(booster) if booster is not None else None
        pictures, files = shown.of(reader, note.attachments, is_ours=note.public_id is not None)
        cards.append(
            Card(
                note=note,
                author=author,
                key=f"{note.id}-{index}",
                anchor=_anchor(note, index, is_first=note.id not in seen, pinned=pinned),
                url=url_of(note, owner),
                is_mine=note.actor_id == mine,
                boosted_by=who,
                booster_url=_page_of(who, is_owner=booster == mine) if who else "",
                reply_to=people.get(parent.actor_id) if parent else None,
                reply_to_url=url_of(parent, owner) if parent else "",
                is_favourite=note.id in done.favourites,
                is_boosted=note.id in done.boosts,
                is_bookmarked=note.id in done.bookmarks,
                is_pinned=pinned,
                pictures=pictures,
                files=files,
                poll=_poll(note, standings.get(note.id), is_mine=note.actor_id == mine),
                quote=quote,
                reactions=tuple(done.reactions.get(note.id, ())[:MAX_SHOWN_REACTIONS]),
                preview=pages.get(linking.get(note.id, "")),
                circle=next((rounds[uri] for uri in note.to if uri in rounds), ""),
                group=next((groups[uri] for uri in note.audience if uri in groups), None),
                position=entry.position if entry is not None else 0,
                part=parts.get(note.id),
                tag=entry.tag if entry is not None else "",
                filtered=fate.name if fate is not None else "",
            )
        )
        seen.add(note.id)
    return cards


def _fate(
    note: Note, quote: Quoted | None, owner: Owner | None, sieve: Sieve | None
) -> Verdict | None:
    """Return which of the owner's filters a post falls under; their own posts fall under none."""
    if sieve is None or owner is None or note.actor_id == owner.actor_id:
        return None
    quoted = quote.card.note if quote is not None and quote.card is not None else None
    fate = filters.verdict(owner.filters, note, sieve.place, sieve.now, quoted=quoted)
    if fate is not None and sieve.keeps_gaps:
        return dataclasses.replace(fate, hides=False)
    return fate


def _quoted(reader: Reader, found: Sequence[Note], owner: Owner | None) -> dict[int, Quoted]:
    """Return what notes quote, by note. What is quoted is shown without what it quotes in turn."""
    known = quotes.of_notes(reader, {note.id for note in found})
    agreed = {one.quoted_id for one in known.values() if one.state == "accepted" and one.quoted_id}
    originals = [one for one in notes.by_ids(reader, agreed).values() if one.visibility.is_open]
    shown = {card.note.id: card for card in of_notes(reader, originals, owner, with_quotes=False)}
    quoted: dict[int, Quoted] = {}
    for note in found:
        one = known.get(note.id)
        uri = one.quoted_uri if one is not None else note.quote or ""
        card = shown.get(one.quoted_id or 0) if one is not None else None
        why = "" if card else _(_WHY[one.state if one is not None else "unknown"])
        quoted[note.id] = Quoted(uri, uris.host(uri), card, why)
    return quoted


def _continued(found: Iterable[Note], parents: Mapping[int, Note]) -> list[int]:
    """Return which posts may be a part of a thread that their authors write alone."""
    return [
        note.id
        for note in found
        if note.replies
        or not note.visibility.is_open  # whose answers are not counted
        or (
            (parent := parents.get(note.in_reply_to_id or 0)) is not None
            and parent.actor_id == note.actor_id
        )
    ]


def _groups(reader: Reader, found: Iterable[Note]) -> dict[str, Actor]:
    """Return the groups that notes were written to, by URI."""
    named = {uri for note in found for uri in note.audience[:1]}
    if not named:
        return {}
    known = actors.by_uris(reader, named)
    return {uri: one for uri, one in known.items() if one.type == "Group"}


def _circles(reader: Reader, found: Iterable[Note], owner: Owner | None) -> dict[str, str]:
    """Return the names of circles by what stands for them in posts; for the owner's eyes."""
    closed = Visibility.LIMITED
    if owner is None or all(n.visibility is not closed or n.public_id is None for n in found):
        return {}
    return {owner.addresses.circle(one.public_id): one.name for one in circles.everyone(reader)}


def _poll(note: Note, standing: polls.Standing | None, *, is_mine: bool) -> PollShown | None:
    if note.poll is None or standing is None:
        return None
    names = [one.name for one in note.poll.options]
    counts = (*standing.counts, *[0] * len(names))[: len(names)]
    total = max(standing.voters if note.poll.is_multiple else sum(counts), max(counts, default=0))
    is_over = standing.closed_at is not None
    return PollShown(
        choices=tuple(
            Choice(
                name, votes, round(100 * votes / total) if total else 0, index in standing.chosen
            )
            for index, (name, votes) in enumerate(
                zip(names[:MAX_SHOWN_CHOICES], counts[:MAX_SHOWN_CHOICES], strict=True)
            )
        ),
        is_multiple=note.poll.is_multiple,
        voters=max(standing.voters, 0),
        ends_at=standing.closed_at or standing.ends_at,
        is_over=is_over,
        can_vote=not is_mine and not is_over and not standing.chosen,
    )


def _split(kind: str) -> str:
    """Return a type in words.

    >>> _split("PodcastEpisode"), _split("Event")
    ('Podcast episode', 'Event')
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind)[:60].capitalize()


def _anchor(note: Note, index: int, *, is_first: bool, pinned: bool) -> str:
    """Pinned posts may stand on the page once more, below."""
    return f"n{note.id}" if is_first and not pinned else f"n{note.id}-{index}"


def with_receipt(reader: Reader, card: Card) -> Card:
    """Return the card with how far the post has got."""
    return dataclasses.replace(card, receipt=receipts.of_note(reader, card.note.id))
