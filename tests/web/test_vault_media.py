"""Files of messages: with others as long as they may fetch them, sealed by the vault then."""

import base64
import re
from pathlib import Path

import pytest

from microfedi.federation import jobs, private_media, sealing
from microfedi.storage import files
from tests.another_server import AS2, Answer
from tests.app_fixture import US, App, an_app
from tests.federation.outbox.sent import send_all
from tests.federation.test_media_cache import a_png
from tests.web.pictures import a_film

ALICE = "https://vic.example/users/alice"
FILM = "https://vic.example/media/secret.mp4"
PICTURE = "https://vic.example/media/secret.png"
MAGIC = (b"\x89PNG", b"RIFF", b"\xff\xd8\xff")


async def sends_a_picture(app: App) -> str:
    """Send Alice a picture; return its address."""
    met = await app.follow(app.world.actor(ALICE))
    await app.login()
    first = await app.message([met.id], "Look:")
    answer = await app.post(
        f"/messages/{first.conversation_id}",
        {"source": "A picture", "alt": ["A thing"]},
        files=[("picture", ("a.png", a_png(), "image/png"))],
    )
    assert answer.status_code == 303, answer.text
    (public_id,) = await app.ctx.db.read(
        lambda r: [row["public_id"] for row in r.all("SELECT public_id FROM media")]
    )
    return f"/media/{public_id}"


async def gets_a_picture(
    app: App, url: str = PICTURE, media_type: str = "image/png", data: bytes | None = None
) -> tuple[str, str]:
    """Alice, followed, sends one; return the conversation's path and the picture's address."""
    alice = app.world.actor(ALICE)
    await app.follow(alice)
    app.world.serve(url, Answer(200, a_png() if data is None else data, media_type))
    uri = f"{ALICE}/m/1"
    note = {
        "id": uri,
        "type": "Note",
        "attributedTo": ALICE,
        "to": [US],
        "content": "<p>Look</p>",
        "tag": [{"type": "Mention", "href": US, "name": "@maya@us.example"}],
        "attachment": [{"type": "Document", "mediaType": media_type, "url": url}],
    }
    create = {
        "@context": AS2,
        "id": f"{uri}/create",
        "type": "Create",
        "actor": ALICE,
        "to": [US],
        "object": note,
    }
    await app.deliver(alice, create)
    await app.process()
    await app.login()
    talk: int = await app.ctx.db.read(lambda r: r.value("SELECT id FROM conversations"))
    page = (await app.get(f"/messages/{talk}")).text
    found = re.search(r'src="(/media/private/[^"]+)"', page)
    assert found is not None
    return f"/messages/{talk}", found.group(1)


def on_disk(directory: Path) -> list[bytes]:
    return [(directory / name).read_bytes() for name in sorted(files.names(directory))]


async def shredded(app: App) -> None:
    """Have files deleted that wait for it."""
    rows = await app.ctx.db.read(
        lambda r: [row["key"] for row in r.all("SELECT key FROM jobs WHERE kind = 'shred'")]
    )
    for key in rows:
        await jobs.JOBS["shred"](app.ctx, key)


async def test_what_i_send_is_fetched_and_then_mine_alone(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        address = await sends_a_picture(app)
        stranger = app.browser()
        picture = (await stranger.get(address)).content
        assert picture[:4] in MAGIC
        await sealing.run(app.ctx, "")
        assert (await stranger.get(address)).status_code == 200  # not everybody has it yet
        app.clock.forward(hours=25)
        await sealing.run(app.ctx, "")
        assert (await stranger.get(address)).status_code == 200
        await send_all(app.ctx, app.world)
        await app.ctx.db.write(lambda tx: tx.run("UPDATE outgoing SET body_sealed = NULL"))

        await sealing.run(app.ctx, "")
        await shredded(app)

        missing = await stranger.get("/media/nothing-of-that-name")
        gone = await stranger.get(address)
        assert (gone.status_code, gone.text) == (404, missing.text)
        assert (await app.get(address)).status_code == 404  # locked meanwhile
        await app.unlock()
        assert (await app.get(address)).content == picture
        part = await app.get(address, range="bytes=10-19")
        assert (part.status_code, part.content) == (206, picture[10:20])
        (kept,) = on_disk(app.ctx.config.media_dir)
        assert kept[:3] == b"\x02\x00\x01"
        assert picture[:8] not in kept
        with pytest.raises(ValueError, match="sealed"):
            app.ctx.db.sealer.open("media", kept)
        assert await sealing.run(app.ctx, "") == sealing.AGAIN  # and nothing more to do
        assert len(on_disk(app.ctx.config.media_dir)) == 1


async def test_a_deleted_message_takes_its_file_along(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await sends_a_picture(app)
        app.clock.forward(hours=25)
        await app.ctx.db.write(lambda tx: tx.run("UPDATE outgoing SET body_sealed = NULL"))
        await sealing.run(app.ctx, "")
        await shredded(app)
        message_id = await app.ctx.db.read(lambda r: r.value("SELECT message_id FROM media"))
        talk = await app.ctx.db.read(lambda r: r.value("SELECT conversation_id FROM messages"))
        await app.unlock()
        await app.post(f"/messages/{talk}/{message_id}/delete")
        await shredded(app)
        assert on_disk(app.ctx.config.media_dir) == []


async def test_what_i_am_sent_is_sealed_as_it_comes(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        talk, address = await gets_a_picture(app)
        answer = await app.get(address)
        assert answer.content[:4] in MAGIC
        assert answer.headers["cache-control"] == "no-store"
        (kept,) = on_disk(app.ctx.config.cache_dir)
        assert kept[:3] == b"\x02\x00\x01"
        assert not any(magic in kept[:64] for magic in MAGIC)
        assert (await app.get(address)).content == answer.content
        assert len([one for one in app.world.requests if one.url == PICTURE]) == 1

        stranger = app.browser()
        assert (await stranger.get(address)).status_code == 303
        # Addresses stay in logs and histories: this one neither says nor opens anything.
        sealed = address.rsplit("/", 1)[1]
        assert b"vic.example" not in base64.urlsafe_b64decode(sealed)
        for other in (f"/media/proxy/{sealed}", f"/media/proxy/{sealed[:43]}/{sealed}"):
            assert (await stranger.get(other)).status_code in (403, 404)
        app.ctx.unlocked.lock_all()
        locked = await app.get(address)
        assert locked.status_code == 404
        await app.unlock()

        # It is no proxy: what our pages did not make is refused.
        assert (await app.get("/media/private/aHR0cHM6Ly92aWMuZXhhbXBsZS8")).status_code == 403

        message_id = await app.ctx.db.read(lambda r: r.value("SELECT id FROM messages"))
        await app.post(f"{talk}/{message_id}/delete")
        await shredded(app)
        assert on_disk(app.ctx.config.cache_dir) == []


async def test_a_film_that_is_too_large_to_be_sealed_is_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with an_app(tmp_path) as app:
        monkeypatch.setattr(private_media, "MAX_BYTES", 2000)
        talk, address = await gets_a_picture(app, FILM, "video/mp4", a_film(5000))
        assert (await app.get(address)).status_code == 502

        page = (await app.get(talk)).text

        assert "<video" not in page
        assert address not in page
        assert f'href="{FILM}"' in page
        assert on_disk(app.ctx.config.cache_dir) == []


async def test_what_cannot_be_had_is_not_asked_for_again_at_once(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        _talk, address = await gets_a_picture(app)
        app.world.serve(PICTURE, Answer(200, b"<html>no picture</html>", "image/png"))
        for _ in range(2):
            assert (await app.get(address)).status_code == 502
        assert len([one for one in app.world.requests if one.url == PICTURE]) == 1
        assert on_disk(app.ctx.config.cache_dir) == []
