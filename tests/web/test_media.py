"""Pictures over HTTP: the owner's own, and copies of others'."""

from pathlib import Path

from microfedi import imagework
from microfedi.federation import media_cache
from microfedi.protocol.vocab import Visibility
from tests.another_server import Answer
from tests.app_fixture import BASE_URL, an_app
from tests.web.pictures import a_film, a_png

FILM = "https://vic.example/media/film.mp4"
PICTURE = "https://vic.example/media/1.png"


async def test_an_own_picture_is_kept_for_ever(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        picture = await imagework.reencode(a_png(), purpose="post")
        note = await app.publish("Look", pictures=((picture, "A square"),))
        url = note.attachments[0].url
        assert url.startswith(f"{BASE_URL}/media/")

        answer = await app.get(url)

        assert answer.content == picture.data
        assert answer.headers["content-type"] == picture.media_type
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        assert answer.headers["access-control-allow-origin"] == "*"
        head = await app.client.head(url)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-length"] == str(len(picture.data))


async def test_a_picture_of_a_closed_post_is_sealed_on_disk_and_kept_by_nobody(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        picture = await imagework.reencode(a_png(), purpose="post")
        note = await app.publish("Psst", Visibility.FOLLOWERS, pictures=((picture, ""),))
        (file,) = app.ctx.config.media_dir.iterdir()
        assert picture.data[:40] not in file.read_bytes()

        answer = await app.get(note.attachments[0].url)

        assert answer.content == picture.data
        assert answer.headers["cache-control"] == "private, no-store"


async def test_a_picture_that_is_damaged_or_missing_is_not_there(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        picture = await imagework.reencode(a_png(), purpose="post")
        note = await app.publish("Psst", Visibility.FOLLOWERS, pictures=((picture, ""),))
        (file,) = app.ctx.config.media_dir.iterdir()
        file.write_bytes(file.read_bytes()[:-1] + b"!")
        assert (await app.get(note.attachments[0].url)).status_code == 404
        file.unlink()
        assert (await app.get(note.attachments[0].url)).status_code == 404


async def test_a_copy_is_fetched_once(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        app.world.serve(PICTURE, Answer(body=a_png(), content_type="image/png"))
        path = media_cache.proxy_path(app.ctx.db.sealer, PICTURE)
        first, second = await app.get(path), await app.get(path)
        assert first.content == second.content
        assert first.headers["content-type"] == "image/webp"
        assert first.headers["cache-control"] == "private, max-age=604800, immutable"
        assert first.headers["cross-origin-resource-policy"] == "same-origin"
        assert len(app.world.gets(PICTURE)) == 1


async def test_a_film_is_played_from_where_one_likes(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        film = a_film(5000)[:-5] + b"later"
        app.world.serve(FILM, Answer(body=film, content_type="video/mp4"))
        path = media_cache.proxy_path(app.ctx.db.sealer, FILM)
        whole = await app.get(path)
        assert (whole.status_code, whole.content) == (200, film)
        assert whole.headers["content-type"] == "video/mp4"
        part = await app.get(path, range="bytes=4995-")
        assert (part.status_code, part.content) == (206, b"later")
        assert part.headers["content-range"] == "bytes 4995-4999/5000"
        assert (await app.get(path, range="bytes=6000-")).status_code == 416
        odd = await app.get(path, range="bytes=" + "0-1," * 3000)
        assert odd.status_code < 500


async def test_what_cannot_be_had_is_a_short_answer(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        path = media_cache.proxy_path(app.ctx.db.sealer, PICTURE)
        for _ in range(2):
            answer = await app.get(path)
            assert (answer.status_code, answer.text) == (502, "This could not be fetched.\n")
            assert answer.headers["cache-control"] == "no-store"
        assert len(app.world.gets(PICTURE)) == 1


async def test_a_copy_that_was_dropped_is_fetched_again(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        app.world.serve(PICTURE, Answer(body=a_png(), content_type="image/png"))
        path = media_cache.proxy_path(app.ctx.db.sealer, PICTURE)
        first = await app.get(path)
        for file in app.ctx.config.cache_dir.iterdir():
            file.unlink()
        assert (await app.get(path)).content == first.content
        assert len(app.world.gets(PICTURE)) == 2
