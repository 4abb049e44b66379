"""What a document is, by its type: an activity, somebody, something to read, or none of these."""

from typing import Any

from microfedi.errors import MalformedDocument
from microfedi.protocol import shapes
from microfedi.protocol.vocab import ACTOR_TYPES, ENCRYPTED_TYPES, NOTE_TYPES

MAX_TYPE_CHARS = 100

# What we read as an activity: see `activities`.
ACTIVITY_TYPES = frozenset(
    {
        "Follow",
        "Accept",
        "Reject",
        "Undo",
        "Create",
        "Update",
        "Delete",
        "Like",
        "EmojiReact",
        "Announce",
        "Block",
        "Flag",
        "Move",
        "Add",
        "Remove",
        "Lock",
        "QuoteRequest",
        "ReplyRequest",
        "FeatureRequest",
    }
)
STAMP_TYPES = frozenset({"QuoteAuthorization", "ReplyAuthorization", "FeatureAuthorization"})
COLLECTION_TYPES = frozenset(
    {"Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage"}
)
# Things with a meaning of their own, which are never a post.
_NO_POSTS = frozenset(
    {
        *ACTOR_TYPES,
        *ENCRYPTED_TYPES,
        *STAMP_TYPES,
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
KNOWN_TYPES = frozenset({*ACTIVITY_TYPES, *_NO_POSTS, *NOTE_TYPES})
_AS2 = "https://www.w3.org/ns/activitystreams#"


def type_of(doc: dict[str, Any]) -> str:
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
    known = [name for name in dict.fromkeys(names) if name in KNOWN_TYPES]
    if len(known) > 1 and any(name in ACTIVITY_TYPES for name in known):
        raise MalformedDocument(f"expected one type, not {' and '.join(known)}")
    if not names:
        raise MalformedDocument("expected a type")
    return known[0] if known else names[0]


def is_readable(kind: str) -> bool:
    """True for a post, and for whatever else nobody has given another meaning."""
    return kind not in _NO_POSTS and kind not in ACTIVITY_TYPES and kind not in _IGNORED
