"""Passkeys: which answers are believed, and which lies are not."""

import dataclasses
import json
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import cbor2
import pytest

from microfedi.account import passkeys
from microfedi.account.passkeys import GOOD_FOR, Challenges, NewPasskey
from microfedi.config import Config
from microfedi.errors import InvalidInput, WrongCredentials
from microfedi.storage import passkeys as storage
from microfedi.storage.database import Database, Transaction
from microfedi.storage.passkeys import Passkey
from microfedi.storage.sealed import Sealer
from tests.authenticator import USER_PRESENT, Authenticator, data, text
from tests.factories import NOON

USER = b"the owner, to authenticators"
BOUND = "session 1"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(base_url="https://us.example", data_dir=tmp_path)


@pytest.fixture
def challenges() -> Challenges:
    return Challenges(Sealer(os.urandom(32)))


def a_device() -> Authenticator:
    return Authenticator("https://us.example", "us.example")


def asked_to_make(config: Config, challenges: Challenges, bound_to: str = BOUND) -> dict[str, Any]:
    challenge = challenges.new("make", bound_to, NOON)
    return passkeys.to_make(config, challenge, user=USER, handle="maya", known=())


def asked_to_use(config: Config, challenges: Challenges, purpose: str = "login") -> dict[str, Any]:
    return passkeys.to_use(config, challenges.new(purpose, BOUND, NOON))


def enrolled(config: Config, challenges: Challenges, device: Authenticator) -> Passkey:
    answer = device.make(asked_to_make(config, challenges))
    new = passkeys.made(config, challenges, answer, bound_to=BOUND, now=NOON)
    return Passkey(1, new.credential, new.public_key, new.uses, "Phone", new.has_prf, NOON, None)


def prove(
    config: Config,
    challenges: Challenges,
    answer: str,
    passkey: Passkey,
    *,
    purpose: str = "login",
    late: timedelta = timedelta(0),
) -> passkeys.Proof:
    return passkeys.proven(
        config,
        challenges,
        answer,
        passkey,
        purpose=purpose,
        bound_to=BOUND,
        user=USER,
        now=NOON + late,
    )


def test_a_device_is_enrolled_and_proves_itself(config: Config, challenges: Challenges) -> None:
    device = a_device()
    passkey = enrolled(config, challenges, device)
    assert passkey.credential == device.credential
    assert passkey.has_prf
    answer = device.use(asked_to_use(config, challenges))
    assert passkeys.credential_of(answer) == device.credential
    proof = prove(config, challenges, answer, passkey)
    assert proof.uses == 1
    again = prove(config, challenges, device.use(asked_to_use(config, challenges)), passkey)
    assert again.vault_key == proof.vault_key
    assert proof.vault_key is not None
    assert proof.vault_key.hex() not in repr(proof)


def test_two_devices_open_with_two_keys(config: Config, challenges: Challenges) -> None:
    keys = set()
    for device in (a_device(), a_device()):
        passkey = enrolled(config, challenges, device)
        proof = prove(config, challenges, device.use(asked_to_use(config, challenges)), passkey)
        keys.add(proof.vault_key)
    assert len(keys) == 2


def test_a_device_without_prf_opens_the_account_only(
    config: Config, challenges: Challenges
) -> None:
    device = a_device()
    device.has_prf = False
    passkey = enrolled(config, challenges, device)
    assert not passkey.has_prf
    answer = device.use(asked_to_use(config, challenges))
    assert prove(config, challenges, answer, passkey).vault_key is None


def lie(**changes: Any) -> Callable[[Authenticator], None]:
    def tell(device: Authenticator) -> None:
        for name, value in changes.items():
            setattr(device, name, value)

    return tell


LIES = {
    "another site's page asked": lie(origin="https://us.example.evil.example"),
    "plain http": lie(origin="http://us.example"),
    "another site's key": lie(host="evil.example"),
    "nobody was asked who they are": lie(flags=USER_PRESENT),
    "nobody was there": lie(flags=0),
}


@pytest.mark.parametrize("name", LIES)
def test_lies_are_not_believed(config: Config, challenges: Challenges, name: str) -> None:
    device = a_device()
    passkey = enrolled(config, challenges, device)
    LIES[name](device)
    with pytest.raises(WrongCredentials):
        prove(config, challenges, device.use(asked_to_use(config, challenges)), passkey)
    with pytest.raises(WrongCredentials):
        enrolled(config, challenges, device)


def test_another_device_is_not_this_one(config: Config, challenges: Challenges) -> None:
    mine, other = a_device(), a_device()
    passkey = enrolled(config, challenges, mine)
    other.user = text(USER)
    answer = other.use(asked_to_use(config, challenges))
    with pytest.raises(WrongCredentials):
        prove(config, challenges, answer, passkey)
    other.credential = mine.credential
    answer = other.use(asked_to_use(config, challenges))
    with pytest.raises(WrongCredentials):
        prove(config, challenges, answer, passkey)


def test_an_answer_is_good_once_for_its_purpose_and_for_minutes(
    config: Config, challenges: Challenges
) -> None:
    device = a_device()
    passkey = enrolled(config, challenges, device)
    answer = device.use(asked_to_use(config, challenges))
    with pytest.raises(WrongCredentials):
        prove(config, challenges, answer, passkey, purpose="confirm")
    with pytest.raises(WrongCredentials, match="too long"):
        prove(config, challenges, answer, passkey, late=GOOD_FOR + timedelta(seconds=1))
    prove(config, challenges, answer, passkey)
    with pytest.raises(WrongCredentials):
        prove(config, challenges, answer, passkey)


def test_a_challenge_of_another_browser_or_server_is_none(
    config: Config, challenges: Challenges
) -> None:
    device = a_device()
    answer = device.make(asked_to_make(config, challenges, "session 2"))
    with pytest.raises(WrongCredentials):
        passkeys.made(config, challenges, answer, bound_to=BOUND, now=NOON)
    elsewhere = Challenges(Sealer(os.urandom(32)))
    answer = device.make(asked_to_make(config, elsewhere))
    with pytest.raises(WrongCredentials):
        passkeys.made(config, challenges, answer, bound_to=BOUND, now=NOON)


def test_somebody_elses_name_in_the_answer_is_refused(
    config: Config, challenges: Challenges
) -> None:
    device = a_device()
    passkey = enrolled(config, challenges, device)
    device.user = text(b"somebody else")
    with pytest.raises(WrongCredentials):
        prove(config, challenges, device.use(asked_to_use(config, challenges)), passkey)


def test_a_signature_over_something_else_is_refused(config: Config, challenges: Challenges) -> None:
    device = a_device()
    passkey = enrolled(config, challenges, device)
    answer = json.loads(device.use(asked_to_use(config, challenges)))
    signed = bytearray(data(answer["response"]["authenticatorData"]))
    signed[-1] ^= 1
    answer["response"]["authenticatorData"] = text(bytes(signed))
    with pytest.raises(WrongCredentials):
        prove(config, challenges, json.dumps(answer), passkey)


GARBAGE = [
    "",
    "null",
    "[]",
    "{}",
    "[" * 40_000,
    '{"rawId": 1}',
    '{"rawId": "é", "response": {}}',
    '{"rawId": "AAAA", "response": {"clientDataJSON": "AAAA"}}',
    '{"rawId": "AAAA", "response": {"clientDataJSON": "W10"}}',
    '{"rawId": "AAAA", "response": {"clientDataJSON": "eyJjaGFsbGVuZ2UiOjF9"}}',
    '{"rawId": "AAAA", "response": []}',
    "x" * 50_000,
]


@pytest.mark.parametrize("answer", GARBAGE)
def test_garbage_is_refused(config: Config, challenges: Challenges, answer: str) -> None:
    passkey = Passkey(1, b"AAA", b"AAA", 0, "", False, NOON, None)
    with pytest.raises((InvalidInput, WrongCredentials)):
        passkeys.made(config, challenges, answer, bound_to=BOUND, now=NOON)
    with pytest.raises((InvalidInput, WrongCredentials)):
        prove(config, challenges, answer, passkey)


@pytest.mark.parametrize("part", ["clientDataJSON", "attestationObject"])
@pytest.mark.parametrize("value", [None, 1, [], {}, "", "AAAA", "oA", "*"])
def test_damaged_parts_are_refused(
    config: Config, challenges: Challenges, part: str, value: Any
) -> None:
    answer = json.loads(a_device().make(asked_to_make(config, challenges)))
    answer["response"][part] = value
    with pytest.raises((InvalidInput, WrongCredentials)):
        passkeys.made(config, challenges, json.dumps(answer), bound_to=BOUND, now=NOON)


@pytest.mark.parametrize("key", [[1, 2], [], 7, None, "key", {}, {1: 2}, {1: 2, 3: -7, -1: 1}])
def test_a_key_that_is_none_is_refused(config: Config, challenges: Challenges, key: object) -> None:
    device = a_device()
    answer = json.loads(device.make(asked_to_make(config, challenges)))
    made = cbor2.loads(data(answer["response"]["attestationObject"]))
    before_key = 37 + 16 + 2 + len(device.credential)  # of the server, of the device, its own id
    made["authData"] = made["authData"][:before_key] + cbor2.dumps(key)
    answer["response"]["attestationObject"] = text(cbor2.dumps(made))
    with pytest.raises(WrongCredentials):
        passkeys.made(config, challenges, json.dumps(answer), bound_to=BOUND, now=NOON)


@pytest.mark.parametrize("part", ["authenticatorData", "signature", "userHandle"])
@pytest.mark.parametrize("value", [1, [], {}, "AAAA", "*"])
def test_damaged_answers_are_refused(
    config: Config, challenges: Challenges, part: str, value: Any
) -> None:
    device = a_device()
    passkey = enrolled(config, challenges, device)
    answer = json.loads(device.use(asked_to_use(config, challenges)))
    answer["response"][part] = value
    if (part, value) == ("userHandle", []) or (part, value) == ("userHandle", {}):
        return  # as good as none: not every authenticator says it
    with pytest.raises((InvalidInput, WrongCredentials)):
        prove(config, challenges, json.dumps(answer), passkey)


@pytest.mark.parametrize("prf", [None, 1, [], {"results": 1}, {"results": {"first": 7}}])
def test_an_odd_extension_opens_nothing(config: Config, challenges: Challenges, prf: Any) -> None:
    device = a_device()
    passkey = enrolled(config, challenges, device)
    answer = json.loads(device.use(asked_to_use(config, challenges)))
    answer["clientExtensionResults"] = {"prf": prf}
    assert prove(config, challenges, json.dumps(answer), passkey).vault_key is None


def kept(new: NewPasskey, name: str = "Phone") -> Callable[[Transaction], int | None]:
    return lambda tx: storage.add(
        tx,
        credential=new.credential,
        public_key=new.public_key,
        uses=new.uses,
        name=name,
        has_prf=new.has_prf,
        now=NOON,
    )


async def test_a_copy_of_a_passkey_is_noticed(db: Database) -> None:
    new = NewPasskey(b"id", b"key", 4, False, None)
    await db.write(kept(new))
    (passkey,) = await db.read(storage.all)
    for uses, is_right in ((4, False), (3, False), (0, False), (5, True), (5, False), (9, True)):
        done = await db.write(
            lambda tx, uses=uses: storage.used(tx, passkey, uses=uses, now=NOON)  # type: ignore[misc]
        )
        assert done is is_right, uses


async def test_one_that_does_not_count_stays_at_nothing(db: Database) -> None:
    await db.write(kept(NewPasskey(b"id", b"key", 0, False, None)))
    (passkey,) = await db.read(storage.all)
    for _ in range(2):
        assert await db.write(lambda tx: storage.used(tx, passkey, uses=0, now=NOON))


async def test_passkeys_have_names_and_an_end(db: Database) -> None:
    new = NewPasskey(b"id", b"key", 0, True, None)
    first = await db.write(kept(new))
    assert first is not None
    assert await db.write(kept(new)) is None  # known already
    for number in range(storage.MAX_PASSKEYS - 1):
        more = dataclasses.replace(new, credential=b"%d" % number)
        assert await db.write(kept(more)) is not None
    assert await db.write(kept(dataclasses.replace(new, credential=b"one too many"))) is None
    assert await db.write(lambda tx: storage.rename(tx, first, "x" * 100))
    assert not await db.write(lambda tx: storage.rename(tx, 999, "x"))
    found = await db.read(lambda r: storage.by_credential(r, b"id"))
    assert found is not None
    assert found.name == "x" * 60
    assert await db.write(lambda tx: storage.remove(tx, first)) == found
    assert await db.write(lambda tx: storage.remove(tx, first)) is None
    assert await db.read(lambda r: storage.by_credential(r, b"id")) is None
