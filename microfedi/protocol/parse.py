"""JSON from elsewhere becomes `vocab`: the mirror image of `render`.

Lenient about how a thing is written, strict about what it is. Nothing is fetched and no `@context`
is looked at: keys are read as they stand. Who may say what is not judged here: an inline object
keeps its own id and author, and `federation` compares them with the signer.
"""

import dataclasses
import re
from collections.abc import Callable
from typing import Any, cast

from microfedi.errors import MalformedDocument
from microfedi.protocol import instants, pieces, publickeys, shapes, uris, webfinger
from microfedi.protocol.vocab import (
    ACTOR_TYPES,
    ENCRYPTED_TYPES,
    NOTE_TYPES,
    Accept,
    Activity,
    Actor,
    ActorType,
    Add,
    Announce,
    Block,
    Collection,
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
    PublicKey,
    QuoteRequest,
    Reject,
    Remove,
    ReplyRequest,
    Request,
    Stamp,
    Undo,
    UnknownActivity,
    Update,
)

# What is longer is cut (HTML too: it is repaired when it is sanitised). All in characters or
# entries; the reasons are what others write at most, and that a page must stay readable.
MAX_CONTENT_CHARS = 128_000  # a novella; most servers stop at 500 to 20,000
MAX_SUMMARY_CHARS = 20_000  # a biography may be as long as Mastodon takes it
MAX_NAME_CHARS = 500  # a title, a display name
MAX_TYPE_CHARS = 100
MAX_REACTION_CHARS = 100  # one emoji with all its joiners, or :shortcode:
MAX_REPORT_CHARS = 5000  # as Mastodon
MAX_REPORTED = 100  # people and posts of one report
MAX_BALLOT = 20  # votes in one activity; a poll with more answers is a questionnaire
MAX_ADDRESSEES = 200  # of `to` and `cc` each
MAX_ALIASES = 20
MAX_KEYS = 10  # as Mastodon
MAX_ITEMS = 200  # of a page of a collection; Mastodon writes 60
MAX_TOTAL = 2**53 - 1

COLLECTION_TYPES = frozenset(
    {"Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage"}
)
_SHORTCODE = re.compile(r":([A-Za-z0-9_]{2,64})(?:@[^:]*)?:")  # some add their host
# Of these the summary is a content warning; of an Article or a Video it says what it is about.
_WARNED = frozenset({"Note", "Question", "ChatMessage"})
_AS2 = "https://www.w3.org/ns/activitystreams#"

Document = dict[str, Any]


def activity(doc: Document) -> Activity:
    """Read an activity. A type that we do not know becomes an UnknownActivity.

    Exactly one type, one actor and one object: a document that could be read as two different
    things is refused. An id is needed for everything that we act on.

    Source: ActivityPub 3, 7; Activity Streams 2.0 4.4.
    Raises: MalformedDocument.
    """
    kind = type_of(doc)
    if kind in _KNOWN_TYPES and kind not in _ACTIVITIES:
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


def actor(doc: Document) -> Actor:
    """Read an actor: somebody with an id and an inbox.

    Source: ActivityPub 4.1; FEP-2c59 (webfinger), FEP-521a (assertionMethod).
    Raises: MalformedDocument.
    """
    kind = type_of(doc)
    uri, inbox = shapes.id_of(doc), shapes.id_of(doc.get("inbox"))
    if kind not in ACTOR_TYPES:
        raise MalformedDocument(f"expected an actor, not a {kind}")
    if uri is None or inbox is None:
        raise MalformedDocument("expected an https id and an inbox of the actor")
    endpoints = doc.get("endpoints")
    shared = endpoints.get("sharedInbox") if isinstance(endpoints, dict) else None
    username = doc.get("preferredUsername")
    icon, icon_alt = pieces.picture(doc.get("icon"))
    summary, _ = shapes.mapped(doc, "summary")
    name, _ = shapes.mapped(doc, "name")
    return Actor(
        uri=uri,
        inbox=inbox,
        type=cast(ActorType, kind),
        preferred_username=(
            username if isinstance(username, str) and webfinger.is_user(username) else ""
        ),
        webfinger=pieces.handle(doc.get("webfinger")),
        name=shapes.line(name, MAX_NAME_CHARS),
        summary=shapes.text(summary, MAX_SUMMARY_CHARS),
        url=pieces.page_url(doc, uri),
        shared_inbox=shapes.id_of(shared or doc.get("sharedInbox")),
        outbox=shapes.id_of(doc.get("outbox")),
        followers=shapes.id_of(doc.get("followers")),
        following=shapes.id_of(doc.get("following")),
        featured=shapes.id_of(shapes.term(doc, "featured")),
        featured_tags=shapes.id_of(shapes.term(doc, "featuredTags")),
        icon=icon,
        icon_alt=icon_alt,
        image=pieces.picture(doc.get("image"))[0],
        fields=pieces.fields(doc.get("attachment")),
        emojis=pieces.emojis(doc.get("tag")),
        hashtags=pieces.hashtags(doc.get("tag")),
        attribution_domains=pieces.domains(shapes.term(doc, "attributionDomains")),
        can_feature=pieces.rule(_feature_rule(doc)),
        also_known_as=shapes.uris_in(shapes.term(doc, "alsoKnownAs"), MAX_ALIASES),
        moved_to=shapes.first(shapes.term(doc, "movedTo")),
        keys=keys(doc),
        manually_approves_followers=shapes.flag(shapes.term(doc, "manuallyApprovesFollowers")),
        discoverable=shapes.flag(shapes.term(doc, "discoverable")),
        indexable=shapes.flag(shapes.term(doc, "indexable")),
        suspended=shapes.flag(shapes.term(doc, "suspended")),
        memorial=shapes.flag(shapes.term(doc, "memorial")),
        published=instants.from_wire(doc.get("published")),
    )


def keys(doc: Document) -> tuple[PublicKey, ...]:
    """Read the keys of an actor document, or of a document that is a key itself.

    Also from stubs: GoToSocial serves an actor of id and key alone. The owner is the one that the
    key names; that it is so has to be said by the owner's document too, which is not for us to
    check.

    Source: FEP-521a; the security vocabulary's `publicKey`.
    """
    found: dict[str, PublicKey] = {}  # some list the RSA key in both places
    listed = [*shapes.objects(doc.get("publicKey")), *shapes.objects(doc.get("assertionMethod"))]
    if "publicKeyPem" in doc or "publicKeyMultibase" in doc:
        listed.append(doc)
    for entry in listed[:MAX_KEYS]:
        uri = shapes.id_of(entry)
        owner = shapes.first(entry.get("owner")) or shapes.first(entry.get("controller"))
        if uri is None or owner is None:
            continue
        key = publickeys.from_pem(uri, owner, entry.get("publicKeyPem"))
        key = key or publickeys.from_multibase(uri, owner, entry.get("publicKeyMultibase"))
        if key is not None:
            found.setdefault(uri, key)
    return tuple(found.values())


def note(doc: Document) -> Note:
    """Read a note, or whatever else a person can read; it must have an id and say who wrote it.

    Source: Activity Streams 2.0 4.1; ActivityPub 6.2.
    Raises: MalformedDocument.
    """
    return _note(doc, author=None)


def stamp(doc: Document) -> Stamp:
    """Read the document by which somebody agrees to be quoted, answered or listed.

    Source: FEP-044f; GoToSocial's interaction policies; FEP-7aa9.
    Raises: MalformedDocument.
    """
    kind, uri = type_of(doc), shapes.id_of(doc)
    interacting = shapes.first(shapes.term(doc, "interactingObject"))
    target = shapes.first(shapes.term(doc, "interactionTarget"))
    if kind not in _STAMPS or uri is None or interacting is None or target is None:
        raise MalformedDocument(f"expected an authorization, not a {kind}")
    attributed_to = shapes.first(doc.get("attributedTo")) or (
        target if kind == "FeatureAuthorization" else None
    )
    if attributed_to is None:
        raise MalformedDocument("expected an author of the authorization")
    return Stamp(uri, kind, attributed_to, interacting, target)


def collection(doc: Document) -> Collection:
    """Read a collection or a page of one, ordered or not.

    Source: Activity Streams 2.0 4.4; ActivityPub 5.
    Raises: MalformedDocument.
    """
    kind = type_of(doc)
    if kind not in COLLECTION_TYPES:
        raise MalformedDocument(f"expected a collection, not a {kind}")
    return _collection(doc)


def type_of(doc: Document) -> str:
    """Return the type of a document; of several, the one we know.

    An activity that is two things we know is refused: we might do one, the next reader the other.

    Raises: MalformedDocument if there is none, or several activities.

    >>> type_of({"type": ["schema:Thing", "Note"]})
    'Note'
    >>> type_of({"type": ["Create", "Delete"]})
    Traceback (most recent call last):
        ...
    microfedi.errors.MalformedDocument: expected one type, not Create and Delete
    """
    names = [
        name.removeprefix(_AS2).removeprefix("as:")
        for name in shapes.as_list(doc.get("type"))
        if isinstance(name, str) and 0 < len(name) <= MAX_TYPE_CHARS and name.isprintable()
    ]
    known = [name for name in dict.fromkeys(names) if name in _KNOWN_TYPES]
    if len(known) > 1 and any(name in _ACTIVITIES for name in known):
        raise MalformedDocument(f"expected one type, not {' and '.join(known)}")
    if not names:
        raise MalformedDocument("expected a type")
    return known[0] if known else names[0]


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
        if isinstance(thing, dict) and type_of(thing) in ("Follow", *_REQUESTS):
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
                more["note"] = _note(instruments[0], author=common["actor_uri"])
            except MalformedDocument:
                more["note"] = None  # it can be fetched
        return make(**common, object_uri=_object_uri(thing), instrument_uri=instrument_uri, **more)

    return read


def _undo(common: Document, _: Document, thing: Any) -> Activity:
    object_uri, inner = shapes.id_of(thing), None
    if isinstance(thing, dict) and type_of(thing) in _UNDOABLE:
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
    kind = type_of(thing)
    if kind in ENCRYPTED_TYPES:
        return Create(**common, object_uri=object_uri, encrypted=_encrypted(common, thing, kind))
    if not _is_readable(kind):
        return UnknownActivity(**common, type=f"Create({kind})")
    return Create(**common, object_uri=object_uri, note=_inline_note(common, thing))


def _ballot(common: Document, things: list[Any]) -> Activity:
    """Read several votes in one poll, sent together as GoToSocial does; nothing else comes so."""
    votes = [
        _inline_note(common, thing)
        for thing in things[:MAX_BALLOT]
        if isinstance(thing, dict) and type_of(thing) == "Note"
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
    kind = type_of(thing)
    if _is_readable(kind):
        return Update(**common, object_uri=object_uri, note=_inline_note(common, thing))
    if kind not in ACTOR_TYPES:
        return UnknownActivity(**common, type=f"Update({kind})")
    try:
        inline = actor(thing)
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
    return Like(**common, object_uri=_object_uri(thing), content=content, emoji=emoji)


def _announce(common: Document, _: Document, thing: Any) -> Activity:
    inner: Activity | None = None
    if isinstance(thing, dict) and type_of(thing) in _ACTIVITIES:
        try:
            inner = activity(thing)
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
        if isinstance(thing, dict) and type_of(thing) == "Hashtag":
            hashtag = shapes.hashtag(thing.get("name"))
            thing = shapes.id_of(thing) or shapes.first(thing.get("href")) or target
        return make(**common, object_uri=_object_uri(thing), target_uri=target, hashtag=hashtag)

    return read


_REQUESTS = ("QuoteRequest", "ReplyRequest", "FeatureRequest")
_STAMPS = frozenset({"QuoteAuthorization", "ReplyAuthorization", "FeatureAuthorization"})
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
# Things with a meaning of their own, which are never a post.
_NO_POSTS = frozenset(
    {
        *ACTOR_TYPES,
        *ENCRYPTED_TYPES,
        *_STAMPS,
        *COLLECTION_TYPES,
        "Tombstone",
        "Link",
        "Mention",
        "Hashtag",
        "Emoji",
        "Place",
        "Profile",
        "PropertyValue",
        "Relationship",
        "Key",
        "CryptographicKey",
        "Multikey",
        "FeaturedCollection",
        "FeaturedItem",
    }
)
# Other things that are done, of which we make nothing; not to be taken for something to read.
_IGNORED = frozenset(
    {
        "Arrive",
        "Dislike",
        "Ignore",
        "Invite",
        "IntransitiveActivity",
        "Join",
        "Leave",
        "Listen",
        "Offer",
        "Read",
        "TentativeAccept",
        "TentativeReject",
        "Travel",
        "View",
        "Warn",
        "LikeRequest",
        "AnnounceRequest",
    }
)
_KNOWN_TYPES = frozenset({*_ACTIVITIES, *_NO_POSTS, *NOTE_TYPES})


def _is_readable(kind: str) -> bool:
    """True for a post, and for whatever else nobody has given another meaning."""
    return kind not in _NO_POSTS and kind not in _ACTIVITIES and kind not in _IGNORED


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
    return _ACTIVITIES[type_of(thing)](
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
    found = _note(thing, author=common["actor_uri"])
    if found.to or found.cc:
        return found
    return dataclasses.replace(found, to=common["to"], cc=common["cc"])


def _note(doc: Document, *, author: str | None) -> Note:
    """Read a note; `author` is who wrote it if it does not say so itself."""
    kind, uri = type_of(doc), shapes.id_of(doc)
    if not _is_readable(kind):
        raise MalformedDocument(f"expected something to read, not a {kind}")
    if uri is None:
        raise MalformedDocument(f"expected an https id of the {kind}")
    said = doc.get("attributedTo")
    if said is None:
        said = doc.get("actor")  # an Event of Mobilizon has one
    attributed_to = pieces.author(said, uri) or (author if said is None else None)
    if attributed_to is None:
        raise MalformedDocument(f"expected an author of the {kind}")
    content, language = shapes.mapped(doc, "content")
    summary, _ = shapes.mapped(doc, "summary")
    name, _ = shapes.mapped(doc, "name")
    text = shapes.text(content, MAX_CONTENT_CHARS)
    if text and shapes.media_type_of(doc) in ("text/plain", "text/markdown"):
        text = pieces.plain_to_html(text)
    title = shapes.line(name, MAX_NAME_CHARS)
    warning = shapes.text(summary, MAX_SUMMARY_CHARS)
    sensitive = shapes.flag(shapes.term(doc, "sensitive"))
    if warning.strip() == title or (kind not in _WARNED and not sensitive):
        # Of everything but notes the summary is an abstract, and of some the title once more.
        text = text or (pieces.abstract(warning) if warning.strip() != title else "")
        warning = ""
    tags, attached = doc.get("tag"), doc.get("attachment")
    media = pieces.attachments(attached) or pieces.media_of(doc, kind) or pieces.cover(doc)
    return Note(
        uri=uri,
        attributed_to=attributed_to,
        type=kind,
        content=text,
        summary=warning,
        name=title,
        url=pieces.page_url(doc, uri),
        to=shapes.uris_in(doc.get("to"), MAX_ADDRESSEES),
        cc=shapes.uris_in(doc.get("cc"), MAX_ADDRESSEES),
        in_reply_to=shapes.first(doc.get("inReplyTo")),
        context=shapes.opaque(doc.get("context")),
        conversation=shapes.opaque(shapes.term(doc, "conversation")),
        published=instants.from_wire(doc.get("published")),
        updated=instants.from_wire(doc.get("updated")),
        sensitive=sensitive,
        language=language or pieces.language(doc.get("language") or doc.get("inLanguage")),
        source=pieces.markdown(doc.get("source"), MAX_CONTENT_CHARS),
        attachments=media,
        links=pieces.links(doc, kind, uri),
        mentions=pieces.mentions(tags),
        hashtags=pieces.hashtags(tags),
        emojis=pieces.emojis(tags),
        audience=shapes.uris_in(doc.get("audience"), MAX_ADDRESSEES),
        poll=pieces.poll(doc) if kind == "Question" else None,
        happening=pieces.happening(doc) if kind == "Event" else None,
        quote=pieces.quote(doc),
        quote_authorization=shapes.first(shapes.term(doc, "quoteAuthorization")),
        reply_authorization=shapes.first(shapes.term(doc, "replyAuthorization")),
        policy=pieces.policy(shapes.term(doc, "interactionPolicy")),
        is_direct=shapes.flag(shapes.term(doc, "directMessage")),
        replies_uri=shapes.id_of(doc.get("replies")),
        likes_uri=shapes.id_of(doc.get("likes")),
        shares_uri=shapes.id_of(doc.get("shares")),
    )


def _feature_rule(doc: Document) -> Any:
    said = shapes.term(doc, "interactionPolicy")
    return said.get("canFeature") if isinstance(said, dict) else None


def _page(value: Any) -> Collection | None:
    """Read a first page that was sent along, but not what it would carry in turn."""
    if not isinstance(value, dict) or not ("items" in value or "orderedItems" in value):
        return None
    return _collection({**value, "first": None})


def _collection(doc: Document) -> Collection:
    first = doc.get("first")
    items = doc.get("orderedItems") if "orderedItems" in doc else doc.get("items")
    return Collection(
        uri=shapes.id_of(doc),
        total=shapes.count(doc.get("totalItems"), MAX_TOTAL),
        first=shapes.first(first),
        first_page=_page(first),
        next=shapes.first(doc.get("next")),
        part_of=shapes.first(doc.get("partOf")),
        owner=shapes.first(doc.get("attributedTo")),
        items=tuple(
            entry
            for entry in shapes.as_list(items)[:MAX_ITEMS]
            if isinstance(entry, dict) or uris.is_acceptable(entry, allow_http=True)
        ),
    )
