"""Writing in a real browser: nothing is lost, files by hand, everything by keys."""

import contextlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import browsing, processes
from tests.e2e.browsing import Person
from tests.interop import processes as plain

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def alice(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    directory: Path = tmp_path_factory.mktemp("compose")
    with processes.running(directory, "alice") as server:
        person = Person(browser, server, "Alice")
        face = browsing.a_picture(directory / "face.png", size=(200, 200))
        person.set_up(server.setup_link(), face)
        yield person
        assert "Traceback" not in server.log()


def text_of(page: Page) -> str:
    return page.get_by_label("Text of the post").input_value()


def test_a_draft_survives_a_closed_tab(alice: Person) -> None:
    alice.go("/compose")
    page = alice.context.new_page()
    page.goto(alice.server.base_url + "/compose")
    page.get_by_label("Text of the post").fill("Typed, and the tab is closed at once")
    page.close(run_before_unload=True)

    alice.sees("/drafts", "Typed, and the tab is closed at once")
    alice.page.get_by_role("link", name="Continue").first.click()
    expect(alice.page.get_by_label("Text of the post")).to_have_value(
        "Typed, and the tab is closed at once"
    )


def test_files_are_dropped_pasted_described_and_put_in_order(alice: Person, tmp_path: Path) -> None:
    page = alice.page
    alice.go("/compose")
    page.get_by_label("Text of the post").fill("Three pictures")
    chosen = browsing.a_picture(tmp_path / "chosen.png", size=(60, 40))
    page.locator("input[type=file]").set_input_files(chosen)
    files = page.locator(".file:not(.uploading)")
    expect(files).to_have_count(1)
    draw = """async ([kind, name]) => {
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = 40;
      canvas.getContext("2d").fillRect(0, 0, 20, 20);
      const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
      const data = new DataTransfer();
      data.items.add(new File([blob], name, { type: "image/png" }));
      const area = document.querySelector("textarea[name=source]");
      if (kind === "paste") area.dispatchEvent(
        new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
      else for (const type of ["dragover", "drop"]) area.dispatchEvent(
        new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(draw, ["drop", "dropped.png"])
    expect(files).to_have_count(2)
    page.evaluate(draw, ["paste", "pasted.png"])
    expect(files).to_have_count(3)
    for number, words in enumerate(("chosen", "dropped", "pasted")):
        files.nth(number).get_by_label("Description").fill(words)

    page.locator("input[type=file]").set_input_files(
        {"name": "broken.png", "mimeType": "image/png", "buffer": b"nothing like it"}
    )
    expect(page.get_by_role("alert")).to_contain_text("broken.png")
    expect(files).to_have_count(3)

    # The last becomes the first, by keys.
    earlier = files.nth(2).get_by_role("button", name="Earlier")
    earlier.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(files.first.get_by_label("Description")).to_have_value("pasted")

    # What stays in view, by keys.
    spot = files.first.get_by_role("application")
    spot.focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    expect(files.first.locator("select[name=file_focus]")).to_have_value("0.1,0.2")
    expect(files.first.locator("circle")).to_have_attribute("cx", "55.00000000000001%")

    page.get_by_role("button", name="Publish").click()
    note = page.locator("article.note").filter(has_text="Three pictures").first
    expect(note).to_be_visible()
    shown = [one.get_attribute("alt") for one in note.locator(".pictures img").all()]
    assert shown == ["pasted", "chosen", "dropped"]


def test_a_picture_without_words_is_asked_about(alice: Person, tmp_path: Path) -> None:
    page = alice.page
    alice.go("/compose")
    page.get_by_label("Text of the post").fill("No words for it")
    chosen = browsing.a_picture(tmp_path / "x.png", size=(60, 40))
    page.locator("input[type=file]").set_input_files(chosen)
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".undescribed")).to_contain_text("1 file has no description")
    assert text_of(page) == "No words for it"
    page.get_by_role("button", name="Publish anyway").click()
    expect(page.locator("article.note").first).to_contain_text("No words for it")
    alice.complaints[:] = [one for one in alice.complaints if "422" not in one]


def test_a_hashtag_is_completed_by_keys(alice: Person) -> None:
    page = alice.page
    alice.post("About #heronsandreeds")
    alice.go("/compose")
    area = page.get_by_label("Text of the post")
    area.press_sequentially("Look at #hero")
    option = page.get_by_role("option", name="#heronsandreeds")
    expect(option).to_be_visible()
    expect(option).to_have_attribute("aria-selected", "true")
    expect(area).to_have_attribute("aria-activedescendant", re.compile("."))
    page.keyboard.press("Enter")
    expect(area).to_have_value("Look at #heronsandreeds ")
    expect(option).to_be_hidden()
    area.press_sequentially("#hero")
    expect(option).to_be_visible()
    page.keyboard.press("Escape")
    expect(option).to_be_hidden()
    expect(page).to_have_url(f"{alice.server.base_url}/compose")
    page.keyboard.press("Control+Enter")
    expect(page.locator("article.note").first).to_contain_text("Look at #heronsandreeds")


def test_the_button_says_for_whom(alice: Person) -> None:
    page = alice.page
    alice.go("/compose")
    button = page.locator("button.publish")
    expect(button).to_have_text(re.compile(r"Publish\s*·\s*Public"), use_inner_text=True)
    page.get_by_label("Who can see it").select_option("followers")
    expect(button).to_have_text(re.compile(r"Publish\s*·\s*Followers"), use_inner_text=True)


def test_after_the_session_has_ended_the_text_is_posted_after_the_login(alice: Person) -> None:
    page = alice.page
    alice.go("/compose")
    page.get_by_label("Text of the post").fill("An hour of work")
    alice.context.clear_cookies()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_label("What you wrote")).to_have_value("An hour of work")
    page.get_by_label("Password").fill(browsing.PASSWORD)
    page.get_by_label("Code").fill(alice.recovery_codes[0])
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("article.note").first).to_contain_text("An hour of work")
    alice.complaints[:] = [one for one in alice.complaints if "40" not in one]
    assert alice.complaints == []


def test_without_javascript_the_same(browser: Browser, alice: Person, tmp_path: Path) -> None:
    context = browser.new_context(
        storage_state=alice.context.storage_state(), java_script_enabled=False
    )
    page = context.new_page()
    with contextlib.closing(context):
        page.goto(alice.server.base_url + "/compose")
        page.get_by_label("Text of the post").fill("By hand")
        page.get_by_text("Pictures, video, audio", exact=True).click()
        pictures = [browsing.a_picture(tmp_path / f"{n}.png", size=(60, 40)) for n in (1, 2)]
        page.get_by_label("Add files").set_input_files(pictures)
        page.get_by_role("button", name="Upload").click()
        page.get_by_label("Description").nth(0).fill("one")
        page.get_by_label("Description").nth(1).fill("two")
        page.get_by_role("button", name="Later").first.click()
        expect(page.get_by_label("Description").nth(0)).to_have_value("two")
        page.get_by_label("Stays in view").first.select_option("top left")
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_text("Nothing is published yet")).to_be_visible()
        page.get_by_role("button", name="Publish").click()
        note = page.locator("article.note").first
        expect(note).to_contain_text("By hand")
        expect(note.locator(".pictures img").first).to_have_attribute("alt", "two")


def test_a_draft_survives_kill_9_and_a_restart(browser: Browser, tmp_path: Path) -> None:
    server = processes.Server("carol", tmp_path)
    server.configure()
    command = server.command("serve")
    with server.log_file.open("wb") as log:
        process = subprocess.Popen(command, cwd=processes.ROOT, stdout=log, stderr=log)
    try:
        plain.eventually(server.is_up, "it answers", within_s=plain.START_S, why_not=server.log)
        carol = Person(browser, server, "Carol")
        face = browsing.a_picture(tmp_path / "face.png", size=(200, 200))
        carol.set_up(server.setup_link(), face)
        carol.go("/compose")
        carol.page.get_by_label("Text of the post").fill("Written before the power went")
        expect(carol.page.locator("[data-saved]")).to_contain_text("Draft saved")
    finally:
        process.kill()
        process.wait()
    with plain.running(command, cwd=processes.ROOT, log=server.log_file, is_up=server.is_up):
        carol.go("/compose")
        carol.page.get_by_role("link", name="Written before the power went").click()
        expect(carol.page.get_by_label("Text of the post")).to_have_value(
            "Written before the power went"
        )
