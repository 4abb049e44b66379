"""Passkeys (WebAuthn): what we ask an authenticator, and what we believe of its answer.

Each asks for the person (user verification), so one is two factors: the device and what unlocks it.
A challenge is not kept anywhere: it says itself until when and for whom it is good, under the
server's key, and what has been answered once is remembered for as long as it would be good.

The library is imported at first use: it takes 25 MB, and most processes never need it.

Source: Web Authentication Level 3, 7.1 and 7.2; the prf extension, 10.1.4.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from microfedi import words
from microfedi.config import Config
from microfedi.errors import InvalidInput, WrongCredentials
from microfedi.storage import vault
from microfedi.storage.passkeys import Passkey
from microfedi.storage.sealed import Sealer

GOOD_FOR = timedelta(minutes=5)  # to find the key and touch it
MAX_ANSWER_CHARS = 32 * 1024  # of JSON; attestations of real devices have 1 to 6 kB
MAX_REMEMBERED = 1000  # answered challenges; only right answers are remembered
PRF_BYTES = 32  # WebAuthn 10.1.4

_TIME_BYTES, _RANDOM_BYTES, _MAC_BYTES = 8, 16, 32
_PURPOSE = "passkey challenge"
# What the authenticator's own secret is mixed with: the same for ever, or nothing opens any more.
_PRF_INPUT = hashlib.sha256(b"microfedi vault passkey").digest()

WRONG = words.mark("This passkey was not accepted.")


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """An authenticator's answer that is right. `vault_key` is None if it cannot open the vault."""

    credential: bytes
    public_key: bytes
    uses: int
    has_prf: bool
    vault_key: bytes | None

    def __repr__(self) -> str:
        return f"NewPasskey({self.credential.hex()[:8]})"


@dataclass(frozen=True, slots=True)
class Proof:
    """A passkey's answer that is right. `vault_key` is None if it does not open the vault."""

    uses: int
    vault_key: bytes | None

    def __repr__(self) -> str:
        return "Proof(…)"


class Challenges:
    """Makes challenges and knows its own; one for the server, used from its event loop only."""

    def __init__(self, sealer: Sealer) -> None:
        self._key = sealer.key_for(_PURPOSE)
        self._answered: OrderedDict[bytes, datetime] = OrderedDict()

    def new(self, purpose: str, bound_to: str, now: datetime) -> bytes:
        """Return a challenge for `purpose`, good for one answer of whoever `bound_to` names."""
        until = int((now + GOOD_FOR).timestamp())
        body = until.to_bytes(_TIME_BYTES, "big") + os.urandom(_RANDOM_BYTES)
        return body + self._mac(body, purpose, bound_to)

    def check(self, challenge: bytes, purpose: str, bound_to: str, now: datetime) -> None:
        """Raises: WrongCredentials unless it is ours, for this, and not answered or too old."""
        body, mac = challenge[:-_MAC_BYTES], challenge[-_MAC_BYTES:]
        if len(body) != _TIME_BYTES + _RANDOM_BYTES or not hmac.compare_digest(
            mac, self._mac(body, purpose, bound_to)
        ):
            raise WrongCredentials("", WRONG)
        if now.timestamp() > int.from_bytes(body[:_TIME_BYTES], "big"):
            raise WrongCredentials("", "That took too long. Please try again.")
        if challenge in self._answered:
            raise WrongCredentials("", WRONG)

    def answered(self, challenge: bytes, now: datetime) -> None:
        """Remember that it was answered: a second time it is worth nothing."""
        while self._answered and (
            len(self._answered) >= MAX_REMEMBERED
            or next(iter(self._answered.values())) < now - 2 * GOOD_FOR
        ):
            self._answered.popitem(last=False)
        self._answered[challenge] = now

    def _mac(self, body: bytes, purpose: str, bound_to: str) -> bytes:
        text = f"{purpose}\n{bound_to}\n".encode() + body
        return hmac.digest(self._key, text, hashlib.sha256)


def to_make(
    config: Config, challenge: bytes, *, user: bytes, handle: str, known: Iterable[Passkey]
) -> dict[str, Any]:
    """Return what the browser is asked in order to make a passkey."""
    return {
        "rp": {"id": _host(config), "name": config.domain},
        "user": {
            "id": _text(user),
            "name": f"@{handle}@{config.domain}",
            "displayName": f"@{handle}@{config.domain}",
        },
        "challenge": _text(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": one} for one in (-8, -7, -257)],
        "timeout": int(GOOD_FOR.total_seconds() * 1000),
        "excludeCredentials": _named(known),
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
        "extensions": {"prf": {"eval": {"first": _text(_PRF_INPUT)}}, "credProps": True},
    }


def to_use(config: Config, challenge: bytes, *, known: Iterable[Passkey] = ()) -> dict[str, Any]:
    """Return what the browser is asked in order to use a passkey.

    Before a login `known` is empty: nobody needs to be told which there are.
    """
    return {
        "rpId": _host(config),
        "challenge": _text(challenge),
        "timeout": int(GOOD_FOR.total_seconds() * 1000),
        "allowCredentials": _named(known),
        "userVerification": "required",
        "extensions": {"prf": {"eval": {"first": _text(_PRF_INPUT)}}},
    }


def made(
    config: Config, challenges: Challenges, answer: str, *, bound_to: str, now: datetime
) -> NewPasskey:
    """Return the passkey that the browser made.

    Raises: WrongCredentials if the answer is not right; InvalidInput if it is none.
    """
    import webauthn

    credential = _read(answer)
    challenge = _challenge(credential)
    challenges.check(challenge, "make", bound_to, now)
    try:
        verified = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_host(config),
            expected_origin=config.base_url,
            require_user_verification=True,
        )
    except Exception as error:  # the library reads what anybody sent, and promises no exceptions
        raise WrongCredentials("", WRONG) from error
    challenges.answered(challenge, now)
    prf = _extension(credential)
    return NewPasskey(
        verified.credential_id,
        verified.credential_public_key,
        verified.sign_count,
        prf.get("enabled") is True or _prf_key(prf) is not None,
        _prf_key(prf),
    )


def credential_of(answer: str) -> bytes:
    """Return which passkey an answer is of. Raises: InvalidInput if it is none."""
    return _bytes(_read(answer).get("rawId"))


def proven(
    config: Config,
    challenges: Challenges,
    answer: str,
    passkey: Passkey,
    *,
    purpose: str,
    bound_to: str,
    user: bytes | None,
    now: datetime,
) -> Proof:
    """Return the proof that somebody has `passkey` and unlocked it.

    Raises: WrongCredentials if the answer is not right; InvalidInput if it is none.
    """
    import webauthn

    credential = _read(answer)
    challenge = _challenge(credential)
    challenges.check(challenge, purpose, bound_to, now)
    response = credential.get("response")
    said = response.get("userHandle") if isinstance(response, dict) else None
    if said and (user is None or not hmac.compare_digest(_bytes(said), user)):
        raise WrongCredentials("", WRONG)
    try:
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_host(config),
            expected_origin=config.base_url,
            credential_public_key=passkey.public_key,
            # What the count says is judged where it is kept, in the transaction.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:  # the library reads what anybody sent, and promises no exceptions
        raise WrongCredentials("", WRONG) from error
    if not hmac.compare_digest(verified.credential_id, passkey.credential):
        raise WrongCredentials("", WRONG)
    challenges.answered(challenge, now)
    return Proof(verified.new_sign_count, _prf_key(_extension(credential)))


def _host(config: Config) -> str:
    return urlsplit(config.base_url).hostname or ""


def _named(known: Iterable[Passkey]) -> list[dict[str, str]]:
    return [{"type": "public-key", "id": _text(one.credential)} for one in known]


def _read(answer: str) -> dict[str, Any]:
    if len(answer) > MAX_ANSWER_CHARS:
        raise InvalidInput("", WRONG)
    try:
        credential = json.loads(answer)
    except (ValueError, RecursionError):
        raise InvalidInput("", WRONG) from None
    if not isinstance(credential, dict):
        raise InvalidInput("", WRONG)
    return credential


def _challenge(credential: dict[str, Any]) -> bytes:
    """Return the challenge that was answered, as the signed client data names it."""
    try:
        data = json.loads(_bytes(credential["response"]["clientDataJSON"]))
        return _bytes(data["challenge"])
    except (KeyError, TypeError, ValueError, RecursionError):
        raise InvalidInput("", WRONG) from None


def _extension(credential: dict[str, Any]) -> dict[str, Any]:
    results = credential.get("clientExtensionResults")
    prf = results.get("prf") if isinstance(results, dict) else None
    return prf if isinstance(prf, dict) else {}


def _prf_key(prf: dict[str, Any]) -> bytes | None:
    """Return the key that an authenticator makes for the vault.

    The browser says it, unsigned: a wrong one opens nothing.
    """
    results = prf.get("results")
    first = results.get("first") if isinstance(results, dict) else None
    if not isinstance(first, str):
        return None
    secret = _bytes(first)
    return vault.key_of(secret, "passkey") if len(secret) == PRF_BYTES else None


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(value: object) -> bytes:
    """Return what base64url says (RFC 4648, 5). Raises: InvalidInput if it is none."""
    if not isinstance(value, str) or not value.isascii():
        raise InvalidInput("", WRONG)
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("", WRONG) from None
