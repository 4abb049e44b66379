"""What notes and actors are made of: attachments, tags, pictures, rows of a profile.

Every function takes a property as it came and returns what can be used of it, never more than the
limit above it; what is not usable is left out, so that one bad tag does not cost the note.
"""

import html
import re
from typing import Any

from microfedi.protocol import shapes, uris, webfinger
from microfedi.protocol.vocab import Attachment, Emoji, Field, Mention

# All in characters or entries.
MAX_ALT_CHARS = 10_000  # what Mastodon keeps
MAX_FIELD_CHARS = 2047  # name and value of a row of a profile, as Mastodon
MAX_MENTION_CHARS = 300  # a handle
MAX_MENTIONS = 50
MAX_HASHTAGS = 50
MAX_EMOJIS = 50
MAX_ATTACHMENTS = 16
MAX_FIELDS = 20
MAX_PIXELS = 65_535  # width or height of a picture

_MEDIA = {"Document": "", "Image": "image/", "Video": "video/", "Audio": "audio/"}
_SHORTCODE = re.compile(r":?([A-Za-z0-9_]{2,64}):?")
_BLURHASH = re.compile(r"[0-9A-Za-z#$%*+,.:;=?@\[\]^_{|}~-]{6,164}")


def attachments(value: Any) -> tuple[Attachment, ...]:
    """Return the media beside a note. A Link (with `href`) is a reference, not media.

    Source: Activity Streams 2.0 vocabulary, `attachment`; alt text: `summary`, then `name`.

    >>> attachments({"type": "Image", "url": "https://b.example/1.png", "name": "A cat"})[0].alt
    'A cat'
    """
    found: list[Attachment] = []
    for entry in shapes.objects(value):
        wanted = next((_MEDIA[kind] for kind in _types(entry) if kind in _MEDIA), None)
        if wanted is None or len(found) == MAX_ATTACHMENTS:
            continue
        made = _attachment(entry, wanted)
        if made is not None:
            found.append(made)
    return tuple(found)


def media_of(doc: dict[str, Any], kind: str) -> tuple[Attachment, ...]:
    """Return the film, sound or picture that a Video, Audio or Image itself is.

    PeerTube and Funkwhale list it among the links of `url`, beside the page.
    """
    wanted = _MEDIA.get(kind)
    if not wanted:
        return ()
    links = [
        entry
        for entry in shapes.objects(doc.get("url"))
        if shapes.media_type_of(entry).startswith(wanted)
    ]
    # Its title and summary are the note's; its media type is that of the text.
    own = {name: doc.get(name) for name in ("width", "height", "blurhash")}
    made = _attachment({**own, "url": links}, wanted)
    return (made,) if made else ()


def mentions(value: Any) -> tuple[Mention, ...]:
    """Return the mentions among the tags, each actor once."""
    found: dict[str, Mention] = {}
    for entry in _tags(value, "Mention"):
        href = shapes.id_of(entry.get("href"))
        if href is not None and len(found) < MAX_MENTIONS:
            found.setdefault(href, Mention(href, shapes.line(entry.get("name"), MAX_MENTION_CHARS)))
    return tuple(found.values())


def hashtags(value: Any) -> tuple[str, ...]:
    """Return the hashtags among the tags, each once; where they lead is ours to say."""
    names = (shapes.hashtag(entry.get("name")) for entry in _tags(value, "Hashtag"))
    return tuple(dict.fromkeys(name for name in names if name))[:MAX_HASHTAGS]


def emojis(value: Any) -> tuple[Emoji, ...]:
    """Return the custom emoji among the tags, each shortcode once. Source: FEP-9098."""
    found: dict[str, Emoji] = {}
    for entry in _tags(value, "Emoji"):
        name = entry.get("name")
        match = _SHORTCODE.fullmatch(name) if isinstance(name, str) else None
        url, _ = picture(entry.get("icon"))
        if match and url and len(found) < MAX_EMOJIS:
            found.setdefault(match[1], Emoji(match[1], url))
    return tuple(found.values())


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


def fields(value: Any) -> tuple[Field, ...]:
    """Return the rows of a profile (`PropertyValue`)."""
    found = (
        Field(
            shapes.line(entry.get("name"), MAX_FIELD_CHARS),
            shapes.text(entry.get("value"), MAX_FIELD_CHARS),
        )
        for entry in shapes.objects(value)
        if not {"PropertyValue", "schema:PropertyValue"}.isdisjoint(_types(entry))
    )
    return tuple(field for field in found if field.name or field.value)[:MAX_FIELDS]


def author(value: Any, uri: str) -> str | None:
    """Return who wrote it: of several, a person (PeerTube adds the channel), on the note's host."""
    entries = shapes.as_list(value)
    if len(entries) == 1:
        return shapes.id_of(entries[0])
    persons = [entry for entry in shapes.objects(entries) if entry.get("type") == "Person"]
    named = [found for entry in persons or entries if (found := shapes.id_of(entry))]
    at_home = [found for found in named if uris.same_origin(found, uri)]
    return next(iter(at_home or named), None)


def page_url(doc: dict[str, Any], uri: str) -> str | None:
    """Return the page for people, if it is on the same host: another's could pose as anything."""
    url = shapes.url_of(doc.get("url"))
    return url if url is not None and uris.host(url) == uris.host(uri) else None


def handle(value: Any) -> str | None:
    """Return `user@host` if it is a handle, with or without `acct:`. Source: FEP-2c59."""
    found = webfinger.parse_handle(value) if isinstance(value, str) else None
    return None if found is None else str(found)


def language(value: Any) -> str | None:
    """Return the language of a `language` property, which Lemmy and PeerTube write as an object."""
    return shapes.language(value.get("identifier") if isinstance(value, dict) else value)


def markdown(value: Any, limit: int) -> str | None:
    """Return the text of a `source` that is Markdown. For editing our own, never for showing."""
    if not isinstance(value, dict) or shapes.media_type_of(value) != "text/markdown":
        return None
    return shapes.text(value.get("content"), limit) or None


def plain_to_html(plain: str) -> str:
    """Return plain text as paragraphs: for content that says it is no HTML.

    >>> plain_to_html("a < b\\nc\\n\\nd")
    '<p>a &lt; b<br>c</p><p>d</p>'
    """
    paragraphs = re.split(r"\n{2,}", plain.replace("\r\n", "\n").strip())
    return "".join(
        f"<p>{html.escape(part, quote=False).replace(chr(10), '<br>')}</p>"
        for part in paragraphs
        if part
    )


def _attachment(entry: dict[str, Any], wanted: str) -> Attachment | None:
    kind = shapes.media_type_of(entry)
    for link in shapes.objects(entry.get("url")):
        kind = kind or shapes.media_type_of(link)
    url = shapes.url_of(entry.get("url"), kind or wanted)
    if url is None or kind == "text/html":
        return None
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
    )


def _alt(entry: dict[str, Any]) -> str:
    summary = shapes.text(entry.get("summary"), MAX_ALT_CHARS)
    return summary or shapes.text(entry.get("name"), MAX_ALT_CHARS)


def _focal_point(value: Any) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    x, y = value
    if not all(
        isinstance(at, int | float) and not isinstance(at, bool) and -1 <= at <= 1 for at in value
    ):
        return None
    return float(x), float(y)


def _types(entry: dict[str, Any]) -> list[str]:
    return [kind for kind in shapes.as_list(entry.get("type")) if isinstance(kind, str)]


def _tags(value: Any, kind: str) -> list[dict[str, Any]]:
    return [
        entry
        for entry in shapes.objects(value)
        if (said := entry.get("type")) == kind or said == f"as:{kind}" or kind in _types(entry)
    ]
