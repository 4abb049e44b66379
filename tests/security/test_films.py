"""Catalogue S-097, S-100, S-101: hostile films and sounds, and what gives their makers away."""

import asyncio
import contextlib
import functools
import io
import json
import struct
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from microfedi import imagework
from microfedi.errors import InvalidInput
from tests import films
from tests.films import box

SECRET = b"SECRET of the file beside it"


async def copied(data: bytes) -> imagework.Picture:
    return await imagework.remux(io.BytesIO(data))


async def is_refused(data: bytes) -> bool:
    """True if nothing comes of it; what is wrong is said in words, and nothing else happens."""
    try:
        await copied(data)
    except InvalidInput as problem:
        return bool(str(problem))
    return False


def lists(secret: Path) -> dict[str, bytes]:
    """Files that only name others: FFmpeg would open those."""
    hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    concat = f"ffconcat version 1.0\nfile {secret}\n"
    dash = f'<?xml version="1.0"?><MPD><BaseURL>file://{secret}</BaseURL></MPD>'
    return {
        "m3u8": hls.encode(),
        "concat": concat.encode(),
        "dash": dash.encode(),
        "sdp": b"v=0\nc=IN IP4 127.0.0.1\nm=video 5000 RTP/AVP 96\n",
        "xspf": b'<?xml version="1.0"?><playlist><location>file:///etc/passwd</location></playlist>',
        "subfile": f"subfile,,start,0,end,9,,:{secret}".encode(),
        "m3u8 after a title": b"ID3\x04\x00\x00\x00\x00\x00\x00" + hls.encode(),
        "m3u8 in an mp4": box(b"ftyp", b"isom\x00\x00\x00\x00isom") + hls.encode(),
        "m3u8 in a webm": b"\x1aE\xdf\xa3\x87B\x82\x84webm" + hls.encode(),
        "m3u8 in an ogg": b"OggS" + hls.encode(),
        "concat in a wav": b"RIFF\x00\x01\x00\x00WAVEfmt " + concat.encode(),
        "concat in a flac": b"fLaC" + concat.encode(),
    }


@pytest.mark.parametrize("name", list(lists(Path("/x"))))
async def test_s_100_a_list_of_files_is_no_film(name: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(films.a_film())

    assert await is_refused(lists(secret)[name])


def elsewhere(film: bytes, path: str) -> bytes:
    """Say of a QuickTime film with one track that its data lie in another file."""
    at = path.encode()
    alias = (
        bytes(10) + b"\x01v" + bytes(26) + bytes(12) + b"\x01f" + bytes(62) + bytes(16)
        + struct.pack(">HH", 1, 1) + bytes(16) + struct.pack(">hH", 2, len(at)) + at
        + b"\x00" * (len(at) % 2) + struct.pack(">h", -1) + bytes(64)
    )  # fmt: skip
    start = film.index(b"dref") - 4
    old_size = struct.unpack_from(">I", film, start)[0]
    new = box(b"dref", struct.pack(">II", 0, 1) + box(b"alis", bytes(4) + alias))
    longer = bytearray(film[:start] + new + film[start + old_size :])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):  # the boxes around it
        place = longer.index(name, longer.index(b"moov")) - 4
        size = struct.unpack_from(">I", longer, place)[0]
        struct.pack_into(">I", longer, place, size + len(new) - old_size)
    return bytes(longer)


async def test_s_100_what_lies_in_another_file_stays_there(tmp_path: Path) -> None:
    film = films.a_film("mov", audio=None, about={})
    secret = tmp_path / "secret.mov"
    secret.write_bytes(SECRET * 1000)

    for path in (str(secret), f"file://{secret}", "https://inside.example/x"):
        outcome = b""
        with contextlib.suppress(InvalidInput):
            outcome = (await copied(elsewhere(film, path))).data
        assert SECRET not in outcome
        assert b"mdat" not in outcome or films.frames_of(outcome)[0] == 0


async def test_s_100_the_child_can_open_nothing_while_it_reads_a_film() -> None:
    program = """
import io, json, socket, sys
from microfedi.imagework import __main__ as child, films
tried = []
def remuxed(source, kind):
    for what in (lambda: open("/etc/hostname"), socket.socket):
        try:
            what()
        except OSError as error:
            tried.append(error.errno)
    raise films.Refused(json.dumps(tried))
films.remuxed = remuxed
child.main()
"""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )

    answer, _ = await child.communicate(b'{"work": "film", "type": "video/mp4"}\nx')

    too_many_files = 24
    assert json.loads(json.loads(answer)["refused"]) == [too_many_files, too_many_files]


async def test_s_100_a_header_that_lies_about_the_duration_does_not_matter() -> None:
    film = films.a_film(seconds=2)
    at = film.index(b"mvhd") + 4
    scale, _ = struct.unpack_from(">II", film, at + 12)
    ten_hours = struct.pack(">I", min(2**32 - 1, scale * 36_000))
    lying = film[: at + 16] + ten_hours + film[at + 20 :]

    assert (await copied(lying)).duration_s == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("kind", ["mp4", "webm", "mp3", "ogg", "flac", "wav"])
async def test_s_100_what_is_cut_off_anywhere_harms_nobody(kind: str) -> None:
    options: dict[str, dict[str, Any]] = {
        "webm": {"video": "libvpx", "audio": "libopus"},
        "mp3": {"video": None, "audio": "libmp3lame"},
        "ogg": {"video": None, "audio": "libopus"},
        "flac": {"video": None, "audio": "flac"},
        "wav": {"video": None, "audio": "pcm_s16le"},
    }
    whole = films.a_film(kind, **options.get(kind, {}))
    for part in (1, 12, 40, 0.05, 0.3, 0.5, 0.8, 0.99):
        cut = whole[: part if isinstance(part, int) else int(len(whole) * part)]
        try:
            film = await copied(cut)
        except InvalidInput:
            continue
        assert film.duration_s is not None
        assert film.duration_s <= 2.1
        assert not [secret for secret in films.SECRETS if secret in film.data]


@pytest.mark.parametrize("seed", range(8))
async def test_s_100_noise_in_a_film_harms_nobody(seed: int) -> None:
    film = bytearray(films.a_film())
    for place in range(seed, len(film), 97):
        film[place] ^= 0x55 + seed

    try:
        copy = await copied(bytes(film))
    except InvalidInput:
        return
    assert copy.media_type in ("video/mp4", "audio/mp4")


async def test_s_100_a_compressed_index_of_two_gigabytes_is_not_unpacked() -> None:
    packed = zlib.compress(bytes(50_000_000))  # 50 kB
    claimed = struct.pack(">I", 2**31 - 1)
    index = box(b"cmov", box(b"dcom", b"zlib") + box(b"cmvd", claimed + packed))
    bomb = box(b"ftyp", b"qt  \x00\x00\x00\x00qt  ") + box(b"moov", index)

    assert await is_refused(bomb)


@pytest.mark.parametrize("table", [b"stsz", b"stts", b"stco", b"stsc", b"ctts"])
async def test_s_100_a_table_that_claims_to_be_endless_is_not_believed(table: bytes) -> None:
    film = films.a_film()
    if table not in film:
        table = b"stsz"
    at = film.index(table) + (12 if table == b"stsz" else 8)
    lying = film[:at] + b"\x7f\xff\xff\xff" + film[at + 4 :]
    try:
        copy = await copied(lying)
    except InvalidInput:
        return
    assert len(copy.data) < 10 * len(film)


async def test_s_100_a_webm_that_unpacks_to_gigabytes_is_refused() -> None:
    def element(number: str, content: bytes) -> bytes:
        return bytes.fromhex(number) + (1 << 56 | len(content)).to_bytes(8, "big") + content

    packed_by_zlib = element("5034", element("4254", b"\x00"))
    encoding = element("6240", element("5031", b"\x00") + packed_by_zlib)
    track = element(
        "ae",
        element("d7", b"\x01")
        + element("73c5", b"\x01")
        + element("83", b"\x01")
        + element("86", b"V_VP8")
        + element("e0", element("b0", b"\x40") + element("ba", b"\x30"))
        + element("6d80", encoding),
    )
    packer = zlib.compressobj(1)
    zeros = bytes(16_000_000)
    bomb = b"".join(packer.compress(zeros) for _ in range(60)) + packer.flush()  # 4 MB for 960 MB
    block = element("a3", b"\x81\x00\x00\x80" + bomb)
    webm = (
        element("1a45dfa3", element("4282", b"webm"))[:4]
        + b"\x87B\x82\x84webm"
        + element(
            "18538067",
            element("1654ae6b", track) + element("1f43b675", element("e7", b"\x00") + block * 2),
        )
    )

    assert await is_refused(webm)


@functools.cache
def polyglots() -> dict[str, tuple[bytes, bytes]]:
    """Files that are something else as well, and what of it must be gone."""
    script = b"<script>alert(1)</script>"
    film = films.a_film()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("index.html", script)
    return {
        "a zip behind it": (film + archive.getvalue(), b"PK\x05\x06"),
        "a page behind it": (film + b"<!doctype html>" + script, script),
        "a page before it": (
            film[:32] + box(b"free", b"<!doctype html>" + script) + film[32:],
            script,
        ),
        "a page in its title": (films.a_film(about={"title": script.decode()}), script),
        "a program behind a sound": (
            films.a_film("mp3", video=None, audio="libmp3lame") + b"\x7fELF" + script,
            script,
        ),
    }


@pytest.mark.parametrize("name", list(polyglots()))
async def test_s_097_a_film_is_a_film_and_nothing_else(name: str) -> None:
    given, gone = polyglots()[name]
    assert gone in given
    try:
        film = await copied(given)
    except InvalidInput:
        return  # a box before it moved its index: also well
    assert gone not in film.data


@pytest.mark.parametrize(
    "name",
    ["svg", "html", "zip", "pdf", "program", "mkv", "avi", "mpeg-ts", "aac", "heic", "nothing"],
)
async def test_s_097_other_files_are_no_films(name: str) -> None:
    begins = {
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "html": b"<!doctype html><script>alert(1)</script>",
        "zip": b"PK\x03\x04",
        "pdf": b"%PDF-1.7",
        "program": b"\x7fELF",
        "mkv": b"\x1aE\xdf\xa3\x8bB\x82\x88matroska",
        "avi": b"RIFF\x00\x00\x00\x00AVI LIST",
        "mpeg-ts": b"G@\x00\x10",
        "aac": b"\xff\xf1\x50\x80",
        "heic": box(b"ftyp", b"heic\x00\x00\x00\x00mif1"),
        "nothing": b"",
    }
    assert await is_refused(begins[name])


@functools.cache
def given_away() -> dict[str, bytes]:
    """A film with something about its maker in every place that we know of."""
    film = films.a_film()
    place = b"SECRET +52.5200+013.4050/"
    xmp = bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + b"<x:xmpmeta>SECRET</x:xmpmeta>"
    user = box(b"udta", box(b"\xa9xyz", struct.pack(">HH", len(place), 0x15C7) + place))
    return {
        "in words of the file and its tracks": film,
        "in an XMP packet": film + box(b"uuid", xmp),
        "in user data behind it": film + box(b"moov", user),
        "in free space": film + box(b"skip", b"SECRET"),
        "in an index for searching": film + box(b"meta", b"SECRET"),
        "in quicktime's keys": films.a_film("mov", muxer={"movflags": "use_metadata_tags"}),
        "in matroska tags": films.a_film("webm", video="libvpx", audio="libopus"),
        "in comments of vorbis": films.a_film("webm", video="libvpx", audio="vorbis"),
        "in ID3 tags": films.a_film(
            "mp3", video=None, audio="libmp3lame", muxer={"write_id3v1": "1"}
        ),
        "in APE tags": films.a_film("mp3", video=None, audio="libmp3lame", about={})
        + b"APETAGEX" + struct.pack("<IIIIQ", 2000, 59, 1, 1 << 31, 0)
        + struct.pack("<II", 6, 0) + b"Title\x00SECRET"
        + b"APETAGEX" + struct.pack("<IIIIQ", 2000, 52, 1, 1 << 31, 0),
        "in the lists of a wav": films.a_film("wav", video=None, audio="pcm_s16le"),
        "in a broadcast wav": films.a_film(
            "wav", video=None, audio="pcm_s16le", about={"description": "SECRET"},
            muxer={"write_bext": "1"},
        ),
        "in comments of ogg": films.a_film("ogg", video=None, audio="libopus"),
        "in comments of flac": films.a_film("flac", video=None, audio="flac"),
        "behind a flac": films.a_film("flac", video=None, audio="flac", about={})
        + b"TAG" + b"SECRET".ljust(125, b"\x00"),
        "behind an ogg": films.a_film("ogg", video=None, audio="libopus", about={}) + b"SECRET",
        "behind a wav": films.a_film("wav", video=None, audio="pcm_s16le", about={}) + b"SECRET",
    }  # fmt: skip


@pytest.mark.parametrize("where", list(given_away()))
async def test_s_101_nothing_of_its_maker_is_left(where: str) -> None:
    given = given_away()[where]
    assert any(secret in given for secret in films.SECRETS), "the test gives nothing away"

    film = await copied(given)

    assert not [secret for secret in films.SECRETS if secret in film.data]
    if film.poster is not None:
        assert not [secret for secret in films.SECRETS if secret in film.poster.data]


async def test_s_101_what_cameras_write_between_the_pictures_is_gone() -> None:
    film = films.a_film("mp4", about={})
    # x264 signs its first picture: so do cameras, with place and time (MDPM).
    assert b"x264 - core" in film

    copy = await copied(film)

    assert b"x264 - core" not in copy.data
    assert films.frames_of(copy.data)[0] == films.frames_of(film)[0]


async def test_s_101_tracks_of_sensors_are_not_copied() -> None:
    import av

    target = io.BytesIO()
    source = films.a_film(about={})
    with av.open(io.BytesIO(source), "r") as given, av.open(target, "w", format="mp4") as out:
        copies = {one.index: out.add_stream_from_template(one) for one in given.streams}
        words = out.add_mux_stream("mov_text")
        for packet in given.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream_index]
                out.mux(packet)
        text = av.Packet(struct.pack(">H", 22) + b"SECRET 52.5200 13.4050")
        text.stream, text.pts, text.dts, text.duration = words, 0, 0, 1000
        out.mux(text)
    assert b"SECRET 52.5200" in target.getvalue()

    film = await copied(target.getvalue())

    assert not [secret for secret in films.SECRETS if secret in film.data]
    with av.open(io.BytesIO(film.data), "r") as again:
        assert [one.type for one in again.streams] == ["video", "audio"]
