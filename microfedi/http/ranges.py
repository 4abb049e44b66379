"""Parts of files, as players ask for them: they jump to the middle of a film."""

import contextlib
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))")


@dataclass(frozen=True, slots=True)
class File:
    """A file to be sent: `part(start, stop)` yields its bytes; if not asynchronous it may block.

    `etag` changes whenever its bytes do.
    """

    media_type: str
    size_bytes: int
    etag: str
    part: Callable[[int, int], Iterator[bytes] | AsyncGenerator[bytes]]


async def respond(request: Request, file: File, headers: Mapping[str, str]) -> Response:
    """Answer with a file, or the one part of it that was asked for.

    Who asks for several parts at once gets the whole: players do not.

    Source: RFC 9110, 14.
    Raises: what `file.part` raises for its first piece.
    """
    headers = {**headers, "Accept-Ranges": "bytes", "ETag": file.etag}
    start, stop, status = 0, file.size_bytes, 200
    wanted = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if wanted and request.headers.get("if-range", file.etag) == file.etag:
        first, last, suffix = wanted.groups()
        if suffix is not None:
            start = max(0, file.size_bytes - int(suffix))
        else:
            start = int(first)
            stop = min(file.size_bytes, int(last) + 1) if last else file.size_bytes
        if last and int(last) < int(first):
            start, stop = 0, file.size_bytes  # no range at all: as if it were not there
        elif start >= stop:
            headers["Content-Range"] = f"bytes */{file.size_bytes}"
            return Response(status_code=416, headers=headers)
        else:
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{file.size_bytes}"
            status = 206
    headers["Content-Length"] = str(stop - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=file.media_type)
    pieces = await _begun(file.part(start, stop))
    return StreamingResponse(pieces, status, headers=headers, media_type=file.media_type)


async def _begun(
    pieces: Iterator[bytes] | AsyncGenerator[bytes],
) -> Iterator[bytes] | AsyncIterator[bytes]:
    """Have the first piece at hand: what fails, fails before anything is answered."""
    if isinstance(pieces, AsyncGenerator):
        return _joined(await anext(pieces, b""), pieces)
    return chain((await run_in_threadpool(next, pieces, b""),), pieces)


async def _joined(first: bytes, rest: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    async with contextlib.aclosing(rest):
        yield first
        async for piece in rest:
            yield piece
