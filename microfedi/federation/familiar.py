"""Whom the owner follows, prepared so that whoever looks like one of them is noticed on any page.

Made once and kept in memory; it is made anew when the owner follows somebody else, or when one of
them is called or looks otherwise.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from microfedi.federation import media_cache
from microfedi.federation.context import Context
from microfedi.protocol import names
from microfedi.protocol.lookalikes import Familiar, Person, Resemblance
from microfedi.storage import familiar as storage
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader


@dataclass(frozen=True, slots=True)
class _Made:
    version: int
    familiar: Familiar
    news: asyncio.Event  # set when something was written


_made: WeakKeyDictionary[Context, _Made] = WeakKeyDictionary()


def of(ctx: Context, reader: Reader) -> Familiar:
    """Return the people whom the owner follows or asked, and the owner, for comparison."""
    made = _made.get(ctx)
    if made is not None and not made.news.is_set():
        return made.familiar  # nothing at all was written since
    news = ctx.news.coming()
    version = storage.version(reader)
    is_same = made is not None and made.version == version
    familiar = made.familiar if made is not None and is_same else Familiar(_people(reader))
    _made[ctx] = _Made(version, familiar, news)
    return familiar


def comparing(known: Familiar) -> Callable[[Actor, int | None], Resemblance | None]:
    """Return what finds whom somebody resembles; for one page, on which people stand repeatedly."""
    found: dict[tuple[int, int | None], Resemblance | None] = {}

    def resembling(actor: Actor, picture: int | None = None) -> Resemblance | None:
        key = actor.id, picture
        if actor.id in known:
            return None
        if key not in found:
            found[key] = known.resembled_by(person(actor, picture))
        return found[key]

    return resembling


def person(actor: Actor, picture: int | None = None) -> Person:
    """Return somebody as they are shown, and so compared."""
    return _person(
        actor.id,
        actor.uri,
        actor.address.removeprefix("@"),
        actor.name,
        picture,
        frozenset(actor.also_known_as),
    )


def _people(reader: Reader) -> list[Person]:
    known = storage.people(reader)
    pictures = media_cache.likenesses(reader, {one.icon_url for one in known if one.icon_url})
    return [
        _person(
            one.id,
            one.uri,
            one.address,
            one.name,
            pictures.get(one.icon_url or ""),
            one.also_known_as,
        )
        for one in known
    ]


def _person(
    actor_id: int,
    uri: str,
    address: str,
    name: str,
    picture: int | None,
    aliases: frozenset[str],
) -> Person:
    username, _, host = address.rpartition("@")
    shown = names.shown(name, username) if name else ""
    return Person(actor_id, uri, username, host, shown, picture, aliases)
