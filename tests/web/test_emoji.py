"""Own custom emoji: kept, shown, sent as others expect them, removed."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image

from microfedi.federation.outbox.polls import PollDraft
from tests.app_fixture import ACTIVITY, BASE_URL, HANDLE, US, App, an_app
from tests.web.pictures import a_png

SETTINGS = "/settings/emoji"


def a_gif(frames: int = 3, size: int = 40) -> bytes:
    out = io.BytesIO()
    pictures = [Image.new("RGB", (size, size), (60 * n % 256, 0, 0)) for n in range(frames)]
    pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:])
    return out.getvalue()


async def add(app: App, shortcode: str, data: bytes | None = None) -> httpx2.Response:
    files = [("picture", ("x.png", a_png() if data is None else data, "image/png"))]
    return await app.post(SETTINGS, {"shortcode": shortcode}, files=files, page=SETTINGS)


def tags(document: Any) -> list[Any]:
    return [one for one in document["tag"] if one["type"] == "Emoji"]


async def test_an_emoji_is_kept_and_shown(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        assert (await add(app, ":blob_cat:")).status_code == 303
        page = (await app.get(SETTINGS)).text
        assert ":blob_cat:</code>" in page
        (row,) = (await app.rows())["own_emojis"]
        assert f'src="/media/{row[1]}"' in page

        document = (await app.browser().get("/emojis/blob_cat", headers=ACTIVITY)).json()
        assert document["@context"]
        assert {name: document[name] for name in ("id", "type", "name", "updated")} == {
            "id": f"{BASE_URL}/emojis/blob_cat",
            "type": "Emoji",
            "name": ":blob_cat:",
            "updated": "2026-11-22T12:00:30.000Z",
        }
        assert document["icon"] == {
            "type": "Image",
            "mediaType": "image/png",
            "url": f"{BASE_URL}/media/{row[1]}",
        }
        picture = await app.browser().get(f"/media/{row[1]}")
        assert picture.headers["content-type"] == "image/png"


async def test_an_emoji_stands_where_it_was_written(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await add(app, "cat")
        await add(app, "dog")
        text = "Hi :cat: a:cat:b `:dog:` :none: https://a.example/:dog: :cat:"
        answer = await app.post(
            "/compose", {"source": text, "summary": "About :cat:", "visibility": "public"}
        )
        document = (await app.get(answer.headers["location"], **ACTIVITY)).json()

        (tag,) = tags(document)
        assert (tag["id"], tag["name"]) == (f"{BASE_URL}/emojis/cat", ":cat:")
        assert tag["icon"]["url"].startswith(f"{BASE_URL}/media/")
        assert tag["updated"] == "2026-11-22T12:00:30.000Z"
        assert ":cat:" in document["content"]  # others draw it themselves
        page = (await app.get(answer.headers["location"])).text
        path = tag["icon"]["url"].removeprefix(BASE_URL)
        drawn = f'<img class="emoji" src="{path}" alt=":cat:" title=":cat:" loading="lazy">'
        assert page.count(drawn) == 3  # twice in the text, once in the warning
        assert "<code>:dog:</code>" in page
        assert "a:cat:b" in page

        await app.post(f"{SETTINGS}/cat/remove", page=SETTINGS)
        document = (await app.get(answer.headers["location"], **ACTIVITY)).json()
        assert tags(document) == []
        assert (await app.get(path)).status_code == 404
        assert (await app.get("/emojis/cat", **ACTIVITY)).status_code == 404


async def test_the_answers_of_a_poll_may_have_emoji(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await add(app, "cat")
        poll = PollDraft(("A :cat:", "A dog"), lasts=timedelta(days=1))
        note = await app.publish("Which?", poll=poll)
        document = (await app.get(note.uri.removeprefix(BASE_URL), **ACTIVITY)).json()
        assert [one["name"] for one in tags(document)] == [":cat:"]
        page = (await app.get(f"/@{HANDLE}/{note.public_id}")).text
        assert '<bdi>A <img class="emoji"' in page


async def test_a_post_that_is_edited_has_the_emoji_of_its_new_text(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await add(app, "cat")
        await add(app, "dog")
        note = await app.publish("A :cat:")
        await app.post(f"/posts/{note.id}/edit", {"source": "A :dog:"})
        document = (await app.get(note.uri.removeprefix(BASE_URL), **ACTIVITY)).json()
        assert [one["name"] for one in tags(document)] == [":dog:"]


async def test_a_name_and_a_bio_may_have_emoji(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        bob = app.world.actor("https://vic.example/users/bob")
        await app.followed_by(bob)
        await app.login()
        await app.post("/settings/profile", {"name": "Maya :cat:", "bio": "I :like: cats. `:cat:`"})
        before = await app.count("outgoing")
        assert tags((await app.get(f"/users/{HANDLE}", **ACTIVITY)).json()) == []

        await add(app, "cat")
        await add(app, "like")
        await add(app, "unused")

        actor = (await app.browser().get(US.removeprefix(BASE_URL), headers=ACTIVITY)).json()
        assert [one["name"] for one in tags(actor)] == [":cat:", ":like:"]
        # Followers are told when a word of the profile becomes a picture, and only then.
        assert await app.count("outgoing") == before + 2
        page = (await app.browser().get(f"/@{HANDLE}")).text
        assert 'alt=":cat:"' in page
        assert 'alt=":like:"' in page
        await app.post(f"{SETTINGS}/cat/remove", page=SETTINGS)
        assert 'alt=":cat:"' not in (await app.browser().get(f"/@{HANDLE}")).text


async def test_an_animation_stays_one_and_a_large_picture_is_made_small(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await add(app, "moving", a_gif())
        large = io.BytesIO()
        Image.new("RGB", (900, 600), "red").save(large, "PNG")
        await add(app, "large", large.getvalue())

        found = {}
        for name, file, *_ in (await app.rows())["own_emojis"]:
            found[name] = Image.open(io.BytesIO((await app.get(f"/media/{file}")).content))
        assert (found["moving"].format, getattr(found["moving"], "n_frames", 1)) == ("GIF", 3)
        assert (found["large"].format, found["large"].size) == ("PNG", (128, 85))


@pytest.mark.parametrize(
    ("shortcode", "data", "says"),
    [
        ("x", None, "2 to 64"),
        ("a-b", None, "2 to 64"),
        ("../x", None, "2 to 64"),
        ("é é", None, "2 to 64"),
        ("", None, "2 to 64"),
        ("ok", b"<svg/>", "PNG, GIF or WebP"),
        ("ok", b"\xff\xd8\xff\xe0" + bytes(100), "PNG, GIF or WebP"),
        ("ok", b"", "choose a picture"),
        ("ok", b"\x89PNG\r\n\x1a\n" + bytes(300_000), "At most"),
        ("ok", b"\x89PNG\r\n\x1a\n" + bytes(300), "broken"),
        ("taken", None, "already"),
    ],
)
async def test_what_is_no_emoji_is_refused_in_words(
    shortcode: str, data: bytes | None, says: str, tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await add(app, "taken")
        answer = await add(app, shortcode, data)
        assert answer.status_code == 422
        assert says in answer.text
        assert await app.count("own_emojis") == 1
        assert await app.count("media") == 1
        assert len(list(app.ctx.config.media_dir.iterdir())) == 1


async def test_strangers_change_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await add(app, "cat")
        stranger = app.browser()
        assert (await stranger.get(SETTINGS)).status_code in (303, 401)
        await stranger.post(f"{SETTINGS}/cat/remove", data={"csrf": "x"})
        assert await app.count("own_emojis") == 1
        assert (await app.post(f"{SETTINGS}/none/remove", page=SETTINGS)).status_code == 404
        for path in ("/emojis/none", "/emojis/%2e%2e", "/emojis/" + "x" * 5000, "/emojis/%00"):
            assert (await stranger.get(path, headers=ACTIVITY)).status_code == 404
