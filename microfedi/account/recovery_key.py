"""The recovery key of the message vault: printed at setup, kept on paper, good for ever.

It opens the messages when the password is forgotten, and it logs nobody in.
"""

import hashlib
import secrets

from microfedi.errors import InvalidInput
from microfedi.storage import vault

GROUPS = 8
GROUP_CHARS = 5
_RANDOM_CHARS = GROUPS * GROUP_CHARS - 2  # of 5 bits each: 190 bits, which nobody tries out
# Crockford's base 32: no i, l, o or u, and what is misread can be told from what is meant.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_MISREAD = str.maketrans("ilo", "110", " -\t\r\n\xa0")


def new() -> str:
    """Return a fresh recovery key as it is shown: eight groups of five.

    The last two characters check the others.
    """
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARS))
    text = body + _check(body)
    return "-".join(text[at : at + GROUP_CHARS] for at in range(0, len(text), GROUP_CHARS))


def normalised(typed: str) -> str | None:
    """Return what somebody typed in the one form it is used in; None if it cannot be a key.

    Capitals, spaces and missing dashes do not matter; a character that is wrong is noticed.

    >>> normalised("0" * 38 + "zz") is None
    True
    """
    if len(typed) > 4 * GROUPS * GROUP_CHARS:
        return None
    text = typed.lower().translate(_MISREAD)
    if len(text) != GROUPS * GROUP_CHARS or not set(text) <= set(_ALPHABET):
        return None
    return text if text[_RANDOM_CHARS:] == _check(text[:_RANDOM_CHARS]) else None


def key_of(typed: str) -> bytes:
    """Return what a recovery key wraps the vault with.

    Raises: InvalidInput (`recovery_key`) if it is none.
    """
    key = normalised(typed)
    if key is None:
        raise InvalidInput(
            "recovery_key", "That is not a recovery key: it has eight groups of five characters."
        )
    return vault.key_of(key.encode(), "recovery key")


def _check(body: str) -> str:
    digest = hashlib.sha256(b"microfedi recovery key " + body.encode()).digest()
    return _ALPHABET[digest[0] % 32] + _ALPHABET[digest[1] % 32]
