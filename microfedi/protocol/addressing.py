"""Who may see it, and who gets it: `to` and `cc` to visibility and recipients, and back."""

from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import dataclass

from microfedi.protocol.vocab import PUBLIC, PUBLIC_SPELLINGS, Visibility


@dataclass(frozen=True, slots=True)
class Recipients:
    """Whom an activity goes to: these actors, and the owner's followers if `followers`."""

    actors: tuple[str, ...]
    followers: bool


def visibility_of(
    to: Collection[str], cc: Collection[str], *, followers_uri: str | None, persons: Set[str]
) -> Visibility:
    """Read the visibility of an object from its addressing.

    No field says it outright: Public in `to` means public, Public in `cc` means
    unlisted, the author's followers collection in either means followers, only
    persons means direct. Any other collection (a group, a circle, followers we do
    not know) is limited: as closed as followers, but shown at Home, not a message.

    Source: ActivityPub 5.6, which also asks that all three spellings be accepted.

    >>> visibility_of(["as:Public"], [], followers_uri=None, persons=set()).value
    'public'
    >>> bob, circle = "https://b.example/users/bob", "https://b.example/circles/1"
    >>> visibility_of([bob], [circle], followers_uri=None, persons={bob}).value
    'limited'
    """
    if not PUBLIC_SPELLINGS.isdisjoint(to):
        return Visibility.PUBLIC
    if not PUBLIC_SPELLINGS.isdisjoint(cc):
        return Visibility.UNLISTED
    if followers_uri is not None and (followers_uri in to or followers_uri in cc):
        return Visibility.FOLLOWERS
    return Visibility.DIRECT if persons >= {*to, *cc} else Visibility.LIMITED


def address(
    visibility: Visibility, *, followers_uri: str, mentioned: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return `to` and `cc` of a note of the owner's; `mentioned` are actor URIs.

    A limited note has an audience that only its own server knows; from us it goes to the
    persons named and nobody else, like a direct one.

    Source: the table that all servers share; `visibility_of` reads it back.

    >>> followers, bob = "https://a.example/followers", "https://b.example/users/bob"
    >>> address(Visibility.UNLISTED, followers_uri=followers, mentioned=[bob])[0]
    ('https://a.example/followers',)
    >>> address(Visibility.DIRECT, followers_uri=followers, mentioned=[bob])
    (('https://b.example/users/bob',), ())
    """
    named = tuple(dict.fromkeys(mentioned))
    match visibility:
        case Visibility.PUBLIC:
            return (PUBLIC,), (followers_uri, *named)
        case Visibility.UNLISTED:
            return (followers_uri,), (PUBLIC, *named)
        case Visibility.FOLLOWERS:
            return (followers_uri,), named
        case Visibility.DIRECT | Visibility.LIMITED:
            return named, ()


def recipients(
    to: Iterable[str], cc: Iterable[str], *, followers_uri: str, owner_uri: str
) -> Recipients:
    """Return who gets an activity of the owner's that is addressed like this.

    Public itself gets nothing, and the owner has it already. Every other URI is taken for an
    actor: collections of other servers are theirs to expand.

    Source: ActivityPub 7.1.

    >>> bob = "https://b.example/users/bob"
    >>> recipients([PUBLIC], ["https://a.example/f", bob], followers_uri="https://a.example/f",
    ...            owner_uri="https://a.example/users/alice")
    Recipients(actors=('https://b.example/users/bob',), followers=True)
    """
    named = dict.fromkeys([*to, *cc])
    actors = tuple(
        uri
        for uri in named
        if uri not in PUBLIC_SPELLINGS and uri not in (followers_uri, owner_uri)
    )
    return Recipients(actors, followers=followers_uri in named)
