"""The files of a post that is being written: uploaded at once, described, put in order, removed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from microfedi import words
from microfedi.errors import InvalidInput, TooBusy
from microfedi.federation import uploads
from microfedi.federation.context import Context
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.storage import waiting_files
from microfedi.storage.database import Reader
from microfedi.storage.drafts import Attached
from microfedi.storage.notes import Note
from microfedi.web import attachments
from microfedi.web.attachments import MAX_ALT_CHARS, MAX_FILES

MAX_NAME_CHARS = 64
MAX_FOCUS_CHARS = 20
SHOWN_PX = (256, 192)  # a file in the form: as large as this at most, and known before it is there

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FOCUS = re.compile(r"(-?[01](?:\.[0-9]{1,4})?),(-?[01](?:\.[0-9]{1,4})?)")


@dataclass(frozen=True, slots=True)
class File:
    """A file in the form. `src` is its picture, or that of its film; "" for sounds. `width` and
    `height`: how large it stands there, 0 if nobody knows.
    """

    name: str
    alt: str
    kind: str
    src: str
    focus: str  # as the form has it: "x,y"
    width: int = 0
    height: int = 0

    @property
    def place(self) -> tuple[float, float]:
        """What must stay in view, in percent from the left and from the top."""
        x, _comma, y = self.focus.partition(",")
        return round((float(x) + 1) * 50, 1), round((1 - float(y)) * 50, 1)


def of(note: Note) -> tuple[Attached, ...]:
    """Return what hangs on a post of the owner's."""
    return tuple(
        Attached(one.url.rpartition("/")[2], one.alt, one.focal_point) for one in note.attachments
    )


def shown(reader: Reader, attached: Sequence[Attached], note: Note | None = None) -> list[File]:
    """Return the files of a form, without those that are not there any more."""
    if not attached:
        return []
    waiting = waiting_files.by_names(reader, [one.name for one in attached])
    hanging = {one.url.rpartition("/")[2]: one for one in note.attachments} if note else {}
    found = []
    for one in attached:
        if (there := waiting.get(one.name)) is not None:
            kind = there.record.media_type.partition("/")[0]
            still = there.record if kind == "image" else there.poster
            src = f"/media/{still.public_id}" if still is not None else ""
            size = (still.width, still.height) if still is not None else (0, 0)
        elif (old := hanging.get(one.name)) is not None:
            kind = old.media_type.partition("/")[0]
            url = old.url if kind == "image" else old.preview or ""
            src = f"/media/{url.rpartition('/')[2]}" if url else ""
            size = (old.width or 0, old.height or 0)
        else:
            continue
        found.append(File(one.name, one.alt, kind, src, _focus_text(one.focal_point), *_fit(size)))
    return found


def typed(form: FormData) -> tuple[Attached, ...]:
    """Return the files that a form names, each once, with their descriptions.

    Raises: InvalidInput if there are too many, or a description is too long.
    """
    names = forms.texts(form, "file", limit=MAX_NAME_CHARS, most=MAX_FILES)
    alts = [
        one.replace("\r\n", "\n")
        for one in forms.texts(form, "file_alt", limit=MAX_ALT_CHARS + 200, most=MAX_FILES)
    ]
    points = forms.texts(form, "file_focus", limit=MAX_FOCUS_CHARS, most=MAX_FILES)
    if any(len(one) > MAX_ALT_CHARS for one in alts):
        raise InvalidInput(
            "picture", "A description has %(limit)s characters at most.", limit=MAX_ALT_CHARS
        )
    found: dict[str, Attached] = {}
    for index, name in enumerate(names):
        if _NAME.fullmatch(name) and name not in found:
            alt = alts[index].strip() if index < len(alts) else ""
            point = _point(points[index]) if index < len(points) else None
            found[name] = Attached(name, alt, point)
    return tuple(found.values())


def changed(attached: tuple[Attached, ...], action: str) -> tuple[Attached, ...]:
    """Return the files after a button was pressed: earlier-NAME, later-NAME or remove-NAME.

    >>> [one.name for one in changed((Attached("a"), Attached("b")), "later-a")]
    ['b', 'a']
    """
    what, _dash, name = action.partition("-")
    order = list(attached)
    at = next((index for index, one in enumerate(order) if one.name == name), None)
    if at is None:
        return attached
    one = order.pop(at)
    if what != "remove":
        order.insert(max(0, at - 1) if what == "earlier" else at + 1, one)
    return tuple(order)


async def taken_in(
    ctx: Context, form: FormData, attached: tuple[Attached, ...]
) -> tuple[tuple[Attached, ...], InvalidInput | None]:
    """Keep the files that came with a form itself; what is wrong with one leaves the others.

    They come after `attached`, each with the description that was typed beside it.
    """
    problem: InvalidInput | None = None
    try:
        files = attachments.chosen(form)
    except InvalidInput as wrong:
        return attached, wrong
    for number, file, alt in files:
        try:
            held = await _held(ctx, file, len(attached))
        except InvalidInput as wrong:
            problem = problem or attachments.of_file(number, wrong)
            continue
        attached = (*attached, replace(held, alt=alt))
    return attached, problem


async def upload(request: Request) -> Response:
    """POST /compose/media: keep one file until its post is published; for the script."""
    ctx = context_of(request)
    form = await forms.read(request)
    try:
        files = [one for one in forms.files(form, "picture", most=1) if one is not None]
        if not files:
            raise InvalidInput("picture", "There is nothing in this file.")
        held = await _held(ctx, files[0], 0)
    except InvalidInput as problem:
        return JSONResponse({"problem": words.of(problem)}, 422)
    except TooBusy as problem:
        headers = {"Retry-After": str(problem.retry_after_s)}
        return JSONResponse({"problem": words.of(problem)}, 429, headers=headers)
    (file,) = await ctx.db.read(lambda reader: shown(reader, [held]))
    size = {"width": file.width, "height": file.height}
    return JSONResponse({"name": file.name, "kind": file.kind, "src": file.src, **size})


def undescribed(attached: Sequence[Attached]) -> int:
    """Return how many files nobody can know who does not see or hear them."""
    return sum(not one.alt.strip() for one in attached)


async def _held(ctx: Context, file: BinaryIO, count: int) -> Attached:
    if count >= MAX_FILES:
        raise InvalidInput("picture", "At most %(limit)s files, please.", limit=MAX_FILES)
    waiting = await uploads.hold(ctx, await attachments.rewritten(file, ctx.config.limits))
    return Attached(waiting.record.public_id)


def _point(value: str) -> tuple[float, float] | None:
    """Read a focal point, None for the middle and for what is none.

    >>> _point("0.25,-0.5"), _point("0,0"), _point("2,0"), _point("nan,0")
    ((0.25, -0.5), None, None, None)
    """
    found = _FOCUS.fullmatch(value)
    if found is None:
        return None
    x, y = float(found[1]), float(found[2])
    return (x, y) if abs(x) <= 1 and abs(y) <= 1 and (x, y) != (0, 0) else None


def _fit(size: tuple[int, int]) -> tuple[int, int]:
    """Return how large a picture stands in the form, its shape as it is.

    >>> _fit((1200, 800)), _fit((600, 1200)), _fit((40, 30)), _fit((0, 0))
    ((256, 171), (96, 192), (40, 30), (0, 0))
    """
    if not all(size):
        return 0, 0
    share = min(1.0, *(most / px for most, px in zip(SHOWN_PX, size, strict=True)))
    width, height = (max(1, round(px * share)) for px in size)
    return width, height


def _focus_text(point: tuple[float, float] | None) -> str:
    x, y = point or (0.0, 0.0)
    return f"{x:g},{y:g}"


owner_routes = [Route("/compose/media", upload, methods=["POST"])]
