"""What all files of the outbox share: fresh ids, who gets an activity, and handing it over."""

from collections.abc import Iterable

from microfedi.errors import MalformedDocument
from microfedi.federation.context import Context
from microfedi.protocol import addressing, ids, proofs, render, uris
from microfedi.protocol.render import Document
from microfedi.protocol.vocab import PUBLIC_SPELLINGS, Activity
from microfedi.storage import actors, blocks, followers, outgoing
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction

# Misskey and its family take no larger bodies: rather no proof than no post. 64 KiB.
MAX_PROVEN_BYTES = 64 * 1024


def mint(ctx: Context, kind: str) -> str:
    """Return a fresh id for an activity of the owner's; `kind` is its word in lower case."""
    return ctx.owner.addresses.activity(kind, ids.public_id())


def audience(
    ctx: Context, reader: Reader, activity: Activity, *, also: Iterable[int] = ()
) -> list[str]:
    """Return the inboxes for what is for everybody or followers: one per server if it has one.

    Those are the inboxes of followers if `activity` is addressed to them, of everybody named in
    it, and of the actors `also` (row ids).
    """
    owner = ctx.owner
    wanted = addressing.recipients(
        activity.to,
        activity.cc,
        followers_uri=owner.addresses.followers,
        owner_uri=owner.uri,
    )
    inboxes = followers.inboxes(reader) if wanted.followers else []
    named = {actors.id_of(reader, uri) for uri in wanted.actors} | set(also)
    named -= {None, owner.actor_id}
    people = actors.by_ids(reader, sorted(one for one in named if one is not None))
    inboxes += [one.delivery_inbox for one in people.values() if _may_have(reader, one)]
    return list(dict.fromkeys(inboxes))


def personal(reader: Reader, people: Iterable[Actor]) -> list[str]:
    """Return the inboxes for what is for these people alone: each their own."""
    return list(dict.fromkeys(one.inbox for one in people if _may_have(reader, one)))


def hand_over(
    ctx: Context,
    tx: Transaction,
    activity: Activity,
    inboxes: Iterable[str],
    *,
    about: str,
    note_id: int | None = None,
    message_id: int | None = None,
    actor_document: Document | None = None,
    by_old_key: bool = False,
    by_instance: bool = False,
) -> int:
    """Put an activity on its way to those of `inboxes` that the settings let us speak with.

    Nothing is sent by a server that does not federate. `about` is the URI of the object. What is
    `by_instance` is signed by the server. Wake the deliveries after the commit.
    """
    addressed = {*activity.to, *activity.cc}
    is_open = not addressed.isdisjoint(PUBLIC_SPELLINGS)
    return pass_on(
        ctx,
        tx,
        _written(ctx, activity, actor_document, is_open=is_open),
        inboxes,
        about=about,
        note_id=note_id,
        message_id=message_id,
        by_old_key=by_old_key,
        by_instance=by_instance,
        for_followers=not is_open and ctx.owner.addresses.followers in addressed,
    )


def pass_on(
    ctx: Context,
    tx: Transaction,
    body: bytes,
    inboxes: Iterable[str],
    *,
    about: str,
    note_id: int | None = None,
    message_id: int | None = None,
    by_old_key: bool = False,
    by_instance: bool = False,
    for_followers: bool = False,
) -> int:
    """Put bytes on their way, whoever wrote them; the rest is as in `hand_over`."""
    return outgoing.enqueue(
        tx,
        body,
        inboxes=[inbox for inbox in inboxes if _is_allowed(ctx, inbox)],
        about=about,
        note_id=note_id,
        message_id=message_id,
        by_old_key=by_old_key,
        by_instance=by_instance,
        for_followers=for_followers,
        now=ctx.now(),
    )


def _written(
    ctx: Context, activity: Activity, actor_document: Document | None, *, is_open: bool
) -> bytes:
    """Return the bytes of an activity; what is open proves that it is the owner's.

    What is not open carries no proof: who was written to could show it to others.

    Source: FEP-8b32.
    """
    document = render.with_context(render.activity(activity, actor_document=actor_document))
    if is_open:
        proven = render.dumps(proofs.create(document, ctx.owner.ed25519, now=ctx.now()))
        if len(proven) <= MAX_PROVEN_BYTES:
            return proven
    return render.dumps(document)


def _may_have(reader: Reader, actor: Actor) -> bool:
    return actor.state == "ok" and not blocks.is_blocked(reader, actor.uri)


def _is_allowed(ctx: Context, inbox: str) -> bool:
    try:
        return ctx.may_speak_with(uris.host(inbox))
    except MalformedDocument:
        return False
