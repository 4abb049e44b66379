"""Ids of our own making: row ids that sort by time, and public ids that nobody can guess."""

import secrets
from datetime import UTC, datetime

PUBLIC_ID_BITS = 128  # decided: addresses of followers-only posts must not be guessable

_EPOCH_MS = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp() * 1000)
ROWS_PER_MS = 1 << 20  # ids of one millisecond


def row_id(instant: datetime) -> int:
    """Return the first positive 63-bit row id of the millisecond of `instant`.

    >>> noon = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    >>> row_id(noon.replace(second=1)) - row_id(noon) == 1000 * ROWS_PER_MS
    True
    """
    milliseconds = int(instant.timestamp() * 1000) - _EPOCH_MS
    return max(milliseconds, 0) * ROWS_PER_MS + 1


def instant_of(row_id: int) -> datetime:
    """Return the instant of a row id, to the millisecond.

    >>> instant_of(row_id(datetime(2026, 11, 22, 8, 10, tzinfo=UTC))).isoformat()
    '2026-11-22T08:10:00+00:00'
    """
    return datetime.fromtimestamp((row_id // ROWS_PER_MS + _EPOCH_MS) / 1000, UTC)


def public_id() -> str:
    """Return 128 random bits as 22 characters of base64url: what stands in addresses.

    >>> len(public_id())
    22
    """
    return secrets.token_urlsafe(PUBLIC_ID_BITS // 8)
