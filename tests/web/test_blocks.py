"""Blocking from the pages: follows end, nothing is let in, and it can be taken back."""

import asyncio
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from microfedi.errors import ForbiddenAddress
from microfedi.federation import jobs, media_cache
from microfedi.storage import blocks, notes
from microfedi.storage.database import Reader
from tests.another_server import PATIENCE_S, Answer
from tests.app_fixture import US, App, an_app, texts
from tests.federation.outbox.sent import send_all

ALICE = "https://vic.example/users/alice"
HOUR = 3600


async def test_a_person_is_blocked_on_their_profile_and_unblocked_there(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = await app.follow(app.world.actor("https://vic.example/users/alice"))
        await app.followed_by(app.world.actor("https://vic.example/users/alice"))
        page = f"/people/{alice.id}"

        await app.post(f"{page}/block", {"next": page}, page=page)

        assert await app.ctx.db.read(lambda r: blocks.is_blocked(r, alice.uri))
        assert (await app.count("followers"), await app.count("following")) == (0, 0)
        assert "Unblock" in texts(await app.get(page))
        assert alice.address in texts(await app.get("/settings/blocks"))

        await app.post(f"{page}/unblock", {"next": page}, page=page)

        assert not await app.ctx.db.read(lambda r: blocks.is_blocked(r, alice.uri))


async def test_a_server_is_blocked_with_all_below_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()

        done = await app.post("/settings/blocks", {"host": "Evil.example"}, page="/settings/blocks")

        assert done.status_code == 303
        uri = "https://deep.evil.example/users/mallory"
        assert await app.ctx.db.read(lambda r: blocks.is_blocked(r, uri))
        assert "evil.example" in texts(await app.get("/settings/blocks"))

        await app.post("/settings/blocks/remove", {"host": "evil.example"}, page="/settings/blocks")

        assert not await app.ctx.db.read(lambda r: blocks.is_blocked(r, uri))


async def test_what_is_no_server_is_refused_in_words(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()

        for host in ("not a host", "us.example"):
            answer = await app.post("/settings/blocks", {"host": host}, page="/settings/blocks")

            assert answer.status_code == 422
            assert host in answer.text


async def test_a_block_ends_when_its_time_is_over(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = await app.meet(app.world.actor(ALICE))
        page = f"/people/{alice.id}/block"
        assert "They are not told" in texts(await app.get(page))

        await app.post(page, {"lasts": HOUR}, page=page)
        await app.post("/settings/blocks", {"host": "evil.example", "lasts": 24 * HOUR})

        listed = texts(await app.get("/settings/blocks"))
        assert listed.count("until") == 2
        await jobs_due(app)
        assert await is_blocked(app, ALICE)

        app.clock.forward(seconds=HOUR)
        await jobs_due(app)

        assert not await is_blocked(app, ALICE)
        assert await is_blocked(app, "https://evil.example/users/mallory")

        app.clock.forward(seconds=23 * HOUR)
        await jobs_due(app)

        assert not await is_blocked(app, "https://evil.example/users/mallory")
        assert await app.count("outgoing") == 0


async def test_a_block_that_was_made_longer_does_not_end_early(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = await app.meet(app.world.actor(ALICE))
        await app.post(f"/people/{alice.id}/block", {"lasts": HOUR})
        await app.post(f"/people/{alice.id}/block", {"lasts": 24 * HOUR})

        app.clock.forward(seconds=HOUR)
        await jobs_due(app)
        assert await is_blocked(app, ALICE)

        app.clock.forward(seconds=23 * HOUR)
        await jobs_due(app)
        assert not await is_blocked(app, ALICE)


async def test_people_are_told_if_the_owner_wants_it_and_told_when_it_ends(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        bob = app.world.actor("https://vic.example/users/bob")
        quiet, told = await app.meet(bob), await app.meet(alice)
        await app.post(f"/people/{quiet.id}/block", {"lasts": 0})
        await app.post("/settings/blocks/telling", {"sends_blocks": "1"})
        assert app.ctx.owner.sends_blocks
        assert "Their server is told" in texts(await app.get(f"/people/{told.id}/block"))

        await app.post(f"/people/{told.id}/block", {"lasts": 0})
        await app.post(f"/people/{told.id}/unblock")
        await app.post(f"/people/{quiet.id}/unblock")
        sent = await send_all(app.ctx, app.world)

        assert [one.url for one in sent] == [told.inbox, told.inbox]
        block, undo = (json.loads(one.body) for one in sent)
        assert (block["type"], block["actor"], block["object"]) == ("Block", US, ALICE)
        assert block["to"] == [ALICE]
        assert (undo["type"], undo["actor"]) == ("Undo", US)
        assert undo["object"]["type"] == "Block"
        assert undo["object"]["id"] == block["id"]
        assert undo["object"]["object"] == ALICE


async def test_without_that_wish_only_the_end_of_follows_is_told(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        met = await app.followed_by(alice)
        await app.follow(alice)

        await app.post(f"/people/{met.id}/block", {"lasts": 0})
        await app.post(f"/people/{met.id}/unblock")
        sent = [json.loads(one.body) for one in await send_all(app.ctx, app.world)]

        assert sorted(one["type"] for one in sent) == ["Reject", "Undo"]
        assert all("Block" not in json.dumps(one) for one in sent)


async def test_before_a_server_is_blocked_it_is_said_what_goes_and_then_it_goes(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        mallory = app.world.actor("https://deep.evil.example/users/mallory")
        alice = app.world.actor(ALICE)
        lookalike = app.world.actor("https://notevil.example/users/carol")
        await app.follow(mallory)
        await app.followed_by(mallory)
        await app.follow(alice)
        await app.follow(lookalike)
        ours = await app.publish("Hello")
        await app.theirs(mallory, content="<p>rubbish one</p>")
        kept = await app.theirs(mallory, content="<p>rubbish two</p>")
        answer = await app.theirs(mallory, inReplyTo=ours.uri, content="<p>in our thread</p>")
        picture = Image.new("RGB", (8, 8), (200, 10, 10))
        data = io.BytesIO()
        picture.save(data, "PNG")
        url = "https://media.evil.example/a.png"
        app.world.serve(url, Answer(body=data.getvalue(), content_type="image/png"))
        attachment = [{"type": "Document", "mediaType": "image/png", "url": url}]
        await app.theirs(mallory, content="<p>rubbish three</p>", attachment=attachment)
        await app.theirs(alice, content="<p>something nice</p>")
        await app.theirs(lookalike, content="<p>something else</p>")
        copy = await media_cache.fetch(app.ctx, url)
        bookmarked = await app.ctx.db.read(lambda r: notes.by_uri(r, kept))
        assert bookmarked is not None
        await app.post(f"/posts/{bookmarked.id}/bookmark")
        waiting = len((await app.rows())["deliveries"])
        assert waiting > 0

        asked = texts(await app.get("/settings/blocks/server?host=Evil.example"))

        assert "1 person there follows you" in asked
        assert "1 person there is followed by you" in asked
        assert "2 posts of the 1 person known there" in asked
        assert not await is_blocked(app, mallory.uri)

        await app.post("/settings/blocks", {"host": "evil.example", "lasts": 0})

        rows = await app.rows()
        assert (len(rows["followers"]), len(rows["following"])) == (0, 2)
        home = texts(await app.home())
        assert "rubbish" not in home
        assert "in our thread" not in home
        assert "something nice" in home
        assert "something else" in home
        assert len(rows["deliveries"]) == 0
        told = texts(await app.get("/notifications"))
        assert "rubbish" not in told
        assert "something nice" in told

        await jobs_due(app)

        left = await app.ctx.db.read(lambda r: [n.uri for n in all_notes(r)])
        assert kept in left
        assert answer in left
        assert len(left) == 5
        assert not copy.path.exists()
        assert await send_all(app.ctx, app.world) == []
        with pytest.raises(ForbiddenAddress):
            await media_cache.fetch(app.ctx, url)

        await app.post("/settings/blocks/remove", {"host": "evil.example"})

        assert not await is_blocked(app, mallory.uri)
        assert await app.count("following") == 2


async def test_what_is_no_server_is_not_asked_about(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        for host in ("", "not a host", "us.example"):
            assert (await app.get(f"/settings/blocks/server?host={host}")).status_code == 422


async def is_blocked(app: App, uri: str) -> bool:
    return await app.ctx.db.read(lambda r: blocks.is_blocked(r, uri))


async def jobs_due(app: App) -> None:
    """Have everything done that is due by now, but nothing that asks other servers."""
    table = {name: jobs.JOBS[name] for name in ("unblock", "purge")}
    worker = jobs.JobsWorker(app.ctx, table=table)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            app.ctx.wake.jobs.clear()
            await worker.turn()
            if worker.is_idle:
                return
            await app.ctx.wake.jobs.wait()


def all_notes(reader: Reader) -> list[notes.Note]:
    return list(
        notes.by_ids(reader, [row["id"] for row in reader.all("SELECT id FROM notes")]).values()
    )
