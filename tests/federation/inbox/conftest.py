"""The scene for tests of what arrives."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.federation.inbox.world import Scene, a_scene


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with a_scene(tmp_path) as made:
        yield made
