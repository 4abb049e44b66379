"""How many questions a page asks the database: few, whatever stands on it."""

from pathlib import Path
from typing import Any

import pytest

from microfedi.storage.database import Reader, Transaction
from tests.app_fixture import an_app
from tests.security.test_routes import addresses, keep_secrets

MOST = 12  # of a page, with those of its frame


async def test_no_page_asks_the_database_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def noted(reader: type[Reader], name: str) -> None:
        method = getattr(reader, name)

        def ask(self: Reader, sql: str, *params: Any) -> Any:
            asked.append(sql)
            return method(self, sql, *params)

        monkeypatch.setattr(reader, name, ask)

    async with an_app(tmp_path) as app:
        secrets = await keep_secrets(app, tmp_path)
        await app.login()
        found = list(addresses(app, secrets, "GET"))
        for name in ("one", "all"):  # which "value" asks by
            noted(Reader, name)
        noted(Transaction, "run")
        counts: dict[str, int] = {}
        for pattern, path in found:
            await app.get(path)  # which may note that it was looked at, and compare names once
            asked.clear()
            await app.get(path)
            counts[pattern] = max(counts.get(pattern, 0), len(asked))

    assert counts["/home"] > 1
    assert {pattern: count for pattern, count in counts.items() if count > MOST} == {}
