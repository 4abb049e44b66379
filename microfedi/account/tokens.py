"""Random tokens: the browser or the owner has the token, the database its hash.

A session's token is two things at once, made of it by HKDF: what the database finds its row by (it
keeps a hash of that), and a key that wraps the opened message vault and is stored nowhere.
"""

import hashlib
import secrets

from microfedi.storage import vault

TOKEN_BYTES = 32  # 256 random bits: nobody guesses one, so a fast hash keeps it well
MAX_TOKEN_CHARS = 128  # what is longer is not one of ours, and not worth hashing


def new() -> str:
    """Return a fresh token, as it travels in a cookie or a link."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def hash_of(token: str) -> bytes:
    """Return what is stored instead of a token.

    >>> hash_of("x" * 1000) == hash_of("")
    True
    """
    if len(token) > MAX_TOKEN_CHARS:
        token = ""
    found_by = vault.key_of(token.encode(errors="replace"), "look-up")
    return hashlib.sha256(found_by).digest()


def wrap_key(token: str) -> bytes:
    """Return the 32-byte key of a session's token that the database never sees.

    >>> wrap_key("a") == wrap_key("a"), wrap_key("a") == hash_of("a")
    (True, False)
    """
    return vault.key_of(token.encode(errors="replace"), "session")
