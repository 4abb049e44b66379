"""What the script adds: actions on the spot, keys, news; and an app without network."""

import contextlib
import http.server
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Browser, CDPSession, expect

from tests import push_service
from tests.e2e import browsing, processes
from tests.e2e.browsing import Person

pytestmark = pytest.mark.timeout(300)


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


def test_without_network_nothing_is_lost_and_the_page_says_so(
    people: tuple[Person, Person],
) -> None:
    alice, _bob = people
    alice.go("/home")
    page = alice.page
    page.evaluate("window.stillHere = true")
    note = page.locator("article.note", has_text="Post number 1").first
    alice.context.set_offline(True)

    note.get_by_role("button", name="Favourite", exact=True).click()

    expect(page.locator("#live")).to_have_text("Your server cannot be reached just now. Try again.")
    alice.context.set_offline(False)
    note.get_by_role("button", name="Favourite", exact=True).click()
    expect(note.get_by_role("button", name="Undo favourite")).to_be_focused()
    assert page.evaluate("window.stillHere") is True
    alice.complaints.clear()  # the browser's own words about the network


def test_a_vote_and_a_follow_are_shown_on_the_spot(people: tuple[Person, Person]) -> None:
    alice, bob = people
    bob.go("/compose")
    page = bob.page
    page.locator("summary", has_text="Poll").click()
    page.get_by_label("Answer 1").fill("Tea")
    page.get_by_label("Answer 2").fill("Coffee")
    page.get_by_label("Text of the post").fill("What is in the kettle?")
    page.get_by_role("button", name="Publish").click()
    alice.sees("/home", "What is in the kettle?")
    page = alice.page
    page.evaluate("window.stillHere = true")
    note = page.locator("article.note", has_text="What is in the kettle?").first
    note.get_by_label("Tea").check()
    note.get_by_role("button", name="Vote").click()
    expect(note.locator(".poll")).to_contain_text("Your vote")
    assert page.evaluate("window.stillHere") is True

    alice.find(bob.address)
    page.evaluate("window.stillHere = true")
    page.get_by_role("button", name="Unfollow").click()
    expect(page.get_by_role("button", name="Follow", exact=True)).to_be_focused()
    page.get_by_role("button", name="Follow", exact=True).click()
    expect(page.get_by_role("button", name="Follow", exact=True)).to_have_count(0)
    assert page.evaluate("window.stillHere") is True
    alice.sees(page.url, "Unfollow")
    assert alice.complaints == []


def test_keys_walk_act_and_go(people: tuple[Person, Person]) -> None:
    alice, _bob = people
    alice.go("/home")
    page = alice.page
    notes = page.locator("article.note")
    first, second = (notes.nth(number).get_attribute("id") for number in (0, 1))
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
    expect(page.locator(f"#{first}")).to_be_focused()
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
    alice.go("/notifications")  # and so has seen what there was before
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

    bob.post(f"Have you seen the lake, {alice.address}?")
    bob.message(alice.address, "Psst")
    badge = page.locator(".rail a.bell .badge")
    expect(badge).to_contain_text("1")
    expect(page.locator(".rail a.message .badge")).to_contain_text("1")
    expect(page).to_have_title("(2) Home – alice")
    assert "Psst" not in page.content()

    alice.sees("/messages", "Psst")
    page.get_by_role("link", name="Psst").click()
    expect(bar).to_be_hidden()
    page.get_by_label("Your message").fill("I am all ears, and half a sent")
    bob.page.get_by_label("Your message").fill("The kettle is on")
    bob.page.get_by_role("button", name="Send").click()
    expect(bar).to_have_text("1 new message")
    bar.click()
    expect(page.locator(".bubble", has_text="The kettle is on")).to_be_focused()
    expect(bar).to_be_hidden()
    expect(page.locator(".rail a.message .badge")).to_have_count(0)
    expect(page.get_by_label("Your message")).to_have_value("I am all ears, and half a sent")


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
    expect(page.get_by_role("heading", level=1)).to_have_text("Notifications")


# What a browser's push service would hand out; there is none where tests run.
_SUBSCRIBE = """
    PushManager.prototype.subscribe = async (asked) => ({
        toJSON: () => ({ endpoint: %(endpoint)r, keys: { p256dh: %(p256dh)r, auth: %(auth)r } }),
    });
"""


@contextlib.contextmanager
def _registered(session: CDPSession) -> Iterator[str]:
    """Wait for the service worker; give the id that the browser's tools know it by."""
    found: list[str] = []

    def hear(event: Any) -> None:
        found.extend(one["registrationId"] for one in event["registrations"])

    session.on("ServiceWorker.workerRegistrationUpdated", hear)
    session.send("ServiceWorker.enable")
    while not found:
        session.send("ServiceWorker.stopAllWorkers")  # which makes it say what there is
    yield found[-1]


class _Service(http.server.BaseHTTPRequestHandler):
    got: ClassVar[list[bytes]] = []
    arrived: ClassVar[threading.Event] = threading.Event()

    def do_POST(self) -> None:
        self.got.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(201)
        self.end_headers()
        self.arrived.set()

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_push_arrives_says_how_much_and_leads_there(people: tuple[Person, Person]) -> None:
    alice, bob = people
    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    key = ec.generate_private_key(ec.SECP256R1())
    auth = os.urandom(16)
    form = {
        "endpoint": f"http://127.0.0.1:{service.server_port}/send",
        "p256dh": push_service.base64url(push_service.point_of(key)),
        "auth": push_service.base64url(auth),
    }
    page = alice.page
    alice.context.grant_permissions(["notifications"], origin=alice.server.base_url)
    page.add_init_script(_SUBSCRIBE % form)
    try:
        alice.go("/settings/push")
        page.get_by_role("button", name="Turn on here").click()
        expect(page.get_by_role("button", name="Turn off here")).to_be_visible()

        bob.post(f"Are you there, {alice.address}?")

        assert _Service.arrived.wait(browsing.PATIENCE_S)
        plain = push_service.decrypt(_Service.got[0], key, auth)
        said = json.loads(plain)
        assert said["title"].endswith("new notification") or said["title"].endswith("notifications")
        assert "Bob" not in str(said)
        session = alice.context.new_cdp_session(page)
        with _registered(session) as registration:
            session.send(
                "ServiceWorker.deliverPushMessage",
                {
                    "origin": f"{alice.server.base_url}/",
                    "registrationId": registration,
                    "data": plain.decode(),
                },
            )
        shown = page.evaluate(
            """async () => {
              const worker = await navigator.serviceWorker.ready;
              for (let tries = 0; tries < 300; tries += 1) {
                const all = await worker.getNotifications();
                if (all.length) return all.map((one) => [one.title, one.tag, one.body]);
                await new Promise((done) => setTimeout(done, 100));
              }
              return [];
            }"""
        )
        assert shown == [[said["title"], "notification", ""]]
        page.get_by_role("button", name="Turn off here").click()
        expect(page.get_by_role("button", name="Turn on here")).to_be_visible()
    finally:
        service.shutdown()
        service.server_close()


def test_after_logging_out_nothing_is_left_in_the_browser(people: tuple[Person, Person]) -> None:
    alice, _bob = people
    page = alice.page
    alice.go("/settings")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    page.get_by_role("button", name="Log out").click()

    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    assert page.evaluate("caches.keys()") == []
    assert (
        page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
    )
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0
    assert alice.complaints == []
