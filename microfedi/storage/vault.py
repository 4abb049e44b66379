"""The message vault: whoever has the public half can seal, only an unlocked session can open.

The server seals what arrives while nobody is logged in, and cannot read it again: the secret half
lies on the disk only wrapped, under keys that are made of the owner's password, of a printed
recovery key, of a passkey, or of a cookie. docs/vault.md says what that protects from.

A sealed value, version 2 (version 1 is storage/sealed.py, under the server key)::

    02 | number of the vault key, 2 bytes | ephemeral X25519 key, 32 bytes | ciphertext and tag

    key        = HKDF-SHA-256(X25519(ephemeral, vault), salt = ephemeral | vault public key,
                              info = "microfedi vault " + purpose)
    ciphertext = ChaCha20-Poly1305(key, nonce = 0, padded text, associated data = bound_to)

Each value has a key of its own, so the nonce may be constant. The text is padded to one of few
sizes, so that a length tells little. A file is sealed in the same way, piece by piece: a piece has
its number, and whether it is the last one, in the nonce (the STREAM construction), so that nothing
can be cut off, left out or put elsewhere, and any part of it can be read alone.
"""

import hashlib
import hmac
import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32  # X25519 and ChaCha20
MAX_NUMBER = 0xFFFF  # of vault keys; one a year would last

_VERSION = b"\x02"
_WRAP_VERSION = b"\x03"
_HEAD = struct.Struct(">1sH32s")
_NONCE_BYTES = 12  # RFC 8439
_ZERO = bytes(_NONCE_BYTES)
_TAG_BYTES = 16
_LENGTH = struct.Struct(">I")
_SMALLEST = 256  # bytes of a padded text: as long as most messages are, with what surrounds them

PIECE_BYTES = 64 * 1024  # of a file, sealed at once: what a reader keeps in memory
SEALED_PIECE_BYTES = PIECE_BYTES + _TAG_BYTES
_COUNTER = struct.Struct(">11sB")

OVERHEAD_BYTES: Final = _HEAD.size + _LENGTH.size + _TAG_BYTES  # beside the padding


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The half that seals, and which of the vault's keys it belongs to."""

    number: int
    data: bytes

    def seal(self, purpose: str, plain: bytes, *, bound_to: str) -> bytes:
        """Return `plain` sealed for `purpose`, bound to `bound_to` (its row and conversation)."""
        head, cipher = self._begin(purpose)
        return head + cipher.encrypt(_ZERO, padded(plain), bound_to.encode())

    def seal_file(self, purpose: str, pieces: Iterable[bytes], *, bound_to: str) -> Iterator[bytes]:
        """Yield a file sealed, from pieces of any size; in memory is one piece of `PIECE_BYTES`."""
        head, cipher = self._begin(purpose)
        about = bound_to.encode()
        yield head
        waiting = bytearray()
        number = 0
        for piece in pieces:
            waiting += piece
            while len(waiting) > PIECE_BYTES:
                yield cipher.encrypt(
                    _nonce(number, last=False), bytes(waiting[:PIECE_BYTES]), about
                )
                del waiting[:PIECE_BYTES]
                number += 1
        yield cipher.encrypt(_nonce(number, last=True), bytes(waiting), about)

    def _begin(self, purpose: str) -> tuple[bytes, ChaCha20Poly1305]:
        ephemeral = X25519PrivateKey.generate()
        public = ephemeral.public_key().public_bytes_raw()
        shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(self.data))
        head = _HEAD.pack(_VERSION, self.number, public)
        return head, ChaCha20Poly1305(_derived(shared, public, self.data, purpose))


class Unopenable(ValueError):
    """Sealed by a key that is lost, for another place, or changed since."""


class SecretKeys:
    """The opened vault: the secret halves by their numbers. Lives in memory only."""

    def __init__(self, secrets: Mapping[int, bytes]) -> None:
        self._keys = {
            number: X25519PrivateKey.from_private_bytes(one) for number, one in secrets.items()
        }
        self._public = {
            number: key.public_key().public_bytes_raw() for number, key in self._keys.items()
        }

    def __repr__(self) -> str:
        return "SecretKeys(…)"

    def open(self, purpose: str, sealed: bytes, *, bound_to: str) -> bytes:
        """Return what was sealed for the same purpose and the same place.

        Raises: Unopenable if it was not: another key, another row, or changed.
        """
        cipher = self._cipher(purpose, sealed[: _HEAD.size])
        try:
            return unpadded(cipher.decrypt(_ZERO, sealed[_HEAD.size :], bound_to.encode()))
        except InvalidTag as error:
            raise Unopenable(f"a value of the vault for {purpose} does not open") from error

    def open_file(
        self, purpose: str, head: bytes, pieces: Iterable[bytes], *, bound_to: str, first: int = 0
    ) -> Iterator[bytes]:
        """Yield a file's content, from the sealed piece number `first` on.

        `head` is its first `FILE_HEAD_BYTES`; `pieces` are sealed pieces, each whole, the file's
        last one among them.

        Raises: ValueError if something of it is missing, elsewhere, or not for this place.
        """
        cipher = self._cipher(purpose, head)
        about = bound_to.encode()
        before: bytes | None = None
        number = first
        for piece in pieces:
            if before is not None:
                yield _piece(cipher, before, number, about, last=False)
                number += 1
            before = piece
        if before is None:
            raise ValueError("a sealed file without an end")
        yield _piece(cipher, before, number, about, last=True)

    def _cipher(self, purpose: str, head: bytes) -> ChaCha20Poly1305:
        if len(head) != _HEAD.size or head[:1] != _VERSION:
            raise Unopenable(f"a value of the vault, version 2, was expected for {purpose}")
        _version, number, ephemeral = _HEAD.unpack(head)
        key = self._keys.get(number)
        if key is None:
            raise Unopenable(f"the vault's key {number} is not here")
        try:
            shared = key.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        except ValueError as error:  # a point of low order: nobody honest made that
            raise Unopenable(f"a value of the vault for {purpose} is damaged") from error
        return ChaCha20Poly1305(_derived(shared, ephemeral, self._public[number], purpose))


FILE_HEAD_BYTES = _HEAD.size


@dataclass(frozen=True, slots=True)
class NewKey:
    """A fresh vault key. The secret is wrapped and forgotten."""

    public: PublicKey
    secret: bytes

    def __repr__(self) -> str:
        return f"NewKey({self.public.number})"


def new_key(number: int) -> NewKey:
    """Return a fresh key pair, the vault's `number`-th."""
    if not 0 < number <= MAX_NUMBER:
        raise ValueError(f"a vault has keys 1 to {MAX_NUMBER}, not {number}")
    secret = X25519PrivateKey.generate()
    public = PublicKey(number, secret.public_key().public_bytes_raw())
    return NewKey(public, secret.private_bytes_raw())


def matches(public: PublicKey, secret: bytes) -> bool:
    """True if the two are halves of one key."""
    mine = X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    return hmac.compare_digest(mine, public.data)


def wrap(key: bytes, secret: bytes, *, bound_to: str) -> bytes:
    """Return `secret` encrypted under `key` (32 bytes, of HKDF), bound to what it is for."""
    nonce = os.urandom(_NONCE_BYTES)
    return _WRAP_VERSION + nonce + ChaCha20Poly1305(key).encrypt(nonce, secret, bound_to.encode())


def unwrap(key: bytes, wrapped: bytes, *, bound_to: str) -> bytes:
    """Return what was wrapped.

    Raises: ValueError if this is not the key, or it was for something else.
    """
    nonce = wrapped[1 : 1 + _NONCE_BYTES]
    try:
        if wrapped[:1] != _WRAP_VERSION:
            raise InvalidTag
        sealed = wrapped[1 + _NONCE_BYTES :]
        return ChaCha20Poly1305(key).decrypt(nonce, sealed, bound_to.encode())
    except (InvalidTag, ValueError) as error:
        raise ValueError("this key does not open the vault") from error


def key_of(secret: bytes, purpose: str) -> bytes:
    """Return the 32-byte key of one purpose, of something that is random enough already."""
    info = b"microfedi vault " + purpose.encode()
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=info).derive(secret)


def padded(plain: bytes) -> bytes:
    """Return `plain` with its length before it, filled up to one of few sizes.

    >>> {len(padded(bytes(n))) for n in range(250)}
    {256}
    """
    size = len(plain) + _LENGTH.size
    return (_LENGTH.pack(len(plain)) + plain).ljust(padded_size(size), b"\0")


def unpadded(data: bytes) -> bytes:
    """Return what `padded` was given.

    Raises: ValueError if it is not of that form.
    """
    if len(data) < _LENGTH.size:
        raise ValueError("a padded value without its length")
    (length,) = _LENGTH.unpack_from(data)
    if length > len(data) - _LENGTH.size:
        raise ValueError("a padded value is shorter than it says")
    return data[_LENGTH.size : _LENGTH.size + length]


def padded_size(size: int) -> int:
    """Return the size that `size` bytes are filled up to: Padmé, at most an eighth more.

    Source: Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with
    PURBs" (2019), section 4: all sizes up to L share O(log log L) bits of their length.

    >>> padded_size(1), padded_size(257), padded_size(1000), padded_size(1025)
    (256, 272, 1024, 1088)
    """
    if size <= _SMALLEST:
        return _SMALLEST
    exponent = size.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (size + mask) & ~mask


def fingerprint(public: PublicKey) -> str:
    """Return a short name of a key, for people to compare."""
    digest = hashlib.sha256(b"microfedi vault key" + public.data).hexdigest()
    return " ".join(digest[start : start + 4] for start in range(0, 16, 4))


def _derived(shared: bytes, ephemeral: bytes, vault: bytes, purpose: str) -> bytes:
    info = b"microfedi vault " + purpose.encode()
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=ephemeral + vault, info=info).derive(shared)


def _nonce(number: int, *, last: bool) -> bytes:
    return _COUNTER.pack(number.to_bytes(11, "big"), last)


def _piece(
    cipher: ChaCha20Poly1305, sealed: bytes, number: int, about: bytes, *, last: bool
) -> bytes:
    try:
        return cipher.decrypt(_nonce(number, last=last), sealed, about)
    except InvalidTag as error:
        raise ValueError("a piece of a sealed file does not open") from error
