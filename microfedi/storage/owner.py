"""The one local person: their profile, their wishes, where they live now."""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from microfedi.errors import InvalidInput
from microfedi.protocol import instants, uris
from microfedi.protocol.addresses import Addresses
from microfedi.protocol.filtering import Filters
from microfedi.protocol.keys import SigningKey
from microfedi.protocol.sanitize import SafeHtml
from microfedi.storage import credentials, filters, instance, signing_keys
from microfedi.storage.database import Reader, Transaction
from microfedi.storage.looks import Accent, Looks, TextSize, Theme

MessagePolicy = Literal["anyone", "followed", "nobody"]
FeaturePolicy = Literal["anyone", "ask", "nobody"]
QuotePolicy = Literal["anyone", "followers", "ask", "nobody"]
ReplyPolicy = Literal["anyone", "followers", "mentioned"]
HomeReplies = Literal["all", "followed", "none"]


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner as the server works with them. Name, picture and HTML are in their Actor."""

    actor_id: int
    handle: str
    addresses: Addresses
    rsa: SigningKey
    ed25519: SigningKey
    instance: SigningKey
    # The pair before, while some may not have heard of the present one.
    old_rsa: SigningKey | None
    old_ed25519: SigningKey | None
    key_number: int
    bio: str
    approves_followers: bool
    discoverable: bool
    indexable: bool
    hides_follows: bool
    message_policy: MessagePolicy
    feature_policy: FeaturePolicy  # who may put the owner into a collection
    quote_policy: QuotePolicy  # who may quote new posts
    reply_policy: ReplyPolicy  # who may answer new posts
    sends_blocks: bool  # whoever is blocked is told
    attribution_domains: tuple[str, ...]  # whose pages may name the owner as their author
    time_zone: str
    language: str  # of the pages; "" as the browser asks
    looks: Looks
    has_shortcuts: bool  # single keys do something
    vault_idle_minutes: int  # without a look at the messages, until they are locked again
    disk_budget_bytes: int
    home_read_position: int
    home_replies: HomeReplies  # those that stand on Home: to whom
    home_boosts: bool
    boosts_a_day: int  # of one person, that stand by themselves; 0 for all
    post_language: str  # of the last post; "" before the first
    filters: Filters = field(compare=False)  # of words, made ready anew at each load
    notifications_read_id: int
    moved_to: str | None  # where they live now, if not here
    deleted_at: datetime | None  # nothing is here any more
    erased_at: datetime | None  # and everybody was told
    created_at: datetime

    @property
    def uri(self) -> str:
        """The id of their actor."""
        return self.addresses.actor


def load(reader: Reader) -> Owner | None:
    """Return the owner; None before setup."""
    row = reader.one(
        """
        SELECT owner.actor_id, owner.handle, owner.rsa_key_sealed, owner.ed25519_key_sealed,
               owner.old_rsa_key_sealed, owner.old_ed25519_key_sealed, owner.key_number,
               owner.bio, owner.hides_follows, owner.message_policy, owner.time_zone,
               owner.language, owner.theme, owner.accent, owner.text_size, owner.shows_counts,
               owner.has_shortcuts, owner.vault_idle_minutes,
               owner.feature_policy, owner.attribution_domains,
               owner.quote_policy, owner.reply_policy, owner.sends_blocks,
               owner.disk_budget_bytes, owner.home_read_position, owner.notifications_read_id,
               owner.home_replies, owner.home_boosts, owner.boosts_a_day, owner.post_language,
               owner.created_at, actors.approves, actors.discoverable, actors.indexable,
               actors.moved_to, owner.deleted_at, owner.erased_at,
               instance.base_url, instance.rsa_key_sealed AS instance_key_sealed
          FROM owner
          JOIN actors ON actors.id = owner.actor_id
          JOIN instance
        """
    )
    if row is None:
        return None
    addresses = Addresses(row["base_url"], row["handle"])
    number = row["key_number"]
    key = functools.partial(signing_keys.opened, reader)
    old_rsa, old_ed25519 = row["old_rsa_key_sealed"], row["old_ed25519_key_sealed"]
    return Owner(
        actor_id=row["actor_id"],
        handle=row["handle"],
        addresses=addresses,
        rsa=key(addresses.rsa_key(number), row["rsa_key_sealed"], signing_keys.RSA),
        ed25519=key(addresses.ed25519_key(number), row["ed25519_key_sealed"], signing_keys.ED25519),
        instance=key(addresses.instance_key, row["instance_key_sealed"], signing_keys.INSTANCE),
        old_rsa=old_rsa and key(addresses.rsa_key(number - 1), old_rsa, signing_keys.RSA),
        old_ed25519=(
            old_ed25519
            and key(addresses.ed25519_key(number - 1), old_ed25519, signing_keys.ED25519)
        ),
        key_number=number,
        bio=row["bio"],
        approves_followers=bool(row["approves"]),
        discoverable=bool(row["discoverable"]),
        indexable=bool(row["indexable"]),
        hides_follows=bool(row["hides_follows"]),
        message_policy=row["message_policy"],
        feature_policy=row["feature_policy"],
        quote_policy=row["quote_policy"],
        reply_policy=row["reply_policy"],
        sends_blocks=bool(row["sends_blocks"]),
        attribution_domains=tuple(json.loads(row["attribution_domains"])),
        time_zone=row["time_zone"],
        language=row["language"],
        looks=Looks(
            Theme(row["theme"]),
            Accent(row["accent"]),
            TextSize(row["text_size"]),
            bool(row["shows_counts"]),
        ),
        has_shortcuts=bool(row["has_shortcuts"]),
        vault_idle_minutes=row["vault_idle_minutes"],
        disk_budget_bytes=row["disk_budget_bytes"],
        home_read_position=row["home_read_position"],
        home_replies=row["home_replies"],
        home_boosts=bool(row["home_boosts"]),
        boosts_a_day=row["boosts_a_day"],
        post_language=row["post_language"],
        filters=filters.load(reader),
        notifications_read_id=row["notifications_read_id"],
        moved_to=row["moved_to"],
        deleted_at=_instant(row["deleted_at"]),
        erased_at=_instant(row["erased_at"]),
        created_at=instants.from_text(row["created_at"]),
    )


def create(
    tx: Transaction,
    *,
    handle: str,
    name: str,
    password_hash: str,
    totp_secret: str,
    totp_step: int,
    rsa_pem: str,
    ed25519_pem: str,
    disk_budget_bytes: int,
    recovery_hashes: Sequence[bytes],
    now: datetime,
) -> Owner:
    """Make the owner, their actor and their recovery codes, all or nothing.

    `totp_step` is the time step of the code that confirmed the secret: it counts as used.
    `name` is plain text that has been cleaned.

    Raises: InvalidInput (whole form) if this directory has an owner already.
    """
    place = instance.load(tx)
    if place is None:
        raise ValueError("the directory must be made before its owner")
    if tx.value("SELECT 1 FROM owner") is not None:
        raise InvalidInput("", "This server has its owner already.")
    addresses = Addresses(place.base_url, handle)
    actor_id: int = tx.value(
        """
        INSERT INTO actors (
            uri, host, username, handle, type, name, summary, url, inbox, shared_inbox, outbox,
            followers_uri, featured, published_at, fetched_at)
        VALUES (
            :uri, :host, :username, :handle, 'Person', :name, '', :url, :inbox, :shared_inbox,
            :outbox, :followers_uri, :featured, :now, :now)
        RETURNING id
        """,
        {
            "uri": addresses.actor,
            "host": uris.authority(place.base_url),
            "username": handle,
            "handle": f"{handle}@{place.handle_domain}",
            "name": name,
            "url": addresses.page,
            "inbox": addresses.inbox,
            "shared_inbox": addresses.shared_inbox,
            "outbox": addresses.outbox,
            "followers_uri": addresses.followers,
            "featured": addresses.featured,
            "now": instants.to_text(now),
        },
    )
    tx.run(
        """
        INSERT INTO owner (
            id, actor_id, handle, password_hash, totp_secret_sealed, totp_last_step,
            rsa_key_sealed, ed25519_key_sealed, disk_budget_bytes, created_at)
        VALUES (
            1, :actor_id, :handle, :password_hash, :totp_secret_sealed, :totp_last_step,
            :rsa_key_sealed, :ed25519_key_sealed, :disk_budget_bytes, :now)
        """,
        {
            "actor_id": actor_id,
            "handle": handle,
            "password_hash": password_hash,
            "totp_secret_sealed": credentials.sealed_totp(tx, totp_secret),
            "totp_last_step": totp_step,
            "rsa_key_sealed": signing_keys.sealed(tx, rsa_pem, signing_keys.RSA),
            "ed25519_key_sealed": signing_keys.sealed(tx, ed25519_pem, signing_keys.ED25519),
            "disk_budget_bytes": disk_budget_bytes,
            "now": instants.to_text(now),
        },
    )
    credentials.replace_recovery_codes(tx, recovery_hashes)
    made = load(tx)
    assert made is not None  # noqa: S101 - it was just written
    return made


# --- what the owner may change


def set_profile(
    tx: Transaction,
    *,
    name: str,
    bio: str,
    summary_html: SafeHtml,
    fields: Sequence[tuple[str, SafeHtml]],
    icon_url: str | None,
    icon_alt: str,
    image_url: str | None,
) -> None:
    """Keep the owner's profile. `bio` is their Markdown, `summary_html` what became of it."""
    tx.run(
        """
        UPDATE actors
           SET name = :name,
               summary = :summary,
               fields = :fields,
               icon_url = :icon_url,
               icon_alt = :icon_alt,
               image_url = :image_url
         WHERE id = (SELECT actor_id FROM owner)
        """,
        {
            "name": name,
            "summary": summary_html,
            "fields": json.dumps(list(fields), ensure_ascii=False),
            "icon_url": icon_url,
            "icon_alt": icon_alt,
            "image_url": image_url,
        },
    )
    tx.run("UPDATE owner SET bio = :bio", {"bio": bio})


def set_preferences(
    tx: Transaction,
    *,
    approves_followers: bool | None = None,
    discoverable: bool | None = None,
    indexable: bool | None = None,
    hides_follows: bool | None = None,
    message_policy: MessagePolicy | None = None,
    feature_policy: FeaturePolicy | None = None,
    quote_policy: QuotePolicy | None = None,
    reply_policy: ReplyPolicy | None = None,
    sends_blocks: bool | None = None,
    attribution_domains: Sequence[str] | None = None,
    time_zone: str | None = None,
    disk_budget_bytes: int | None = None,
) -> None:
    """Keep the wishes that are given; None leaves one as it is."""
    tx.run(
        """
        UPDATE actors
           SET approves = coalesce(:approves_followers, approves),
               discoverable = coalesce(:discoverable, discoverable),
               indexable = coalesce(:indexable, indexable)
         WHERE id = (SELECT actor_id FROM owner)
        """,
        {
            "approves_followers": approves_followers,
            "discoverable": discoverable,
            "indexable": indexable,
        },
    )
    tx.run(
        """
        UPDATE owner
           SET hides_follows = coalesce(:hides_follows, hides_follows),
               message_policy = coalesce(:message_policy, message_policy),
               feature_policy = coalesce(:feature_policy, feature_policy),
               quote_policy = coalesce(:quote_policy, quote_policy),
               reply_policy = coalesce(:reply_policy, reply_policy),
               sends_blocks = coalesce(:sends_blocks, sends_blocks),
               attribution_domains = coalesce(:attribution_domains, attribution_domains),
               time_zone = coalesce(:time_zone, time_zone),
               disk_budget_bytes = coalesce(:disk_budget_bytes, disk_budget_bytes)
        """,
        {
            "hides_follows": hides_follows,
            "message_policy": message_policy,
            "feature_policy": feature_policy,
            "quote_policy": quote_policy,
            "reply_policy": reply_policy,
            "sends_blocks": sends_blocks,
            "attribution_domains": (
                None if attribution_domains is None else json.dumps(list(attribution_domains))
            ),
            "time_zone": time_zone,
            "disk_budget_bytes": disk_budget_bytes,
        },
    )


def set_read_position(tx: Transaction, position: int) -> None:
    """Move the mark at Home forward to `position`; it never goes back."""
    tx.run(
        "UPDATE owner SET home_read_position = max(home_read_position, :position)",
        {"position": position},
    )


def set_home(
    tx: Transaction, *, replies: HomeReplies, boosts: bool, boosts_a_day: int | None = None
) -> None:
    """Keep what the owner wants to see on Home; None leaves how many boosts of one person."""
    tx.run(
        """
        UPDATE owner
           SET home_replies = :replies,
               home_boosts = :boosts,
               boosts_a_day = coalesce(:boosts_a_day, boosts_a_day)
        """,
        {"replies": replies, "boosts": boosts, "boosts_a_day": boosts_a_day},
    )


def set_shortcuts(tx: Transaction, *, has_shortcuts: bool) -> None:
    """Keep whether single keys do something on the pages."""
    tx.run("UPDATE owner SET has_shortcuts = :value", {"value": has_shortcuts})


def set_post_language(tx: Transaction, tag: str) -> None:
    """Remember in which language the last post was: the next one probably is, too."""
    tx.run("UPDATE owner SET post_language = :tag", {"tag": tag})


def set_vault_idle(tx: Transaction, minutes: int) -> None:
    """Keep after how many minutes without a look messages are locked again."""
    tx.run("UPDATE owner SET vault_idle_minutes = :minutes", {"minutes": minutes})


def set_notifications_read(tx: Transaction, notification_id: int) -> None:
    """Note that notifications up to this one were seen; never fewer than before."""
    tx.run(
        "UPDATE owner SET notifications_read_id = max(notifications_read_id, :id)",
        {"id": notification_id},
    )


# --- other accounts of theirs


def set_aliases(tx: Transaction, uris: Sequence[str]) -> None:
    """Keep which other accounts are the owner's too: those may move here."""
    tx.run(
        "UPDATE actors SET also_known_as = :uris WHERE id = (SELECT actor_id FROM owner)",
        {"uris": json.dumps(list(uris))},
    )


def set_moved(tx: Transaction, target_uri: str, now: datetime) -> None:
    """Keep where the owner lives from `now` on."""
    tx.run(
        "UPDATE actors SET moved_to = :uri WHERE id = (SELECT actor_id FROM owner)",
        {"uri": target_uri},
    )
    tx.run("UPDATE owner SET moved_at = :now", {"now": instants.to_text(now)})


def clear_moved(tx: Transaction) -> None:
    """Have the owner live here again; when they moved is still known."""
    tx.run("UPDATE actors SET moved_to = NULL WHERE id = (SELECT actor_id FROM owner)")


def moved_at(reader: Reader) -> datetime | None:
    """Return when the owner moved away last; None if never."""
    found: str | None = reader.value("SELECT moved_at FROM owner")
    return None if found is None else instants.from_text(found)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else instants.from_text(text)
