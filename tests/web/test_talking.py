"""Threads, people, search, notifications and messages, as the owner uses them."""

import re
from pathlib import Path

from microfedi.protocol.vocab import Visibility
from tests.app_fixture import HANDLE, US, App, an_app, texts


async def note_id(app: App, uri: str) -> int:
    """The row of a post."""
    return int(next(row[0] for row in (await app.rows())["notes"] if uri in row))


async def test_a_thread_stands_in_order_with_what_is_above(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor("https://vic.example/users/alice")
        root = await app.theirs(alice, content="<p>root-post</p>")
        answer = await app.publish("first-answer", in_reply_to=await note_id(app, root))
        await app.theirs(alice, content="<p>deeper-one</p>", inReplyTo=answer.uri)
        await app.publish("second-answer", in_reply_to=await note_id(app, root))
        await app.login()
        page = (await app.get(f"/posts/{await note_id(app, root)}")).text.split("<main", 1)[1]
        places = [
            page.index(w) for w in ("root-post", "first-answer", "deeper-one", "second-answer")
        ]
        assert places == sorted(places)
        assert "depth2" in page
        own = (await app.get(f"/@{HANDLE}/{answer.public_id}")).text.split("<main", 1)[1]
        assert own.index("root-post") < own.index('id="focus"') < own.index("first-answer")
        assert "second-answer" not in own


async def test_a_missing_parent_is_said_and_looked_for(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor("https://vic.example/users/alice")
        uri = await app.theirs(alice, inReplyTo="https://vic.example/users/bob/notes/9")
        await app.login()
        assert not [job for job in (await app.rows())["jobs"] if "replies" in job]
        page = await app.get(f"/posts/{await note_id(app, uri)}")
        assert "What this answers has not been found yet" in page.text
        (job,) = [job for job in (await app.rows())["jobs"] if "replies" in job]
        assert uri in job
        assert (await app.get("/posts/999")).status_code == 404
        assert (await app.get("/posts/abc")).status_code == 404


async def test_reactions_go_on_and_off(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor("https://vic.example/users/alice")
        post = await note_id(app, await app.theirs(alice, content="<p>marked-one</p>"))
        await app.login()
        for on, off, table in (
            ("boost", "unboost", "announces"),
            ("favourite", "unfavourite", "likes"),
            ("bookmark", "unbookmark", "bookmarks"),
        ):
            answer = await app.post(f"/posts/{post}/{on}", {"next": "/home#x"})
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/home#")
            assert await app.count(table) == 1
            await app.post(f"/posts/{post}/{on}")
            assert await app.count(table) == 1
            if table != "announces":
                path = {"likes": "/favourites", "bookmarks": "/bookmarks"}[table]
                assert "marked-one" in (await app.get(path)).text
            await app.post(f"/posts/{post}/{off}")
            assert await app.count(table) == 0


async def test_somebody_is_found_by_handle_and_by_address_and_followed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor("https://vic.example/users/alice", summary="<p>Bakes bread</p>")
        await app.login()
        found = await app.post("/search", {"q": "@alice@vic.example"})
        person = found.headers["location"]
        assert re.fullmatch(r"/people/\d+", person)
        assert (await app.post("/search", {"q": alice.uri})).headers["location"] == person
        page = (await app.get(person)).text
        assert "Bakes bread" in page
        assert "@alice@vic.example" in page
        assert f'action="{person}/follow"' in page
        assert (await app.post(f"{person}/follow")).headers["location"] == person
        assert "alice" in (await app.get("/following")).text
        accept = {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": "https://vic.example/accepts/1",
            "type": "Accept",
            "actor": alice.uri,
            "object": (await app.rows())["following"][0][1],
        }
        await app.deliver(alice, accept)
        assert f'action="{person}/unfollow"' in (await app.get(person)).text
        await app.post(f"{person}/unfollow")
        assert await app.count("following") == 0
        missing = await app.post("/search", {"q": "@nobody@vic.example"})
        assert missing.status_code == 422
        assert "@nobody@vic.example" in missing.text
        tag = await app.post("/search", {"q": "#Bread"})
        assert tag.headers["location"] == "/tags/bread"


async def test_who_asks_to_follow_is_let_in_or_not(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.post(
            "/settings/preferences",
            {"approves_followers": "on", "message_policy": "anyone", "time_zone": "Europe/Berlin"},
        )
        for name in ("alice", "bob"):
            actor = app.world.actor(f"https://vic.example/users/{name}")
            follow = {
                "@context": "https://www.w3.org/ns/activitystreams",
                "id": f"{actor.uri}/follows/1",
                "type": "Follow",
                "actor": actor.uri,
                "object": US,
            }
            await app.deliver(actor, follow)
        page = (await app.get("/notifications")).text
        assert "2 people ask to follow you" in page
        forms = re.findall(r"/people/(\d+)/accept", (await app.get("/follow-requests")).text)
        assert len(set(forms)) == 2
        first, second = sorted(set(forms))
        await app.post(f"/people/{first}/accept")
        await app.post(f"/people/{second}/reject")
        assert [row[2] for row in (await app.rows())["followers"]] == ["accepted"]


async def test_notifications_tell_what_happened_and_which_are_new(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor("https://vic.example/users/alice")
        post = await app.publish("liked-one")
        like = {
            "@context": "https://www.w3.org/ns/activitystreams",
            "id": "https://vic.example/likes/1",
            "type": "Like",
            "actor": alice.uri,
            "object": post.uri,
        }
        await app.deliver(alice, like)
        await app.theirs(alice, content="<p>mentioned-you</p>")
        await app.login()
        assert 'class="badge">2<' in (await app.get("/settings")).text
        page = (await app.get("/notifications")).text
        assert page.index("mentioned-you") < page.index("favourited your post")
        assert "liked-one" in page
        assert 'class="badge"' not in (await app.get("/settings")).text
        mentions = (await app.get("/notifications?show=mentions")).text
        assert "mentioned-you" in mentions
        assert "favourited your post" not in mentions


async def test_a_message_is_sent_in_two_steps(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        app.world.actor("https://vic.example/users/alice")
        await app.login()
        draft = {"to": "@alice@vic.example", "source": "just-between-us"}
        looked_up = await app.post("/messages/new", draft)
        assert looked_up.status_code == 200
        assert await app.count("messages") == 0
        assert "vic.example" in looked_up.text
        assert "just-between-us</textarea>" in looked_up.text
        people = re.findall(r'name="person" value="(\d+)"', looked_up.text)
        assert len(people) == 1
        # Somebody else in the box by now: named once more, not sent.
        app.world.actor("https://vic.example/users/bob")
        changed = await app.post(
            "/messages/new", draft | {"to": "@bob@vic.example", "person": people[0]}
        )
        assert changed.status_code == 200
        assert await app.count("messages") == 0
        sent = await app.post("/messages/new", draft | {"person": people[0]})
        assert sent.status_code == 303
        talk = sent.headers["location"].partition("#")[0]
        assert "just-between-us" in (await app.get(talk)).text
        assert "just-between-us" not in (await app.home()).text
        again = await app.get(f"/messages/new?to={people[0]}")
        assert again.headers["location"].startswith(talk)
        assert (await app.post(talk, {"source": "one more thing"})).status_code == 303
        page = (await app.get(talk)).text
        assert page.index("just-between-us") < page.index("one more thing")
        ids = re.findall(rf'href="{talk}/(\d+)"', page)
        await app.post(f"{talk}/{ids[0]}/edit", {"source": "said-otherwise"})
        await app.post(f"{talk}/{ids[1]}/delete")
        page = (await app.get(talk)).text
        assert "said-otherwise" in page
        assert "one more thing" not in page
        empty = await app.post(talk, {"source": " "})
        assert empty.status_code == 422


async def test_a_strangers_message_waits_until_it_is_accepted(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for name in ("alice", "bob"):
            actor = app.world.actor(f"https://vic.example/users/{name}")
            await app.theirs(actor, to=[US], cc=[], content=f"<p>hello-from-{name}</p>")
        await app.login()
        assert "2 first messages of people you do not follow" in texts(await app.get("/messages"))
        page = (await app.get("/messages/requests")).text
        talks = {}
        for path in set(re.findall(r"/messages/\d+", page)):
            talk = (await app.get(path)).text
            talks["alice" if "hello-from-alice" in talk else "bob"] = path
        assert set(talks) == {"alice", "bob"}
        early = await app.post(talks["alice"], {"source": "too early"})
        assert early.status_code == 422
        await app.post(f"{talks['alice']}/accept")
        assert (await app.post(talks["alice"], {"source": "hello back"})).status_code == 303
        await app.post(f"{talks['bob']}/decline", {"block": ""})
        assert (await app.get(talks["bob"])).status_code == 404
        page = (await app.get("/messages")).text
        assert "you do not follow" not in page
        assert "hello-from-bob" not in page


async def test_a_message_is_no_post_anywhere(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        frank = app.world.actor("https://fol.example/users/frank")
        actor = await app.followed_by(frank)
        await app.publish("closed-one", Visibility.FOLLOWERS)
        await app.message([actor.id], "secret-talk")
        await app.login()
        for path in ("/home", f"/@{HANDLE}", "/notifications", f"/people/{actor.id}", "/bookmarks"):
            assert "secret-talk" not in (await app.get(path)).text
        assert "secret-talk" in (await app.get("/messages")).text
