"""What a page shows of a post: pictures, films, sounds, hashtags, how a long text begins."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from microfedi.federation import copies, media_cache, private_media
from microfedi.protocol import media_types, sanitize, uris
from microfedi.protocol.sanitize import SafeHtml
from microfedi.protocol.vocab import Attachment
from microfedi.storage import media
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note
from microfedi.storage.sealed import Sealer

MAX_SHOWN = 16  # of one post
# Characters: what is longer than three screens of a phone is folded among others, to its beginning.
FOLDED_CHARS = 2500
BEGINNING_CHARS = 400
_THIRD = 1 / 3  # of the way from the middle to an edge: where the middle of nine places ends

# What is said of files that browsers play, in the spellings that are about; of some only the kind
# is known. What they are in truth, the copy's first bytes tell.
_TYPES = (
    media_types.IMAGE_TYPES
    | media_types.VIDEO_TYPES
    | media_types.AUDIO_TYPES
    | {"image/jpg", "image/apng", "video/x-m4v", "audio/mp3", "audio/m4a", "audio/x-m4a"}
    | {"audio/opus", "audio/vorbis", "audio/x-flac", "audio/wave", "audio/x-wav"}
    | {"image/*", "video/*", "audio/*"}
)
_TAG = re.compile(r"<[^>]*>")
_HASHTAG = re.compile(r"#([\w·・\u200c\u200d]+)")


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture, film or sound that the page plays. `src` is an address of ours.

    `original` is where somebody else's film or sound lies: it may play better there. If it is too
    large for a copy of ours (`is_too_large`), it can be had only there.
    """

    kind: str
    src: str
    alt: str
    width: int | None
    height: int | None
    poster: str | None = None
    original: str = ""
    host: str = ""
    is_too_large: bool = False
    place: str = ""  # a class of the stylesheet: what stays in view if the picture is cut


def of(
    reader: Reader,
    attachments: Sequence[Attachment],
    *,
    is_ours: bool,
    is_private: bool = False,
) -> tuple[tuple[Shown, ...], tuple[Attachment, ...]]:
    """Return what can be shown, and what can only be offered as a link.

    Copies of what was sent in a message (`is_private`) are sealed, for the owner's eyes alone.
    """
    path = private_media.path if is_private else media_cache.proxy_path
    name_of = media.private_name if is_private else media_cache.name_of
    pictures: list[Shown] = []
    files: list[Attachment] = []
    attachments = attachments[:MAX_SHOWN]
    too_large = set() if is_ours else copies.too_large(reader, _films(attachments), name_of)
    for one in attachments:
        if one.media_type not in _TYPES:
            files.append(one)
        elif is_ours:
            kind = one.media_type.partition("/")[0]
            pictures.append(
                Shown(
                    kind,
                    one.url,
                    one.alt,
                    one.width,
                    one.height,
                    one.preview,
                    place=_place(one.focal_point),
                )
            )
        else:
            pictures.append(_theirs(reader, one, path, is_too_large=one.url in too_large))
    return tuple(pictures), tuple(files)


def is_shown(attachment: Attachment) -> bool:
    """Return whether pages show it; of everything else they have a link."""
    return attachment.media_type in _TYPES


def beginning(html: SafeHtml) -> str:
    """Return how a long text begins, to be shown in its place among other posts; "" for others."""
    if len(html) <= FOLDED_CHARS:
        return ""
    text = sanitize.text(html, limit=FOLDED_CHARS + 1).replace("\n", " ")
    if len(text) <= FOLDED_CHARS:
        return ""
    start, _, _ = text[:BEGINNING_CHARS].rpartition(" ")
    return f"{start or text[:BEGINNING_CHARS]}…"


def other_hashtags(note: Note) -> tuple[str, ...]:
    """Return the hashtags that a post has but its text does not say: to be shown under it."""
    if not note.hashtags:
        return ()
    text = unicodedata.normalize("NFC", _TAG.sub("", note.html).lower())
    said = set(_HASHTAG.findall(text))
    return tuple(tag for tag in note.hashtags if tag not in said)


def _films(attachments: Sequence[Attachment]) -> list[str]:
    return [one.url for one in attachments if not one.media_type.startswith("image/")]


def _theirs(
    reader: Reader, one: Attachment, path: Callable[[Sealer, str], str], *, is_too_large: bool
) -> Shown:
    kind = one.media_type.partition("/")[0]
    return Shown(
        kind,
        path(reader.sealer, one.url),
        one.alt,
        one.width,
        one.height,
        path(reader.sealer, one.preview) if one.preview else None,
        original="" if kind == "image" else one.url,
        host=uris.host(one.url),
        is_too_large=is_too_large,
        place=_place(one.focal_point),
    )


def _place(point: tuple[float, float] | None) -> str:
    """Return the one of nine places that is nearest to a focal point; "" for the middle.

    >>> _place((-1.0, 0.9)), _place((0.1, -0.5)), _place((0.1, 0.2))
    ('at-left at-top', 'at-bottom', '')
    """
    if point is None:
        return ""
    x, y = point
    across = "at-left" if x < -_THIRD else "at-right" if x > _THIRD else ""
    along = "at-top" if y > _THIRD else "at-bottom" if y < -_THIRD else ""
    return f"{across} {along}".strip()
