"""What bytes are, read from their first few."""

import struct
import zlib

import pytest

from microfedi.protocol import media_types

PNG = b"\x89PNG\r\n\x1a\n"


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _png(width: int, height: int, *more: bytes) -> bytes:
    header = _png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return PNG + header + b"".join(more) + _png_chunk(b"IEND", b"")


def _webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(name + struct.pack("<I", len(data)) + data for name, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (PNG, "image/png"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"\x00\x00\x00\x20ftypisom", "video/mp4"),
        (b"\x00\x00\x00\x20ftypmp42", "video/mp4"),
        (b"\x00\x00\x00\x20ftypM4A ", "audio/mp4"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", "video/webm"),
        (b"OggS\x00\x02" + bytes(22) + b"\x01\x1eOpusHead", "audio/ogg"),
        (b"fLaC\x00", "audio/flac"),
        (b"ID3\x04\x00", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"", None),
        (b"\xff\xd8", None),
        (b"\xff\xff\xff\xff", None),
        (b"\xff\xf1\x50\x80", None),  # AAC without a container
        (b"\xfe\xff\x00<\x00s", None),  # UTF-16
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"RIFF\x00\x00\x00\x00WAVE<htm", None),
        (b"RIFF\x00\x00\x00\x00AVI LIST", None),
        (b"\x00\x00\x00\x20ftypheic", None),
        (b"\x00\x00\x00\x20ftypavif", None),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska", None),
        (b"OggS\x00\x02" + bytes(22) + b"\x01\x2a\x80theora", None),
        (b"II*\x00", None),
        (b"8BPS\x00\x01", None),
        (b"%!PS-Adobe-3.0 EPSF", None),
        (b"SIMPLE  =                    T", None),
        (b"BM\x00\x00", None),
        (b"%PDF-1.7", None),
        (b"<?xml version='1.0'?><svg/>", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"<!doctype html>", None),
        (b'{"@context":"https://www.w3.org/ns/activitystreams"}', None),
    ],
)
def test_a_type_is_known_by_its_signature(head: bytes, expected: str | None) -> None:
    assert media_types.sniff(head) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (_png(65_000, 65_000), (65_000, 65_000)),
        (_png(0, 5), None),
        (PNG + b"\x00", None),
        (b"GIF89a\x40\x01\xf0\x00", (320, 240)),
        (b"GIF89a\x40", None),
        (b"\xff\xd8\xff\xe1\x00\x04ab\xff\xc2\x00\x11\x08\x00\xf0\x01\x40", (320, 240)),
        (b"\xff\xd8\xff\xe1\x00\x04ab\xff\xff\xc0\x00\x11\x08\x00\xf0\x01\x40", (320, 240)),
        (b"\xff\xd8\xff\xe1\xff\xffab", None),
        (b"\xff\xd8\xff\xda\x00\x02", None),
        (b"\xff\xd8\xff\xe1\x00\x00" * 10, None),
        (_webp((b"VP8X", b"\x10\x00\x00\x00\x3f\x01\x00\xef\x00\x00")), (320, 240)),
        (_webp((b"VP8 ", b"\x00\x00\x00\x9d\x01\x2a\x40\x01\xf0\x00")), (320, 240)),
        (_webp((b"VP8L", b"\x2f" + struct.pack("<I", 319 | 239 << 14))), (320, 240)),
        (b"RIFF\x00\x00\x00\x00WEBPVP8X", None),
        (b"RIFF\x00\x00\x00\x00WEBPEVIL", None),
        (b"fLaC", None),
    ],
)
def test_the_size_is_read_from_the_header(data: bytes, expected: tuple[int, int] | None) -> None:
    assert media_types.image_size(data) == expected


def _gif(frames: int) -> bytes:
    control = b"\x21\xf9\x04\x00\x05\x00\x00\x00"
    frame = control + b"\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00"
    return b"GIF89a\x01\x00\x01\x00\x80\x00\x00" + bytes(6) + frame * frames + b"\x3b"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (_gif(1), 1),
        (_gif(10_000), 10_000),
        (_gif(3)[:-20], 2),
        (b"GIF89a", 1),
        (_png(1, 1), 1),
        (_png(1, 1, _png_chunk(b"acTL", struct.pack(">II", 10_000, 0))), 10_000),
        (_png(1, 1, _png_chunk(b"acTL", b"")[:8]), 1),
        (_webp((b"VP8X", b"\x02" + bytes(9)), *[(b"ANMF", bytes(16))] * 7), 7),
        (_webp((b"VP8X", bytes(10)), (b"ANMF", bytes(16))), 1),
        (b"\xff\xd8\xff", 1),
    ],
)
def test_frames_are_counted_without_decoding(data: bytes, expected: int) -> None:
    assert media_types.frame_count(data) == expected


@pytest.mark.parametrize(
    "start", [PNG, b"GIF89a", b"\xff\xd8\xff", b"RIFF\x00\x00\x00\x00WEBPVP8X"]
)
@pytest.mark.parametrize("filling", [b"\x00", b"\xff", b"\x21", b"\x2c", b"\xff\xe1\x00\x00"])
def test_nonsense_has_an_end(start: bytes, filling: bytes) -> None:
    data = start + filling * 200_000

    media_types.image_size(data)

    assert media_types.frame_count(data) <= media_types.MAX_STEPS
