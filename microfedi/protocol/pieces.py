"""What notes and actors are made of: attachments, tags, pictures, rows of a profile.

Every function takes a property as it came and returns what can be used of it, never more than the
limit above it; what is not usable is left out, so that one bad tag does not cost the note.
"""

import html
import re
from typing import Any
from urllib.parse import urlsplit

from microfedi.protocol import instants, shapes, uris, webfinger
from microfedi.protocol.vocab import (
    Attachment,
    Emoji,
    Field,
    Happening,
    Link,
    Mention,
    Option,
    Policy,
    Poll,
    Rule,
)

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
MAX_DURATION_S = 7 * 24 * 3600  # seconds; a stream that went on for a week
MAX_LINKS = 4  # beside a text
MAX_LINK_NAME_CHARS = 300
MAX_PLACE_CHARS = 300
MAX_OPTIONS = 500  # of a poll, as Mastodon reads
MAX_OPTION_CHARS = 500
MAX_VOTES = 2**53 - 1
MAX_RULE_URIS = 50  # whoever is let in by name
MAX_DOMAINS = 20  # whose pages may name somebody as their author
MAX_DOMAIN_CHARS = 253  # RFC 1035
# A film is played by way of this server: of several sizes the largest up to this many lines.
GOOD_LINES = 720

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
_HTML = re.compile(r"</?[a-zA-Z][^<>]*>")
_QUOTE_RELS = frozenset(
    {
        "https://misskey-hub.net/ns#_misskey_quote",
        "https://misskey-hub.net/ns/#_misskey_quote",
        "https://w3id.org/fep/044f#quote",
        "http://fedibird.com/ns#quoteUri",
    }
)
_AS2_TYPES = ("application/activity+json", "application/ld+json")
_DURATION = re.compile(
    r"P(?:(?P<d>\d{1,5})D)?"
    r"(?:T(?:(?P<h>\d{1,6})H)?(?:(?P<m>\d{1,6})M)?(?:(?P<s>\d{1,9}(?:\.\d{1,9})?)S)?)?"
)
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
_SHORTCODE = re.compile(r":?([A-Za-z0-9_]{2,64}):?")
_BLURHASH = re.compile(r"[0-9A-Za-z#$%*+,.:;=?@\[\]^_{|}~-]{6,164}")


def attachments(value: Any) -> tuple[Attachment, ...]:
    """Return the media beside a note. A Link is a reference, unless it says that it is a picture.

    Source: Activity Streams 2.0 vocabulary, `attachment`; alt text: `summary`, then `name`.

    >>> attachments({"type": "Image", "url": "https://b.example/1.png", "name": "A cat"})[0].alt
    'A cat'
    """
    found: list[Attachment] = []
    for entry in shapes.objects(value):
        wanted = next((_MEDIA[kind] for kind in _types(entry) if kind in _MEDIA), None)
        if wanted is None and shapes.media_type_of(entry).startswith(
            ("image/", "video/", "audio/")
        ):
            wanted = ""
        if wanted is None or len(found) == MAX_ATTACHMENTS:
            continue
        made = _attachment(entry, wanted)
        if made is not None:
            found.append(made)
    return tuple(found)


def media_of(doc: dict[str, Any], kind: str) -> tuple[Attachment, ...]:
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
        if (media_type := shapes.media_type_of(entry)).startswith(("image/", "video/", "audio/"))
        and media_type.startswith(wanted)
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


def links(doc: dict[str, Any], kind: str, uri: str) -> tuple[Link, ...]:
    """Return the pages that are attached: Lemmy writes what a post is about like that.

    Of a Page, Friendica says it in `url`; it is told from the post's own page by its host.
    """
    found: dict[str, Link] = {}
    for entry in shapes.objects(doc.get("attachment")):
        kind = shapes.media_type_of(entry)
        if "Link" not in _types(entry) or kind.startswith(("image/", "video/", "audio/")):
            continue
        url = shapes.link(entry.get("href") or entry.get("url"))
        if url is not None and len(found) < MAX_LINKS:
            found.setdefault(url, Link(url, shapes.line(entry.get("name"), MAX_LINK_NAME_CHARS)))
    about = shapes.url_of(doc.get("url")) if kind == "Page" else None
    if about is None or about in found or uris.host(about) == uris.host(uri):
        return tuple(found.values())
    return (Link(about), *found.values())[:MAX_LINKS]


def poll(doc: dict[str, Any]) -> Poll | None:
    """Return what a Question asks; None if there is nothing to choose.

    Some leave `anyOf` there, empty. `closed` may be when it ended, or just true.

    Source: Activity Streams 2.0 vocabulary, Question.
    """
    one, many = list(shapes.objects(doc.get("oneOf"))), list(shapes.objects(doc.get("anyOf")))
    options = tuple(
        Option(name, shapes.count(_replies(entry).get("totalItems"), MAX_VOTES) or 0)
        for entry in (one or many)[:MAX_OPTIONS]
        if (name := shapes.line(entry.get("name") or entry.get("content"), MAX_OPTION_CHARS))
    )
    if not options:
        return None
    ends = instants.from_wire(doc.get("endTime"))
    closed = instants.from_wire(doc.get("closed"))
    if closed is None and shapes.flag(doc.get("closed")):
        closed = ends or instants.from_wire(doc.get("updated") or doc.get("published"))
    voters = shapes.count(shapes.term(doc, "votersCount"), MAX_VOTES)
    if voters is None and isinstance(doc.get("voters"), list):
        voters = len(shapes.as_list(doc["voters"]))
    return Poll(options, is_multiple=not one, ends=ends, closed=closed, voters=voters)


def happening(doc: dict[str, Any]) -> Happening | None:
    """Return when and where an Event is. Source: Activity Streams 2.0 vocabulary, Event, Place."""
    found = Happening(
        start=instants.from_wire(doc.get("startTime")),
        end=instants.from_wire(doc.get("endTime")),
        place=place(doc.get("location")),
        join_url=shapes.link(doc.get("externalParticipationUrl")),
    )
    return None if found == Happening() else found


def place(value: Any) -> str:
    """Return a place as a line: its name and its address.

    >>> place({"name": "Town Hall", "address": {"addressLocality": "Ulm", "postalCode": "89073"}})
    'Town Hall, 89073 Ulm'
    """
    for entry in shapes.as_list(value):
        if isinstance(entry, str) and not entry.startswith(("http:", "https:")):
            return shapes.line(entry, MAX_PLACE_CHARS)
        if isinstance(entry, dict):
            address = entry.get("address")
            parts = [entry.get("name"), *(_address(address) if isinstance(address, dict) else [])]
            if isinstance(address, str):
                parts.append(address)
            said = [line for part in parts if (line := shapes.line(part, MAX_PLACE_CHARS))]
            if said:
                return ", ".join(dict.fromkeys(said))[:MAX_PLACE_CHARS]
    return ""


def quote(doc: dict[str, Any]) -> str | None:
    """Return the post that a note quotes, in whichever of the spellings it is said.

    Source: FEP-044f; FEP-e232 for the Link among the tags; the others are Misskey's and Fedibird's.
    """
    for name in ("quote", "_misskey_quote", "quoteUrl", "quoteURL", "quoteUri"):
        found = shapes.first(shapes.term(doc, name))
        if found is not None and not _is_tombstone(doc.get(name)):
            return found
    for entry in _tags(doc.get("tag"), "Link"):
        rels = {rel for rel in shapes.as_list(entry.get("rel")) if isinstance(rel, str)}
        is_object = shapes.media_type_of(entry) in _AS2_TYPES
        if rels & _QUOTE_RELS or (is_object and not rels):
            found = shapes.id_of(entry.get("href"))
            if found is not None:
                return found
    return None


def policy(value: Any) -> Policy | None:
    """Return what an author lets others do. None if nothing is said about anything.

    Source: GoToSocial's interaction policies; `always` and `approvalRequired` are its older words.
    """
    if not isinstance(value, dict):
        return None
    found = Policy(
        can_like=rule(value.get("canLike")),
        can_reply=rule(value.get("canReply")),
        can_announce=rule(value.get("canAnnounce")),
        can_quote=rule(value.get("canQuote")),
    )
    return None if found == Policy() else found


def rule(value: Any) -> Rule | None:
    """Return one rule of a policy; None if it is not given."""
    if not isinstance(value, dict):
        return None
    return Rule(
        automatic=_rule_uris(value, "automaticApproval", "always"),
        manual=_rule_uris(value, "manualApproval", "approvalRequired"),
    )


def domains(value: Any) -> tuple[str, ...]:
    """Return the domains whose pages may name an actor as their author, lower-case."""
    found = (
        entry.strip().lower().rstrip(".")
        for entry in shapes.as_list(value)
        if isinstance(entry, str) and len(entry) <= MAX_DOMAIN_CHARS
    )
    return tuple(dict.fromkeys(one for one in found if _DOMAIN.fullmatch(one)))[:MAX_DOMAINS]


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


def abstract(summary: str) -> str:
    """Return a summary as HTML: some write it as plain text, some as HTML.

    >>> abstract("1 < 2"), abstract("<p>All of it</p>")
    ('<p>1 &lt; 2</p>', '<p>All of it</p>')
    """
    return summary if _HTML.search(summary) else plain_to_html(summary)


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


def _replies(entry: dict[str, Any]) -> dict[str, Any]:
    replies = entry.get("replies")
    return replies if isinstance(replies, dict) else {}


def _address(address: dict[str, Any]) -> list[str]:
    town = " ".join(
        part
        for name in ("postalCode", "addressLocality")
        if isinstance(part := address.get(name), str) and part
    )
    named = [address.get("streetAddress"), town, address.get("addressCountry")]
    return [part for part in named if isinstance(part, str) and part]


def _rule_uris(value: dict[str, Any], name: str, older: str) -> tuple[str, ...]:
    return shapes.uris_in(value[name] if name in value else value.get(older), MAX_RULE_URIS)


def _is_tombstone(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") == "Tombstone"


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
