"""What everybody sees in a browser: profile, posts, hashtags, the way in."""

import re
from pathlib import Path

from microfedi.federation.outbox import announces, notes, profile
from microfedi.federation.outbox import pins as outbox_pins
from microfedi.protocol.vocab import Visibility
from microfedi.storage import notes as note_storage
from microfedi.web import profiles
from tests.app_fixture import BASE_URL, HANDLE, US, an_app, texts

ALICE = "https://vic.example/users/alice"


async def test_the_start_page_knows_who_comes(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        stranger = await app.get("/")
        assert (stranger.status_code, stranger.headers["location"]) == (303, f"/@{HANDLE}")
        await app.login()
        owner = await app.get("/")
        assert (owner.status_code, owner.headers["location"]) == (303, "/home")


async def test_before_setup_the_start_page_says_what_to_do(tmp_path: Path) -> None:
    async with an_app(tmp_path, with_owner=False) as app:
        answer = await app.get("/")
        assert answer.status_code == 200
        assert "Nobody lives here yet" in texts(answer)
        assert "microfedi setup-link" in texts(answer)


async def test_a_stranger_reads_the_profile(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        await app.followed_by(alice)
        await profile.update(
            app.ctx,
            profile.Profile("Maya M.", "I paint.", (("Site", "https://maya.example/"),)),
        )
        pinned = await app.publish("Pinned words")
        await outbox_pins.pin(app.ctx, pinned.id)
        await app.publish("Open words")
        await app.publish("Quiet words", Visibility.UNLISTED)
        await app.publish("Closed words", Visibility.FOLLOWERS)
        theirs = await app.theirs(alice)
        met = await app.ctx.db.read(lambda r: note_storage.by_uri(r, theirs))
        assert met is not None
        await app.publish("An answer", in_reply_to=met.id)
        await app.publish("And another thing", in_reply_to=pinned.id)

        answer = await app.get(f"/@{HANDLE}")

        assert answer.status_code == 200
        read = texts(answer)
        for shown in (
            "Maya M.",
            "@maya@us.example",
            "I paint.",
            "Site",
            "Pinned words",
            "Open words",
            "Quiet words",
            "And another thing",
            "5 posts",
            "1 follower",
            "0 following",
            "Follow @maya@us.example",
        ):
            assert shown in read, shown
        assert "Closed words" not in read
        assert "An answer" not in read
        assert "Edit profile" not in read
        assert "Boost" not in read
        assert re.findall(r'<form[^>]*action="([^"]*)"', answer.text) == ["/interact"]


async def test_a_profile_is_read_by_machines_too(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await profile.update(
            app.ctx, profile.Profile("Maya", "I paint.", (("Site", "https://maya.example/"),))
        )
        await profile.set_preferences(app.ctx, indexable=True)
        html = (await app.get(f"/@{HANDLE}")).text
        assert 'class="card profile h-card"' in html
        assert f'<data class="u-url u-uid" value="{BASE_URL}/@maya">' in html
        assert re.search(r'<a href="https://maya\.example/"[^>]* rel="me ', html)
        assert f'<link rel="alternate" type="application/activity+json" href="{US}">' in html
        assert 'type="application/atom+xml"' in html
        assert '<meta property="og:title" content="Maya (@maya@us.example)">' in html
        assert '<meta property="og:description" content="I paint.">' in html
        assert "noindex" not in html
        await profile.set_preferences(app.ctx, indexable=False)
        assert '<meta name="robots" content="noindex">' in (await app.get(f"/@{HANDLE}")).text


async def test_hidden_counts_are_hidden_from_strangers(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.followed_by(app.world.actor(ALICE))
        await profile.set_preferences(app.ctx, hides_follows=True)
        read = texts(await app.get(f"/@{HANDLE}"))
        assert "follower" not in read
        assert "following" not in read
        await app.login()
        assert "1 follower" in texts(await app.get(f"/@{HANDLE}"))


async def test_the_owner_sees_closed_posts_and_the_way_to_change_the_profile(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.publish("Closed words", Visibility.FOLLOWERS)
        await app.login()
        answer = await app.get(f"/@{HANDLE}")
        assert "Closed words" in texts(answer)
        assert 'href="/settings/profile"' in answer.text
        assert answer.headers["cache-control"] == "no-store"


async def test_older_posts_are_a_page_further(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        first = await app.publish("The very first")
        await outbox_pins.pin(app.ctx, first.id)
        for number in range(profiles.PAGE_NOTES):
            await app.publish(f"Words {number:02}")
        newest = await app.get(f"/@{HANDLE}")
        older = re.search(r'rel="next" href="([^"]+)"', newest.text)
        assert older
        page = await app.get(older[1])
        assert "Words 00" in texts(newest)
        assert "Words" not in texts(page)
        assert "The very first" in texts(page)
        assert "Pinned" not in texts(page)
        assert 'rel="next"' not in page.text


async def test_a_post_stands_in_its_thread(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE, url="https://vic.example/@alice")
        await app.follow(alice)
        post = await app.publish("What do you think?")
        theirs = await app.theirs(
            alice,
            inReplyTo=post.uri,
            content="<p>A lot.</p>",
            url="https://vic.example/@alice/1",
        )
        await app.theirs(
            alice,
            inReplyTo=post.uri,
            content="<p>Between us: nothing.</p>",
            to=[f"{ALICE}/followers"],
            cc=[US],
        )

        answer = await app.get(f"/@{HANDLE}/{post.public_id}")

        read = texts(answer)
        assert "What do you think?" in read
        assert "A lot." in read
        assert "Between us" not in read
        assert answer.headers["link"] == (
            f'<{post.uri}>; rel="alternate"; type="application/activity+json"'
        )
        assert (
            f'<meta property="og:url" content="{BASE_URL}/@maya/{post.public_id}">' in answer.text
        )
        assert '<meta name="fediverse:creator" content="@maya@us.example">' in answer.text
        # A stranger is led to where the answer was written: not to a login.
        assert 'href="https://vic.example/@alice"' in answer.text
        assert 'href="https://vic.example/@alice/1"' in answer.text
        assert "/people/" not in answer.text
        assert "/posts/" not in answer.text
        assert theirs

        await app.login()
        mine = await app.get(f"/@{HANDLE}/{post.public_id}")
        assert "Between us" in texts(mine)
        assert mine.headers["cache-control"] == "no-store"


async def test_a_closed_post_has_its_page_for_the_owner_alone(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        post = await app.publish("Closed words", Visibility.FOLLOWERS)
        assert (await app.get(f"/@{HANDLE}/{post.public_id}")).status_code == 404
        await app.login()
        answer = await app.get(f"/@{HANDLE}/{post.public_id}")
        assert "Closed words" in texts(answer)
        assert "og:" not in answer.text
        assert "noindex" in answer.text


async def test_a_deleted_post_was_deleted(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        post = await app.publish("Words")
        await notes.delete(app.ctx, post.id)
        answer = await app.get(f"/@{HANDLE}/{post.public_id}")
        assert answer.status_code == 410
        assert "deleted by its author" in texts(answer)


async def test_a_warning_stands_before_the_words(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        post = await app.publish("They all die.", summary="The end of the book")
        answer = await app.get(f"/@{HANDLE}/{post.public_id}")
        head, _, rest = answer.text.partition("<main")
        assert "They all die." not in head
        assert rest.index("The end of the book") < rest.index("They all die.")
        assert '<details class="warning"' in rest


async def test_a_tag_page_lists_the_owners_public_posts(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        await app.publish("My bread #Bread")
        await app.publish("My quiet bread #bread", Visibility.UNLISTED)
        await app.publish("My secret bread #bread", Visibility.FOLLOWERS)
        await app.theirs(
            alice,
            content="<p>Her bread #bread</p>",
            tag=[{"type": "Hashtag", "name": "#bread", "href": "https://vic.example/tags/bread"}],
            cc=[f"{ALICE}/followers"],
        )
        for path in ("/tags/bread", "/tags/BREAD"):
            read = texts(await app.get(path))
            assert "My bread" in read
            for hidden in ("quiet", "secret", "Her bread"):
                assert hidden not in read
        await app.login()
        read = texts(await app.get("/tags/bread"))
        assert "My bread" in read
        assert "My quiet bread" in read
        assert "Her bread" in read


async def test_odd_tags_are_no_trouble(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        assert (await app.get("/tags/%E6%97%A5%E6%9C%AC")).status_code == 200
        for odd in ("%00", "%0d%0aX:y", "a" * 101, "%ff"):
            assert (await app.get(f"/tags/{odd}")).status_code in (200, 404)
        shown = await app.get("/tags/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
        assert "<script>alert" not in shown.text


async def test_boosts_stand_among_the_posts_and_lead_strangers_to_the_original(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        await app.publish("Before it")
        theirs = await app.theirs(alice, content="<p>Words of Alice</p>")
        met = await app.ctx.db.read(lambda r: note_storage.by_uri(r, theirs))
        assert met is not None
        app.clock.forward(seconds=1)
        await announces.announce(app.ctx, met.id)
        await app.publish("After it")

        answer = await app.get(f"/@{HANDLE}")

        read = texts(answer)
        assert read.index("After it") < read.index("Words of Alice") < read.index("Before it")
        boosted = next(a for a in answer.text.split("<article") if "Words of Alice" in a)
        assert re.search(r'class="why">.*<a href="/@maya">.*</a> boosted', boosted, re.S)
        assert f'href="{theirs}"' in boosted
        assert "/people/" not in boosted
        assert "/posts/" not in boosted


async def test_the_owner_sees_what_somebody_boosted_on_their_page(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice, bob = app.world.actor(ALICE), app.world.actor("https://vic.example/users/bob")
        met = await app.follow(alice)
        await app.follow(bob)
        theirs = await app.theirs(bob, content="<p>Words of Bob</p>")
        await app.deliver(
            alice,
            {
                "@context": "https://www.w3.org/ns/activitystreams",
                "id": f"{ALICE}/boosts/1",
                "type": "Announce",
                "actor": ALICE,
                "object": theirs,
                "published": "2026-11-22T12:00:00Z",
                "to": ["https://www.w3.org/ns/activitystreams#Public"],
            },
        )
        await app.login()
        page = await app.get(f"/people/{met.id}")
        assert "Words of Bob" in texts(page)
        assert re.search(rf'class="why">.*<a href="/people/{met.id}">.*</a> boosted', page.text)
