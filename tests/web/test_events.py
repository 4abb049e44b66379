"""The stream of an open page: what it says, when it ends, and how many there may be."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from microfedi.federation.context import MAX_LISTENERS, MAX_LISTENERS_OF_SESSION
from microfedi.protocol.filtering import Filter, Place
from microfedi.storage import filters, notifications, sessions
from microfedi.storage import owner as owner_storage
from microfedi.storage.database import Reader
from microfedi.storage.door_log import NOBODY
from microfedi.web import events
from tests.another_server import PATIENCE_S
from tests.app_fixture import US, App, an_app


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """News are not gathered, so that no test waits."""
    monkeypatch.setattr(events, "GATHER_S", 0.0)


class Stream:
    """GET /events, read while it comes: a browser's EventSource."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.text = ""
        self.is_over = False
        self._read = 0
        self._gone = asyncio.Event()
        self._arrived = asyncio.Condition()
        self._asked = False

    async def receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        async with self._arrived:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
            else:
                self.text += message.get("body", b"").decode()
                self.is_over = not message.get("more_body", False)
            self._arrived.notify_all()

    def leave(self) -> None:
        """Close the page."""
        self._gone.set()

    async def next(self, kind: str = "event: news") -> Any:
        """Wait for the next piece of a kind; return its data."""

        def found() -> int:
            return self.text.find(kind, self._read)

        async with asyncio.timeout(PATIENCE_S), self._arrived:
            await self._arrived.wait_for(lambda: found() >= 0)
        start = found()
        end = self.text.index("\n\n", start)
        self._read = end
        data = self.text[start:end].partition("data:")[2].strip()
        return json.loads(data) if data else None

    async def end(self) -> None:
        """Wait until it is over."""
        async with asyncio.timeout(PATIENCE_S), self._arrived:
            await self._arrived.wait_for(lambda: self.is_over)


@contextlib.asynccontextmanager
async def listening(
    app: App, query: str = "", client: httpx2.AsyncClient | None = None
) -> AsyncIterator[Stream]:
    cookies = "; ".join(f"{k}={v}" for k, v in (client or app.client).cookies.items())
    stream = Stream()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},  # as uvicorn says
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": "/events",
        "raw_path": b"/events",
        "query_string": query.encode(),
        "root_path": "",
        "headers": [
            (b"host", b"us.example"),
            (b"accept", b"text/event-stream"),
            (b"cookie", cookies.encode()),
        ],
        "client": ("192.0.2.1", 40000),
        "server": ("us.example", 443),
    }
    task = asyncio.create_task(app.asgi(scope, stream.receive, stream.send))
    try:
        yield stream
    finally:
        stream.leave()
        async with asyncio.timeout(PATIENCE_S):
            await task


def newest_position(reader: Reader) -> int:
    found: int = reader.value("SELECT max(position) FROM home")
    return found


async def test_it_counts_what_comes_and_says_nothing_of_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann = app.world.actor("https://vic.example/users/ann", name="Ann Pumpernickel")
        friend = await app.follow(ann)
        await app.theirs(ann, cc=[], tag=[])
        position = await app.ctx.db.read(newest_position)
        await app.message([friend.id], "Hello")

        async with listening(app, f"after={position}") as stream:
            assert await stream.next() == {"messages": 0, "notifications": 0, "words": ""}
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert stream.headers["cache-control"] == "no-store"
            await app.theirs(ann, cc=[], tag=[], content="<p>pumpernickel</p>")
            assert await stream.next() == {
                "messages": 0,
                "notifications": 0,
                "words": "1 new post",
            }
            await app.theirs(ann, to=[US], cc=[], content="<p>pumpernickel</p>")
            assert (await stream.next())["messages"] == 1
            await app.theirs(ann, content="<p>pumpernickel</p>")
            said = await stream.next()
            assert (said["notifications"], said["words"]) == (1, "2 new posts")
            await app.post("/notifications/read")  # in another tab
            assert (await stream.next())["notifications"] == 0
            assert "umpernickel" not in stream.text
            assert "vic.example" not in stream.text


async def test_who_looked_before_the_owner_was_read_again_looks_again(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        await app.theirs(app.world.actor("https://vic.example/users/ann"))
        async with listening(app) as stream:
            assert (await stream.next())["notifications"] == 1
            await app.ctx.db.write(
                lambda tx: owner_storage.set_notifications_read(tx, notifications.newest_id(tx))
            )
            for _ in range(20):  # it wakes and looks, with the owner of before
                await app.ctx.db.read(newest_position)
            await app.ctx.reload_owner()
            assert (await stream.next())["notifications"] == 0


async def test_a_conversation_hears_of_its_own_messages_alone(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann = app.world.actor("https://vic.example/users/ann")
        ben = app.world.actor("https://fol.example/users/ben")
        for friend in (ann, ben):
            await app.message([(await app.meet(friend)).id], "Hello")
        (first, *_) = sorted(row[0] for row in (await app.rows())["conversations"])

        async with listening(app, f"talk={first}") as stream:
            assert (await stream.next())["words"] == ""
            await app.theirs(ben, to=[US], cc=[], content="<p>pumpernickel</p>")
            said = await stream.next()
            assert (said["messages"], said["words"]) == (1, "")
            await app.theirs(ann, to=[US], cc=[], content="<p>pumpernickel</p>")
            said = await stream.next()
            assert (said["messages"], said["words"]) == (2, "1 new message")
            assert "umpernickel" not in stream.text
        page = await app.get(f"/messages/{first}")
        assert f'data-events="/events?talk={first}"' in page.text
        async with listening(app, "talk=12345678901234567890") as stream:
            assert (await stream.next())["words"] == ""


async def test_what_a_filter_hides_is_not_counted(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        ann = app.world.actor("https://vic.example/users/ann")
        await app.follow(ann)
        wanted = Filter(0, "Film", ("film",), frozenset({Place.NOTIFICATIONS}), hides=True)
        await app.ctx.db.write(lambda tx: filters.put(tx, wanted))
        await app.ctx.reload_owner()
        await app.theirs(ann, content="<p>The end of the film</p>")

        async with listening(app) as stream:
            assert (await stream.next())["notifications"] == 0


@pytest.mark.parametrize("how", ["logout", "ended elsewhere", "all ended"])
async def test_it_ends_with_the_session(tmp_path: Path, how: str) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        async with listening(app) as stream:
            await stream.next()
            match how:
                case "logout":
                    await app.post("/logout")
                case "ended elsewhere":
                    await app.ctx.db.write(lambda tx: sessions.end(tx, 1))
                case "all ended":
                    await app.ctx.db.write(sessions.end_all)
            await stream.next("event: end")
            await stream.end()


async def test_it_ends_when_the_login_runs_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "KEEP_ALIVE_S", 0.02)
    async with an_app(tmp_path) as app:
        await app.login()
        async with listening(app) as stream:
            await stream.next(": still here")
            app.clock.forward(seconds=(sessions.IDLE + timedelta(days=1)).total_seconds())
            await stream.next("event: end")
            await stream.end()


async def test_a_login_with_the_same_row_id_is_another_one(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        (one,) = await app.ctx.db.read(sessions.all)

        def replace(tx: Any) -> int:
            sessions.end(tx, one.id)
            return sessions.create(
                tx,
                b"x" * 32,
                by=NOBODY,
                now=app.clock.now,
                expires_at=app.clock.now + sessions.ABSOLUTE,
            )

        async with listening(app) as stream:
            await stream.next()
            app.clock.forward(seconds=1)
            assert await app.ctx.db.write(replace) == one.id
            await stream.next("event: end")


async def test_it_ends_when_the_server_stops(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        async with listening(app) as stream:
            await stream.next()
            app.ctx.stopping.set()
            await stream.end()
            assert "event: end" not in stream.text  # the browser comes back when we are


async def test_whoever_leaves_frees_the_seat(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        async with listening(app) as stream:
            await stream.next()
            assert app.ctx.news.listeners == 1
        assert app.ctx.news.listeners == 0


async def test_the_oldest_page_of_a_browser_gives_way(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app, contextlib.AsyncExitStack() as pages:
        await app.login()
        opened = []
        for _number in range(MAX_LISTENERS_OF_SESSION + 1):
            stream = await pages.enter_async_context(listening(app))
            await stream.next()
            opened.append(stream)

        await opened[0].next("event: end")
        await opened[0].end()
        assert app.ctx.news.listeners == MAX_LISTENERS_OF_SESSION
        assert not any(one.is_over for one in opened[1:])


async def test_there_are_only_so_many_in_all(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app, contextlib.AsyncExitStack() as pages:
        with contextlib.ExitStack() as seats:
            taken = [seats.enter_context(app.ctx.news.seat(who)) for who in range(MAX_LISTENERS)]
            await app.login()
            stream = await pages.enter_async_context(listening(app))
            await stream.next()
            assert [one.is_set() for one in taken] == [True] + [False] * (MAX_LISTENERS - 1)


async def test_strangers_are_sent_away(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        answer = await app.get("/events")
        assert answer.status_code == 303
        assert answer.headers["location"] == "/login?next=/events"
