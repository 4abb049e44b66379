"""Circles: made, filled, chosen for a post; told to those in them and to nobody else."""

import json
import re
from pathlib import Path
from typing import Any

from microfedi.protocol.vocab import Visibility
from microfedi.storage import circles, notes
from microfedi.storage.notes import Note
from tests.app_fixture import US, App, an_app, texts
from tests.federation.outbox.sent import send_all

ANN = "https://ann.example/users/ann"
BEN = "https://ben.example/users/ben"
CARL = "https://carl.example/users/carl"


async def with_circle(app: App, *people: int, name: str = "Family") -> int:
    """Make a circle through the pages; return its number."""
    made = await app.post("/circles", {"name": name}, page="/circles")
    path = made.headers["location"]
    await app.post(f"{path}/add", {"person": list(people)}, page=path)
    return int(path.rpartition("/")[2])


async def written(app: App, circle: int, source: str, **fields: Any) -> Note:
    """Write a post for a circle through the pages."""
    app.clock.forward(seconds=1)
    form = {"source": source, "visibility": f"circle-{circle}", **fields}
    answer = await app.post("/compose", form)
    assert answer.status_code == 303, texts(answer)
    public_id = answer.headers["location"].rpartition("/")[2]
    found = await app.ctx.db.read(lambda r: notes.by_public_id(r, public_id))
    assert found is not None
    return found


async def test_a_circle_is_made_filled_renamed_and_deleted(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann, ben = (
            await app.followed_by(app.world.actor(ANN)),
            await app.followed_by(app.world.actor(BEN)),
        )
        stranger = await app.meet(app.world.actor(CARL))

        number = await with_circle(app, ann.id, ben.id, stranger.id)

        page = f"/circles/{number}"
        inside = texts(await app.get(page))
        assert "Family" in inside
        assert "@ann@ann.example" in inside
        assert "carl" not in inside
        assert "2 people" in texts(await app.get("/circles"))
        assert "Circle: Family" in texts(await app.get("/compose"))
        assert "Circle: Family" in texts(await app.get("/home"))

        await app.post(page, {"name": "Relatives"}, page=page)
        await app.post(f"{page}/remove", {"person": ben.id}, page=page)

        people = await app.ctx.db.read(lambda r: circles.people(r, number))
        assert [one.uri for one in people] == [ANN]
        assert "Relatives" in texts(await app.get("/circles"))
        assert "Relatives" not in str((await app.rows())["circles"])

        await app.post(f"{page}/delete", page=page)

        assert "Circle:" not in texts(await app.get("/compose"))
        assert (await app.get(page)).status_code == 404


async def test_a_post_for_a_circle_goes_to_each_in_it_and_to_nobody_else(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann = await app.followed_by(app.world.actor(ANN))
        ben = await app.followed_by(app.world.actor(BEN))
        await app.followed_by(app.world.actor(CARL))
        number = await with_circle(app, ann.id, ben.id)

        note = await written(app, number, "Cake on Sunday. @carl@carl.example is not to know.")
        sent = await send_all(app.ctx, app.world)

        assert note.visibility is Visibility.LIMITED
        assert {one.url for one in sent} == {ann.inbox, ben.inbox}
        assert len(sent) == 2
        create = sent[0].json
        (audience,) = create["to"]
        assert re.fullmatch(rf"{US}/circles/[\w-]{{22}}", audience)
        assert create["cc"] == []
        assert create["object"]["to"] == [audience]
        assert not create["object"].get("cc")
        text = sent[0].body.decode()
        assert "Family" not in text
        assert BEN not in text
        assert ANN not in text
        assert create["object"].get("tag", []) == []
        assert "proof" not in create
        page = texts(await app.get(f"/@maya/{note.public_id}"))
        assert "Circle: Family" in page


async def test_who_is_mentioned_in_it_and_in_the_circle_is_told_so(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann = await app.followed_by(app.world.actor(ANN))
        ben = await app.followed_by(app.world.actor(BEN))
        number = await with_circle(app, ann.id, ben.id)

        await written(app, number, "@ann@ann.example bakes")
        sent = await send_all(app.ctx, app.world)

        assert [one["href"] for one in sent[0].json["object"]["tag"]] == [ANN]
        assert sent[0].json["to"][1:] == [ANN]
        assert {one.url for one in sent} == {ann.inbox, ben.inbox}


async def test_edits_and_deletion_go_to_exactly_those_who_got_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann = await app.followed_by(app.world.actor(ANN))
        ben = await app.followed_by(app.world.actor(BEN))
        carl = await app.followed_by(app.world.actor(CARL))
        number = await with_circle(app, ann.id, ben.id)
        note = await written(app, number, "First")
        await send_all(app.ctx, app.world)
        await app.post(f"/circles/{number}/remove", {"person": ben.id})
        await app.post(f"/circles/{number}/add", {"person": carl.id})

        await app.post(f"/posts/{note.id}/edit", {"source": "Second"})
        edited = await send_all(app.ctx, app.world)
        await app.post(f"/posts/{note.id}/delete")
        deleted = await send_all(app.ctx, app.world)

        for sent, kind in ((edited, "Update"), (deleted, "Delete")):
            assert {one.url for one in sent} == {ann.inbox, ben.inbox}
            assert {json.loads(one.body)["type"] for one in sent} == {kind}

        later = await written(app, number, "Third")
        assert {one.url for one in await send_all(app.ctx, app.world)} == {ann.inbox, carl.inbox}
        assert later.to == note.to


async def test_the_owner_goes_on_in_the_same_circle(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann = await app.followed_by(app.world.actor(ANN))
        await app.followed_by(app.world.actor(BEN))
        note = await written(app, await with_circle(app, ann.id), "Cake?")
        await send_all(app.ctx, app.world)
        assert "The same circle" in texts(await app.get(f"/compose?reply_to={note.id}"))

        form = {"source": "With cream", "visibility": "limited", "reply_to": note.id}
        answer = await app.post("/compose", form)

        assert answer.status_code == 303
        (sent,) = await send_all(app.ctx, app.world)
        assert sent.url == ann.inbox
        assert sent.json["to"] == list(note.to)


async def test_a_member_answers_and_reacts(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann, ben = app.world.actor(ANN), app.world.actor(BEN)
        met = await app.followed_by(ann)
        await app.followed_by(ben)
        note = await written(app, await with_circle(app, met.id), "Cake?")

        for number, who in enumerate((ann, ben)):
            like = {"type": "Like", "actor": who.uri, "object": note.uri, "to": [US]}
            await app.deliver(who, {"id": f"{who.uri}/likes/{number}", **like})

        told = (await app.rows())["notifications"]
        assert len([row for row in told if row[1] == "like"]) == 1


async def test_who_no_longer_follows_is_in_no_circle(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann = app.world.actor(ANN)
        met = await app.followed_by(ann)
        number = await with_circle(app, met.id)
        follow = {"id": f"{ANN}/follows/1", "type": "Follow", "actor": ANN, "object": US}
        undo = {"id": f"{ANN}/undo/1", "type": "Undo", "actor": ANN, "object": follow}

        await app.deliver(ann, undo)
        await app.followed_by(ann)

        assert await app.ctx.db.read(lambda r: circles.people(r, number)) == []
        form = {"source": "Anybody?", "visibility": f"circle-{number}"}
        answer = await app.post("/compose", form)
        assert answer.status_code == 422
        assert "Nobody is in the circle Family yet" in texts(answer)


async def test_what_cannot_be_is_said_in_words(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        for name in ("", "x" * 61):
            answer = await app.post("/circles", {"name": name}, page="/circles")
            assert answer.status_code == 422
            assert "at most 60" in texts(answer)
        for chosen in ("circle-99", "circle-", "limited", "direct", "circle-1e3"):
            answer = await app.post("/compose", {"source": "x", "visibility": chosen})
            assert answer.status_code == 422
        assert await app.count("outgoing") == 0
