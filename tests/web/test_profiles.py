"""The tabs of a profile: posts, replies, media, who they are; and one picture, large."""

from pathlib import Path

from microfedi import imagework
from microfedi.federation.indexing import Indexer
from microfedi.federation.outbox import announces
from microfedi.federation.outbox import pins as outbox_pins
from microfedi.protocol.vocab import Visibility
from microfedi.storage.notes import Note
from tests.app_fixture import HANDLE, App, an_app, texts
from tests.web.pictures import a_png

ME = f"/@{HANDLE}"


async def indexed(app: App) -> None:
    await Indexer(app.ctx, pause_s=0).turn()


async def with_pictures(
    app: App, source: str, *alts: str, visibility: Visibility = Visibility.PUBLIC, summary: str = ""
) -> Note:
    pictures = [(await imagework.reencode(a_png(), purpose="post"), alt) for alt in alts]
    return await app.publish(source, visibility, pictures=tuple(pictures), summary=summary)


async def test_posts_and_replies_are_apart_on_the_own_page(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        bob = app.world.actor("https://vic.example/users/bob")
        await app.theirs(bob, content="<p>a boat of bob's</p>")
        theirs = await app.ctx.db.read(lambda r: r.value("SELECT id FROM notes"))
        await announces.announce(app.ctx, theirs)
        await app.publish("On my own")
        await app.publish("An answer to bob", in_reply_to=theirs)

        stranger = app.browser()
        for client in (app.client, stranger):
            posts = texts(await client.get(ME))
            replies = texts(await client.get(f"{ME}?show=replies"))

            assert "On my own" in posts
            assert "a boat of bob's" in posts
            assert "An answer to bob" not in posts
            assert "An answer to bob" in replies
            assert "On my own" in replies


async def test_what_is_pinned_stands_first_and_only_there(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        old = await app.publish("The oldest")
        await app.publish("The newest")
        await outbox_pins.pin(app.ctx, old.id)

        page = (await app.get(ME)).text
        first, second = page.index("The oldest"), page.index("The newest")

        assert first < second
        assert page.count("The oldest") == 2
        assert page.count(f'id="n{old.id}"') == 1
        assert (await app.get(f"{ME}?show=replies")).text.count("The oldest") == 1


async def test_media_stand_in_a_grid_for_those_who_may_see_them(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.publish("Only words")
        two = await with_pictures(app, "Open", "A jetty", "A heron")
        await with_pictures(app, "Closed", "A secret", visibility=Visibility.FOLLOWERS)
        await with_pictures(app, "Hidden", "A spoiler", summary="The end")
        await indexed(app)

        mine = (await app.get(f"{ME}?show=media")).text
        public = await app.browser().get(f"{ME}?show=media")

        assert 'alt="A jetty"' in mine
        assert 'alt="A secret"' in mine
        assert f'href="{ME}/{two.public_id}/media/2"' in public.text
        assert 'alt="A heron"' in public.text
        assert "A secret" not in public.text
        assert 'alt="A spoiler"' not in public.text
        assert "The end" in public.text
        assert "Only words" not in public.text


async def test_about_says_since_when_and_how_much(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.publish("One")
        await app.publish("Two, closed", Visibility.FOLLOWERS)

        assert "Joined 22 Nov 2026 Posts 2" in texts(await app.get(f"{ME}?show=about"))
        assert "Joined 22 Nov 2026 Posts 1" in texts(await app.browser().get(f"{ME}?show=about"))


async def test_others_have_the_same_tabs(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        bob = app.world.actor(
            "https://vic.example/users/bob",
            published="2019-03-04T05:06:07Z",
            attachment=[{"type": "PropertyValue", "name": "Boat", "value": "Otter"}],
        )
        person = f"/people/{(await app.follow(bob)).id}"
        picture = {"type": "Image", "mediaType": "image/png", "url": "https://vic.example/1.png"}
        await app.theirs(bob, content="<p>words alone</p>")
        await app.theirs(bob, content="<p>a sail</p>", attachment=[picture | {"name": "A sail"}])
        await indexed(app)

        posts = texts(await app.get(person))
        media = (await app.get(f"{person}?show=media")).text
        about = texts(await app.get(f"{person}?show=about"))

        assert "words alone" in posts
        assert "Otter" in posts
        found = await app.get("/search?q=from:%40bob%40vic.example&show=posts")
        assert (
            'href="/search?q=from%3A%40bob%40vic.example&amp;show=posts"'
            in (await app.get(person)).text
        )
        assert "words alone" in texts(found)
        assert 'alt="A sail"' in media
        assert "https://vic.example/1.png" not in media  # by way of our copy
        assert "words alone" not in media
        assert "Boat Otter" in about
        assert "Joined 4 Mar 2019" in about
        assert "Posts here 2" in about
        assert (await app.get(f"{person}?show=nonsense")).status_code == 200


async def test_one_picture_stands_large_with_its_neighbours(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        note = await with_pictures(app, "Three", "A jetty", "A heron", "")
        page = f"{ME}/{note.public_id}"

        second = await app.browser().get(f"{page}/media/2")
        third = texts(await app.get(f"{page}/media/3"))

        assert "Picture 2 of 3" in second.text
        assert 'alt="A heron"' in second.text
        assert f'rel="prev" href="{page}/media/1"' in second.text
        assert f'rel="next" href="{page}/media/3"' in second.text
        assert f'href="{page}" rel="up"' in second.text
        assert "Its author did not describe it." in third
        for missing in ("0", "4", "x", "-1", "99999999999999999999"):
            assert (await app.get(f"{page}/media/{missing}")).status_code == 404
        assert f'href="{page}/media/1"' in (await app.get(page)).text


async def test_the_picture_of_a_closed_post_has_no_page_for_strangers(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        note = await with_pictures(app, "Closed", "Secret", visibility=Visibility.FOLLOWERS)
        page = f"{ME}/{note.public_id}/media/1"

        assert (await app.get(page)).status_code == 200
        for path in (page, f"/posts/{note.id}/media/1"):
            answer = await app.browser().get(path)
            assert answer.status_code in (303, 404)
            assert "Secret" not in answer.text


async def test_pictures_of_others_stand_large_by_way_of_our_copies(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        bob = app.world.actor("https://vic.example/users/bob")
        evil = '"><script>alert(1)</script>'
        picture = {"type": "Image", "mediaType": "image/png", "url": "https://vic.example/1.png"}
        await app.theirs(bob, attachment=[picture | {"name": evil}])
        note_id = await app.ctx.db.read(lambda r: r.value("SELECT id FROM notes"))

        answer = await app.get(f"/posts/{note_id}/media/1")

        assert answer.status_code == 200
        assert "/media/proxy/" in answer.text
        assert "https://vic.example/1.png" not in answer.text
        assert "<script>alert" not in answer.text


async def test_a_thread_of_ones_own_says_which_part_a_post_is(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        first = await app.publish("One")
        second = await app.publish("Two", in_reply_to=first.id)
        await app.publish("Three", in_reply_to=second.id)

        assert "Thread 2/3" in texts(await app.browser().get(ME))
        assert "Thread 3/3" in texts(await app.get("/home"))
