"""The search page: what is found, by which operators, and what it says of the rest."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote_plus
from zoneinfo import ZoneInfo

import pytest

from microfedi.federation.indexing import Indexer
from microfedi.protocol import ids
from microfedi.protocol.vocab import Visibility
from microfedi.storage import bookmarks, notes
from microfedi.storage.search import Fact, Mark, Term
from microfedi.web import searching
from tests.app_fixture import App, an_app, texts

NOW = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def asked(text: str) -> searching.Asked:
    return searching.understood(text, zone=BERLIN, now=NOW)


async def indexed(app: App) -> None:
    await Indexer(app.ctx, pause_s=0).turn()


async def found(app: App, text: str, more: str = "") -> str:
    await indexed(app)
    answer = await app.get(f"/search?q={quote_plus(text)}{more}")
    assert answer.status_code == 200
    return texts(answer)


def test_words_phrases_and_exclusions_are_terms() -> None:
    assert asked('low "big  kite" -rain kit*').query.terms == (
        Term("low"),
        Term("big  kite"),
        Term("rain", is_excluded=True),
        Term("kit*", is_beginning=True),
    )
    assert asked("two words").said == "two words"
    assert asked("-word").said == asked('"a b"').said == asked("has:image cat").said == ""


def test_operators_ask_for_facts_and_marks() -> None:
    query = asked("has:image -is:reply in:library language:de-AT is:boosted in:followers").query

    assert query.facts == (
        Fact(("hasimage",)),
        Fact(("isreply",), is_excluded=True),
        Fact(("langde",)),
        Fact(("forfollowers", "forlimited")),
    )
    assert query.marks == (Mark("library"), Mark("boosted"))
    assert asked("From:@Bob@B.example -from:me").authors == (("bob@b.example", False), ("me", True))


def test_days_are_those_of_the_owner() -> None:
    """In Berlin the 23rd has begun, half an hour after midnight."""

    def at(*when: int) -> int:
        return ids.row_id(datetime(*when, tzinfo=BERLIN))  # type: ignore[misc,arg-type]

    today = asked("during:today").query
    assert (today.first_id, today.before_id) == (at(2026, 11, 23), at(2026, 11, 24))
    month = asked("during:2026-12").query
    assert (month.first_id, month.before_id) == (at(2026, 12, 1), at(2027, 1, 1))
    both = asked("after:2025 before:2026-03-09").query
    assert (both.first_id, both.before_id) == (at(2026, 1, 1), at(2026, 3, 9))


@pytest.mark.parametrize(
    "text",
    ["before:tomorrow", "during:2026-02-30", "has:wings", "colour:red", "-before:2026"],
)
def test_what_is_no_operator_is_words_and_that_is_said(text: str) -> None:
    found = asked(text)

    assert len(found.remarks) == 1
    assert len(found.query.terms) == 1
    assert found.query.terms[0].is_excluded is text.startswith("-")


def test_thousands_of_words_are_cut() -> None:
    found = asked("a " * 1000)

    assert len(found.query.terms) == searching.MAX_PARTS
    assert "30" in found.remarks[0]


async def test_posts_of_the_owner_and_of_others_are_found_and_paged(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.follow(app.world.actor("https://vic.example/users/alice"))
        for number in range(25):
            await app.publish(f"Heron number {number}")
        await app.publish("A heron, for followers", Visibility.FOLLOWERS)
        await app.theirs(
            app.world.actor("https://vic.example/users/alice"), content="<p>herons and a heron</p>"
        )

        first = await found(app, "heron")
        answer = await app.get("/search?q=heron")
        older = (
            answer.text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
        )
        second = texts(await app.get(older))

        assert "herons and a heron" in first
        assert "A heron, for followers" in first
        assert "Heron number 24" in first
        assert "Heron number 0" in second
        assert "Heron number 24" not in second


async def test_operators_narrow_what_is_found(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor("https://vic.example/users/alice")
        await app.follow(alice)
        mine = await app.publish("My kite is red", language="en")
        await app.theirs(alice, content="<p>Your kite is blue</p>")
        await app.theirs(alice, content="<p>A kite, hidden</p>", summary="Wind", sensitive=True)

        assert "red" in await found(app, "kite from:me")
        assert "blue" not in await found(app, "kite from:me")
        theirs = await found(app, "kite from:@alice@vic.example -has:warning")
        assert "blue" in theirs
        assert "hidden" not in theirs
        assert "blue" in await found(app, "kite -from:me")
        assert "Nobody called @zed" in await found(app, "kite from:zed")
        assert "Nothing found" in await found(app, "kite in:bookmarks")
        await app.ctx.db.write(lambda tx: bookmarks.add(tx, mine.id, app.clock.now))
        assert "red" in await found(app, "kite in:bookmarks")
        assert "red" in await found(app, "in:library")
        assert "There is no operator “colour:”" in await found(app, "kite colour:red")


async def test_people_and_hashtags_stand_beside_posts(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.meet(app.world.actor("https://vic.example/users/heron", name="Old Heron"))
        await app.publish("Seen today #heronry")

        everything = await found(app, "heron")
        people = await found(app, "heron", "&show=people")
        tags = await found(app, "#heron", "&show=hashtags")

        assert "Old Heron" in everything
        assert "#heronry 1 post" in everything
        assert "Old Heron" in people
        assert "#heronry" not in people
        assert "#heronry" in tags
        assert "Nobody known here" in await found(app, "otter", "&show=people")


async def test_a_word_is_searched_here_and_an_address_elsewhere(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        answer = await app.post("/search", {"q": "low water & more"})

        assert answer.status_code == 303
        assert answer.headers["location"] == "/search?q=low+water+%26+more"
        assert (await app.post("/search", {"q": "https://nowhere.example/%20"})).status_code == 422


async def test_nobody_else_can_search(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.publish("Heron")
        answer = await app.browser().get("/search?q=heron")

        assert answer.status_code in (303, 404)
        assert "Heron" not in answer.text


async def test_a_message_is_never_found(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = await app.meet(app.world.actor("https://vic.example/users/alice"))
        await app.message([alice.id], "quicksilverheron")
        await indexed(app)

        assert "Nothing found" in await found(app, "quicksilverheron")
        assert all(
            "quicksilver" not in str(row)
            for table, rows in (await app.rows()).items()
            if table.startswith("search")
            for row in rows
        )


async def test_what_is_typed_is_shown_as_text(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        for text in ("<script>alert(1)</script>", 'colour:"><img src=x>', "%s %(x)s {{ 1 }}", "‮"):
            answer = await app.get(f"/search?q={quote_plus(text)}")
            assert answer.status_code == 200
            assert "<script>alert" not in answer.text
            assert "<img src=x" not in answer.text


async def test_the_page_says_that_posts_are_still_read(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        for number in range(41):
            await app.publish(f"Post {number}")

        assert "still being made searchable" in texts(await app.get("/search?q=post"))
        assert "still being made searchable" not in await found(app, "post")


async def test_an_older_database_becomes_searchable(tmp_path: Path) -> None:
    """As after the upgrade: everything waits, nothing is indexed."""
    async with an_app(tmp_path) as app:
        await app.login()
        note = await app.publish("Heron")
        await indexed(app)
        await app.ctx.db.write(lambda tx: tx.run("DELETE FROM search_posts"))
        await app.ctx.db.write(
            lambda tx: tx.run("INSERT INTO search_waiting SELECT 'post', id FROM notes")
        )

        assert "Heron" in await found(app, "heron")
        await app.ctx.db.write(lambda tx: notes.delete(tx, note.id, now=app.clock.now))
        assert "Nothing found" in texts(await app.get("/search?q=heron"))


async def test_in_asks_for_a_list_by_its_name(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor("https://vic.example/users/alice")
        bob = app.world.actor("https://bob.example/users/bob")
        friend = await app.follow(alice)
        await app.follow(bob)
        for name in ("Friends", "Old Hands", "home"):
            made = await app.post("/lists", {"name": name}, page="/lists")
            path = made.headers["location"].removesuffix("/edit")
            if name != "home":
                await app.post(f"{path}/add", {"person": friend.id}, page=f"{path}/edit")
        await app.theirs(alice, content="<p>A kite of hers</p>")
        await app.theirs(bob, content="<p>A kite of his</p>")

        for asked_for in ("kite in:friends", 'IN:"old hands"'):
            assert "of hers" in await found(app, asked_for)
            assert "of his" not in await found(app, asked_for)
        assert "of his" in await found(app, "kite -in:friends")
        assert "of hers" not in await found(app, "kite -in:friends")
        assert "of his" in await found(app, "kite in:home"), "our own words come first"
        said = await found(app, "in:nobody' kite")
        assert "Behind “in:” may stand: public" in said
        assert "what a list of yours is called" in said
