"""Catalogue S-097, S-100 and S-101: hostile pictures, as far as the picture room sees them."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from microfedi import imagework
from microfedi.errors import InvalidInput
from microfedi.protocol import media_types

SECRET = b"52.5200N-13.4050E"


def _bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _png(width: int, height: int, pixels: bytes) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _long_gif(frames: int) -> bytes:
    frame = b"\x21\xf9\x04\x00\x05\x00\x00\x00" + b"\x2c" + bytes(4) + b"\x01\x00\x01\x00\x00"
    frame += b"\x02\x02\x44\x01\x00"
    return b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + bytes(6) + frame * frames + b"\x3b"


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<!doctype html><script>alert(1)</script>",
        b"alert(1)",
        b"%PDF-1.7\n",
        b'{"@context":"https://www.w3.org/ns/activitystreams","type":"Person"}',
        b"",
    ],
)
async def test_s_097_what_is_no_picture_is_refused_whatever_its_name(data: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        await imagework.reencode(data, purpose="post")

    assert caught.value.field == "image"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
async def test_s_097_of_a_picture_that_is_a_page_too_only_the_picture_is_left(kind: str) -> None:
    page = b'<script>alert(1)</script>{"type":"Person"}'
    polyglot = _bytes(Image.new("RGB", (9, 9), "red"), kind) + page

    picture = await imagework.reencode(polyglot, purpose="post")

    assert b"script" not in picture.data
    assert b"Person" not in picture.data


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (_png(65_000, 65_000, b""), "limit"),
        (_png(2**31 - 1, 2**31 - 1, b""), "limit"),
        (_png(50_000, 2, b""), "limit"),
        (b"GIF89a\xff\xff\xff\xff\x00\x00\x00;", "limit"),
        (b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03", "limit"),
        (b"\x89PNG\r\n\x1a\n", "broken"),
        (b"\xff\xd8\xff\xd9", "broken"),
        (b"GIF89a" + bytes(imagework.MAX_BYTES), "40 MB"),
    ],
    ids=["65,000 squared", "2^31 squared", "wide", "gif", "jpeg", "cut", "empty jpeg", "bytes"],
)
async def test_s_100_limits_are_checked_before_a_child_is_started(
    data: bytes, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/nonexistent")

    with pytest.raises(InvalidInput, match=expected):
        await imagework.reencode(data, purpose="post")


async def test_s_100_ten_thousand_frames_become_one() -> None:
    bomb = _long_gif(10_000)

    picture = await imagework.reencode(bomb, purpose="post")

    assert media_types.frame_count(bomb) == 10_000
    assert picture.media_type == "image/png"
    assert (picture.width, picture.height) == (1, 1)


@pytest.mark.parametrize("kind", ["TIFF", "EPS", "BMP", "PPM", "PCX", "TGA", "ICO", "JPEG2000"])
async def test_s_100_other_formats_are_refused(kind: str) -> None:
    with pytest.raises(InvalidInput, match="not a JPEG, PNG, GIF or WebP"):
        await imagework.reencode(_bytes(Image.new("RGB", (16, 16)), kind), purpose="post")


@pytest.mark.parametrize(
    "start", [b"8BPS\x00\x01" + bytes(26), b"SIMPLE  =                    T" + b" " * 2880]
)
async def test_s_100_psd_and_fits_are_refused(start: bytes) -> None:
    with pytest.raises(InvalidInput, match="not a JPEG, PNG, GIF or WebP"):
        await imagework.reencode(start, purpose="post")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(_bytes(Image.new("RGB", (16, 16)), "TIFF"), id="another format"),
        pytest.param(_bytes(Image.new("1", (8_000, 6_300)), "PNG"), id="more pixels"),
    ],
)
async def test_s_097_s_100_the_child_looks_for_itself(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server reads of a header may not be what the decoder reads."""
    monkeypatch.setattr(imagework, "_refuse_by_header", lambda data: None)

    with pytest.raises(InvalidInput, match="cannot be read"):
        await imagework.reencode(data, purpose="post")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
@pytest.mark.parametrize("part", [0.3, 0.6])
async def test_s_100_truncated_files_are_refused(kind: str, part: float) -> None:
    whole = _bytes(Image.effect_noise((200, 200), 80).convert("RGB"), kind)

    with pytest.raises(InvalidInput, match="cannot be read"):
        await imagework.reencode(whole[: int(len(whole) * part)], purpose="post")


async def test_s_100_pixels_that_are_not_what_the_header_says_are_refused() -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        await imagework.reencode(_png(100, 100, b"no zlib"), purpose="post")


async def test_s_100_a_gif_whose_frame_is_larger_than_itself_is_refused() -> None:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 60_000, 60_000, 0) + b"\x02\x02\x44\x01\x00"
    gif = b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + bytes(6) + frame + b";"

    with pytest.raises(InvalidInput, match="cannot be read"):
        await imagework.reencode(gif, purpose="post")


async def test_s_100_the_memory_of_the_child_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    # 16,383 x 3,000 as RGBA, its copies beside it: within the limits of the header, but decoding
    # needs more than a child may have.
    huge = _bytes(Image.new("RGBA", (16_383, 3_000), (1, 2, 3, 4)), "WEBP", lossless=True, method=0)

    with pytest.raises(InvalidInput, match="cannot be read"):
        await imagework.reencode(huge, purpose="post")


def _with_metadata(kind: str) -> bytes:
    """Make a picture that tells where it was taken in every way its format knows."""
    image = Image.new("RGB", (64, 48), "green")
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()  # ImageDescription
    exif[0x0112] = 3
    exif.get_ifd(0x8825)[0x001D] = SECRET.decode()  # in the GPS block
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + SECRET + b"</x:xmpmeta>"
    if kind == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Comment", SECRET.decode())
        texts.add_text("Zip", SECRET.decode(), zip=True)
        texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
        return _bytes(image, kind, exif=exif, pnginfo=texts)
    if kind == "WEBP":
        return _bytes(image, kind, exif=exif, xmp=xmp)
    if kind == "GIF":
        return _bytes(image, kind, comment=SECRET)
    jpeg = _bytes(image, kind, exif=exif, comment=SECRET)
    blocks = [
        (0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + xmp),
        (0xED, b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x11" + SECRET),  # IPTC
        (0xE2, b"MPF\x00" + SECRET),
    ]
    for marker, body in blocks:
        jpeg = jpeg[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + jpeg[2:]
    return jpeg


@pytest.mark.parametrize("purpose", ["post", "avatar", "header", "cache"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
async def test_s_101_nothing_tells_where_a_picture_was_taken(
    kind: str, purpose: imagework.Purpose
) -> None:
    told = _with_metadata(kind)
    assert SECRET in told

    picture = await imagework.reencode(told, purpose=purpose)

    assert SECRET not in picture.data
    decoded = Image.open(io.BytesIO(picture.data))
    decoded.load()
    assert not decoded.getexif()
    assert set(decoded.info) <= {
        *("jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"),
        *("background", "loop", "duration", "timestamp", "dpi"),
    }
    for mark in (b"Exif", b"eXIf", b"tEXt", b"iTXt", b"zTXt", b"xmpmeta", b"8BIM", b"XMP "):
        assert mark not in picture.data


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
async def test_s_101_nor_does_an_animation(kind: str) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    more: dict[str, object] = {"comment": SECRET} if kind == "GIF" else {"exif": exif}
    told = _bytes(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **more)
    assert SECRET in told

    picture = await imagework.reencode(told, purpose="post")

    assert SECRET not in picture.data
    assert media_types.frame_count(picture.data) == 3


async def test_the_child_is_of_the_package_that_runs_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "microfedi" / "imagework"
    elsewhere.mkdir(parents=True)
    (elsewhere.parent / "__init__.py").write_text("")
    (elsewhere / "__init__.py").write_text("")
    (elsewhere / "__main__.py").write_text(
        "import json, sys\n"
        "def main():\n"
        "    print(json.dumps({'refused': 'elsewhere', 'values': {}}), flush=True)\n"
    )
    monkeypatch.setattr(imagework, "_HOME", tmp_path)

    with pytest.raises(InvalidInput, match="elsewhere"):
        await imagework.reencode(_bytes(Image.new("RGB", (9, 9)), "PNG"), purpose="post")
