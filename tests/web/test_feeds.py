"""The Atom feed: public posts, well-formed whatever is in them."""

from pathlib import Path
from xml.etree import ElementTree

from microfedi import imagework
from microfedi.federation.outbox import notes, profile
from microfedi.protocol.vocab import Visibility
from microfedi.storage import notes as note_storage
from tests.app_fixture import BASE_URL, HANDLE, an_app
from tests.web.pictures import a_png

ATOM = "{http://www.w3.org/2005/Atom}"
FEED = f"/@{HANDLE}/feed.atom"


def read(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)  # noqa: S314 - made by us, entities and all


async def test_the_feed_has_public_posts_the_newest_first(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        first = await app.publish("First & **foremost**", language="en")
        await app.publish("Quiet", Visibility.UNLISTED)
        await app.publish("Closed", Visibility.FOLLOWERS)
        theirs = await app.theirs(app.world.actor("https://vic.example/users/alice"))
        met = await app.ctx.db.read(lambda r: note_storage.by_uri(r, theirs))
        assert met is not None
        await app.publish("An answer", in_reply_to=met.id)
        last = await app.publish("Last")

        answer = await app.get(FEED)

        assert answer.headers["content-type"] == "application/atom+xml"
        feed = read(answer.text)
        assert feed.findtext(f"{ATOM}id") == f"{BASE_URL}/@maya"
        assert feed.findtext(f"{ATOM}title") == "Maya"
        assert feed.findtext(f"{ATOM}updated") == "2026-11-22T12:00:06Z"
        assert feed.findtext(f"{ATOM}author/{ATOM}name") == "Maya"
        links = {one.get("rel"): one.get("href") for one in feed.findall(f"{ATOM}link")}
        assert links == {"self": f"{BASE_URL}{FEED}", "alternate": f"{BASE_URL}/@maya"}
        newest, oldest = feed.findall(f"{ATOM}entry")
        assert newest.findtext(f"{ATOM}id") == last.uri
        assert oldest.findtext(f"{ATOM}id") == first.uri
        assert oldest.findtext(f"{ATOM}title") == "First & foremost"
        assert oldest.findtext(f"{ATOM}published") == "2026-11-22T12:00:01Z"
        content = oldest.find(f"{ATOM}content")
        assert content is not None
        assert content.get("type") == "html"
        assert content.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
        assert content.text == "<p>First &amp; <strong>foremost</strong></p>\n"
        link = oldest.find(f"{ATOM}link")
        assert link is not None
        assert link.get("href") == f"{BASE_URL}/@maya/{first.public_id}"


async def test_a_warning_is_all_that_the_feed_says(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.publish("They all die.", summary="The end of the book")
        answer = await app.get(FEED)
        assert "They all die" not in answer.text
        assert "The end of the book" in answer.text


async def test_an_edit_is_an_update(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        note = await app.publish("Before")
        app.clock.forward(minutes=1)
        await notes.edit(app.ctx, note.id, notes.Draft("After"))
        entry = read((await app.get(FEED)).text).find(f"{ATOM}entry")
        assert entry is not None
        assert entry.findtext(f"{ATOM}title") == "After"
        assert entry.findtext(f"{ATOM}published") == "2026-11-22T12:00:01Z"
        assert entry.findtext(f"{ATOM}updated") == "2026-11-22T12:01:01Z"


async def test_a_picture_is_in_the_feed_with_its_description(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        picture = await imagework.reencode(a_png(), purpose="post")
        await app.publish("", pictures=((picture, 'A "red" <square>'),))
        entry = read((await app.get(FEED)).text).find(f"{ATOM}entry")
        assert entry is not None
        assert entry.findtext(f"{ATOM}title") == "A picture"
        html = entry.findtext(f"{ATOM}content") or ""
        assert f'<img src="{BASE_URL}/media/' in html
        assert 'alt="A &#34;red&#34; &lt;square&gt;"' in html


async def test_a_sensitive_picture_is_not_in_the_feed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        picture = await imagework.reencode(a_png(), purpose="post")
        await app.publish("Look", sensitive=True, pictures=((picture, "A wound"),))
        answer = await app.get(FEED)
        assert "Look" in answer.text
        assert "/media/" not in answer.text
        assert "wound" not in answer.text


async def test_hashtags_are_categories(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.publish("The ice on the #lake is gone, #Spring")
        entry = read((await app.get(FEED)).text).find(f"{ATOM}entry")
        assert entry is not None
        assert [one.get("term") for one in entry.findall(f"{ATOM}category")] == ["lake", "spring"]


async def test_whatever_is_written_the_feed_stays_well_formed(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for odd in (
            "</entry></feed><script>alert(1)</script>",
            "]]> <![CDATA[ <!-- -->",
            "&unknown; &amp; &#0; &lt;b&gt;",
            "{{ 6173*8219 }} {% include 'login.html' %}",
            "a\x0bb \ufffe\uffff c",
        ):
            await profile.update(app.ctx, profile.Profile(odd, odd))
            await app.publish(odd, summary="")
            await app.publish("Words", summary=odd)
            feed = read((await app.get(FEED)).text)
            assert {one.tag for one in feed.iter()} <= {
                f"{ATOM}{name}"
                for name in (
                    "feed", "id", "title", "subtitle", "updated", "link", "author", "name",
                    "uri", "entry", "published", "content", "category",
                )
            }  # fmt: skip
            for content in feed.iter(f"{ATOM}content"):
                assert content.get("type") == "text" or "<script" not in (content.text or "")
            assert "50735887" not in "".join(feed.itertext())


async def test_an_empty_feed_is_one_and_who_has_it_is_told_so(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        answer = await app.get(FEED)
        assert read(answer.text).findtext(f"{ATOM}updated") == "2026-11-22T12:00:00Z"
        again = await app.get(FEED, **{"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (await app.get("/@mayo/feed.atom")).status_code == 404


JSON = f"/@{HANDLE}/feed.json"


async def test_the_json_feed_has_the_same_posts_with_what_hangs_on_them(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        picture = await imagework.reencode(a_png(), purpose="post")
        first = await app.publish("First & **foremost** #bread", language="en")
        await app.publish("Quiet", Visibility.UNLISTED)
        last = await app.publish("Last", pictures=((picture, "A square"),))

        answer = await app.get(JSON)

        assert answer.headers["content-type"] == "application/feed+json"
        feed = answer.json()
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        assert feed["title"] == "Maya"
        assert feed["home_page_url"] == f"{BASE_URL}/@maya"
        assert feed["feed_url"] == f"{BASE_URL}{JSON}"
        assert feed["authors"] == [{"name": "Maya", "url": f"{BASE_URL}/@maya"}]
        newest, oldest = feed["items"]
        assert oldest == {
            "id": first.uri,
            "url": f"{BASE_URL}/@maya/{first.public_id}",
            "content_html": '<p>First &amp; <strong>foremost</strong> <a href="'
            f'{BASE_URL}/tags/bread" class="mention hashtag" target="_blank" '
            'rel="nofollow noopener noreferrer">#<span>bread</span></a></p>\n',
            "date_published": "2026-11-22T12:00:01Z",
            "language": "en",
            "tags": ["bread"],
        }
        assert newest["id"] == last.uri
        (attached,) = newest["attachments"]
        assert attached == {
            "url": last.attachments[0].url,
            "mime_type": picture.media_type,
            "title": "A square",
        }
        assert newest["image"] == attached["url"]


async def test_a_warning_is_all_that_the_json_feed_says(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        picture = await imagework.reencode(a_png(), purpose="post")
        await app.publish("They all die.", summary="The end", pictures=((picture, "Them"),))

        answer = await app.get(JSON)

        assert "They all die" not in answer.text
        assert "Them" not in answer.text
        assert answer.json()["items"][0]["content_text"] == "The end"


async def test_a_hashtag_has_feeds_of_the_owners_public_posts(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.theirs(
            app.world.actor("https://vic.example/users/alice"),
            content="<p>theirs</p>",
            tag=[{"type": "Hashtag", "name": "#bread"}],
        )
        await app.publish("No hashtag")
        await app.publish("Quiet #bread", Visibility.UNLISTED)
        await app.publish("Loaf #Bread")

        feed = (await app.get("/tags/Bread/feed.json")).json()
        atom = read((await app.get("/tags/bread/feed.atom")).text)
        page = (await app.browser().get("/tags/bread")).text

        assert [item["tags"] for item in feed["items"]] == [["bread"]]
        assert feed["home_page_url"] == f"{BASE_URL}/tags/bread"
        assert feed["title"] == "Maya – #bread"
        assert atom.findtext(f"{ATOM}title") == "Maya – #bread"
        assert atom.findtext(f"{ATOM}author/{ATOM}uri") == f"{BASE_URL}/@maya"
        assert len(atom.findall(f"{ATOM}entry")) == 1
        assert 'type="application/feed+json"' in page
        assert 'href="/tags/bread/feed.atom"' in page


async def test_feeds_are_not_sent_twice(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.publish("One #bread")
        for path in (FEED, JSON, "/tags/bread/feed.atom", "/tags/bread/feed.json"):
            first = await app.get(path)
            again = await app.get(path, **{"if-none-match": first.headers["etag"]})
            assert again.status_code == 304, path
            assert first.headers["cache-control"] == "public, max-age=300"
            assert "set-cookie" not in first.headers


async def test_feeds_of_nobody_and_of_no_hashtag_are_not_there(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        for path in ("/@nobody/feed.json", f"/tags/{'x' * 300}/feed.json", "/tags/%00/feed.atom"):
            assert (await app.get(path)).status_code == 404, path
        assert (await app.get("/tags/nothing/feed.json")).json()["items"] == []
