"""Web Push as pure functions: a short text that only one browser can read, and who sends it.

The push service in between learns when something was sent, and how long it is; what is sent is
padded, so that it learns no more from that.
"""

import base64
import binascii
import json
from datetime import datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from microfedi.errors import MalformedDocument

PUBLIC_BYTES: Final = 65  # an uncompressed point of P-256
AUTH_BYTES: Final = 16  # RFC 8291 3.2
SALT_BYTES: Final = 16  # RFC 8188 2.1
MAX_PLAIN_BYTES: Final = 3993  # RFC 8291 4: what fits into the 4096 that every service takes
RECORD_BYTES: Final = 4096
PADDED_BYTES: Final = 256  # every text of ours is made so long; the longest has a third of it
TOKEN_FOR: Final = timedelta(hours=12)  # RFC 8292 2: a day at most

_CURVE: Final = ec.SECP256R1()


def read_base64(text: str, size: int) -> bytes:
    """Return the bytes of base64url text, with or without its padding.

    Raises: MalformedDocument if it is none, or not of `size` bytes.

    >>> read_base64("AAEC", 3)
    b'\\x00\\x01\\x02'
    """
    try:
        plain = text.rstrip("=")
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedDocument("a key was expected in base64url") from error
    if len(data) != size:
        raise MalformedDocument("a key of another length was expected")
    return data


def to_base64(data: bytes) -> str:
    """Return base64url text without padding.

    >>> to_base64(b"\\xff\\xfe")
    '__4'
    """
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def public_key(point: bytes) -> ec.EllipticCurvePublicKey:
    """Return the key that a point of the curve is.

    Raises: MalformedDocument if it lies on no curve of ours.
    """
    if len(point) != PUBLIC_BYTES or point[:1] != b"\x04":
        raise MalformedDocument("an uncompressed point of P-256 was expected")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)
    except ValueError as error:
        raise MalformedDocument("the point does not lie on P-256") from error


def point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the public half of a key as an uncompressed point."""
    return key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def private_key(scalar: bytes) -> ec.EllipticCurvePrivateKey:
    """Return the key of a secret number, 32 bytes."""
    return ec.derive_private_key(int.from_bytes(scalar, "big"), _CURVE)


def scalar_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the secret number of a key, 32 bytes."""
    return key.private_numbers().private_value.to_bytes(32, "big")


def encrypt(
    plain: bytes,
    *,
    receiver: bytes,
    auth: bytes,
    sender: ec.EllipticCurvePrivateKey,
    salt: bytes,
    padded: int = 0,
) -> bytes:
    """Return the body of a push: `plain` for the browser whose point and secret are given.

    `sender` and `salt` are made for this one push. `padded`: as if it were at least so long.

    Raises: MalformedDocument if the browser's key is none; ValueError if `plain` is too long.

    Source: RFC 8291 3; RFC 8188 2.
    """
    if max(len(plain), padded) > MAX_PLAIN_BYTES:
        raise ValueError(f"a push holds {MAX_PLAIN_BYTES} bytes at most")
    theirs, ours = public_key(receiver), point_of(sender)
    shared = sender.exchange(ec.ECDH(), theirs)
    secret = _derived(shared, auth, b"WebPush: info\0" + receiver + ours, 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    # The one record, and so the last: 0x02, then padding.
    record = plain + b"\x02" + b"\0" * max(0, padded - len(plain))
    head = salt + RECORD_BYTES.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return head + AESGCM(key).encrypt(nonce, record, None)


def authorization(
    key: ec.EllipticCurvePrivateKey, *, audience: str, subject: str, now: datetime
) -> str:
    """Return the `Authorization` that says who pushes, to the push service at `audience`.

    `subject` is an address by which its operator reaches us.

    Source: RFC 8292 2 and 3.
    """
    expires = int((now + TOKEN_FOR).timestamp())
    head = _part({"typ": "JWT", "alg": "ES256"})
    claims = _part({"aud": audience, "exp": expires, "sub": subject})
    signed = f"{head}.{claims}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    signature = to_base64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={signed}.{signature}, k={to_base64(point_of(key))}"


def is_signed(token: str, point: bytes) -> bool:
    """Whether the key of `point` signed a token, whatever it says.

    >>> is_signed("a.b", b"")
    False
    """
    signed, _, signature = token.rpartition(".")
    try:
        raw = read_base64(signature, 64)
        r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        public_key(point).verify(
            encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256())
        )
    except (InvalidSignature, MalformedDocument):
        return False
    return True


def _derived(secret: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    return HKDF(hashes.SHA256(), size, salt=salt, info=info).derive(secret)


def _part(value: dict[str, object]) -> str:
    return to_base64(json.dumps(value, separators=(",", ":")).encode())
