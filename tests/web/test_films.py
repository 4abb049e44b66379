"""Videos and sounds: uploaded with a form, sent to others, played from the middle, others' too."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from microfedi.config import Limits
from microfedi.federation import arriving, media_cache
from microfedi.protocol.vocab import Visibility
from microfedi.storage import files, media, notes
from tests import films
from tests.another_server import Answer, pieces
from tests.app_fixture import ACTIVITY, BASE_URL, App, an_app
from tests.web.pictures import a_png

BOB = "https://vic.example/users/bob"
FILM = "https://vic.example/media/1.mp4"

Files = list[tuple[str, tuple[str, bytes, str]]]


def uploaded(*contents: bytes) -> Files:
    return [("picture", (f"{n}.bin", data, "")) for n, data in enumerate(contents)]


async def composed(app: App, attached: Files, **fields: Any) -> httpx2.Response:
    data = {"source": "Look", "visibility": "public", "do": "publish_anyway", **fields}
    return await app.post("/compose", data, files=attached)


async def document_of(app: App, answer: httpx2.Response) -> Any:
    """The post that a form led to, as other servers get it."""
    assert answer.status_code == 303, answer.text
    return (await app.get(answer.headers["location"], **ACTIVITY)).json()


async def test_a_film_and_a_sound_are_published_as_what_they_are(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        kept = await app.post("/compose/media", files=uploaded(a_png()))
        answer = await composed(
            app,
            uploaded(
                films.a_film(size=(320, 180)),
                films.a_film("mp3", video=None, audio="libmp3lame"),
            ),
            file=kept.json()["name"],
            file_alt="A cat",
            file_focus="-0.67,0.67",
            alt=["Somebody dances", "A song"],
        )
        note = await document_of(app, answer)

        picture, film, sound = note["attachment"]
        assert (film["type"], sound["type"], picture["type"]) == ("Video", "Audio", "Image")
        assert (film["mediaType"], sound["mediaType"]) == ("video/mp4", "audio/mpeg")
        assert (film["width"], film["height"]) == (320, 180)
        assert film["name"] == film["summary"] == "Somebody dances"
        assert film["icon"]["type"] == "Image"
        assert len(film["blurhash"]) == 28
        assert "focalPoint" not in film
        assert picture["focalPoint"] == [-0.67, 0.67]
        for one in (film, sound):
            assert re.fullmatch(r"PT[12]\.[0-9]{3}S", one["duration"])
        assert "width" not in sound
        assert "blurhash" not in sound

        page = (await app.get(answer.headers["location"])).text
        assert 'alt="A cat" loading="lazy" class="at-left at-top"' in page
        assert re.search(r'<video src="[^"]*/media/[^"]+" poster="[^"]*/media/[^"]+"', page)
        assert 'aria-label="Somebody dances"' in page
        assert re.search(r'<audio src="[^"]*/media/[^"]+" controls preload="none"', page)
        still = await app.get(film["icon"]["url"].removeprefix(BASE_URL))
        assert still.headers["content-type"] == "image/jpeg"

        names = {file.name for file in app.ctx.config.media_dir.iterdir()}
        assert len(names) == 4  # three files and the still
        location = answer.headers["location"]
        found = await app.ctx.db.read(lambda r: notes.by_public_id(r, location.rsplit("/", 1)[1]))
        assert found is not None
        await app.post(f"/posts/{found.id}/delete")
        assert not list(app.ctx.config.media_dir.iterdir())


@pytest.mark.parametrize("visibility", [Visibility.PUBLIC, Visibility.FOLLOWERS])
async def test_a_film_is_played_from_where_one_likes(
    visibility: Visibility, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PIECE_BYTES", 1000)  # so that a small film has many
    async with an_app(tmp_path) as app:
        await app.login()
        made = films.a_film()
        answer = await composed(app, uploaded(made), visibility=visibility.value)
        (row,) = [one for one in (await app.rows())["media"] if one[1] == "video/mp4"]
        path, size = f"/media/{row[0]}", row[2]
        assert answer.status_code == 303

        whole = await app.get(path)
        assert whole.status_code == 200
        assert whole.headers["accept-ranges"] == "bytes"
        data = whole.content
        assert len(data) == size > 3000
        assert films.frames_of(data)[0] == films.frames_of(made)[0]
        for wanted, start, stop in [
            ("bytes=0-0", 0, 1),
            ("bytes=0-999", 0, 1000),
            ("bytes=999-1000", 999, 1001),
            ("bytes=1000-2999", 1000, 3000),
            ("bytes=1500-", 1500, size),
            ("bytes=-7", size - 7, size),
            (f"bytes={size - 1}-{size + 500}", size - 1, size),
            ("bytes=-999999999", 0, size),
        ]:
            part = await app.get(path, range=wanted)
            assert part.status_code == 206, wanted
            assert part.content == data[start:stop], wanted
            assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
            assert part.headers["content-length"] == str(stop - start)
        for beyond in (f"bytes={size}-", "bytes=999999999-", "bytes=-0"):
            refused = await app.get(path, range=beyond)
            assert refused.status_code == 416
            assert refused.headers["content-range"] == f"bytes */{size}"
        for odd in ("bytes=5-2", "bytes=0-1,5-6", "chunks=0-5", "bytes=a-b", "bytes=", "x" * 3000):
            assert (await app.get(path, range=odd)).content == data, odd
        changed = {"range": "bytes=0-9", "if-range": '"another"'}
        assert (await app.get(path, **changed)).status_code == 200
        same = {"range": "bytes=0-9", "if-range": whole.headers["etag"]}
        assert (await app.get(path, **same)).content == data[:10]
        head = await app.client.head(path)
        assert (head.content, head.headers["content-length"]) == (b"", str(size))

        lying = (app.ctx.config.media_dir / row[0]).read_bytes()
        assert (lying == data) is visibility.is_open
        assert (b"moov" in lying) is visibility.is_open


async def test_a_sealed_film_that_was_tampered_with_is_not_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PIECE_BYTES", 1000)
    async with an_app(tmp_path) as app:
        await app.login()
        await composed(app, uploaded(films.a_film()), visibility="followers")
        (row,) = [one for one in (await app.rows())["media"] if one[1] == "video/mp4"]
        file = app.ctx.config.media_dir / row[0]
        sealed = file.read_bytes()
        piece = 1000 + 29

        first, second = sealed[1 : 1 + piece], sealed[1 + piece : 1 + 2 * piece]
        for damaged in (
            sealed[:1] + second + first + sealed[1 + 2 * piece :],  # pieces in another order
            sealed[: 1 + piece],  # the end is missing
            sealed[:1] + bytes([sealed[1] ^ 1]) + sealed[2:],
            sealed[:50] + bytes([sealed[50] ^ 1]) + sealed[51:],
            b"",
        ):
            file.write_bytes(damaged)
            assert (await app.get(f"/media/{row[0]}", range="bytes=0-9")).status_code == 404
        file.write_bytes(sealed)
        assert (await app.get(f"/media/{row[0]}", range="bytes=0-9")).status_code == 206


async def test_a_picture_sealed_as_it_used_to_be_is_still_shown(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await composed(app, uploaded(a_png()), visibility="followers")
        (row,) = (await app.rows())["media"]
        now = await app.get(f"/media/{row[0]}")
        old = app.ctx.db.sealer.seal("media", now.content, bound_to=row[0])
        (app.ctx.config.media_dir / row[0]).write_bytes(old)

        then = await app.get(f"/media/{row[0]}")

        assert (then.status_code, then.content) == (200, now.content)


async def test_what_is_too_large_or_strange_is_refused_in_words(tmp_path: Path) -> None:
    limits = Limits(film_mb=1)
    async with an_app(tmp_path, limits=limits) as app:
        await app.login()
        for attached, expected in [
            (films.box(b"ftyp", b"isom") + bytes(1_100_000), "File 1: At most 1 MB"),
            (films.a_film(video="libx265"), "File 1: What is in this file is HEVC"),
            (films.a_film()[:600], "File 1: This file cannot be read"),
            (b"<svg/>", "File 1: This cannot be shown"),
        ]:
            answer = await composed(app, uploaded(attached))
            assert answer.status_code == 422
            assert expected in answer.text
            alone = await app.post("/compose/media", files=uploaded(attached))
            assert alone.status_code == 422
            assert alone.json()["problem"].startswith(expected.removeprefix("File 1: "))
        assert not list(app.ctx.config.media_dir.glob("*"))


async def test_a_post_takes_sixteen_files(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        form = (await app.get("/compose")).text
        assert form.count('type="file" name="picture" multiple') == 1
        assert "Some servers show the first four only" in form
        answer = await composed(
            app, uploaded(*(a_png(f"#{n}0{n}0{n}0") for n in range(1, 9))) * 2, alt=["x"] * 16
        )
        assert len((await document_of(app, answer))["attachment"]) == 16


async def test_s_101_what_others_get_says_nothing_of_the_maker(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        bob = app.world.actor(BOB)
        await app.followed_by(bob)
        await app.login()
        film = films.a_film()
        assert any(secret in film for secret in films.SECRETS), "the test gives nothing away"
        note = await document_of(app, await composed(app, uploaded(film)))
        sent = json.dumps(note).encode()
        for url in (note["attachment"][0]["url"], note["attachment"][0]["icon"]["url"]):
            sent += (await app.get(url.removeprefix(BASE_URL))).content
        assert not [secret for secret in films.SECRETS if secret in sent]


async def test_others_films_play_through_our_copy(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        bob = app.world.actor(BOB)
        film = films.a_film()
        app.world.serve(FILM, Answer(body=film, content_type="text/html"))
        await app.theirs(
            bob,
            attachment=[
                {"type": "Video", "mediaType": "video/mp4", "url": FILM, "name": "A dance"},
                {"type": "Document", "mediaType": "image/svg+xml", "url": f"{FILM}.svg"},
                {"type": "Document", "mediaType": "video/x-matroska", "url": f"{FILM}.mkv"},
            ],
        )
        page = (await app.get("/notifications")).text
        path = media_cache.proxy_path(app.ctx.db.sealer, FILM)
        assert f'<video src="{path}"' in page
        assert f'<a href="{FILM}" rel="nofollow noopener noreferrer">Open the original' in page
        assert f'<a href="{FILM}.svg"' in page  # what no browser should draw is a link
        assert f'<a href="{FILM}.mkv"' in page
        assert app.world.gets(FILM) == []  # nothing is fetched until it is played

        part = await app.get(path, range="bytes=100-199")
        assert (part.status_code, part.content) == (206, film[100:200])
        assert part.headers["content-type"] == "video/mp4"
        assert (await app.get(path, range=f"bytes={len(film)}-")).status_code == 416
        assert len(app.world.gets(FILM)) == 1


@pytest.mark.parametrize("says_so", [True, False])
async def test_s_070_a_film_too_large_for_a_copy_is_a_link(says_so: bool, tmp_path: Path) -> None:
    async with an_app(tmp_path, limits=Limits(copied_film_mb=1)) as app:
        await app.login()
        bob = app.world.actor(BOB)
        large = films.box(b"ftyp", b"isom") + bytes(1_200_000)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nConnection: close\r\n\r\n"
        app.world.serve(
            FILM,
            Answer(body=large, content_type="video/mp4")
            if says_so
            else Answer(raw=pieces(head + large)),
        )
        await app.theirs(bob, attachment=[{"type": "Video", "mediaType": "video/mp4", "url": FILM}])
        path = media_cache.proxy_path(app.ctx.db.sealer, FILM)

        assert (await app.get(path, range="bytes=0-")).status_code == 502

        page = (await app.get("/notifications")).text
        assert "<video" not in page
        assert "too large to be copied here" in page
        assert f'<a href="{FILM}" rel="nofollow noopener noreferrer">Open the original' in page
        assert not list(app.ctx.config.cache_dir.glob("*"))
        cached = await app.ctx.db.read(media.cached_bytes)
        assert cached == 0


def head(size: int) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode()


async def test_a_film_is_played_while_it_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "WRITE_BYTES", 1000)
    film = films.a_film(seconds=4)
    half = len(film) // 2
    more = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield head(len(film)) + film[:half]
        await more.wait()
        yield film[half:]

    async with an_app(tmp_path) as app:
        app.world.serve(FILM, Answer(raw=slowly()))
        path = media_cache.proxy_path(app.ctx.db.sealer, FILM)

        beginning = await app.get(path, range="bytes=0-499")
        assert (beginning.status_code, beginning.content) == (206, film[:500])
        assert beginning.headers["content-range"] == f"bytes 0-499/{len(film)}"
        assert beginning.headers["content-type"] == "video/mp4"
        end = asyncio.create_task(app.get(path, range="bytes=-500"))
        whole = asyncio.create_task(app.get(path))
        assert (await app.get(path, range="bytes=100-199")).content == film[100:200]
        assert not end.done()
        more.set()
        assert (await end).content == film[-500:]
        assert (await whole).content == film
        assert len(app.world.gets(FILM)) == 1
        again = await app.get(path, range="bytes=0-499")
        assert again.headers["etag"] == beginning.headers["etag"]
        assert again.content == beginning.content


async def test_a_film_that_breaks_off_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "WRITE_BYTES", 1000)
    film = films.a_film(seconds=4)
    stop = asyncio.Event()

    async def broken() -> AsyncIterator[bytes]:
        yield head(len(film)) + film[: len(film) // 2]
        await stop.wait()

    async with an_app(tmp_path) as app:
        app.world.serve(FILM, Answer(raw=broken()))
        path = media_cache.proxy_path(app.ctx.db.sealer, FILM)
        assert (await app.get(path, range="bytes=0-499")).content == film[:500]
        end = asyncio.create_task(app.get(path, range="bytes=-500"))
        stop.set()
        assert (await end).status_code == 502
        assert (await app.get(path, range="bytes=0-499")).status_code == 502
        assert not list(app.ctx.config.cache_dir.glob("*"))


async def test_pictures_do_not_wait_for_films(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arriving, "WRITE_BYTES", 1000)
    film = films.a_film()
    more = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield head(len(film)) + film[:1000]
        await more.wait()
        yield film[1000:]

    async with an_app(tmp_path) as app:
        urls = [f"{FILM}?{n}" for n in range(media_cache.MAX_FETCHES + 1)]
        for url in urls:
            app.world.serve(url, Answer(raw=slowly()))
        paths = [media_cache.proxy_path(app.ctx.db.sealer, url) for url in urls]
        for path in paths[: media_cache.MAX_FILMS]:
            assert (await app.get(path, range="bytes=0-9")).status_code == 206
        playing = [asyncio.create_task(app.get(path)) for path in paths]
        picture = "https://vic.example/media/1.png"
        app.world.serve(picture, Answer(body=a_png(), content_type="image/png"))
        shown = await app.get(media_cache.proxy_path(app.ctx.db.sealer, picture))
        assert shown.status_code == 200
        more.set()
        assert {(await one).content for one in playing} == {film}
