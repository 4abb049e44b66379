"""What travels: activities, actors and notes as frozen dataclasses, the shape on the wire.

Every URI here has been looked at by `uris.is_acceptable`, every text is cut to a maximum, every
list too; nothing here is trusted for that: HTML is still the sender's, and who may say what is
decided by `federation`. `parse` makes these from JSON, `render` makes JSON from these.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
PUBLIC_SPELLINGS = frozenset({PUBLIC, "as:Public", "Public"})

ActorType = Literal["Person", "Service", "Group", "Organization", "Application"]
ACTOR_TYPES: frozenset[str] = frozenset(
    {"Person", "Service", "Group", "Organization", "Application"}
)

# Whatever a Create may carry and a person can read. All of them become a Note; `Note.type` keeps
# the word that was sent.
NOTE_TYPES: frozenset[str] = frozenset(
    {"Note", "Article", "Page", "Question", "Image", "Video", "Audio", "Event", "ChatMessage"}
)


class Visibility(StrEnum):
    """Who may see an object. In the pages: Public, Quiet public, Followers, (circle), Message."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    FOLLOWERS = "followers"
    LIMITED = "limited"
    DIRECT = "direct"

    @property
    def is_open(self) -> bool:
        """True if anybody may see it: public and quiet public.

        >>> Visibility.UNLISTED.is_open, Visibility.FOLLOWERS.is_open
        (True, False)
        """
        return self in (Visibility.PUBLIC, Visibility.UNLISTED)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture, film, sound or file beside a note. `url` is where it lies at its origin."""

    url: str
    media_type: str = ""
    alt: str = ""
    width: int | None = None
    height: int | None = None
    blurhash: str | None = None
    focal_point: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """`href` is the actor's URI; `name` what the sender wrote, with or without the host."""

    href: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Emoji:
    """A custom emoji: `:shortcode:` in a text stands for the picture at `url`."""

    shortcode: str
    url: str


@dataclass(frozen=True, slots=True)
class Field:
    """A row of a profile; `value` is the sender's HTML."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Note:
    """A post or a message: anything of NOTE_TYPES.

    `content` is HTML as sent, unsanitised. `summary` is a content warning, plain text.
    `name` is a title, plain text. `hashtags` are lower-case without `#`.
    """

    uri: str
    attributed_to: str
    type: str = "Note"
    content: str = ""
    summary: str = ""
    name: str = ""
    url: str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    in_reply_to: str | None = None
    context: str | None = None
    conversation: str | None = None
    published: datetime | None = None
    updated: datetime | None = None
    sensitive: bool = False
    language: str | None = None
    source: str | None = None  # Markdown; only of our own notes
    attachments: tuple[Attachment, ...] = ()
    mentions: tuple[Mention, ...] = ()
    hashtags: tuple[str, ...] = ()
    emojis: tuple[Emoji, ...] = ()
    replies_uri: str | None = None
    likes_uri: str | None = None
    shares_uri: str | None = None


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that an actor document lists. `pem` is SubjectPublicKeyInfo.

    `kind` comes from the key itself, never from what a request says.
    """

    uri: str
    owner_uri: str
    kind: Literal["rsa", "ed25519"]
    pem: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts: a person, a bot, a group, a server. `summary` is HTML as sent."""

    uri: str
    inbox: str
    type: ActorType = "Person"
    preferred_username: str = ""
    webfinger: str | None = None  # FEP-2c59: user@domain
    name: str = ""
    summary: str = ""
    url: str | None = None
    shared_inbox: str | None = None
    outbox: str | None = None
    followers: str | None = None
    following: str | None = None
    featured: str | None = None
    icon: str | None = None
    icon_alt: str = ""
    image: str | None = None
    fields: tuple[Field, ...] = ()
    emojis: tuple[Emoji, ...] = ()
    also_known_as: tuple[str, ...] = ()
    moved_to: str | None = None
    keys: tuple[PublicKey, ...] = ()
    manually_approves_followers: bool = False
    discoverable: bool = False
    indexable: bool = False
    suspended: bool = False
    memorial: bool = False
    published: datetime | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection, or a page of one: URIs or inline documents, in the order sent.

    `first` is the URI of the first page; `first_page` that page if it was sent along. What is
    inline is a hint, to be believed only from its own origin.
    """

    uri: str | None = None
    total: int | None = None
    first: str | None = None
    first_page: "Collection | None" = None
    next: str | None = None
    part_of: str | None = None
    items: tuple[str | dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What every activity has. `actor_uri` must equal the signer; `receive` sees to it."""

    uri: str
    actor_uri: str
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    published: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow(Activity):
    """A wish to see what `object_uri` posts. Source: ActivityPub 7.5."""

    object_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept(Activity):
    """An answer to a Follow. `follow` is the inline copy: a hint to match, never believed."""

    object_uri: str | None
    follow: Follow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject(Activity):
    """A no to a Follow, at once or later. `follow` as in Accept."""

    object_uri: str | None
    follow: Follow | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo(Activity):
    """Takes back `object_uri`; `inner` is the inline copy if one was sent (by the same actor)."""

    object_uri: str | None
    inner: Activity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Create(Activity):
    """`note` is None if only an id was sent, or if the inline copy is not the sender's to give."""

    object_uri: str
    note: Note | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Activity):
    """A new version of a note, or of the sender itself (`actor`)."""

    object_uri: str
    note: Note | None = None
    actor: Actor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(Activity):
    """`object_uri` is gone; if it equals the actor, the whole account is."""

    object_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Like(Activity):
    """A favourite; with `content` an emoji reaction (FEP-c0e0)."""

    object_uri: str
    content: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce(Activity):
    """A boost. Only the id counts, an inline copy is never looked at."""

    object_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Block(Activity):
    """The sender wants nothing to do with `object_uri`."""

    object_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownActivity(Activity):
    """A well-formed activity of a type that we do not handle (yet).

    `type` names the object's type too if that is the unknown one: "Create(PrivateMessage)".
    `uri` is "" if none was sent: Mastodon sends Add and Remove like that.
    """

    type: str
