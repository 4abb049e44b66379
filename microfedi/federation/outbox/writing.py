"""The owner's text: checked, mentions looked up, made into HTML. For posts, messages, profile."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from microfedi.errors import InvalidInput, NotFound, ProtocolError, RemoteError
from microfedi.federation import lookup
from microfedi.federation.context import Context
from microfedi.protocol import lengths, markup, vocab
from microfedi.protocol.markup import MentionTarget
from microfedi.protocol.sanitize import SafeHtml
from microfedi.storage import actors, blocks
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader

log = logging.getLogger(__name__)

MAX_PICTURES = 16  # of a post or a message: Mastodon shows the first four
LOOKUP_S = 10.0  # for all that a text mentions: who is not found by then stays plain text


@dataclass(frozen=True, slots=True)
class Written:
    """A text of the owner's, ready to travel. `mentioned` are those who were found, in order."""

    source: str
    html: SafeHtml
    mentioned: tuple[Actor, ...]
    hashtags: tuple[str, ...]


def check(ctx: Context, source: str, count: int) -> None:
    """Refuse what is too long, empty, or has too many pictures: `count` of them.

    The limit is on what Mastodon would count; the text as it stands has one of its own.

    Raises: InvalidInput("source") or InvalidInput("picture").
    """
    limit = ctx.config.limits.post_characters
    if len(source) > markup.MAX_SOURCE_CHARS or lengths.counted(source) > limit:
        limit = min(limit, markup.MAX_SOURCE_CHARS)
        raise InvalidInput("source", "At most %(limit)s characters, please.", limit=limit)
    if not source.strip() and not count:
        raise InvalidInput("source", "There is nothing in it yet.")
    if count > MAX_PICTURES:
        raise InvalidInput("picture", "At most %(limit)s pictures, please.", limit=MAX_PICTURES)


async def write(ctx: Context, source: str) -> Written:
    """Make HTML of a text; whoever is mentioned is looked up, and fetched if we never met."""
    handles = markup.mentions_in(source)
    found = await ctx.db.read(lambda reader: _known(reader, handles))
    if ctx.config.federates:
        found |= await _fetched(ctx, [handle for handle in handles if handle not in found])
    wanted = await ctx.db.read(lambda reader: _without_blocked(reader, found))
    return as_written(ctx, source, wanted)


def known(reader: Reader, source: str) -> dict[str, Actor]:
    """Return whom a text mentions, without asking anybody who was never met."""
    return _without_blocked(reader, _known(reader, markup.mentions_in(source)))


def as_written(ctx: Context, source: str, found: Mapping[str, Actor]) -> Written:
    """Make HTML of a text in which exactly the handles in `found` are mentions."""
    addresses = ctx.owner.addresses
    targets = {handle: _target(actor) for handle, actor in found.items()}
    html = markup.to_html(
        source,
        mentions=targets,
        tag_url=lambda tag: addresses.tag(quote(tag, safe="")),
    )
    mentioned = [found[handle] for handle in markup.mentions_in(source) if handle in found]
    return Written(
        source=source,
        html=html,
        mentioned=tuple({actor.id: actor for actor in mentioned}.values()),
        hashtags=tuple(markup.hashtags_in(source)),
    )


def among(source: str, people: Iterable[Actor]) -> dict[str, Actor]:
    """Return which handles in a text mean one of these people; all others are just text."""
    known: dict[str, Actor] = {}
    for actor in people:
        known[f"{actor.username}@{actor.host}".lower()] = actor
        known[actor.address.removeprefix("@").lower()] = actor
    return {
        handle: known[handle.lower()]
        for handle in markup.mentions_in(source)
        if handle.lower() in known
    }


def mention(actor: Actor) -> vocab.Mention:
    """Return a mention as a note carries it."""
    return vocab.Mention(href=actor.uri, name=actor.address)


def _known(reader: Reader, handles: Iterable[str]) -> dict[str, Actor | None]:
    """Return whom we know, and None for those whose server is blocked: they are not asked for."""
    found: dict[str, Actor | None] = {}
    for handle in handles:
        actor = actors.by_handle(reader, handle)
        if actor is not None or blocks.is_host_blocked(reader, handle.rpartition("@")[2]):
            found[handle] = actor
    return found


def _without_blocked(reader: Reader, found: Mapping[str, Actor | None]) -> dict[str, Actor]:
    """Leave out who is blocked or gone: their names are just text."""
    return {
        handle: actor
        for handle, actor in found.items()
        if actor is not None and actor.state == "ok" and not blocks.is_blocked(reader, actor.uri)
    }


async def _fetched(ctx: Context, handles: Iterable[str]) -> dict[str, Actor]:
    async def one(handle: str) -> tuple[str, Actor | None]:
        try:
            async with asyncio.timeout(LOOKUP_S):
                return handle, await lookup.by_handle(ctx, handle)
        except (RemoteError, ProtocolError, NotFound, InvalidInput, TimeoutError) as error:
            log.info("a mention stays text: %s", type(error).__name__)
            return handle, None

    answers = await asyncio.gather(*(one(handle) for handle in handles))
    return {handle: actor for handle, actor in answers if actor is not None}


def _target(actor: Actor) -> MentionTarget:
    return MentionTarget(
        uri=actor.uri, url=actor.url or actor.uri, handle=actor.address.removeprefix("@")
    )
