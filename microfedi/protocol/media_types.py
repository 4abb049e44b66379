"""What these bytes are: by signature, never by name or by what somebody says; sizes from headers.

Nothing is decoded here. What has no signature below is None: SVG, HTML, PDF, JSON, TIFF, HEIC ...
Everything reads a bounded number of bytes and steps, whatever the bytes claim.
"""

import struct

# Bytes from the start that `sniff` needs. The doctype of WebM stands within the first 64 or so.
SNIFF_BYTES = 512
# Pixels of one picture. A telephone of 2026 takes 12 to 50 million.
MAX_PIXELS = 50_000_000
# Pixels along one side. JPEG ends at 65,535, WebP at 16,383.
MAX_SIDE = 30_000
# Segments or blocks that are stepped over on the way to the size, or counted as frames.
MAX_STEPS = 100_000

IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
VIDEO_TYPES = frozenset({"video/mp4", "video/webm"})
AUDIO_TYPES = frozenset(
    {"audio/mpeg", "audio/ogg", "audio/mp4", "audio/flac", "audio/wav", "audio/webm"}
)
# What the owner may upload to be played: telephones make MOV, which becomes MP4.
PLAYED_TYPES = VIDEO_TYPES | AUDIO_TYPES | {"video/quicktime"}

_PNG = b"\x89PNG\r\n\x1a\n"
_MP4_BRANDS = frozenset(
    {
        b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"mp41",
        b"mp42", b"mp71", b"avc1", b"M4V ", b"M4VH", b"M4VP", b"dash", b"MSNV", b"XAVC", b"3gp4",
        b"3gp5",
    }
)  # fmt: skip
# What a sound file begins with; the latter three come before its format.
_WAV_CHUNKS = frozenset({b"fmt ", b"JUNK", b"LIST", b"bext"})
# Of MP3: kbit/s and samples a second, by their numbers in the header; the lower ones came later.
_MP3_KILOBITS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MP3_LOW_KILOBITS = (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MP3_HERTZ = (44_100, 48_000, 32_000)
# Start-of-frame markers of JPEG; C4, C8 and CC in between mean something else.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def sniff(head: bytes) -> str | None:
    """Return the media type of a file that starts with `head`, None if it is none that we take.

    >>> sniff(b"GIF89a......")
    'image/gif'
    >>> sniff(b"<svg xmlns='http://www.w3.org/2000/svg'>") is None
    True
    """
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(_PNG):
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "audio/wav" if head[12:16] in _WAV_CHUNKS else None
    if head[4:8] == b"ftyp":
        if head[8:12] in (b"M4A ", b"M4B "):
            return "audio/mp4"
        if head[8:12] == b"qt  ":
            return "video/quicktime"
        return "video/mp4" if head[8:12] in _MP4_BRANDS else None
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "video/webm" if b"B\x82\x84webm" in head[:SNIFF_BYTES] else None
    if head.startswith(b"OggS"):
        return None if b"\x80theora" in head[:SNIFF_BYTES] else "audio/ogg"
    if head.startswith(b"fLaC"):
        return "audio/flac"
    if head.startswith(b"ID3") or mp3_frame_bytes(head) is not None:
        return "audio/mpeg"
    return None


def image_size(data: bytes) -> tuple[int, int] | None:
    """Read width and height in pixels from the header of a JPEG, PNG, GIF or WebP.

    None if it is none of these, or ends before its size is told.

    >>> image_size(b"GIF89a" + struct.pack("<HH", 3, 2))
    (3, 2)
    """
    kind = sniff(data)
    try:
        if kind == "image/png" and data[12:16] == b"IHDR":
            width, height = struct.unpack_from(">II", data, 16)
        elif kind == "image/gif":
            width, height = struct.unpack_from("<HH", data, 6)
        elif kind == "image/webp":
            width, height = _webp_size(data)
        elif kind == "image/jpeg":
            width, height = _jpeg_size(data)
        else:
            return None
    except (struct.error, IndexError):
        return None
    return (width, height) if width and height else None


def frame_count(data: bytes) -> int:
    """Count the frames of an animated GIF, PNG or WebP without decoding one; 1 for all else.

    Stops at MAX_STEPS, and where the file ends early.
    """
    kind = sniff(data)
    try:
        if kind == "image/gif":
            return max(1, _gif_frames(data))
        if kind == "image/png":
            return max(1, _png_frames(data))
        if kind == "image/webp":
            return max(1, _webp_frames(data))
    except (struct.error, IndexError):
        return 1
    return 1


def mp3_frame_bytes(head: bytes) -> int | None:
    """Return how long the MP3 frame is that begins here, None if none does.

    Source: ISO 11172-3, 2.4.1.3; ISO 13818-3 for the lower rates.

    >>> mp3_frame_bytes(bytes.fromhex("fffb9064"))  # 128 kbit/s at 44.1 kHz
    417
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bitrate, sample_rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer != 1 or bitrate in (0, 15) or sample_rate == 3:
        return None
    is_first_version = version == 3
    kilobits = (_MP3_KILOBITS if is_first_version else _MP3_LOW_KILOBITS)[bitrate - 1]
    hertz = _MP3_HERTZ[sample_rate] >> {3: 0, 2: 1, 0: 2}[version]
    padding = head[2] >> 1 & 1
    return (144 if is_first_version else 72) * 1000 * kilobits // hertz + padding


def _jpeg_size(data: bytes) -> tuple[int, int]:
    position = 2
    for _ in range(MAX_STEPS):
        if data[position] != 0xFF:
            raise IndexError
        marker = data[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
        elif marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, position + 5)
            return width, height
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:  # markers without a length
            position += 2
        elif marker in (0xD9, 0xDA):  # the end, or pixels without a header before them
            raise IndexError
        else:
            position += 2 + max(2, struct.unpack_from(">H", data, position + 2)[0])
    raise IndexError


def _webp_size(data: bytes) -> tuple[int, int]:
    if data[12:16] == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return (width, height) if len(data) >= 30 else (0, 0)
    if data[12:16] == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if data[12:16] == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise IndexError


def _gif_frames(data: bytes) -> int:
    position = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    frames = 0
    for _ in range(MAX_STEPS):
        if position >= len(data) or data[position] == 0x3B:
            break
        if data[position] == 0x2C:
            frames += 1
            flags = data[position + 9] if position + 9 < len(data) else 0
            position += 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        elif data[position] == 0x21:
            position += 2
        else:
            break
        while position < len(data) and data[position]:
            position += data[position] + 1
        position += 1
    return frames


def _png_frames(data: bytes) -> int:
    position = 8
    for _ in range(MAX_STEPS):
        length, name = struct.unpack_from(">I4s", data, position)
        if name == b"acTL":
            return int(struct.unpack_from(">I", data, position + 8)[0])
        if name in (b"IDAT", b"IEND"):
            break
        position += length + 12
    return 1


def _webp_frames(data: bytes) -> int:
    if data[12:16] != b"VP8X" or not data[20] & 2:
        return 1
    position, frames = 12, 0
    for _ in range(MAX_STEPS):
        if position + 8 > len(data):
            break
        name, length = struct.unpack_from("<4sI", data, position)
        frames += name == b"ANMF"
        position += 8 + length + (length & 1)
    return frames
