"""Public keys as actor documents list them: PEM in `publicKey`, Multikeys in `assertionMethod`."""

import base64
import binascii
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from microfedi.protocol.vocab import PublicKey

MIN_RSA_BITS = 1024  # old accounts of Bridgy Fed have no more
MAX_RSA_BITS = 8192  # beyond it, verifying is a way to keep us busy
MAX_PEM_CHARS = 4096  # 8192 bits are 1500
MAX_MULTIBASE_CHARS = 2048  # decoding base58 takes quadratic time

_ED25519_PREFIX = b"\xed\x01"  # multicodec ed25519-pub, as a varint
_RSA_PREFIX = b"\x85\x24"  # multicodec rsa-pub 0x1205; the key is PKCS #1 DER
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE58_VALUES = {char: value for value, char in enumerate(_BASE58)}


def from_pem(uri: str, owner_uri: str, pem: object) -> PublicKey | None:
    """Read a PEM as `publicKeyPem` carries it; None if it is no key that we can use.

    SubjectPublicKeyInfo and PKCS #1 both occur; what we keep is always the former.
    """
    if not isinstance(pem, str) or len(pem) > MAX_PEM_CHARS:
        return None
    try:
        key = serialization.load_pem_public_key(pem.strip().encode())
    except (ValueError, UnsupportedAlgorithm):
        return None
    return _usable(uri, owner_uri, key)


def from_multibase(uri: str, owner_uri: str, encoded: object) -> PublicKey | None:
    """Read a `publicKeyMultibase`; None if it is no Ed25519 or RSA key.

    Source: FEP-521a; Controlled Identifiers 2.2.2 (Multikey), 2.4 (Multibase).
    """
    if not isinstance(encoded, str) or len(encoded) > MAX_MULTIBASE_CHARS:
        return None
    try:
        raw = _multibase_bytes(encoded)
        if raw.startswith(_ED25519_PREFIX):
            return _usable(uri, owner_uri, Ed25519PublicKey.from_public_bytes(raw[2:]))
        if raw.startswith(_RSA_PREFIX):
            return _usable(uri, owner_uri, serialization.load_der_public_key(raw[2:]))
    except (ValueError, UnsupportedAlgorithm):
        pass
    return None


def to_multibase(pem: str) -> str:
    """Write a key as a `publicKeyMultibase`: "z6Mk..." if it is an Ed25519 key.

    Raises: ValueError if it is neither that nor an RSA key.
    """
    key = serialization.load_pem_public_key(pem.encode())
    if isinstance(key, Ed25519PublicKey):
        return "z" + base58(_ED25519_PREFIX + key.public_bytes_raw())
    if isinstance(key, RSAPublicKey):
        der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
        return "z" + base58(_RSA_PREFIX + der)
    raise ValueError("expected an Ed25519 or RSA key")


def base58(raw: bytes) -> str:
    """Write bytes in base58btc.

    >>> base58(b"Hello World!"), base58(bytes([0, 0, 1]))
    ('2NEpo7TZRRrLZSi2U', '112')
    """
    number = int.from_bytes(raw, "big")
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = _BASE58[digit] + digits
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + digits


def from_base58(text: str) -> bytes:
    """Read base58btc.

    Raises: ValueError if there is another character in it.

    >>> from_base58("2NEpo7TZRRrLZSi2U"), from_base58("112")
    (b'Hello World!', b'\\x00\\x00\\x01')
    """
    number = 0
    for char in text:
        if char not in _BASE58_VALUES:
            raise ValueError("expected base58btc")
        number = number * 58 + _BASE58_VALUES[char]
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _multibase_bytes(encoded: str) -> bytes:
    match encoded[:1]:
        case "z":
            return from_base58(encoded[1:])
        case "u":
            try:
                return base64.b64decode(
                    encoded[1:] + "=" * (-len(encoded[1:]) % 4), altchars=b"-_", validate=True
                )
            except binascii.Error as error:
                raise ValueError("expected base64url") from error
    raise ValueError("expected multibase z or u")


def _usable(uri: str, owner_uri: str, key: PublicKeyTypes | Any) -> PublicKey | None:
    if isinstance(key, RSAPublicKey) and MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        return PublicKey(uri, owner_uri, "rsa", _pem(key))
    if isinstance(key, Ed25519PublicKey):
        return PublicKey(uri, owner_uri, "ed25519", _pem(key))
    return None


def _pem(key: RSAPublicKey | Ed25519PublicKey) -> str:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode("ascii")
