"""Pictures are decoded and written anew here, in a child process that lives for one picture.

Decoders of pictures are large C programs that read what strangers send. So the server itself never
runs one: `reencode` starts `python -m microfedi.imagework` with an empty environment and hard
limits on memory, time and files, gives it the bytes, and takes back a fresh picture without any
metadata. Only JPEG, PNG, GIF and WebP are known there.

Pillow is imported inside the functions of the child, asyncio inside `reencode`: neither should pay
for the other's.
"""

import json
import math
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, BinaryIO, Literal

from microfedi.errors import InvalidInput
from microfedi.protocol import media_types

if TYPE_CHECKING:
    import asyncio

    from PIL import Image

Purpose = Literal["post", "avatar", "header", "cache"]

# Bytes of a picture that we look at. Straight from a large camera it is 10 to 30 MB.
MAX_BYTES = 40 * 1024 * 1024
# Seconds for one picture, waiting for a free child not included.
TIMEOUT_S = 30.0
# Children at once: the cores of a small server, and twice CHILD_MEMORY_BYTES at most.
MAX_CHILDREN = 2
# What a child may have. 50 million pixels with transparency need 200 MB, and twice that to scale.
CHILD_MEMORY_BYTES = 768 * 1024 * 1024
CHILD_CPU_S = 20
CHILD_FILES = 32

# Pixels of the result: (width, height) and whether it is cut to that shape or just fits into it.
BOXES: dict[str, tuple[int, int, bool]] = {
    "post": (2048, 2048, False),
    "avatar": (400, 400, True),
    "header": (1500, 500, True),
    "cache": (2048, 2048, False),
}
# An animation of more frames, or of more pixels in all frames together, becomes its first frame:
# writing 30 million pixels takes about 5 s.
MAX_FRAMES = 300
MAX_ANIMATION_PIXELS = 30_000_000
# Milliseconds that a frame stays if it does not say so itself.
DEFAULT_FRAME_MS = 100

JPEG_QUALITY = 85
WEBP_QUALITY = 80

# Components of a blurhash, across and down: 12 make 28 characters, the usual choice.
BLURHASH_COMPONENTS = (4, 3)
BLURHASH_SIDE = 24  # pixels; more would not be seen in 12 components
_BASE83 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that we wrote ourselves. `blurhash` is a blurred preview as text."""

    data: bytes
    media_type: str
    width: int
    height: int
    blurhash: str


# --- in the server ----------------------------------------------------------------------------


async def reencode(data: bytes, *, purpose: Purpose, timeout_s: float = TIMEOUT_S) -> Picture:
    """Decode a picture in a child process and write it anew: upright, small, without metadata.

    "post" and "cache" fit into 2048 pixels, "avatar" and "header" are cut to their shape. Small
    animations stay animated in "post" and "cache". "cache" is for our own pages alone: WebP.

    Raises: InvalidInput("image") if it is no JPEG, PNG, GIF or WebP, too large, or broken.
    """
    import asyncio

    _refuse_by_header(data)
    request = json.dumps({"purpose": purpose}).encode() + b"\n" + data
    async with _free_child():
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-B", "-m", "microfedi.imagework"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
        )
        try:
            async with asyncio.timeout(timeout_s):
                answer, _ = await child.communicate(request)
        except TimeoutError:
            raise InvalidInput("image", "This picture takes too long to read.") from None
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
    return _picture(answer)


def _refuse_by_header(data: bytes) -> None:
    """Turn away what no child should be started for."""
    if len(data) > MAX_BYTES:
        raise InvalidInput("image", f"A picture may have {MAX_BYTES // 1024**2} MB at most.")
    if media_types.sniff(data) not in media_types.IMAGE_TYPES:
        raise InvalidInput("image", "This is not a JPEG, PNG, GIF or WebP picture.")
    size = media_types.image_size(data)
    if size is None:
        raise InvalidInput("image", "This picture is broken: it does not say how large it is.")
    width, height = size
    if width * height > media_types.MAX_PIXELS or max(size) > media_types.MAX_SIDE:
        raise InvalidInput(
            "image",
            f"This picture has {width} x {height} pixels;"
            f" {media_types.MAX_PIXELS // 1_000_000} million are the limit.",
        )


def _picture(answer: bytes) -> Picture:
    header, newline, data = answer.partition(b"\n")
    if not newline or not data:
        raise InvalidInput("image", "This picture cannot be read; it may be broken.")
    facts = json.loads(header)
    return Picture(
        data=data,
        media_type=facts["media_type"],
        width=facts["width"],
        height=facts["height"],
        blurhash=facts["blurhash"],
    )


def _free_child() -> "asyncio.Semaphore":
    import asyncio

    return _semaphore_of(asyncio.get_running_loop())


@lru_cache(maxsize=1)  # a process has one loop, a test run one after another
def _semaphore_of(loop: "asyncio.AbstractEventLoop") -> "asyncio.Semaphore":
    import asyncio

    return asyncio.Semaphore(MAX_CHILDREN)


# --- in the child -----------------------------------------------------------------------------


def main() -> int:
    """Read one request from standard input, write one answer to standard output; 1 if it failed."""
    _limit_this_process()
    request = sys.stdin.buffer
    purpose = json.loads(request.readline(1000))["purpose"]
    try:
        header, data = _work(request, purpose)
    except Exception:  # decoders raise anything; whatever it was, the picture cannot be read
        return 1
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n" + data)
    sys.stdout.buffer.flush()
    return 0


def _limit_this_process() -> None:
    import os
    import resource

    os.nice(10)  # pages and deliveries first
    for limit, value in (
        (resource.RLIMIT_AS, CHILD_MEMORY_BYTES),
        (resource.RLIMIT_CPU, CHILD_CPU_S),
        (resource.RLIMIT_NOFILE, CHILD_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def _work(request: BinaryIO, purpose: Purpose) -> tuple[dict[str, object], bytes]:
    import io
    import warnings

    from PIL import GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

    assert GifImagePlugin and JpegImagePlugin and PngImagePlugin and WebPImagePlugin  # noqa: S101, PT018
    warnings.simplefilter("ignore")
    Image.MAX_IMAGE_PIXELS = media_types.MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)

    source = request.read(MAX_BYTES + 1)
    frames = media_types.frame_count(source)
    image = Image.open(io.BytesIO(source), formats=["JPEG", "PNG", "GIF", "WEBP"])
    if image.width * image.height > media_types.MAX_PIXELS:
        raise ValueError
    keep_moving = (
        purpose in ("post", "cache")
        and 1 < frames <= MAX_FRAMES
        and frames * image.width * image.height <= MAX_ANIMATION_PIXELS
    )
    if keep_moving:
        result, first, kind = _animation(image, purpose)
    else:
        result, first, kind = _still(image, purpose)
    facts = {
        "media_type": kind,
        "width": first.width,
        "height": first.height,
        "blurhash": blurhash(first),
    }
    return facts, result


def _still(image: "Image.Image", purpose: Purpose) -> "tuple[bytes, Image.Image, str]":
    came_as = image.format
    width, height, cut = BOXES[purpose]
    # JPEG can be decoded at a half, a quarter or an eighth: a quick way to less than 4096 pixels.
    image.draft(None, (2048, 2048))
    image.load()
    orientation = _orientation(image)
    profile = image.info.get("icc_profile")
    image = _plain_mode(image)
    image.thumbnail((2048, 2048), reducing_gap=2.0)
    image = _in_srgb(image, profile)
    image = _upright(image, orientation)
    if cut:
        image = _cut(image, width, height)
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")  # a screenshot with transparency that it does not use
    opaque = image.mode == "RGB"
    if purpose == "cache":
        return _written(image, "WEBP", quality=WEBP_QUALITY, method=2), image, "image/webp"
    if not opaque or (purpose == "post" and came_as in ("PNG", "GIF")):
        return _written(image, "PNG"), image, "image/png"
    return (
        _written(image, "JPEG", quality=JPEG_QUALITY, progressive=True, optimize=True),
        image,
        "image/jpeg",
    )


def _animation(image: "Image.Image", purpose: Purpose) -> "tuple[bytes, Image.Image, str]":
    from PIL import ImageSequence

    came_as = image.format
    width, height, _ = BOXES[purpose]
    frames: list[Image.Image] = []
    durations: list[int] = []
    for frame in ImageSequence.Iterator(image):
        if len(frames) == MAX_FRAMES:
            break
        copy = frame.convert("RGBA")
        copy.thumbnail((width, height))
        copy.info = {}
        frames.append(copy)
        durations.append(int(frame.info.get("duration") or DEFAULT_FRAME_MS))
    rest = {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": 0}
    if came_as == "GIF" and purpose == "post":
        return _written(frames[0], "GIF", disposal=2, **rest), frames[0], "image/gif"
    written = _written(frames[0], "WEBP", quality=WEBP_QUALITY, method=1, **rest)
    return written, frames[0], "image/webp"


def _plain_mode(image: "Image.Image") -> "Image.Image":
    if image.mode in ("RGB", "RGBA"):
        return image
    if image.mode == "CMYK":
        return image.convert("RGB")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _orientation(image: "Image.Image") -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # a broken EXIF block says nothing about the picture
        return 1


def _upright(image: "Image.Image", orientation: int) -> "Image.Image":
    from PIL.Image import Transpose

    turn = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(orientation)
    return image if turn is None else image.transpose(turn)


def _in_srgb(image: "Image.Image", profile: bytes | None) -> "Image.Image":
    """Convert colours by the picture's profile, which is dropped: telephones write Display P3."""
    if not profile:
        return image
    try:
        import io

        from PIL import ImageCms

        converted = ImageCms.profileToProfile(
            image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        )
    except Exception:  # a broken or foreign profile: the colours as they are
        return image
    return image if converted is None else converted


def _cut(image: "Image.Image", width: int, height: int) -> "Image.Image":
    """Cut the middle out in the shape of width x height, and scale it down to that, never up."""
    scale = min(image.width / width, image.height / height)
    part_width, part_height = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (image.width - part_width) // 2, (image.height - part_height) // 2
    return image.resize(
        (min(width, part_width), min(height, part_height)),
        box=(left, top, left + part_width, top + part_height),
    )


def _written(image: "Image.Image", kind: str, **options: object) -> bytes:
    import io

    # What a plugin finds in `info` or `_exif` it writes again: EXIF, XMP, comments, ICC.
    bare = image.copy()
    bare.info = {}
    target = io.BytesIO()
    bare.save(target, kind, **options)
    return target.getvalue()


def blurhash(image: "Image.Image") -> str:
    """Describe a picture in 28 characters that apps draw as a blurred preview.

    Source: https://github.com/woltapp/blurhash/blob/master/Algorithm.md
    """
    small = image.convert("RGB").resize((BLURHASH_SIDE, BLURHASH_SIDE))
    raw = small.tobytes()
    linear = [_to_linear(value) for value in range(256)]
    across, down = BLURHASH_COMPONENTS
    side = range(BLURHASH_SIDE)
    waves = [
        [math.cos(math.pi * number * at / BLURHASH_SIDE) for at in side]
        for number in range(max(across, down))
    ]
    rows = [
        [[linear[raw[3 * (y * BLURHASH_SIDE + x) + c]] for x in side] for c in range(3)]
        for y in side
    ]
    factors: list[tuple[float, ...]] = []
    for j in range(down):
        for i in range(across):
            weight = (1 if i == j == 0 else 2) / BLURHASH_SIDE**2
            wave = waves[i]
            factors.append(
                tuple(
                    weight
                    * sum(waves[j][y] * sum(map(float.__mul__, wave, rows[y][c])) for y in side)
                    for c in range(3)
                )
            )
    constant, *changing = factors
    largest = max(abs(value) for factor in changing for value in factor)
    step = max(0, min(82, math.floor(largest * 166 - 0.5)))
    text = _base83((across - 1) + (down - 1) * 9, 1) + _base83(step, 1)
    red, green, blue = (_to_srgb(value) for value in constant)
    text += _base83((red << 16) + (green << 8) + blue, 4)
    for factor in changing:
        r, g, b = (_quantised(value * 166 / (step + 1)) for value in factor)
        text += _base83((r * 19 + g) * 19 + b, 2)
    return text


def _quantised(value: float) -> int:
    return max(0, min(18, math.floor(math.copysign(math.sqrt(abs(value)), value) * 9 + 9.5)))


def _to_linear(value: int) -> float:
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def _to_srgb(value: float) -> int:
    share = max(0.0, min(1.0, value))
    bent = share * 12.92 if share <= 0.0031308 else 1.055 * share ** (1 / 2.4) - 0.055
    return int(bent * 255 + 0.5)


def _base83(value: int, length: int) -> str:
    return "".join(_BASE83[value // 83**place % 83] for place in range(length - 1, -1, -1))


if __name__ == "__main__":
    sys.exit(main())
