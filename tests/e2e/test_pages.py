"""Every page, on a phone and on a desk, light and dark: nothing is broken, nothing sticks out."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e import browsing, looking, scene
from tests.e2e.looking import LOOKS, Look
from tests.e2e.scene import Scene

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing.chromium() as running:
        yield running


@pytest.fixture(scope="module")
def world(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    directory: Path = tmp_path_factory.mktemp("world")
    with scene.built(browser, directory) as built:
        yield built


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_every_page_is_whole(browser: Browser, world: Scene, look: Look) -> None:
    wrong = []
    with looking.looking(browser, world, look) as visit:
        for view in world.views:
            page, complaints = visit(view)
            wrong += [f"{view.name}: {one}" for one in (*complaints, *looking.flaws(page))]
    assert wrong == []
