"""What the script adds: actions on the spot, keys, news; and an app without network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import browsing, processes
from tests.e2e.browsing import Person

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing.chromium() as running:
        yield running


@pytest.fixture(scope="module")
def people(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Person, Person]]:
    """Alice, who follows Bob; Bob has posted three times."""
    directory: Path = tmp_path_factory.mktemp("live")
    with (
        processes.running(directory / "alice", "alice") as at_alice,
        processes.running(directory / "bob", "bob") as at_bob,
    ):
        alice, bob = Person(browser, at_alice, "Alice"), Person(browser, at_bob, "Bob")
        for person in (alice, bob):
            face = browsing.a_picture(directory / f"{person.handle}.png", size=(200, 200))
            person.set_up(person.server.setup_link(), face)
        alice.follow(bob.address)
        for number in (1, 2, 3):
            bob.post(f"Post number {number} of Bob's")
        alice.sees("/home", "Post number 3")
        yield alice, bob
        for server in (at_alice, at_bob):
            assert "Traceback" not in server.log()


def card(page: Page, words: str) -> str:
    """The id of the card that says so."""
    return page.locator("article.note", has_text=words).first.get_attribute("id") or ""


def test_a_favourite_stays_where_one_is(people: tuple[Person, Person]) -> None:
    alice, _bob = people
    alice.go("/home")
    page = alice.page
    page.evaluate("window.stillHere = true")
    note = page.locator("article.note", has_text="Post number 2").first

    note.get_by_role("button", name="Favourite", exact=True).click()

    star = note.get_by_role("button", name="Undo favourite")
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(star).to_be_focused()
    expect(page.locator("#live")).to_have_text("Undo favourite")
    assert page.evaluate("window.stillHere") is True
    page.reload()
    expect(
        page.locator("article.note", has_text="Post number 2").first.get_by_role(
            "button", name="Undo favourite"
        )
    ).to_be_visible()
    assert alice.complaints == []


def test_when_the_answer_fails_the_browser_asks_itself(people: tuple[Person, Person]) -> None:
    alice, _bob = people
    alice.go("/home")
    page = alice.page
    page.evaluate("window.stillHere = true")
    page.evaluate("() => { window.fetch = () => Promise.reject(new Error('no')); }")
    note = page.locator("article.note", has_text="Post number 1").first

    with page.expect_navigation():
        note.get_by_role("button", name="Bookmark", exact=True).click()

    again = page.locator("article.note", has_text="Post number 1").first
    expect(again.get_by_role("button", name="Remove bookmark")).to_be_visible()
    assert page.evaluate("window.stillHere") is None


def test_keys_walk_act_and_go(people: tuple[Person, Person]) -> None:
    alice, _bob = people
    alice.go("/home")
    page = alice.page
    first, second = card(page, "Post number 3"), card(page, "Post number 2")
    page.keyboard.press("j")
    expect(page.locator(f"#{first}")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator(f"#{second}")).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator(f"#{first}")).to_be_focused()
    page.keyboard.press("b")  # one slip publishes nothing
    page.keyboard.press("d")
    note = page.locator(f"#{first}")
    expect(note.get_by_role("button", name="Remove bookmark")).to_be_visible()
    expect(note.get_by_role("button", name="Boost", exact=True)).to_be_visible()
    page.keyboard.press("Shift+B")
    expect(page.locator(f"#{first}").get_by_role("button", name="Undo boost")).to_be_visible()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("Next and previous post")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", level=1)).to_have_text("Notifications")
    page.keyboard.press("n")
    expect(page).to_have_url(f"{alice.server.base_url}/compose")
    page.locator("textarea").first.press_sequentially("jk?.b")
    expect(page.locator("textarea").first).to_have_value("jk?.b")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_keys_can_be_switched_off(people: tuple[Person, Person]) -> None:
    alice, _bob = people
    page = alice.page
    page.on("dialog", lambda dialog: dialog.accept())  # leaving a text behind
    alice.go("/settings/keyboard")
    page.get_by_label("Single keys do something").uncheck()
    page.get_by_role("button", name="Save").click()
    alice.go("/home")
    page.keyboard.press("?")
    page.keyboard.press("j")
    expect(page.locator("article:focus")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)
    alice.go("/settings/keyboard")
    page.get_by_label("Single keys do something").check()
    page.get_by_role("button", name="Save").click()


def test_news_are_said_and_nothing_moves(people: tuple[Person, Person]) -> None:
    alice, bob = people
    alice.go("/home?newest")
    page = alice.page
    page.evaluate(
        "window.shift = 0; new PerformanceObserver((list) => { for (const one of list.getEntries())"
        " window.shift += one.value; }).observe({ type: 'layout-shift', buffered: true })"
    )
    before = page.locator("article.note").first.bounding_box()

    bob.post("Fresh from Bob's boat")

    bar = page.locator("#fresh")
    expect(bar).to_be_visible()
    expect(bar).to_have_text("1 new post")
    assert page.locator("article.note").first.bounding_box() == before
    assert page.evaluate("window.shift") == 0
    page.keyboard.press(".")
    expect(page.locator("article.note", has_text="Fresh from Bob's boat").first).to_be_visible()

    bob.message(alice.address, "Psst")
    bob.post(f"Have you seen the lake, {alice.address}?")
    badge = page.locator(".rail a.bell .badge")
    expect(badge).to_contain_text("1")
    expect(page.locator(".rail a.message .badge")).to_contain_text("1")
    expect(page).to_have_title("(2) Home – alice")
    assert "Psst" not in page.content()


def test_without_network_the_app_says_so(browser: Browser, people: tuple[Person, Person]) -> None:
    alice, _bob = people
    alice.go("/home")
    page = alice.page
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    manifest = alice.server.get("/manifest.webmanifest").json()
    assert manifest["name"] == alice.address
    for one in manifest["icons"]:
        assert alice.server.get(one["src"]).status_code == 200
    kept = page.evaluate(
        "caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name)"
        ".then((cache) => cache.keys())))).then((all) => all.flat().map((one) => one.url))"
    )
    assert sorted(url.removeprefix(alice.server.base_url).split("?")[0] for url in kept) == [
        "/offline",
        "/static/app.css",
        "/static/app.js",
        "/static/favicon.svg",
        "/static/icons.svg",
    ]

    alice.context.set_offline(True)
    page.goto(f"{alice.server.base_url}/notifications")
    expect(page.get_by_role("heading", level=1)).to_have_text("No network")
    assert "Bob" not in page.content()
    alice.context.set_offline(False)
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")
