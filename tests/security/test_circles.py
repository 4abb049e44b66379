"""Posts for a circle: for those who got them, and the same 404 for everybody else."""

from pathlib import Path

import httpx2

from microfedi.storage import circles
from tests.app_fixture import ACTIVITY, BASE_URL, US, App, an_app
from tests.federation.outbox.sent import send_all
from tests.security.test_closed_posts import never_issued, seen
from tests.web.test_circles import with_circle, written

ANN = "https://ann.example/users/ann"
BEN = "https://ann.example/users/ben"
CARL = "https://carl.example/users/carl"
PATHS = ("", "/activity", "/replies", "/replies?page=true", "/likes", "/shares")


async def test_s_107_a_post_for_a_circle_is_there_for_those_in_it_alone(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann, ben = app.world.actor(ANN), app.world.actor(BEN)
        met = await app.followed_by(ann)
        await app.followed_by(ben)
        number = await with_circle(app, met.id)
        note = await written(app, number, "Cake")
        nothing = seen(await _nothing(app))
        assert nothing[0] == 404

        for path in PATHS:
            url = note.uri + path
            assert (await app.asked_by(ann, url)).status_code == 200, path
            # On the same server, and a follower too.
            assert seen(await app.asked_by(ben, url)) == nothing, path
            assert seen(await app.asked_by(None, url)) == nothing, path
        assert (await app.browser().get(f"/@maya/{note.public_id}")).status_code == 404


async def test_s_107_a_circle_is_told_by_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann = app.world.actor(ANN)
        met = await app.followed_by(ann)
        note = await written(app, await with_circle(app, met.id), "Cake")
        circle = note.to[0]
        nowhere = f"{US}/circles/0123456789abcdef0123456789abcdef"

        for asker in (ann, None):
            for accept in (ACTIVITY, {"accept": "text/html"}):
                real = await app.asked_by(asker, circle, **accept)
                assert real.status_code == 404
                assert seen(real) == seen(await app.asked_by(asker, nowhere, **accept))
        for path in ("/circles", "/circles/1"):
            assert (await app.browser().get(path)).status_code == 303


async def test_s_105_a_post_for_a_circle_is_in_no_collection(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann = app.world.actor(ANN)
        carl = app.world.actor(CARL)
        met = await app.followed_by(ann)
        await app.followed_by(carl)
        number = await with_circle(app, met.id)
        opened = await app.publish("Hello")
        before = [await _asked(app, url) for url in _collections(opened.uri)]

        note = await written(app, number, "Cake #cake")

        after = [await _asked(app, url) for url in _collections(opened.uri)]
        assert after == before
        for asker in (None, carl):
            for url in _collections(opened.uri):
                answer = await app.asked_by(asker, url)
                assert note.uri not in answer.text
                assert "Cake" not in answer.text


async def test_s_112_it_is_sent_to_personal_inboxes_alone(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann, ben, carl = (app.world.actor(uri) for uri in (ANN, BEN, CARL))
        met = await app.followed_by(ann)
        await app.followed_by(ben)
        await app.followed_by(carl)
        number = await with_circle(app, met.id)

        note = await written(app, number, "Cake. @carl@carl.example @ben@ann.example")
        await app.post(f"/posts/{note.id}/edit", {"source": "Cake! @carl@carl.example"})
        await app.post(f"/posts/{note.id}/delete")
        sent = await send_all(app.ctx, app.world)

        assert [one.json["type"] for one in sent] == ["Create", "Update", "Delete"]
        assert {one.url for one in sent} == {met.inbox}
        assert met.inbox != met.delivery_inbox
        for one in sent:
            assert "bto" not in one.json
            assert "bcc" not in one.json
            assert CARL not in str(one.json["to"] + one.json["cc"])


async def test_s_107_who_came_later_finds_nothing_and_who_is_blocked_neither(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann, carl = app.world.actor(ANN), app.world.actor(CARL)
        met, late = await app.followed_by(ann), await app.followed_by(carl)
        number = await with_circle(app, met.id)
        note = await written(app, number, "Cake")
        await app.ctx.db.write(lambda tx: circles.add(tx, number, [late.id]))
        nothing = seen(await _nothing(app))

        assert seen(await app.asked_by(carl, note.uri)) == nothing
        assert (await app.asked_by(ann, note.uri)).status_code == 200

        await app.post(f"/people/{met.id}/block")

        assert seen(await app.asked_by(ann, note.uri)) == nothing
        await app.post(f"/posts/{note.id}/delete")
        types = [one.json["type"] for one in await send_all(app.ctx, app.world)]
        assert "Delete" not in types


async def _nothing(app: App) -> httpx2.Response:
    return await never_issued(app, **ACTIVITY)


def _collections(open_uri: str) -> list[str]:
    return [
        f"{US}/outbox",
        f"{US}/outbox?page=true",
        f"{US}/featured",
        f"{open_uri}/replies",
        f"{open_uri}/replies?page=true",
        f"{BASE_URL}/tags/cake",
        f"{BASE_URL}/@maya",
        f"{BASE_URL}/nodeinfo/2.1",
    ]


async def _asked(app: App, url: str) -> tuple[int, str]:
    answer = await app.asked_by(None, url)
    return answer.status_code, answer.text
