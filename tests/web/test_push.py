"""Pushes: what a browser is told, how often, and what becomes of one that is gone."""

import re
from datetime import timedelta
from pathlib import Path

from microfedi.federation.pushing import MAX_FAILURES, Pusher
from microfedi.protocol.filtering import Filter, Place
from microfedi.storage import filters, mutes
from microfedi.storage.database import Reader
from tests.another_server import Answer, RemoteActor
from tests.app_fixture import US, App, an_app
from tests.push_service import SERVICE, PushedTo, signer

CREATED = Answer(201, content_type=None)


async def turned_on(app: App) -> PushedTo:
    """Log in, and have this browser told."""
    browser = PushedTo(app.world)
    app.world.serve(browser.endpoint, CREATED)
    await app.login()
    answer = await app.post("/settings/push/subscribe", browser.form(), page="/settings/push")
    assert answer.headers["location"] == "/settings/push?on=1", answer.text
    return browser


async def turn(app: App) -> float:
    return await Pusher(app.ctx, chance=lambda: 0.5).turn()


async def write_to(app: App, sender: RemoteActor, words: str = "Are you there?") -> None:
    await app.theirs(sender, to=[US], cc=[], content=f"<p>{words}</p>")


def one_conversation(reader: Reader) -> int:
    found: int = reader.value("SELECT max(id) FROM conversations")
    return found


async def test_mentions_are_told_together_and_counted(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        ann = app.world.actor("https://vic.example/users/ann")
        await app.follow(ann)
        for _number in range(3):
            await app.theirs(ann)

        await turn(app)

        assert browser.told() == [
            {"title": "3 new notifications", "tag": "notification", "url": "/notifications"}
        ]
        (push,) = browser.pushes()
        assert push.headers["content-encoding"] == "aes128gcm"
        assert push.headers["ttl"] == "86400"
        assert push.headers["topic"] == "notification"
        assert push.headers["urgency"] == "normal"
        said = signer(push)
        assert said["aud"] == SERVICE
        assert said["sub"] == "https://us.example"
        assert said["exp"] == int((app.clock.now + timedelta(hours=12)).timestamp())
        await turn(app)
        assert len(browser.pushes()) == 1


async def test_a_later_push_comes_a_minute_later_and_counts_all_that_is_unseen(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        ann = app.world.actor("https://vic.example/users/ann")
        await app.follow(ann)
        await app.theirs(ann)
        await turn(app)
        await app.theirs(ann)

        wait_s = await turn(app)

        assert len(browser.pushes()) == 1
        assert 55 < wait_s < 60
        app.clock.forward(seconds=wait_s)
        await turn(app)
        assert [one["title"] for one in browser.told()] == [
            "1 new notification",
            "2 new notifications",
        ]


async def test_what_was_seen_on_a_page_is_not_pushed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        ann = app.world.actor("https://vic.example/users/ann")
        await app.follow(ann)
        await app.theirs(ann)
        await app.post("/notifications/read")

        await turn(app)

        assert browser.pushes() == []


async def test_a_message_says_no_name_and_no_word(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        ann = app.world.actor("https://vic.example/users/ann", name="Ann Pumpernickel")
        friend = await app.meet(ann)
        await app.message([friend.id], "Hello")
        await write_to(app, ann, "pumpernickel")

        await turn(app)

        assert browser.told() == [{"title": "New message", "tag": "message", "url": "/messages"}]
        assert browser.pushes()[0].headers["urgency"] == "high"


async def test_strangers_and_muted_conversations_are_not_pushed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        stranger = app.world.actor("https://vic.example/users/mallory")
        await write_to(app, stranger)
        await turn(app)
        assert browser.pushes() == []

        ann = app.world.actor("https://vic.example/users/ann")
        friend = await app.meet(ann)
        await app.message([friend.id], "Hello")
        talk = await app.ctx.db.read(one_conversation)
        assert (await app.post(f"/messages/{talk}/mute")).status_code == 303
        await write_to(app, ann)
        await turn(app)
        assert browser.pushes() == []


async def test_muted_people_and_filtered_words_are_not_pushed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        ann = app.world.actor("https://vic.example/users/ann")
        ben = app.world.actor("https://fol.example/users/ben")
        await app.follow(ann)
        muted = await app.follow(ben)
        now = app.clock.now
        await app.ctx.db.write(
            lambda tx: mutes.mute_actor(tx, muted.id, with_notifications=True, until=None, now=now)
        )
        wanted = Filter(0, "Film", ("film",), frozenset({Place.NOTIFICATIONS}), hides=True)
        await app.ctx.db.write(lambda tx: filters.put(tx, wanted))
        await app.ctx.reload_owner()
        await app.theirs(ben)
        await app.theirs(ann, content="<p>The end of the film</p>")

        await turn(app)

        assert browser.pushes() == []


async def test_only_what_is_wished_for_is_pushed_and_nothing_from_before_the_wish(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        ann = app.world.actor("https://vic.example/users/ann")
        await app.follow(ann)
        saved = await app.post("/settings/push", {"boost": "on"})
        assert saved.headers["location"] == "/settings/push?saved=1"
        await app.theirs(ann)
        await turn(app)
        assert browser.pushes() == []

        await app.post("/settings/push", {"boost": "on", "mention": "on"})
        await turn(app)
        assert browser.pushes() == []
        await app.theirs(ann)
        await turn(app)
        assert len(browser.pushes()) == 1
        page = (await app.get("/settings/push")).text
        ticked = re.findall(r'name="(\w+)" checked', page)
        assert ticked == ["mention", "boost"]


async def test_a_browser_that_is_gone_is_forgotten(tmp_path: Path) -> None:
    for status in (404, 410):
        async with an_app(tmp_path / str(status)) as app:
            browser = await turned_on(app)
            app.world.serve(browser.endpoint, Answer(status))
            ann = app.world.actor("https://vic.example/users/ann")
            await app.follow(ann)
            await app.theirs(ann)

            await turn(app)

            assert await app.count("push_subscriptions") == 0
            assert "Turn off here" not in (await app.get("/settings/push")).text


async def test_a_service_that_is_busy_is_left_alone_as_long_as_it_says(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        app.world.serve(browser.endpoint, Answer(429, headers={"retry-after": "600"}))
        ann = app.world.actor("https://vic.example/users/ann")
        await app.follow(ann)
        await app.theirs(ann)
        await turn(app)
        app.world.serve(browser.endpoint, CREATED)

        app.clock.forward(seconds=590)
        await turn(app)
        assert len(browser.pushes()) == 1
        app.clock.forward(seconds=20)
        await turn(app)
        assert len(browser.pushes()) == 2
        assert browser.told()[-1]["title"] == "1 new notification"


async def test_a_service_that_never_takes_anything_is_given_up(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        app.world.serve(browser.endpoint, Answer(503))
        ann = app.world.actor("https://vic.example/users/ann")
        await app.follow(ann)
        await app.theirs(ann)
        for number in range(1, MAX_FAILURES + 1):
            assert await app.count("push_subscriptions") == 1, number
            await turn(app)
            assert len(browser.pushes()) == number
            app.clock.forward(hours=49)
            await app.get("/home")  # so that the login lives on

        assert await app.count("push_subscriptions") == 0


async def test_it_is_said_in_the_language_of_the_owners_pages(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        app.client.headers["accept-language"] = "de"
        browser = await turned_on(app)
        ann = app.world.actor("https://vic.example/users/ann")
        friend = await app.meet(ann)
        await app.message([friend.id], "Hallo")
        await write_to(app, ann)

        await turn(app)

        assert browser.told()[0]["title"] == "Neue Nachricht"


async def test_what_is_no_browser_is_refused(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        good = PushedTo(app.world).form()
        for wrong in (
            {"endpoint": "http://push.example/x"},
            {"endpoint": "javascript:alert(1)"},
            {"endpoint": ""},
            {"endpoint": "https://push.example/" + "x" * 1000},
            {"p256dh": "AAAA"},
            {"p256dh": "B" + "A" * 86},
            {"auth": "AAAA"},
            {"auth": "<script>"},
        ):
            answer = await app.post("/settings/push/subscribe", good | wrong)
            assert answer.status_code == 422, wrong
            assert "<script>" not in answer.text.partition("<body")[2]
        assert await app.count("push_subscriptions") == 0


async def test_turned_off_nothing_is_pushed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        browser = await turned_on(app)
        assert "Turn off here" in (await app.get("/settings/push")).text
        await app.post("/settings/push/unsubscribe")
        ann = app.world.actor("https://vic.example/users/ann")
        await app.follow(ann)
        await app.theirs(ann)
        await turn(app)
        assert browser.pushes() == []


async def test_a_trial_pushes_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path, base_url="http://us.localhost:8000") as app:
        assert app.ctx.config.is_trial
        await app.login()
        page = (await app.get("/settings/push")).text
        assert "nothing is pushed" in page
        assert "Turn on here" not in page
