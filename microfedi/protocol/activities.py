"""JSON from elsewhere becomes activities of `vocab`: what somebody did, and what they did it to.

As `parse`, which reads the things in them: lenient about how it is written, strict about what it
is. Who may say what is not judged here: an inline object keeps its own id and author, and
`federation` compares them with the signer.
"""

import dataclasses
import re
from collections.abc import Callable
from typing import Any

from microfedi.errors import MalformedDocument
from microfedi.protocol import instants, kinds, parse, pieces, reactions, shapes
from microfedi.protocol.parse import MAX_ADDRESSEES, Document
from microfedi.protocol.vocab import (
    ACTOR_TYPES,
    ENCRYPTED_TYPES,
    Accept,
    Activity,
    Add,
    Announce,
    Block,
    Create,
    Delete,
    Emoji,
    Encrypted,
    FeatureRequest,
    Flag,
    Follow,
    Like,
    Lock,
    Move,
    Note,
    QuoteRequest,
    Reject,
    Remove,
    ReplyRequest,
    Request,
    Undo,
    UnknownActivity,
    Update,
)

# In characters or entries.
MAX_REACTION_CHARS = 400  # an emoji, or :shortcode@host:
MAX_REPORT_CHARS = 5000  # as Mastodon
MAX_REPORTED = 100  # people and posts of one report
MAX_BALLOT = 20  # votes in one activity; a poll with more answers is a questionnaire

_SHORTCODE = re.compile(r":([A-Za-z0-9_]{2,64})(?:@[^:]*)?:")  # some add their host


def read(doc: Document) -> Activity:
    """Read an activity. A type that we do not know becomes an UnknownActivity.

    Exactly one type, one actor and one object: a document that could be read as two different
    things is refused. An id is needed for everything that we act on.

    Source: ActivityPub 3, 7; Activity Streams 2.0 4.4.
    Raises: MalformedDocument.
    """
    kind = kinds.type_of(doc)
    if kind in kinds.KNOWN_TYPES and kind not in _ACTIVITIES:
        raise MalformedDocument(f"expected an activity, not a {kind}")
    actors = shapes.as_list(doc.get("actor"))
    actor_uri = shapes.id_of(actors[0]) if len(actors) == 1 else None
    if actor_uri is None:
        raise MalformedDocument("expected one actor")
    known = _ACTIVITIES.get(kind)
    uri = shapes.id_of(doc)
    if uri is None and (known is not None or doc.get("id") is not None) and kind not in _NAMELESS:
        raise MalformedDocument(f"expected an https id of the {kind}")
    common = _common(doc, uri or "", actor_uri)
    if known is None:
        return UnknownActivity(**common, type=kind)
    things = shapes.as_list(doc.get("object"))
    if kind == "Flag":
        return _flag(common, doc, things)
    if kind == "Create" and len(things) > 1:
        return _ballot(common, things)
    if len(things) != 1:
        raise MalformedDocument(f"expected one object of the {kind}, not {len(things)}")
    return known(common, doc, things[0])


# Activities, by type. Each is given what all activities have, the document, and its one object.

_Read = Callable[[Document, Document, Any], Activity]


def _about(make: Callable[..., Activity]) -> _Read:
    """Return the reader of an activity of which only the id of its object counts."""
    return lambda common, _, thing: make(**common, object_uri=_object_uri(thing))


def _answer(make: Callable[..., Activity]) -> _Read:
    """Return the reader of Accept and Reject: what they answer, inline or by its id."""

    def read(common: Document, doc: Document, thing: Any) -> Activity:
        object_uri = shapes.id_of(thing)
        more: Document = {"follow": None, "request": None}
        if isinstance(thing, dict) and kinds.type_of(thing) in ("Follow", *_REQUESTS):
            found = _inline(thing, shapes.first(thing.get("actor")))
            if isinstance(found, Follow):
                more["follow"] = found
            elif isinstance(found, Request):
                more["request"] = found
        if object_uri is None and more["follow"] is None:
            raise MalformedDocument("expected what is answered, or its id")
        if make is Accept:
            more["result"] = shapes.first(doc.get("result"))
        return make(**common, object_uri=object_uri, **more)

    return read


def _request(make: Callable[..., Request], *, with_note: bool = True) -> _Read:
    """Return the reader of a wish to quote, answer or list; the post may come along."""

    def read(common: Document, doc: Document, thing: Any) -> Activity:
        instruments = shapes.as_list(doc.get("instrument"))
        instrument_uri = shapes.id_of(instruments[0]) if len(instruments) == 1 else None
        if instrument_uri is None:
            raise MalformedDocument("expected one instrument with an https id")
        more: Document = {}
        if with_note and isinstance(instruments[0], dict) and "type" in instruments[0]:
            try:
                more["note"] = parse.note(instruments[0], author=common["actor_uri"])
            except MalformedDocument:
                more["note"] = None  # it can be fetched
        return make(**common, object_uri=_object_uri(thing), instrument_uri=instrument_uri, **more)

    return read


def _undo(common: Document, _: Document, thing: Any) -> Activity:
    object_uri, inner = shapes.id_of(thing), None
    if isinstance(thing, dict) and kinds.type_of(thing) in _UNDOABLE:
        actor_uri = shapes.first(thing.get("actor")) or common["actor_uri"]
        if actor_uri != common["actor_uri"]:
            raise MalformedDocument("expected an Undo of something by the same actor")
        inner = _inline(thing, actor_uri)
    if object_uri is None and inner is None:
        raise MalformedDocument("expected what is undone, or its id")
    return Undo(**common, object_uri=object_uri, inner=inner)


def _create(common: Document, _: Document, thing: Any) -> Activity:
    object_uri = _object_uri(thing)
    if not isinstance(thing, dict):
        return Create(**common, object_uri=object_uri)
    kind = kinds.type_of(thing)
    if kind in ENCRYPTED_TYPES:
        return Create(**common, object_uri=object_uri, encrypted=_encrypted(common, thing, kind))
    if not kinds.is_readable(kind):
        return UnknownActivity(**common, type=f"Create({kind})")
    return Create(**common, object_uri=object_uri, note=_inline_note(common, thing))


def _ballot(common: Document, things: list[Any]) -> Activity:
    """Read several votes in one poll, sent together as GoToSocial does; nothing else comes so."""
    votes = [
        _inline_note(common, thing)
        for thing in things[:MAX_BALLOT]
        if isinstance(thing, dict) and kinds.type_of(thing) == "Note"
    ]
    polls = {vote.in_reply_to for vote in votes}
    are_votes = all(vote.name and not vote.content for vote in votes)
    if len(votes) != len(things) or len(polls) != 1 or not are_votes:
        raise MalformedDocument(f"expected one object of the Create, not {len(things)}")
    return Create(**common, object_uri=votes[0].uri, note=votes[0], more=tuple(votes[1:]))


def _encrypted(common: Document, thing: Document, kind: str) -> Encrypted:
    return Encrypted(
        uri=_object_uri(thing),
        type=kind,
        attributed_to=shapes.first(thing.get("attributedTo")) or common["actor_uri"],
        to=shapes.uris_in(thing.get("to"), MAX_ADDRESSEES) or common["to"],
        cc=shapes.uris_in(thing.get("cc"), MAX_ADDRESSEES) or common["cc"],
    )


def _update(common: Document, _: Document, thing: Any) -> Activity:
    object_uri = _object_uri(thing)
    if not isinstance(thing, dict):
        return Update(**common, object_uri=object_uri)
    kind = kinds.type_of(thing)
    if kinds.is_readable(kind):
        return Update(**common, object_uri=object_uri, note=_inline_note(common, thing))
    if kind not in ACTOR_TYPES:
        return UnknownActivity(**common, type=f"Update({kind})")
    try:
        inline = parse.actor(thing)
    except MalformedDocument:
        inline = None  # some send only what changed; the whole can be fetched
    return Update(**common, object_uri=object_uri, actor=inline)


def _like(common: Document, doc: Document, thing: Any) -> Activity:
    reaction = doc.get("content") or doc.get("_misskey_reaction")
    content = shapes.line(reaction, MAX_REACTION_CHARS)
    emoji: Emoji | None = None
    match = _SHORTCODE.fullmatch(content)
    if match:
        content = f":{match[1]}:"
        emoji = next((e for e in pieces.emojis(doc.get("tag")) if e.shortcode == match[1]), None)
    elif not reactions.is_emoji(content):
        content = ""
    return Like(**common, object_uri=_object_uri(thing), content=content, emoji=emoji)


def _announce(common: Document, _: Document, thing: Any) -> Activity:
    inner: Activity | None = None
    if isinstance(thing, dict) and kinds.type_of(thing) in _ACTIVITIES:
        try:
            inner = read(thing)
        except MalformedDocument:
            inner = None  # of which only the id counts, as of everything that is passed on
        if isinstance(inner, Announce):
            raise MalformedDocument("expected a boost of a post, not of a boost")
    return Announce(**common, object_uri=_object_uri(thing), inner=inner)


def _flag(common: Document, doc: Document, things: list[Any]) -> Activity:
    reported = tuple(uri for thing in things[:MAX_REPORTED] if (uri := shapes.id_of(thing)))
    if not reported:
        raise MalformedDocument("expected whom or what is reported")
    content, _ = shapes.mapped(doc, "content")
    return Flag(
        **common,
        object_uris=reported,
        content=shapes.text(content or doc.get("summary"), MAX_REPORT_CHARS),
    )


def _move(common: Document, doc: Document, thing: Any) -> Activity:
    target = shapes.first(doc.get("target"))
    if target is None:
        raise MalformedDocument("expected a target of the Move")
    return Move(**common, object_uri=_object_uri(thing), target_uri=target)


def _listing(make: Callable[..., Activity]) -> _Read:
    """Return the reader of Add and Remove; a featured hashtag is known by its name."""

    def read(common: Document, doc: Document, thing: Any) -> Activity:
        target = shapes.first(doc.get("target"))
        if target is None:
            raise MalformedDocument("expected a target, the collection")
        hashtag = None
        if isinstance(thing, dict) and kinds.type_of(thing) == "Hashtag":
            hashtag = shapes.hashtag(thing.get("name"))
            thing = shapes.id_of(thing) or shapes.first(thing.get("href")) or target
        return make(**common, object_uri=_object_uri(thing), target_uri=target, hashtag=hashtag)

    return read


_REQUESTS = ("QuoteRequest", "ReplyRequest", "FeatureRequest")
_ACTIVITIES: dict[str, _Read] = {
    "Follow": _about(Follow),
    "Accept": _answer(Accept),
    "Reject": _answer(Reject),
    "Undo": _undo,
    "Create": _create,
    "Update": _update,
    "Delete": _about(Delete),
    "Like": _like,
    "EmojiReact": _like,
    "Announce": _announce,
    "Block": _about(Block),
    "Flag": _about(Flag),  # read by `_flag`, since it may be about many
    "Move": _move,
    "Add": _listing(Add),
    "Remove": _listing(Remove),
    "Lock": _about(Lock),
    "QuoteRequest": _request(QuoteRequest),
    "ReplyRequest": _request(ReplyRequest),
    "FeatureRequest": _request(FeatureRequest, with_note=False),
}
# What is undone may come inline, and then need not have an id. Everything else counts by its id,
# but for what Mastodon sends without.
_UNDOABLE = frozenset({"Follow", "Like", "EmojiReact", "Announce", "Block", "Accept", "Lock"})
_NAMELESS = frozenset({"Add", "Remove", "Flag"})


def _object_uri(thing: Any) -> str:
    uri = shapes.id_of(thing)
    if uri is None:
        raise MalformedDocument("expected an object with an https id")
    return uri


def _inline(thing: Document, actor_uri: str | None) -> Activity | None:
    """Read an activity inside another, which may lack an id, then ""; None if it is not whole."""
    things = shapes.as_list(thing.get("object"))
    if actor_uri is None or len(things) != 1 or shapes.id_of(things[0]) is None:
        return None
    return _ACTIVITIES[kinds.type_of(thing)](
        _common(thing, shapes.id_of(thing) or "", actor_uri), thing, things[0]
    )


def _common(doc: Document, uri: str, actor_uri: str) -> Document:
    return {
        "uri": uri,
        "actor_uri": actor_uri,
        "to": shapes.uris_in(doc.get("to"), MAX_ADDRESSEES),
        "cc": shapes.uris_in(doc.get("cc"), MAX_ADDRESSEES),
        "published": instants.from_wire(doc.get("published")),
    }


def _inline_note(common: Document, thing: Document) -> Note:
    """Read the note of a Create or Update; some are addressed only by the activity around them."""
    found = parse.note(thing, author=common["actor_uri"])
    if found.to or found.cc:
        return found
    return dataclasses.replace(found, to=common["to"], cc=common["cc"])
