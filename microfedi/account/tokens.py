"""Random tokens: the browser or the owner has the token, the database its hash."""

import hashlib
import secrets

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
    return hashlib.sha256(token.encode(errors="replace")).digest()
