"""How it is written down what a person should see of a document of the corpus.

The values are read from the document by a person, never from what our code makes of it. A case is
one of: `Post`, `Person`, `Effect`, `Listing`, `Discovery`, `Refused`.

- `file` is the path in the corpus without ".json".
- Handles are written "@user@host". Of an author who has no document in the corpus the world makes
  one: the user name is the last part of the id's path without "@" (every character that is not a
  letter, digit, "_", "-" or "." becomes "_"), the host is that of the id with its port.
- `text` is what is to be read, white space collapsed to single spaces, paragraphs parted by one.
  A link's text is what is written between its tags (also what Mastodon marks as invisible or
  ellipsis); the inline "RE: link" that repeats a quote is not shown where `quote` is set. Of a
  long text " […] " stands for what is between its parts.
- Times are written as the document means them, in UTC, with whole seconds ("2023-01-01T00:00:00Z");
  None where the document says nothing (then it is the time of arrival).
- Languages are BCP 47 tags in lower case; None where none is said ("und" says none).
"""

from dataclasses import dataclass
from typing import Literal

Medium = Literal["image", "video", "audio", "file"]
Media = tuple[tuple[Medium, str, str], ...]  # kind, address at its origin, description


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """What can be voted for, with the votes so far; `ends` or `closed` as a time or None."""

    options: tuple[tuple[str, int], ...]
    is_multiple: bool = False
    closed: bool = False
    ends: str | None = None
    voters: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """When and where something takes place."""

    start: str
    end: str | None = None
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What is to be there before the document arrives.

    "post": a public post `uri` by `by` is kept here, of this `type`, dated `time`. "like", "boost",
    "reaction": `by` has done it to `on` in the activity `uri`; without `on` it is a post of the
    owner's. "follower": `by` follows the owner by the activity `uri`. "followed": the owner follows
    `by` with the activity `uri` ("" for one of our own making). "asked": the owner has asked to
    follow `by` with it. "moved": `by` says that they have moved to `on`, and `on` says that it is
    them. "person": `by` exists.
    """

    kind: Literal[
        "post", "like", "boost", "reaction", "follower", "followed", "asked", "moved", "person"
    ]
    uri: str = ""
    by: str = ""
    on: str = ""
    type: str = "Note"
    time: str = "2020-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A public, quiet or followers-only post, with everything a person sees of it.

    `shared_by` is the id of a group or person whose Announce the document is. `alone` is set if
    the object is refused when it is fetched by its id, and why that is right; it is then taken
    only in an activity. The summary of a Note is its warning; of an Article, Page, Video, Audio,
    Event and so on it is an abstract, and a warning only if the document is sensitive.
    """

    file: str
    uri: str
    author: str  # handle
    kind: str = "Note"
    title: str = ""
    text: str = ""
    warning: str = ""
    media: Media = ()
    visibility: Literal["public", "unlisted", "followers"] = "public"
    language: str | None = None
    sensitive: bool = False
    poll: Poll | None = None
    quote: str | None = None
    reply_to: str | None = None
    time: str | None = None
    edited: str | None = None
    link: str | None = None  # where the post is read at its origin, if it is not `uri`
    cards: tuple[str, ...] = ()  # addresses the post is about (a link post, a link attachment)
    tags: tuple[str, ...] = ()  # lower case, without "#"
    emojis: tuple[str, ...] = ()  # shortcodes, without colons
    mentions: tuple[str, ...] = ()  # ids of actors
    event: Event | None = None
    shared_by: str | None = None
    alone: str = ""
    needs: tuple[Need, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody's page: a person, a bot, a group, a server."""

    file: str
    uri: str
    handle: str
    kind: Literal["Person", "Service", "Group", "Organization", "Application"] = "Person"
    name: str = ""
    bio: str = ""
    fields: tuple[tuple[str, str], ...] = ()  # name and text of the value
    icon: str | None = None
    banner: str | None = None
    link: str | None = None  # the page at the origin, if it is not `uri`
    approves_followers: bool = False
    aliases: tuple[str, ...] = ()
    moved_to: str | None = None
    emojis: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """An activity without a post of its own: what it does to what is here, and who did it.

    `what` and `on`: a favourite, a reaction (`detail` is the emoji), a boost of a post; a post or
    account deleted; a like, boost or follow taken back; a follow asked for, accepted, rejected; a
    post pinned or taken down; a move (`detail` is the new account); a report; a quote asked for; a
    block. "stamp": an author (`by`) lets the post `detail` quote their post `on`. "nothing": it is
    taken (202) and changes nothing, and `reason` says why that is right.

    `ours` is for what somebody does to others: the document is sent as it is, which changes
    nothing, and then once more with an id of ours in the place of `on`: a post of the owner's
    ("post") or the owner ("owner"). That one has the effect.
    """

    file: str
    by: str  # id of the actor
    what: Literal[
        "favourite",
        "reaction",
        "boost",
        "deleted",
        "unfavourite",
        "unboost",
        "unfollow",
        "follow",
        "accepted",
        "rejected",
        "pinned",
        "unpinned",
        "moved",
        "report",
        "quote request",
        "stamp",
        "block",
        "updated",
        "nothing",
    ]
    on: str = ""
    detail: str = ""
    reason: str = ""
    ours: Literal["", "post", "owner"] = ""
    needs: tuple[Need, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A collection or a page of one: the ids in it in order, how many it says there are."""

    file: str
    uri: str | None = None
    items: tuple[str, ...] = ()
    total: int | None = None
    first: str | None = None
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """A WebFinger or NodeInfo document.

    Of WebFinger: the handle and the actor's id. Of NodeInfo: the software and its version, or the
    addresses of the documents that a link list names.
    """

    file: str
    handle: str | None = None
    actor: str | None = None
    software: tuple[str, str] | None = None
    documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Not taken at all; `reason` is why that is right.

    `status` is the inbox's answer if it is sent there (400 malformed, 401 no key can prove it, 403
    not theirs to say), None where any of them is right. `by` is the id of the actor who sends it;
    of a document without one it is somebody.
    """

    file: str
    reason: str
    status: int | None = None
    by: str = "https://refused.example/users/somebody"


Case = Post | Person | Effect | Listing | Discovery | Refused
