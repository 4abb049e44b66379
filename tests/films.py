"""Films and sounds for tests: small and real, with everything in them that gives people away."""

import io
import struct
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import av
from av.video.stream import VideoStream

# What cameras, telephones and programs write beside pictures and sound.
PLACE = "+52.5200+013.4050/"
SECRETS = (b"SECRET", b"52.5200", b"5200+013")
ABOUT = {
    "title": "SECRET title",
    "artist": "SECRET artist",
    "comment": "SECRET comment",
    "location": PLACE,
    "creation_time": "2026-11-22T12:34:56Z",
    "make": "SECRET make",
}
RATE = 10  # pictures a second


def a_film(
    kind: str = "mp4",
    *,
    video: str | None = "libx264",
    audio: str | None = "aac",
    seconds: int = 2,
    size: tuple[int, int] = (64, 48),
    about: Mapping[str, str] = ABOUT,
    turned: float = 0,
    noise: bool = False,
    muxer: Mapping[str, str] | None = None,
) -> bytes:
    """Make a film (or, without `video`, a sound) of a few seconds: a grey that grows brighter.

    With `turned`, it says that it must be turned by so many degrees to be seen upright; with
    `noise`, nothing in it can be compressed.
    """
    target = io.BytesIO()
    with av.open(target, "w", format=kind, options=dict(muxer or {})) as out:
        out.metadata.update(about)
        tracks: list[Any] = []
        if video is not None:
            track = out.add_stream(video, rate=RATE)
            assert isinstance(track, VideoStream)
            track.width, track.height = size
            track.pix_fmt = "yuv420p"
            if turned:
                track.set_display_rotation(turned)
            tracks.append((track, _pictures(size, seconds, noise=noise)))
        if audio is not None:
            options = {"strict": "-2"} if audio == "vorbis" else {}
            sound: Any = out.add_stream(audio, rate=48_000, options=options)
            sound.layout = "stereo"
            tracks.append((sound, _silence(sound, seconds)))
        for track, _ in tracks:
            track.metadata["title"] = "SECRET track"
            track.metadata["handler_name"] = "SECRET handler"
        for track, frames in tracks:
            for frame in (*frames, None):
                out.mux(track.encode(frame))
    return target.getvalue()


def _pictures(size: tuple[int, int], seconds: int, *, noise: bool) -> list[av.VideoFrame]:
    frames = []
    random = 1
    for number in range(seconds * RATE):
        frame = av.VideoFrame(*size, "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        for plane in frame.planes:
            line = bytearray(plane.buffer_size)
            if noise:
                random = random * 6364136223846793005 + 1442695040888963407 & 2**64 - 1
                line = bytearray(_noise(random, plane.buffer_size))
            else:
                half = plane.buffer_size // 2
                line[:half] = bytes([min(255, 16 + number * 8)]) * half
            plane.update(bytes(line))
        frames.append(frame)
    return frames


def _noise(seed: int, size: int) -> bytes:
    import random

    return random.Random(seed).randbytes(size)  # noqa: S311 - no secret


def _silence(track: Any, seconds: int) -> list[av.AudioFrame]:
    samples = track.codec_context.frame_size or 1024
    if track.codec_context.name == "vorbis":
        samples = 64
    frames = []
    for number in range(seconds * 48_000 // samples):
        frame = av.AudioFrame(
            format=track.codec_context.format.name, layout="stereo", samples=samples
        )
        frame.sample_rate, frame.pts, frame.time_base = (
            48_000, number * samples, Fraction(1, 48_000),
        )  # fmt: skip
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frames.append(frame)
    return frames


def said(data: bytes) -> dict[str, str]:
    """Everything that a file says about itself and its tracks, in FFmpeg's words."""
    with av.open(io.BytesIO(data), "r") as film:
        found = dict(film.metadata)
        for track in film.streams:
            found |= track.metadata
    return found


def frames_of(data: bytes) -> tuple[int, int]:
    """How many pictures and how many samples can be decoded."""
    pictures = samples = 0
    with av.open(io.BytesIO(data), "r") as film:
        if film.streams.video:
            pictures = sum(1 for _ in film.decode(video=0))
    with av.open(io.BytesIO(data), "r") as film:
        if film.streams.audio:
            samples = sum(frame.samples for frame in film.decode(audio=0))
    return pictures, samples


def box(name: bytes, content: bytes) -> bytes:
    """An MP4 box."""
    return struct.pack(">I4s", len(content) + 8, name) + content
