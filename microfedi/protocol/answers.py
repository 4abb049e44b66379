"""What the headers of another server's answer say."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

AS2_PROFILE = "https://www.w3.org/ns/activitystreams"

# Seconds: a day. Whoever asks for more is asked again anyway; the queue has its own patience.
MAX_RETRY_AFTER_S = 86_400.0


def media_type(content_type: str) -> str:
    """Read the type without its parameters; "" if there is none, or more than one.

    >>> media_type("Image/PNG; q=1"), media_type("text/html, application/json")
    ('image/png', '')
    """
    return "" if "," in content_type else content_type.partition(";")[0].strip().lower()


def is_activity_type(content_type: str) -> bool:
    """Tell whether a Content-Type declares an ActivityPub document.

    >>> is_activity_type('application/ld+json; profile="https://www.w3.org/ns/activitystreams"')
    True
    >>> is_activity_type("Application/Activity+JSON; charset=utf-8")
    True
    >>> [is_activity_type(t) for t in ("application/json", "application/ld+json", "text/html", "")]
    [False, False, False, False]

    Source: ActivityPub 3.2, ActivityStreams 2.0 section 2.
    """
    declared = media_type(content_type)
    if declared != "application/ld+json":
        return declared == "application/activity+json"
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "profile":
            return AS2_PROFILE in value.strip().strip('"').split()
    return False


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After: how many seconds to wait, 0 to a day; None if it says nothing readable.

    A date is measured from the answer's own Date, so that two clocks need not agree.

    >>> retry_after_s({"retry-after": "120"}), retry_after_s({"retry-after": "soon"})
    (120.0, None)
    >>> retry_after_s({"retry-after": "Sun, 22 Nov 2026 18:01:30 GMT",
    ...                "date": "Sun, 22 Nov 2026 18:00:00 GMT"})
    90.0

    Source: RFC 9110 10.2.3.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        seconds = float(value[:12])
    else:
        try:
            until = parsedate_to_datetime(value)
            seconds = (until - parsedate_to_datetime(headers.get("date", ""))).total_seconds()
        except (ValueError, TypeError, OverflowError):  # no date, or one of two without a zone
            return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)
