"""What stands in `@context` of what we send. What others write there is never looked at."""

from typing import Any

AS2 = "https://www.w3.org/ns/activitystreams"

# Servers that read JSON-LD have to load what is named here: only contexts that they bring along,
# and the rest inline. A term without a definition does not exist for them.
ACTOR: list[Any] = [
    AS2,
    "https://w3id.org/security/v1",
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/multikey/v1",
    "https://purl.archive.org/socialweb/webfinger",
    {
        "implements": {
            "@id": "https://w3id.org/fep/844e/implements",
            "@type": "@id",
            "@container": "@list",
        },
        "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
        "movedTo": {"@id": "as:movedTo", "@type": "@id"},
        "alsoKnownAs": {"@id": "as:alsoKnownAs", "@type": "@id"},
        "toot": "http://joinmastodon.org/ns#",
        "featured": {"@id": "toot:featured", "@type": "@id"},
        "featuredTags": {"@id": "toot:featuredTags", "@type": "@id"},
        "attributionDomains": {"@id": "toot:attributionDomains", "@container": "@set"},
        "discoverable": "toot:discoverable",
        "indexable": "toot:indexable",
        "suspended": "toot:suspended",
        "memorial": "toot:memorial",
        "Emoji": "toot:Emoji",
        "Hashtag": "as:Hashtag",
        "schema": "http://schema.org#",
        "PropertyValue": "schema:PropertyValue",
        "value": "schema:value",
        "gts": "https://gotosocial.org/ns#",
        "interactionPolicy": {"@id": "gts:interactionPolicy", "@type": "@id"},
        "automaticApproval": {"@id": "gts:automaticApproval", "@type": "@id"},
        "manualApproval": {"@id": "gts:manualApproval", "@type": "@id"},
        "canFeature": {"@id": "https://w3id.org/fep/7aa9#canFeature", "@type": "@id"},
    },
]
NOTE: list[Any] = [
    AS2,
    {
        "sensitive": "as:sensitive",
        "Hashtag": "as:Hashtag",
        "toot": "http://joinmastodon.org/ns#",
        "Emoji": "toot:Emoji",
        "blurhash": "toot:blurhash",
        "focalPoint": {"@container": "@list", "@id": "toot:focalPoint"},
        "ostatus": "http://ostatus.org#",
        "conversation": "ostatus:conversation",
        "misskey": "https://misskey-hub.net/ns#",
        "_misskey_reaction": "misskey:_misskey_reaction",
        "_misskey_quote": "misskey:_misskey_quote",
        "votersCount": "toot:votersCount",
        "litepub": "http://litepub.social/ns#",
        "directMessage": "litepub:directMessage",
        "fep044f": "https://w3id.org/fep/044f#",
        "quote": {"@id": "fep044f:quote", "@type": "@id"},
        "quoteAuthorization": {"@id": "fep044f:quoteAuthorization", "@type": "@id"},
        "quoteUri": "http://fedibird.com/ns#quoteUri",
        "quoteUrl": "as:quoteUrl",
        "gts": "https://gotosocial.org/ns#",
        "interactionPolicy": {"@id": "gts:interactionPolicy", "@type": "@id"},
        "canLike": {"@id": "gts:canLike", "@type": "@id"},
        "canReply": {"@id": "gts:canReply", "@type": "@id"},
        "canAnnounce": {"@id": "gts:canAnnounce", "@type": "@id"},
        "canQuote": {"@id": "gts:canQuote", "@type": "@id"},
        "automaticApproval": {"@id": "gts:automaticApproval", "@type": "@id"},
        "manualApproval": {"@id": "gts:manualApproval", "@type": "@id"},
        "replyAuthorization": {"@id": "gts:replyAuthorization", "@type": "@id"},
    },
]
# Requests, and the documents by which somebody agrees.
CONSENT: list[Any] = [
    AS2,
    {
        "QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest",
        "QuoteAuthorization": "https://w3id.org/fep/044f#QuoteAuthorization",
        "FeatureRequest": "https://w3id.org/fep/7aa9#FeatureRequest",
        "FeatureAuthorization": "https://w3id.org/fep/7aa9#FeatureAuthorization",
        "ReplyRequest": "https://gotosocial.org/ns#ReplyRequest",
        "ReplyAuthorization": "https://gotosocial.org/ns#ReplyAuthorization",
        "interactingObject": {
            "@id": "https://gotosocial.org/ns#interactingObject",
            "@type": "@id",
        },
        "interactionTarget": {
            "@id": "https://gotosocial.org/ns#interactionTarget",
            "@type": "@id",
        },
    },
]
_CONSENT_TYPES = ("Request", "Authorization")


def of(doc: dict[str, Any]) -> str | list[Any]:
    """Return the context that a document of ours needs, no more.

    >>> of({"type": "Follow", "object": "https://b.example/users/bob"}) == AS2
    True
    """
    inner = doc.get("object")
    subject = inner if isinstance(inner, dict) else doc
    if any(str(one.get("type")).endswith(_CONSENT_TYPES) for one in (doc, subject)):
        with_post = isinstance(doc.get("instrument"), dict)
        return [AS2, {**NOTE[1], **CONSENT[1]}] if with_post else CONSENT
    if "publicKey" in subject or "assertionMethod" in subject:
        return ACTOR
    items = doc.get("orderedItems") or doc.get("items") or []
    holds_documents = any(isinstance(item, dict) for item in items)
    is_plain = "content" not in subject and "content" not in doc and "tag" not in subject
    return AS2 if is_plain and not holds_documents else NOTE
