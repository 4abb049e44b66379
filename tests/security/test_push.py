"""Web Push: whose subscription it is, what a push tells, and where it may go (S-059, S-115)."""

from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from microfedi.federation.pushing import Pusher
from microfedi.storage import push, sessions
from microfedi.storage.database import Reader
from tests.another_server import Answer
from tests.app_fixture import US, App, an_app
from tests.push_service import PushedTo

CREATED = Answer(201, content_type=None)
MARKER = "pumpernickel"


async def turned_on(
    app: App, browser: PushedTo, client: httpx2.AsyncClient | None = None
) -> httpx2.AsyncClient:
    client = client or app.client
    app.world.serve(browser.endpoint, CREATED)
    await app.login(client)
    answer = await app.post(
        "/settings/push/subscribe", browser.form(), page="/settings/push", client=client
    )
    assert answer.status_code == 303, answer.text
    return client


async def something_comes(app: App, words: str = "Hello") -> None:
    ann = app.world.actor("https://vic.example/users/ann", name=f"Ann {MARKER}")
    await app.follow(ann)
    await app.theirs(ann, content=f"<p>{words}</p>")


async def turn(app: App) -> None:
    await Pusher(app.ctx, chance=lambda: 0.5).turn()


def owners_of_subscriptions(reader: Reader) -> set[int]:
    return {row["session_id"] for row in reader.all("SELECT session_id FROM push_subscriptions")}


async def test_s_115_another_session_neither_reads_nor_replaces_nor_ends_it(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        mine = PushedTo(app.world)
        await turned_on(app, mine)
        thief = app.browser("198.51.100.7")
        theirs = PushedTo(app.world, "https://push.example/send/theirs")
        await turned_on(app, theirs, thief)

        page = await thief.get("/settings/push")
        await app.post("/settings/push/unsubscribe", client=thief)
        await something_comes(app)
        await turn(app)

        assert mine.endpoint not in page.text
        assert len(mine.pushes()) == 1
        assert theirs.pushes() == []


async def test_s_115_the_same_endpoint_from_another_session_takes_nothing_over(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        mine = PushedTo(app.world)
        await turned_on(app, mine)
        thief = app.browser("198.51.100.7")
        theirs = PushedTo(app.world, mine.endpoint)  # with keys of the thief's
        await turned_on(app, theirs, thief)
        await app.post("/logout", client=thief)

        await something_comes(app)
        await turn(app)

        (received,) = mine.pushes()
        assert mine.read(received)["title"] == "1 new notification"


@pytest.mark.parametrize("how", ["logout", "ended elsewhere", "all ended", "idle", "expired"])
async def test_s_115_it_goes_with_the_session_that_made_it(tmp_path: Path, how: str) -> None:
    async with an_app(tmp_path) as app:
        browser = PushedTo(app.world)
        elsewhere = await turned_on(app, browser, app.browser("198.51.100.7"))
        await app.login()
        (theirs,) = await app.ctx.db.read(owners_of_subscriptions)
        match how:
            case "logout":
                await app.post("/logout", client=elsewhere)
            case "ended elsewhere":
                await app.ctx.db.write(lambda tx: sessions.end(tx, theirs))
            case "all ended":
                await app.ctx.db.write(sessions.end_all)
            case "idle":
                app.clock.forward(seconds=sessions.IDLE.total_seconds())
            case "expired":
                while app.clock.now < app.ctx.started_at + sessions.ABSOLUTE + timedelta(days=1):
                    app.clock.forward(days=5)
                    await elsewhere.get("/home")

        await something_comes(app)
        await turn(app)

        assert browser.pushes() == []


async def test_s_115_a_push_holds_no_word_and_no_name(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = PushedTo(app.world)
        await turned_on(app, browser)
        ann = app.world.actor("https://vic.example/users/ann", name=f"Ann {MARKER}")
        friend = await app.follow(ann)
        await app.message([friend.id], "Hello")
        await app.theirs(ann, to=[US], cc=[], content=f"<p>{MARKER}</p>", summary=MARKER)
        await app.theirs(ann, content=f"<p>{MARKER}</p>", summary=MARKER)

        await turn(app)

        told = browser.told()
        assert sorted(one["tag"] for one in told) == ["message", "notification"]
        for one in told:
            assert set(one) == {"title", "tag", "url"}
            for secret in (MARKER, "Ann", "ann", "vic.example"):
                assert secret not in str(one)
        for one in browser.pushes():
            assert MARKER.encode() not in one.body
            assert MARKER not in str(one.headers)
        assert len({len(one.body) for one in browser.pushes()}) == 1  # its length says nothing


async def test_s_115_subscriptions_and_the_key_are_ciphertext_on_disk(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = PushedTo(app.world)
        await turned_on(app, browser)
        row = repr((await app.rows())["push_subscriptions"]) + repr((await app.rows())["push"])
        for secret in (browser.endpoint, *browser.form().values()):
            assert secret not in row
        (kept,) = await app.ctx.db.read(lambda r: push.subscriptions(r, now=app.clock.now))
        assert browser.endpoint not in repr(kept)


async def test_s_115_strangers_and_other_sites_cannot_subscribe(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        form = PushedTo(app.world).form()
        stranger = await app.browser().post("/settings/push/subscribe", data=form)
        assert stranger.status_code == 303
        assert stranger.headers["location"] == "/login"
        await app.login()
        assert (await app.client.post("/settings/push/subscribe", data=form)).status_code == 403
        token = await app.token()
        other = await app.client.post(
            "/settings/push/subscribe",
            data={"csrf": token, **form},
            headers={"origin": "https://evil.example"},
        )
        assert other.status_code == 403
        assert await app.count("push_subscriptions") == 0


async def test_s_059_an_endpoint_in_our_own_network_is_refused(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        for endpoint in (
            "http://push.example/x",
            "https://push.example:8443/x",
            "https://127.0.0.1/x",
            "https://[::1]/x",
            "https://169.254.169.254/latest/meta-data",
            "https://user@push.example/x",
            "https://localhost/x",
            "https://push.example/\nHost: evil",
        ):
            answer = await app.post(
                "/settings/push/subscribe", PushedTo(app.world).form() | {"endpoint": endpoint}
            )
            assert answer.status_code == 422, endpoint
        assert await app.count("push_subscriptions") == 0


async def test_s_059_an_endpoint_whose_name_leads_into_our_own_network_is_never_dialled(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await something_comes(app)
        browser = PushedTo(app.world, "https://inside.example/send")
        for address in ("127.0.0.1", "10.0.0.8", "169.254.169.254", "::1"):
            app.world.name("inside.example", address)
            await app.post("/settings/push/subscribe", browser.form())
            assert await app.count("push_subscriptions") == 1
            app.clock.forward(minutes=2)
            await app.theirs(app.world.actor("https://vic.example/users/ann"))
            app.world.dialled.clear()

            await turn(app)

            assert app.world.dialled == [], address
            assert await app.count("push_subscriptions") == 0


async def test_s_059_no_redirect_is_followed_and_we_do_not_push_to_ourselves(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        browser = PushedTo(app.world)
        await turned_on(app, browser)
        app.world.redirect(browser.endpoint, "https://inside.example/", 307)
        await something_comes(app)
        await turn(app)
        assert app.world.posts("https://inside.example/") == []

        own = PushedTo(app.world, "https://us.example/inbox")
        answer = await app.post("/settings/push/subscribe", own.form())
        assert answer.status_code == 303
        app.clock.forward(hours=1)
        await app.theirs(app.world.actor("https://vic.example/users/ann"))
        await turn(app)
        assert app.world.posts("https://us.example/inbox") == []
        assert await app.count("push_subscriptions") == 0
