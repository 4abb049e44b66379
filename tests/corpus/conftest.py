"""One server of each kind for all tests of a module; each test begins with an empty one."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.corpus.world import World, Worlds, a_world


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def _public(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with a_world(tmp_path_factory.mktemp("public"), development=False) as world:
        yield world


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def _development(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with a_world(tmp_path_factory.mktemp("development"), development=True) as world:
        yield world


@pytest.fixture
def worlds(_public: World, _development: World) -> Worlds:
    """Where the documents arrive: `worlds.of(uri)`."""
    return Worlds(_public, _development)
