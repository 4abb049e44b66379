"""What a link to the profile or to a post shows elsewhere, and what machines read there."""

import re
from html.parser import HTMLParser
from pathlib import Path

from microfedi import imagework
from microfedi.federation.outbox import profile
from microfedi.protocol.vocab import Visibility
from tests.app_fixture import BASE_URL, US, App, an_app
from tests.web.pictures import a_png


class Head(HTMLParser):
    """The meta and link elements of a page, in order."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.meta: list[tuple[str, str]] = []
        self.links: list[tuple[str, str]] = []
        self.classes: set[str] = set()
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.classes |= set(found.get("class", "").split())
        if tag == "meta":
            self.meta.append(
                (found.get("property") or found.get("name", ""), found["content"])
                if "content" in found
                else ("charset", found["charset"])
            )
        elif tag == "link":
            self.links.append((found["rel"], found["href"]))


async def head(app: App, path: str) -> Head:
    """Read a page as a stranger's machine does."""
    answer = await app.browser().get(path)
    assert answer.status_code == 200
    return Head(answer.text)


def said(page: Head) -> dict[str, str]:
    """What a page says of itself; each thing once."""
    ours = [(name, value) for name, value in page.meta if name not in ("theme-color", "viewport")]
    assert len({name for name, _ in ours}) == len(ours)
    return dict(ours)


async def test_a_post_has_a_preview(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await profile.set_preferences(app.ctx, indexable=True)
        picture = await imagework.reencode(a_png(), purpose="post")
        note = await app.publish('Bread "is" **done** & warm', pictures=((picture, "A loaf"),))

        page = await head(app, f"/@maya/{note.public_id}")

        assert note.attachments[0].url.startswith(f"{BASE_URL}/media/")
        assert said(page) == {
            "charset": "utf-8",
            "description": 'Bread "is" done & warm',
            "fediverse:creator": "@maya@us.example",
            "og:site_name": "us.example",
            "og:type": "article",
            "og:title": "Maya (@maya@us.example)",
            "og:url": f"{BASE_URL}/@maya/{note.public_id}",
            "og:description": 'Bread "is" done & warm',
            "og:image": note.attachments[0].url,
            "og:image:alt": "A loaf",
            "og:image:width": str(note.attachments[0].width),
            "og:image:height": str(note.attachments[0].height),
            "twitter:card": "summary_large_image",
        }
        assert ("canonical", f"{BASE_URL}/@maya/{note.public_id}") in page.links
        assert ("alternate", note.uri) in page.links
        assert {
            "h-entry",
            "p-author",
            "h-card",
            "dt-published",
            "e-content",
            "u-url",
        } <= page.classes


async def test_what_is_folded_away_is_in_no_preview(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        picture = await imagework.reencode(a_png(), purpose="post")
        pictures = ((picture, "A drowned loaf"),)
        warned = await app.publish("They all drown.", summary="The end", pictures=pictures)
        hidden = await app.publish("Look", sensitive=True, pictures=pictures)

        first = said(await head(app, f"/@maya/{warned.public_id}"))
        second = said(await head(app, f"/@maya/{hidden.public_id}"))

        assert first["description"] == first["og:description"] == "Content warning: The end"
        assert second["og:description"] == "Look"
        for one in (first, second):
            assert not [name for name in one if name.startswith("og:image")]
            assert one["twitter:card"] == "summary"
            assert "drown" not in str(one)


async def test_a_closed_post_has_no_preview_even_for_the_owner(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        closed = await app.publish("Only for followers", Visibility.FOLLOWERS)
        await app.login()
        page = Head((await app.get(f"/@maya/{closed.public_id}")).text)
        assert not [name for name, _ in page.meta if name.startswith(("og:", "fediverse:"))]
        assert ("robots", "noindex") in page.meta


async def test_the_profile_has_a_preview_and_links_to_the_same_person(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await profile.set_preferences(app.ctx, indexable=True)
        rows = (("Site", "https://maya.example/?a=1&b=2"), ("Likes", "lakes"))
        await profile.update(app.ctx, profile.Profile("Maya", "I paint.", rows))
        face = await imagework.reencode(a_png(), purpose="avatar")
        await profile.set_picture(app.ctx, avatar=face)

        page = await head(app, "/@maya")

        meta = said(page)
        assert meta.pop("og:image").startswith(f"{BASE_URL}/media/")
        assert meta == {
            "charset": "utf-8",
            "description": "I paint.",
            "fediverse:creator": "@maya@us.example",
            "og:site_name": "us.example",
            "og:type": "profile",
            "og:title": "Maya (@maya@us.example)",
            "og:url": f"{BASE_URL}/@maya",
            "og:description": "I paint.",
            "profile:username": "maya@us.example",
            "twitter:card": "summary",
        }
        assert [href for rel, href in page.links if rel == "me"] == [
            "https://maya.example/?a=1&b=2"
        ]
        assert ("canonical", f"{BASE_URL}/@maya") in page.links
        assert ("alternate", US) in page.links
        assert ("alternate", "/@maya/feed.atom") in page.links
        assert {"h-card", "p-name", "p-nickname", "p-note", "u-url", "u-photo"} <= page.classes


async def test_nobody_breaks_out_of_a_preview(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        evil = '"><script>alert(1)</script><meta name="x'
        await profile.update(app.ctx, profile.Profile(evil, evil, ((evil, evil),)))
        note = await app.publish(evil, summary=evil)
        for path in ("/@maya", f"/@maya/{note.public_id}"):
            answer = await app.browser().get(path)
            assert "<script>alert" not in answer.text
            assert re.findall(r"<script[^>]*>", answer.text) == [
                one for one in re.findall(r"<script[^>]*>", answer.text) if "/static/" in one
            ]
            assert "x" not in [name for name, _ in Head(answer.text).meta]
