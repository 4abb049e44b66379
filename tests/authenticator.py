"""A security key made of software: what a phone answers, and what a thief would.

Source: Web Authentication Level 3, 6.1 (authenticator data), 6.5.4, 5.8.1 (client data).
"""

import base64
import hashlib
import hmac
import json
import os
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def data(value: str) -> bytes:
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))


@dataclass
class Authenticator:
    """One passkey and the browser around it. Its fields may be changed, to lie."""

    origin: str
    host: str
    flags: int = USER_PRESENT | USER_VERIFIED
    uses: int = 0
    counts: bool = True
    has_prf: bool = True
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    credential: bytes = field(default_factory=lambda: os.urandom(32))
    secret: bytes = field(default_factory=lambda: os.urandom(32))
    user: str = ""

    @property
    def cose(self) -> bytes:
        """The public key, as servers keep it."""
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: _coordinate(numbers.x), -3: _coordinate(numbers.y)}
        return cbor2.dumps(cose)

    def make(self, options: dict[str, Any]) -> str:
        """Answer what `account.passkeys.to_make` asks."""
        self.user = options["user"]["id"]
        attested = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential
        authenticator = self._data(ATTESTED) + attested + self.cose
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": authenticator})
        client = self._client("webauthn.create", options["challenge"])
        return self._answer(
            {"clientDataJSON": text(client), "attestationObject": text(attestation)},
            {"enabled": True} if self.has_prf else None,
        )

    def use(self, options: dict[str, Any]) -> str:
        """Answer what `account.passkeys.to_use` asks."""
        if self.counts:
            self.uses += 1
        authenticator = self._data(0)
        client = self._client("webauthn.get", options["challenge"])
        signature = self.key.sign(
            authenticator + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256())
        )
        asked = data(options["extensions"]["prf"]["eval"]["first"])
        first = hmac.digest(self.secret, b"WebAuthn PRF\0" + asked, "sha256")
        return self._answer(
            {
                "clientDataJSON": text(client),
                "authenticatorData": text(authenticator),
                "signature": text(signature),
                "userHandle": self.user,
            },
            {"results": {"first": text(first)}} if self.has_prf else None,
        )

    def _data(self, more: int) -> bytes:
        head = hashlib.sha256(self.host.encode()).digest()
        return head + bytes([self.flags | more]) + self.uses.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps(
            {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        ).encode()

    def _answer(self, response: dict[str, Any], prf: dict[str, Any] | None) -> str:
        return json.dumps(
            {
                "id": text(self.credential),
                "rawId": text(self.credential),
                "type": "public-key",
                "response": response,
                "clientExtensionResults": {"prf": prf} if prf is not None else {},
            }
        )


def _coordinate(number: int) -> bytes:
    return number.to_bytes(32, "big")
