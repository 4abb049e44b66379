"""Two people, two servers, two browsers: what one does is asserted on the other's screen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e import browsing, processes
from tests.e2e.browsing import PASSWORD, Person

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(params=[True, False], ids=["with script", "without script"])
def javascript(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def people(browser: Browser, tmp_path: Path, javascript: bool) -> Iterator[tuple[Person, Person]]:
    """Alice and Bob, each set up the first-run way."""
    with (
        processes.running(tmp_path / "alice", "alice") as at_alice,
        processes.running(tmp_path / "bob", "bob") as at_bob,
    ):
        found = []
        for server, name, colour in ((at_alice, "Alice", "#7a5c8e"), (at_bob, "Bob", "#2e6f75")):
            person = Person(browser, server, name, javascript=javascript)
            face = tmp_path / f"{name}.png"
            person.set_up(
                server.setup_link(),
                browsing.a_picture(face, size=(400, 400), kind="face", colour=colour),
            )
            found.append(person)
        alice, bob = found
        yield alice, bob
        assert alice.complaints == []
        assert bob.complaints == []
        for server in (at_alice, at_bob):
            assert "Traceback" not in server.log()
            assert PASSWORD not in server.log()


def test_two_people_meet(people: tuple[Person, Person], tmp_path: Path) -> None:
    alice, bob = people

    # Bob wants to be asked first.
    bob.go("/settings/preferences")
    bob.page.get_by_label("Ask me first").check()
    bob.page.get_by_role("button", name="Save").click()
    expect(bob.page.get_by_role("status")).to_have_text("Saved.")

    # Alice finds Bob with his picture, and asks.
    alice.find(bob.address)
    face = alice.page.locator(".profile img.avatar")
    expect(face).to_be_visible()
    alice.page.get_by_role("button", name="Follow", exact=True).click()
    expect(alice.page.get_by_role("button", name="Cancel request")).to_be_visible()
    bobs_page = alice.page.url

    # Bob is told, and says yes. Alice is told that.
    bob.sees("/notifications", "asks to follow you")
    bob.page.get_by_role("button", name="Accept").click()
    bob.sees("/followers", alice.address)
    alice.sees("/notifications", "accepted your request to follow")
    alice.go(bobs_page)
    expect(alice.page.get_by_role("button", name="Unfollow")).to_be_visible()

    # Bob posts a picture; it stands at Alice's Home, from Alice's server, with its description.
    view = browsing.a_picture(tmp_path / "view.png")
    bobs_post = bob.post("Evening at the lake", picture=view, alt="Low sun over hills and water")
    alice.sees("/home", "Evening at the lake", inside="article")
    seen = alice.page.get_by_role("img", name="Low sun over hills and water")
    expect(seen).to_be_visible()
    assert str(seen.get_attribute("src")).startswith("/media/proxy/")
    expect(seen).to_have_js_property("naturalWidth", 640)

    # Alice answers, boosts and favourites; Bob is told of all three, and the thread has them.
    article = alice.page.locator("article").filter(has_text="Evening at the lake")
    article.get_by_role("button", name="Boost").click()
    expect(article.get_by_role("button", name="Boost")).to_have_attribute("aria-pressed", "true")
    article.get_by_role("button", name="Favourite").click()
    expect(article.get_by_role("button", name="Favourite")).to_have_attribute(
        "aria-pressed", "true"
    )
    article.get_by_role("link", name="Reply", exact=True).click()
    alice.page.get_by_label("Text of the post").fill(f"{bob.address} I can almost hear it")
    alice.page.get_by_role("main").get_by_role("button", name="Publish reply").click()
    expect(alice.page.locator("article").filter(has_text="I can almost hear it")).to_be_visible()
    alices_reply = alice.page.url

    bob.sees("/notifications", "favourited your post")
    bob.sees("/notifications", "boosted your post")
    bob.sees("/notifications", "I can almost hear it", inside="article")
    bob.sees(bobs_post, "I can almost hear it", inside="article")
    post = bob.page.locator("#focus article")
    for name in ("Boost", "Favourite"):
        expect(post.get_by_role("button", name=name)).to_contain_text("1")

    # Alice edits what she answered, then deletes it.
    alice.go(alices_reply)
    alice.page.locator("#focus summary[title=More]").click()
    alice.page.get_by_role("link", name="Edit", exact=True).click()
    alice.page.get_by_label("Text of the post").fill(f"{bob.address} I can hear it from here")
    alice.page.get_by_role("main").get_by_role("button", name="Save changes").click()
    bob.sees(bobs_post, "I can hear it from here", inside="article")
    expect(bob.page.get_by_text("I can almost hear it")).to_have_count(0)
    alice.go(alices_reply)
    alice.page.locator("#focus summary[title=More]").click()
    alice.page.get_by_role("link", name="Delete", exact=True).click()
    alice.page.get_by_role("button", name="Delete it").click()
    bob.sees_no(bobs_post, "I can hear it from here")

    # Alice takes back boost and favourite.
    alice.sees("/home", "Evening at the lake", inside="article")
    article = alice.page.locator("article").filter(has_text="Evening at the lake").first
    article.get_by_role("button", name="Boost").click()
    article.get_by_role("button", name="Favourite").click()
    bob.sees_no("/notifications", "favourited your post")
    bob.sees_no("/notifications", "boosted your post")

    # A message: Bob does not follow Alice, so it waits apart until he accepts.
    alice.message(bob.address, "Shall we meet on Friday?")
    talk_of_alice = alice.page.url
    bob.sees("/messages", "1 first message of somebody you do not follow")
    bob.go("/messages/requests")
    bob.page.get_by_role("link", name="Read all of it").click()
    bob.page.get_by_role("button", name="Accept").click()
    bob.page.get_by_label("Your message").fill("Friday is good")
    bob.page.get_by_role("button", name="Send").click()
    expect(bob.page.locator(".bubble.mine")).to_contain_text("Friday is good")
    talk_of_bob = bob.page.url
    alice.sees(talk_of_alice, "Friday is good", inside=".bubble")

    # It is on no other page of theirs, and on none that the world sees.
    for person in people:
        for path in ("/home", "/notifications", f"/@{person.handle}"):
            person.go(path)
            expect(person.page.get_by_text("Friday")).to_have_count(0)
        for path in (f"/@{person.handle}", f"/@{person.handle}/feed.atom"):
            answer = person.server.get(path)
            assert answer.status_code == 200
            assert "Friday" not in answer.text

    # A message is edited, then deleted for everybody.
    bob.go(talk_of_bob)
    bob.page.locator(".bubble.mine .foot-line a").click()
    bob.page.get_by_label("Text of the message").fill("Saturday is better")
    bob.page.get_by_role("button", name="Save changes").click()
    expect(bob.page.locator(".bubble.mine")).to_contain_text("edited")
    alice.sees(talk_of_alice, "Saturday is better", inside=".bubble")
    expect(alice.page.get_by_text("Friday is good")).to_have_count(0)
    bob.go(talk_of_bob)
    bob.page.locator(".bubble.mine .foot-line a").click()
    bob.page.get_by_role("button", name="Delete for everybody").click()
    alice.sees_no(talk_of_alice, "Saturday is better")
    expect(alice.page.locator(".bubble")).to_contain_text("Shall we meet on Friday?")

    # Bob edits his post, then deletes it: gone from Alice's Home.
    bob.go(bobs_post)
    bob.page.locator("#focus summary[title=More]").click()
    bob.page.get_by_role("link", name="Edit", exact=True).click()
    bob.page.get_by_label("Text of the post").fill("Evening at the long lake")
    bob.page.get_by_role("main").get_by_role("button", name="Save changes").click()
    alice.sees("/home", "Evening at the long lake", inside="article")
    bob.go(bobs_post)
    bob.page.locator("#focus summary[title=More]").click()
    bob.page.get_by_role("link", name="Delete", exact=True).click()
    bob.page.get_by_role("button", name="Delete it").click()
    alice.sees_no("/home", "Evening at the long lake")

    # Alice unfollows; Bob has no follower any more.
    alice.go(bobs_page)
    alice.page.get_by_role("button", name="Unfollow").click()
    expect(alice.page.get_by_role("button", name="Follow", exact=True)).to_be_visible()
    bob.sees("/followers", "Nobody follows you yet")


@pytest.mark.timeout(120)
def test_who_may_come_in(browser: Browser, tmp_path: Path) -> None:
    """Wrong password, a recovery code once, an ended session, log out."""
    with processes.running(tmp_path / "alice", "alice") as server:
        link = server.setup_link()
        alice = Person(browser, server, "Alice")
        alice.set_up(link, browsing.a_picture(tmp_path / "face.png", kind="face"))
        used = alice.page
        problem = "[role=alert]:not([hidden])"

        # The link is used up, whoever has it.
        stranger = alice.another_browser()
        answer = stranger.goto(link)
        assert answer is not None
        assert answer.status == 404
        stranger.goto(server.base_url + "/messages")
        expect(stranger.get_by_role("heading", level=1)).to_have_text("Log in")

        # A wrong password uses no code up: the same one is good afterwards, once.
        recovery = alice.recovery_codes[0]
        alice.log_in(page=stranger, password="seven calm herons fly", code=recovery)
        expect(stranger.locator(problem)).to_be_visible()
        alice.log_in(page=stranger, code=recovery)
        expect(stranger.get_by_role("heading", level=1)).to_have_text("Home")
        again = alice.another_browser()
        alice.log_in(page=again, code=recovery)
        expect(again.locator(problem)).to_be_visible()

        # The first browser sees the other, and ends it: with both factors.
        used.goto(server.base_url + "/settings/security")
        expect(used.locator("#sessions li")).to_have_count(2)
        expect(used.get_by_text("You have 9 unused codes left")).to_be_visible()
        used.get_by_text("End other sessions", exact=True).click()
        ending = used.locator("#ending")
        ending.get_by_label("Password").fill(PASSWORD)
        ending.get_by_label("Code").fill(alice.recovery_codes[1])
        ending.get_by_role("button", name="End all others").click()
        expect(used.locator("#sessions li")).to_have_count(1)
        stranger.goto(server.base_url + "/home")
        expect(stranger.get_by_role("heading", level=1)).to_have_text("Log in")

        # Logged out, Home is closed; logged in again, it leads to where one wanted to go.
        used.goto(server.base_url + "/settings")
        used.get_by_role("button", name="Log out").click()
        expect(used.get_by_role("navigation", name="Main")).to_have_count(0)
        used.goto(server.base_url + "/notifications")
        expect(used.get_by_role("heading", level=1)).to_have_text("Log in")
        used.get_by_label("Password").fill(PASSWORD)
        used.get_by_label("Code").fill(alice.code())
        used.get_by_role("button", name="Log in").click()
        expect(used.get_by_role("heading", level=1)).to_have_text("Notifications")
        said = server.log()
        assert PASSWORD not in said
        assert recovery not in said
