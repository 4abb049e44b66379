"""Recovery codes: ten ways in for somebody whose phone is gone, each good for one login."""

import hashlib
import secrets

CODES = 10
CODE_CHARS = 12  # of 32 letters and digits each: 60 bits, and every try is slowed

# No o and 0, and of 1, l and i only i: what is misread can be told from what is meant.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_MISREAD = str.maketrans("1l", "ii", " -\t\r\n")


def new_codes() -> tuple[str, ...]:
    """Return ten fresh codes as they are shown: three groups of four."""
    return tuple(
        _shown("".join(secrets.choice(_ALPHABET) for _ in range(CODE_CHARS))) for _ in range(CODES)
    )


def normalise(typed: str) -> str | None:
    """Return the code that somebody typed in the one form it is compared in; None if it is none.

    Capitals, spaces and missing dashes do not matter.

    >>> normalise(" ABCD efgh-2345 "), normalise("abcd-efgh")
    ('abcdefgh2345', None)
    """
    if len(typed) > 4 * CODE_CHARS:
        return None
    code = typed.lower().translate(_MISREAD)
    return code if len(code) == CODE_CHARS and set(code) <= set(_ALPHABET) else None


def hash_of(code: str) -> bytes:
    """Return what is stored instead of a normalised code. It is random: no slow hash is needed."""
    return hashlib.sha256(b"recovery " + code.encode()).digest()


def hashes_of(codes: tuple[str, ...]) -> list[bytes]:
    """Return what is stored instead of these codes, as `new_codes` made them."""
    return [hash_of(code.replace("-", "")) for code in codes]


def _shown(code: str) -> str:
    return "-".join(code[start : start + 4] for start in range(0, CODE_CHARS, 4))
