"""`vocab` becomes JSON for others: the mirror image of `parse`.

Lists are lists even with one entry, a type is a string, every term is defined: what the strictest
readers ask for. Documents inside others carry no `@context`; `with_context` adds it at the top.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from microfedi.protocol import contexts, instants, publickeys
from microfedi.protocol.vocab import (
    Accept,
    Activity,
    Actor,
    Attachment,
    Create,
    Emoji,
    Like,
    Mention,
    Note,
    Reject,
    Undo,
    UnknownActivity,
    Update,
)

Document = dict[str, Any]

# What others could not find out by trying. Source: FEP-844e.
_IMPLEMENTS = [
    {
        "href": "https://datatracker.ietf.org/doc/html/rfc9421",
        "name": "RFC-9421: HTTP Message Signatures",
    },
    {
        "href": "https://datatracker.ietf.org/doc/html/rfc9421#name-eddsa-using-curve-edwards25",
        "name": "RFC-9421 signatures using the Ed25519 algorithm",
    },
]
_ATTACHMENT_TYPES = {"image": "Image", "video": "Video", "audio": "Audio"}


def dumps(doc: Mapping[str, Any]) -> bytes:
    """Return the bytes that travel: compact, UTF-8.

    >>> dumps({"name": "Zoë", "to": []}).decode()
    '{"name":"Zoë","to":[]}'
    """
    return json.dumps(doc, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def with_context(doc: Document) -> Document:
    """Return a document that can stand alone: with the `@context` that it needs, no more.

    >>> with_context({"type": "Follow"})["@context"]
    'https://www.w3.org/ns/activitystreams'
    """
    return {"@context": contexts.of(doc), **doc}


def activity(a: Activity, *, actor_document: Document | None = None) -> Document:
    """Return an activity as JSON, without `@context`.

    `actor_document` is what an Update of the owner carries; without it, the actor is rendered
    from the activity.

    Source: ActivityPub 6 and 7; Accept, Reject and Undo carry what they answer or take back,
    since some servers only look there. Announce carries an id and never a copy.
    """
    if isinstance(a, UnknownActivity):
        raise ValueError(f"we do not send a {a.type}")
    doc: Document = {"id": a.uri, "type": type(a).__name__, "actor": a.actor_uri}
    if a.published is not None:
        doc["published"] = instants.to_text(a.published)
    doc["to"] = list(a.to)
    doc["cc"] = list(a.cc)
    doc["object"] = _object_of(a, actor_document)
    if isinstance(a, Like) and a.content:
        doc["content"] = doc["_misskey_reaction"] = a.content
    return doc


def note(n: Note) -> Document:
    """Return a note as JSON, without `@context`.

    Alt texts stand in `name` and `summary`: Mastodon writes the one, GoToSocial the other.
    """
    doc: Document = {
        "id": n.uri,
        "type": n.type,
        "attributedTo": n.attributed_to,
        "summary": n.summary or None,
        "sensitive": n.sensitive,
        "content": n.content,
        "to": list(n.to),
        "cc": list(n.cc),
        "attachment": [_attachment(entry) for entry in n.attachments],
        "tag": [
            *(_mention(entry) for entry in n.mentions),
            *(_hashtag(name, n.uri) for name in n.hashtags),
            *(_emoji(entry) for entry in n.emojis),
        ],
    }
    if n.language is not None:
        doc["contentMap"] = {n.language: n.content}
    if n.source is not None:
        doc["source"] = {"content": n.source, "mediaType": "text/markdown"}
    _add(
        doc,
        name=n.name or None,
        url=n.url,
        inReplyTo=n.in_reply_to,
        context=n.context,
        conversation=n.conversation,
        published=_instant(n.published),
        updated=_instant(n.updated),
        replies=n.replies_uri,
        likes=n.likes_uri,
        shares=n.shares_uri,
    )
    return doc


def actor(a: Actor) -> Document:
    """Return an actor as JSON, without `@context`.

    An RSA key goes to `publicKey`, where everybody looks, Ed25519 keys to `assertionMethod`. The
    picture's media types are left out: they can change with the file.

    Source: ActivityPub 4.1; FEP-2c59, FEP-521a, FEP-844e.
    """
    doc: Document = {
        "id": a.uri,
        "type": a.type,
        "preferredUsername": a.preferred_username,
        "name": a.name,
        "summary": a.summary,
        "inbox": a.inbox,
        "manuallyApprovesFollowers": a.manually_approves_followers,
        "discoverable": a.discoverable,
        "indexable": a.indexable,
        "attachment": [
            {"type": "PropertyValue", "name": field.name, "value": field.value}
            for field in a.fields
        ],
        "tag": [_emoji(entry) for entry in a.emojis],
        "generator": {"type": "Application", "implements": _IMPLEMENTS},
    }
    _add(
        doc,
        webfinger=a.webfinger,
        url=a.url,
        published=_instant(a.published),
        outbox=a.outbox,
        followers=a.followers,
        following=a.following,
        featured=a.featured,
        endpoints={"sharedInbox": a.shared_inbox} if a.shared_inbox else None,
        icon=_picture(a.icon, a.icon_alt),
        image=_picture(a.image, ""),
        alsoKnownAs=list(a.also_known_as) or None,
        movedTo=a.moved_to,
        suspended=a.suspended or None,
        memorial=a.memorial or None,
    )
    _add_keys(doc, a)
    return doc


def instance_actor(
    *, uri: str, host: str, base_url: str, key_uri: str, public_key_pem: str
) -> Document:
    """Return the actor that signs our fetches, without `@context`.

    Everybody may read it unsigned, or two servers would wait for each other's key for ever.
    """
    return {
        "id": uri,
        "type": "Application",
        "preferredUsername": host,
        "name": host,
        "url": f"{base_url}/",
        "inbox": f"{uri}/inbox",
        "outbox": f"{uri}/outbox",
        "endpoints": {"sharedInbox": f"{base_url}/inbox"},
        "manuallyApprovesFollowers": True,
        "publicKey": {"id": key_uri, "owner": uri, "publicKeyPem": public_key_pem},
    }


def collection(
    uri: str,
    total: int | None,
    *,
    first: str | None = None,
    items: Sequence[str | Document] | None = None,
    ordered: bool = True,
) -> Document:
    """Return a collection, without `@context`: a count, the way to its first page, or its items.

    One without `first` and items says "so many, but I do not say who".

    >>> collection("https://a.example/f", 3)["totalItems"]
    3
    """
    doc: Document = {"id": uri, "type": "OrderedCollection" if ordered else "Collection"}
    _add(doc, totalItems=total, first=first)
    if items is not None:
        doc["orderedItems" if ordered else "items"] = list(items)
    return doc


def collection_page(
    uri: str,
    *,
    part_of: str,
    items: Sequence[str | Document],
    next: str | None = None,
    prev: str | None = None,
    ordered: bool = True,
) -> Document:
    """Return a page of a collection, without `@context`; `uri` is its address with the query."""
    doc: Document = {
        "id": uri,
        "type": "OrderedCollectionPage" if ordered else "CollectionPage",
        "partOf": part_of,
    }
    _add(doc, next=next, prev=prev)
    doc["orderedItems" if ordered else "items"] = list(items)
    return doc


def tombstone(uri: str, deleted: datetime | None = None) -> Document:
    """Return what stands where something public was, without `@context`.

    >>> tombstone("https://a.example/1")
    {'id': 'https://a.example/1', 'type': 'Tombstone'}
    """
    doc: Document = {"id": uri, "type": "Tombstone"}
    _add(doc, deleted=_instant(deleted))
    return doc


def _object_of(a: Activity, actor_document: Document | None) -> str | Document | None:
    """Return what stands in `object` of an activity."""
    uri: str | None = getattr(a, "object_uri", None)
    match a:
        case Create(note=Note() as inner) | Update(note=Note() as inner):
            return note(inner)
        case Update() if actor_document is not None:
            return actor_document
        case Update(actor=Actor() as inner_actor):
            return actor(inner_actor)
        case Accept(follow=Activity() as answered) | Reject(follow=Activity() as answered):
            return _inner(answered)
        case Undo(inner=Activity() as undone):
            return _inner(undone)
    if type(a).__name__ == "Delete" and uri is not None and uri != a.actor_uri:
        return tombstone(uri)
    return uri


def _inner(a: Activity) -> Document:
    """Return an activity as it was sent before: unaddressed ones had no lists."""
    doc = activity(a)
    for key in ("to", "cc"):
        if not doc[key]:
            del doc[key]
    return doc


def _attachment(entry: Attachment) -> Document:
    kind = _ATTACHMENT_TYPES.get(entry.media_type.partition("/")[0], "Document")
    doc: Document = {"type": kind, "url": entry.url}
    _add(
        doc,
        mediaType=entry.media_type or None,
        name=entry.alt or None,
        summary=entry.alt or None,
        width=entry.width,
        height=entry.height,
        blurhash=entry.blurhash,
        focalPoint=None if entry.focal_point is None else list(entry.focal_point),
    )
    return doc


def _mention(entry: Mention) -> Document:
    return {"type": "Mention", "href": entry.href, "name": entry.name}


def _hashtag(name: str, note_uri: str) -> Document:
    base_url = "/".join(note_uri.split("/", 3)[:3])
    return {"type": "Hashtag", "href": f"{base_url}/tags/{quote(name)}", "name": f"#{name}"}


def _emoji(entry: Emoji) -> Document:
    return {
        "type": "Emoji",
        "name": f":{entry.shortcode}:",
        "icon": {"type": "Image", "url": entry.url},
    }


def _picture(url: str | None, alt: str) -> Document | None:
    if url is None:
        return None
    doc: Document = {"type": "Image", "url": url}
    _add(doc, name=alt or None, summary=alt or None)
    return doc


def _add_keys(doc: Document, a: Actor) -> None:
    """Add the keys: one RSA key as an object, which is all that some servers read."""
    rsa = [
        {"id": key.uri, "owner": key.owner_uri, "publicKeyPem": key.pem}
        for key in a.keys
        if key.kind == "rsa"
    ]
    multikeys = [
        {
            "id": key.uri,
            "type": "Multikey",
            "controller": key.owner_uri,
            "publicKeyMultibase": publickeys.to_multibase(key.pem),
        }
        for key in a.keys
        if key.kind == "ed25519"
    ]
    _add(
        doc,
        publicKey=rsa[0] if len(rsa) == 1 else rsa or None,
        assertionMethod=multikeys or None,
    )


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else instants.to_text(instant)


def _add(doc: Document, **terms: Any) -> None:
    """Add what is there; what is None is left out."""
    doc.update({name: value for name, value in terms.items() if value is not None})
