"""Delete and redraft: the post goes, and all it said stands in the composer."""

import re
from datetime import timedelta
from pathlib import Path

import httpx2

from microfedi import imagework
from microfedi.federation.outbox.polls import PollDraft
from microfedi.protocol.vocab import Visibility
from microfedi.storage import circles, notes
from microfedi.storage.notes import Note
from tests.app_fixture import App, an_app, texts
from tests.federation.outbox.sent import send_all
from tests.web.pictures import a_png

FRANK = "https://fol.example/users/frank"


async def redraft(app: App, note: Note) -> httpx2.Response:
    answer = await app.post(f"/posts/{note.id}/redraft")
    assert answer.status_code == 303
    assert await app.ctx.db.read(lambda r: notes.by_id(r, note.id)) is None
    page = await app.get(answer.headers["location"])
    assert page.status_code == 200
    return page


def chosen(answer: httpx2.Response, name: str) -> str:
    select = re.search(rf'(?s)<select[^>]* name="{name}".*?</select>', answer.text)
    assert select
    found = re.search(r'value="([^"]*)"[^>]* selected', select.group(0))
    assert found
    return found.group(1)


async def test_the_post_is_deleted_and_stands_in_the_composer(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.followed_by(app.world.actor(FRANK))
        picture = await imagework.reencode(a_png(), purpose="post")
        note = await app.publish(
            "Some **bold** & <odd> text",
            Visibility.UNLISTED,
            summary="About odd things",
            language="de",
            sensitive=True,
            pictures=((picture, "A red field"),),
        )
        await send_all(app.ctx, app.world)
        assert "Delete and redraft" in texts(await app.home())

        page = await redraft(app, note)

        (delete,) = await send_all(app.ctx, app.world)
        assert (delete.json["type"], delete.json["object"]["id"]) == ("Delete", note.uri)
        assert "Some **bold** &amp; &lt;odd&gt; text</textarea>" in page.text
        assert 'name="summary" value="About odd things"' in page.text
        assert chosen(page, "language") == "de"
        assert chosen(page, "visibility") == "unlisted"
        assert 'name="sensitive" checked' in page.text
        assert "A red field</textarea>" in page.text
        (name,) = re.findall(r'name="file" value="([^"]+)"', page.text)
        assert name not in note.attachments[0].url
        assert (await app.get(f"/media/{name}")).content
        assert (await app.get(note.attachments[0].url)).status_code == 404

        fields = dict(re.findall(r'name="(key|version)" value="([^"]*)"', page.text))
        form = {"source": "Anew", "visibility": "public", "file": name, "file_alt": "Red", **fields}
        answer = await app.post("/compose", form)

        assert answer.status_code == 303, texts(answer)
        assert 'alt="Red"' in (await app.get(answer.headers["location"])).text
        assert (await app.get(f"/media/{name}")).status_code == 404
        assert await app.count("drafts") == await app.count("uploads") == 0
        assert await app.count("media") == 1


async def test_a_poll_a_reply_and_a_quote_stay_what_they_were(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        first = await app.publish("First")
        reply = await app.publish("An answer", Visibility.FOLLOWERS, in_reply_to=first.id)
        quote = await app.publish("Look", quote=first.id)
        poll = PollDraft(("Bread", "Cake"), timedelta(hours=6), is_multiple=True)
        asking = await app.publish("What?", poll=poll)

        page = await redraft(app, reply)
        assert f'name="reply_to" value="{first.id}"' in page.text
        assert chosen(page, "visibility") == "followers"
        page = await redraft(app, quote)
        assert f'name="quote" value="{first.id}"' in page.text
        page = await redraft(app, asking)
        assert 'name="option" value="Bread"' in page.text
        assert 'name="option" value="Cake"' in page.text
        assert chosen(page, "lasts") == str(6 * 3600)
        assert 'name="is_multiple" value="1" checked' in page.text


async def test_a_circle_is_chosen_again(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        frank = await app.followed_by(app.world.actor(FRANK))
        now = app.clock.now
        circle = await app.ctx.db.write(lambda tx: circles.create(tx, "c" * 32, "Lake", now))
        await app.ctx.db.write(lambda tx: circles.add(tx, circle, [frank.id]))
        note = await app.publish("For some", Visibility.LIMITED, circle=circle)

        assert chosen(await redraft(app, note), "visibility") == f"circle-{circle}"


async def test_a_post_for_a_circle_that_is_gone_is_not_offered_to_everybody(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        frank = await app.followed_by(app.world.actor(FRANK))
        now = app.clock.now
        circle = await app.ctx.db.write(lambda tx: circles.create(tx, "c" * 32, "Lake", now))
        await app.ctx.db.write(lambda tx: circles.add(tx, circle, [frank.id]))
        note = await app.publish("For some", Visibility.LIMITED, circle=circle)
        await app.ctx.db.write(lambda tx: circles.delete(tx, circle))

        answer = await app.post(f"/posts/{note.id}/redraft")

        assert answer.status_code == 422
        assert "It was not deleted" in texts(answer)
        assert await app.ctx.db.read(lambda r: notes.by_id(r, note.id)) is not None


async def test_nothing_is_lost_if_it_cannot_be_published(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        note = await app.publish("Worth keeping")
        await redraft(app, note)

        answer = await app.post(
            "/compose",
            {"source": "Worth keeping", "visibility": "public", "language": "not a language"},
        )

        assert answer.status_code == 422
        assert "Worth keeping</textarea>" in answer.text


async def test_only_own_posts_are_redrafted(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        uri = await app.theirs(app.world.actor(FRANK))
        theirs = await app.ctx.db.read(lambda r: notes.by_uri(r, uri))
        assert theirs

        answer = await app.post(f"/posts/{theirs.id}/redraft")

        assert answer.status_code == 404
        assert await app.ctx.db.read(lambda r: notes.by_uri(r, uri)) is not None
