"""What a post said before: for the owner of every post, for others of the owner's open ones."""

from pathlib import Path

from microfedi import imagework
from microfedi.federation.outbox import notes as outbox
from microfedi.protocol.vocab import Visibility
from microfedi.storage import notes
from microfedi.storage.notes import Note
from tests.another_server import AS2
from tests.app_fixture import App, an_app, texts
from tests.factories import hanging
from tests.web.pictures import a_png

ALICE = "https://vic.example/users/alice"


async def edit(app: App, note: Note, source: str, **fields: object) -> Note:
    app.clock.forward(hours=1)
    draft = outbox.Draft(source=source, visibility=note.visibility, **fields)  # type: ignore[arg-type]
    return await outbox.edit(app.ctx, note.id, draft)


async def test_everybody_sees_how_an_open_post_was_edited(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        picture = await imagework.reencode(a_png(), purpose="post")
        note = await app.publish(
            "First <words>", summary="A warning", pictures=((picture, "A red field"),)
        )
        await edit(app, note, "Second words", files=hanging(note))
        await edit(app, note, "Third words")

        page = await app.get(f"/@maya/{note.public_id}")
        assert f'href="/@maya/{note.public_id}/history"' in page.text
        history = await app.get(f"/@maya/{note.public_id}/history")

        assert history.status_code == 200
        said = texts(history)
        third, second, first = (said.index(f"{one} ") for one in ("Third", "Second", "First"))
        assert third < second < first
        assert "First <words>" in said
        assert "A warning" in said
        assert said.count("A file that was removed: A red field") == 2
        assert "12:00" in said
        assert "13:00" in said
        assert "14:00" in said


async def test_of_closed_posts_only_the_owner_sees_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Closed before", Visibility.FOLLOWERS)
        await edit(app, note, "Closed after")
        path = f"/@maya/{note.public_id}/history"

        stranger = await app.get(path)
        assert stranger.status_code == 404
        assert "Closed" not in stranger.text
        assert (await app.get(f"/posts/{note.id}/history")).status_code == 303
        await app.login()

        for page in (path, f"/posts/{note.id}/history"):
            said = texts(await app.get(page))
            assert "Closed before" in said
            assert "Closed after" in said


async def test_of_others_posts_the_owner_sees_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        uri = await app.theirs(alice, content="<p>Their first words</p>")
        note = await app.ctx.db.read(lambda r: notes.by_uri(r, uri))
        assert note
        app.clock.forward(hours=1)
        changed = {
            "id": uri,
            "type": "Note",
            "attributedTo": ALICE,
            "content": "<p>Their <script>alert(1)</script>second words</p>",
            "published": "2026-11-22T12:00:31Z",
            "updated": app.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "to": [f"{AS2}#Public"],
        }
        update = {"id": f"{uri}#u", "type": "Update", "actor": ALICE, "object": changed}
        await app.deliver(alice, update)

        page = await app.get(f"/posts/{note.id}/history")

        assert f'href="/posts/{note.id}/history"' in (await app.get(f"/posts/{note.id}")).text
        said = texts(page)
        assert said.index("second words") < said.index("Their first words")
        assert "alert(1)" not in page.text


async def test_what_was_never_edited_says_so(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Only once")

        said = texts(await app.get(f"/@maya/{note.public_id}/history"))

        assert "What it said before is not known here" in said
        assert (await app.get(f"/@maya/{'x' * 32}/history")).status_code == 404
        assert (await app.get(f"/@bob/{note.public_id}/history")).status_code == 404
