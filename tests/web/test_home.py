"""Home, read by its owner: newest first, pages both ways, a mark where they stopped."""

import re
from pathlib import Path

from microfedi.web.home import PAGE_ENTRIES
from tests.app_fixture import App, an_app


def shown(page: str) -> list[int]:
    """The numbers of the posts on a page, in order."""
    return [int(one) for one in re.findall(r"number(\d+)\b", page.split("<main", 1)[1])]


def link(page: str, words: str) -> str:
    """Where a link of the pager leads; "" if it is not there."""
    found = re.search(rf'<a class="button" rel="\w+" href="([^"]+)">{words}</a>', page)
    return found.group(1).replace("&amp;", "&") if found else ""


async def publish(app: App, *numbers: int) -> None:
    """Publish posts with numbers."""
    for number in numbers:
        await app.publish(f"number{number}")


async def test_home_is_for_the_owner(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        assert (await app.get("/home")).headers["location"] == "/login?next=/home"
        await app.login()
        answer = await app.get("/home")
        assert answer.status_code == 200
        assert "Nothing here yet" in answer.text
        assert answer.headers["cache-control"] == "no-store"


async def test_pages_lead_down_and_up_again(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await publish(app, *range(100))
        await app.login()
        pages = [(await app.get("/home")).text]
        while older := link(pages[-1], "Older"):
            pages.append((await app.get(older)).text)
        assert len(pages) == -(-100 // PAGE_ENTRIES)
        assert [n for page in pages for n in shown(page)] == list(range(99, -1, -1))
        assert "This is the beginning" in pages[-1]
        assert link(pages[0], "Newer") == ""
        up = [pages[-1]]
        while newer := link(up[-1], "Newer"):
            up.append((await app.get(newer)).text)
        assert [shown(page) for page in up] == [shown(page) for page in reversed(pages)]


async def test_a_page_stays_what_it_was_when_something_new_comes(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await publish(app, *range(50))
        await app.login()
        older = link((await app.get("/home")).text, "Older")
        before = shown((await app.get(older)).text)
        await publish(app, *range(50, 60))
        assert (
            shown((await app.get(older)).text) == before == list(range(49 - PAGE_ENTRIES, -1, -1))
        )


async def test_the_mark_stands_where_the_owner_stopped(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await publish(app, 1, 2)
        await app.login()
        assert 'id="mark"' not in (await app.get("/home")).text
        assert "Nothing new since you were here" in (await app.get("/home")).text
        await publish(app, 3, 4)
        looked_ahead = await app.get("/home", **{"sec-purpose": "prefetch"})
        page = (await app.get("/home")).text
        assert page.index("number3") < page.index('id="mark"') < page.index("number2")
        assert "You have read everything below" in looked_ahead.text
        again = (await app.get("/home")).text
        assert again.index('id="mark"') < again.index("number4")


async def test_only_the_newest_page_moves_the_mark(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await publish(app, *range(45))
        await app.login()
        older = link((await app.get("/home")).text, "Older")
        await publish(app, 45)
        await app.get(older)
        page = (await app.get("/home")).text
        assert page.index("number45") < page.index('id="mark"') < page.index("number44")
