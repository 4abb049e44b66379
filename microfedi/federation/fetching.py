"""Documents of other servers, asked for at their own address and believed for nothing else.

What a document says counts only for its own id, and only if it was found there: the address that
answered in the end and the id inside must be the same.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from string import ascii_letters, digits
from typing import Any

from microfedi.errors import (
    ForbiddenAddress,
    MalformedDocument,
    NotAuthorized,
    RemoteError,
    RemoteGone,
    RemoteRefused,
)
from microfedi.federation.context import Context
from microfedi.federation.remote import Fetched, Sign
from microfedi.protocol import loads, shapes, signatures, uris
from microfedi.protocol.keys import SigningKey
from microfedi.storage import blocks, hosts
from microfedi.storage.database import Reader

MAX_FETCHES = 20  # documents for one incoming activity, with everything that it leads to
DEADLINE_S = 15.0  # seconds for one document: two ways to sign, two keys to sign with

Document = dict[str, Any]
_HOST_CHARS = f"{ascii_letters}{digits}_.:-"


class Budget:
    """How many requests one piece of work may cause. Pass the same one to everything it does."""

    def __init__(self, fetches: int = MAX_FETCHES) -> None:
        self.left = fetches

    def spend(self) -> None:
        """Take one. Raises: RemoteError if none is left."""
        if self.left <= 0:
            raise RemoteError("this would need too many requests to other servers")
        self.left -= 1


@dataclass(frozen=True, slots=True)
class Found:
    """A document and the address that it was found at in the end."""

    url: str
    document: Document
    key: SigningKey  # what we signed with


async def at_its_id(ctx: Context, url: str, budget: Budget, *, as_owner: bool = False) -> Document:
    """Fetch the document at `url`, or the one that it says it is, which is then asked itself.

    `as_owner` asks once more with the owner's key if a stranger gets 401, 403 or 404.

    Source: FEP-fe34.
    Raises: RemoteError; MalformedDocument; NotAuthorized if what was found claims another id than
    the address it was found at, and that one does not confirm it.
    """
    found = await anywhere(ctx, url, budget, as_owner=as_owner)
    uri = id_of(found.document)
    if is_same(uri, found.url):
        return found.document
    again = await _found(ctx, uri, budget, [found.key])
    if not (is_same(uri, again.url) and id_of(again.document) == uri):
        raise NotAuthorized(f"{uri[:200]} is claimed by a document that lies elsewhere")
    return again.document


async def anywhere(ctx: Context, url: str, budget: Budget, *, as_owner: bool = False) -> Found:
    """Fetch the document at `url`; whether it is what it says, the caller must find out.

    Raises: RemoteError, MalformedDocument.
    """
    owner = ctx.owner
    return await _found(ctx, url, budget, [owner.instance, *([owner.rsa] if as_owner else [])])


async def by_owner(ctx: Context, url: str, budget: Budget) -> Found:
    """Fetch the document at `url` in the owner's name; the rest is as in `anywhere`.

    Raises: RemoteError, MalformedDocument.
    """
    return await _found(ctx, url, budget, [ctx.owner.rsa])


def id_of(document: Document) -> str:
    """Return the id of a document. Raises: MalformedDocument if it has none."""
    uri = shapes.id_of(document)
    if uri is None:
        raise MalformedDocument("expected an https id of the document")
    return uri


def is_same(uri: str, url: str) -> bool:
    """True if both are the same address: only the host may be spelled differently.

    >>> is_same("https://B.example/1", "https://b.example/1")
    True
    >>> is_same("https://b.example/1#x", "https://b.example/1")
    False
    >>> is_same("https://b.example?c=1", "https://b.example/?c=1")
    True
    """
    return uris.same_origin(uri, url) and _behind_host(uri) == _behind_host(url)


def _behind_host(uri: str) -> str:
    _, _, found = uri.partition("://")
    rest = found.lstrip(_HOST_CHARS)
    return rest if rest.startswith("/") else f"/{rest}"  # RFC 3986 6.2.3


def is_ours(ctx: Context, uri: str) -> bool:
    """True if `uri` lies on our own host: nothing from outside may be that, nor be fetched."""
    return uris.host(uri) == uris.host(ctx.config.base_url)


async def check_host(ctx: Context, url: str) -> hosts.Host | None:
    """Return what we know of the host of `url`, if we may ask it for anything.

    Raises: ForbiddenAddress if it is our own, blocked, or nobody we speak with; MalformedDocument
    if `url` is none.
    """
    if is_ours(ctx, url):
        raise ForbiddenAddress("our own host is not asked over HTTP")
    host, authority = uris.host(url), uris.authority(url)
    if not ctx.may_speak_with(host):
        raise ForbiddenAddress("this server does not speak with %(host)s", host=host)

    def question(reader: Reader) -> tuple[bool, hosts.Host | None]:
        return blocks.is_host_blocked(reader, host), hosts.by_name(reader, authority)

    is_blocked, known = await ctx.db.read(question)
    if is_blocked:
        raise ForbiddenAddress("%(host)s is blocked", host=host)
    return known


async def _found(ctx: Context, url: str, budget: Budget, keys: list[SigningKey]) -> Found:
    url = uris.without_fragment(url)
    known = await check_host(ctx, url)
    rfc9421 = known is not None and known.prefers_rfc9421
    try:
        async with asyncio.timeout(DEADLINE_S):
            for position, key in enumerate(keys, start=1):
                try:
                    got = await _knock_twice(ctx, url, budget, key, rfc9421=rfc9421)
                except (RemoteRefused, RemoteGone) as error:
                    if position == len(keys) or error.status not in (401, 403, 404):
                        raise
                else:
                    return Found(got.url, loads.document(got.body), key)
    except TimeoutError as error:
        raise RemoteError(
            "no document within %(deadline_s)s s", deadline_s=f"{DEADLINE_S:g}"
        ) from error
    raise RemoteError("nothing to sign with")


async def _knock_twice(
    ctx: Context, url: str, budget: Budget, key: SigningKey, *, rfc9421: bool
) -> Fetched:
    """Ask in the way the host is known to like, and if it does not, in the other way."""
    budget.spend()
    try:
        return await ctx.remote.get_json(url, sign=_signing(ctx, key, rfc9421=rfc9421))
    except RemoteRefused as error:
        if error.status not in (400, 401):
            raise
    budget.spend()
    return await ctx.remote.get_json(url, sign=_signing(ctx, key, rfc9421=not rfc9421))


def _signing(ctx: Context, key: SigningKey, *, rfc9421: bool) -> Sign:
    sign = signatures.sign_rfc9421 if rfc9421 else signatures.sign_cavage

    def headers(method: str, url: str, body: bytes | None) -> Mapping[str, str]:
        return sign(method=method, url=url, body=body, key=key, now=ctx.now())

    return headers
