"""Passwords: what is accepted, what is hashed, and how many at once (S-134)."""

import asyncio
import base64
import hmac
import unicodedata

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from microfedi.account import passwords, weak
from microfedi.errors import InvalidInput, TooBusy

GOOD = "the gull ate my third sandwich"


async def test_a_stored_password_names_its_parameters_and_is_recognised() -> None:
    stored = (await passwords.hash_password(GOOD)).stored

    assert stored.startswith("$argon2id-split$v=1$m=65536,t=3,p=1$")
    assert stored != (await passwords.hash_password(GOOD)).stored  # a salt each
    assert await passwords.verify(GOOD, stored)
    assert not await passwords.verify(GOOD + " ", stored)
    assert not passwords.needs_rehash(stored)


async def test_older_parameters_still_verify_and_ask_to_be_renewed() -> None:
    older = Argon2id(
        salt=b"0123456789abcdef", length=32, iterations=2, lanes=1, memory_cost=19 * 1024
    ).derive_phc_encoded(GOOD.encode())

    proof = await passwords.verify(GOOD, older)
    assert proof is not None
    assert proof.vault_key is None
    assert await passwords.verify("wrong " + GOOD, older) is None
    assert passwords.needs_rehash(older)


async def test_what_is_stored_does_not_open_the_vault() -> None:
    """The halves, worked out by hand: one slow hash, two keys that say nothing of each other."""
    halves = await passwords.hash_password(GOOD)
    _empty, _name, _version, _numbers, salt, login = halves.stored.split("$")
    slow = Argon2id(
        salt=base64.b64decode(salt), length=32, iterations=3, lanes=1, memory_cost=65536
    ).derive(GOOD.encode())

    def half(info: bytes) -> bytes:
        return hmac.digest(slow, info + b"\x01", "sha256")  # RFC 5869, 2.3, of one block

    assert base64.b64decode(login) == half(b"microfedi login")
    assert halves.vault_key == half(b"microfedi vault password")
    assert slow not in (base64.b64decode(login), halves.vault_key)
    proof = await passwords.verify(GOOD, halves.stored)
    assert proof is not None
    assert proof.vault_key == halves.vault_key
    assert halves.vault_key.hex() not in repr(proof)


@pytest.mark.parametrize(
    "stored",
    [
        None,
        "",
        "x",
        "$argon2id$v=19$m=9999999,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
        f"$argon2id-split$v=1$m=9999999,t=3,p=1${'A' * 22}==${'A' * 43}=",
        f"$argon2id-split$v=1$m=65536,t=3,p=1${'=' * 24}${'A' * 43}=",
        f"$argon2id-split$v=1$m=8,t=0,p=1${'A' * 22}==${'A' * 43}=",
        "$2b$12$x",
    ],
)
async def test_what_is_no_hash_of_ours_verifies_nothing(stored: str | None) -> None:
    assert not await passwords.verify(GOOD, stored)


async def test_s_134_long_and_odd_passwords_are_refused_or_hashed_whole() -> None:
    long_one = GOOD * 3 + "x" * 100
    for pair in (
        (long_one + "a", long_one + "b"),  # 73 bytes and more, different at the end only
        (GOOD + "\0a", GOOD + "\0b"),
        (" " + GOOD, GOOD),
    ):
        assert not await passwords.verify(pair[0], (await passwords.hash_password(pair[1])).stored)

    accented = "crème brûlée für später"
    stored = (await passwords.hash_password(unicodedata.normalize("NFC", accented))).stored
    assert await passwords.verify(unicodedata.normalize("NFD", accented), stored)

    for too_much in ("x" * 1_000_000, "é" * 2049, "ab" * 251):
        with pytest.raises(InvalidInput, match="at most 500"):
            await passwords.hash_password(too_much)
        with pytest.raises(InvalidInput, match="at most 500"):
            await passwords.verify(too_much, stored)
    with pytest.raises(InvalidInput, match="not text"):
        await passwords.hash_password(GOOD + "\udc80")
    assert await passwords.hash_password("ab" * 250)


def test_a_new_password_is_long_and_not_the_first_guess() -> None:
    own = ("alice", "us.example")
    passwords.check(GOOD, own_words=own)
    passwords.check("ünïcödé wörks", own_words=own)

    with pytest.raises(InvalidInput, match="at least 12"):
        passwords.check("kR7#vw0pLq2", own_words=own)
    with pytest.raises(InvalidInput, match="guessed soon"):
        passwords.check("alice@us.example", own_words=own)


@pytest.mark.parametrize(
    "password",
    """
    123456789012 1234567890123 987654321098 111111111111 abcdefghijkl qwertyuiop123 1qaz2wsx3edc
    1q2w3e4r5t6y qwerty123456 asdfghjkl123 passwordpassword Password1234! P@ssw0rd2026! password2026
    iloveyou1234 welcome12345 administrator Administrator1 letmeinletmein monkeydragon12
    AbcAbcAbcAbc liverpool2024! Passw0rd!Passw0rd! trustno1trustno1 microfedi2026 !@#$%^&*()_+
    correcthorsebatterystaple thequickbrownfox princess123456 football12345 changemechangeme
    Summer-2026!! sunshine1234 superman12345 unknown-alice-1 us.example.us alice1234567
    """.split(),  # noqa: SIM905
)
def test_obvious_passwords_are_refused(password: str) -> None:
    assert weak.is_weak(password, own_words=("alice", "us.example", "unknown"))


@pytest.mark.parametrize(
    "password",
    [
        "kR7#vw0pLq2x",
        "7#4$9!2k8@x1",
        "orchard-violin-77",
        "blue kettle rain",
        "dragon monkey sunshine football tiger",
        "ein langer deutscher Satz",
        "私の犬は毎朝とても早く起きます",
        "alice likes odd old kettles",
    ],
)
def test_what_is_ones_own_is_accepted(password: str) -> None:
    assert not weak.is_weak(password, own_words=("alice", "us.example"))


async def test_more_than_a_short_queue_of_hashes_is_refused_and_the_queue_drains() -> None:
    stored = (await passwords.hash_password(GOOD)).stored
    tries = [
        asyncio.create_task(passwords.verify("wrong " + GOOD, stored))
        for _ in range(passwords.MAX_WAITING + 3)
    ]
    results = await asyncio.gather(*tries, return_exceptions=True)

    assert [type(result) for result in results].count(TooBusy) == 3
    assert results.count(None) == passwords.MAX_WAITING
    assert await passwords.verify(GOOD, stored)


async def test_who_gives_up_waiting_leaves_the_queue() -> None:
    tries = [
        asyncio.create_task(passwords.verify(GOOD, None)) for _ in range(passwords.MAX_WAITING)
    ]
    await asyncio.sleep(0)
    for one in tries[1:]:
        one.cancel()
    await asyncio.gather(*tries, return_exceptions=True)

    more = (passwords.verify(GOOD, None) for _ in range(passwords.MAX_WAITING))
    assert await asyncio.gather(*more) == [None] * passwords.MAX_WAITING


async def test_the_memory_of_a_hash_is_given_back() -> None:
    def resident_kib() -> int:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    await passwords.hash_password(GOOD)
    before = resident_kib()
    for _ in range(3):
        await passwords.hash_password(GOOD)

    assert resident_kib() - before < passwords.MEMORY_KIB / 4
