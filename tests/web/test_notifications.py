"""The notifications page: groups, tabs, the mark, requests; and the drawer for strangers."""

import re
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from microfedi.protocol.filtering import Filter, Place
from microfedi.storage import actors, filters, followers, notifications, strangers
from microfedi.storage.database import Transaction
from microfedi.storage.notes import Note
from microfedi.storage.notifications import Kind, Notification
from microfedi.web import notifications as pages
from tests.app_fixture import US, App, an_app, texts
from tests.factories import NOON, an_actor

_ITEM = re.compile(r'class="told(?:-post)? is-(\w+)( new)?" id="t(\d+)"')


def make(
    tx: Transaction, kind: Kind, *names: str, note: Note | None = None, detail: str = ""
) -> None:
    for name in names:
        actor = actors.keep(tx, an_actor(name), handle=f"{name}@b.example", now=NOON)
        notifications.add(
            tx, kind, actor_id=actor.id, note_id=note.id if note else None, now=NOON, detail=detail
        )


async def notify(
    app: App, kind: Kind, *names: str, note: Note | None = None, detail: str = ""
) -> None:
    await app.ctx.db.write(lambda tx: make(tx, kind, *names, note=note, detail=detail))


async def page(app: App, url: str = "/notifications") -> tuple[str, list[tuple[str, bool]]]:
    answer = await app.get(url)
    assert answer.status_code == 200, answer.text
    return texts(answer), [(m[1], bool(m[2])) for m in _ITEM.finditer(answer.text)]


@pytest.mark.parametrize(
    ("kind", "names", "expected"),
    [
        ("like", "ann", "Ann favourited your post"),
        ("like", "ann ben", "Ben and Ann favourited your post"),
        ("like", "ann ben cat dan eve", "Eve and 4 others favourited your post"),
        ("announce", "ann ben cat", "Cat and 2 others boosted your post"),
        ("reaction", "ann ben", "Ben and Ann reacted to your post with 🎉"),
    ],
)
async def test_who_did_the_same_to_a_post_stands_in_one_line(
    tmp_path: Path, kind: Kind, names: str, expected: str
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        note = await app.publish("Linseed oil")
        other = await app.publish("Something else")
        detail = "🎉" if kind == "reaction" else ""
        await notify(app, kind, *names.split(), note=note, detail=detail)
        await notify(app, kind, "zoe", note=other, detail=detail)
        said, items = await page(app)
        assert expected in said.replace(" , ", ", ")
        assert "Linseed oil" in said
        assert items == [(kind, True)] * 2


async def test_follows_stand_together_and_one_follower_can_be_followed_back(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await notify(app, "follow", "ann")
        said, _ = await page(app)
        assert "Ann follows you" in said
        assert "Follow back" in said
        await notify(app, "follow", "ben", "cat", "dan")
        said, items = await page(app)
        assert "Dan and 2 others follow you" in said
        # What was seen before is not in one group with what is new.
        assert items == [("follow", True), ("follow", False)]
        assert (
            said.index("Dan and 2 others") < said.index("Seen before") < said.index("Ann follows")
        )


async def test_looking_moves_the_mark_but_a_tab_or_an_older_page_does_not(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await notify(app, "follow", "ann")
        said, _ = await page(app, "/notifications?show=mentions")
        assert "Notifications 1 new" in said
        said, _ = await page(app, "/notifications?before=999")
        assert "Mark as read" in said
        await app.get("/notifications", **{"sec-purpose": "prefetch"})
        said, _ = await page(app, "/home")
        assert "Notifications 1 new" in said
        await page(app)
        said, _ = await page(app, "/home")
        assert "Notifications 1 new" not in said
        await notify(app, "follow", "ben")
        answer = await app.post("/notifications/read", {"next": "/notifications?show=mentions"})
        assert answer.headers["location"] == "/notifications?show=mentions"
        said, _ = await page(app, "/home")
        assert "Notifications 1 new" not in said
        answer = await app.post("/notifications/read", {"next": "https://evil.example/"})
        assert answer.headers["location"] == "/notifications"


async def test_pages_lose_and_repeat_nothing_and_know_where_the_mark_was(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        posts = [await app.publish(f"Post {number}") for number in range(5)]

        def fill(tx: Transaction) -> None:
            for number in range(90):
                make(tx, "like", f"a{number % 50}", note=posts[number % 5])
                make(tx, "update", f"b{number}")
                if number == 30:
                    tx.run(
                        "UPDATE owner SET notifications_read_id = :id",
                        {"id": notifications.newest_id(tx)},
                    )

        await app.ctx.db.write(fill)
        await app.ctx.reload_owner()
        url, shown, dividers = "/notifications", Counter[str](), 0
        for _ in range(40):
            answer = await app.get(url)
            dividers += answer.text.count('class="divider"')
            shown.update(m[3] for m in _ITEM.finditer(answer.text))
            found = re.search(r'rel="next" href="([^"]+)"', answer.text)
            if not found:
                break
            url = found[1].replace("&amp;", "&")
        assert len(shown) >= 90
        assert set(shown.values()) == {1}
        assert dividers == 1


def test_a_group_ends_at_the_mark_and_a_page_after_so_many_groups() -> None:
    def one(number: int, kind: Kind, note_id: int | None) -> Notification:
        return Notification(number, kind, number, note_id, NOON)

    found = [one(n, "like", 7) for n in range(500, 100, -1)]
    groups, used = pages.gather(found, 300)
    assert [(g.is_new, g.count) for g in groups] == [(True, 200), (False, 200)]
    assert used == 400

    found = [one(n, "follow_accepted", None) for n in range(100, 0, -1)]
    groups, used = pages.gather(found, 0)
    assert (len(groups), used) == (pages.MOST_GROUPS, pages.MOST_GROUPS)
    # One more of a group that is there already goes in; a new one ends the page.
    found = [one(n, "mention", n) for n in range(100, 0, -1)]
    groups, used = pages.gather(found, 0)
    assert (len(groups), used) == (pages.MOST_CARDS, pages.MOST_CARDS)


async def test_tabs_show_their_kinds(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        note = await app.publish("Hello")
        await app.theirs(app.world.actor("https://m.example/users/mel"))
        await notify(app, "like", "ann", note=note)
        await notify(app, "announce", "ben", note=note)
        await notify(app, "follow", "cat")
        for show, kinds in (
            ("all", ["follow", "announce", "like", "mention"]),
            ("mentions", ["mention"]),
            ("follows", ["follow"]),
            ("boosts", ["announce", "like"]),
            ("nonsense", ["follow", "announce", "like", "mention"]),
        ):
            _, items = await page(app, f"/notifications?show={show}")
            assert [kind for kind, _ in items] == kinds


async def test_empty_tabs_say_what_to_do_next(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        for show, words in (
            ("all", "Nothing yet"),
            ("mentions", "Nobody mentioned you yet"),
            ("follows", "Your address is @maya@us.example"),
            ("boosts", "No favourites or boosts yet"),
        ):
            said, items = await page(app, f"/notifications?show={show}")
            assert words in said
            assert items == []
        said, _ = await page(app, "/notifications?before=1")
        assert "There is nothing older." in said


async def test_requests_stand_above_until_they_are_answered(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()

        def ask(tx: Transaction) -> int:
            for number in range(7):
                make(tx, "follow_request", f"n{number}")
                actor_id = actors.id_of(tx, f"https://b.example/users/n{number}")
                assert actor_id
                uri = f"https://b.example/f/{number}"
                at = NOON + timedelta(minutes=number)
                followers.put(tx, actor_id, uri, "requested", at)
            return actors.id_of(tx, "https://b.example/users/n0") or 0

        first = await app.ctx.db.write(ask)
        said, items = await page(app)
        assert "7 people ask to follow you" in said
        assert "See 2 more" in said
        assert items == []
        assert "Nothing yet" not in said
        said, _ = await page(app, "/follow-requests")
        assert said.index("@n0@b.example") < said.index("@n6@b.example")
        answer = await app.post(f"/people/{first}/accept", {"next": "/notifications"})
        assert answer.headers["location"] == "/notifications"
        said, _ = await page(app)
        assert "6 people ask to follow you" in said
        assert "@n0@b.example" not in said


async def test_a_mention_that_also_quotes_stands_once(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        mel = app.world.actor("https://m.example/users/mel")
        uri = await app.theirs(mel)
        await app.ctx.db.write(
            lambda tx: tx.run(
                "INSERT INTO notifications (kind, actor_id, note_id, created_at) "
                "SELECT 'quote', actor_id, id, received_at FROM notes WHERE uri = :uri",
                {"uri": uri},
            )
        )
        said, items = await page(app)
        assert items == [("quote", True)]
        assert said.count("post 1") == 1


async def test_the_owners_filters_hide_posts_and_the_page_says_so(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        mel = app.world.actor("https://m.example/users/mel")
        await app.theirs(mel, content="<p>Buy my coins</p>")
        await app.theirs(mel, content="<p>A kind word</p>")
        wanted = Filter(0, "Money", ("coins",), frozenset({Place.NOTIFICATIONS}), hides=True)
        await app.ctx.db.write(lambda tx: filters.put(tx, wanted))
        await app.ctx.reload_owner()
        assert "Notifications 1 new" in texts(await app.get("/home"))
        found = await app.ctx.db.read(
            lambda reader: notifications.pushable(
                reader, after_id=0, limit=9, now=app.clock.now, wanted=app.ctx.owner.filters
            )
        )
        assert len(found) == 1
        said, items = await page(app)
        assert "Buy my coins" not in said
        assert "A kind word" in said
        assert "1 is hidden here by your filters." in said
        assert len(items) == 1


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "N" * 500, "‮evil", "🦊" * 40, "اسم طويل " * 30, ""]
)
async def test_no_name_breaks_a_sentence(tmp_path: Path, name: str) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        note = await app.publish("Hello <b>there</b>")

        def change(tx: Transaction) -> None:
            for kind in ("like", "follow", "moved", "report"):
                make(tx, kind, "ann", note=note if kind == "like" else None)
            tx.run("UPDATE actors SET name = :name WHERE username = 'ann'", {"name": name})
            strangers.set_rules(tx, {"not_followed": "filter"})
            make(tx, "like", "ann", note=note, detail="x")
            tx.run("UPDATE actors SET name = :name WHERE username = 'ann'", {"name": name})

        await app.ctx.db.write(change)
        for url in ("/notifications", "/notifications/filtered"):
            answer = await app.get(url)
            assert answer.status_code == 200
            assert "<script>alert" not in answer.text
            assert "‮evil" not in answer.text.replace("<bdi>‮evil</bdi>", "")


async def test_strangers_wait_in_a_drawer_until_they_are_let_in_or_dismissed(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        friend = app.world.actor("https://f.example/users/fay")
        await app.follow(friend)
        answer = await app.post(
            "/settings/notifications", {"not_followed": "filter", "new": "nonsense"}
        )
        assert answer.headers["location"] == "/settings/notifications?saved=1"
        stranger = app.world.actor("https://s.example/users/sam")
        await app.theirs(stranger, content="<p>first word</p>")
        await app.theirs(friend, content="<p>hello from a friend</p>")
        said, items = await page(app)
        assert "hello from a friend" in said
        assert "first word" not in said
        assert "Filtered notifications 1" in said
        assert len(items) == 1

        said, _ = await page(app, "/notifications/filtered")
        assert "@sam@s.example" in said
        assert "See 1 notification" in said
        sam = await app.ctx.db.read(lambda r: actors.id_of(r, stranger.uri))
        said, items = await page(app, f"/notifications/filtered/{sam}")
        assert "first word" in said
        assert items == [("mention", False)]

        # Only by a form with its token, and nothing of strangers is counted.
        url = f"/notifications/filtered/{sam}/accept"
        assert (await app.client.post(url)).status_code == 403
        assert "new" not in texts(await app.get("/home")).partition("Notifications")[2][:8]
        answer = await app.post(url)
        assert answer.headers["location"] == "/notifications/filtered?done=accepted"
        said, _ = await page(app)
        assert "first word" in said
        await app.theirs(stranger, content="<p>second word</p>")
        said, _ = await page(app)
        assert "second word" in said
        said, _ = await page(app, "/settings/notifications")
        assert "@sam@s.example" in said.partition("Accepted people")[2]

        await app.post(f"/settings/notifications/people/{sam}/remove")
        await app.theirs(stranger, content="<p>third word</p>")
        said, _ = await page(app, "/notifications/filtered")
        assert "See 1 notification" in said
        answer = await app.post(f"/notifications/filtered/{sam}/dismiss")
        said, _ = await page(app, answer.headers["location"])
        assert "Nothing is filtered" in said
        said, _ = await page(app, f"/notifications/filtered/{sam}")
        assert "Nothing waits of them" in said
        assert (await app.get("/notifications/filtered/99999")).status_code == 404


async def test_ignored_strangers_leave_no_trace(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.post("/settings/notifications", {"not_followed": "ignore"})
        await app.theirs(app.world.actor("https://s.example/users/sam"))
        assert await app.count("notifications") == 0
        said, _ = await page(app)
        assert "Filtered notifications" not in said
        # The post itself is there: in the thread it answers, and by its address.
        assert await app.count("notes") == 1


async def test_the_page_needs_few_queries(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        note = await app.publish("Hello")
        for number in range(8):
            sender = app.world.actor(f"https://m{number}.example/users/mel")
            await app.theirs(sender, inReplyTo=note.uri)
        await notify(app, "like", *(f"a{n}" for n in range(20)), note=note)
        await notify(app, "reaction", "zoe", note=note, detail=":blob:")
        await notify(app, "follow", "ann")
        await app.ctx.db.write(lambda tx: strangers.set_rules(tx, {"not_followed": "filter"}))
        await notify(app, "like", "eve", note=note)
        assert f"{US}/notes" in note.uri
        await app.get("/notifications")  # moves the mark, which reads the owner again
        counted = await statements(app, "/notifications")
        assert len(counted) <= 12, "\n".join(counted)


async def statements(app: App, url: str) -> list[str]:
    """The SQL that a page asks, as the connections see it."""
    found: list[str] = []
    readers = app.ctx.db._readers
    for reader in readers:
        await reader.set_trace_callback(
            lambda sql: (
                found.append(" ".join(sql.split())[:150])
                if sql.lstrip().upper().startswith(("SELECT", "WITH", "PRAGMA"))
                else None
            )
        )
    await app.get(url)
    for reader in readers:
        await reader.set_trace_callback(lambda _sql: None)
    return found


async def test_every_kind_that_the_database_takes_has_a_sentence_and_a_picture(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        schema = await app.ctx.db.read(
            lambda r: r.value("SELECT sql FROM sqlite_schema WHERE name = 'notifications'")
        )
        kinds = set(re.findall(r"'(\w+)'", schema.partition("kind IN")[2].partition("))")[0]))
        assert kinds == set(get_args(Kind))
        sprite = (await app.get("/static/icons.svg")).text
        for kind in sorted(kinds):
            await app.ctx.db.write(lambda tx: tx.run("DELETE FROM notifications"))
            await notify(app, kind, "ann")
            ann = await app.ctx.db.read(lambda r: actors.id_of(r, "https://b.example/users/ann"))
            # One that waits is shown whatever it is; who asks to follow stands above else.
            await app.ctx.db.write(lambda tx: tx.run("UPDATE notifications SET is_held = 1"))
            answer = await app.get(f"/notifications/filtered/{ann}")
            item = answer.text.partition(f'is-{kind}"')[2].partition("</article>")[0]
            sentence = texts_of(item.partition('<p id="s')[2].partition(">")[2].partition("·")[0])
            assert len(sentence.split()) >= 3, f"{kind}: {sentence}"
            assert kind == "poll" or sentence.startswith("Ann "), f"{kind}: {sentence}"
            icon = item.partition("#")[2].partition('"')[0]
            assert f'id="{icon}"' in sprite, f"{kind}: {icon}"


def texts_of(html: str) -> str:
    """The text of a piece of a page."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())
