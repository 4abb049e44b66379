"""Keyword filters: what they catch, where, and what is left to see."""

from pathlib import Path
from typing import Any

from microfedi.storage.database import Reader
from microfedi.web import reading
from tests.app_fixture import App, an_app, texts
from tests.web.test_home import shown

ALICE = "https://vic.example/users/alice"
NEW = "/settings/filters/new"


async def made(app: App, phrases: str, **fields: Any) -> None:
    """Make a filter through the pages."""
    form = {
        "name": "Spoilers",
        "phrases": phrases,
        "place": ["home", "notifications", "threads", "profiles"],
        "action": "warn",
        "lasts": "0",
        "whole_words": "1",
    } | fields
    answer = await app.post(NEW, form, page=NEW)
    assert answer.status_code == 303, texts(answer)


async def test_what_a_filter_catches_stands_behind_its_name(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        await made(app, "Café finale\nseason 2")
        picture = {"type": "Document", "mediaType": "image/png", "url": f"{ALICE}/1.png"}
        tag = {"type": "Hashtag", "name": "#season2", "href": ALICE}
        caught: list[dict[str, Any]] = [
            {"content": "<p>number0: the <b>CAFE</b> finale!</p>"},
            {"content": "<p>number1</p>", "summary": "Season 2"},
            {"content": "<p>number2</p>", "attachment": [picture | {"name": "season  2 poster"}]},
            {"content": "<p>number3: season\u00ad 2</p>"},
        ]
        free: list[dict[str, Any]] = [
            {"content": "<p>number4: season 21</p>"},
            {"content": "<p>number5</p>", "tag": [tag]},
            {"content": "<p>number6: finale, café</p>"},
        ]
        for one in (*caught, *free):
            await app.theirs(alice, **({"cc": [], "tag": []} | one))

        page = (await app.home()).text

        assert sorted(shown(page)) == list(range(7))
        assert page.count("Filtered: Spoilers") == 4
        assert page.count('<details class="filtered">') == 4
        for part in page.split('<details class="filtered">')[1:]:
            assert shown("<main" + part.split("</article>")[0])[0] < 4


async def test_what_is_hidden_is_gone_where_the_filter_works(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        met = await app.follow(alice)
        first = await app.theirs(alice, content="<p>number1</p>", cc=[])
        await app.theirs(alice, content="<p>number2 rugby</p>", cc=[], inReplyTo=first)
        await app.theirs(alice, content="<p>number3 RUGBY</p>", cc=[])
        await app.publish("number4: I like rugby")
        await made(app, "rugby", action="hide", place=["home", "threads"])

        assert shown((await app.home()).text) == [4, 1]
        profile = (await app.get(f"/people/{met.id}")).text
        assert {2, 3} & set(shown(profile)) != set()
        row = next(row[0] for row in (await app.rows())["notes"] if row[1] == first)
        thread = (await app.get(f"/posts/{row}")).text
        assert "Filtered: Spoilers" in thread  # a line, since others may hang on it


async def test_what_is_hidden_is_not_announced_as_new(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        await app.theirs(alice, content="<p>RUGBY</p>", cc=[])
        await app.theirs(alice, content="<p>bread</p>", cc=[])

        def counted(reader: Reader) -> int:
            now, owner = app.clock.now, app.ctx.owner
            return reading.count_new(reader, 1, owner, now=now, most=9)

        assert await app.ctx.db.read(counted) == 2
        await made(app, "rugby", action="hide")
        assert await app.ctx.db.read(counted) == 1


async def test_a_filter_ends_and_can_be_changed_and_deleted(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        assert "No filters yet" in texts(await app.get("/settings/filters"))
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        await app.theirs(alice, content="<p>number1 rugby</p>", cc=[])
        await made(app, "rugby", lasts="1800", action="hide")
        assert shown((await app.get("/home?newest")).text) == []
        assert "hidden by your filters" in texts(await app.get("/home?newest"))
        app.clock.forward(minutes=31)
        assert shown((await app.get("/home?newest")).text) == [1]
        assert "expired" in texts(await app.get("/settings/filters"))
        form = {
            "name": "Ball games",
            "phrases": "RUG",
            "place": "home",
            "action": "hide",
            "lasts": "0",
        }
        page = "/settings/filters/1"
        await app.post(page, form, page=page)
        assert shown((await app.get("/home?newest")).text) == []
        assert "Ball games" in texts(await app.get("/settings/filters"))
        await app.post(f"{page}/delete", {})
        assert shown((await app.get("/home?newest")).text) == [1]
        assert (await app.get(page)).status_code == 404


async def test_no_word_of_a_filter_lies_in_the_clear(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await made(app, "xylophone", name="Zebra")
        (row,) = (await app.rows())["filters"]
        assert "xylophone" not in str(row)
        assert "Zebra" not in str(row)


async def test_what_cannot_be_a_filter_is_said_and_kept_in_the_form(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        good = {
            "name": "N",
            "phrases": "word",
            "place": "home",
            "action": "warn",
            "lasts": "0",
        }
        bad: list[dict[str, Any]] = [
            {"name": ""},
            {"name": "x" * 61},
            {"phrases": ""},
            {"phrases": "\u200b\n \n"},
            {"phrases": "x" * 101},
            {"phrases": "\n".join(f"w{n}" for n in range(501))},
            {"place": []},
            {"place": "everywhere"},
            {"action": "burn"},
            {"lasts": "-1"},
        ]
        for change in bad:
            answer = await app.post(NEW, good | change, page=NEW)
            assert answer.status_code == 422, change
        answer = await app.post(NEW, good | {"place": [], "phrases": "keep me"}, page=NEW)
        assert "keep me" in answer.text
        assert await app.count("filters") == 0
        assert (await app.get("/settings/filters/99")).status_code == 404
        form = good | {"name": "<b>x</b>", "phrases": "</textarea><script>alert(1)</script>"}
        await app.post(NEW, form, page=NEW)
        for page in ("/settings/filters", "/settings/filters/1"):
            assert "<script>alert" not in (await app.get(page)).text
