"""What stands beside the text of a post on a page."""

from pathlib import Path

import pytest

from microfedi.storage import notes
from microfedi.storage.notes import Note
from tests.another_server import AS2
from tests.app_fixture import App, an_app


async def looked_up(app: App, name: str = "1", **more: object) -> Note:
    """Have a post of somebody else's here, which is looked at for the first time."""
    alice = app.world.actor("https://vic.example/users/alice")
    uri = f"https://vic.example/notes/{name}"
    note = {
        "@context": AS2,
        "id": uri,
        "type": "Note",
        "attributedTo": alice.uri,
        "to": [f"{AS2}#Public"],
        "content": "<p>Hi</p>",
    }
    app.world.serve(uri, note | more)
    assert (await app.post("/search", {"q": uri}, page="/search")).status_code == 303
    found = await app.ctx.db.read(lambda reader: notes.by_uri(reader, uri))
    assert found is not None
    return found


def tag(name: str) -> dict[str, str]:
    return {"type": "Hashtag", "name": name}


@pytest.mark.parametrize(
    ("content", "tags", "shown"),
    [
        ("<p>A walk</p>", ["#Sea", "snow"], ["sea", "snow"]),
        # What the text says is not said again.
        ('<p>By the <a href="https://vic.example/t/sea">#<span>Sea</span></a></p>', ["#sea"], []),
        # Part of a longer word is another one.
        ("<p>#seaside</p>", ["#sea", "#seaside"], ["sea"]),
        ('<p><a href="https://vic.example/#sea">here</a></p>', ["#sea"], ["sea"]),
    ],
)
async def test_hashtags_that_the_text_does_not_say_stand_under_it(
    content: str, tags: list[str], shown: list[str], tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        note = await looked_up(app, content=content, tag=[tag(name) for name in tags])

        page = (await app.get(f"/posts/{note.id}")).text

        for name in ("sea", "seaside", "snow"):
            link = f'<a class="p-category" href="/tags/{name}" rel="tag">#{name}</a>'
            assert (link in page) == (name in shown), name


async def test_of_a_long_text_the_beginning_stands_among_others(tmp_path: Path) -> None:
    paragraph = f"<p>{'All work and no play. ' * 30}</p>"
    async with an_app(tmp_path) as app:
        await app.login()
        note = await looked_up(app, content=paragraph * 4)
        reply = await looked_up(app, "2", inReplyTo=note.uri, content="<p>Short</p>")

        alone = (await app.get(f"/posts/{note.id}")).text
        among_others = (await app.get(f"/posts/{reply.id}")).text

        assert 'class="start"' not in alone
        start, _, rest = among_others.partition('<p class="start" dir="auto">')[2].partition("</p>")
        assert start.endswith("no play. All…")
        assert 300 < len(start) <= 401
        assert rest.startswith('<details class="long"><summary>The whole text</summary>')
        assert among_others.count('class="start"') == 1, "the short answer is whole"


async def test_a_picture_of_which_only_the_kind_is_known_is_shown(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        picture = {"type": "Image", "url": "https://vic.example/media/46", "name": "A lighthouse"}
        note = await looked_up(app, attachment=[picture])

        page = (await app.get(f"/posts/{note.id}")).text

        assert '<img src="/media/proxy/' in page
        assert 'alt="A lighthouse"' in page
