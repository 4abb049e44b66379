"""Looking at pages: how wide, in which colours, and what is wrong with what one sees."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.e2e.browsing import PATIENCE_S, PHONE, WIDE
from tests.e2e.scene import Scene, View


@dataclass(frozen=True, slots=True)
class Look:
    """A screen and its colours."""

    name: str
    size: tuple[int, int]
    scheme: Literal["light", "dark"]
    javascript: bool = True


LOOKS = (
    Look("phone-light", PHONE, "light"),
    Look("phone-dark", PHONE, "dark", javascript=False),
    Look("wide-light", WIDE, "light", javascript=False),
    Look("wide-dark", WIDE, "dark"),
)

# What a page is asked for its flaws. Contrast is WCAG's (AA): 4.5, or 3 for large text.
_FLAWS = """() => {
  const found = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth) {
    const out = [...document.querySelectorAll("body *")].filter(
      (one) => one.getBoundingClientRect().right > innerWidth + 1 &&
        getComputedStyle(one).position !== "absolute");
    found.push(`${root.scrollWidth} px wide on ${innerWidth}: ` +
      out.slice(-3).map((one) => one.outerHTML.slice(0, 80)).join(" | "));
  }
  const heads = document.querySelectorAll("h1").length;
  if (heads !== 1) found.push(`${heads} h1`);
  for (const image of document.images) {
    if (image.complete && image.naturalWidth === 0) found.push(`broken ${image.src}`);
    if (!image.hasAttribute("alt")) found.push(`no alt: ${image.src}`);
  }
  for (const field of document.querySelectorAll("input, textarea, select")) {
    if (field.type === "hidden" || field.hidden) continue;
    if (!field.labels.length && !field.ariaLabel) found.push(`no label: ${field.outerHTML}`);
  }
  for (const one of document.querySelectorAll("a, button, summary")) {
    const alt = one.querySelector("img[alt]");
    if (!one.checkVisibility()) continue;
    if (one.ariaHidden !== "true" && !one.textContent.trim() && !(alt && alt.alt) &&
        !one.closest("figure")) {
      found.push(`no name: ${one.outerHTML.slice(0, 120)}`);
    }
  }
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  for (const id of new Set(ids)) {
    if (ids.filter((one) => one === id).length > 1) found.push(`twice: #${id}`);
  }
  const numbers = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((v) => v / 255).map(
      (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const told = new Set();
  while (words.nextNode()) {
    const one = words.currentNode.parentElement;
    if (!words.currentNode.data.trim() || !one.checkVisibility() || one.closest("svg, .hide")) {
      continue;
    }
    const style = getComputedStyle(one);
    const [a, b] = [light(numbers(style.color)), light(ground(one))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const large = parseFloat(style.fontSize) >= 24;
    if (ratio < (large ? 3 : 4.5) && !told.has(one.className)) {
      told.add(one.className);
      found.push(`contrast ${ratio.toFixed(2)}: ${one.outerHTML.slice(0, 100)}`);
    }
  }
  return found;
}"""


def flaws(page: Page) -> list[str]:
    """Return what is wrong with the page as it stands: too wide, broken, nameless, too pale."""
    found: list[str] = page.evaluate(_FLAWS)
    return found


# A share of the window: some pixels of one line of a wide page. Nobody sees less.
LEAST_SHIFT: Final = 0.005


_AXE_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_AXE = """async ([tags, rules]) => {
  const only = rules.length ? { type: "rule", values: rules } : { type: "tag", values: tags };
  const found = await axe.run(document, { runOnly: only, resultTypes: ["violations"] });
  return found.violations.flatMap((one) => one.nodes.map(
    (node) => `${one.id}: ${node.html.slice(0, 160)} (${node.failureSummary.split("\\n")[1]})`));
}"""

_PAINTED = """() => new Promise((done) => {
  new PerformanceObserver((list, observer) => {
    if (!list.getEntriesByName("first-contentful-paint").length) return;
    observer.disconnect();
    done();
  }).observe({ type: "paint", buffered: true });
})"""

_SHIFT = """(least) => new Promise((done) => {
  const moved = [];
  new PerformanceObserver((list) => {
    for (const one of list.getEntries().filter((each) => each.value >= least)) {
      const what = one.sources.map(({ node }) => (node && (node.outerHTML || node.data)) || "");
      moved.push(`moved ${one.value.toFixed(4)}: ${what.map((it) => it.slice(0, 80)).join(" | ")}`);
    }
  }).observe({ type: "layout-shift", buffered: true });
  // What moved is told after the frame in which it did.
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(moved), 50)));
})"""

# What is too small for a finger. What is pressed has 44 px each way, its label counted in; other
# links have 24, their line's height counted in, but for those in a sentence (WCAG 2.5.8). The
# badge ALT may look smaller than it is: what is pressed is its ::after.
LEAST_PRESSED: Final = 44
LEAST_LINK: Final = 24
_SMALL = """([pressed, link]) => {
  const found = [];
  const is_in_text = (one) => getComputedStyle(one).display === "inline" &&
    [...one.parentElement.childNodes].some((node) => node.nodeType === 3 && /\\w/.test(node.data));
  const all = document.querySelectorAll("a[href], button, summary, input, select, textarea");
  for (const one of all) {
    if (one.type === "hidden" || one.tabIndex < 0 || one.closest(".hide, .skip")) continue;
    if (!one.checkVisibility({ visibilityProperty: true })) continue;
    const is_box = one.type === "checkbox" || one.type === "radio";
    const box = (is_box && one.labels[0] || one).getBoundingClientRect();
    const after = one.matches(".alt > summary") ? getComputedStyle(one, "::after") : null;
    let [width, height] = after ? [parseFloat(after.width), parseFloat(after.height)]
      : [box.width, box.height];
    if (is_in_text(one)) continue;
    const is_link = one.matches("a:not(.button, .back, .icon-button, .tabs a, .acts a, .rail a)");
    if (is_link && getComputedStyle(one).display === "inline") {
      height = Math.max(height, parseFloat(getComputedStyle(one.parentElement).lineHeight));
      width = link;
    }
    const least = is_link ? link : pressed;
    if (width < least - 0.5 || height < least - 0.5) {
      found.push(`${width.toFixed(0)} × ${height.toFixed(0)} px: ${one.outerHTML.slice(0, 120)}`);
    }
  }
  return found;
}"""


def too_small(page: Page) -> list[str]:
    """Return what is hard to hit with a finger."""
    found: list[str] = page.evaluate(_SMALL, [LEAST_PRESSED, LEAST_LINK])
    return found


# What the Tab key must come by: of radio buttons one of each group.
_TABBABLE = """() => {
  const groups = new Set();
  return [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, video[controls], audio[controls]")]
    .filter((one) => one.tabIndex >= 0 && !one.disabled && one.type !== "hidden" &&
      one.checkVisibility({ visibilityProperty: true }) && !one.closest("[inert]"))
    .filter((one) => {
      if (one.type !== "radio") return true;
      const chosen = document.querySelector(
        `input[type=radio][name="${one.name}"]:checked`) || one;
      if (groups.has(one.name) || chosen !== one) return false;
      groups.add(one.name);
      return true;
    }).map((one, number) => { one.dataset.stop = number; return one.outerHTML.slice(0, 120); });
}"""
_FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const style = getComputedStyle(one);
  const label = one.closest("label") ? getComputedStyle(one.closest("label")) : style;
  const seen = [style, label].some(
    (each) => each.outlineStyle !== "none" && parseFloat(each.outlineWidth) >= 2);
  return [one.dataset.stop === undefined ? -1 : Number(one.dataset.stop), seen,
    one.outerHTML.slice(0, 120)];
}"""


def barriers(page: Page, axe: str, *, rules: Sequence[str] = ()) -> list[str]:
    """Return what axe-core finds on the page: all of WCAG 2.2 AA, or by some of its rules."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(axe)
    found: list[str] = page.evaluate(_AXE, [_AXE_TAGS, list(rules)])
    return found


def shifts(page: Page) -> list[str]:
    """Return what has moved visibly on the page since it was opened."""
    moved: list[str] = page.evaluate(_SHIFT, LEAST_SHIFT)
    return moved


def out_of_reach(page: Page) -> list[str]:
    """Go through the page with the Tab key; return what it passes by or does not point out."""
    stops: list[str] = page.evaluate(_TABBABLE)
    missed, pale = set(range(len(stops))), []
    for _ in range(len(stops) + 20):
        page.keyboard.press("Tab")
        focused = page.evaluate(_FOCUSED)
        if focused is None:
            continue
        number, is_seen, html = focused
        if not is_seen:
            pale.append(f"focus not seen: {html}")
        missed.discard(number)
        if not missed:
            break
    return [*(f"no Tab comes by: {stops[one]}" for one in sorted(missed)), *pale]


def sticks_out(page: Page, width: int) -> list[str]:
    """Return whether the page is wider than a window of this width."""
    size = page.viewport_size
    page.set_viewport_size({"width": width, "height": 800})
    wide: int = page.evaluate("() => document.documentElement.scrollWidth")
    if size is not None:
        page.set_viewport_size(size)
    return [f"{wide} px wide on {width}"] if wide > width else []


def _nothing(route: Route) -> None:
    route.fulfill(body="", content_type="text/javascript")


class _SlowLine:
    """A line on which scripts and pictures come when the page is seen already, however fast."""

    def __init__(self, context: BrowserContext) -> None:
        self._held: list[Route] = []
        self._is_held = False
        context.route("**/*", self._ask)

    def _ask(self, route: Route) -> None:
        if self._is_held and route.request.resource_type in ("script", "image"):
            self._held.append(route)
        else:
            route.fallback()

    def hold(self) -> None:
        """Let nothing of these through from now on."""
        self._is_held = True

    def release(self, page: Page) -> None:
        """Wait until the page is drawn without them, and let them come."""
        page.evaluate(_PAINTED)
        self._is_held = False
        while self._held:
            self._held.pop(0).fallback()
        page.wait_for_load_state()


Visit = Callable[[View], tuple[Page, list[str]]]


@contextlib.contextmanager
def looking(browser: Browser, scene: Scene, look: Look) -> Iterator[Visit]:
    """Give a function that opens a view and returns its page and what the browser said to it.

    Scripts and pictures come when the page is seen already, as on a slow line.
    """
    width, height = look.size
    state = scene.alice.context.storage_state()

    def context(who: Literal["owner", "stranger"]) -> BrowserContext:
        made = browser.new_context(
            storage_state=state if who == "owner" else None,
            viewport={"width": width, "height": height},
            color_scheme=look.scheme,
            service_workers="block",  # what it answers would not come by the line
        )
        if not look.javascript:  # ours alone: axe-core is a script too
            made.route("**/static/*.js*", _nothing)
        made.set_default_timeout(PATIENCE_S * 1000)
        return made

    contexts = {"owner": context("owner"), "stranger": context("stranger")}
    lines = {who: _SlowLine(made) for who, made in contexts.items()} if look.javascript else {}

    def visit(view: View) -> tuple[Page, list[str]]:
        said: list[str] = []
        for old in contexts[view.who].pages:
            old.close()
        page = contexts[view.who].new_page()
        page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        line = lines.get(view.who)
        until: Literal["commit", "load"] = "load" if line is None else "commit"
        if line is not None and not view.button:
            line.hold()
        answer = page.goto(view.url, wait_until="load" if view.button else until)
        if view.button:
            for label, text in view.type_in:
                page.get_by_label(label, exact=True).fill(text)
            if line is not None:
                line.hold()
            with page.expect_navigation(wait_until=until) as navigated:
                page.get_by_role("main").get_by_role("button", name=view.button).click()
            answer = navigated.value
        if line is not None:
            line.release(page)
        expect(page.locator("h1")).not_to_have_count(0)
        status = answer.status if answer is not None else 0
        if status != view.status:
            said.append(f"answered {status}")
        if view.status != 200:
            # The browser complains of the page itself, whose status is meant.
            said = [one for one in said if f"status of {view.status}" not in one]
        return page, said

    try:
        yield visit
    finally:
        for made in contexts.values():
            made.close()
