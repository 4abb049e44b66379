"""What is not public is ciphertext on disk: sealed here, opened here.

Format, version 1: one byte 0x01, 12 random bytes (nonce), ChaCha20-Poly1305 ciphertext with its
16-byte tag. The key is derived from the server key by HKDF-SHA-256, one per purpose, so that a
value of one table cannot be passed off as another's; `bound_to` (a row's id, say) is authenticated
too, so that it cannot be moved to another row.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from microfedi.errors import ConfigError

KEY_BYTES = 32
_VERSION = b"\x01"
_NONCE_BYTES = 12  # RFC 8439
_TAG_BYTES = 16
OVERHEAD_BYTES = len(_VERSION) + _NONCE_BYTES + _TAG_BYTES  # by which a sealed value is longer
_LOOKUP_BYTES = 16  # enough that no two things we keep collide


class Sealer:
    """Seals and opens under one server key. Safe to use from several threads."""

    def __init__(self, server_key: bytes) -> None:
        if len(server_key) != KEY_BYTES:
            raise ConfigError(f"the server key must be {KEY_BYTES} bytes, not {len(server_key)}")
        self._server_key = server_key
        self._ciphers: dict[str, ChaCha20Poly1305] = {}
        self._keys: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return "Sealer(…)"

    def key_for(self, purpose: str) -> bytes:
        """Return the 32-byte key of one purpose."""
        key = self._keys.get(purpose)
        if key is None:
            info = b"microfedi " + purpose.encode()
            key = HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=info).derive(self._server_key)
            self._keys[purpose] = key
        return key

    def seal(self, purpose: str, plain: bytes, *, bound_to: str = "") -> bytes:
        """Return `plain` as a sealed value for `purpose`, bound to `bound_to`."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher(purpose).encrypt(nonce, plain, bound_to.encode())

    def open(self, purpose: str, sealed: bytes, *, bound_to: str = "") -> bytes:
        """Return what was sealed for the same purpose and the same row.

        Raises: ValueError if it was not: another key, another row, or a damaged file.
        """
        if sealed[:1] != _VERSION:
            raise ValueError(f"a sealed value of version 1 was expected for {purpose}")
        nonce = sealed[1 : 1 + _NONCE_BYTES]
        try:
            return self._cipher(purpose).decrypt(
                nonce, sealed[1 + _NONCE_BYTES :], bound_to.encode()
            )
        except InvalidTag as error:
            raise ValueError(f"a sealed value for {purpose} does not open with this key") from error

    def lookup_key(self, purpose: str, text: str) -> bytes:
        """Return 16 bytes that stand for `text` in an index and tell nobody else what it was."""
        digest = hmac.digest(self.key_for("lookup " + purpose), text.encode(), hashlib.sha256)
        return digest[:_LOOKUP_BYTES]

    def _cipher(self, purpose: str) -> ChaCha20Poly1305:
        cipher = self._ciphers.get(purpose)
        if cipher is None:
            cipher = self._ciphers[purpose] = ChaCha20Poly1305(self.key_for(purpose))
        return cipher


def create_key(path: Path) -> None:
    """Write a new random server key to `path`, readable by its owner only, never over one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())


def load(path: Path) -> Sealer:
    """Return the Sealer of the key in `path`.

    Raises: ConfigError if the file is missing, too short, or readable by others.
    """
    try:
        mode = path.stat().st_mode & 0o777
        key = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"the server key {path} cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise ConfigError(f"the server key {path} is readable by others; chmod 600 {path}")
    if len(key) != KEY_BYTES or len(set(key)) < 8:
        raise ConfigError(f"the server key {path} is damaged: {KEY_BYTES} random bytes expected")
    return Sealer(key)
