"""Files that a form brings itself: pictures, films, sounds, each with a description beside it."""

import io
from typing import BinaryIO

from starlette.datastructures import FormData

from microfedi import imagework
from microfedi.config import Limits
from microfedi.errors import InvalidInput
from microfedi.http import forms
from microfedi.imagework import Picture
from microfedi.protocol import media_types

MAX_FILES = 16  # of a post or a message. Mastodon shows the first four.
MAX_ALT_CHARS = 1500  # as much as Mastodon shows


def alts(form: FormData) -> list[str]:
    """Return the descriptions beside the files, in order.

    Raises: InvalidInput if one is too long.
    """
    typed = forms.texts(form, "alt", limit=MAX_ALT_CHARS, most=MAX_FILES)
    return [one.strip() for one in typed]


def chosen(form: FormData) -> list[tuple[int, BinaryIO, str]]:
    """Return the files that were chosen: the number in the form, the file, its description.

    Raises: InvalidInput if there are too many, or a description is too long.
    """
    beside = alts(form)
    return [
        (number, file, beside[number - 1] if number <= len(beside) else "")
        for number, file in enumerate(forms.files(form, "picture", most=MAX_FILES), start=1)
        if file is not None
    ]


async def read(form: FormData, limits: Limits) -> tuple[tuple[Picture, str], ...]:
    """Write anew what was uploaded, without metadata, each with the description beside it.

    Raises: InvalidInput("picture") saying which file, and what is wrong with it.
    """
    found: list[tuple[Picture, str]] = []
    for number, file, alt in chosen(form):
        try:
            found.append((await rewritten(file, limits), alt))
        except InvalidInput as problem:
            raise of_file(number, problem) from problem
    return tuple(found)


async def rewritten(file: BinaryIO, limits: Limits) -> Picture:
    """Write a file anew, without metadata. Raises: InvalidInput if it is too large, or none."""
    file.seek(0)
    kind = media_types.sniff(file.read(media_types.SNIFF_BYTES))
    largest = limits.film_mb if kind in media_types.PLAYED_TYPES else limits.upload_mb
    if file.seek(0, io.SEEK_END) > largest * 1_000_000:
        raise InvalidInput("picture", "At most %(limit)s MB, please.", limit=largest)
    return await imagework.of_post(file)


def of_file(number: int, problem: InvalidInput) -> InvalidInput:
    """Return what is wrong with one of several files, saying with which."""
    return InvalidInput("picture", "File %(index)s: %(message)s", index=number, message=problem)
