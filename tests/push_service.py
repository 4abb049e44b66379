"""A push service on another server, and the browser that it pushes to: with keys of its own."""

import base64
import json
import os
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from microfedi.protocol import webpush
from tests.another_server import AnotherServer, Received

SERVICE = "https://push.example"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _hkdf(secret: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    return HKDF(hashes.SHA256(), size, salt=salt, info=info).derive(secret)


def point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public half of a key, as it travels."""
    return key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def decrypt(body: bytes, key: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """Decrypt a push as a browser does (RFC 8188 2.2, RFC 8291 3.4)."""
    salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
    theirs, record = body[21 : 21 + length], body[21 + length :]
    assert len(record) <= size
    shared = key.exchange(
        ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
    )
    secret = _hkdf(shared, auth, b"WebPush: info\0" + point_of(key) + theirs, 32)
    content_key = _hkdf(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _hkdf(secret, salt, b"Content-Encoding: nonce\0", 12)
    plain = AESGCM(content_key).decrypt(nonce, record, None).rstrip(b"\0")
    assert plain[-1:] == b"\x02"
    return plain[:-1]


@dataclass
class PushedTo:
    """A browser: `endpoint` is where its service takes pushes for it."""

    world: AnotherServer
    endpoint: str = f"{SERVICE}/send/aHR0"
    auth: bytes = field(default_factory=lambda: os.urandom(16))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def point(self) -> bytes:
        """Its public key."""
        return point_of(self.key)

    def form(self) -> dict[str, str]:
        """What its PushManager hands to a script."""
        return {
            "endpoint": self.endpoint,
            "p256dh": base64url(self.point),
            "auth": base64url(self.auth),
        }

    def pushes(self) -> list[Received]:
        """What the service got for it."""
        return self.world.posts(self.endpoint)

    def read(self, push: Received) -> Any:
        """Decrypt a push, and read it."""
        return json.loads(decrypt(push.body, self.key, self.auth))

    def told(self) -> list[Any]:
        """Everything that it was pushed, read."""
        return [self.read(push) for push in self.pushes()]


def signer(push: Received) -> dict[str, Any]:
    """Check who signed a push, as its service does (RFC 8292); return what was signed."""
    scheme, _, rest = push.headers["authorization"].partition(" ")
    assert scheme == "vapid"
    token, key = (part.partition("=")[2] for part in rest.split(", "))
    assert webpush.is_signed(token, _bytes(key))
    claims: dict[str, Any] = json.loads(_bytes(token.split(".")[1]))
    return claims | {"key": key}
