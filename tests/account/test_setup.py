"""Setup: a link that works once, a form that keeps nothing until all of it is right (S-143)."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pyotp
import pytest

from microfedi.account import login, passwords, renewing, setup
from microfedi.account.passkeys import Challenges
from microfedi.account.setup import Pending, SetupProblems
from microfedi.account.throttle import Throttle
from microfedi.config import Config
from microfedi.errors import ConfigError, InvalidInput, NotFound
from microfedi.storage import actors, credentials, door_log, instance, owner, sessions
from microfedi.storage.database import Database
from microfedi.storage.door_log import Visitor
from microfedi.storage.owner import Owner
from tests.account.conftest import PASSWORD, Door
from tests.factories import NOON


async def a_link(db: Database, config: Config) -> str:
    await setup.ensure_instance(db, config, NOON)
    return (await setup.new_link(db, config, NOON)).removeprefix("https://us.example/setup/")


async def finish(
    db: Database,
    config: Config,
    token: str,
    pending: Pending,
    *,
    handle: str = "alice",
    name: str = "The Owner",
    password: str = PASSWORD,
    code: str | None = None,
    typed_back: str | None = None,
    sealed: str | None = None,
    now: datetime = NOON,
) -> Owner:
    right_code = pyotp.TOTP(pending.factors.totp_secret).at(now)
    made = await setup.finish(
        db,
        config,
        token=token,
        sealed=pending.sealed if sealed is None else sealed,
        handle=handle,
        name=name,
        password=password,
        code=right_code if code is None else code,
        typed_back=pending.factors.recovery_codes[2] if typed_back is None else typed_back,
        now=now,
    )
    return made.owner


async def test_the_form_makes_the_owner_and_what_it_showed_logs_in(
    db: Database, config: Config
) -> None:
    token = await a_link(db, config)
    pending = setup.begin(db.sealer, config, token=token)

    made = await finish(db, config, token, pending, name=" The\u202e  Owner ")

    actor = await db.read(lambda r: actors.by_id(r, made.actor_id))
    assert actor is not None
    assert (actor.name, actor.address) == ("The Owner", "@alice@us.example")
    assert made.disk_budget_bytes == 5_000_000_000
    assert await db.read(credentials.recovery_codes_left) == 10

    async def log_in(code: str, now: datetime = NOON) -> str:
        entered = await login.attempt(
            login.Door(db, config, Throttle(), Challenges(db.sealer)),
            login.Factors(PASSWORD, code),
            by=Visitor("192.0.2.1"),
            now=now,
        )
        return entered.token

    totp = pyotp.TOTP(pending.factors.totp_secret)
    with pytest.raises(InvalidInput):
        await log_in(totp.at(NOON))  # the code that confirmed the secret counts as used
    await log_in(totp.at(NOON + timedelta(seconds=30)), NOON + timedelta(seconds=30))
    await log_in(pending.factors.recovery_codes[2])  # typing it back did not use it up


async def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_kept(
    db: Database, config: Config, tmp_path: Path
) -> None:
    token = await a_link(db, config)
    pending = setup.begin(db.sealer, config, token=token)

    with pytest.raises(SetupProblems) as failure:
        await finish(
            db,
            config,
            token,
            pending,
            handle="Ow.ner",
            name="x" * 300,
            password="short",
            code="12345",
            typed_back="abcd-efgh-ijkm",
        )

    assert set(failure.value.problems) == {"handle", "name", "password", "code", "typed_back"}
    assert await db.read(owner.load) is None
    everything = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert pending.factors.totp_secret.encode() not in everything
    shown_again = setup.again(db.sealer, config, token=token, sealed=pending.sealed)
    assert shown_again.factors == pending.factors
    await finish(db, config, token, pending)


@pytest.mark.parametrize("field", ["code", "typed_back"])
async def test_without_a_code_of_the_app_and_one_typed_back_there_is_no_owner(
    db: Database, config: Config, field: str
) -> None:
    token = await a_link(db, config)
    pending = setup.begin(db.sealer, config, token=token)

    with pytest.raises(SetupProblems) as failure:
        if field == "code":
            await finish(db, config, token, pending, code="")
        else:
            await finish(db, config, token, pending, typed_back="")

    assert list(failure.value.problems) == [field]
    assert await db.read(owner.load) is None


async def test_what_the_form_carries_says_nothing_and_fits_its_own_link_only(
    db: Database, config: Config
) -> None:
    old = await a_link(db, config)
    pending = setup.begin(db.sealer, config, token=old)
    token = await a_link(db, config)

    assert pending.factors.totp_secret not in pending.sealed
    for sealed in (pending.sealed, "", "???", "é", "A" * 10_000, pending.sealed[:-8]):
        with pytest.raises(InvalidInput, match="open the link again"):
            await finish(db, config, token, pending, sealed=sealed)
    assert await db.read(owner.load) is None


async def test_s_143_a_link_works_for_an_hour_once_and_only_the_last_one(
    db: Database, config: Config
) -> None:
    first = await a_link(db, config)
    second = await a_link(db, config)
    pending = setup.begin(db.sealer, config, token=second)

    async def is_open(token: str, now: datetime = NOON) -> bool:
        return await db.read(lambda r: setup.is_open(r, token, now))

    assert not await is_open(first)
    assert not await is_open("")
    assert not await is_open("x" * 100_000)
    assert await is_open(second)
    assert await is_open(second)  # looking at it changes nothing
    assert await is_open(second, NOON + timedelta(minutes=59))
    assert not await is_open(second, NOON + timedelta(hours=1))
    with pytest.raises(NotFound):
        await finish(db, config, second, pending, now=NOON + timedelta(hours=1))
    with pytest.raises(NotFound):
        await finish(db, config, first, setup.begin(db.sealer, config, token=first))

    results = await asyncio.gather(
        finish(db, config, second, pending),
        finish(db, config, second, pending, handle="other"),
        return_exceptions=True,
    )
    assert sorted(type(result).__name__ for result in results) == ["NotFound", "Owner"]
    assert not await is_open(second)
    with pytest.raises(ConfigError, match="owner already"):
        await setup.new_link(db, config, NOON)
    stored = await db.read(instance.setup_token)
    assert stored is None


async def test_the_token_of_the_link_is_stored_as_a_hash(db: Database, config: Config) -> None:
    token = await a_link(db, config)

    stored = await db.read(instance.setup_token)

    assert stored is not None
    assert len(stored[0]) == 32
    assert token.encode() not in stored[0]
    assert len(token) == 43  # 256 bits in base64url


async def test_a_handle_in_the_settings_is_the_handle(db: Database) -> None:
    config = Config(base_url="https://us.example", handle="bob_b")
    token = await a_link(db, config)
    pending = setup.begin(db.sealer, config, token=token)

    assert "bob_b%40us.example" in pending.totp_uri
    with pytest.raises(SetupProblems, match="bob_b"):
        await finish(db, config, token, pending)
    made = await finish(db, config, token, pending, handle="bob_b")
    assert made.handle == "bob_b"


async def test_init_makes_an_owner_without_questions_once(db: Database, config: Config) -> None:
    await setup.ensure_instance(db, config, NOON)

    made = await setup.make_owner(db, config, handle="alice", name="", password=PASSWORD, now=NOON)

    assert made.totp_uri.startswith("otpauth://totp/us.example:alice%40us.example?secret=")
    assert made.factors.totp_secret in made.totp_uri
    assert len(made.factors.recovery_codes) == 10
    assert made.owner == await db.read(owner.load)
    with pytest.raises(InvalidInput, match="owner already"):
        await setup.make_owner(db, config, handle="second", name="", password=PASSWORD, now=NOON)
    with pytest.raises(SetupProblems, match="guessed soon"):
        await setup.make_owner(
            db, config, handle="alice", name="", password="alice.us.example", now=NOON
        )


async def test_a_directory_stays_what_it_was_made_for(db: Database, config: Config) -> None:
    made = await setup.ensure_instance(db, config, NOON)

    assert await setup.ensure_instance(db, config, NOON + timedelta(days=1)) == made
    for other in (
        Config(base_url="https://other.example"),
        Config(base_url="https://us.example", handle_domain="example.org"),
    ):
        with pytest.raises(ConfigError, match="can never change"):
            await setup.ensure_instance(db, other, NOON)


async def test_a_reset_replaces_every_secret_and_ends_every_session(door: Door) -> None:
    await door.attempt()
    old = Door(door.db, door.config, door.secret, door.recovery_codes, door.recovery_key)
    new_password = "nine blue kettles on the moor"

    fresh = await renewing.reset(door.db, door.config, password=new_password, now=NOON)

    assert await door.db.read(sessions.all) == []
    later = NOON + timedelta(minutes=2)
    for password, code in (
        (PASSWORD, old.code(later)),
        (new_password, old.code(later)),
        (new_password, old.recovery_codes[0]),
    ):
        with pytest.raises(InvalidInput):
            await old.attempt(password, code, now=later)
    door.secret = fresh.factors.totp_secret
    await door.attempt(new_password, now=later)
    assert await door.db.read(credentials.recovery_codes_left) == 10
    with pytest.raises(InvalidInput, match="at least 12"):
        await renewing.reset(door.db, door.config, password="short", now=NOON)


async def test_a_reset_needs_an_owner(db: Database, config: Config) -> None:
    await setup.ensure_instance(db, config, NOON)

    with pytest.raises(ConfigError, match="no owner yet"):
        await renewing.reset(db, config, password=PASSWORD, now=NOON)


async def test_a_changed_password_logs_out_every_other_browser(door: Door) -> None:
    await door.attempt()
    await door.attempt(now=NOON + timedelta(seconds=30))
    mine, other = await door.db.read(sessions.all)
    opened = await login.open_vault(
        door.door, login.Factors(PASSWORD), by=door_log.NOBODY, now=NOON
    )

    await renewing.change_password(
        door.db,
        door.config,
        password="nine blue kettles on the moor",
        opened=opened,
        session_id=mine.id,
        now=NOON,
    )

    assert [session.id for session in await door.db.read(sessions.all)] == [mine.id]
    assert other.id != mine.id
    stored = await door.db.read(credentials.password_hash)
    assert await passwords.verify("nine blue kettles on the moor", stored)


async def test_renewed_recovery_codes_make_the_old_ones_worthless(door: Door) -> None:
    fresh = await renewing.renew_recovery_codes(door.db, now=NOON)

    with pytest.raises(InvalidInput):
        await door.attempt(code=door.recovery_codes[0])
    await door.attempt(code=fresh[0])
