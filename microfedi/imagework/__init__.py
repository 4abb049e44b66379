"""Media are read and written anew here, each in a child process that lives for one file.

Decoders are large C programs that read what strangers send. So the server itself never runs one:
`reencode` (pictures) and `remux` (films and sounds) start `imagework/__main__.py` with an
empty environment and hard limits on memory, time and files, give it the bytes, and take back a
fresh file without any metadata. Only the types in `protocol/media_types` are known there.

This module is the server's side of it: Pillow and PyAV are imported in the child alone, asyncio
inside the functions, so that neither side pays for the other's.
"""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from microfedi.errors import InvalidInput
from microfedi.protocol import media_types

if TYPE_CHECKING:
    import asyncio

Purpose = Literal["post", "avatar", "header", "cache", "emoji"]

# Bytes of a picture that we look at. Straight from a large camera it is 10 to 30 MB.
MAX_BYTES = 40 * 1024 * 1024
# Bytes of a film or a sound, whatever the configuration says: the child has it in memory three
# times at most.
MAX_FILM_BYTES = 150 * 1000 * 1000
# Seconds for one file, waiting for a free child not included.
TIMEOUT_S = 30.0
# Children at once: the cores of a small server, and twice CHILD_MEMORY_BYTES at most.
MAX_CHILDREN = 2
# What a child may have. 50 million pixels with transparency need 200 MB, and twice that to scale.
CHILD_MEMORY_BYTES = 768 * 1024 * 1024
CHILD_CPU_S = 20
CHILD_FILES = 32
# What a child may answer: the largest file and its still.
MAX_ANSWER_BYTES = MAX_FILM_BYTES + 8 * 1024 * 1024

# The very package that runs here, which an isolated interpreter would look for elsewhere.
_HOME = Path(__file__).parents[2]
_START = (
    "import sys; sys.path.insert(0, sys.argv[1])\n"
    "from microfedi.imagework import __main__ as child; sys.exit(child.main())"
)

_PIECE_BYTES = 256 * 1024
_MAX_HEADER_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that we wrote ourselves; or a film, a sound: then `duration_s` is known.

    `blurhash` is a blurred preview as text, `poster` a still of a film; `focal_point` what must
    not be cut off in a preview: from -1, -1 (left, below) to 1, 1. A sound has no size: 0.
    `likeness` are 64 bits that two copies of one picture share, nearly.
    """

    data: bytes
    media_type: str
    width: int
    height: int
    blurhash: str
    duration_s: float | None = None
    poster: "Picture | None" = None
    focal_point: tuple[float, float] | None = None
    likeness: str = ""


async def reencode(data: bytes, *, purpose: Purpose, timeout_s: float = TIMEOUT_S) -> Picture:
    """Decode a picture in a child process and write it anew: upright, small, without metadata.

    "post" and "cache" fit into 2048 pixels, "emoji" into 128, "avatar" and "header" are cut to
    their shape. Small animations stay animated in "post", "cache" and "emoji". "cache" is for our
    own pages alone: WebP.

    Raises: InvalidInput("image") if it is no JPEG, PNG, GIF or WebP, too large, or broken.
    """
    _refuse_by_header(data)
    facts, files = await _ask({"work": "picture", "purpose": purpose}, io.BytesIO(data), timeout_s)
    return _picture(facts, files[0])


async def remux(source: BinaryIO, *, timeout_s: float = TIMEOUT_S) -> Picture:
    """Copy picture and sound of a film, or a sound, into a fresh file, in a child process.

    Nothing is encoded again, and nothing else is copied: no titles, places, covers, subtitles.
    A film also gets a still. `source` can be sought; it is read from its beginning.

    Raises: InvalidInput("image") with a reason if it is none of the types that browsers play, or
    cannot be copied so.
    """
    source.seek(0)
    media_type = media_types.sniff(source.read(media_types.SNIFF_BYTES))
    if media_type not in media_types.PLAYED_TYPES:
        raise InvalidInput("image", "This is not an MP4, MOV, WebM, MP3, Ogg, FLAC or WAV file.")
    size = source.seek(0, io.SEEK_END)
    if size > MAX_FILM_BYTES:
        raise InvalidInput(
            "image", "At most %(limit)s MB, please.", limit=MAX_FILM_BYTES // 1_000_000
        )
    source.seek(0)
    facts, files = await _ask({"work": "film", "type": media_type}, source, timeout_s)
    poster = _picture(facts["poster"], files[1]) if len(files) > 1 else None
    return _picture(facts, files[0], poster)


async def of_post(source: BinaryIO) -> Picture:
    """Read what is to stand beside a post: a picture, a film or a sound, whichever it is.

    Raises: as `reencode` and `remux`.
    """
    source.seek(0)
    media_type = media_types.sniff(source.read(media_types.SNIFF_BYTES))
    if media_type in media_types.PLAYED_TYPES:
        return await remux(source)
    if media_type not in media_types.IMAGE_TYPES:
        raise InvalidInput(
            "image",
            "This cannot be shown. Pictures may be JPEG, PNG, GIF or WebP, videos MP4, MOV or WebM,"
            " sounds MP3, Ogg, M4A, FLAC or WAV.",
        )
    source.seek(0)
    return await reencode(source.read(MAX_BYTES + 1), purpose="post")


def _refuse_by_header(data: bytes) -> None:
    """Turn away what no child should be started for."""
    if len(data) > MAX_BYTES:
        raise InvalidInput(
            "image", "A picture may have %(limit)s MB at most.", limit=MAX_BYTES // 1024**2
        )
    if media_types.sniff(data) not in media_types.IMAGE_TYPES:
        raise InvalidInput("image", "This is not a JPEG, PNG, GIF or WebP picture.")
    size = media_types.image_size(data)
    if size is None:
        raise InvalidInput("image", "This picture is broken: it does not say how large it is.")
    width, height = size
    if width * height > media_types.MAX_PIXELS or max(size) > media_types.MAX_SIDE:
        raise InvalidInput(
            "image",
            "This picture has %(width)s x %(height)s pixels; %(limit)s million are the limit.",
            width=width,
            height=height,
            limit=media_types.MAX_PIXELS // 1_000_000,
        )


async def _ask(
    request: dict[str, str], source: BinaryIO, timeout_s: float
) -> tuple[dict[str, Any], list[bytes]]:
    """Have one child do one thing; return what is to be known, and the files it wrote.

    Raises: InvalidInput("image") with the child's reason, or because it was ended.
    """
    import asyncio

    async with _free_child():
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-B", "-c", _START, str(_HOME)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
        )
        try:
            async with asyncio.timeout(timeout_s):
                answer, _ = await asyncio.gather(_answer(child), _feed(child, request, source))
        except TimeoutError:
            raise InvalidInput("image", "This file takes too long to read.") from None
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
    header, files = answer
    if "refused" in header:
        raise InvalidInput("image", header["refused"], **header["values"])
    if not files:
        raise InvalidInput("image", "This file cannot be read; it may be broken.")
    return header, files


async def _feed(
    child: "asyncio.subprocess.Process", request: dict[str, str], source: BinaryIO
) -> None:
    """Give the child its work in pieces, so that the file is in our memory no second time."""
    if child.stdin is None:
        return
    try:
        for piece in _pieces(request, source):
            child.stdin.write(piece)
            await child.stdin.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass  # it refused, or is gone: its answer says so
    finally:
        child.stdin.close()


def _pieces(request: dict[str, str], source: BinaryIO) -> Iterator[bytes]:
    yield json.dumps(request).encode() + b"\n"
    while piece := source.read(_PIECE_BYTES):
        yield piece


async def _answer(child: "asyncio.subprocess.Process") -> tuple[dict[str, Any], list[bytes]]:
    """Read the answer: a line of JSON, and the files whose sizes it tells."""
    import asyncio

    if child.stdout is None:
        return {}, []
    try:
        line = await child.stdout.readline()
        header: dict[str, Any] = json.loads(line[:_MAX_HEADER_BYTES])
        sizes: list[int] = header.get("sizes", [])
        if sum(sizes) > MAX_ANSWER_BYTES:
            return {}, []
        files = [await child.stdout.readexactly(size) for size in sizes]
    except (ValueError, asyncio.IncompleteReadError):  # it was ended by one of its limits
        return {}, []
    await child.wait()
    return header, files


def _picture(facts: dict[str, Any], data: bytes, poster: Picture | None = None) -> Picture:
    return Picture(
        data=data,
        media_type=facts["media_type"],
        width=facts["width"],
        height=facts["height"],
        blurhash=facts["blurhash"],
        duration_s=facts.get("duration_s"),
        poster=poster,
        likeness=facts.get("likeness", ""),
    )


def _free_child() -> "asyncio.Semaphore":
    import asyncio

    return _semaphore_of(asyncio.get_running_loop())


@lru_cache(maxsize=1)  # a process has one loop, a test run one after another
def _semaphore_of(loop: "asyncio.AbstractEventLoop") -> "asyncio.Semaphore":
    import asyncio

    return asyncio.Semaphore(MAX_CHILDREN)
