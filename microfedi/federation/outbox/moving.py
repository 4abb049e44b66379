"""The owner has other accounts: followers are brought here from those, or sent to one of them."""

from collections.abc import Callable
from datetime import timedelta

from microfedi.errors import InvalidInput, MicrofediError, NotFound, ProtocolError, RemoteError
from microfedi.federation import fetching, lookup
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget
from microfedi.federation.outbox import profile, sending
from microfedi.protocol import vocab
from microfedi.storage import actors, blocks, door_log
from microfedi.storage import owner as owner_storage
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.door_log import NOBODY, Kind, Visitor

MAX_ALIASES = 10  # accounts that may move here; others read 32 and more
COOLDOWN = timedelta(days=30)  # between two moves, as Mastodon: followers are not sent to and fro


async def check_alias(ctx: Context, text: str) -> Actor:
    """Return the account `text`, a handle or an address.

    Raises: InvalidInput (`alias`) if there is no such account.
    """
    return await _account(ctx, text, "alias")


async def add_alias(ctx: Context, other: Actor, *, by: Visitor = NOBODY) -> None:
    """Say that an account is the owner's too, and tell followers. Ask `login.confirm` first.

    Source: FEP-7628: the first half of a move from there to here.
    Raises: InvalidInput (`alias`) if too many are named already.
    """

    def change(tx: Transaction) -> None:
        known = aliases(tx, ctx)
        if other.uri in known:
            return
        if len(known) >= MAX_ALIASES:
            raise InvalidInput("alias", "At most %(limit)s accounts, please.", limit=MAX_ALIASES)
        owner_storage.set_aliases(tx, [*known, other.uri])
        profile.tell(ctx, tx)
        door_log.add(tx, Kind.ALIAS_ADDED, now=ctx.now(), by=by, detail=other.uri)

    await _changed(ctx, change)


async def remove_alias(ctx: Context, uri: str, *, by: Visitor = NOBODY) -> None:
    """Name an account no longer, and tell followers. Who has moved here stays here.

    Ask `login.confirm` first.
    """

    def change(tx: Transaction) -> None:
        known = aliases(tx, ctx)
        if uri in known:
            owner_storage.set_aliases(tx, [one for one in known if one != uri])
            profile.tell(ctx, tx)
            door_log.add(tx, Kind.ALIAS_REMOVED, now=ctx.now(), by=by, detail=uri)

    await _changed(ctx, change)


def aliases(reader: Reader, ctx: Context) -> tuple[str, ...]:
    """Return the ids of the accounts that may move here."""
    me = actors.by_id(reader, ctx.owner.actor_id)
    return () if me is None else me.also_known_as


async def check_target(ctx: Context, text: str) -> Actor:
    """Return the account `text` as its server shows it now, if the owner may move there.

    Source: FEP-7628: it has to name this account.
    Raises: InvalidInput (`target`) that says why not.
    """
    if ctx.owner.moved_to is not None:
        raise InvalidInput("target", "You have moved already. Take that back first.")
    before = await ctx.db.read(owner_storage.moved_at)
    if before is not None and ctx.now() < before + COOLDOWN:
        again = f"{before + COOLDOWN:%d %B %Y}"
        raise InvalidInput(
            "target",
            "You moved less than %(days)s days ago. You can again on %(again)s.",
            days=COOLDOWN.days,
            again=again,
        )
    known = await _account(ctx, text, "target")
    try:
        target = await lookup.kept_actor(ctx, known.uri, Budget(), fresh=True)
    except (RemoteError, ProtocolError) as problem:
        raise _unreachable("target", problem) from problem
    if await ctx.db.read(lambda reader: blocks.is_blocked(reader, target.uri)):
        raise InvalidInput("target", "You have blocked %(address)s.", address=target.address)
    if target.state != "ok":
        raise InvalidInput("target", "%(address)s is suspended or deleted.", address=target.address)
    if target.moved_to is not None:
        raise InvalidInput("target", "%(address)s has moved away itself.", address=target.address)
    if ctx.owner.uri not in target.also_known_as:
        raise InvalidInput(
            "target",
            "%(address)s does not name this account yet. Log in there, find the settings for"
            " moving from another account, add %(uri)s there, and come back.",
            address=target.address,
            uri=ctx.owner.uri,
        )
    return target


async def move(
    ctx: Context, target_uri: str, *, if_still: Callable[[Transaction], bool] = lambda tx: True
) -> None:
    """Send followers to another account of the owner's, unless `if_still` says no.

    Ask `login.confirm` first.

    Followers' servers get the profile, which now names the new account, and then the Move.

    Source: FEP-7628.
    Raises: InvalidInput as `check_target`, which is asked once more.
    """
    target = await check_target(ctx, target_uri)
    now = ctx.now()

    def change(tx: Transaction) -> None:
        if not if_still(tx):
            return
        owner = ctx.owner
        owner_storage.set_moved(tx, target.uri, now)
        profile.tell(ctx, tx)
        activity = vocab.Move(
            uri=sending.mint(ctx, "moves"),
            actor_uri=owner.uri,
            to=(owner.addresses.followers,),
            published=now,
            object_uri=owner.uri,
            target_uri=target.uri,
        )
        inboxes = sending.audience(ctx, tx, activity)
        sending.hand_over(ctx, tx, activity, inboxes, about=owner.uri)

    await _changed(ctx, change)


async def take_back(ctx: Context, *, by: Visitor = NOBODY) -> None:
    """Live here again, and tell whoever still follows. Followers who went do not come back.

    Ask `login.confirm` first.
    """

    def change(tx: Transaction) -> None:
        owner_storage.clear_moved(tx)
        profile.tell(ctx, tx)
        door_log.add(tx, Kind.MOVED_BACK, now=ctx.now(), by=by)

    if ctx.owner.moved_to is not None:
        await _changed(ctx, change)


async def _account(ctx: Context, text: str, field: str) -> Actor:
    """Return somebody else's account. Raises: InvalidInput (`field`)."""
    if not ctx.config.federates:
        raise InvalidInput(field, "This server speaks with no other.")
    try:
        found = await lookup.anything(ctx, text)
    except (NotFound, RemoteError, ProtocolError) as problem:
        raise _unreachable(field, problem) from problem
    if not isinstance(found, Actor):
        raise InvalidInput(field, "That is a post: the address of an account was expected.")
    if found.id == ctx.owner.actor_id or fetching.is_ours(ctx, found.uri):
        raise InvalidInput(field, "That is this account itself.")
    return found


def _unreachable(field: str, problem: MicrofediError) -> InvalidInput:
    return InvalidInput(field, "That account could not be found: %(problem)s", problem=problem)


async def _changed(ctx: Context, change: Callable[[Transaction], None]) -> None:
    await ctx.db.write(change)
    await ctx.reload_owner()
    ctx.wake.deliveries.set()
