"""What travels: activities, actors and notes as frozen dataclasses, the shape on the wire.

Every URI here has been looked at by `uris.is_acceptable`, every text is cut to a maximum, every
list too; nothing here is trusted for that: HTML is still the sender's, and who may say what is
decided by `federation`. `parse` makes these from JSON, `render` makes JSON from these.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
PUBLIC_SPELLINGS = frozenset({PUBLIC, "as:Public", "Public"})

ActorType = Literal["Person", "Service", "Group", "Organization", "Application"]
ACTOR_TYPES: frozenset[str] = frozenset(
    {"Person", "Service", "Group", "Organization", "Application"}
)

# What we know that a Create may carry and a person can read. These, and whatever else is neither
# an activity nor any other thing with a meaning of its own, become a Note; `Note.type` keeps the
# word that was sent.
NOTE_TYPES: frozenset[str] = frozenset(
    {"Note", "Article", "Page", "Question", "Image", "Video", "Audio", "Event", "ChatMessage"}
)
# End-to-end encrypted (MLS over ActivityPub). Nothing of them is read here.
ENCRYPTED_TYPES: frozenset[str] = frozenset(
    {"PrivateMessage", "PublicMessage", "Welcome", "GroupInfo", "KeyPackage"}
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
    duration_s: float | None = None
    preview: str | None = None  # a still of a film, the cover of a sound: its URL

    @property
    def urls(self) -> tuple[str, ...]:
        """Where all that belongs to it lies."""
        return (self.url,) if self.preview is None else (self.url, self.preview)


@dataclass(frozen=True, slots=True)
class Link:
    """A page that a post points to beside its text. `name` is plain text."""

    url: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Mention:
    """`href` is the actor's URI; `name` what the sender wrote, with or without the host."""

    href: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Emoji:
    """A custom emoji: `:shortcode:` in a text stands for the picture at `url`. Source: FEP-9098.

    `uri` and `updated` are those of our own.
    """

    shortcode: str
    url: str
    uri: str | None = None
    updated: datetime | None = None
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """An answer that a poll offers, plain text, and how many chose it."""

    name: str
    votes: int = 0


@dataclass(frozen=True, slots=True)
class Poll:
    """What a Question asks. `voters` is None if it is not said; `closed` once it is over.

    Source: Activity Streams 2.0 vocabulary, Question; `votersCount` is Mastodon's.
    """

    options: tuple[Option, ...]
    is_multiple: bool = False
    ends: datetime | None = None
    closed: datetime | None = None
    voters: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may do one thing with a post: URIs of actors and collections, or PUBLIC.

    Those of `automatic` just do it, those of `manual` have to ask. Nobody in either: nobody may.
    """

    automatic: tuple[str, ...] = ()
    manual: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """What an author lets others do with a post; None where nothing is said.

    Source: GoToSocial's interaction policies; FEP-044f (can_quote).
    """

    can_like: Rule | None = None
    can_reply: Rule | None = None
    can_announce: Rule | None = None
    can_quote: Rule | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """When and where an Event is; `place` is a line of plain text."""

    start: datetime | None = None
    end: datetime | None = None
    place: str = ""
    join_url: str | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A row of a profile; `value` is the sender's HTML."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Note:
    """A post or a message: anything that a person can read.

    `content` is HTML as sent, unsanitised. `summary` is a content warning, plain text.
    `name` is a title, plain text. `hashtags` are lower-case without `#`. `audience` are the groups
    it was sent to. `quote` is the post that it quotes, `quote_authorization` the stamp by which the
    quoted author agrees, `reply_authorization` that of the author of what it answers.
    """

    uri: str
    attributed_to: str
    type: str = "Note"
    content: str = field(default="", repr=False)
    summary: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
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
    source: str | None = field(default=None, repr=False)  # Markdown; only of our own notes
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)
    links: tuple[Link, ...] = ()
    mentions: tuple[Mention, ...] = ()
    hashtags: tuple[str, ...] = ()
    emojis: tuple[Emoji, ...] = ()
    audience: tuple[str, ...] = ()
    poll: Poll | None = None
    happening: Happening | None = None
    quote: str | None = None
    quote_authorization: str | None = None
    reply_authorization: str | None = None
    policy: Policy | None = None
    is_direct: bool = False  # `directMessage`: the sender says that it is a message
    replies_uri: str | None = None
    likes_uri: str | None = None
    shares_uri: str | None = None

    @property
    def edited(self) -> datetime | None:
        """When it was changed. Some write `updated` from the first day on, as it was published."""
        return None if self.updated == self.published else self.updated


@dataclass(frozen=True, slots=True)
class Encrypted:
    """An end-to-end encrypted object, of ENCRYPTED_TYPES: who sent it to whom, nothing more."""

    uri: str
    type: str
    attributed_to: str
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stamp:
    """Says that its author agrees: `interacting` may quote, answer or list `target`.

    Source: FEP-044f (QuoteAuthorization), GoToSocial (ReplyAuthorization), FEP-7aa9.
    """

    uri: str
    type: str
    attributed_to: str
    interacting: str
    target: str


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
    featured_tags: str | None = None
    icon: str | None = None
    icon_alt: str = ""
    image: str | None = None
    fields: tuple[Field, ...] = ()
    emojis: tuple[Emoji, ...] = ()
    hashtags: tuple[str, ...] = ()
    attribution_domains: tuple[str, ...] = ()
    can_feature: Rule | None = None
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
    inline is a hint, to be believed only from its own origin. `owner` is whom it is attributed to.
    """

    uri: str | None = None
    total: int | None = None
    first: str | None = None
    first_page: "Collection | None" = None
    next: str | None = None
    part_of: str | None = None
    items: tuple[str | dict[str, Any], ...] = ()
    owner: str | None = None


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
class Request(Activity):
    """A wish to do something with our post or profile: what all requests have.

    `object_uri` is what it is about, `instrument_uri` what would quote, answer or list it.
    """

    object_uri: str
    instrument_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteRequest(Request):
    """May the post `instrument` quote `object_uri`? Source: FEP-044f."""

    note: "Note | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyRequest(Request):
    """May the post `instrument` answer `object_uri`? Source: GoToSocial's interaction policies."""

    note: "Note | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureRequest(Request):
    """May the collection `instrument` list the actor `object_uri`? Source: FEP-7aa9."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accept(Activity):
    """An answer to a Follow or to a request; `result` is the stamp that came with it.

    `follow` and `request` are inline copies: hints to match, never believed.
    """

    object_uri: str | None
    follow: Follow | None = None
    request: Request | None = None
    result: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject(Activity):
    """A no to a Follow or a request, at once or later. The copies as in Accept."""

    object_uri: str | None
    follow: Follow | None = None
    request: Request | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo(Activity):
    """Takes back `object_uri`; `inner` is the inline copy if one was sent (by the same actor)."""

    object_uri: str | None
    inner: Activity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Create(Activity):
    """`note` is None if only an id was sent, or if the inline copy is not the sender's to give.

    `more` are further votes in the same poll, sent together. `encrypted` if it is that.
    """

    object_uri: str
    note: Note | None = None
    more: tuple[Note, ...] = ()
    encrypted: Encrypted | None = None


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
    """A favourite; with `content` a reaction (FEP-c0e0): one emoji, or the :shortcode: of `emoji`.

    EmojiReact is read as this too.
    """

    object_uri: str
    content: str = ""
    emoji: Emoji | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce(Activity):
    """A boost. Only the id counts, an inline copy of a post is never looked at.

    `inner` is the activity that a group passes on (FEP-1b12): a hint, as if forwarded.
    """

    object_uri: str
    inner: Activity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag(Activity):
    """A report about people and posts, often by a server. `content` is plain text."""

    object_uris: tuple[str, ...]
    content: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(Activity):
    """`object_uri` lives at `target_uri` now. Source: FEP-7628."""

    object_uri: str
    target_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Add(Activity):
    """`object_uri` now stands in the collection `target_uri`; with `hashtag`, that does.

    `uri` may be "": Mastodon sends no id.
    """

    object_uri: str
    target_uri: str
    hashtag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove(Activity):
    """`object_uri` no longer stands in the collection `target_uri`; otherwise as Add."""

    object_uri: str
    target_uri: str
    hashtag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock(Activity):
    """A group's moderator ends the answers to `object_uri`. Source: FEP-1b12, Lemmy."""

    object_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Block(Activity):
    """The sender wants nothing to do with `object_uri`."""

    object_uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownActivity(Activity):
    """A well-formed activity of a type that we do not handle (yet).

    `type` names the object's type too if that is the unknown one: "Update(Tombstone)".
    `uri` is "" if none was sent.
    """

    type: str
