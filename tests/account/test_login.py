"""The login as a whole: both factors, each code once, failures slowed (S-119, S-122)."""

import asyncio
import logging
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from microfedi.account import login, passwords, tokens
from microfedi.errors import InvalidInput, TooBusy, WrongCredentials
from microfedi.storage import credentials, sessions
from microfedi.storage.door_log import Visitor
from microfedi.storage.sessions import Session
from tests.account.conftest import PASSWORD, Door
from tests.factories import NOON

STEP = timedelta(seconds=30)


async def session_of(door: Door, token: str) -> Session | None:
    return await door.db.read(
        lambda reader: sessions.by_token(reader, tokens.hash_of(token), now=NOON)
    )


async def test_both_factors_together_make_a_session_that_only_its_token_opens(door: Door) -> None:
    token = await door.attempt()

    session = await session_of(door, token)
    assert session is not None
    assert (session.address, session.user_agent) == ("192.0.2.1", "Browser/1")
    assert session.expires_at == NOON + timedelta(days=30)
    assert await session_of(door, token + "x") is None
    everything = await door.db.read(lambda r: r.all("SELECT * FROM sessions"))
    assert token not in str([tuple(row) for row in everything])


async def test_a_new_login_ends_the_session_it_replaces(door: Door) -> None:
    first = await session_of(door, await door.attempt())
    assert first is not None

    await door.attempt(now=NOON + STEP, replaces=first.id)

    left = await door.db.read(sessions.all)
    assert len(left) == 1
    assert left[0].id != first.id or left[0].created_at != first.created_at


async def test_a_recovery_code_stands_in_for_the_app_once(door: Door) -> None:
    code = door.recovery_codes[3]

    await door.attempt(code=code.upper().replace("-", " "))

    with pytest.raises(WrongCredentials):
        await door.attempt(code=code)
    await door.attempt(code=door.recovery_codes[4])
    assert await door.db.read(credentials.recovery_codes_left) == 8


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("wrong " + PASSWORD, None),
        (PASSWORD, "000000"),
        (PASSWORD, ""),
        (PASSWORD, "aaaa-aaaa-aaaa"),
        ("", None),
        ("wrong " + PASSWORD, "000000"),
    ],
)
async def test_s_119_every_failure_gets_the_same_answer_after_the_same_work(
    door: Door,
    password: str,
    code: str | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    hashed: list[str] = []
    verify = passwords.verify

    async def counted(tried: str, stored: str | None) -> passwords.Proof | None:
        hashed.append(tried)
        return await verify(tried, stored)

    monkeypatch.setattr(passwords, "verify", counted)
    wrong_code = door.code() if code is None else code
    if wrong_code == "000000" and door.code() == "000000":
        wrong_code = "000001"

    with pytest.raises(WrongCredentials) as failure:
        await door.attempt(password, wrong_code)

    assert (failure.value.field, str(failure.value)) == ("", login.WRONG)
    assert hashed == [password]
    assert await door.db.read(sessions.all) == []
    lines = [r.getMessage() for r in caplog.records if r.name == "microfedi.account.login"]
    assert len(lines) == 1
    assert "192.0.2.1" in lines[0]
    for secret in (PASSWORD, door.code(), door.secret):
        assert secret not in caplog.text


async def test_s_119_thirty_failures_slow_an_address_and_the_owner_comes_in_after_the_pause(
    door: Door,
) -> None:
    outcomes = []
    for _ in range(30):
        with pytest.raises((WrongCredentials, TooBusy)) as failure:
            await door.attempt("wrong " + PASSWORD)
        outcomes.append(failure.type)
    assert outcomes == [WrongCredentials] * 5 + [TooBusy] * 25

    with pytest.raises(TooBusy) as slow:
        await door.attempt()
    assert slow.value.retry_after_s == 5
    assert "5 seconds" in str(slow.value)
    await door.attempt(now=NOON + timedelta(seconds=5))


async def test_s_119_many_addresses_do_not_shut_the_owner_out_of_a_familiar_one(
    door: Door,
) -> None:
    await door.attempt(address="2001:db8:1:1::7")
    door.slowed = type(door.slowed)()  # a restart: sessions are rows, so the address is still known
    for number in range(20):
        door.slowed.admit(f"198.51.100.{number}", NOON)

    with pytest.raises(TooBusy) as slow:
        await door.attempt(address="203.0.113.1", now=NOON + timedelta(seconds=1))
    assert slow.value.retry_after_s == 2
    await door.attempt(address="2001:db8:1:1::8", now=NOON + STEP)


async def test_s_122_a_code_is_good_once_one_after_another(door: Door) -> None:
    code = door.code()
    await door.attempt(code=code)

    with pytest.raises(WrongCredentials):
        await door.attempt(code=code)
    with pytest.raises(WrongCredentials):
        await door.attempt(code=code, now=NOON + STEP)
    assert len(await door.db.read(sessions.all)) == 1


async def test_s_122_a_code_is_good_once_in_parallel(door: Door) -> None:
    results = await asyncio.gather(*(door.attempt() for _ in range(5)), return_exceptions=True)

    assert sorted(type(result).__name__ for result in results) == ["WrongCredentials"] * 4 + ["str"]
    assert len(await door.db.read(sessions.all)) == 1


async def test_s_122_an_older_step_is_not_good_after_a_newer_one(door: Door) -> None:
    await door.attempt(code=door.code(NOON + STEP))

    for older in (NOON, NOON - STEP):
        with pytest.raises(WrongCredentials):
            await door.attempt(code=door.code(older))


async def test_s_122_full_width_digits_are_not_a_code(door: Door) -> None:
    full_width = door.code().translate({ord("0") + n: ord("０") + n for n in range(10)})

    with pytest.raises(WrongCredentials):
        await door.attempt(code=full_width)
    await door.attempt(code=f" {door.code()[:3]} {door.code()[3:]} ")  # as apps show it


async def test_s_134_a_password_too_long_is_refused_before_anything_is_done(door: Door) -> None:
    for _ in range(20):
        with pytest.raises(InvalidInput, match="at most 500"):
            await door.attempt("x" * 1_000_000)

    await door.attempt()


async def test_who_has_the_password_but_no_phone_is_slowed_from_everywhere(door: Door) -> None:
    for number in range(5):
        with pytest.raises(WrongCredentials):
            await door.attempt(code="12345", address=f"198.51.100.{number}")

    with pytest.raises(TooBusy):
        await door.attempt(code="12345", address="198.51.100.99")


async def test_an_old_hash_is_renewed_at_login(door: Door) -> None:
    older = Argon2id(
        salt=b"0123456789abcdef", length=32, iterations=2, lanes=1, memory_cost=19 * 1024
    ).derive_phc_encoded(PASSWORD.encode())
    await door.db.write(lambda tx: credentials.set_password_hash(tx, older))

    await door.attempt()

    stored = await door.db.read(credentials.password_hash)
    assert stored is not None
    assert not passwords.needs_rehash(stored)
    await door.attempt(now=NOON + STEP)


async def test_a_confirmation_needs_both_factors_and_uses_the_code_up(door: Door) -> None:
    async def confirm(password: str) -> None:
        await login.confirm(
            door.door,
            login.Factors(password, door.code()),
            by=Visitor("192.0.2.1"),
            now=NOON,
        )

    with pytest.raises(WrongCredentials):
        await confirm("wrong " + PASSWORD)
    await confirm(PASSWORD)
    with pytest.raises(WrongCredentials):
        await confirm(PASSWORD)
    assert await door.db.read(sessions.all) == []


async def test_nobody_logs_in_before_there_is_an_owner(door: Door) -> None:
    await door.db.write(lambda tx: tx.run("DELETE FROM owner"))

    with pytest.raises(WrongCredentials):
        await door.attempt()
