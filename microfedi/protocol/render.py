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
    Add,
    Attachment,
    Create,
    Emoji,
    Encrypted,
    Flag,
    Happening,
    Like,
    Link,
    Lock,
    Mention,
    Move,
    Note,
    Option,
    Policy,
    Poll,
    QuoteRequest,
    Reject,
    Remove,
    ReplyRequest,
    Request,
    Rule,
    Stamp,
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
    if isinstance(a, UnknownActivity | Lock):
        raise ValueError(f"we do not send a {getattr(a, 'type', 'Lock')}")
    doc: Document = {"id": a.uri, "type": type(a).__name__, "actor": a.actor_uri}
    if a.published is not None:
        doc["published"] = instants.to_text(a.published)
    doc["to"] = list(a.to)
    doc["cc"] = list(a.cc)
    doc["object"] = _object_of(a, actor_document)
    match a:
        case Like(content=str(content), emoji=emoji) if content:
            # A Like with content: who knows no reactions counts it as a favourite.
            doc["content"] = doc["_misskey_reaction"] = content
            if emoji is not None:
                doc["tag"] = [emoji_document(emoji)]
        case Flag():
            doc["content"] = a.content
        case Move() | Add() | Remove():
            doc["target"] = a.target_uri
        case QuoteRequest(note=Note() as quoting) | ReplyRequest(note=Note() as quoting):
            doc["instrument"] = note(quoting)
        case Request():
            doc["instrument"] = a.instrument_uri
        case Accept(result=str(result)):
            doc["result"] = result
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
            *(emoji_document(entry) for entry in n.emojis),
            *([_quote_link(n.quote)] if n.quote else []),
        ],
    }
    if n.links:
        doc["attachment"] += [_link(entry) for entry in n.links]
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
        audience=(n.audience[0] if len(n.audience) == 1 else list(n.audience) or None),
        # Four spellings of one thing: FEP-044f's, Fedibird's, Pleroma's, Misskey's.
        quote=n.quote,
        quoteUri=n.quote,
        quoteUrl=n.quote,
        _misskey_quote=n.quote,
        quoteAuthorization=n.quote_authorization,
        replyAuthorization=n.reply_authorization,
        interactionPolicy=None if n.policy is None else _policy(n.policy),
        directMessage=n.is_direct or None,
    )
    if n.poll is not None:
        doc.update(_poll(n.poll))
    if n.happening is not None:
        doc.update(_happening(n.happening))
    return doc


def stamp(s: Stamp) -> Document:
    """Return the document by which the owner agrees, without `@context`: ids, nothing inline.

    Source: FEP-044f, FEP-7aa9.
    """
    return {
        "id": s.uri,
        "type": s.type,
        "attributedTo": s.attributed_to,
        "interactingObject": s.interacting,
        "interactionTarget": s.target,
    }


def actor(a: Actor) -> Document:
    """Return an actor as JSON, without `@context`.

    An RSA key goes to `publicKey`, where everybody looks, all others to `assertionMethod`. The
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
        "tag": [
            *(_hashtag(name, a.uri) for name in a.hashtags),
            *(emoji_document(entry) for entry in a.emojis),
        ],
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
        featuredTags=a.featured_tags,
        attributionDomains=list(a.attribution_domains) or None,
        interactionPolicy=(None if a.can_feature is None else {"canFeature": _rule(a.can_feature)}),
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


def _object_of(a: Activity, actor_document: Document | None) -> str | Document | list[str] | None:
    """Return what stands in `object` of an activity."""
    uri: str | None = getattr(a, "object_uri", None)
    match a:
        case Create(note=Note() as inner) | Update(note=Note() as inner):
            return note(inner)
        case Create(encrypted=Encrypted()):
            raise ValueError("we do not send what is end-to-end encrypted")
        case Flag():
            return list(a.object_uris)
        case Add(hashtag=str(name)) | Remove(hashtag=str(name)):
            return _hashtag(name, a.actor_uri)
        case Accept(request=Request() as asked) | Reject(request=Request() as asked):
            return _asked(asked)
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


def _asked(request: Request) -> Document:
    """Return a request as an answer repeats it: by ids alone."""
    return {
        "id": request.uri,
        "type": type(request).__name__,
        "actor": request.actor_uri,
        "object": request.object_uri,
        "instrument": request.instrument_uri,
    }


def _poll(poll: Poll) -> Document:
    doc: Document = {("anyOf" if poll.is_multiple else "oneOf"): [_option(o) for o in poll.options]}
    _add(doc, endTime=_instant(poll.ends), closed=_instant(poll.closed), votersCount=poll.voters)
    return doc


def _option(option: Option) -> Document:
    votes = {"type": "Collection", "totalItems": option.votes}
    return {"type": "Note", "name": option.name, "replies": votes}


def _happening(happening: Happening) -> Document:
    doc: Document = {}
    _add(
        doc,
        startTime=_instant(happening.start),
        endTime=_instant(happening.end),
        location={"type": "Place", "name": happening.place} if happening.place else None,
        externalParticipationUrl=happening.join_url,
    )
    return doc


def _policy(policy: Policy) -> Document:
    named = {
        "canLike": policy.can_like,
        "canReply": policy.can_reply,
        "canAnnounce": policy.can_announce,
        "canQuote": policy.can_quote,
    }
    return {name: _rule(rule) for name, rule in named.items() if rule is not None}


def _rule(rule: Rule) -> Document:
    doc: Document = {"automaticApproval": list(rule.automatic)}
    if rule.manual:
        doc["manualApproval"] = list(rule.manual)
    return doc


def _quote_link(uri: str) -> Document:
    """Return a quote as a tag. Source: FEP-e232."""
    return {
        "type": "Link",
        "mediaType": 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
        "rel": "https://misskey-hub.net/ns#_misskey_quote",
        "href": uri,
        "name": f"RE: {uri}",
    }


def _link(entry: Link) -> Document:
    doc: Document = {"type": "Link", "href": entry.url, "mediaType": "text/html"}
    _add(doc, name=entry.name or None)
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
        duration=None if entry.duration_s is None else f"PT{entry.duration_s:.3f}S",
        icon=_picture(entry.preview, ""),
    )
    return doc


def _mention(entry: Mention) -> Document:
    return {"type": "Mention", "href": entry.href, "name": entry.name}


def _hashtag(name: str, note_uri: str) -> Document:
    base_url = "/".join(note_uri.split("/", 3)[:3])
    return {"type": "Hashtag", "href": f"{base_url}/tags/{quote(name)}", "name": f"#{name}"}


def emoji_document(entry: Emoji) -> Document:
    """Write a custom emoji, as a tag and as a document of its own. Source: FEP-9098."""
    picture: Document = {"type": "Image", "url": entry.url}
    _add(picture, mediaType=entry.media_type or None)
    doc: Document = {"type": "Emoji", "name": f":{entry.shortcode}:", "icon": picture}
    _add(doc, id=entry.uri, updated=_instant(entry.updated))
    return doc


def _picture(url: str | None, alt: str) -> Document | None:
    if url is None:
        return None
    doc: Document = {"type": "Image", "url": url}
    _add(doc, name=alt or None, summary=alt or None)
    return doc


def _add_keys(doc: Document, a: Actor) -> None:
    """Add the keys: the first RSA key as an object, which is all that some servers read."""
    rsa = next((key for key in a.keys if key.kind == "rsa"), None)
    multikeys = [
        {
            "id": key.uri,
            "type": "Multikey",
            "controller": key.owner_uri,
            "publicKeyMultibase": publickeys.to_multibase(key.pem),
        }
        for key in a.keys
        if key is not rsa
    ]
    _add(
        doc,
        publicKey=(
            None
            if rsa is None
            else {"id": rsa.uri, "owner": rsa.owner_uri, "publicKeyPem": rsa.pem}
        ),
        assertionMethod=multikeys or None,
    )


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else instants.to_text(instant)


def _add(doc: Document, **terms: Any) -> None:
    """Add what is there; what is None is left out."""
    doc.update({name: value for name, value in terms.items() if value is not None})
