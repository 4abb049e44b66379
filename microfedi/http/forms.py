"""What a form brought, read once, bounded; every surprise becomes InvalidInput."""

import logging
import re
from collections.abc import AsyncGenerator, Iterable
from enum import StrEnum
from typing import IO, BinaryIO, TypeVar

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request

from microfedi.errors import InvalidInput

MAX_FIELDS = 128  # the largest form of ours has about 40
MAX_FILES = 16  # pictures of a post
MAX_FIELD_BYTES = 256 * 1024  # the longest post as UTF-8 with room

# It warns of every byte that is wrong, and strangers send what they like: their broken forms are
# answered, and fill no log.
logging.getLogger("python_multipart").setLevel(logging.CRITICAL)

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

E = TypeVar("E", bound=StrEnum)
S = TypeVar("S", bound=str)


class _InMemory(MultiPartParser):
    # Uploads stay in memory (their route bounds the body): a temporary file would be a copy of a
    # private picture in the clear.
    spool_max_size = 1 << 30


def is_form(request: Request) -> bool:
    """Return whether the body is declared as a form."""
    return _kind(request) in ("multipart/form-data", "application/x-www-form-urlencoded")


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read(request: Request) -> FormData:
    """Read the form of `request`; a second call gives the same one.

    Raises: InvalidInput if it is no form, or has too many or too large fields.
    """
    form: FormData | None = getattr(request.state, "form", None)
    if form is None:
        form = request.state.form = await _parsed(request, request.stream())
    return form


async def _parsed(request: Request, body: AsyncGenerator[bytes, None]) -> FormData:
    try:
        match _kind(request):
            case "multipart/form-data":
                return await _with_files(request, body)
            case "application/x-www-form-urlencoded":
                return await FormParser(
                    request.headers, body, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES
                ).parse()
    except (MultiPartException, UnicodeError, ValueError, KeyError) as error:
        raise InvalidInput("", "This form could not be read. Please send it again.") from error
    raise InvalidInput("", "A form was expected here.")


async def _with_files(request: Request, body: AsyncGenerator[bytes, None]) -> FormData:
    parser = _InMemory(
        request.headers,
        body,
        max_files=MAX_FILES,
        max_fields=MAX_FIELDS,
        max_part_size=MAX_FIELD_BYTES,
    )
    begun = parser._files_to_close_on_error
    try:
        form = await parser.parse()
        whole = {id(one.file) for _, one in form.multi_items() if not isinstance(one, str)}
        # What the form ended within belongs to nobody.
        _close(file for file in begun if id(file) not in whole)
    except BaseException:
        _close(begun)  # the parser below has errors of its own, at which they stay open
        raise
    return form


def _close(files: Iterable[IO[bytes]]) -> None:
    for file in files:
        file.close()


async def read_beginning(request: Request, *, most_bytes: int) -> tuple[FormData, bool]:
    """Read the text fields that stand in the first bytes of a form; the rest is not kept.

    Return them, and whether files came with them. For somebody who is not logged in: what they
    send must not fill the memory.

    Raises: InvalidInput as `read`.
    """
    whole = request.stream()
    _kind_of, options = parse_options_header(request.headers.get("content-type"))

    async def beginning() -> AsyncGenerator[bytes, None]:
        left = most_bytes
        async for piece in whole:
            if left > 0:
                yield piece[:left]
            left -= len(piece)
        if left < 0 and b"boundary" in options:  # what it was cut in ends here
            yield b"\r\n--%b--\r\n" % options[b"boundary"]
        yield b""

    form = await _parsed(request, beginning())
    texts: list[tuple[str, UploadFile | str]] = [
        (name, value) for name, value in form.multi_items() if isinstance(value, str)
    ]
    has_files = any(
        isinstance(value, UploadFile) and value.size for _name, value in form.multi_items()
    )
    await form.close()
    request.state.form = FormData(texts)
    return FormData(texts), has_files


async def close(request: Request) -> None:
    """Let go of the files of the form of `request`, if it was read."""
    form: FormData | None = getattr(request.state, "form", None)
    if form is not None:
        await form.close()


def text(form: FormData, name: str, *, limit: int = MAX_FIELD_BYTES) -> str:
    """Return a text field, "" if it is missing. Line ends are `\\n`.

    Raises: InvalidInput if it is longer than `limit` characters or holds control characters.
    """
    value = form.get(name, "")
    if not isinstance(value, str):
        raise InvalidInput(name, "A text was expected here, not a file.")
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    if len(value) > limit:
        raise InvalidInput(
            name,
            "At most %(limit)s characters, please; these are %(value)s.",
            limit=limit,
            value=len(value),
        )
    if _CONTROL.search(value):
        raise InvalidInput(name, "This holds characters that cannot be shown.")
    return value


def line(form: FormData, name: str, *, limit: int) -> str:
    """Return a text field of one line, trimmed. Raises: as `text`."""
    return " ".join(text(form, name, limit=limit).split())


def choice(form: FormData, name: str, options: type[E]) -> E:
    """Return one of the values of an enumeration.

    Raises: InvalidInput if it is none of them.
    """
    value = text(form, name, limit=100)
    try:
        return options(value)
    except ValueError:
        raise InvalidInput(name, "Please choose one of the options.") from None


def one_of(form: FormData, name: str, options: Iterable[S]) -> S:
    """Return one of `options`. Raises: InvalidInput if it is none of them."""
    value = text(form, name, limit=100)
    for option in options:
        if option == value:
            return option
    raise InvalidInput(name, "Please choose one of the options.")


def flag(form: FormData, name: str) -> bool:
    """Return whether a box is ticked."""
    return text(form, name, limit=20) in ("on", "1", "true")


def integer(form: FormData, name: str, *, low: int, high: int) -> int:
    """Return a whole number. Raises: InvalidInput unless low <= number <= high."""
    value = text(form, name, limit=40).strip()
    if not re.fullmatch(r"-?[0-9]{1,19}", value) or not low <= int(value) <= high:
        raise InvalidInput(
            name, "A whole number from %(low)s to %(high)s was expected.", low=low, high=high
        )
    return int(value)


def row_id(form: FormData, name: str) -> int:
    """Return a row id. Raises: InvalidInput if it is none."""
    return integer(form, name, low=1, high=2**63 - 1)


def texts(form: FormData, name: str, *, limit: int, most: int) -> list[str]:
    """Return every text field called `name`. Raises: InvalidInput if there are too many."""
    values = [value for value in form.getlist(name) if isinstance(value, str)]
    if len(values) > most or any(len(value) > limit for value in values):
        raise InvalidInput(
            name, "At most %(most)s of these, each of %(limit)s characters.", most=most, limit=limit
        )
    if any(_CONTROL.search(value) for value in values):
        raise InvalidInput(name, "This holds characters that cannot be shown.")
    return values


def row_ids(form: FormData, name: str, *, most: int) -> set[int]:
    """Return the row ids in every field `name`. Raises: InvalidInput if there are too many."""
    return {one for text in texts(form, name, limit=20, most=most) if (one := _row_id(text))}


def files(form: FormData, name: str, *, most: int) -> list[BinaryIO | None]:
    """Return every file field called `name`, in order; None where none was chosen.

    Raises: InvalidInput if there are too many.
    """
    uploads = [one for one in form.getlist(name) if isinstance(one, UploadFile)]
    if len(uploads) > most:
        raise InvalidInput(name, "At most %(limit)s files at once.", limit=most)
    return [one.file if one.size else None for one in uploads]


async def slots(form: FormData, name: str, *, most: int, max_bytes: int) -> list[bytes]:
    """Return the bytes of every file field called `name`, in order; b"" where none was chosen.

    Raises: InvalidInput if there are too many or one is too large.
    """
    uploads = [one for one in form.getlist(name) if isinstance(one, UploadFile)]
    if len(uploads) > most:
        raise InvalidInput(name, "At most %(limit)s files at once.", limit=most)
    contents = []
    for upload in uploads:
        data = await upload.read(max_bytes + 1)
        if len(data) > max_bytes:
            raise InvalidInput(name, "At most %(limit)s MB a file.", limit=max_bytes // 1_000_000)
        contents.append(data)
    return contents


def query_id(request: Request, name: str) -> int | None:
    """Return a row id from the query string, None if it is missing or no row id."""
    return _row_id(request.query_params.get(name, ""))


def path_id(request: Request, name: str) -> int:
    """Return a row id from the path. Raises: 404 if it is none."""
    found = _row_id(request.path_params[name])
    if found is None:
        raise HTTPException(404)
    return found


def _row_id(value: str) -> int | None:
    if not (value.isascii() and value.isdigit() and len(value) <= 19):
        return None
    number = int(value)
    return number if 0 < number < 2**63 else None
