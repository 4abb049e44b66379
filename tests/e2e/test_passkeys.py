"""A passkey in a real browser, with an authenticator that the browser makes up."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e import browsing, processes
from tests.e2e.browsing import PASSWORD, Person

pytestmark = pytest.mark.timeout(180)


def test_a_passkey_is_added_and_logs_in(browser: Browser, tmp_path: Path) -> None:
    with processes.running(tmp_path / "alice", "alice") as server:
        alice = Person(browser, server, "Alice")
        alice.set_up(
            server.setup_link(), browsing.a_picture(tmp_path / "face.png", size=(200, 200))
        )
        page = alice.page
        devtools = alice.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        devtools.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "ctap2Version": "ctap2_1",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "hasPrf": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )

        alice.go("/settings/passkeys")
        page.get_by_label("Name", exact=True).fill("The blue key")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Code from the app").fill(alice.code())
        page.get_by_role("button", name="Add a passkey").click()
        expect(page.get_by_role("heading", name="The blue key")).to_be_visible()

        alice.go("/settings")
        page.get_by_role("button", name="Log out").click()
        page.goto(f"{server.base_url}/login")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Home")
        alice.go("/settings/passkeys")
        expect(page.get_by_text("Opens your messages.")).to_be_visible()

        alice.go("/settings")
        page.get_by_role("button", name="Log out").click()
        page.goto(f"{server.base_url}/login")
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Home")
        alice.go("/settings/door")
        expect(page.locator("li.card").nth(0)).to_contain_text("The messages were opened")
        expect(page.locator("li.card").nth(1)).to_contain_text("passkey")

        alice.go("/settings/security")
        page.get_by_text("Make ten new ones").click()
        codes = page.locator("form[action='/settings/security/codes']")
        codes.get_by_label("Password").fill(PASSWORD)
        codes.get_by_role("button", name="Use a passkey instead").click()
        expect(page.get_by_role("heading", name="Write them down now")).to_be_visible()
        assert alice.complaints == []
        assert "Traceback" not in server.log()
