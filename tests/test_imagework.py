"""Pictures through the real child process."""

import asyncio
import io
import sys

import pytest
from PIL import Image

from microfedi import imagework
from microfedi.errors import InvalidInput
from microfedi.imagework import blurhash, pictures


def _image(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Draw red on the left half, blue on the right."""
    image = Image.new(mode, (width, height), "blue")
    image.paste(Image.new(mode, (width // 2, height), "red"), (0, 0))
    return image


def _bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def _animation(kind: str, *, frames: int = 3, size: tuple[int, int] = (40, 30)) -> bytes:
    pictures = [Image.new("RGB", size, (80 * number % 256, 0, 0)) for number in range(frames)]
    return _bytes(pictures[0], kind, save_all=True, append_images=pictures[1:], duration=70)


def _decoded(picture: imagework.Picture) -> Image.Image:
    return Image.open(io.BytesIO(picture.data))


@pytest.mark.parametrize(
    ("kind", "mode", "purpose", "expected"),
    [
        ("JPEG", "RGB", "post", "image/jpeg"),
        ("JPEG", "L", "post", "image/jpeg"),
        ("JPEG", "CMYK", "post", "image/jpeg"),
        ("PNG", "RGB", "post", "image/png"),
        ("PNG", "RGBA", "post", "image/png"),
        ("PNG", "P", "post", "image/png"),
        ("PNG", "1", "post", "image/png"),
        ("GIF", "P", "post", "image/png"),
        ("WEBP", "RGB", "post", "image/jpeg"),
        ("WEBP", "RGBA", "post", "image/png"),
        ("PNG", "RGB", "avatar", "image/jpeg"),
        ("PNG", "RGBA", "avatar", "image/png"),
        ("JPEG", "RGB", "cache", "image/webp"),
        ("PNG", "RGBA", "cache", "image/webp"),
    ],
)
async def test_a_picture_is_written_in_a_type_that_everybody_reads(
    kind: str, mode: str, purpose: imagework.Purpose, expected: str
) -> None:
    image = _image(64, 64).convert(mode)
    if mode == "RGBA":
        image.putpixel((0, 0), (0, 0, 0, 0))

    picture = await imagework.reencode(_bytes(image, kind), purpose=purpose)

    assert picture.media_type == expected
    assert (picture.width, picture.height) == (64, 64)
    assert _decoded(picture).size == (64, 64)
    assert len(picture.blurhash) == 28


@pytest.mark.parametrize(
    ("size", "purpose", "expected"),
    [
        ((3000, 1500), "post", (2048, 1024)),
        ((30, 20), "post", (30, 20)),
        ((900, 600), "avatar", (400, 400)),
        ((90, 60), "avatar", (60, 60)),
        ((3000, 2000), "header", (1500, 500)),
        ((600, 600), "header", (600, 200)),
        ((5000, 3), "header", (3, 1)),
        ((1, 1), "header", (1, 1)),
        ((1, 5000), "post", (1, 2048)),
    ],
)
async def test_a_picture_is_scaled_down_and_never_up(
    size: tuple[int, int], purpose: imagework.Purpose, expected: tuple[int, int]
) -> None:
    picture = await imagework.reencode(_bytes(_image(*size), "PNG"), purpose=purpose)

    assert (picture.width, picture.height) == expected
    assert _decoded(picture).size == expected


async def test_a_picture_taken_sideways_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter to the right: what was left is on top
    sideways = _bytes(_image(40, 20), "JPEG", exif=exif, quality=95)

    picture = await imagework.reencode(sideways, purpose="post")

    upright = _decoded(picture).convert("RGB")
    assert upright.size == (20, 40)
    top, bottom = upright.getpixel((10, 5)), upright.getpixel((10, 35))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[0] > 200 > bottom[0]
    assert bottom[2] > 200 > top[2]


@pytest.mark.parametrize(
    ("kind", "purpose", "expected", "frames"),
    [
        ("GIF", "post", "image/gif", 3),
        ("GIF", "cache", "image/webp", 3),
        ("WEBP", "post", "image/webp", 3),
        ("PNG", "post", "image/webp", 3),
        ("GIF", "avatar", "image/jpeg", 1),
    ],
)
async def test_a_small_animation_stays_one(
    kind: str, purpose: imagework.Purpose, expected: str, frames: int
) -> None:
    picture = await imagework.reencode(_animation(kind), purpose=purpose)

    assert picture.media_type == expected
    assert getattr(_decoded(picture), "n_frames", 1) == frames


async def test_an_animation_of_too_many_frames_becomes_the_first() -> None:
    long = _animation("GIF", frames=pictures.MAX_FRAMES + 1, size=(2, 2))

    picture = await imagework.reencode(long, purpose="post")

    assert picture.media_type == "image/png"


async def test_more_pictures_than_children_wait_for_their_turn() -> None:
    data = _bytes(_image(10, 10), "PNG")

    pictures = await asyncio.gather(
        *(imagework.reencode(data, purpose="cache") for _ in range(imagework.MAX_CHILDREN + 2))
    )

    assert {picture.media_type for picture in pictures} == {"image/webp"}


async def test_a_child_that_takes_too_long_is_ended() -> None:
    with pytest.raises(InvalidInput, match="too long"):
        await imagework.reencode(_bytes(_image(10, 10), "PNG"), purpose="post", timeout_s=0.0)


async def test_the_server_itself_does_without_pillow() -> None:
    check = "import sys, microfedi.imagework; print('PIL' in sys.modules, 'asyncio' in sys.modules)"
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-c", check), stdout=asyncio.subprocess.PIPE
    )

    printed, _ = await child.communicate()

    assert printed.split() == [b"False", b"False"]


async def test_transparency_that_is_not_used_is_dropped() -> None:
    picture = await imagework.reencode(_bytes(_image(9, 9, "RGBA"), "PNG"), purpose="avatar")

    assert picture.media_type == "image/jpeg"


def test_the_blurhash_of_black() -> None:
    # By hand: (4 - 1) + (3 - 1) * 9 = 21 is "L"; no wave at all is "0"; the colour 0 is "0000";
    # a wave of zero in three colours is (9 * 19 + 9) * 19 + 9 = 3429 = 41 * 83 + 26, "fQ".
    assert blurhash.of(Image.new("RGB", (8, 8), "black")) == "L00000" + "fQ" * 11


def test_the_blurhash_says_where_the_colours_are() -> None:
    turned = _image(32, 32).transpose(Image.Transpose.ROTATE_90)

    assert blurhash.of(_image(32, 32)) != blurhash.of(turned)
