"""Pictures, decoded and written anew by Pillow. For the child process alone."""

import io
import warnings

from PIL import (
    GifImagePlugin,
    Image,
    ImageCms,
    ImageSequence,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)
from PIL.Image import Transpose

from microfedi.imagework import blurhash, likeness
from microfedi.protocol import media_types

# Pixels of the result: (width, height) and whether it is cut to that shape or just fits into it.
BOXES: dict[str, tuple[int, int, bool]] = {
    "post": (2048, 2048, False),
    "avatar": (400, 400, True),
    "header": (1500, 500, True),
    "cache": (2048, 2048, False),
    "emoji": (128, 128, False),
}
# Where an animation stays one.
_MOVING = ("post", "cache", "emoji")
# An animation of more frames, or of more pixels in all frames together, becomes its first frame:
# writing 30 million pixels takes about 5 s.
MAX_FRAMES = 300
MAX_ANIMATION_PIXELS = 30_000_000
# Milliseconds that a frame stays if it does not say so itself.
DEFAULT_FRAME_MS = 100

JPEG_QUALITY = 85
WEBP_QUALITY = 80


def rewritten(source: bytes, purpose: str) -> tuple[dict[str, object], bytes]:
    """Return what is to be known of a picture, and its bytes, written anew.

    Raises: anything, for a broken one.
    """
    assert GifImagePlugin and JpegImagePlugin and PngImagePlugin and WebPImagePlugin  # noqa: S101, PT018
    warnings.simplefilter("ignore")
    # Of the picture, and of each frame of it.
    Image.MAX_IMAGE_PIXELS = media_types.MAX_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)

    frames = media_types.frame_count(source)
    image = Image.open(io.BytesIO(source), formats=["JPEG", "PNG", "GIF", "WEBP"])
    keep_moving = (
        purpose in _MOVING
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
        "blurhash": blurhash.of(first),
        "likeness": likeness.of(first),
    }
    return facts, result


def _still(image: Image.Image, purpose: str) -> tuple[bytes, Image.Image, str]:
    came_as = image.format
    width, height, cut = BOXES[purpose]
    # JPEG can be decoded at a half, a quarter or an eighth: a quick way to less than 4096 pixels.
    image.draft(None, (2048, 2048))
    image.load()
    orientation = _orientation(image)
    profile = image.info.get("icc_profile")
    image = _plain_mode(image)
    image.thumbnail((2048, 2048) if cut else (width, height), reducing_gap=2.0)
    image = _in_srgb(image, profile)
    image = _upright(image, orientation)
    if cut:
        image = _cut(image, width, height)
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")  # a screenshot with transparency that it does not use
    opaque = image.mode == "RGB"
    if purpose == "cache":
        return written(image, "WEBP", quality=WEBP_QUALITY, method=2), image, "image/webp"
    if not opaque or purpose == "emoji" or (purpose == "post" and came_as in ("PNG", "GIF")):
        return written(image, "PNG"), image, "image/png"
    return (
        written(image, "JPEG", quality=JPEG_QUALITY, progressive=True, optimize=True),
        image,
        "image/jpeg",
    )


def _animation(image: Image.Image, purpose: str) -> tuple[bytes, Image.Image, str]:
    came_as = image.format
    width, height, _ = BOXES[purpose]
    frames: list[Image.Image] = []
    durations: list[int] = []
    for frame in ImageSequence.Iterator(image):
        if len(frames) == MAX_FRAMES:
            break
        copy = frame.convert("RGBA")
        copy.thumbnail((width, height))
        frames.append(copy)
        durations.append(int(frame.info.get("duration") or DEFAULT_FRAME_MS))
    rest = {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": 0}
    if came_as == "GIF" and purpose != "cache":
        return written(frames[0], "GIF", disposal=2, **rest), frames[0], "image/gif"
    webp = written(frames[0], "WEBP", quality=WEBP_QUALITY, method=1, **rest)
    return webp, frames[0], "image/webp"


def _plain_mode(image: Image.Image) -> Image.Image:
    if image.mode in ("RGB", "RGBA"):
        return image
    if image.mode == "CMYK":
        return image.convert("RGB")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # a broken EXIF block says nothing about the picture
        return 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
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


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert colours by the picture's profile, which is dropped: telephones write Display P3."""
    if not profile:
        return image
    try:
        converted = ImageCms.profileToProfile(
            image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        )
    except Exception:  # a broken or foreign profile: the colours as they are
        return image
    return image if converted is None else converted


def _cut(image: Image.Image, width: int, height: int) -> Image.Image:
    """Cut the middle out in the shape of width x height, and scale it down to that, never up."""
    scale = min(image.width / width, image.height / height)
    part_width, part_height = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (image.width - part_width) // 2, (image.height - part_height) // 2
    return image.resize(
        (min(width, part_width), min(height, part_height)),
        box=(left, top, left + part_width, top + part_height),
    )


def written(image: Image.Image, kind: str, **options: object) -> bytes:
    """Write a picture as a file, with nothing but its pixels."""
    # What a plugin finds in `info` or `_exif` it writes again: EXIF, XMP, comments, ICC.
    bare = image.copy()
    bare.info = {}
    target = io.BytesIO()
    bare.save(target, kind, **options)
    return target.getvalue()
