"""Lists: made, filled, read by themselves with a mark of their own; and who is seldom heard."""

from pathlib import Path

from microfedi.storage import lists
from microfedi.storage.lists import List
from tests.app_fixture import App, an_app, texts
from tests.web.test_home import boosts, link, shown

ALICE = "https://vic.example/users/alice"
BOB = "https://bob.example/users/bob"
CARL = "https://carl.example/users/carl"


async def made(app: App, *people: int, name: str = "Friends") -> str:
    """Make a list through the pages; return its path."""
    answer = await app.post("/lists", {"name": name}, page="/lists")
    path = answer.headers["location"].removesuffix("/edit")
    if people:
        await app.post(f"{path}/add", {"person": list(people)}, page=f"{path}/edit")
    return str(path)


async def the_list(app: App, path: str) -> List:
    number = int(path.rpartition("/")[2])
    found = await app.ctx.db.read(lambda r: lists.by_id(r, number))
    assert found is not None
    return found


async def test_a_list_is_made_filled_renamed_and_deleted(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        assert "No lists yet" in texts(await app.get("/lists"))
        alice = await app.follow(app.world.actor(ALICE))
        bob = await app.follow(app.world.actor(BOB))
        stranger = await app.meet(app.world.actor(CARL))

        path = await made(app, alice.id, bob.id, stranger.id)

        inside = texts(await app.get(f"{path}/edit"))
        assert "@alice@vic.example" in inside
        assert "carl" not in inside
        assert "2 people" in texts(await app.get("/lists"))
        form = {"name": "Old friends", "replies": "none", "is_exclusive": "1"}
        assert (await app.post(f"{path}/edit", form)).headers["location"] == path
        one = await the_list(app, path)
        assert (one.name, one.replies, one.is_exclusive, one.people) == (
            "Old friends",
            "none",
            True,
            2,
        )
        assert "not on Home" in texts(await app.get("/lists"))
        assert "Old friends" not in str((await app.rows())["lists"])
        await app.post(f"{path}/remove", {"person": bob.id})
        assert (await the_list(app, path)).people == 1

        await app.post(f"{path}/delete", page="/lists")

        assert (await app.get(path)).status_code == 404
        assert await app.count("list_people") == await app.count("list_home") == 0


async def test_a_list_has_what_its_people_brought_before_and_after(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, bob = app.world.actor(ALICE), app.world.actor(BOB)
        met, other = await app.follow(alice), await app.follow(bob)
        await app.theirs(alice, content="<p>number1</p>")
        await app.theirs(bob, content="<p>number2</p>")
        path = await made(app, met.id)
        await app.theirs(alice, content="<p>number3</p>")

        assert shown((await app.home(path)).text) == [3, 1]

        await app.post(f"/people/{other.id}/lists", {"list": path.rpartition("/")[2]})
        assert shown((await app.get(f"{path}?newest")).text) == [3, 2, 1]
        assert "checked" in (await app.get(f"/people/{other.id}/lists")).text
        await app.post(f"/people/{other.id}/lists", {})
        assert shown((await app.get(f"{path}?newest")).text) == [3, 1]
        await app.post(f"/people/{met.id}/unfollow", {})
        assert shown((await app.get(f"{path}?newest")).text) == []
        assert (await the_list(app, path)).people == 0
        await app.follow(alice)
        assert (await the_list(app, path)).people == 0


async def test_a_list_has_a_mark_of_its_own(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        met = await app.follow(alice)
        path = await made(app, met.id)
        for number in range(30):
            await app.theirs(alice, content=f"<p>number{number}</p>", cc=[])
        await app.get("/home")
        first = (await app.home(path)).text
        assert shown(first)[0] == 29
        assert shown((await app.get(link(first, "Older"))).text)[-1] == 0
        await app.theirs(alice, content="<p>number30</p>", cc=[])
        answer = await app.get(path)
        assert answer.headers["location"].endswith("#mark")
        page = (await app.home(path)).text
        assert page.index("number30") < page.index('id="mark"') < page.index("number29")
        assert (await app.get("/home")).status_code == 303  # Home has its own
        assert (await app.get(path)).status_code == 200


async def test_who_is_in_an_exclusive_list_is_not_on_home(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, bob = app.world.actor(ALICE), app.world.actor(BOB)
        met = await app.follow(alice)
        await app.follow(bob)
        await app.theirs(bob, content="<p>number1</p>")
        await app.theirs(alice, content="<p>number2</p>")
        path = await made(app, met.id)
        form = {"name": "Loud", "replies": "list", "is_exclusive": "1"}
        await app.post(f"{path}/edit", form)
        assert shown((await app.get("/home?newest")).text) == [1]
        assert shown((await app.home(path)).text) == [2]
        await app.post(f"{path}/delete", page="/lists")
        assert shown((await app.get("/home?newest")).text) == [2, 1]


async def test_replies_in_a_list_are_as_its_owner_wishes(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, bob, carl = (app.world.actor(one) for one in (ALICE, BOB, CARL))
        met, other = await app.follow(alice), await app.follow(bob)
        await app.meet(carl)
        path = await made(app, met.id)
        theirs = await app.theirs(bob, content="<p>number0</p>")
        far = await app.theirs(carl, content="<p>number9</p>")
        own = await app.theirs(alice, content="<p>number1</p>")
        for number, parent in ((2, own), (3, theirs), (4, far)):
            await app.theirs(alice, content=f"<p>number{number}</p>", inReplyTo=parent)
        for wish, numbers in (("list", [2, 1]), ("followed", [3, 2, 1]), ("none", [2, 1])):
            await app.post(f"{path}/edit", {"name": "x", "replies": wish})
            assert shown((await app.get(f"{path}?newest")).text) == numbers
        await app.post(f"{path}/edit", {"name": "x", "replies": "list"})
        await app.post(f"{path}/add", {"person": other.id})
        assert shown((await app.get(f"{path}?newest")).text) == [3, 2, 1, 0]


async def test_boosts_are_hidden_of_one_person(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, bob = app.world.actor(ALICE), app.world.actor(BOB)
        met = await app.follow(alice)
        await app.meet(bob)
        path = await made(app, met.id)
        posts = [await app.theirs(bob, content=f"<p>number{n}</p>") for n in range(8)]
        await boosts(app, alice, posts)
        assert "3 more boosts by Alice" in texts(await app.home(path))
        page = (await app.get(f"{path}?newest")).text
        (more,) = [one for one in page.split('"') if one.startswith(f"{path}/boosts/")]
        assert shown((await app.get(more.replace("&amp;", "&"))).text) == [7, 6, 5]
        assert "Hide boosts" in texts(await app.get(f"/people/{met.id}"))

        await app.post(f"/people/{met.id}/hide_boosts", {})

        assert shown((await app.get("/home?newest")).text) == []
        assert "more boosts" not in texts(await app.get(f"{path}?newest"))
        await app.post(f"/people/{met.id}/show_boosts", {})
        assert shown((await app.get("/home?newest")).text) == [4, 3, 2, 1, 0]
        stranger = await app.meet(bob)
        assert (await app.post(f"/people/{stranger.id}/hide_boosts", {})).status_code == 404


async def test_who_writes_little_is_seldom_heard(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, bob = app.world.actor(ALICE), app.world.actor(BOB)
        assert "Quiet people will stand here" in texts(await app.get("/lists/seldom"))
        await app.follow(alice)
        await app.follow(bob)
        await app.theirs(alice, content="<p>number1</p>")
        for number in range(10, 16):
            await app.theirs(bob, content=f"<p>number{number}</p>")
        assert shown((await app.get("/lists/seldom")).text) == [1]
        app.clock.forward(days=31)
        await app.login()
        assert shown((await app.get("/lists/seldom")).text) == []


async def test_what_cannot_be_is_said_in_words(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        for name in ("", "x" * 61, "x" * 500):
            answer = await app.post("/lists", {"name": name}, page="/lists")
            assert answer.status_code == 422
        path = await made(app, name="<script>alert(1)</script>")
        for page in ("/lists", path, f"{path}/edit"):
            assert "<script>alert" not in (await app.get(page)).text
        answer = await app.post(f"{path}/edit", {"name": "x", "replies": "everything"})
        assert answer.status_code == 422
        met = await app.meet(app.world.actor(ALICE))
        answer = await app.post(f"/people/{met.id}/lists", {"list": path.rpartition("/")[2]})
        assert answer.status_code == 422
        assert "Only people whom you follow" in texts(answer)
        for address in ("/lists/99", "/lists/x", "/lists/99/edit", "/people/99/lists"):
            assert (await app.get(address)).status_code == 404
        assert (await app.post("/lists/99/delete", {}, page="/lists")).status_code == 404
