"""Datetimes as text: UTC, fixed width, so that text order is time order."""

from datetime import UTC, datetime


def to_text(instant: datetime) -> str:
    """Write an aware datetime as UTC text of fixed width, for the database and for ActivityPub.

    >>> to_text(datetime(2026, 11, 22, 18, 0, tzinfo=UTC))
    '2026-11-22T18:00:00.000Z'
    """
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{instant.microsecond // 1000:03d}Z"
    )


def from_text(text: str) -> datetime:
    """Read what `to_text` wrote.

    >>> from_text("2026-11-22T18:00:00.000Z")
    datetime.datetime(2026, 11, 22, 18, 0, tzinfo=datetime.timezone.utc)
    """
    return datetime.fromisoformat(text)


def from_wire(value: object) -> datetime | None:
    """Read a time as other servers write it: any offset, none (meaning UTC), any fraction.

    What is not a time at all is None; years that we could not store safely too.

    >>> from_wire("2026-11-22T19:00:00.123456789+01:00")
    datetime.datetime(2026, 11, 22, 18, 0, 0, 123456, tzinfo=datetime.timezone.utc)
    >>> from_wire("2026-02-30T00:00:00Z") is None and from_wire(7) is None
    True
    >>> from_wire("0001-01-01T00:00:00+05:00") is None
    True
    """
    if not isinstance(value, str) or len(value) > 64:
        return None
    try:
        parsed = datetime.fromisoformat(value.strip())
        if parsed.tzinfo is None:
            parsed = parsed.replace(tzinfo=UTC)
        utc = parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return utc if 1970 <= utc.year < 9999 else None


def not_after(claimed: datetime | None, now: datetime) -> datetime:
    """Clamp a claimed time to `now`: nobody pins a post on top by dating it ahead.

    >>> noon = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    >>> not_after(datetime(2999, 1, 1, tzinfo=UTC), noon) == noon
    True
    """
    return now if claimed is None or claimed > now else claimed
