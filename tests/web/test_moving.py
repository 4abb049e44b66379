"""Moving: other accounts that may come here, going to one of them, and coming back."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from microfedi.federation.outbox import irreversible
from microfedi.storage import followers
from tests.another_server import RemoteActor
from tests.app_fixture import PASSWORD, US, App, an_app, texts
from tests.federation.outbox.sent import send_all

FRANK = "https://fol.example/users/frank"
NEW = "https://new.example/users/maya"


def new_account(app: App, **changes: Any) -> RemoteActor:
    return app.world.actor(NEW, **{"alsoKnownAs": [US]} | changes)


async def move(app: App, **fields: str) -> httpx2.Response:
    app.clock.forward(seconds=30)
    asked = {"target": NEW, "password": PASSWORD, "code": app.code()} | fields
    answer = await app.post("/settings/moving/move", asked)
    if answer.status_code == 303:
        app.clock.forward(hours=24)
        await irreversible.run(app.ctx, "move")
    return answer


async def document(app: App) -> dict[str, Any]:
    found: dict[str, Any] = (await app.asked_by(None, US)).json()
    return found


async def test_another_account_is_named_and_told_and_taken_off(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.followed_by(app.world.actor(FRANK))
        app.world.actor("https://old.example/users/maya")

        answer = await app.post(
            "/settings/moving/aliases", {"alias": "@maya@old.example"} | app.proof()
        )

        assert answer.status_code == 303
        assert (await document(app))["alsoKnownAs"] == ["https://old.example/users/maya"]
        (update,) = await send_all(app.ctx, app.world)
        assert update.json["type"] == "Update"
        assert update.json["object"]["alsoKnownAs"] == ["https://old.example/users/maya"]
        page = texts(await app.get("/settings/moving"))
        assert "@maya@old.example" in page
        assert "so that you can move here from there" in page

        await app.post(
            "/settings/moving/aliases/remove",
            {"uri": "https://old.example/users/maya"} | app.proof(),
        )

        assert not (await document(app)).get("alsoKnownAs")
        (update,) = await send_all(app.ctx, app.world)
        assert update.json["type"] == "Update"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (US, "this account itself"),
        ("@maya@us.example", "this account itself"),
        ("@nobody@old.example", "could not be found"),
        ("nonsense", "could not be found"),
        ("", "could not be found"),
    ],
)
async def test_what_is_no_other_account_is_not_named(
    tmp_path: Path, typed: str, words: str
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()

        answer = await app.post("/settings/moving/aliases", {"alias": typed} | app.proof())

        assert answer.status_code == 422
        assert words in texts(answer)
        assert not (await document(app)).get("alsoKnownAs")


async def test_the_consequences_are_said_before_anything_happens(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.followed_by(app.world.actor(FRANK))
        new_account(app)

        answer = await app.post("/settings/moving/check", {"target": "@maya@new.example"})

        assert answer.status_code == 200
        said = texts(answer)
        assert "The server of your follower is asked to let them follow" in said
        assert "Your posts, messages and pictures stay here" in said
        assert "Followers who went do not come back" in said
        assert "Whoever asks to follow you here is turned away" in said
        assert await send_all(app.ctx, app.world) == []
        assert "movedTo" not in await document(app)


async def test_followers_are_sent_to_the_new_account(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.followed_by(app.world.actor(FRANK))
        new_account(app)

        assert (await move(app)).status_code == 303

        update, sent = [one.json for one in await send_all(app.ctx, app.world)]
        assert (update["type"], update["object"]["movedTo"]) == ("Update", NEW)
        assert {name: sent[name] for name in ("type", "actor", "object", "target")} == {
            "type": "Move",
            "actor": US,
            "object": US,
            "target": NEW,
        }
        assert sent["to"] in (f"{US}/followers", [f"{US}/followers"])
        assert (await document(app))["movedTo"] == NEW
        profile = texts(await app.browser().get("/@maya"))
        assert f"has moved to {NEW}" in profile
        assert "Follow" not in profile
        assert "You have moved" in texts(await app.get("/settings/moving"))


async def test_whoever_asks_to_follow_afterwards_is_turned_away(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        new_account(app)
        await move(app)
        frank = app.world.actor(FRANK)

        await app.deliver(
            frank, {"id": f"{FRANK}/f/1", "type": "Follow", "actor": FRANK, "object": US}
        )

        (answer,) = await send_all(app.ctx, app.world)
        assert (answer.url, answer.json["type"]) == (frank.inbox_url, "Reject")
        assert await app.ctx.db.read(followers.count) == 0
        assert await app.count("notifications") == 0
        assert (await app.count("followers")) == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"alsoKnownAs": []}, "does not name this account yet"),
        ({"alsoKnownAs": ["https://us.example/users/may"]}, "does not name this account yet"),
        ({"movedTo": "https://third.example/users/maya"}, "has moved away itself"),
        ({"suspended": True}, "suspended or deleted"),
    ],
)
async def test_s_050_nobody_moves_to_an_account_that_does_not_agree(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.followed_by(app.world.actor(FRANK))
        new_account(app)
        await app.post("/settings/moving/check", {"target": NEW})
        new_account(app, **changes)

        for answer in (
            await app.post("/settings/moving/check", {"target": NEW}),
            await move(app),
        ):
            assert answer.status_code == 422
            assert words in texts(answer)
        assert "movedTo" not in await document(app)
        assert await send_all(app.ctx, app.world) == []


@pytest.mark.parametrize(
    "fields", [{"password": "wrong"}, {"code": "000000"}, {"code": ""}, {"target": US}]
)
async def test_both_factors_are_asked_for(tmp_path: Path, fields: dict[str, str]) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        new_account(app)

        answer = await move(app, **fields)

        assert answer.status_code == 422
        assert "movedTo" not in await document(app)


async def test_a_move_is_taken_back_and_not_made_again_at_once(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.followed_by(app.world.actor(FRANK))
        new_account(app)
        await move(app)
        await send_all(app.ctx, app.world)

        await app.post("/settings/moving/back", app.proof())

        (update,) = await send_all(app.ctx, app.world)
        assert update.json["type"] == "Update"
        assert "movedTo" not in update.json["object"]
        assert "movedTo" not in await document(app)
        answer = await move(app)
        assert answer.status_code == 422
        assert "less than 30 days ago" in texts(answer)

        app.clock.forward(days=30)
        await app.login()

        assert (await move(app)).status_code == 303
        assert (await document(app))["movedTo"] == NEW
