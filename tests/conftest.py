"""What every test may ask for: a real database file, a clock that stands still."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from microfedi.storage import database
from microfedi.storage.database import Database
from microfedi.storage.sealed import Sealer


@pytest.fixture
def sealer() -> Sealer:
    return Sealer(os.urandom(32))


@pytest.fixture
async def db(tmp_path: Path, sealer: Sealer) -> AsyncIterator[Database]:
    async with database.opened(tmp_path / database.FILE_NAME, sealer) as opened:
        yield opened
