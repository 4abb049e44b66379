"""Films, sounds and pictures, as documents name them: beside a note, above it, of a person.

As in `pieces`: what is not usable is left out.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from microfedi.protocol import shapes
from microfedi.protocol.vocab import Attachment

# All in characters or entries.
MAX_ALT_CHARS = 10_000  # what Mastodon keeps
MAX_ATTACHMENTS = 16
MAX_PIXELS = 65_535  # width or height of a picture
MAX_DURATION_S = 7 * 24 * 3600  # seconds; a stream that went on for a week
# A film is played by way of this server: of several sizes the largest up to this many lines.
GOOD_LINES = 720

_PLAYED = ("image/", "video/", "audio/")
_MEDIA = {"Document": "", "Image": "image/", "Video": "video/", "Audio": "audio/"}
# What an attachment without a media type may be, by the ending of its address. What it really is,
# its bytes say when they are fetched.
_ENDINGS = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "webm": "video/webm",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "oga": "audio/ogg",
    "opus": "audio/ogg",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "wav": "audio/wav",
}
_DURATION = re.compile(
    r"P(?:(?P<d>\d{1,5})D)?"
    r"(?:T(?:(?P<h>\d{1,6})H)?(?:(?P<m>\d{1,6})M)?(?:(?P<s>\d{1,9}(?:\.\d{1,9})?)S)?)?"
)
_BLURHASH = re.compile(r"[0-9A-Za-z#$%*+,.:;=?@\[\]^_{|}~-]{6,164}")


def attachments(value: Any) -> tuple[Attachment, ...]:
    """Return the media beside a note. A Link is a reference, unless it says that it is a picture.

    Source: Activity Streams 2.0 vocabulary, `attachment`; alt text: `summary`, then `name`.

    >>> attachments({"type": "Image", "url": "https://b.example/1.png", "name": "A cat"})[0].alt
    'A cat'
    """
    found: list[Attachment] = []
    for entry in shapes.objects(value):
        wanted = next((_MEDIA[kind] for kind in shapes.types_of(entry) if kind in _MEDIA), None)
        if wanted is None and is_played(entry):
            wanted = ""
        if wanted is None or len(found) == MAX_ATTACHMENTS:
            continue
        made = _attachment(entry, wanted)
        if made is not None:
            found.append(made)
    return tuple(found)


def of(doc: dict[str, Any], kind: str) -> tuple[Attachment, ...]:
    """Return the film, sound or picture that a Video, Audio, Image or Document itself is.

    PeerTube and Funkwhale list it among the links of `url`, beside the page; of streams the files
    lie one level deeper.
    """
    wanted = _MEDIA.get(kind)
    if wanted is None:
        return ()
    links: list[dict[str, Any]] = []
    for entry in shapes.objects(doc.get("url")):
        links += [entry, *shapes.objects(entry.get("tag"))]
    files = [
        entry
        for entry in links
        if is_played(entry) and shapes.media_type_of(entry).startswith(wanted)
    ]
    files.sort(key=_by_lines)
    # Its title and summary are the note's; its media type is that of the text.
    own = {name: doc.get(name) for name in ("width", "height", "blurhash", "duration", "icon")}
    own["type"] = kind
    made = _attachment({**own, "url": files or _only_file(doc.get("url"), wanted)}, wanted)
    return (made,) if made else ()


def cover(doc: dict[str, Any]) -> tuple[Attachment, ...]:
    """Return the picture above an Article, Event or Page. Source: AS 2.0 vocabulary, `image`."""
    url, alt = picture(doc.get("image"))
    if url is None:
        return ()
    return (Attachment(url, media_type=_guess(url, "image/"), alt=alt),)


def is_played(entry: dict[str, Any]) -> bool:
    """True for what says that it is a film, a sound or a picture."""
    return shapes.media_type_of(entry).startswith(_PLAYED)


def picture(value: Any) -> tuple[str | None, str]:
    """Return the picture of an `icon` or `image` and its alt text; of several, the widest.

    >>> picture("https://b.example/1.png")
    ('https://b.example/1.png', '')
    """
    found: tuple[str | None, str] = (None, "")
    widest = -1
    for entry in shapes.as_list(value):
        named = entry if isinstance(entry, dict) else {"url": entry}
        url = shapes.url_of(named.get("url") or named.get("href"), "image/")
        width = shapes.count(named.get("width"), MAX_PIXELS) or 0
        if url is not None and width > widest:
            found, widest = (url, _alt(named)), width
    return found


def duration(value: Any) -> float | None:
    """Return how long a film or sound is, in seconds: an ISO 8601 duration or a number.

    >>> duration("PT1M12S"), duration(42), duration("PT"), duration("soon")
    (72.0, 42.0, None, None)
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if 0 < value <= MAX_DURATION_S else None
    match = _DURATION.fullmatch(value) if isinstance(value, str) and len(value) < 60 else None
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes = (int(match[name] or 0) for name in "dhm")
    seconds = ((days * 24 + hours) * 60 + minutes) * 60 + float(match["s"] or 0)
    return seconds if 0 < seconds <= MAX_DURATION_S else None


def _attachment(entry: dict[str, Any], wanted: str) -> Attachment | None:
    kind = shapes.media_type_of(entry)
    for link in shapes.objects(entry.get("url")):
        kind = kind or shapes.media_type_of(link)
    url = shapes.url_of(entry.get("url") or entry.get("href"), kind or wanted)
    if url is None or kind == "text/html":
        return None
    kind = kind or _guess(url, wanted)
    preview = None if kind.startswith("image/") else picture(entry.get("icon"))[0]
    blurhash = shapes.term(entry, "blurhash")
    return Attachment(
        url=url,
        media_type=kind,
        alt=_alt(entry),
        width=shapes.count(entry.get("width"), MAX_PIXELS),
        height=shapes.count(entry.get("height"), MAX_PIXELS),
        blurhash=(
            blurhash if isinstance(blurhash, str) and _BLURHASH.fullmatch(blurhash) else None
        ),
        focal_point=_focal_point(shapes.term(entry, "focalPoint")),
        duration_s=duration(entry.get("duration")),
        preview=preview,
    )


def _guess(url: str, wanted: str) -> str:
    """Return the media type that an address suggests, or `image/*` if only the kind is known."""
    ending = urlsplit(url).path.rpartition(".")[2].lower()
    found = _ENDINGS.get(ending, "")
    if found.startswith(wanted) and found:
        return found
    return f"{wanted}*" if wanted else ""


def _only_file(value: Any, wanted: str) -> str | None:
    """Return the address of a thing that has just one, if that looks like the file itself."""
    url = shapes.link(value if isinstance(value, str) else None)
    return url if url is not None and not _guess(url, wanted).endswith("*") else None


def _by_lines(entry: dict[str, Any]) -> tuple[bool, int]:
    """Sort files so that the one to play comes first."""
    lines = shapes.count(entry.get("height") or entry.get("width"), MAX_PIXELS) or 0
    return (lines > GOOD_LINES, lines if lines > GOOD_LINES else -lines)


def _focal_point(value: Any) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    x, y = value
    if not all(
        isinstance(at, int | float) and not isinstance(at, bool) and -1 <= at <= 1 for at in value
    ):
        return None
    return float(x), float(y)


def _alt(entry: dict[str, Any]) -> str:
    summary = shapes.text(entry.get("summary"), MAX_ALT_CHARS)
    return summary or shapes.text(entry.get("name"), MAX_ALT_CHARS)
