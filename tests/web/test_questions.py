"""How many questions a page asks the database: few, whatever stands on it."""

from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from microfedi.storage import message_search
from microfedi.storage.database import Reader, Transaction
from tests.app_fixture import an_app
from tests.security.test_routes import addresses, keep_secrets

MOST = 12  # of a page, with those of its frame


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the database was asked and told so far."""
    found: list[str] = []

    def noted(reader: type[Reader], name: str) -> None:
        method = getattr(reader, name)

        def ask(self: Reader, sql: str, *params: Any) -> Any:
            found.append(sql)
            return method(self, sql, *params)

        monkeypatch.setattr(reader, name, ask)

    for name in ("one", "all"):  # which "value" asks by
        noted(Reader, name)
    noted(Transaction, "run")
    return found


async def test_no_page_asks_the_database_much(tmp_path: Path, asked: list[str]) -> None:
    async with an_app(tmp_path) as app:
        secrets = await keep_secrets(app, tmp_path)
        await app.login()
        found = list(addresses(app, secrets, "GET"))
        counts: dict[str, int] = {}
        for pattern, path in found:
            await app.get(path)  # which may note that it was looked at, and compare names once
            asked.clear()
            await app.get(path)
            counts[pattern] = max(counts.get(pattern, 0), len(asked))

    assert counts["/home"] > 1
    assert {pattern: count for pattern, count in counts.items() if count > MOST} == {}


async def test_a_search_of_messages_asks_no_more_however_long_they_are(
    tmp_path: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are opened batch by batch, and so many batches are opened for a page."""
    monkeypatch.setattr(message_search, "BATCH_BYTES", 1)  # each message fills one
    async with an_app(tmp_path) as app:
        await app.login()
        bob = await app.follow(app.world.actor("https://bob.example/users/bob"))
        for number in range(10):
            await app.message([bob.id], f"heron {number}")
        for words in ("heron", "plover", "heron from:me -from:bob in:nobody"):
            path = f"/search?show=messages&q={quote_plus(words)}"
            assert (await app.get(path)).status_code == 200
            asked.clear()
            page = await app.get(path)
            assert 1 < len(asked) <= MOST, words
            assert "Search further back" in page.text
