"""Files leave this server as pictures, films and sounds, and only those that it put there."""

import base64
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2
import pytest

from microfedi import imagework
from microfedi.errors import InvalidInput
from microfedi.federation import media_cache
from microfedi.storage import files
from microfedi.storage.database import Transaction
from tests.another_server import Answer
from tests.app_fixture import ACTIVITY, BASE_URL, App, an_app
from tests.web.pictures import a_film, a_png

PICTURE = "https://vic.example/media/1.png"
INSIDE = "https://inside.example/secret.png"

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
ACTOR = b'{"@context":"https://www.w3.org/ns/activitystreams","id":"https://us.example/users/maya"}'
ACTIVE = {
    "svg": SVG,
    "svg after a comment": b"<!-- " + b"x" * 600 + b" -->" + SVG,
    "html": HTML,
    "xml": b'<?xml version="1.0"?><x/>',
    "js": b"alert(1)",
    "pdf": b"%PDF-1.7\n",
    "activity+json": ACTOR,
    "webm that is none": b"\x1aE\xdf\xa3" + HTML,
    "riff that is none": b"RIFF\x00\x00\x00\x00WAVE" + HTML,
    "png that is none": b"\x89PNG\r\n\x1a\n" + HTML,
    "gif that is none": b"GIF89a" + HTML,
    "jpeg that is none": b"\xff\xd8\xff" + HTML,
    "nothing": b"",
}


def is_harmless(answer: httpx2.Response, media_type: str) -> bool:
    """True if no browser makes more of an answer than a picture, a film or a sound."""
    return (
        answer.headers["content-type"] == media_type
        and answer.headers["x-content-type-options"] == "nosniff"
        and "default-src 'none'" in answer.headers["content-security-policy"]
        and "sandbox" in answer.headers["content-security-policy"]
    )


async def an_own_picture(app: App) -> str:
    """Publish a picture; return its path."""
    picture = await imagework.reencode(a_png(), purpose="post")
    note = await app.publish("Look", pictures=((picture, ""),))
    return note.attachments[0].url.removeprefix(BASE_URL)


async def test_s_066_only_addresses_that_our_pages_made(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for url in (PICTURE, INSIDE):
            app.world.serve(url, Answer(body=a_png(), content_type="image/png"))
        path = media_cache.proxy_path(app.ctx.db.sealer, PICTURE)
        _, _, _, signature, encoded = path.split("/")
        other = base64.urlsafe_b64encode(INSIDE.encode()).decode().rstrip("=")
        for altered in (
            f"/media/proxy/{signature}/{other}",
            f"/media/proxy/{signature[:-1]}/{encoded}",
            f"/media/proxy/{signature.swapcase()}/{encoded}",
            f"/media/proxy/x/{encoded}",
            f"/media/proxy/%00/{encoded}",
            f"/media/proxy/\u00e9/{encoded}",
            f"/media/proxy/{signature}/{encoded}=",
            f"/media/proxy/{signature}/{encoded}%0a",
            f"/media/proxy/{signature}/{PICTURE.encode().hex()}",
            f"/media/proxy/{signature}/%ff",
            f"{path}?url={INSIDE}",
            f"{path}?x",
            f"/media/proxy/{encoded}/{signature}",
        ):
            answer = await app.get(altered)
            assert answer.status_code == 403, altered
        for unknown in (
            f"/media/proxy/{encoded}",
            f"/media/proxy/{signature}/{PICTURE}",
            f"/media/proxy?url={INSIDE}",
            f"/proxy?url={INSIDE}",
        ):
            assert (await app.get(unknown)).status_code == 404, unknown
        assert app.world.requests == []

        assert (await app.get(path)).status_code == 200


async def test_s_066_a_signature_is_for_one_server_alone(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    elsewhere = "https://elsewhere.example"
    async with (
        an_app(tmp_path / "one") as one,
        an_app(tmp_path / "two", base_url=elsewhere) as two,
    ):
        assert one.ctx.db.sealer.key_for("x") != two.ctx.db.sealer.key_for("x")
        path = media_cache.proxy_path(one.ctx.db.sealer, PICTURE)
        assert (await two.get(path)).status_code == 403


@pytest.mark.parametrize("name", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"])
async def test_s_066_a_page_of_ours_leads_to_no_address_inside(name: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        app.world.name("inside.example", name)
        app.world.serve(INSIDE, Answer(body=a_png(), content_type="image/png"))
        app.world.redirect(PICTURE, INSIDE)
        for url in (INSIDE, PICTURE, f"https://[{name}]/x" if ":" in name else f"https://{name}/x"):
            answer = await app.get(media_cache.proxy_path(app.ctx.db.sealer, url))
            assert answer.status_code == 502
        assert name not in {ip for ip, _ in app.world.dialled}


@pytest.mark.parametrize("kind", list(ACTIVE))
async def test_s_097_what_is_no_picture_is_not_taken(kind: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        with pytest.raises(InvalidInput):
            await imagework.reencode(ACTIVE[kind], purpose="post")
        await app.login()
        answer = await app.post(
            "/compose",
            {"source": "Look", "visibility": "public"},
            files=[("picture", ("picture.png", ACTIVE[kind], "image/png"))],
        )
        assert (answer.status_code == 422) is (kind != "nothing"), kind
        assert not list(app.ctx.config.media_dir.glob("*"))


async def test_s_097_an_own_picture_is_a_picture_whatever_is_asked_for(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        path = await an_own_picture(app)
        for accept in ("application/activity+json", "text/html", "image/svg+xml", "*/*"):
            answer = await app.get(path, accept=accept)
            assert is_harmless(answer, "image/png"), answer.headers
        assert (await app.get(f"{path}?type=text/html", **ACTIVITY)).headers[
            "content-type"
        ] == "image/png"


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "application/activity+json"])
async def test_s_097_nothing_in_the_database_makes_it_something_else(
    media_type: str, tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        path = await an_own_picture(app)

        def change(tx: Transaction) -> None:
            tx.run("UPDATE media SET media_type = :type", {"type": media_type})

        await app.ctx.db.write(change)
        assert (await app.get(path)).status_code == 404


ESCAPES = [
    "../microfedi.db",
    "..%2fmicrofedi.db",
    "..%2Fmicrofedi.db",
    "%2e%2e/microfedi.db",
    "%252e%252e%252fmicrofedi.db",
    "..\\microfedi.db",
    "..%5cmicrofedi.db",
    "%00",
    "x%00.png",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "....//microfedi.db",
    "a" * 300,
    "a" * 20_000,
    ".",
    "%20",
    "%e2%80%ae",
    "%ff%fe",
    "CON",
]


async def asked_raw(app: App, target: bytes) -> tuple[int, bytes]:
    """Ask as uvicorn would have it from the wire: a client would tidy up the dots."""
    sent: list[Any] = []

    requests = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Any:
        return next(requests, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": unquote(target.decode("ascii")),
        "raw_path": target,
        "query_string": b"",
        "headers": [(b"host", b"us.example")],
        "client": ("192.0.2.1", 40000),
        "server": ("127.0.0.1", 8000),
    }
    await app.asgi(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


async def test_s_099_no_name_leads_out_of_the_directory(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        path = await an_own_picture(app)
        assert (await asked_raw(app, path.encode()))[0] == 200
        assert (await asked_raw(app, b"/static/app.css"))[0] == 200
        public_id = path.rsplit("/", 1)[1]
        for name in ESCAPES:
            for prefix in ("/media/", "/static/", f"/media/{public_id}/", "/static/../media/"):
                status, body = await asked_raw(app, (prefix + name).encode())
                assert status in (403, 404), (prefix, name)
                assert b"SQLite format" not in body
                assert b"root:" not in body


def test_s_099_a_file_has_a_name_of_ours_or_none(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    directory = tmp_path / "media"
    files.write(directory, "one", b"1")
    assert files.read(directory, "one") == b"1"
    for name in ("../secret", "..", "", "one\x00", "/etc/passwd", "a/b", "x.svg", "x" * 65):
        with pytest.raises(ValueError, match="not the name of a file of ours"):
            files.read(directory, name)
        with pytest.raises(ValueError, match="not the name of a file of ours"):
            files.write(directory, name, b"x")
        with pytest.raises(ValueError, match="not the name of a file of ours"):
            files.delete(directory, name)
    assert (tmp_path / "secret").read_bytes() == b"secret"


async def test_s_099_a_symlink_is_not_followed_and_names_are_ours(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        path = await an_own_picture(app)
        names = sorted(file.name for file in app.ctx.config.media_dir.iterdir())
        assert names == [path.rsplit("/", 1)[1]]
        (app.ctx.config.media_dir / "link").symlink_to(app.ctx.config.database_file)
        assert (await app.get("/media/link")).status_code == 404
        assert not app.ctx.config.database_file.is_relative_to(app.ctx.config.media_dir)
        assert not app.ctx.config.database_file.is_relative_to(app.ctx.config.cache_dir)


@pytest.mark.parametrize("name", ["../../x.png", "/x.png", "a" * 300, "x\x00.png", "x.svg"])
async def test_s_099_the_name_of_an_upload_is_not_used(name: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        before = {path for path in tmp_path.rglob("*") if path.is_file()}
        await app.post(
            "/compose",
            {"source": "Look", "visibility": "public", "do": "publish_anyway"},
            files=[("picture", (name, a_png(), "image/png"))],
        )
        made = {path for path in tmp_path.rglob("*") if path.is_file()} - before
        assert {path.parent for path in made if "microfedi.db" not in path.name} <= {
            app.ctx.config.media_dir
        }
        assert not any(name in str(path) for path in made)


@pytest.mark.parametrize("path", ["/../../../x", "/..%2f..%2fx", "/%00", "/" + "x" * 300])
async def test_s_099_nor_is_the_address_of_somebodys_picture(path: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        before = {file for file in tmp_path.rglob("*") if file.is_file()}
        url = f"https://vic.example{path}"
        app.world.serve(url, Answer(body=a_png(), content_type="image/png"))
        answer = await app.get(media_cache.proxy_path(app.ctx.db.sealer, url))
        assert answer.status_code in (200, 502)
        made = {file for file in tmp_path.rglob("*") if file.is_file()} - before
        assert {file.parent for file in made if "microfedi.db" not in file.name} <= {
            app.ctx.config.cache_dir
        }


@pytest.mark.parametrize("kind", list(ACTIVE))
@pytest.mark.parametrize("declared", ["image/png", "text/html"])
async def test_s_102_a_file_is_what_its_bytes_are(kind: str, declared: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        app.world.serve(PICTURE, Answer(body=ACTIVE[kind], content_type=declared))
        answer = await app.get(media_cache.proxy_path(app.ctx.db.sealer, PICTURE))
        assert answer.status_code == 502
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert not [file for file in app.ctx.config.cache_dir.glob("*") if file.is_file()]


@pytest.mark.parametrize("declared", ["text/html", "image/svg+xml", "application/activity+json"])
async def test_s_102_what_is_one_is_served_as_one(declared: str, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        film = "https://vic.example/film"
        app.world.serve(PICTURE, Answer(body=a_png(), content_type=declared))
        app.world.serve(film, Answer(body=a_film(2000) + HTML, content_type=declared))
        picture = await app.get(media_cache.proxy_path(app.ctx.db.sealer, PICTURE), **ACTIVITY)
        assert is_harmless(picture, "image/webp")
        played = await app.get(media_cache.proxy_path(app.ctx.db.sealer, film), **ACTIVITY)
        assert is_harmless(played, "video/mp4")
        part = await app.get(media_cache.proxy_path(app.ctx.db.sealer, film), range="bytes=2000-")
        assert part.content == HTML
        assert is_harmless(part, "video/mp4")
        several = await app.get(
            media_cache.proxy_path(app.ctx.db.sealer, film), range="bytes=0-1,5-6"
        )
        assert several.headers["content-type"].startswith(("multipart/byteranges", "video/mp4"))
        assert several.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in several.headers["content-security-policy"]
