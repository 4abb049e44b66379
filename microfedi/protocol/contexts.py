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
        "discoverable": "toot:discoverable",
        "indexable": "toot:indexable",
        "suspended": "toot:suspended",
        "memorial": "toot:memorial",
        "Emoji": "toot:Emoji",
        "schema": "http://schema.org#",
        "PropertyValue": "schema:PropertyValue",
        "value": "schema:value",
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
    },
]


def of(doc: dict[str, Any]) -> str | list[Any]:
    """Return the context that a document of ours needs, no more.

    >>> of({"type": "Follow", "object": "https://b.example/users/bob"}) == AS2
    True
    """
    inner = doc.get("object")
    subject = inner if isinstance(inner, dict) else doc
    if "publicKey" in subject or "assertionMethod" in subject:
        return ACTOR
    items = doc.get("orderedItems") or doc.get("items") or []
    holds_documents = any(isinstance(item, dict) for item in items)
    is_plain = "content" not in subject and "content" not in doc and "tag" not in subject
    return AS2 if is_plain and not holds_documents else NOTE
