"""Films and sounds, copied into fresh files by FFmpeg's libraries (PyAV). For the child alone.

What is copied are the packets of one picture track and one sound track, nothing that was written
around them: titles, places, dates, covers, subtitles, chapters, tracks of sensors. What cameras
and encoders hide between the pictures of H.264 and AV1 goes too. Nothing is encoded anew; pictures
are decoded only for the still.

The kind of file is given, never guessed: lists that make FFmpeg open other files are no kind that
we give, and whatever a file refers to is not opened.
"""

import io
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any

import av
import av.subtitles.codeccontext
import av.subtitles.stream
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream
from PIL import Image

from microfedi.errors import MicrofediError
from microfedi.imagework import blurhash, pictures
from microfedi.protocol import media_types

# Pillow and PyAV load parts of themselves when they are first needed: soon no file can be opened.
Image.preinit()


class Refused(MicrofediError):
    """Why a file is not taken, in words for a person."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a type is read and written, and what may be in it."""

    demuxer: str
    muxer: str
    video: frozenset[str] = frozenset()
    audio: frozenset[str] = frozenset()


_MP4 = _Kind("mov", "mp4", frozenset({"h264", "vp9", "av1"}), frozenset({"aac", "mp3", "opus"}))
_WEBM = _Kind("matroska", "webm", frozenset({"vp8", "vp9", "av1"}), frozenset({"opus", "vorbis"}))
_KINDS = {
    "video/mp4": _MP4,
    "video/quicktime": _MP4,
    "video/webm": _WEBM,
    "audio/mp4": _Kind("mov", "mp4", audio=frozenset({"aac"})),
    "audio/mpeg": _Kind("mp3", "mp3", audio=frozenset({"mp3"})),
    "audio/ogg": _Kind("ogg", "ogg", audio=frozenset({"opus", "vorbis"})),
    "audio/flac": _Kind("flac", "flac", audio=frozenset({"flac"})),
    "audio/wav": _Kind(
        "wav", "wav", audio=frozenset({"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_f32le"})
    ),
}
# What a film is called after it was copied, and what a film is called that has no picture.
_WRITTEN_AS = {"video/quicktime": "video/mp4"}
_SOUND_OF = {"video/mp4": "audio/mp4", "video/webm": "audio/webm"}

# Decoders that may run at all, also while FFmpeg looks at what it has before it.
_DECODERS = (
    "h264,vp8,vp9,libdav1d,aac,mp3float,opus,vorbis,flac,pcm_u8,pcm_s16le,pcm_s24le,pcm_f32le"
)
# Lets through what pictures are made of: no SEI of H.264 (cameras write places and times there), no
# metadata of AV1, no types that have no meaning. Sources: H.264, table 7-1; AV1, 6.2.2.
_FILTERS = {
    "h264": "filter_units=pass_types=1-5|7-11|13-15|19-20",
    "av1": "filter_units=pass_types=1-4|6-7",
}

# Pixels of a picture of a film: 4K. Mastodon takes no larger ones.
MAX_FRAME_PIXELS = 3840 * 2160
# Packets in both tracks: an hour of sound has 170,000.
MAX_PACKETS = 2_000_000
MAX_SECONDS = 24 * 3600
# Frames from the start of which one becomes the still: the first ones are often black.
STILL_FRAMES = 25
STILL_SIDE = 1280  # pixels
# How different the darkest and the brightest of a still must be, of 255.
STILL_CONTRAST = 32

# What a fresh file may say about itself: how it is made, nothing about its content.
_TECHNICAL = frozenset(
    {"major_brand", "minor_version", "compatible_brands", "language", "handler_name", "encoder",
     "vendor_id", "duration"}
)  # fmt: skip
_HANDLERS = frozenset({"VideoHandler", "SoundHandler"})


def remuxed(
    source: io.BytesIO, media_type: str
) -> tuple[dict[str, object], list[bytes | memoryview]]:
    """Return what is to be known of a film or a sound, and the files: itself, then its still.

    Raises: Refused; anything else for a broken one.
    """
    kind = _KINDS[media_type]
    target = io.BytesIO()
    with _opened(source, kind) as given:
        video, audio = _tracks(given, kind)
        width, height = (video.width, video.height) if video else (0, 0)
        duration = _copied(given, [one for one in (video, audio) if one], target, kind)
    _see_that_it_is_clean(target, kind)
    media_type = _WRITTEN_AS.get(media_type, media_type)
    facts: dict[str, object] = {"blurhash": "", "duration_s": round(duration, 3)}
    files: list[bytes | memoryview] = []
    if video is None:
        media_type = _SOUND_OF.get(media_type, media_type)
    elif (still := _still(target, kind)) is not None:
        if (still.width > still.height) is not (width > height):
            width, height = height, width  # it is shown turned by a quarter
        facts["blurhash"] = blurhash.of(still)
        still.thumbnail((STILL_SIDE, STILL_SIDE))
        files = [pictures.written(still, "JPEG", quality=pictures.JPEG_QUALITY)]
        facts["poster"] = {
            "media_type": "image/jpeg",
            "width": still.width,
            "height": still.height,
            "blurhash": facts["blurhash"],
        }
    facts |= {"media_type": media_type, "width": width, "height": height}
    return facts, [target.getbuffer(), *files]


def _opened(source: io.BytesIO, kind: _Kind) -> InputContainer:
    source.seek(0)
    return av.open(
        source,
        "r",
        format=kind.demuxer,
        options={"codec_whitelist": _DECODERS, "protocol_whitelist": "none"},
        metadata_errors="replace",
        io_open=_nothing,
    )


def _nothing(url: str, flags: int, options: dict[str, str]) -> None:
    raise Refused("This file wants to read another one.")


def _tracks(given: InputContainer, kind: _Kind) -> tuple[VideoStream | None, AudioStream | None]:
    """Choose what is copied: the first picture track that is no cover, the first sound track.

    Raises: Refused if it is of a kind that not everybody can play.
    """
    films = [one for one in given.streams.video if not one.disposition & Disposition.attached_pic]
    video = films[0] if films and kind.video else None
    audio = given.streams.audio[0] if given.streams.audio else None
    if video is None and audio is None:
        raise Refused("There is neither a film nor a sound in this file.")
    for track, codecs in ((video, kind.video), (audio, kind.audio)):
        name = _codec(track) if track is not None else ""
        if name and name not in codecs:
            raise Refused(
                "What is in this file is %(kind)s, which many cannot play."
                " Please save it as MP4 (H.264 and AAC), WebM or MP3.",
                kind=name.upper(),
            )
    if video is not None and not 0 < video.width * video.height <= MAX_FRAME_PIXELS:
        raise Refused(
            "This film has %(width)s x %(height)s pixels; 3840 x 2160 are the limit.",
            width=video.width,
            height=video.height,
        )
    return video, audio


def _codec(track: Stream) -> str:
    """Return the name of the codec; the decoder that is used for it may be called otherwise."""
    return track.codec_context.codec.canonical_name if track.codec_context else "unknown"


def _copied(
    given: InputContainer, tracks: list[VideoStream | AudioStream], target: io.BytesIO, kind: _Kind
) -> float:
    """Copy the packets of the tracks into a fresh file; return how many seconds they last.

    Raises: Refused if it does not end; whatever FFmpeg raises for what is broken.
    """
    with av.open(
        target,
        "w",
        format=kind.muxer,
        options={
            "fflags": "+bitexact",  # it says neither who wrote it nor when
            **({"movflags": "+faststart"} if kind.muxer == "mp4" else {}),
            **({"id3v2_version": "0"} if kind.muxer == "mp3" else {}),
        },
        io_open=lambda url, flags, options: _Reader(target),
    ) as fresh:
        copies = {one.index: fresh.add_stream_from_template(one, opaque=True) for one in tracks}
        filters = {
            one.index: BitStreamFilterContext(_FILTERS[_codec(one)], one, copies[one.index])
            for one in tracks
            if _codec(one) in _FILTERS
        }
        for one in tracks:
            if _codec(one) == "vorbis":
                copies[one.index].codec_context.extradata = _without_comments(one)
        mp3 = {one.index for one in tracks if _codec(one) == "mp3"}
        spans = {one.index: _Span() for one in tracks}
        last = b""
        for number, packet in enumerate(given.demux(tracks)):
            if number > MAX_PACKETS:
                raise Refused("This file is too long.")
            index = packet.stream.index
            spans[index].add(packet)
            filtered = filters[index].filter(packet) if index in filters else [packet]
            for clean in filtered:
                if clean.dts is not None and (data := _data(clean, is_mp3=index in mp3)):
                    fresh.mux_one(_bare(clean, data, copies[index]))
                    last = data
    if kind.muxer == "flac":  # its frames have no size: what stands behind the last is taken for it
        target.truncate(target.getbuffer().nbytes - len(last) + _flac_frame_bytes(last))
    seconds = max(span.seconds for span in spans.values())
    if seconds > MAX_SECONDS:
        raise Refused("This file is too long.")
    return seconds


class _Span:
    """From when to when the packets of a track last, in seconds."""

    def __init__(self) -> None:
        self._start: Fraction | None = None
        self._end = Fraction(0)

    def add(self, packet: "Packet[Any]") -> None:
        if packet.pts is None or packet.time_base is None:
            return
        at = packet.pts * packet.time_base
        self._start = at if self._start is None else min(self._start, at)
        self._end = max(self._end, at + (packet.duration or 0) * packet.time_base)

    @property
    def seconds(self) -> float:
        return 0.0 if self._start is None else max(0.0, float(self._end - self._start))


class _Reader:
    """Reads a file while it is written: to move its index to its beginning, FFmpeg wants both."""

    def __init__(self, file: io.BytesIO) -> None:
        self._file = file
        self._at = 0

    def read(self, size: int) -> bytes:
        kept = self._file.tell()
        self._file.seek(self._at)
        piece = self._file.read(size)
        self._file.seek(kept)
        self._at += len(piece)
        return piece

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        end = self._file.getbuffer().nbytes
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: end}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        """The file is closed by whoever opened it."""


def _data(packet: "Packet[Any]", *, is_mp3: bool) -> bytes:
    """Return what is in a packet; of MP3 exactly one frame, without what stands behind the last."""
    data = bytes(packet)
    if not is_mp3:
        return data
    size = media_types.mp3_frame_bytes(data)
    return data[:size] if size is not None and size <= len(data) else b""


def _flac_frame_bytes(data: bytes) -> int:
    """Return how long the FLAC frame is that begins here; what follows it is something else.

    It ends with a checksum of all before, so that the checksum of all of it is zero.

    Source: RFC 9639, 9.3.
    Raises: Refused if it has no end.
    """
    table = []
    for byte in range(256):
        value = byte << 8
        for _ in range(8):
            value = value << 1 ^ (0x18005 if value & 0x8000 else 0)
        table.append(value)
    checksum = end = 0
    for at, byte in enumerate(data, 1):
        checksum = (checksum << 8 & 0xFFFF) ^ table[checksum >> 8 ^ byte]
        if not checksum:
            end = at
    if data and not end:
        raise Refused("The end of this file is missing.")
    return end


def _bare(packet: "Packet[Any]", data: bytes, track: Stream) -> "Packet[Any]":
    """Return a packet without what was attached to it: captions, changes of titles, blocks."""
    bare: Packet[Any] = Packet(data)
    bare.pts, bare.dts, bare.duration = packet.pts, packet.dts, packet.duration
    bare.time_base, bare.is_keyframe = packet.time_base, packet.is_keyframe
    bare.stream = track
    return bare


def _without_comments(track: Stream) -> bytes:
    """Return the three headers of Vorbis with an empty one in the middle, where the titles are.

    Source: Matroska codec mappings, A_VORBIS (lacing); Vorbis I, 5.2.1.
    """
    packed = track.codec_context.extradata or b""
    sizes, at = [], 1
    for _ in range(2):
        size = 0
        while packed[at] == 255:
            size, at = size + 255, at + 1
        sizes.append(size + packed[at])
        at += 1
    if packed[0] != 2 or sizes[0] > 254:
        raise Refused("The sound of this file is broken.")
    first, setup = packed[at : at + sizes[0]], packed[at + sum(sizes) :]
    empty = b"\x03vorbis" + bytes(8) + b"\x01"
    return bytes([2, len(first), len(empty)]) + first + empty + setup


def _see_that_it_is_clean(target: io.BytesIO, kind: _Kind) -> None:
    """Read what was written: should a library ever copy more than it is told, we do not pass it on.

    Raises: Refused.
    """
    with _opened(target, kind) as fresh:
        said = dict(fresh.metadata)
        for track in fresh.streams:
            said |= track.metadata
            if track.type not in ("video", "audio"):
                raise Refused("This file holds more than pictures and sound.")
        names = {name.lower() for name in said}
        handlers = {value for name, value in said.items() if name == "handler_name"}
        if names - _TECHNICAL or handlers - _HANDLERS or fresh.chapters():
            raise Refused("What is written in this file about you cannot be removed from it.")


def _still(target: io.BytesIO, kind: _Kind) -> Image.Image | None:
    """Return one of the first pictures of a film that shows something, upright; None if none can
    be decoded, as with rare kinds of H.264: it is a film all the same.
    """
    found: Image.Image | None = None
    try:
        with _opened(target, kind) as film:
            track = film.streams.video[0]
            track.thread_count = 1
            for frame in islice(film.decode(track), STILL_FRAMES):
                # `to_image` has no types.
                decoded: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
                image = decoded.rotate(frame.rotation, expand=True)
                found = found or image
                histogram = image.convert("L").histogram()
                seen = [level for level, count in enumerate(histogram) if count]
                if seen[-1] - seen[0] >= STILL_CONTRAST:
                    return image
    except av.FFmpegError:
        pass
    return found
