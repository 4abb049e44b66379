"""What a form brings to stand beside a post: pictures, films, sounds, each with a description."""

import io
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from starlette.datastructures import FormData

from microfedi import imagework
from microfedi.config import Limits
from microfedi.errors import InvalidInput
from microfedi.http import forms
from microfedi.imagework import Picture
from microfedi.protocol import media_types
from microfedi.storage.notes import Note

MAX_FILES = 16  # of a post. Mastodon shows the first four.
MAX_ALT_CHARS = 1500  # as much as Mastodon shows
MAX_URL_CHARS = 2000  # of what hangs on a post: an address of ours

# Where the middle of an outer third lies, from -1 to 1.
_THIRD = 0.67
_AT = {"-1": -_THIRD, "0": 0.0, "1": _THIRD}


@dataclass(frozen=True, slots=True)
class Attached:
    """Something that hangs on a post already, in the form that changes the post."""

    url: str
    alt: str
    kind: str
    src: str
    is_removed: bool = False


def of(note: Note) -> list[Attached]:
    """Return what hangs on a post of the owner's."""
    return [
        Attached(one.url, one.alt, kind, (one.preview or "") if kind != "image" else one.url)
        for one in note.attachments
        for kind in (one.media_type.partition("/")[0],)
    ]


def changed(form: FormData, note: Note) -> list[Attached]:
    """Return what hangs on a post, as the form wants it: described anew, or taken off.

    Raises: InvalidInput if a description is too long.
    """
    named = forms.texts(form, "attached", limit=MAX_URL_CHARS, most=MAX_FILES)
    alts = forms.texts(form, "attached_alt", limit=MAX_ALT_CHARS, most=MAX_FILES)
    removed = forms.texts(form, "remove", limit=MAX_URL_CHARS, most=MAX_FILES)
    described = dict(zip(named, alts, strict=False))
    return [
        replace(one, alt=described.get(one.url, one.alt).strip(), is_removed=one.url in removed)
        for one in of(note)
    ]


def typed(form: FormData) -> dict[str, Any]:
    """Return what was typed beside the files, to show it again: they have to be chosen anew.

    Raises: InvalidInput if a description is too long.
    """
    return {
        "alts": forms.texts(form, "alt", limit=MAX_ALT_CHARS, most=MAX_FILES),
        "focus": {n: value for n in range(1, MAX_FILES + 1) if (value := _focus(form, n))},
    }


async def read(form: FormData, limits: Limits) -> tuple[tuple[Picture, str], ...]:
    """Write anew what was uploaded, without metadata, each with the description beside it.

    Raises: InvalidInput("picture") saying which file, and what is wrong with it.
    """
    beside = typed(form)
    alts: list[str] = beside["alts"]
    found: list[tuple[Picture, str]] = []
    for index, file in enumerate(forms.files(form, "picture", most=MAX_FILES)):
        if file is None:
            continue
        try:
            picture = await _rewritten(file, limits)
        except InvalidInput as problem:
            raise InvalidInput(
                "picture", "File %(index)s: %(message)s", index=index + 1, message=problem
            ) from problem
        x, _, y = beside["focus"].get(index + 1, "0,0").partition(",")
        if (x, y) != ("0", "0"):
            picture = replace(picture, focal_point=(_AT[x], _AT[y]))
        found.append((picture, alts[index].strip() if index < len(alts) else ""))
    return tuple(found)


async def _rewritten(file: BinaryIO, limits: Limits) -> Picture:
    file.seek(0)
    kind = media_types.sniff(file.read(media_types.SNIFF_BYTES))
    largest = limits.film_mb if kind in media_types.PLAYED_TYPES else limits.upload_mb
    if file.seek(0, io.SEEK_END) > largest * 1_000_000:
        raise InvalidInput("picture", "At most %(limit)s MB, please.", limit=largest)
    return await imagework.of_post(file)


def _focus(form: FormData, number: int) -> str:
    """Return which of nine places must stay in view, "" if nothing was said."""
    if not (value := forms.text(form, f"focus{number}", limit=10)):
        return ""
    x, _, y = value.partition(",")
    if x not in _AT or y not in _AT:
        raise InvalidInput("picture", "Please choose one of the nine places.")
    return value
