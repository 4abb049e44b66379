"""The context of the outbox's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from microfedi.federation.context import Context
from microfedi.storage.sealed import Sealer
from tests.federation.outbox.world import a_context


@pytest.fixture
async def ctx(tmp_path: Path, sealer: Sealer) -> AsyncIterator[Context]:
    async with a_context(tmp_path, sealer) as context:
        yield context
