"""Every page, on a phone and on a desk, light and dark, with our script and without: nothing is
broken, nothing sticks out, nothing moves, and nobody is kept out.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e import looking, scene
from tests.e2e.looking import LOOKS, Look
from tests.e2e.scene import Scene
from tests.interop import installed

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def world(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    directory: Path = tmp_path_factory.mktemp("world")
    with scene.built(browser, directory) as built:
        yield built


@pytest.fixture(scope="module")
def axe() -> str:
    return installed.axe().read_text("utf-8")


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_every_page_is_whole_and_keeps_nobody_out(
    browser: Browser, world: Scene, axe: str, look: Look
) -> None:
    """All that axe-core knows is asked once with our script and once without, contrast always."""
    wrong = []
    with looking.looking(browser, world, look) as visit:
        for view in world.views:
            page, found = visit(view)
            if look.javascript:
                found += looking.shifts(page)
            found += looking.flaws(page)
            match look.name:
                case "phone-light":
                    found += looking.barriers(page, axe)
                    page.emulate_media(contrast="more")
                    found += looking.barriers(page, axe, rules=["color-contrast"])
                    found += looking.too_small(page)
                    found += looking.sticks_out(page, 320)
                case "wide-light":
                    found += looking.barriers(page, axe)
                    found += looking.sticks_out(page, 1600)
                case "wide-dark":
                    found += looking.barriers(page, axe, rules=["color-contrast"])
                    found += looking.out_of_reach(page)
                case _:
                    found += looking.barriers(page, axe, rules=["color-contrast"])
            wrong += [f"{view.name}: {one}" for one in dict.fromkeys(found)]
    assert not wrong, "\n".join(wrong)
