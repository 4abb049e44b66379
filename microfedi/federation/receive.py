"""An inbox POST: who signed it, may they say that, does it concern us? Then it is kept, and 202.

Nothing is done here that an activity asks for; `process` does it after the answer.
"""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from microfedi.errors import BadSignature, KeyUnavailable, NotAuthorized, TooBusy
from microfedi.federation import fetching, relevance, synchronization, verify
from microfedi.federation.allowance import UNSEEN_BYTES
from microfedi.federation.context import Context
from microfedi.federation.verify import Signer
from microfedi.protocol import activities, loads, uris
from microfedi.protocol.signatures import Claim, Request
from microfedi.protocol.vocab import (
    Activity,
    Announce,
    Create,
    Delete,
    Like,
    PublicKey,
    QuoteRequest,
    ReplyRequest,
    Undo,
    UnknownActivity,
    Update,
)
from microfedi.storage import actors, blocks, following, hosts, jobs, received
from microfedi.storage.database import Reader, Transaction

MAX_ACTIVITY_BYTES = 1024 * 1024  # as Mastodon; honest activities have 2 to 50 kB
MAX_AT_ONCE = 256  # requests being judged; they wait for disk and keys, and each holds its body
BUSY_RETRY_AFTER_S = 30
ACCEPTED = 202
# What is public and therefore passed on; what two people have with each other is not.
_PASSED_ON = Create | Update | Delete | Announce | Like | Undo


@dataclass(frozen=True, slots=True)
class _Known:
    """What one look into the database says before a request is believed."""

    is_blocked: bool
    is_wanted: bool
    is_followed: bool
    actor_id: int | None
    keys: dict[str, PublicKey]


async def receive(ctx: Context, request: Request) -> int:
    """Judge an activity and keep it if it concerns us; return the status to answer with.

    202 also says "not for us": whoever is blocked or nobody to us learns nothing.

    Source: ActivityPub 7, 5.2.
    Raises: BadSignature (401), MalformedDocument (400), NotAuthorized (403), KeyUnavailable (503),
    TooBusy (429: too much at once, or in an hour), DiskFull (503).
    """
    ctx.db.room.demand()
    if ctx.keyring.judging >= MAX_AT_ONCE:
        raise TooBusy("too many activities at once", retry_after_s=BUSY_RETRY_AFTER_S)
    ctx.keyring.judging += 1
    try:
        return await _receive(ctx, request)
    finally:
        ctx.keyring.judging -= 1


async def _receive(ctx: Context, request: Request) -> int:
    if "?" in request.target:
        # Some sign without the query; an inbox has none, so nothing can hide there.
        raise BadSignature("an inbox without a query was expected")
    claims = verify.read(ctx, request)
    document = loads.document(request.body)
    activity = activities.read(document)
    known = await ctx.db.read(lambda reader: _look(ctx, reader, claims, activity))
    if known.is_blocked:
        return ACCEPTED
    if known.actor_id is None and not known.keys and _is_self_delete(activity, claims):
        # Nothing here to delete; the key is usually gone with its owner, and they come in storms.
        return ACCEPTED
    signer = await verify.signer(ctx, claims, known.keys)
    if signer.uri != activity.actor_uri:
        return await _receive_forwarded(ctx, request, document, activity, signer, known)
    if isinstance(activity, UnknownActivity):
        return ACCEPTED
    check_ids(ctx, activity)
    if known.is_wanted:
        _count(ctx, request, activity, signer, is_followed=known.is_followed)
        await _keep(ctx, request, activity, signer, known)
    await synchronization.heed(ctx, request, signer.uri)
    return ACCEPTED


def check_ids(ctx: Context, activity: Activity) -> None:
    """Demand that what an activity names as its own lies on its actor's server, and not on ours.

    Source: FEP-fe34.
    Raises: NotAuthorized.
    """
    own = [activity.uri] if activity.uri else []  # Mastodon's Add and Remove have none
    match activity:
        case Create(object_uri=uri) | Update(object_uri=uri) | Delete(object_uri=uri):
            own.append(uri)
        case Undo(object_uri=str(uri)):
            own.append(uri)
    for uri in own:
        if fetching.is_ours(ctx, uri) or not uris.same_origin(uri, activity.actor_uri):
            raise NotAuthorized("an id on the actor's own server was expected")
    match activity:
        case Create(note=note) | Update(note=note) if note is not None:
            if note.attributed_to != activity.actor_uri:
                raise NotAuthorized("a post by the actor was expected")
        case Update(actor=actor) if actor is not None and actor.uri != activity.actor_uri:
            raise NotAuthorized("an actor may update itself alone")


def _look(ctx: Context, reader: Reader, claims: tuple[Claim, ...], activity: Activity) -> _Known:
    is_blocked, keys = verify.look(ctx, reader, claims, activity.actor_uri)
    is_wanted = relevance.concerns_us(ctx, reader, activity)
    if isinstance(activity, Create) and activity.encrypted is not None and is_wanted:
        # Of a person who is blocked too, though nobody sees it: a group breaks without it.
        hosts_named = {uris.host(uri) for uri in (activity.actor_uri, *(c.key_uri for c in claims))}
        is_blocked = not all(
            ctx.may_speak_with(host) for host in hosts_named
        ) or blocks.is_any_blocked(reader, [], hosts_named)
    actor_id = actors.id_of(reader, activity.actor_uri)
    return _Known(
        is_blocked=is_blocked,
        is_wanted=is_wanted,
        is_followed=actor_id is not None and following.is_followed(reader, actor_id),
        actor_id=actor_id,
        keys=keys,
    )


def _is_self_delete(activity: Activity, claims: tuple[Claim, ...]) -> bool:
    return (
        isinstance(activity, Delete)
        and activity.object_uri == activity.actor_uri
        and all(uris.same_origin(claim.key_uri, activity.actor_uri) for claim in claims)
    )


async def _receive_forwarded(
    ctx: Context,
    request: Request,
    document: dict[str, Any],
    activity: Activity,
    signer: Signer,
    known: _Known,
) -> int:
    """Keep what the actor vouches for by a proof inside as if they had brought it themselves.

    Without one it is a hint, if we follow whoever passes it on: nothing in it is believed,
    `process` asks the origin. From everybody else it is a forgery until proven otherwise.

    Source: ActivityPub 7.1.2 (forwarding from inbox); FEP-8b32; FEP-fe34.
    """
    unavailable: KeyUnavailable | None = None
    is_for_many = isinstance(activity, _PASSED_ON) and activity.object_uri != activity.actor_uri
    if is_for_many and known.is_wanted:
        try:
            prover = await verify.prover(ctx, document, activity.actor_uri)
        except KeyUnavailable as error:
            prover, unavailable = None, error
        if prover is not None:
            check_ids(ctx, activity)
            # Whoever brings it is counted: or somebody could use up what another may send.
            is_followed = await ctx.db.read(lambda reader: _is_followed(reader, signer.uri))
            _count(ctx, request, activity, signer, is_followed=is_followed)
            await _keep(ctx, request, activity, prover, known)
            return ACCEPTED
    is_hint = isinstance(activity, Create | Update | Delete | Announce)

    def question(reader: Reader) -> bool:
        return (
            _is_followed(reader, signer.uri)
            and not blocks.is_blocked(reader, signer.uri)
            and relevance.concerns_us(ctx, reader, activity)
        )

    if not is_hint or not await ctx.db.read(question):
        raise unavailable or NotAuthorized("a signature by the actor was expected")
    _count(ctx, request, activity, signer, is_followed=True)
    await _keep(ctx, request, activity, signer, None)
    return ACCEPTED


def _weight(request: Request, activity: Activity, signer: Signer) -> int:
    """Return how many bytes an activity may leave here, what is fetched for it included."""
    profile = 0 if signer.document is None else len(repr(signer.document))
    match activity:
        case Create(note=None, encrypted=None) | QuoteRequest(note=None) | ReplyRequest(note=None):
            return UNSEEN_BYTES + profile
        case Update(note=None, actor=None) if activity.object_uri != activity.actor_uri:
            return UNSEEN_BYTES + profile
    return len(request.body) + profile


def _is_followed(reader: Reader, actor_uri: str) -> bool:
    actor_id = actors.id_of(reader, actor_uri)
    return actor_id is not None and following.is_followed(reader, actor_id)


def _count(
    ctx: Context, request: Request, activity: Activity, signer: Signer, *, is_followed: bool
) -> None:
    """Count an activity for whoever signed the request. Raises: TooBusy if there were too many."""
    ctx.allowance.use(
        signer.uri,
        uris.authority(signer.uri),
        is_followed=is_followed,
        size=_weight(request, activity, signer),
        now=ctx.now(),
    )


async def _keep(
    ctx: Context, request: Request, activity: Activity, signer: Signer, author: _Known | None
) -> None:
    """Keep an activity to be handled; `author` is None if it is a hint of somebody followed."""
    now = ctx.now()
    is_new = author is not None and author.actor_id is None
    authority = uris.authority(signer.uri)
    digest = sha256(request.body).hexdigest()

    def change(tx: Transaction) -> bool:
        if signer.document is not None and signer.uri == activity.actor_uri:
            actors.keep(tx, signer.document, handle=None, now=now)
            if is_new:  # so far nobody has asked WebFinger what they are called
                jobs.add(tx, "refresh", signer.uri, due_at=now + timedelta(seconds=1))
        # Whose proof was brought by somebody else need not be there.
        has_woken = signer.scheme is not None and hosts.seen_alive(tx, authority, now)
        if signer.scheme == "rfc9421":
            hosts.prefers(tx, authority, now)
        # What has no id is known by its bytes.
        uri = activity.uri or f"urn:sha256:{digest}"
        received.keep(tx, uri=uri, actor_uri=signer.uri, body=request.body, now=now)
        return has_woken

    ctx.just_read.put(digest, activity, now)
    if await ctx.db.write(change):
        ctx.wake.deliveries.set()
    ctx.wake.received.set()
    if is_new:
        ctx.wake.jobs.set()
