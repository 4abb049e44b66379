"""The words of messages are nowhere on the disk: not in the database and its free pages, not in the
WAL, media, temporary files, logs or a backup; not while they wait for a server that is down, and
not after a kill.

Two real servers write to each other. What they said is then looked for in every file of theirs, in
all the spellings that software gives words (docs/vault.md).
"""

import asyncio
import base64
import contextlib
import html
import json
import re
import sqlite3
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest

from microfedi.demo import Instance
from tests.e2e import browsing
from tests.interop import processes
from tests.interop.driver import Owner, Page

pytestmark = pytest.mark.timeout(240)

T = TypeVar("T")

SLICE_BYTES = 48  # of a picture: long enough to be found nowhere by chance


def words_of(what: str) -> tuple[str, ...]:
    """Return words that stand for one kind of thing, ASCII and not, and in no other text."""
    return (f"wombat{what}", f"Käsespätzle{what}", f"密談{what}")


def spellings(word: str) -> set[bytes]:
    """Return how a word may stand in a file."""
    bare = "".join(
        one for one in unicodedata.normalize("NFKD", word) if not unicodedata.combining(one)
    )
    found: set[bytes] = set()
    for text in {word, word.lower(), word.upper(), bare, bare.lower()}:
        plain = text.encode()
        wide = [text.encode("utf-16-le"), text.encode("utf-16-be")]
        escaped = json.dumps(text)[1:-1].encode()
        found |= {plain, *wide, escaped, escaped.upper()}
        for one in (plain, *wide, escaped):
            found |= {one.hex().encode(), one.hex().upper().encode(), *_base64(one)}
    return found


def _base64(data: bytes) -> Iterable[bytes]:
    for before in range(3):
        # Which letters are made of these bytes alone, however what surrounds them goes on.
        first, after = -(-before * 8 // 6), (before + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(before) + data)[first:after]


def found_in(files: dict[str, bytes], wanted: dict[str, set[bytes]]) -> set[str]:
    """Return what of `wanted` stands where, as `what in file`."""
    return {
        f"{what} in {name}"
        for what, ways in wanted.items()
        for name, content in files.items()
        if any(way in content for way in ways)
    }


@dataclass
class House:
    """A server and its owner, and everything that it leaves on its machine."""

    server: Instance
    temporary: Path
    owner: Owner = field(init=False)

    async def open(self) -> None:
        await self.server.start()
        self.owner = Owner(self.server.base_url, self.server.name)
        self.owner.client.base_url = f"http://127.0.0.1:{self.server.port}"  # past the name
        self.owner.client.headers["Host"] = self.server.host
        await told(self.owner.log_in, self.server.password, self.server.totp_secret)

    async def close(self) -> None:
        await self.server.kill9()
        self.owner.close()

    def files(self) -> dict[str, bytes]:
        """Return every file of the server and what it has open, by name."""
        places = [self.server.directory, self.temporary]
        if self.server.process is not None:  # temporary files without a name, too
            places.append(Path(f"/proc/{self.server.process.pid}/fd"))
        found = {}
        for place in places:
            for path in sorted(place.rglob("*")):
                with contextlib.suppress(OSError):
                    if path.is_file():
                        found[str(path)] = path.read_bytes()
        return found

    def ask(self, question: str) -> Any:
        """Look something up in its database, from outside."""
        path = self.server.data_dir / "microfedi.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return db.execute(question).fetchone()[0]

    def backup(self) -> dict[str, bytes]:
        """Return a backup of the database, made as the README says."""
        target = self.server.directory / "backup"
        with contextlib.closing(sqlite3.connect(self.server.data_dir / "microfedi.db")) as db:
            db.execute("VACUUM INTO ?", (str(target),))
        content = target.read_bytes()
        target.unlink()
        return {str(target): content}

    def hurry(self) -> None:
        """Have what was put off be due, as if time had passed; while the server is off."""
        with contextlib.closing(sqlite3.connect(self.server.data_dir / "microfedi.db")) as db:
            db.execute("UPDATE hosts SET due_at = '2000-01-01T00:00:00.000Z' WHERE due_at > ''")
            db.commit()


async def told(what: Callable[..., T], *args: Any, **fields: Any) -> T:
    """Do something of a browser's, which waits, in a thread."""
    return await asyncio.to_thread(partial(what, *args, **fields))


@contextlib.asynccontextmanager
async def two_houses(tmp_path: Path) -> AsyncIterator[tuple[House, House]]:
    houses = []
    temporary = tmp_path / "temporary"
    try:
        for name in ("alice", "bob"):
            server = Instance(name, tmp_path / name)
            await server.prepare()
            houses.append(House(server, temporary))
            await houses[-1].open()
        yield houses[0], houses[1]
    finally:
        for house in houses:
            await house.close()


def picture_of(owner: Owner, page: Page) -> bytes:
    """Return the picture of a message as its page shows it."""
    (path,) = set(re.findall(r'<img src="(?:http://[^/"]+)?(/media/[^"]+)"', page.html))
    answer = owner.client.get(html.unescape(path))
    assert answer.status_code == 200
    return answer.content


def test_every_spelling_is_found_where_it_stands() -> None:
    """The search itself: each way a word can be written, at any place of a file."""
    for word in words_of("here"):
        around = f"<p>… {word} …</p>"
        texts = [around, json.dumps(around)]
        written = [one.encode() for one in texts]
        written += [around.encode("utf-16"), around.encode("utf-16-be")]
        written += [one.hex().encode() for one in written]
        written += [one.upper() for one in written[4:8]]
        for shift in range(3):
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                written += [encode(b"x" * shift + one) for one in written[:4]]
        wanted = {word: spellings(word)}
        for number, content in enumerate(written):
            name = str(number)
            assert found_in({name: content}, wanted) == {f"{word} in {name}"}, content
        assert found_in({"other": written[0].replace(b"here", b"there")}, wanted) == set()


async def test_no_word_of_a_conversation_lies_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    picture = browsing.a_picture(tmp_path / "picture.png").read_bytes()
    kinds = ("text", "warning", "alt", "reply", "edit", "draft", "scheduled", "waiting")
    wanted = {word: spellings(word) for kind in kinds for word in words_of(kind)}
    public = {word: spellings(word) for word in words_of("public")}

    async with two_houses(tmp_path) as (alice, bob):
        mine, theirs = alice.owner, bob.owner

        def leaks() -> set[str]:
            files = alice.files() | bob.files()
            assert any(name.endswith(".db-wal") for name in files)
            for house in (alice, bob):  # after that: a copy of what a killed server left tidies up
                files |= house.backup()
            # What is public is found: the files are read, and the search works on them.
            assert {one.partition(" in ")[0] for one in found_in(files, public)} == set(public)
            return found_in(files, wanted)

        await told(mine.follow, bob.server.handle)
        await told(theirs.follow, alice.server.handle)
        await told(mine.publish, said("public"))
        shown = await told(mine.submit, "/messages/new", "/messages/new", to=bob.server.handle)
        page = await told(
            mine.submit,
            shown,
            "/messages/new",
            source=said("text"),
            summary=said("warning"),
            alt=said("alt"),
            picture=picture,
        )
        talk = page.path
        wanted["picture"] = slices(picture_of(mine, page))
        their_talk = talk_in(await told(theirs.wait_for_text, "/messages", "Alice"))
        page = await told(theirs.wait_for_text, their_talk, words_of("warning")[1])
        assert all(word in page.text for kind in ("text", "alt") for word in words_of(kind))
        wanted["their picture"] = slices(picture_of(theirs, page))
        await told(theirs.submit, their_talk, their_talk, source=said("reply"))
        page = await told(mine.wait_for_text, talk, words_of("reply")[2])
        first = min(one for one in page.links if one.startswith(f"{talk}/") and one[-1].isdigit())
        await told(mine.submit, first, f"{first}/edit", source=said("edit"))
        await told(theirs.wait_for_text, their_talk, words_of("edit")[0])
        box = (await told(mine.get, talk)).form(talk).fields
        answer = await told(
            mine.client.post,
            f"{talk}/draft",
            data=box | {"source": said("draft")},
            headers={"Origin": mine.base_url},
        )
        assert answer.status_code == 200
        assert words_of("draft")[1] in (await told(mine.get, talk)).form(talk).fields["source"]
        tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M}"
        await told(theirs.submit, their_talk, their_talk, source=said("scheduled"), at=tomorrow)
        assert words_of("scheduled")[2] in (await told(theirs.get, their_talk)).text
        assert leaks() == set()

        await bob.server.kill9()
        await told(mine.submit, talk, talk, source=said("waiting"))
        await until(lambda: has_failed(alice), "the delivery was tried")
        assert leaks() == set()

        await alice.server.kill9()
        assert leaks() == set()

        alice.hurry()
        await bob.server.start()
        await alice.server.start()
        await until(lambda: not waits(alice), "everything is delivered")
        assert leaks() == set()


def said(kind: str) -> str:
    """Return a text with the words of this kind."""
    return " ".join(words_of(kind))


def slices(content: bytes) -> set[bytes]:
    """Return pieces of a file that stand nowhere else."""
    middle = range(len(content) // 4, len(content) - SLICE_BYTES, SLICE_BYTES)
    return {content[start : start + SLICE_BYTES] for start in middle}


def talk_in(page: Page) -> str:
    """Return the path of the conversation that a list of them shows."""
    found = re.search(r"/messages/\d+", " ".join(page.links))
    assert found
    return found[0]


def has_failed(house: House) -> bool:
    """Whether a delivery of the server was tried and is put off."""
    return bool(house.ask("SELECT count(*) FROM hosts WHERE attempts > 0"))


def waits(house: House) -> bool:
    """Whether something of the server's is still to be delivered."""
    return bool(house.ask("SELECT count(*) FROM deliveries"))


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for something in a database that another process writes."""
    await told(processes.eventually, holds, what)
