"""Films and sounds through the real child process: what is copied, and what is left behind."""

import io
from typing import Any

import av
import pytest
from PIL import Image

from microfedi import imagework
from microfedi.errors import InvalidInput
from tests import films

KINDS: dict[str, tuple[dict[str, Any], str]] = {
    "mp4": ({}, "video/mp4"),
    "mov": ({"kind": "mov"}, "video/mp4"),
    "mp4 with VP9": ({"video": "libvpx-vp9"}, "video/mp4"),
    "mp4 with AV1": ({"video": "libsvtav1", "size": (64, 64)}, "video/mp4"),
    "mp4 without sound": ({"audio": None}, "video/mp4"),
    "mp4 with MP3": ({"audio": "libmp3lame"}, "video/mp4"),
    "webm": ({"kind": "webm", "video": "libvpx", "audio": "libopus"}, "video/webm"),
    "webm with VP9": ({"kind": "webm", "video": "libvpx-vp9", "audio": "vorbis"}, "video/webm"),
    "mp3": ({"kind": "mp3", "video": None, "audio": "libmp3lame"}, "audio/mpeg"),
    "ogg": ({"kind": "ogg", "video": None, "audio": "libopus"}, "audio/ogg"),
    "ogg with vorbis": ({"kind": "ogg", "video": None, "audio": "vorbis"}, "audio/ogg"),
    "m4a": ({"kind": "ipod", "video": None}, "audio/mp4"),
    "mp4 that is a sound": ({"video": None}, "audio/mp4"),
    "webm that is a sound": (
        {"kind": "webm", "video": None, "audio": "libopus"},
        "audio/webm",
    ),
    "flac": ({"kind": "flac", "video": None, "audio": "flac"}, "audio/flac"),
    "wav": ({"kind": "wav", "video": None, "audio": "pcm_s16le"}, "audio/wav"),
}


# How many samples are to be left out at the end of a sound is among what is not copied: 30 ms.
LOST_SAMPLES = 1500


async def copied(data: bytes) -> imagework.Picture:
    return await imagework.remux(io.BytesIO(data))


@pytest.mark.parametrize("name", list(KINDS))
async def test_pictures_and_sound_stay_and_nothing_else(name: str) -> None:
    options, expected = KINDS[name]
    given = films.a_film(**options)

    film = await copied(given)

    assert film.media_type == expected
    assert not [secret for secret in films.SECRETS if secret in film.data]
    assert films.said(film.data).keys() <= {
        "major_brand", "minor_version", "compatible_brands", "handler_name", "language", "encoder",
        "DURATION", "vendor_id",
    }  # fmt: skip
    assert b"Lavf6" not in film.data  # not even by what it was written
    pictures, samples = films.frames_of(film.data)
    given_pictures, given_samples = films.frames_of(given)
    assert pictures == given_pictures
    assert abs(samples - given_samples) <= LOST_SAMPLES
    assert film.duration_s == pytest.approx(2, abs=0.05)


async def test_a_film_has_a_size_a_still_and_a_preview() -> None:
    film = await copied(films.a_film(size=(320, 180)))

    assert (film.width, film.height) == (320, 180)
    assert len(film.blurhash) == 28
    assert film.poster is not None
    assert film.poster.media_type == "image/jpeg"
    still = Image.open(io.BytesIO(film.poster.data))
    assert still.size == (320, 180)
    assert not still.getexif()
    # The first picture is of one grey nearly: a later one is the still.
    dark, bright = still.convert("L").getextrema()
    assert isinstance(dark, int)
    assert isinstance(bright, int)
    assert bright - dark >= 25


async def test_a_sound_has_no_size_and_no_still() -> None:
    sound = await copied(films.a_film("mp3", video=None, audio="libmp3lame"))

    assert (sound.width, sound.height, sound.blurhash, sound.poster) == (0, 0, "", None)


async def test_a_film_taken_upright_stays_upright() -> None:
    film = await copied(films.a_film(size=(96, 64), turned=-90))

    assert (film.width, film.height) == (64, 96)
    assert film.poster is not None
    assert Image.open(io.BytesIO(film.poster.data)).size == (64, 96)
    with av.open(io.BytesIO(film.data), "r") as again:
        assert next(again.decode(video=0)).rotation == -90


async def test_the_still_is_turned_as_players_turn_the_film() -> None:
    # The upper half is bright. Turned by a quarter to the right, the bright half is on the right.
    film = await copied(films.a_film(size=(96, 64), turned=-90))

    assert film.poster is not None
    still = Image.open(io.BytesIO(film.poster.data)).convert("L")
    left, right = still.getpixel((8, 48)), still.getpixel((56, 48))
    assert isinstance(left, int)
    assert isinstance(right, int)
    assert right > left + 20


async def test_a_film_begins_with_its_index_so_that_it_plays_at_once() -> None:
    film = await copied(films.a_film())

    assert 0 < film.data.index(b"moov") < film.data.index(b"mdat")


async def test_a_cover_is_no_film() -> None:
    cover = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(cover, "JPEG")
    target = io.BytesIO()
    with av.open(target, "w", format="mp3") as out:
        sound = out.add_stream("libmp3lame", rate=48_000)
        sound.layout = "stereo"
        picture = out.add_stream("mjpeg", rate=1)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuvj420p"
        packet = av.Packet(cover.getvalue())
        packet.stream, packet.pts, packet.dts, packet.is_keyframe = picture, 0, 0, True
        out.mux(packet)
        for frame in (*films._silence(sound, 1), None):
            out.mux(sound.encode(frame))
    assert cover.getvalue()[300:400] in target.getvalue()

    sound_only = await copied(target.getvalue())

    assert sound_only.media_type == "audio/mpeg"
    assert cover.getvalue()[300:400] not in sound_only.data
    assert not sound_only.data.startswith(b"ID3")


@pytest.mark.parametrize("codec", ["libx265", "mpeg4"])
async def test_what_many_cannot_play_is_refused_with_advice(codec: str) -> None:
    with pytest.raises(InvalidInput, match=r"which many cannot play.*H\.264"):
        await copied(films.a_film(video=codec))


async def test_more_than_4k_is_refused() -> None:
    with pytest.raises(InvalidInput, match="4096 x 2304 pixels; 3840 x 2160"):
        await copied(films.a_film(size=(4096, 2304), seconds=1, audio=None))
