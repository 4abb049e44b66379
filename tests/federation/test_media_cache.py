"""Others' pictures through our own cache: signed addresses, one fetch, what is refused."""

import asyncio
import io
import struct
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from microfedi.config import Federation, Limits
from microfedi.errors import (
    ForbiddenAddress,
    NotAuthorized,
    RemoteError,
    RemoteGone,
    RemoteTooLarge,
)
from microfedi.federation import copies, media_cache
from microfedi.federation.context import Context
from microfedi.storage import media
from microfedi.storage.database import Database
from microfedi.storage.sealed import Sealer
from tests.another_server import AnotherServer, Answer, another_server
from tests.federation.here import Clock, context

URL = "https://a.example/media/1.png"
FILM = "https://a.example/media/1.mp4"


@pytest.fixture
async def server() -> AsyncIterator[AnotherServer]:
    async with another_server() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ctx(db: Database, server: AnotherServer, tmp_path: Path, clock: Clock) -> Context:
    return await context(db, server, tmp_path, now=clock)


def a_png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(out, "PNG")
    return out.getvalue()


def a_film(size: int) -> bytes:
    return struct.pack(">I", 24) + b"ftypisom" + bytes(size - 12)


def file_answer(data: bytes, content_type: str = "application/octet-stream") -> Answer:
    return Answer(body=data, content_type=content_type)


def test_an_address_leads_back_to_its_url(sealer: Sealer) -> None:
    url = "https://a.example/é?x=1&y=2"
    path = media_cache.proxy_path(sealer, url)

    signature, encoded = path.removeprefix("/media/proxy/").split("/")

    assert media_cache.url_of(sealer, signature, encoded) == url


def test_s_066_an_address_that_we_did_not_make_is_refused(sealer: Sealer) -> None:
    path = media_cache.proxy_path(sealer, URL)
    signature, encoded = path.removeprefix("/media/proxy/").split("/")
    other = media_cache.proxy_path(sealer, URL + "x").rsplit("/", 1)[1]

    for bad_signature, bad_encoded in [
        (signature, other),
        ("", encoded),
        (signature[:-1], encoded),
        (signature, encoded + "="),
        (signature, encoded[:-1]),
        (signature, ""),
        (signature, "é"),
        ("é", encoded),
        (signature, encoded + "!"),
    ]:
        with pytest.raises(NotAuthorized):
            media_cache.url_of(sealer, bad_signature, bad_encoded)


async def test_a_picture_is_fetched_once_and_written_anew(
    ctx: Context, server: AnotherServer
) -> None:
    server.serve(URL, file_answer(a_png(), "image/png"))

    first = await media_cache.fetch(ctx, URL)
    second = await media_cache.fetch(ctx, URL)

    assert first == second
    assert first.media_type == "image/webp"
    assert first.path.read_bytes()[:4] == b"RIFF"
    assert first.path.stat().st_mode & 0o777 == 0o600
    assert first.path.parent.stat().st_mode & 0o777 == 0o700
    assert len(server.gets(URL)) == 1


async def test_many_who_ask_at_once_wait_for_one_fetch_even_if_the_first_leaves(
    ctx: Context, server: AnotherServer
) -> None:
    go = asyncio.Event()
    answer = file_answer(a_png())
    answer.wait = go
    server.serve(URL, answer)
    asking = [asyncio.create_task(media_cache.fetch(ctx, URL)) for _ in range(5)]
    await server.wait_for(lambda: server.gets(URL))

    asking[0].cancel()
    go.set()
    results = await asyncio.gather(*asking, return_exceptions=True)

    assert isinstance(results[0], asyncio.CancelledError)
    assert len(set(map(str, results[1:]))) == 1
    assert len(server.gets(URL)) == 1


async def test_a_film_is_kept_as_it_is_under_the_type_of_its_bytes(
    ctx: Context, server: AnotherServer
) -> None:
    film = a_film(1_500_000)
    server.serve(FILM, file_answer(film, "text/html"))

    found = await media_cache.fetch(ctx, FILM)

    assert (found.media_type, found.size_bytes) == ("video/mp4", len(film))
    assert found.path.read_bytes() == film
    assert found.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in found.path.parent.iterdir()] == [found.path.name]


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html>",
        b"",
        a_png()[:40],
        b"%PDF-1.7",
    ],
)
async def test_everything_else_is_refused_and_not_asked_for_again_for_a_while(
    ctx: Context, server: AnotherServer, clock: Clock, data: bytes
) -> None:
    server.serve(URL, file_answer(data, "image/png"))

    with pytest.raises(RemoteError):
        await media_cache.fetch(ctx, URL)
    with pytest.raises(RemoteGone):
        await media_cache.fetch(ctx, URL)
    assert len(server.gets(URL)) == 1

    server.serve(URL, file_answer(a_png()))
    clock.now += timedelta(hours=1)
    assert (await media_cache.fetch(ctx, URL)).media_type == "image/webp"


async def test_a_file_that_is_too_long_leaves_nothing_behind(
    db: Database, server: AnotherServer, tmp_path: Path
) -> None:
    ctx = await context(db, server, tmp_path, limits=Limits(copied_film_mb=1))
    server.serve(FILM, file_answer(a_film(1_500_000)))

    with pytest.raises(RemoteTooLarge):
        await media_cache.fetch(ctx, FILM)

    directory = ctx.config.cache_dir
    assert not directory.exists() or not list(directory.iterdir())
    assert await ctx.db.read(lambda r: copies.too_large(r, [FILM, URL], media_cache.name_of)) == {
        FILM
    }


async def test_a_copy_whose_file_is_gone_is_fetched_again(
    ctx: Context, server: AnotherServer
) -> None:
    server.serve(URL, file_answer(a_png()))
    (await media_cache.fetch(ctx, URL)).path.unlink()

    assert (await media_cache.fetch(ctx, URL)).path.exists()
    assert len(server.gets(URL)) == 2


async def test_the_copies_longest_unseen_make_room(
    ctx: Context, server: AnotherServer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from microfedi.storage import upkeep

    monkeypatch.setattr(upkeep, "cache_room", lambda reader, budget: 2_500)
    found = []
    for number in range(3):
        url = f"https://a.example/{number}.mp4"
        server.serve(url, file_answer(a_film(1_000)))
        found.append(await media_cache.fetch(ctx, url))
        clock.now += timedelta(minutes=1)

    assert [copy.path.exists() for copy in found] == [False, True, True]
    assert await ctx.db.read(media.cached_bytes) == 2_000


@pytest.mark.parametrize("url", ["http://a.example/1.png", "file:///etc/passwd", "nonsense"])
async def test_what_is_no_url_of_the_world_is_not_fetched(
    ctx: Context, server: AnotherServer, url: str
) -> None:
    with pytest.raises(ForbiddenAddress):
        await media_cache.fetch(ctx, url)

    assert server.dialled == []


async def test_an_island_fetches_nothing(
    db: Database, server: AnotherServer, tmp_path: Path
) -> None:
    ctx = await context(db, server, tmp_path, federation=Federation(mode="closed"))

    with pytest.raises(ForbiddenAddress):
        await media_cache.fetch(ctx, URL)

    assert server.resolved == []
