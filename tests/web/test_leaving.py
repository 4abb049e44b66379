"""Deleting the account: said first, told to everybody, and nothing left but a gravestone."""

from pathlib import Path

import httpx2
import pytest

from microfedi import doctor, imagework
from microfedi.account import renewing, setup
from microfedi.errors import ConfigError, InvalidInput
from microfedi.federation import start
from microfedi.federation.outbox import irreversible, leaving
from microfedi.protocol import parse
from microfedi.protocol.vocab import Visibility
from microfedi.storage import files
from tests.another_server import Answer
from tests.app_fixture import ACTIVITY, HANDLE, PASSWORD, US, App, an_app, texts
from tests.federation.outbox.sent import send_all
from tests.web.pictures import a_png

FRANK = "https://fol.example/users/frank"
ALICE = "https://vic.example/users/alice"
CAROL = "https://other.example/users/carol"
WEBFINGER = f"/.well-known/webfinger?resource=acct:{HANDLE}@us.example"


async def lived_in(app: App) -> tuple[str, str]:
    """Posts, a picture, a message, people met: frank follows, alice is followed, carol is known."""
    await app.login()
    frank = await app.followed_by(app.world.actor(FRANK))
    await app.follow(app.world.actor(ALICE))
    await app.meet(app.world.actor(CAROL))
    opened = await app.publish(
        "Hello from pumpernickel",
        pictures=((await imagework.reencode(a_png(), purpose="post"), "alt"),),
    )
    closed = await app.publish("Closed pumpernickel", Visibility.FOLLOWERS)
    await app.message([frank.id], "Between us: pumpernickel")
    await app.theirs(app.world.actor(ALICE))
    assert opened.public_id
    assert closed.public_id
    await send_all(app.ctx, app.world)
    return opened.public_id, closed.public_id


async def leave(app: App, **fields: str) -> httpx2.Response:
    app.clock.forward(seconds=30)
    asked = {"handle": HANDLE, "password": PASSWORD, "code": app.code()} | fields
    answer = await app.post("/settings/delete", asked)
    if answer.status_code == 303:
        app.clock.forward(hours=24)
        await irreversible.run(app.ctx, "delete")
    return answer


async def test_what_goes_and_what_stays_is_said_first(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await lived_in(app)

        said = texts(await app.get("/settings/delete"))

        assert "2 posts" in said
        assert "1 follower" in said
        assert "3 inboxes of other servers are asked to delete everything" in said
        assert "nobody can force them" in said
        assert "It cannot be undone" in said


@pytest.mark.parametrize(
    "fields",
    [
        {"handle": ""},
        {"handle": "may"},
        {"handle": "maya@vic.example"},
        {"password": "wrong"},
        {"code": "000000"},
        {"code": ""},
    ],
)
async def test_all_three_are_asked_for(tmp_path: Path, fields: dict[str, str]) -> None:
    async with an_app(tmp_path) as app:
        await lived_in(app)

        answer = await leave(app, **fields)

        assert answer.status_code == 422
        assert await app.count("notes") == 3
        assert await send_all(app.ctx, app.world) == []


async def test_everybody_known_is_told(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await lived_in(app)
        before = (await app.asked_by(None, US)).json()

        assert (await leave(app)).status_code == 303

        sent = await send_all(app.ctx, app.world)
        assert {one.url for one in sent} == {
            "https://fol.example/inbox",
            "https://vic.example/inbox",
            "https://other.example/inbox",
        }
        for one in sent:
            assert (one.json["type"], one.json["actor"], one.json["object"]) == ("Delete", US, US)
            assert one.headers["signature"].startswith(f'keyId="{US}#main-key"')
        assert {key.pem for key in parse.keys(before)} == {
            key.pem for key in parse.keys((await app.asked_by(None, US)).json())
        }


async def test_nothing_is_left_but_a_gravestone(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await lived_in(app)
        assert files.names(app.ctx.config.media_dir)
        copy = app.data_dir / "microfedi-before-0005-was-0004.db"
        copy.write_bytes(b"a copy of the database from before an upgrade")

        await leave(app, handle=f"@{HANDLE}@us.example")

        rows = {
            name
            for name, found in (await app.rows()).items()
            # What SQLite notes of an index of words that is empty.
            if found and not name.startswith(("search_posts_", "search_people_"))
        }
        assert rows == {
            "instance",
            "owner",
            "actors",
            "hosts",
            "outgoing",
            "deliveries",
            "jobs",
            "alerts",
        }
        assert await app.count("actors") == 1
        assert files.names(app.ctx.config.media_dir) == set()
        assert files.names(app.ctx.config.cache_dir) == set()
        assert not copy.exists()
        assert "pumpernickel" not in str(await app.rows())


async def test_every_address_says_that_it_is_deleted(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        opened, closed = await lived_in(app)
        await leave(app)
        await send_all(app.ctx, app.world)

        # The keys are shown until everybody is told, and nothing else of the profile.
        document = (await app.asked_by(None, US)).json()
        assert (document["name"], document.get("summary", "")) == ("", "")
        assert (await app.get(WEBFINGER)).status_code == 200
        assert await leaving.erase(app.ctx, "") is None

        paths = [
            "/", "/home", "/login", "/setup/x", "/@maya", f"/@maya/{opened}", f"/@maya/{closed}",
            f"/@maya/{'x' * 32}", "/users/maya", f"/users/maya/notes/{opened}",
            "/users/maya/outbox", "/users/maya/followers", "/actor", WEBFINGER,
            "/@maya/feed.atom", "/settings", "/about", "/media/nothing",
        ]  # fmt: skip
        for path in paths:
            page = await app.get(path)
            assert page.status_code == 410, path
            assert "This account has been deleted" in page.text, path
            assert (await app.get(path, **ACTIVITY)).status_code == 410, path
        for path in ("/login", "/users/maya/inbox", "/inbox", "/compose"):
            assert (await app.client.post(path, data={"password": PASSWORD})).status_code == 410
        assert (await app.get("/healthz")).status_code == 200


async def test_who_cannot_be_reached_is_waited_for_but_not_for_ever(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await lived_in(app)
        app.world.serve("https://other.example/inbox", Answer(503))
        await leave(app)
        await send_all(app.ctx, app.world)

        assert await leaving.erase(app.ctx, "") == leaving.CHECK_EVERY
        assert (await app.asked_by(None, US)).status_code == 200

        app.clock.forward(days=7)

        assert await leaving.erase(app.ctx, "") is None
        assert (await app.asked_by(None, US)).status_code == 410


async def test_a_kill_in_the_middle_is_made_good_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with an_app(tmp_path) as app:
        await lived_in(app)

        async def killed(_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(leaving, "_clear", killed)
            with pytest.raises(KeyboardInterrupt):
                await leaving.delete_account(app.ctx)
        assert await app.count("notes") == 3
        assert (await app.get("/home")).status_code == 410
        config, remote = app.ctx.config, app.ctx.remote

        async with start.running(config, remote=remote, now=app.clock) as again:
            assert await again.db.read(
                lambda r: [row["kind"] for row in r.all("SELECT kind FROM jobs ORDER BY id")]
            ) == ["alert", "erase"]
            assert await leaving.erase(again, "") == leaving.CHECK_EVERY
            assert await app.count("notes") == 0
            assert len(await send_all(again, app.world)) == 3
            assert await leaving.erase(again, "") is None
            assert again.owner.erased_at == app.clock.now


async def test_the_doctor_says_so_and_no_password_brings_it_back(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await lived_in(app)
        await leave(app)
        config = app.ctx.config

        async def said() -> str:
            return "\n".join(one.what for one in await doctor.examine(config, now=app.clock))

        assert "others are still being told" in await said()
        await send_all(app.ctx, app.world)
        await leaving.erase(app.ctx, "")
        assert "everybody was told" in await said()
        with pytest.raises(ConfigError, match="deleted"):
            await renewing.reset(
                app.ctx.db, config, password="nine quiet geese on a jetty", now=app.clock.now
            )


async def test_nobody_can_be_set_up_here_again(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await lived_in(app)
        await leave(app)

        for handle in (HANDLE, "somebody"):
            with pytest.raises(InvalidInput, match="its owner already"):
                await setup.make_owner(
                    app.ctx.db,
                    app.ctx.config,
                    handle=handle,
                    name="x",
                    password=PASSWORD,
                    now=app.clock.now,
                )
