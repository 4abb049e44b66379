"""Writing a message in a real browser: people are offered, and a closed tab loses nothing."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.e2e import browsing, processes
from tests.e2e.browsing import Person


@pytest.mark.timeout(120)
def test_what_is_typed_outlives_the_tab(browser: Browser, tmp_path: Path) -> None:
    with (
        processes.running(tmp_path / "alice", "alice") as at_alice,
        processes.running(tmp_path / "bob", "bob") as at_bob,
    ):
        alice, bob = Person(browser, at_alice, "Alice"), Person(browser, at_bob, "Bob")
        for person in (alice, bob):
            person.set_up(
                person.server.setup_link(), browsing.a_picture(tmp_path / "face.png", kind="face")
            )
        alice.message(bob.address, "Is the jetty dry?")
        talk, page = alice.page.url.partition("#")[0], alice.page

        # The box is at hand, above what is navigated by, and hides no text.
        box = page.locator(".message-box")
        expect(box.get_by_role("button", name="Keep as draft")).to_be_hidden()
        with page.expect_response(lambda answer: answer.url.endswith("/draft")) as kept:
            page.get_by_label("Your message").fill("And if it rains")
        assert kept.value.status == 204
        page.goto(at_alice.base_url + "/messages")
        expect(page.get_by_text("Draft")).to_be_visible()
        page.goto(talk)
        expect(page.get_by_label("Your message")).to_have_value("And if it rains")
        page.get_by_label("Your message").fill("And if it rains?")
        page.get_by_role("button", name="Send").click()
        expect(page.locator(".bubble.mine").last).to_contain_text("And if it rains?")
        expect(page.get_by_label("Your message")).to_have_value("")
        alice.go("/messages")
        expect(page.get_by_text("Draft")).to_have_count(0)

        # A draft that is still on its way when the message is sent does not outlive it.
        page.goto(talk)
        held: list[Route] = []
        page.route("**/draft", lambda route: held.append(route))
        with page.expect_request("**/draft"):
            page.get_by_label("Your message").fill("Then the kettle")
        page.get_by_role("button", name="Send").click(no_wait_after=True)
        expect(page.get_by_label("Your message")).to_have_value("Then the kettle")
        held[0].continue_()
        expect(page.locator(".bubble.mine").last).to_contain_text("Then the kettle")
        page.unroute("**/draft")
        expect(page.get_by_label("Your message")).to_have_value("")
        alice.go("/messages")
        expect(page.get_by_text("Draft")).to_have_count(0)

        # Who is known is offered by name, and who is not in it is said before anything goes out.
        alice.go("/messages/new")
        page.get_by_label("To").press_sequentially("bob")
        expect(page.get_by_role("option", name="Bob")).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.get_by_label("To")).to_have_value(f"{bob.address} ")
        expect(page.get_by_role("option")).to_have_count(0)
        page.goto(talk)
        page.get_by_label("Your message").fill("Shall we ask @cleo@c.example?")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("alert")).to_contain_text("@cleo@c.example is not part of this")
        page.get_by_role("button", name="Send without them").click()
        expect(page.locator(".bubble.mine").last).to_contain_text("Shall we ask @cleo@c.example?")
