"""Who signed this request? Answered from the database, from memory, or from the key's own server.

A key speaks for the actor whose document lists it, at that actor's own address, on the same server
as the key. Nothing that a request says about its sender counts beside that.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from microfedi.errors import (
    BadSignature,
    ForbiddenAddress,
    KeyUnavailable,
    ProtocolError,
    RemoteError,
    RemoteGone,
    RemoteRefused,
)
from microfedi.federation import fetching, lookup
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget
from microfedi.protocol import parse, proofs, signatures, uris
from microfedi.protocol.proofs import Proof
from microfedi.protocol.signatures import Claim, Request
from microfedi.protocol.vocab import Actor, PublicKey
from microfedi.storage import actor_keys, blocks
from microfedi.storage.database import Reader

# Seconds for finding out who signed, all fetches included: senders wait 10 s for an answer.
DEADLINE_S = 7.0
# Documents for one key: the key, its owner, and each with another signature.
MAX_FETCHES = 6
# Forwarded activities are tried again for days, not longer; what is older is asked for anew.
MAX_PROOF_AGE = timedelta(days=7)
# A fetch that failed this way will fail again: it is not worth another try by the sender.
_NO = (RemoteGone, RemoteRefused, ForbiddenAddress, ProtocolError)


@dataclass(frozen=True, slots=True)
class Signer:
    """Who proved to be `uri`. `document` is what their server says of them, if it was asked.

    `scheme` is None if they did so by a proof inside a document that somebody else brought.
    """

    uri: str
    key: PublicKey
    scheme: signatures.Scheme | None
    document: Actor | None = None


@dataclass(frozen=True, slots=True)
class _Proven:
    """A proof, to be treated as the signature of a request is."""

    document: Mapping[str, Any]
    proof: Proof

    @property
    def key_uri(self) -> str:
        return self.proof.key_uri


def read(ctx: Context, request: Request) -> tuple[Claim, ...]:
    """Read what a request says about its signature; nothing is fetched.

    Raises: BadSignature if it is unsigned, does not cover what it must, or the key is one of ours.
    """
    claims = signatures.read(request, origin=ctx.config.base_url, now=ctx.now())
    for claim in claims:
        if not uris.is_acceptable(claim.key_uri, allow_http=ctx.config.federation.development):
            raise BadSignature("a keyId that is an https URI was expected")
        if fetching.is_ours(ctx, claim.key_uri):
            # Nobody else has our keys; asking ourselves for one would wait for ourselves.
            raise BadSignature("a key of another server was expected")
    return claims


def look(
    ctx: Context, reader: Reader, claims: tuple[Claim, ...], *actor_uris: str
) -> tuple[bool, dict[str, PublicKey]]:
    """Return whether one of them may not speak here, and those of the claimed keys that we know.

    Nobody may of a blocked server or of one that the settings shut out, nor an actor who is
    blocked: the known owner of a key, or one of `actor_uris`.
    """
    found = {claim.key_uri: actor_keys.by_uri(reader, claim.key_uri) for claim in claims}
    keys = {uri: entry[0] for uri, entry in found.items() if entry is not None}
    people = {key.owner_uri for key in keys.values()} | set(actor_uris)
    hosts = {uris.host(uri) for uri in (*found, *people)}
    is_shut_out = not all(ctx.may_speak_with(uris.host(uri)) for uri in found)
    return is_shut_out or blocks.is_any_blocked(reader, people, hosts), keys


async def signer_of(ctx: Context, request: Request) -> Signer | None:
    """Return who signed a request; None if they are blocked, and then nothing was fetched.

    Raises: BadSignature; KeyUnavailable if the key could not be had in time.
    """
    claims = read(ctx, request)

    is_blocked, stored = await ctx.db.read(lambda reader: look(ctx, reader, claims))
    return None if is_blocked else await signer(ctx, claims, stored)


async def signer(ctx: Context, claims: tuple[Claim, ...], stored: dict[str, PublicKey]) -> Signer:
    """Return who made one of these signatures; `stored` are the keys known already.

    Raises: BadSignature; KeyUnavailable.
    """
    for claim in claims:
        key = stored.get(claim.key_uri)
        if key is not None and signatures.verify(claim, key):
            return Signer(key.owner_uri, key, claim.scheme)
    problem: BadSignature | KeyUnavailable = BadSignature("a valid signature was expected")
    try:
        async with asyncio.timeout(DEADLINE_S):
            for claim in claims:
                try:
                    return await _signer(ctx, claim, is_stored=claim.key_uri in stored)
                except (BadSignature, KeyUnavailable) as error:
                    problem = error
    except TimeoutError:
        raise KeyUnavailable("the key could not be fetched in time") from None
    raise problem


async def prover(ctx: Context, document: Mapping[str, Any], actor_uri: str) -> Signer | None:
    """Return the actor if they vouch for `document` by a proof in it, None if they do not.

    The key is one that their own document lists, on their own server. What was proven long ago is
    not taken any more: whoever brings it now may have kept it for a reason.

    Source: FEP-8b32; FEP-fe34.
    Raises: KeyUnavailable if the key could not be had in time.
    """
    now = ctx.now()
    claims = [
        _Proven(document, proof)
        for proof in proofs.read(document, now=now)
        if now - proof.created <= MAX_PROOF_AGE
        and uris.is_acceptable(proof.key_uri, allow_http=ctx.config.federation.development)
        and uris.same_origin(proof.key_uri, actor_uri)
        and not fetching.is_ours(ctx, proof.key_uri)
    ]
    if not claims or not ctx.may_speak_with(uris.host(actor_uri)):
        return None
    stored = await ctx.db.read(
        lambda reader: {claim.key_uri: actor_keys.by_uri(reader, claim.key_uri) for claim in claims}
    )
    for claim in claims:
        entry = stored[claim.key_uri]
        if entry is not None and entry[0].owner_uri == actor_uri and _fits(claim, entry[0]):
            return Signer(actor_uri, entry[0], None)
    try:
        async with asyncio.timeout(DEADLINE_S):
            for claim in claims:
                with contextlib.suppress(BadSignature):
                    is_stored = stored[claim.key_uri] is not None
                    found = await _signer(ctx, claim, is_stored=is_stored)
                    if found.uri == actor_uri:
                        return found
    except TimeoutError:
        raise KeyUnavailable("the key could not be fetched in time") from None
    return None


async def _signer(ctx: Context, claim: Claim | _Proven, *, is_stored: bool) -> Signer:
    """Try the key that is in memory, then a fresh one."""
    actor = ctx.keyring.actors.get(claim.key_uri, ctx.now())
    found = None if actor is None else _matching(claim, actor)
    if found is not None:
        return found
    is_known = is_stored or actor is not None
    host = uris.host(claim.key_uri)
    _check_remembered(ctx, claim.key_uri, host)
    async with ctx.keyring.fetching(host):
        # Whoever was here before us may have fetched it, or learnt that it is not to be had.
        actor = ctx.keyring.actors.get(claim.key_uri, ctx.now())
        found = None if actor is None else _matching(claim, actor)
        if found is not None:
            return found
        _check_remembered(ctx, claim.key_uri, host)
        actor = await _fetch(ctx, claim.key_uri, host)
    found = _matching(claim, actor)
    if found is None or is_known:
        # A second fetch would bring the same; whoever signs wrongly does not make us try.
        ctx.keyring.refused.put(claim.key_uri, "a valid signature was expected", ctx.now())
    ctx.keyring.actors.put(claim.key_uri, actor, ctx.now())
    if found is None:
        raise BadSignature("a valid signature was expected")
    return found


def _check_remembered(ctx: Context, key_uri: str, host: str) -> None:
    why = ctx.keyring.refused.get(key_uri, ctx.now())
    if why is not None:
        raise BadSignature(why)
    if ctx.keyring.down.get(host, ctx.now()) is not None:
        raise KeyUnavailable(f"{host} did not answer a short while ago")


def _matching(claim: Claim | _Proven, actor: Actor) -> Signer | None:
    scheme = claim.scheme if isinstance(claim, Claim) else None
    for key in actor.keys:
        if _is_listed(key, claim.key_uri, actor) and _fits(claim, key):
            return Signer(actor.uri, key, scheme, actor)
    return None


def _fits(claim: Claim | _Proven, key: PublicKey) -> bool:
    if isinstance(claim, Claim):
        return signatures.verify(claim, key)
    return proofs.verify(claim.document, claim.proof, key)


async def _fetch(ctx: Context, key_uri: str, host: str) -> Actor:
    """Fetch the actor whose key this is, and remember failures."""
    try:
        return await _owner_of(ctx, key_uri)
    except _NO as error:
        reason = f"the key could not be had: {error}"
        ctx.keyring.refused.put(key_uri, reason, ctx.now())
        raise BadSignature(reason) from error
    except RemoteError as error:
        ctx.keyring.down.put(host, str(error), ctx.now())
        raise KeyUnavailable(f"the key could not be fetched: {error}") from error
    except asyncio.CancelledError:
        # Nearly always our own deadline: the server hangs.
        ctx.keyring.down.put(host, "no answer in time", ctx.now())
        raise


async def _owner_of(ctx: Context, key_uri: str) -> Actor:
    """Return the actor that owns a key: the key names them, and their own document lists it.

    What is at the key's address is an actor with the key inside, a key that names its owner, or a
    stub of an actor (GoToSocial). From the last two, only the owner's name is taken.

    Source: FEP-521a; FEP-fe34.
    """
    budget = Budget(MAX_FETCHES)
    found = await fetching.anywhere(ctx, key_uri, budget)
    named = [key for key in parse.keys(found.document) if key.uri == key_uri]
    if not named:
        raise BadSignature("that document does not list the key")
    owner_uri = named[0].owner_uri
    if not (uris.same_origin(owner_uri, key_uri) and uris.same_origin(found.url, key_uri)):
        raise BadSignature("a key on its owner's server was expected")
    if fetching.id_of(found.document) == owner_uri and fetching.is_same(owner_uri, found.url):
        actor = parse.actor(found.document)
    else:
        actor = await lookup.fetch_actor(ctx, owner_uri, budget)
    if actor.uri != owner_uri or not any(_is_listed(key, key_uri, actor) for key in actor.keys):
        raise BadSignature("the key's owner does not list the key")
    return actor


def _is_listed(key: PublicKey, key_uri: str, actor: Actor) -> bool:
    return key.uri == key_uri and key.owner_uri == actor.uri
