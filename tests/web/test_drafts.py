"""Drafts, scheduled posts, files that are uploaded ahead, suggestions, the preview."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from microfedi.errors import InvalidInput
from microfedi.federation import jobs as federation_jobs
from microfedi.federation import prune
from microfedi.protocol.vocab import Visibility
from microfedi.storage import circles, drafts, note_lists, notes, own_emojis, search_index
from microfedi.storage.drafts import Kept
from microfedi.storage.notes import Note
from microfedi.storage.own_emojis import OwnEmoji
from tests.app_fixture import App, an_app, texts
from tests.web.pictures import a_png

KEY = "k" * 22
FRANK = "https://fol.example/users/frank"
SECRET = "a secret about herons"


async def save(app: App, source: str, *, version: int = 0, key: str = KEY, **more: Any) -> Any:
    """Save as the script does; return what it is told."""
    form = {"key": key, "version": str(version), "source": source, "visibility": "public", **more}
    return (await app.post("/compose/draft", form)).json()


async def upload(app: App, color: str = "#336699") -> str:
    answer = await app.post(
        "/compose/media", files=[("picture", ("a.png", a_png(color), "image/png"))]
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["name"])


async def all_drafts(app: App) -> list[Kept]:
    return await app.ctx.db.read(drafts.unfinished)


async def posts(app: App) -> list[Note]:
    return await app.ctx.db.read(
        lambda r: note_lists.by_actor(
            r, app.ctx.owner.actor_id, visibilities=list(Visibility), limit=99
        )
    )


async def work(app: App) -> None:
    """Do the jobs that are due."""
    worker = federation_jobs.JobsWorker(app.ctx, table={"publish": federation_jobs.JOBS["publish"]})
    await worker.turn()
    while not worker.is_idle:
        for task in list(worker._running.values()):
            await task
        await worker.turn()


def fields(page: httpx2.Response) -> dict[str, str]:
    """The key and the version that a form has."""
    return dict(re.findall(r'name="(key|version)" value="([^"]*)"', page.text))


async def test_a_picture_has_its_room_before_it_is_there(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        wide = a_png(size=(1200, 800))
        answer = await app.post("/compose/media", files=[("picture", ("a.png", wide, "image/png"))])
        told = answer.json()
        assert (told["width"], told["height"]) == (256, 171)
        await save(app, "A picture", file=told["name"])
        page = (await app.get(f"/compose?draft={KEY}")).text
        assert 'width="256" height="171"' in page


async def test_what_is_typed_is_kept_sealed_and_comes_back_whole(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        parent = await app.publish("First", Visibility.FOLLOWERS)
        name = await upload(app)
        said = await save(
            app,
            SECRET,
            summary="Careful",
            visibility="followers",
            language="de",
            reply_to=str(parent.id),
            option=["Bread", "Cake"],
            lasts="3600",
            is_multiple="1",
            sensitive="on",
            file=name,
            file_alt="A blue field",
            file_focus="0.5,-0.25",
        )
        assert (said["key"], said["version"]) == (KEY, 1)

        (kept,) = await all_drafts(app)
        page = (await app.get("/drafts")).text
        assert SECRET in page
        form = (await app.get(f"/compose?draft={KEY}")).text
        for expected in (
            f"\n{SECRET}</textarea>",
            'value="Careful"',
            '<option value="followers" selected',
            '<option value="de" selected',
            f'name="reply_to" value="{parent.id}"',
            'name="option" value="Cake"',
            '<option value="3600" selected',
            'name="is_multiple" value="1" checked',
            'name="sensitive" checked',
            f'name="file" value="{name}"',
            "\nA blue field</textarea>",
            'value="0.5,-0.25" data-own selected',
            'name="version" value="1"',
        ):
            assert expected in form, expected
        assert kept.draft.lasts == 3600
        database = app.ctx.config.database_file
        raw = b"".join(path.read_bytes() for path in database.parent.glob(f"{database.name}*"))
        assert SECRET.encode() not in raw
        assert b"A blue field" not in raw


async def test_a_draft_is_published_once_however_often_its_form_is_sent(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await save(app, "Almost")
        form = {"key": KEY, "version": "1", "source": "Done", "visibility": "public"}

        first = await app.post("/compose", form)
        again = await app.post("/compose", form)

        assert first.status_code == again.status_code == 303
        assert first.headers["location"] == again.headers["location"]
        assert [one.source for one in await posts(app)] == ["Done"]
        assert await all_drafts(app) == []
        late = await app.post("/compose/draft", form)  # what was under way when it was sent
        assert (late.status_code, late.json()["is_over"]) == (409, True)
        assert await all_drafts(app) == []


async def test_two_windows_do_not_overwrite_each_other(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await save(app, "One")
        await save(app, "One window", version=1)

        second = await save(app, "Another window", version=1)

        assert second["key"] != KEY
        assert "second draft" in second["say"]
        assert {one.draft.source for one in await all_drafts(app)} == {
            "One window",
            "Another window",
        }
        stale = {"key": KEY, "version": "1", "source": "Out", "visibility": "public"}
        assert (await app.post("/compose", stale)).status_code == 303
        assert "One window" in {one.draft.source for one in await all_drafts(app)}


async def test_an_empty_draft_vanishes_and_a_deleted_one_stays_deleted(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await save(app, "Something")
        said = await save(app, "  \n", version=1)
        assert said["version"] == 0
        assert await all_drafts(app) == []

        name = await upload(app)
        await save(app, "Something", file=name)
        answer = await app.post(f"/drafts/{KEY}/delete")
        assert answer.status_code == 303
        assert await all_drafts(app) == []
        assert (await app.get(f"/media/{name}")).status_code == 404
        assert (await app.post(f"/drafts/{KEY}/delete")).status_code == 303


async def test_drafts_have_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "MAX_DRAFTS", 2)
    monkeypatch.setattr(drafts, "MAX_BYTES", 3000)
    async with an_app(tmp_path) as app:
        await app.login()
        for number in range(2):
            await save(app, "x", key=f"{number}" * 22)
        said = await save(app, "one more")
        assert "At most 2 drafts" in said["say"]
        assert (await save(app, "x" * 4000, key="0" * 22, version=1))["say"].startswith(
            "This is too long"
        )
        assert (await save(app, "y", key="0" * 22, version=1))["version"] == 2
        # Without the script: said in the form, and nothing that was typed is lost.
        answer = await app.post("/compose", {"source": "Third", "do": "draft"})
        assert answer.status_code == 422
        assert "\nThird</textarea>" in answer.text


async def test_without_the_script_a_button_saves_and_continues(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        answer = await app.post("/compose", {"source": "Begun", "do": "draft"})
        assert answer.status_code == 303
        page = await app.get(answer.headers["location"])
        assert "The draft is saved" in texts(page)
        assert "\nBegun</textarea>" in page.text
        assert "Begun" in (await app.get("/compose")).text  # offered
        await app.post(f"/drafts/{fields(page)['key']}/delete")
        assert "You have begun something" not in texts(await app.get("/compose"))
        assert "No drafts" in texts(await app.get("/drafts"))


async def test_an_edit_is_a_draft_of_its_own(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        note = await app.publish("As it was")
        page = await app.get(f"/posts/{note.id}/edit")
        assert "Earlier versions of a post that everybody may see stay visible" in texts(page)
        key = fields(page)["key"]
        await save(app, "Half of a new version", key=key, edits=str(note.id))

        link = f"/posts/{note.id}/edit?draft={key}"
        assert link in (await app.get("/drafts")).text
        assert "\nHalf of a new version</textarea>" in (await app.get(link)).text
        answer = await app.post(
            f"/posts/{note.id}/edit", {"source": "All of it", "key": key, "version": "1"}
        )
        assert answer.status_code == 303
        assert await all_drafts(app) == []
        closed = await app.publish("Few see it", Visibility.FOLLOWERS)
        page = await app.get(f"/posts/{closed.id}/edit")
        assert "Earlier versions" not in texts(page)


async def test_what_is_scheduled_is_published_at_its_time_and_once(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.ctx.db.write(lambda tx: tx.run("UPDATE owner SET time_zone = 'Asia/Tokyo'"))
        await app.ctx.reload_owner()
        tokyo = app.clock.now + timedelta(hours=9)
        at = f"{tokyo + timedelta(hours=2):%Y-%m-%dT%H:%M}"
        name = await upload(app)
        form = {
            "key": KEY, "source": "Later", "visibility": "unlisted", "do": "schedule",
            "file": name, "file_alt": "A field",
        }  # fmt: skip
        for wrong in ("", "tomorrow", f"{tokyo + timedelta(minutes=4):%Y-%m-%dT%H:%M}"):
            answer = await app.post("/compose", form | {"at": wrong})
            assert answer.status_code == 422, wrong
            form |= fields(answer)
        answer = await app.post("/compose", form | {"at": at})
        assert answer.headers["location"] == "/scheduled"
        page = await app.get("/scheduled")
        assert "Later" in page.text
        assert f'value="{at}"' in page.text
        assert "Quiet public" in texts(page)

        app.clock.forward(hours=1, minutes=59)
        await work(app)
        assert await posts(app) == []
        app.clock.forward(minutes=1)
        await work(app)
        await work(app)

        (note,) = await posts(app)
        assert (note.source, note.visibility) == ("Later", Visibility.UNLISTED)
        assert note.attachments[0].alt == "A field"
        assert await app.count("drafts") == await app.count("uploads") == 0
        assert "Nothing is scheduled" in texts(await app.get("/scheduled"))


async def test_a_crash_between_publishing_and_reporting_publishes_nothing_twice(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        at = f"{app.clock.now + timedelta(hours=1):%Y-%m-%dT%H:%M}"
        await app.post("/compose", {"key": KEY, "source": "Once", "at": at, "do": "schedule"})
        app.clock.forward(hours=2)

        await federation_jobs.JOBS["publish"](app.ctx, KEY)  # and then the power goes
        await work(app)  # its row is still there, and is done again

        assert [one.source for one in await posts(app)] == ["Once"]


async def test_scheduled_posts_are_put_off_edited_published_and_cancelled(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        at = f"{app.clock.now + timedelta(hours=1):%Y-%m-%dT%H:%M}"
        later = f"{app.clock.now + timedelta(hours=3):%Y-%m-%dT%H:%M}"
        for letter in "abc":
            key = letter * 22
            await app.post(
                "/compose", {"key": key, "source": f"Post {letter}", "at": at, "do": "schedule"}
            )
        too_soon = f"{app.clock.now:%Y-%m-%dT%H:%M}"
        answer = await app.post(f"/scheduled/{'a' * 22}/time", {"at": too_soon})
        assert answer.status_code == 422
        assert (await app.post(f"/scheduled/{'a' * 22}/time", {"at": later})).status_code == 303
        assert (await app.post(f"/scheduled/{'b' * 22}/publish")).status_code == 303
        assert (await app.post(f"/scheduled/{'c' * 22}/cancel")).status_code == 303
        assert [one.source for one in await posts(app)] == ["Post b"]
        assert [one.draft.source for one in await all_drafts(app)] == ["Post c"]

        # Edited beside it: until the new one is scheduled, the old one stands.
        form = await app.get(f"/compose?draft={'a' * 22}")
        assert f'name="replaces" value="{"a" * 22}"' in form.text
        new = fields(form)["key"]
        assert new != "a" * 22
        await save(app, "Half edi", key=new, replaces="a" * 22)
        assert [o.draft.source for o in await app.ctx.db.read(drafts.scheduled)] == ["Post a"]
        edited = {"key": new, "version": "1", "replaces": "a" * 22, "source": "Post A"}
        answer = await app.post("/compose", edited | {"at": later, "do": "schedule"})
        assert answer.status_code == 303
        assert [o.draft.source for o in await app.ctx.db.read(drafts.scheduled)] == ["Post A"]

        app.clock.forward(hours=4)
        await work(app)
        assert {one.source for one in await posts(app)} == {"Post b", "Post A"}
        for what in ("time", "publish", "cancel"):
            assert (await app.post(f"/scheduled/{'a' * 22}/{what}")).status_code == 404


async def test_what_cannot_be_published_at_its_time_is_a_draft_that_says_why(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        at = f"{app.clock.now + timedelta(hours=1):%Y-%m-%dT%H:%M}"
        parent = await app.publish("Soon gone")
        form = {"source": "An answer", "reply_to": str(parent.id), "visibility": "public"}
        assert (await app.post("/compose", form | {"at": at})).headers["location"] == "/scheduled"
        await app.post(f"/posts/{parent.id}/delete")
        app.clock.forward(hours=2)

        await work(app)

        assert await posts(app) == []
        (kept,) = await all_drafts(app)
        assert isinstance(kept.problem, InvalidInput)
        page = texts(await app.get("/drafts"))
        assert "It was not published at its time: What this answers has been deleted" in page


async def test_a_scheduled_post_for_a_circle_is_for_that_circle_or_nobody(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        frank = await app.followed_by(app.world.actor(FRANK))

        def circle(name: str, public_id: str) -> Any:
            return lambda tx: circles.create(tx, public_id * 32, name, app.clock.now)

        lake = await app.ctx.db.write(circle("Lake", "a"))
        at = f"{app.clock.now + timedelta(hours=1):%Y-%m-%dT%H:%M}"
        form = {"source": "For some", "visibility": f"circle-{lake}", "at": at}
        assert (await app.post("/compose", form)).status_code == 303
        assert "Circle: Lake" in texts(await app.get("/scheduled"))
        await app.ctx.db.write(lambda tx: circles.delete(tx, lake))
        other = await app.ctx.db.write(circle("Others", "b"))
        assert other == lake  # SQLite gives the number anew
        await app.ctx.db.write(lambda tx: circles.add(tx, other, [frank.id]))
        app.clock.forward(hours=2)

        await work(app)

        assert await posts(app) == []
        assert "This circle is not there any more" in texts(await app.get("/drafts"))


async def test_pictures_without_words_are_asked_about_once(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        files = [("picture", (f"{n}.png", a_png(f"#{n}00"), "image/png")) for n in (3, 6)]
        page = await app.post("/compose", {"source": "Two", "visibility": "public"}, files=files)
        assert page.status_code == 422
        assert "2 files have no description" in texts(page)
        names = re.findall(r'name="file" value="([^"]+)"', page.text)
        assert len(set(names) - {""}) == 2
        form = {"source": "Two", "visibility": "public", "file": names[:2], **fields(page)}

        page = await app.post("/compose", form | {"file_alt": ["A red field", ""]})
        assert "1 file has no description" in texts(page)
        form |= fields(page)
        answer = await app.post("/compose", form | {"do": "publish_anyway"})

        assert answer.status_code == 303
        (note,) = await posts(app)
        assert len(note.attachments) == 2


async def test_files_are_put_in_order_and_removed_without_the_script(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        one, two, three = [await upload(app, f"#{n}00") for n in (1, 5, 9)]
        form = {"source": "x", "file": [one, two, three], "file_alt": ["1", "2", "3"]}
        for action, expected in (
            (f"earlier-{two}", [two, one, three]),
            (f"later-{two}", [one, three, two]),
            (f"remove-{two}", [one, three]),
            (f"earlier-{one}", [one, two, three]),
            ("remove-", [one, two, three]),
        ):
            page = (await app.post("/compose", form | {"do": action})).text
            assert re.findall(r'name="file" value="([^"]+)"', page) == expected
            assert await posts(app) == []


async def test_an_error_in_one_file_keeps_everything_else(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        files = [
            ("picture", ("a.png", a_png(), "image/png")),
            ("picture", ("b.png", b"no picture", "image/png")),
            ("picture", ("c.png", a_png("#990000"), "image/png")),
        ]
        page = await app.post("/compose", {"source": "Kept", "summary": "Too"}, files=files)
        assert page.status_code == 422
        assert "File 2:" in texts(page)
        assert "\nKept</textarea>" in page.text
        assert len(re.findall(r'name="file" value="([^"]+)"', page.text)) == 2


async def test_a_waiting_file_is_sealed_and_gone_after_a_day(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        lost, held = await upload(app), await upload(app, "#770000")
        await save(app, "With a picture", file=held)
        directory = app.ctx.config.media_dir
        assert all(b"PNG" not in path.read_bytes()[:9] for path in directory.iterdir())

        app.clock.forward(hours=25)
        await prune.run(app.ctx, "")

        assert {path.name for path in directory.iterdir()} == {held}
        assert (await app.get(f"/media/{lost}")).status_code == 404
        answer = await app.post(
            "/compose", {"source": "x", "visibility": "public", "file": lost, "file_alt": "x"}
        )
        assert answer.status_code == 422
        assert "not here any more" in texts(answer)


async def test_names_of_other_files_bring_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        form = {"source": "x", "visibility": "public", "file_alt": "x", "do": "publish_anyway"}
        await app.post("/compose", form, files=[("picture", ("a.png", a_png(), "image/png"))])
        hanging = (await posts(app))[0].attachments[0].url.rpartition("/")[2]
        for name in (hanging, "../../etc/passwd", "x" * 65, "A" * 22, ""):
            answer = await app.post("/compose", form | {"file": name})
            published = answer.status_code == 303
            assert published is (name in ("", "../../etc/passwd")), name  # no names at all
        assert all(len(one.attachments) == 0 for one in (await posts(app))[:-1])


async def test_a_preview_shows_the_post_and_publishes_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.follow(app.world.actor(FRANK))
        page = await app.post(
            "/compose",
            {
                "source": "Look, **Frank** @frank@fol.example <script>alert(1)</script> #herons",
                "visibility": "followers",
                "option": ["Bread", "Cake"],
                "do": "preview",
            },
        )
        assert page.status_code == 200
        assert "<strong>Frank</strong>" in page.text
        assert 'class="u-url mention"' in page.text
        assert "<script>alert" not in page.text
        assert "Nothing is published yet" in texts(page)
        assert await posts(app) == []
        assert len(await all_drafts(app)) == 1
        for odd in ("", "x" * 20_000, "@nobody@nowhere.example", "[" * 5000):
            page = await app.post("/compose", {"source": odd, "do": "preview"})
            assert page.status_code == 200
        assert all("nowhere" not in str(one) for one in app.world.dialled)


async def test_suggestions_come_from_what_is_known_here(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.follow(app.world.actor(FRANK))
        for number in range(12):
            await app.publish(f"#heron{number:02} and #egret")
        await _picture(app)
        emoji = OwnEmoji("blobheron", "f" * 22, "image/png", app.clock.now)
        await app.ctx.db.write(lambda tx: own_emojis.add(tx, emoji))
        while await app.ctx.db.write(search_index.index):
            pass

        async def asked(kind: str, q: str) -> list[str]:
            answer = await app.get(f"/complete?kind={kind}&q={q}")
            assert answer.headers["cache-control"] == "no-store"
            return [one["put"] for one in answer.json()]

        assert await asked("person", "fra") == ["@frank@fol.example"]
        assert await asked("person", "frank@fol") == ["@frank@fol.example"]
        assert await asked("person", "maya") == []  # nobody mentions themselves
        tags = await asked("tag", "her")
        assert len(tags) == 8
        assert tags[0] == "#heron00"
        assert await asked("emoji", "heron") == [":blobheron:"]
        for kind, query in (("person", ""), ("", "x"), ("other", "x"), ("tag", "%00" * 90)):
            assert await asked(kind, query) == []
        stranger = await app.browser().get("/complete?kind=person&q=fra")
        assert stranger.status_code == 303


async def _picture(app: App) -> None:
    """Give the emoji its row among the owner's media."""

    def insert(tx: Any) -> None:
        tx.run(
            """
            INSERT INTO media (public_id, media_type, size_bytes, width, height, blurhash, sealed,
                               created_at)
            VALUES (:id, 'image/png', 1, 1, 1, '', 0, '2026-01-01T00:00:00.000000Z')
            """,
            {"id": "f" * 22},
        )

    await app.ctx.db.write(insert)


async def test_a_composer_knows_the_language_of_the_last_post(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        page = (await app.get("/compose")).text
        assert '<option value="en" selected' in page
        await app.post("/compose", {"source": "Hallo", "language": "de"})
        assert '<option value="de" selected' in (await app.get("/compose")).text
        uri = await app.theirs(
            app.world.actor(FRANK), content="<p>Oui</p>", contentMap={"fr": "<p>Oui</p>"}
        )
        theirs = await app.ctx.db.read(lambda r: notes.by_uri(r, uri))
        assert theirs is not None
        page = (await app.get(f"/compose?reply_to={theirs.id}")).text
        assert '<option value="fr" selected' in page


async def test_an_answer_to_what_is_gone_becomes_a_post_of_its_own(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        parent = await app.publish("Soon gone", Visibility.FOLLOWERS)
        await save(app, "An answer", reply_to=str(parent.id), visibility="limited")
        await app.post(f"/posts/{parent.id}/delete")

        page = await app.get(f"/compose?draft={KEY}")

        assert "it will be a post of its own" in texts(page)
        assert 'name="reply_to"' not in page.text
        assert '<option value="" selected>Please choose' in page.text
        form = {"key": KEY, "version": "1", "source": "An answer", "visibility": ""}
        answer = await app.post("/compose", form)
        assert answer.status_code == 422
        assert await posts(app) == []


async def test_a_cancelled_post_has_no_time_any_more(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        at = f"{app.clock.now + timedelta(hours=1):%Y-%m-%dT%H:%M}"
        later = f"{app.clock.now + timedelta(hours=9):%Y-%m-%dT%H:%M}"
        await app.post("/compose", {"key": KEY, "source": "Later", "at": at})
        await app.post(f"/scheduled/{KEY}/time", {"at": later})
        page = (await app.get(f"/compose?draft={KEY}")).text
        assert f'name="at" value="{later}"' in page

        await app.post(f"/scheduled/{KEY}/cancel")

        assert 'name="at" value=""' in (await app.get(f"/compose?draft={KEY}")).text
        app.clock.forward(days=1)
        await work(app)
        assert await posts(app) == []
