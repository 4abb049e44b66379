"""What posts link to: read once, by us, and shown as text and a picture from here."""

from pathlib import Path
from typing import Any

import pytest

from microfedi.federation import jobs
from microfedi.storage import notes
from microfedi.storage.database import Reader
from tests.another_server import Answer
from tests.app_fixture import App, an_app

ALICE = "https://vic.example/users/alice"
PAGE = "https://news.example/1"
EVIL = (
    '<html><head><meta property="og:title" content="&lt;script&gt;alert(1)&lt;/script&gt; News">'
    '<meta property="og:description" content="Words &lt;iframe src=x&gt;">'
    '<meta property="og:image" content="/a.png">'
    '<link rel="alternate" type="application/json+oembed" href="https://evil.example/oembed">'
    "</head><body onload=alert(2)>"
)


async def run_previews(app: App) -> list[str]:
    """Do the jobs that read pages; return their keys."""

    def question(reader: Reader) -> list[str]:
        return [r["key"] for r in reader.all("SELECT key FROM jobs WHERE kind = 'preview'")]

    keys = await app.ctx.db.read(question)
    for key in keys:
        await jobs.JOBS["preview"](app.ctx, key)
    return keys


async def linked(app: App, **fields: Any) -> str:
    """Have a post with a link arrive from somebody followed; return the page that shows it."""
    alice = app.world.actor(ALICE)
    await app.follow(alice)
    uri = await app.theirs(alice, **({"content": f'<p>See <a href="{PAGE}">this</a></p>'} | fields))
    note = await app.ctx.db.read(lambda r: notes.by_uri(r, uri))
    assert note is not None
    return f"/posts/{note.id}"


async def test_s_091_a_card_is_text_and_a_picture_through_us(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        app.world.serve(PAGE, Answer(body=EVIL.encode(), content_type="text/html"))
        path = await linked(app)

        assert await run_previews(app) == [PAGE]

        page = (await app.get(path)).text
        assert "&lt;script&gt;alert(1)&lt;/script&gt; News" in page
        assert "<script>alert" not in page
        assert "<iframe" not in page
        assert "https://news.example/a.png" not in page  # by way of our cache
        assert not app.world.gets("https://evil.example/oembed")
        (asked,) = app.world.gets(PAGE)
        assert "signature" not in asked.headers
        assert await run_previews(app) == [PAGE]  # the test does it again, the server would not


@pytest.mark.parametrize(
    "fields",
    [
        {"to": [f"{ALICE}/followers"]},
        {"content": f'<p><a class="mention hashtag" href="{PAGE}">#x</a></p>'},
        {"attachment": [{"type": "Image", "mediaType": "image/png", "url": f"{ALICE}.png"}]},
        {"content": '<p><a href="https://us.example/about">us</a></p>'},
    ],
)
async def test_what_is_closed_or_no_page_is_not_followed(
    fields: dict[str, Any], tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await linked(app, **fields)

        assert await run_previews(app) == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, content_type=None),
        Answer(body=b"\x89PNG", content_type="image/png"),
        Answer(body=b"<title></title>", content_type="text/html"),
        Answer(302, content_type=None, headers={"location": "https://inside.example/"}),
    ],
)
async def test_a_page_that_says_nothing_has_no_card(answer: Answer, tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        app.world.name("inside.example", "10.0.0.1")
        app.world.serve(PAGE, answer)
        path = await linked(app)

        await run_previews(app)

        assert 'class="preview"' not in (await app.get(path)).text
        assert await app.count("previews") == 1


async def test_s_059_a_link_to_a_private_address_is_not_followed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        for number, url in enumerate(
            ("https://127.0.0.1/x", "https://inside.example/x", "http://169.254.169.254/")
        ):
            app.world.name("inside.example", "10.0.0.1")
            await linked(app, content=f'<p>{number} <a href="{url}">this</a></p>')
        before = len(app.world.dialled)

        await run_previews(app)

        assert len(app.world.dialled) == before
