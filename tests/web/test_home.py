"""Home, read by its owner: it opens where they stopped, pages both ways, boosts gathered."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from microfedi.protocol.vocab import PUBLIC
from microfedi.web.reading import LEAST_READ, PAGE_ENTRIES
from tests.another_server import AS2, RemoteActor
from tests.app_fixture import App, an_app, texts

ALICE = "https://vic.example/users/alice"
BOB = "https://bob.example/users/bob"
CARL = "https://carl.example/users/carl"


def shown(page: str) -> list[int]:
    """The numbers of the posts on a page, in order."""
    return [int(one) for one in re.findall(r"number(\d+)\b", page.split("<main", 1)[1])]


def link(page: str, words: str) -> str:
    """Where a link of the pager leads; "" if it is not there."""
    found = re.search(rf'<a class="button[^"]*"(?: rel="\w+")? href="([^"]+)">{words}</a>', page)
    return found.group(1).replace("&amp;", "&") if found else ""


async def publish(app: App, *numbers: int) -> None:
    """Publish posts with numbers."""
    for number in numbers:
        await app.publish(f"number{number}")


async def boosts(app: App, who: RemoteActor, notes: Sequence[str]) -> None:
    """Have somebody boost posts, a second apart."""
    for uri in notes:
        app.clock.forward(seconds=1)
        await app.deliver(
            who,
            {
                "@context": AS2,
                "id": f"{who.uri}/boosts/{uri.rpartition('/')[2]}-{app.clock.now.day}",
                "type": "Announce",
                "actor": who.uri,
                "object": uri,
                "to": [PUBLIC],
            },
        )


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
            shown((await app.get(older)).text)
            == before
            == list(range(49 - PAGE_ENTRIES, 49 - 2 * PAGE_ENTRIES, -1))
        )


async def test_home_opens_where_the_owner_stopped(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await publish(app, 1, 2)
        await app.login()
        assert "You have read everything" not in texts(await app.get("/home"))
        stopped = f"{app.clock.now:%H:%M}"
        assert f"You have read everything since {stopped}" in texts(await app.get("/home"))
        await publish(app, 3, 4)

        answer = await app.get("/home")

        assert answer.status_code == 303
        place, _, fragment = answer.headers["location"].partition("#")
        looked_ahead = await app.get(place, **{"sec-purpose": "prefetch"})
        page = (await app.get(place)).text
        assert f'id="{fragment}"' in page
        assert shown(page) == [4, 3, 2, 1] == shown(looked_ahead.text)
        assert page.index("number3") < page.index('id="mark"') < page.index("number2")
        assert f"You stopped here: {stopped}" in page
        assert f"You have read everything since {stopped}" in page
        again = await app.get("/home")
        assert again.status_code == 200
        assert 'id="mark"' not in again.text
        # Whoever comes back to the page finds it as it was.
        assert shown((await app.get(place)).text) == [4, 3, 2, 1]
        assert 'id="mark"' in (await app.get(place)).text


async def test_one_reads_upwards_page_by_page(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await publish(app, *range(10))
        await app.login()
        await app.get("/home")
        last = 10 + 2 * PAGE_ENTRIES
        await publish(app, *range(10, last))

        first = (await app.home()).text

        top = 10 + PAGE_ENTRIES - LEAST_READ
        assert shown(first) == list(range(top - 1, 9 - LEAST_READ, -1))
        assert "You have read everything" not in first
        assert link(first, "Newest") == "/home?newest"
        second = (await app.get(link(first, "Newer"))).text
        assert shown(second) == list(range(top + PAGE_ENTRIES - 1, top - 1, -1))
        third = (await app.get(link(second, "Newer"))).text
        assert shown(third) == list(range(last - 1, top + PAGE_ENTRIES - 1, -1))
        assert "You have read everything since" in third
        assert (await app.get("/home")).status_code == 200


async def test_who_jumps_to_the_newest_is_told_and_loses_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await publish(app, *range(10))
        await app.login()
        await app.get("/home")
        await publish(app, *range(10, 90))
        place = (await app.get("/home")).headers["location"]

        newest = await app.get("/home?newest")

        assert shown(newest.text)[0] == 89
        assert "posts that you have not seen yet" in newest.text
        assert "You have read everything" not in newest.text
        assert (await app.get("/home")).headers["location"] == place
        (upto,) = re.findall(r'name="position" value="(\d+)"', newest.text)
        await app.post("/home/read", {"position": upto}, page="/home?newest")
        assert (await app.get("/home")).status_code == 200
        # A mark in the future would hide what comes.
        await app.post("/home/read", {"position": 2**63 - 1}, page="/home?newest")
        await publish(app, 90)
        assert shown((await app.home()).text)[0] == 90


async def test_no_address_makes_read_what_it_does_not_show(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await publish(app, 1)
        await app.login()
        await app.get("/home")
        await publish(app, *range(2, 2 * PAGE_ENTRIES + 9))
        place = (await app.get("/home")).headers["location"]
        far = 2**62
        for query in (
            f"at={far}",
            f"after={far}",
            f"before={far}",
            "newest",
            f"since={far}&at={far}",
        ):
            await app.get(f"/home?{query}")
            assert (await app.get("/home")).headers["location"] == place


async def test_older_pages_do_not_move_the_mark(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await publish(app, *range(45))
        await app.login()
        older = link((await app.get("/home")).text, "Older")
        await publish(app, 45)
        await app.get(older)
        page = (await app.home()).text
        assert page.index("number45") < page.index('id="mark"') < page.index("number44")


@pytest.mark.parametrize(
    "query",
    ["at=0", "at=-1", "at=x", "before=1&after=1", f"at={2**63 - 1}", "since=9&after=5", "at=7"],
)
async def test_any_address_is_a_page(tmp_path: Path, query: str) -> None:
    async with an_app(tmp_path) as app:
        await publish(app, 1, 2, 3)
        await app.login()
        answer = await app.get(f"/home?{query}")
        assert answer.status_code == 200
        assert shown((await app.home()).text)[:1] in ([3], [])


async def test_boosts_beyond_the_days_measure_are_gathered(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice, bob = app.world.actor(ALICE), app.world.actor(BOB)
        await app.follow(alice)
        await app.meet(bob)
        posts = [await app.theirs(bob, content=f"<p>number{n}</p>") for n in range(9)]
        await app.login()

        await boosts(app, alice, posts)
        page = (await app.home()).text

        # The owner's wish, unless they have another: five of one person and day.
        assert shown(page) == [4, 3, 2, 1, 0]
        assert "4 more boosts by" in texts(await app.get("/home"))
        (more,) = re.findall(r'href="(/home/boosts/[^"]+)"', page)
        opened = await app.get(more.replace("&amp;", "&"))
        assert opened.status_code == 200
        assert shown(opened.text) == [8, 7, 6, 5]
        assert page.index("more boosts by") < page.index("number4")

        # Another day, another five; and those of before are read already.
        app.clock.forward(days=1)
        more_posts = [await app.theirs(bob, content=f"<p>number{n}</p>") for n in range(20, 28)]
        await boosts(app, alice, more_posts)
        later = (await app.home()).text
        above, _below = later.split('id="mark"')
        assert shown(above) == [24, 23, 22, 21, 20]
        assert "3 more boosts by" in re.sub(r"<[^>]+>", "", above)

        for wish, numbers in (("0", [8, 7, 6, 5, 4, 3, 2]), ("none", [])):
            await app.post("/home/shown", {"replies": "all", "boosts": wish}, page="/home?newest")
            assert [n for n in shown((await app.get("/home?newest")).text) if n < 9] == numbers


async def test_replies_are_chosen_on_home(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice, carl = app.world.actor(ALICE), app.world.actor(CARL)
        await app.follow(alice)
        await app.meet(carl)
        far = await app.theirs(carl, content="<p>number0</p>")
        await app.theirs(alice, content="<p>number1</p>", inReplyTo=far)
        own = await app.theirs(alice, content="<p>number2</p>")
        await app.theirs(alice, content="<p>number3</p>", inReplyTo=own)
        await app.login()
        assert shown((await app.home()).text) == [3, 2]
        for wish, numbers in (("all", [3, 2, 1]), ("none", [3, 2]), ("followed", [3, 2])):
            form = {"replies": wish, "boosts": "5", "next": "/home"}
            answer = await app.post("/home/shown", form, page="/home?newest")
            assert answer.headers["location"] == "/home"
            assert shown((await app.get("/home?newest")).text) == numbers
        answer = await app.post("/home/shown", {"replies": "x", "boosts": "5"}, page="/home")
        assert answer.status_code == 422
