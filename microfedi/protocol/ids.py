"""Ids of our own making: row ids that sort by time, and public ids that nobody can guess."""

import secrets
from datetime import UTC, datetime

PUBLIC_ID_BITS = 128  # decided: addresses of followers-only posts must not be guessable

_EPOCH_MS = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp() * 1000)
_LOW_BITS = 20  # random bits below the millisecond


def row_id(instant: datetime, *, chance: int | None = None) -> int:
    """Return a positive 63-bit integer that sorts by `instant`, unique enough to try and retry.

    Milliseconds since 2020 in the high bits, 20 random bits below.

    >>> noon = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    >>> row_id(noon, chance=5) - row_id(noon, chance=2)
    3
    """
    low = secrets.randbits(_LOW_BITS) if chance is None else chance
    milliseconds = int(instant.timestamp() * 1000) - _EPOCH_MS
    return (max(milliseconds, 0) << _LOW_BITS) | low


def public_id() -> str:
    """Return 128 random bits as 22 characters of base64url: what stands in addresses.

    >>> len(public_id())
    22
    """
    return secrets.token_urlsafe(PUBLIC_ID_BITS // 8)
