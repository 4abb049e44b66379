"""Writing, editing, deleting; who sees it; pictures with their descriptions."""

import io
import re
from pathlib import Path

from PIL import Image

from microfedi.protocol.vocab import Visibility
from microfedi.storage import note_lists, notes
from tests.app_fixture import BASE_URL, HANDLE, US, an_app


def png(color: tuple[int, int, int] = (9, 99, 199)) -> bytes:
    """A small real picture."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(out, "PNG")
    return out.getvalue()


def options(page: str) -> list[str]:
    """The visibilities that a form offers."""
    select = page.split('name="visibility"', 1)[1].split("</select>", 1)[0]
    return re.findall(r'<option value="(\w+)"', select)


async def test_a_post_is_published_and_shown(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        answer = await app.post(
            "/compose",
            {"source": "A *fine* day", "summary": "Weather", "visibility": "unlisted"},
        )
        assert answer.status_code == 303
        page = (await app.browser().get(answer.headers["location"])).text
        assert "<em>fine</em>" in page
        assert "Weather" in page
        assert "Quiet public" in page


async def test_pictures_keep_their_descriptions(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        parts = [
            ('name="csrf"', (await app.token()).encode()),
            ('name="source"', b"look"),
            ('name="visibility"', b"public"),
            ('name="picture"; filename=""', b""),  # as a browser sends what was not chosen
            ('name="alt"', b""),
            ('name="picture"; filename="b.png"', png()),
            ('name="alt"', b"second one"),
        ]
        body = b"".join(
            f"--xx\r\nContent-Disposition: form-data; {name}\r\n\r\n".encode() + value + b"\r\n"
            for name, value in parts
        )
        answer = await app.client.post(
            "/compose",
            content=body + b"--xx--\r\n",
            headers={"content-type": "multipart/form-data; boundary=xx"},
        )
        assert answer.status_code == 303
        page = (await app.get(answer.headers["location"])).text
        assert 'alt="second one"' in page
        assert len(set(re.findall(r"/media/[A-Za-z0-9_-]{22}", page))) == 1
        many = [("picture", (f"{n}.png", png((n, n, n)), "image/png")) for n in range(17)]
        refused = await app.post("/compose", {"source": "x", "visibility": "public"}, files=many)
        assert refused.status_code == 422


async def test_what_is_wrong_is_said_and_nothing_typed_is_lost(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        text = "word " * 1001  # 5005 characters
        answer = await app.post(
            "/compose", {"source": text, "summary": "Mine", "visibility": "followers"}
        )
        assert answer.status_code == 422
        assert "5000" in answer.text
        assert "word word word" in answer.text
        assert 'value="Mine"' in answer.text
        assert re.search(r'<option value="followers" selected', answer.text)
        assert await app.count("notes") == 0


async def test_a_reply_is_no_wider_than_what_it_answers(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        for parent, offered in (
            (Visibility.PUBLIC, ["public", "unlisted", "followers", "limited"]),
            (Visibility.UNLISTED, ["unlisted", "followers", "limited"]),
            (Visibility.FOLLOWERS, ["followers", "limited"]),
        ):
            note = await app.publish("parent", parent, summary="Careful")
            page = (await app.get(f"/compose?reply_to={note.id}")).text
            assert options(page) == offered
            assert 'value="Careful"' in page  # the warning is taken over
            for kind in ("public", "unlisted", "followers", "limited", "direct"):
                answer = await app.post(
                    "/compose", {"source": "answer", "reply_to": str(note.id), "visibility": kind}
                )
                assert answer.status_code == (303 if kind in offered else 422), (parent, kind)


async def test_a_reply_names_whom_it_answers(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor("https://vic.example/users/alice")
        uri = await app.theirs(alice)
        note_id = next(row[0] for row in (await app.rows())["notes"] if uri in row)
        await app.login()
        page = (await app.get(f"/compose?reply_to={note_id}")).text
        assert "@alice@vic.example </textarea>" in page
        answer = await app.post(
            "/compose", {"source": "Yes!", "reply_to": str(note_id), "visibility": "public"}
        )
        assert answer.status_code == 303
        document = await app.asked_by(None, f"{US}/notes/{answer.headers['location'][-22:]}")
        assert document.json()["inReplyTo"] == uri
        assert alice.uri in document.json()["cc"] + document.json()["to"]
        assert (await app.get("/compose?reply_to=1234567")).status_code == 404


async def test_an_edit_describes_pictures_anew_and_takes_them_off(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.post(
            "/compose",
            {"source": "Two", "visibility": "public", "alt": ["A jetty", "A heron"]},
            files=[("picture", (f"{n}.png", png((n, n, n)), "image/png")) for n in range(2)],
        )
        (note,) = await app.ctx.db.read(
            lambda r: note_lists.by_actor(
                r, app.ctx.owner.actor_id, visibilities=list(Visibility), limit=9
            )
        )
        jetty, heron = (one.url for one in note.attachments)
        names = [url.rpartition("/")[2] for url in (jetty, heron)]
        path = f"/posts/{note.id}/edit"
        form = (await app.get(path)).text
        assert re.findall(r'name="file" value="([^"]+)"', form) == names
        for alt in ("A jetty", "A heron"):
            assert re.search(rf'<textarea name="file_alt"[^>]*>\n{alt}</textarea>', form)

        wanted = {
            "file": [names[1], names[0], "A" * 22],
            "file_alt": ["A heron", "A jetty at dusk", "Not mine"],
            "file_focus": ["0.5,-0.25", "0,0", "0,0"],
        }
        refused = await app.post(path, {"source": "x" * 5001, **wanted})
        assert refused.status_code == 422
        assert "\nA jetty at dusk</textarea>" in refused.text
        assert '"0.5,-0.25" data-own selected' in refused.text
        too_long = await app.post(
            path, {"source": "Two", "file": names[:1], "file_alt": ["x" * 1501]}
        )
        assert too_long.status_code == 422
        assert (await app.post(path, {"source": "One", **wanted})).status_code == 422  # the third

        described = {name: values[:2] for name, values in wanted.items()}
        assert (await app.post(path, {"source": "One", **described})).status_code == 303

        edited = await app.ctx.db.read(lambda r: notes.by_id(r, note.id))
        assert edited is not None
        shown = [(one.url, one.alt, one.focal_point) for one in edited.attachments]
        assert shown == [(heron, "A heron", (0.5, -0.25)), (jetty, "A jetty at dusk", None)]

        described = {name: values[:1] for name, values in wanted.items()}
        assert (await app.post(path, {"source": "One", **described})).status_code == 303

        assert (await app.get(jetty.removeprefix(BASE_URL))).status_code == 404
        assert (await app.get(heron.removeprefix(BASE_URL))).status_code == 200


async def test_an_edit_changes_the_words_and_nothing_else(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("First *words*", Visibility.FOLLOWERS)
        await app.login()
        form = (await app.get(f"/posts/{note.id}/edit")).text
        assert "First *words*</textarea>" in form
        assert "Who sees it stays as it is" in form
        app.clock.forward(minutes=5)
        answer = await app.post(
            f"/posts/{note.id}/edit", {"source": "Second words", "visibility": "public"}
        )
        assert answer.status_code == 303
        page = (await app.get(f"/@{HANDLE}/{note.public_id}")).text
        assert "Second words" in page
        assert "edited" in page
        assert (await app.browser().get(f"/@{HANDLE}/{note.public_id}")).status_code == 404
        empty = await app.post(f"/posts/{note.id}/edit", {"source": "   "})
        assert empty.status_code == 422


async def test_deleting_asks_first(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Soon gone")
        await app.login()
        asked = await app.get(f"/posts/{note.id}/delete")
        assert asked.status_code == 200
        assert "Soon gone" in asked.text
        assert (await app.get(f"/@{HANDLE}/{note.public_id}")).status_code == 200
        answer = await app.post(f"/posts/{note.id}/delete")
        assert answer.headers["location"] == "/home"
        assert (await app.get(f"/@{HANDLE}/{note.public_id}")).status_code == 410
        assert "Soon gone" not in (await app.home()).text
        assert (await app.post(f"/posts/{note.id}/delete")).status_code == 404


async def test_what_others_wrote_is_not_the_owners_to_change(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor("https://vic.example/users/alice")
        uri = await app.theirs(alice)
        rows = await app.rows()
        note_id = next(row[0] for row in rows["notes"] if uri in row)
        await app.login()
        rows = await app.rows()
        for what in ("edit", "delete"):
            assert (await app.get(f"/posts/{note_id}/{what}")).status_code == 404
            answer = await app.post(f"/posts/{note_id}/{what}", {"source": "mine now"})
            assert answer.status_code == 404
        assert (await app.post(f"/posts/{note_id}/pin")).status_code in (404, 422)
        assert await app.rows() == rows
