"""The owner: made whole or not at all, secrets sealed, each code good once."""

import asyncio
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from microfedi.errors import InvalidInput
from microfedi.protocol import keys
from microfedi.protocol.sanitize import SafeHtml
from microfedi.storage import actors, credentials, instance, owner
from microfedi.storage.database import Database, Reader, Transaction
from microfedi.storage.owner import Owner
from tests.factories import NOON

RSA_PEM = keys.generate_rsa()
ED25519_PEM = keys.generate_ed25519()
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def create(tx: Transaction) -> Owner:
    return owner.create(
        tx,
        handle="owner",
        name="The Owner",
        password_hash="$argon2id$...",
        totp_secret=SECRET,
        totp_step=100,
        rsa_pem=RSA_PEM,
        ed25519_pem=ED25519_PEM,
        disk_budget_bytes=5_000_000_000,
        recovery_hashes=[b"one", b"two"],
        now=NOON,
    )


def create_all(tx: Transaction) -> Owner:
    instance.create(
        tx, base_url="https://us.example", handle_domain="us.example", rsa_pem=RSA_PEM, now=NOON
    )
    return create(tx)


async def make_owner(db: Database) -> Owner:
    return await db.write(create_all)


async def test_the_owner_is_made_with_their_actor_and_loads_again(db: Database) -> None:
    made = await make_owner(db)

    loaded = await db.read(owner.load)
    actor = await db.read(lambda r: actors.by_id(r, made.actor_id))

    assert loaded == made
    assert made.uri == "https://us.example/users/owner"
    assert made.rsa.uri == "https://us.example/users/owner#main-key"
    assert made.ed25519.uri == "https://us.example/users/owner#ed25519-key"
    assert made.instance.uri == "https://us.example/actor#main-key"
    assert (made.rsa.pem, made.ed25519.pem) == (RSA_PEM, ED25519_PEM)
    assert actor is not None
    assert actor.address == "@owner@us.example"
    assert (actor.host, actor.inbox) == ("us.example", "https://us.example/users/owner/inbox")
    assert await db.read(instance.load) == instance.Instance(
        "https://us.example", "us.example", NOON
    )


async def test_there_is_one_owner_and_one_directory(db: Database) -> None:
    await make_owner(db)

    with pytest.raises(InvalidInput):
        await db.write(create)
    with pytest.raises(sqlite3.IntegrityError):
        await db.write(create_all)


async def test_secrets_are_not_on_the_disk_and_not_to_be_swapped(
    db: Database, tmp_path: Path
) -> None:
    await make_owner(db)

    everything = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"owner" in everything
    for secret in (SECRET.encode(), b"PRIVATE KEY", RSA_PEM.encode()[40:80]):
        assert secret not in everything

    await db.write(lambda tx: tx.run("UPDATE owner SET rsa_key_sealed = ed25519_key_sealed"))
    with pytest.raises(ValueError, match="does not open"):
        await db.read(owner.load)


async def test_a_time_step_is_good_once_and_never_after_a_later_one(db: Database) -> None:
    await make_owner(db)

    async def use(step: int) -> bool:
        return await db.write(lambda tx: credentials.use_totp_step(tx, step))

    assert not await use(100)  # the one that confirmed the secret
    assert await use(102)
    assert not await use(102)
    assert not await use(101)
    assert sorted(await asyncio.gather(*(use(103) for _ in range(20)))) == [False] * 19 + [True]


async def test_a_recovery_code_is_good_once(db: Database) -> None:
    await make_owner(db)

    async def use(code_hash: bytes) -> bool:
        return await db.write(lambda tx: credentials.use_recovery_code(tx, code_hash))

    assert sorted(await asyncio.gather(*(use(b"one") for _ in range(5)))) == [False] * 4 + [True]
    assert not await use(b"three")
    assert await db.read(credentials.recovery_codes_left) == 1
    await db.write(lambda tx: credentials.replace_recovery_codes(tx, [b"three", b"four", b"five"]))
    assert await db.read(credentials.recovery_codes_left) == 3
    assert not await use(b"two")


async def test_profile_and_preferences_are_kept(db: Database) -> None:
    made = await make_owner(db)

    def change(tx: Transaction) -> None:
        owner.set_profile(
            tx,
            name="O.",
            bio="*Hi*",
            summary_html=SafeHtml("<p><em>Hi</em></p>"),
            fields=[("Home", SafeHtml("<b>x</b>"))],
            icon_url="https://us.example/media/i",
            icon_alt="A face",
            image_url=None,
        )
        owner.set_preferences(tx, approves_followers=True, message_policy="followed")
        owner.set_preferences(tx, discoverable=True, time_zone="Europe/Berlin")
        owner.set_read_position(tx, 7)
        owner.set_read_position(tx, 5)
        owner.set_notifications_read(tx, 3)

    await db.write(change)
    loaded = await db.read(owner.load)
    actor = await db.read(lambda r: actors.by_id(r, made.actor_id))

    assert loaded is not None
    assert (loaded.bio, loaded.approves_followers, loaded.discoverable) == ("*Hi*", True, True)
    assert (loaded.indexable, loaded.hides_follows) == (False, False)
    assert (loaded.message_policy, loaded.time_zone) == ("followed", "Europe/Berlin")
    assert (loaded.home_read_position, loaded.notifications_read_id) == (7, 3)
    assert actor is not None
    assert (actor.name, actor.summary) == ("O.", "<p><em>Hi</em></p>")
    assert actor.fields == (("Home", SafeHtml("<b>x</b>")),)
    assert (actor.icon_url, actor.icon_alt) == ("https://us.example/media/i", "A face")


async def test_password_totp_and_setup_link_are_replaced(db: Database) -> None:
    await make_owner(db)

    def change(tx: Transaction) -> None:
        credentials.set_password_hash(tx, "new")
        credentials.set_totp(tx, "OTHER", 5)
        instance.set_setup_token(tx, b"hash", NOON + timedelta(hours=1))

    def seen(reader: Reader) -> tuple[object, ...]:
        return (
            credentials.password_hash(reader),
            credentials.totp_secret(reader),
            instance.setup_token(reader),
        )

    await db.write(change)
    assert await db.read(seen) == ("new", "OTHER", (b"hash", NOON + timedelta(hours=1)))
    await db.write(instance.clear_setup_token)
    assert await db.read(instance.setup_token) is None
