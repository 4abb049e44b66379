"""JSON from elsewhere becomes `vocab`: the mirror image of `render`.

Lenient about how a thing is written, strict about what it is. Nothing is fetched and no `@context`
is looked at: keys are read as they stand. Who may say what is not judged here: an inline object
keeps its own id and author, and `federation` compares them with the signer.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, cast

from microfedi.errors import MalformedDocument
from microfedi.protocol import instants, pieces, publickeys, shapes, uris, webfinger
from microfedi.protocol.vocab import (
    ACTOR_TYPES,
    NOTE_TYPES,
    Accept,
    Activity,
    Actor,
    ActorType,
    Announce,
    Block,
    Collection,
    Create,
    Delete,
    Follow,
    Like,
    Note,
    PublicKey,
    Reject,
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
MAX_ADDRESSEES = 200  # of `to` and `cc` each
MAX_ALIASES = 20
MAX_KEYS = 10  # as Mastodon
MAX_ITEMS = 200  # of a page of a collection; Mastodon writes 60
MAX_TOTAL = 2**53 - 1

COLLECTION_TYPES = frozenset(
    {"Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage"}
)
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
    if uri is None and (known is not None or doc.get("id") is not None):
        raise MalformedDocument(f"expected an https id of the {kind}")
    common = _common(doc, uri or "", actor_uri)
    if known is None:
        return UnknownActivity(**common, type=kind)
    things = shapes.as_list(doc.get("object"))
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
        icon=icon,
        icon_alt=icon_alt,
        image=pieces.picture(doc.get("image"))[0],
        fields=pieces.fields(doc.get("attachment")),
        emojis=pieces.emojis(doc.get("tag")),
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
    """Read a note, or whatever else of NOTE_TYPES; it must have an id and say who wrote it.

    Source: Activity Streams 2.0 4.1; ActivityPub 6.2.
    Raises: MalformedDocument.
    """
    return _note(doc, author=None)


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
    """Return the reader of Accept and Reject: the Follow they answer, inline or by its id."""

    def read(common: Document, _: Document, thing: Any) -> Activity:
        object_uri, follow = shapes.id_of(thing), None
        if isinstance(thing, dict) and type_of(thing) == "Follow":
            found = _inline(thing, shapes.first(thing.get("actor")))
            follow = found if isinstance(found, Follow) else None
        if object_uri is None and follow is None:
            raise MalformedDocument("expected the Follow that is answered, or its id")
        return make(**common, object_uri=object_uri, follow=follow)

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
    if kind not in NOTE_TYPES:
        return UnknownActivity(**common, type=f"Create({kind})")
    return Create(**common, object_uri=object_uri, note=_inline_note(common, thing))


def _update(common: Document, _: Document, thing: Any) -> Activity:
    object_uri = _object_uri(thing)
    if not isinstance(thing, dict):
        return Update(**common, object_uri=object_uri)
    kind = type_of(thing)
    if kind in NOTE_TYPES:
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
    return Like(
        **common,
        object_uri=_object_uri(thing),
        content=shapes.line(reaction, MAX_REACTION_CHARS),
    )


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
    "Announce": _about(Announce),
    "Block": _about(Block),
}
# What is undone may come inline, and then need not have an id. Everything else counts by its id.
_UNDOABLE = frozenset({"Follow", "Like", "EmojiReact", "Announce", "Block"})
_KNOWN_TYPES = frozenset({*_ACTIVITIES, *ACTOR_TYPES, *NOTE_TYPES, *COLLECTION_TYPES, "Tombstone"})


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
    if kind not in NOTE_TYPES:
        raise MalformedDocument(f"expected a note, not a {kind}")
    if uri is None:
        raise MalformedDocument(f"expected an https id of the {kind}")
    attributed_to = pieces.author(doc.get("attributedTo"), uri) or (
        author if doc.get("attributedTo") is None else None
    )
    if attributed_to is None:
        raise MalformedDocument(f"expected an author of the {kind}")
    content, language = shapes.mapped(doc, "content")
    summary, _ = shapes.mapped(doc, "summary")
    name, _ = shapes.mapped(doc, "name")
    text = shapes.text(content, MAX_CONTENT_CHARS)
    if text and shapes.media_type_of(doc) in ("text/plain", "text/markdown"):
        text = pieces.plain_to_html(text)
    tags = doc.get("tag")
    return Note(
        uri=uri,
        attributed_to=attributed_to,
        type=kind,
        content=text,
        summary=shapes.text(summary, MAX_SUMMARY_CHARS),
        name=shapes.line(name, MAX_NAME_CHARS),
        url=pieces.page_url(doc, uri),
        to=shapes.uris_in(doc.get("to"), MAX_ADDRESSEES),
        cc=shapes.uris_in(doc.get("cc"), MAX_ADDRESSEES),
        in_reply_to=shapes.first(doc.get("inReplyTo")),
        context=shapes.opaque(doc.get("context")),
        conversation=shapes.opaque(shapes.term(doc, "conversation")),
        published=instants.from_wire(doc.get("published")),
        updated=instants.from_wire(doc.get("updated")),
        sensitive=shapes.flag(shapes.term(doc, "sensitive")),
        language=language or pieces.language(doc.get("language")),
        source=pieces.markdown(doc.get("source"), MAX_CONTENT_CHARS),
        attachments=pieces.attachments(doc.get("attachment")) or pieces.media_of(doc, kind),
        mentions=pieces.mentions(tags),
        hashtags=pieces.hashtags(tags),
        emojis=pieces.emojis(tags),
        replies_uri=shapes.id_of(doc.get("replies")),
        likes_uri=shapes.id_of(doc.get("likes")),
        shares_uri=shapes.id_of(doc.get("shares")),
    )


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
        items=tuple(
            entry
            for entry in shapes.as_list(items)[:MAX_ITEMS]
            if isinstance(entry, dict) or uris.is_acceptable(entry, allow_http=True)
        ),
    )
