"""The owner's profile: changed here, and told to followers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from microfedi.errors import InvalidInput, NotFound
from microfedi.federation import emojis, uploads, verifying
from microfedi.federation.context import Context
from microfedi.federation.outbox import sending, writing
from microfedi.imagework import Picture
from microfedi.protocol import markup, sanitize, vocab
from microfedi.protocol.sanitize import SafeHtml
from microfedi.storage import actors, featured_tags, media
from microfedi.storage import owner as owner_storage
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.owner import FeaturePolicy, MessagePolicy, Owner, QuotePolicy, ReplyPolicy

MAX_BIO_CHARS = 2000  # of the Markdown; more is an article
MAX_FIELDS = 8  # rows of the table; Mastodon shows 4, others up to 10
MAX_FIELD_CHARS = 500  # of a row's text
MAX_FEATURED_TAGS = 10  # as Mastodon shows
MAX_ATTRIBUTION_DOMAINS = 50  # Mastodon reads 256


@dataclass(frozen=True, slots=True)
class Profile:
    """What the owner says about themselves: name, Markdown, rows of (name, Markdown)."""

    name: str
    bio: str
    fields: tuple[tuple[str, str], ...] = ()


async def update(ctx: Context, profile: Profile) -> None:
    """Change name, text and table, and tell followers.

    Source: ActivityPub 6.3.
    Raises: InvalidInput naming what is too long.
    """
    if len(profile.bio) > MAX_BIO_CHARS:
        raise InvalidInput("bio", "At most %(limit)s characters, please.", limit=MAX_BIO_CHARS)
    rows = [(name.strip(), value.strip()) for name, value in profile.fields]
    rows = [row for row in rows if any(row)]
    if len(rows) > MAX_FIELDS:
        raise InvalidInput("fields", "At most %(limit)s rows, please.", limit=MAX_FIELDS)
    if any(len(value) > MAX_FIELD_CHARS for _, value in rows):
        raise InvalidInput(
            "fields", "At most %(limit)s characters a row, please.", limit=MAX_FIELD_CHARS
        )
    written = await writing.write(ctx, profile.bio)
    fields = [
        (
            sanitize.plain(name, limit=actors.MAX_FIELD_NAME_CHARS),
            _one_line(writing.as_written(ctx, value, {}).html),
        )
        for name, value in rows
    ]

    def change(tx: Transaction) -> None:
        me = _me(tx, ctx.owner)
        owner_storage.set_profile(
            tx,
            name=sanitize.plain(profile.name, limit=actors.MAX_NAME_CHARS),
            bio=profile.bio,
            summary_html=written.html if profile.bio.strip() else SafeHtml(""),
            fields=fields,
            icon_url=me.icon_url,
            icon_alt=me.icon_alt,
            image_url=me.image_url,
        )
        _keep_emojis(tx, ctx.owner)
        tell(ctx, tx)
        verifying.plan(ctx, tx, _me(tx, ctx.owner), at_once=True)

    await _changed(ctx, change)


async def set_picture(
    ctx: Context,
    *,
    avatar: Picture | None = None,
    avatar_alt: str = "",
    header: Picture | None = None,
) -> None:
    """Change the pictures that are given, delete those they replace, and tell followers."""
    icon = None if avatar is None else await uploads.keep(ctx, avatar)
    image = None if header is None else await uploads.keep(ctx, header)
    addresses = ctx.owner.addresses
    alt = sanitize.plain(avatar_alt, limit=actors.MAX_ALT_CHARS)
    await _set_pictures(
        ctx,
        icon_url=None if icon is None else addresses.media(icon.public_id),
        icon_alt=alt,
        image_url=None if image is None else addresses.media(image.public_id),
    )


async def remove_picture(ctx: Context, *, avatar: bool = False, header: bool = False) -> None:
    """Delete a picture of the profile, and tell followers."""
    await _set_pictures(
        ctx, icon_url="" if avatar else None, icon_alt="", image_url="" if header else None
    )


async def set_preferences(
    ctx: Context,
    *,
    approves_followers: bool | None = None,
    discoverable: bool | None = None,
    indexable: bool | None = None,
    hides_follows: bool | None = None,
    message_policy: MessagePolicy | None = None,
    time_zone: str | None = None,
    disk_budget_bytes: int | None = None,
) -> None:
    """Keep the wishes that are given; followers are told of those that others can see."""
    shown = (approves_followers, discoverable, indexable)

    def change(tx: Transaction) -> None:
        owner_storage.set_preferences(
            tx,
            approves_followers=approves_followers,
            discoverable=discoverable,
            indexable=indexable,
            hides_follows=hides_follows,
            message_policy=message_policy,
            time_zone=time_zone,
            disk_budget_bytes=disk_budget_bytes,
        )
        if any(wish is not None for wish in shown):
            tell(ctx, tx)

    await _changed(ctx, change)


async def set_policies(
    ctx: Context,
    *,
    quote_policy: QuotePolicy | None = None,
    reply_policy: ReplyPolicy | None = None,
    sends_blocks: bool | None = None,
) -> None:
    """Keep who may quote and answer what the owner posts from now on, and whether blocks are told.

    Others read it in the posts, so nobody has to be told.
    """
    await _changed(
        ctx,
        lambda tx: owner_storage.set_preferences(
            tx, quote_policy=quote_policy, reply_policy=reply_policy, sends_blocks=sends_blocks
        ),
    )


async def set_discovery(
    ctx: Context,
    *,
    tags: Sequence[str],
    attribution_domains: Sequence[str],
    feature_policy: FeaturePolicy,
) -> None:
    """Change what helps others to find the owner, and tell followers.

    `tags` (lower-case, without `#`) stand on the profile, pages of the domains may name the owner
    as their author, and the policy says who may put the owner into a collection.

    Raises: InvalidInput if there are too many.
    """
    if len(tags) > MAX_FEATURED_TAGS:
        raise InvalidInput("tags", "At most %(limit)s hashtags, please.", limit=MAX_FEATURED_TAGS)
    if len(attribution_domains) > MAX_ATTRIBUTION_DOMAINS:
        raise InvalidInput(
            "domains", "At most %(limit)s domains, please.", limit=MAX_ATTRIBUTION_DOMAINS
        )

    def change(tx: Transaction) -> None:
        featured_tags.replace(tx, tags)
        owner_storage.set_preferences(
            tx, feature_policy=feature_policy, attribution_domains=attribution_domains
        )
        tell(ctx, tx)

    await _changed(ctx, change)


def tell(ctx: Context, tx: Transaction) -> None:
    """Send followers the profile as it is now; also to have them read the pinned posts again."""
    owner = owner_storage.load(tx) or ctx.owner  # as it is after what was changed here
    activity = vocab.Update(
        uri=sending.mint(ctx, "updates"),
        actor_uri=owner.uri,
        to=(vocab.PUBLIC,),
        cc=(owner.addresses.followers,),
        published=ctx.now(),
        object_uri=owner.uri,
        actor=describe(tx, owner),
    )
    sending.hand_over(ctx, tx, activity, sending.audience(ctx, tx, activity), about=owner.uri)


def draw_emojis(ctx: Context, tx: Transaction) -> None:
    """See which emoji the profile has in it, after some came or went; tell followers if so."""
    if _keep_emojis(tx, ctx.owner):
        tell(ctx, tx)


def _keep_emojis(tx: Transaction, owner: Owner) -> bool:
    used = _emojis(tx, _me(tx, owner), owner)
    return actors.set_emojis(tx, owner.actor_id, {one.shortcode: one.url for one in used})


def _emojis(reader: Reader, me: Actor, owner: Owner) -> tuple[vocab.Emoji, ...]:
    texts = (me.name, me.summary, *(value for _, value in me.fields))
    return emojis.used_in(reader, owner.addresses, *texts)


def describe(reader: Reader, owner: Owner) -> vocab.Actor:
    """Return the owner as others see them: the whole actor document."""
    me = _me(reader, owner)
    addresses = owner.addresses
    return vocab.Actor(
        uri=owner.uri,
        inbox=addresses.inbox,
        preferred_username=owner.handle,
        webfinger=me.handle,
        name=me.name,
        summary=str(me.summary),
        url=addresses.page,
        shared_inbox=addresses.shared_inbox,
        outbox=addresses.outbox,
        followers=addresses.followers,
        following=addresses.following,
        featured=addresses.featured,
        featured_tags=addresses.featured_tags,
        icon=me.icon_url,
        icon_alt=me.icon_alt,
        image=me.image_url,
        fields=tuple(vocab.Field(name, str(value)) for name, value in me.fields),
        emojis=_emojis(reader, me, owner),
        keys=(
            vocab.PublicKey(owner.rsa.uri, owner.uri, "rsa", owner.rsa.public_pem),
            vocab.PublicKey(owner.ed25519.uri, owner.uri, "ed25519", owner.ed25519.public_pem),
            *_old_keys(owner),
        ),
        manually_approves_followers=me.approves,
        discoverable=me.discoverable,
        indexable=me.indexable,
        hashtags=tuple(markup.hashtags_in(owner.bio)),
        attribution_domains=owner.attribution_domains,
        can_feature=_can_feature(owner),
        also_known_as=me.also_known_as,
        moved_to=me.moved_to,
        published=me.published_at,
    )


def _can_feature(owner: Owner) -> vocab.Rule:
    """Return who may put the owner into a collection; if nothing is said, nobody may.

    Source: FEP-7aa9.
    """
    if owner.feature_policy == "anyone":
        return vocab.Rule(automatic=(vocab.PUBLIC,))
    if owner.feature_policy == "ask":
        return vocab.Rule(manual=(vocab.PUBLIC,))
    return vocab.Rule(automatic=(owner.uri,))


def _old_keys(owner: Owner) -> list[vocab.PublicKey]:
    """The former keys: what they signed can be verified as long as it is under way."""
    found = []
    if owner.old_rsa is not None:
        found.append(vocab.PublicKey(owner.old_rsa.uri, owner.uri, "rsa", owner.old_rsa.public_pem))
    if owner.old_ed25519 is not None:
        old = owner.old_ed25519
        found.append(vocab.PublicKey(old.uri, owner.uri, "ed25519", old.public_pem))
    return found


async def _set_pictures(
    ctx: Context, *, icon_url: str | None, icon_alt: str, image_url: str | None
) -> None:
    """None leaves a picture as it is, "" removes it."""

    def change(tx: Transaction) -> list[str]:
        me = _me(tx, ctx.owner)
        owner_storage.set_profile(
            tx,
            name=me.name,
            bio=ctx.owner.bio,
            summary_html=me.summary,
            fields=me.fields,
            icon_url=me.icon_url if icon_url is None else icon_url or None,
            icon_alt=me.icon_alt if icon_url is None else icon_alt,
            image_url=me.image_url if image_url is None else image_url or None,
        )
        replaced = []
        if icon_url is not None:
            replaced.append(me.icon_url)
        if image_url is not None:
            replaced.append(me.image_url)
        names = _own_names(ctx.owner, replaced)
        media.delete(tx, names)
        tell(ctx, tx)
        return names

    names = await ctx.db.write(change)
    await ctx.reload_owner()
    ctx.wake.deliveries.set()
    await uploads.discard(ctx, names)


async def _changed(ctx: Context, change: Callable[[Transaction], None]) -> None:
    await ctx.db.write(change)
    await ctx.reload_owner()
    ctx.wake.deliveries.set()
    ctx.wake.jobs.set()


def _me(reader: Reader, owner: Owner) -> Actor:
    me = actors.by_id(reader, owner.actor_id)
    if me is None:
        raise NotFound("the owner's actor is missing")
    return me


def _own_names(owner: Owner, urls: Sequence[str | None]) -> list[str]:
    prefix = owner.addresses.media("")
    return [url.removeprefix(prefix) for url in urls if url and url.startswith(prefix)]


def _one_line(html: SafeHtml) -> SafeHtml:
    """Take the paragraph off a single one: rows of a table are lines."""
    inner = str(html).strip().removeprefix("<p>").removesuffix("</p>")
    return html if "<p>" in inner or "</p>" in inner else sanitize.own(inner)
