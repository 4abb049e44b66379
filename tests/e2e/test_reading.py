"""Home in a browser, without script and with: it opens where one stopped, the next post in view."""

import asyncio
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e import browsing
from tests.e2e.browsing import Person
from tests.e2e.processes import ROOT, Server
from tests.interop import processes

pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("javascript", [False, True], ids=["without script", "with script"])
def test_the_oldest_unread_post_is_in_view(tmp_path: Path, javascript: bool) -> None:
    server = Server("maya", tmp_path / "maya")
    asyncio.run(server.prepare())
    with (
        processes.running(
            server.command("serve"), cwd=ROOT, log=server.log_file, is_up=server.is_up
        ),
        browsing.chromium() as browser,
    ):
        maya = Person(browser, server, "Maya", javascript=javascript)
        maya.totp_secret = server.totp_secret
        maya.log_in(password=server.password)
        page = maya.page
        expect(page.get_by_role("heading", level=1)).to_have_text("Home")
        for number in range(4):
            maya.post(f"read {number}")
        maya.go("/home")
        for number in range(9):
            maya.post(f"unread {number}. " + "A line.\n\n" * 4)

        for size in (browsing.PHONE, browsing.WIDE):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            maya.go("/home" if size is browsing.PHONE else page.url)

            mark = page.locator("#mark")
            next_one = page.locator("article").filter(has_text="unread 0")
            last_one = page.locator("article").filter(has_text="read 3").last
            expect(mark).to_be_in_viewport()
            expect(next_one).to_be_in_viewport(ratio=0.5)
            expect(last_one).to_be_in_viewport(ratio=0.1)
            expect(page.locator("article").filter(has_text="unread 8")).not_to_be_in_viewport()
        maya.go("/home")
        expect(page.get_by_text("You have read everything since")).to_be_in_viewport()
        assert maya.complaints == []
