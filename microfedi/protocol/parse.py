"""JSON from elsewhere becomes `vocab`, the mirror image of `render`: people, posts, collections.

What is done with them is read by `activities`.

Lenient about how a thing is written, strict about what it is. Nothing is fetched and no `@context`
is looked at: keys are read as they stand. Who may say what is not judged here: an inline object
keeps its own id and author, and `federation` compares them with the signer.
"""

from typing import Any, cast

from microfedi.errors import MalformedDocument
from microfedi.protocol import instants, kinds, media, pieces, publickeys, shapes, uris, webfinger
from microfedi.protocol.vocab import (
    ACTOR_TYPES,
    Actor,
    ActorType,
    Collection,
    Note,
    PublicKey,
    Stamp,
)

# What is longer is cut (HTML too: it is repaired when it is sanitised). All in characters or
# entries; the reasons are what others write at most, and that a page must stay readable.
MAX_CONTENT_CHARS = 128_000  # a novella; most servers stop at 500 to 20,000
MAX_SUMMARY_CHARS = 20_000  # a biography may be as long as Mastodon takes it
MAX_NAME_CHARS = 500  # a title, a display name
MAX_ADDRESSEES = 200  # of `to` and `cc` each
MAX_ALIASES = 20
MAX_KEYS = 10  # as Mastodon
MAX_ITEMS = 200  # of a page of a collection; Mastodon writes 60
MAX_TOTAL = 2**53 - 1

# Of these the summary is a content warning; of an Article or a Video it says what it is about.
_WARNED = frozenset({"Note", "Question", "ChatMessage"})

Document = dict[str, Any]


def actor(doc: Document) -> Actor:
    """Read an actor: somebody with an id and an inbox.

    Source: ActivityPub 4.1; FEP-2c59 (webfinger), FEP-521a (assertionMethod).
    Raises: MalformedDocument.
    """
    kind = kinds.type_of(doc)
    uri, inbox = shapes.id_of(doc), shapes.id_of(doc.get("inbox"))
    if kind not in ACTOR_TYPES:
        raise MalformedDocument(f"expected an actor, not a {kind}")
    if uri is None or inbox is None:
        raise MalformedDocument("expected an https id and an inbox of the actor")
    endpoints = doc.get("endpoints")
    shared = endpoints.get("sharedInbox") if isinstance(endpoints, dict) else None
    shared = shapes.id_of(shared or doc.get("sharedInbox"))
    username = doc.get("preferredUsername")
    icon, icon_alt = media.picture(doc.get("icon"))
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
        shared_inbox=shared if shared is not None and uris.are_neighbours(uri, shared) else None,
        outbox=shapes.id_of(doc.get("outbox")),
        followers=shapes.id_of(doc.get("followers")),
        following=shapes.id_of(doc.get("following")),
        featured=shapes.id_of(shapes.term(doc, "featured")),
        featured_tags=shapes.id_of(shapes.term(doc, "featuredTags")),
        icon=icon,
        icon_alt=icon_alt,
        image=media.picture(doc.get("image"))[0],
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


def note(doc: Document, *, author: str | None = None) -> Note:
    """Read a note, or whatever else a person can read; it must have an id and say who wrote it.

    `author` is who wrote it if it does not say so itself.

    Source: Activity Streams 2.0 4.1; ActivityPub 6.2.
    Raises: MalformedDocument.
    """
    kind, uri = kinds.type_of(doc), shapes.id_of(doc)
    if not kinds.is_readable(kind):
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
    tags = doc.get("tag")
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
        attachments=media.attachments(doc.get("attachment"))
        or media.of(doc, kind)
        or media.cover(doc),
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


def stamp(doc: Document) -> Stamp:
    """Read the document by which somebody agrees to be quoted, answered or listed.

    Source: FEP-044f; GoToSocial's interaction policies; FEP-7aa9.
    Raises: MalformedDocument.
    """
    kind, uri = kinds.type_of(doc), shapes.id_of(doc)
    interacting = shapes.first(shapes.term(doc, "interactingObject"))
    target = shapes.first(shapes.term(doc, "interactionTarget"))
    if kind not in kinds.STAMP_TYPES or uri is None or interacting is None or target is None:
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
    kind = kinds.type_of(doc)
    if kind not in kinds.COLLECTION_TYPES:
        raise MalformedDocument(f"expected a collection, not a {kind}")
    return _collection(doc)


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
