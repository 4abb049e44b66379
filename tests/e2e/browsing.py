"""Chromium, and a person in front of it. Waiting is the browser's: bounded, and without sleeps."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pyotp
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.e2e.processes import Server

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_S = 30.0  # for what another server is to learn: a second, usually
STEP_S = 30  # of a TOTP
PASSWORD = "seven calm herons wade"
WIDE = (1280, 900)
PHONE = (390, 844)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium. Where there is none: a failure in CI, a loud skip elsewhere."""
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"there is no {CHROMIUM}: apt-get install chromium")
        pytest.skip(f"NOT TESTED in a browser: there is no {CHROMIUM} (apt-get install chromium)")
    expect.set_options(timeout=PATIENCE_S * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        try:
            yield browser
        finally:
            browser.close()


class Person:
    """An owner in a browser: their server, their page, their authenticator app.

    `complaints` are what the browser's console said: errors of scripts, of what did not load, of
    the content security policy.
    """

    def __init__(
        self, browser: Browser, server: Server, name: str, *, javascript: bool = True
    ) -> None:
        self.server = server
        self.name = name
        self.handle = name.partition(" ")[0].lower()
        self.address = f"@{self.handle}@{server.host}"
        self.totp_secret = ""
        self.recovery_codes: list[str] = []
        self.complaints: list[str] = []
        self._browser = browser
        self._javascript = javascript
        self._last_step = 0
        self.context = self._fresh()
        self.page = self._page(self.context)

    def _fresh(self) -> BrowserContext:
        context = self._browser.new_context(
            java_script_enabled=self._javascript,
            viewport={"width": WIDE[0], "height": WIDE[1]},
        )
        context.set_default_timeout(PATIENCE_S * 1000)
        return context

    def _page(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type == "error" else None,
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def another_browser(self) -> Page:
        """Return a page of a browser that knows nothing of this person yet."""
        return self._page(self._fresh())

    def code(self) -> str:
        """Return a code from the app that has not been used yet.

        A code counts once, and the one of the next step is let through. So two of them can be had
        without waiting. Not the one of the step before: it may be too old when it arrives.
        """
        present = int(time.time()) // STEP_S
        step = max(self._last_step + 1, present)
        assert step <= present + 1, "no fresh code without waiting: use a recovery code"
        self._last_step = step
        return pyotp.TOTP(self.totp_secret).generate_otp(step)

    def go(self, path: str) -> None:
        """Open a page of one's own server."""
        self.page.goto(path if path.startswith("http") else self.server.base_url + path)

    def set_up(self, link: str, picture: Path) -> None:
        """Go the first-run way: the link, both factors, a recovery code, a picture; to Home."""
        page = self.page
        page.goto(link)
        secret = page.get_by_label("Secret for the authenticator app")
        self.totp_secret = secret.inner_text().strip()
        self.recovery_codes = page.locator(".codes-list li").all_inner_texts()
        assert len(self.recovery_codes) == 10
        page.get_by_label("Handle").fill(self.handle)
        page.get_by_label("Name", exact=True).fill(self.name)
        page.get_by_label("Picture").set_input_files(picture)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_label("Password again").fill(PASSWORD)
        page.get_by_label("Code that the app shows now").fill(self.code())
        page.get_by_label("Type one of them back").fill(self.recovery_codes[-1])
        with page.expect_navigation():
            page.get_by_role("button", name="Make it mine").click()
        assert page.locator(".wrong, .notice.bad").all_inner_texts() == []
        expect(page.get_by_role("heading", level=1)).to_have_text("Home")

    def follow(self, address: str) -> str:
        """Follow somebody; return the path of their page here."""
        self.find(address)
        self.page.get_by_role("button", name="Follow", exact=True).click()
        expect(self.page.get_by_role("button", name="Follow", exact=True)).to_have_count(0)
        return self.page.url

    def log_in(self, *, page: Page | None = None, password: str = PASSWORD, code: str = "") -> None:
        """Fill the login form and send it."""
        page = page or self.page
        page.goto(self.server.base_url + "/login")
        page.get_by_label("Password").fill(password)
        page.get_by_label("Code").fill(code or self.code())
        page.get_by_role("button", name="Log in").click()

    def find(self, address: str) -> None:
        """Search for somebody and come out on their page."""
        self.go("/search")
        self.page.get_by_label("People, hashtags and posts").fill(address)
        self.page.get_by_role("main").get_by_role("button", name="Search").click()
        expect(self.page.locator(".profile")).to_contain_text(address)

    def sees(self, path: str, text: str, *, inside: str = "main") -> Locator:
        """Open a page again and again until `text` stands in it; return where."""
        found = self.page.locator(inside).filter(has_text=text)
        self._until(path, lambda: found.count() > 0, f"{text!r}")
        return found

    def sees_no(self, path: str, text: str) -> None:
        """Open a page again and again until `text` stands in it no longer."""
        found = self.page.get_by_text(text)
        self._until(path, lambda: found.count() == 0, f"no {text!r}")

    def _until(self, path: str, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        path = path.partition("#")[0]  # a fragment of the same page would not load it again
        self.go(path)
        while not holds():
            if time.monotonic() > deadline:
                pytest.fail(
                    f"{self.name} does not see {what} at {path}, but:\n"
                    f"{self.page.locator('main').inner_text()}\n{self.server.log()[-3000:]}"
                )
            self.page.wait_for_timeout(100)
            self.go(path)

    def post(
        self, text: str, *, picture: Path | None = None, alt: str = "", visibility: str = "public"
    ) -> str:
        """Publish a post; return its page's path, or wherever that leads."""
        self.go("/compose")
        self.page.get_by_label("Text of the post").fill(text)
        if picture is not None:
            self.page.get_by_text("Pictures, video, audio", exact=True).click()
            self.page.get_by_label("Add files").set_input_files(picture)
            if not self._javascript:
                self.page.get_by_role("button", name="Upload").click()
            self.page.get_by_label("Description").fill(alt)
        self.page.get_by_label("Who can see it").select_option(visibility)
        self.page.get_by_role("button", name="Publish").click()
        expect(self.page.locator("article.note").filter(has_text=text[:20])).to_be_visible()
        return self.page.url

    def message(self, address: str, text: str) -> None:
        """Write to somebody the first time: look up, see who can read it, send."""
        page = self.page
        self.go("/messages/new")
        page.get_by_label("To").fill(address)
        page.get_by_label("Message", exact=True).fill(text)
        page.get_by_role("button", name="Look up and check").click()
        expect(page.locator(".can-read")).to_contain_text(address.rpartition("@")[2])
        page.get_by_role("button", name="Send").click()
        expect(page.locator(".bubble.mine")).to_contain_text(text)


def a_picture(
    path: Path,
    *,
    size: tuple[int, int] = (640, 420),
    kind: Literal["face", "view"] = "view",
    colour: str = "#2e6f75",
) -> Path:
    """Draw a picture that looks like something."""
    width, height = size
    image = Image.new("RGB", size, colour)
    draw = ImageDraw.Draw(image)
    if kind == "face":
        draw.ellipse((width * 0.3, height * 0.18, width * 0.7, height * 0.58), fill="#f3d9b8")
        draw.ellipse((width * 0.12, height * 0.62, width * 0.88, height * 1.5), fill="#f7f2e8")
    else:
        draw.rectangle((0, 0, width, height * 0.55), fill="#f0b37e")
        draw.ellipse((width * 0.6, height * 0.2, width * 0.78, height * 0.48), fill="#fff1d6")
        hills = [(0, height), (0, height * 0.5), (width * 0.3, height * 0.34)]
        draw.polygon(
            [*hills, (width * 0.7, height * 0.6), (width, height * 0.45), (width, height)],
            fill="#48566a",
        )
        draw.rectangle((0, height * 0.66, width, height), fill=colour)
    image.save(path)
    return path
