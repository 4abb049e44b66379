"""A post alone, for the script: as everywhere else, and without moving any mark."""

from pathlib import Path

from microfedi.storage import notes
from tests.app_fixture import an_app


async def test_after_an_action_the_post_alone_is_shown_and_no_mark_moves(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann = app.world.actor("https://vic.example/users/ann")
        await app.follow(ann)
        uri = await app.theirs(ann, cc=[], tag=[])
        await app.home()
        mark = app.ctx.owner.home_read_position
        assert mark
        await app.theirs(ann, cc=[], tag=[])  # meanwhile
        note = await app.ctx.db.read(lambda r: notes.by_uri(r, uri))
        assert note

        answer = await app.post(f"/posts/{note.id}/favourite", {"next": f"/posts/{note.id}/card"})
        assert answer.headers["location"] == f"/posts/{note.id}/card#n{note.id}"
        page = await app.get(f"/posts/{note.id}/card")

        assert page.text.count("<article") == 1
        assert f'id="n{note.id}"' in page.text
        assert f"/posts/{note.id}/unfavourite" in page.text
        assert page.headers["cache-control"] == "no-store"
        assert app.ctx.owner.home_read_position == mark


async def test_there_is_no_card_of_nothing_and_none_for_strangers(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Hello")
        assert (await app.get(f"/posts/{note.id}/card")).headers["location"].startswith("/login")
        await app.login()
        assert (await app.get("/posts/1/card")).status_code == 404
        assert (await app.get("/posts/x/card")).status_code == 404
