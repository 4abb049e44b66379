"""Files for tests: pictures and films, small and real."""

import io
import struct

from PIL import Image


def a_png(colour: str = "red", size: tuple[int, int] = (8, 6)) -> bytes:
    """A small PNG."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def a_film(size: int) -> bytes:
    """The beginning of an MP4 with zeros after it."""
    return struct.pack(">I", 24) + b"ftypisom" + bytes(size - 12)
