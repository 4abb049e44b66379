"""The whole server in a test: its lifespan, its owner, a browser, and the world around it.

    async with an_app(tmp_path) as app:
        await app.login()
        answer = await app.post("/compose", {"source": "Hello", "visibility": "public"})

Requests go through every layer from the Host check on. The clock stands still until a test moves
it, nothing works by itself (`app.process()` does what waits), and other servers are real ones.
"""

import contextlib
import html
import json
import re
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pyotp
from starlette.applications import Starlette

from microfedi.account import setup
from microfedi.app import create_app
from microfedi.config import Config
from microfedi.federation import lookup, process, start
from microfedi.federation.context import Context
from microfedi.federation.outbox import messages as outbox_messages
from microfedi.federation.outbox import notes as outbox_notes
from microfedi.imagework import Picture
from microfedi.protocol.vocab import PUBLIC as AS2_PUBLIC
from microfedi.protocol.vocab import Visibility
from microfedi.storage import followers, following
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.messages import Message
from microfedi.storage.notes import Note
from tests.another_server import AS2, AnotherServer, RemoteActor, another_server
from tests.factories import NOON, held

BASE_URL = "https://us.example"
HANDLE = "maya"
US = f"{BASE_URL}/users/{HANDLE}"
PASSWORD = "seven quiet herons on a jetty"
ACTIVITY = {"accept": "application/activity+json"}
PAGE = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
_TOKEN = re.compile(r'name="csrf" value="([0-9a-f]{64})"')
_TABLES = """
    SELECT name FROM sqlite_schema
     WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
     ORDER BY name
"""


@dataclass
class Clock:
    """Time that only passes when a test says so."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)


@dataclass
class App:
    """us.example and somebody's browser in front of it."""

    asgi: Starlette
    ctx: Context
    world: AnotherServer
    client: httpx2.AsyncClient
    clock: Clock
    secret: str
    recovery_codes: tuple[str, ...]
    data_dir: Path
    _written: int = 0
    _browsers: list[httpx2.AsyncClient] = field(default_factory=list)

    def code(self) -> str:
        """What the owner's authenticator app shows now."""
        return pyotp.TOTP(self.secret).at(self.clock.now)

    def proof(self) -> dict[str, str]:
        """Return what a form asks for before something that matters. A code is good once."""
        self.clock.forward(seconds=30)
        return {"password": PASSWORD, "code": self.code()}

    def browser(self, address: str = "192.0.2.1", **headers: str) -> httpx2.AsyncClient:
        """Open another browser, without cookies, at `address`."""
        made = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(
                app=self.asgi, raise_app_exceptions=False, client=(address, 40000)
            ),
            base_url=self.ctx.config.base_url,
            headers={**PAGE, **headers},
        )
        self._browsers.append(made)
        return made

    async def login(self, client: httpx2.AsyncClient | None = None) -> httpx2.Response:
        """Log in through the real form, with both factors. A code is good once: time passes."""
        browser = client or self.client
        self.clock.forward(seconds=30)
        token = await self.token("/login", browser)
        answer = await browser.post(
            "/login", data={"csrf": token, "password": PASSWORD, "code": self.code()}
        )
        assert answer.status_code == 303, answer.text
        return answer

    async def unlock(self, password: str = PASSWORD) -> httpx2.Response:
        """Open the messages again, which lock themselves when time passes."""
        return await self.post("/unlock", {"vault_password": password}, page="/settings")

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        """Fetch a page; no redirect is followed."""
        return await self.client.get(path, headers=headers)

    async def home(self, path: str = "/home") -> httpx2.Response:
        """Open Home, or a list, as a browser does: it leads to where the owner stopped."""
        answer = await self.get(path)
        if answer.status_code == 303:
            answer = await self.get(answer.headers["location"].partition("#")[0])
        return answer

    async def token(self, page: str = "/compose", client: httpx2.AsyncClient | None = None) -> str:
        """Read the form token on a page."""
        answer = await (client or self.client).get(page)
        found = _TOKEN.search(answer.text)
        assert found, f"no form on {page}: {answer.status_code} {answer.headers.get('location')}"
        return found.group(1)

    async def post(
        self,
        path: str,
        data: Mapping[str, Any] | None = None,
        *,
        page: str = "/compose",
        files: Sequence[tuple[str, tuple[str, bytes, str]]] | None = None,
        client: httpx2.AsyncClient | None = None,
    ) -> httpx2.Response:
        """Send a form with the token of `page` (every page of a session has the same)."""
        browser = client or self.client
        token = await self.token(page, browser)
        return await browser.post(path, data={"csrf": token, **(data or {})}, files=files)

    async def asked_by(
        self, actor: RemoteActor | None, url: str, method: str = "GET", **headers: str
    ) -> httpx2.Response:
        """Ask for a document as another server does, signed by `actor`."""
        signed = {} if actor is None else actor.signed_headers(method, url, now=self.clock.now)
        async with httpx2.AsyncClient(transport=self.client._transport) as stranger:
            return await stranger.request(method, url, headers={**ACTIVITY, **headers, **signed})

    async def deliver(self, sender: RemoteActor, activity: Mapping[str, Any]) -> None:
        """Put an activity into the shared inbox, signed, and have it handled."""
        url = f"{BASE_URL}/inbox"
        body = json.dumps(activity).encode()
        headers = sender.signed_headers("POST", url, body, now=self.clock.now)
        answer = await self.browser("198.51.100.9").post(url, content=body, headers=headers)
        assert answer.status_code == 202, answer.text
        await self.process()

    async def process(self) -> None:
        """Handle everything that has arrived."""
        while await process.process_due(self.ctx):
            pass

    async def publish(
        self,
        source: str,
        visibility: Visibility = Visibility.PUBLIC,
        *,
        pictures: Sequence[tuple[Picture, str]] = (),
        **fields: Any,
    ) -> Note:
        """Have the owner publish something, a second later than what was before."""
        self.clock.forward(seconds=1)
        files = await held(self.ctx, pictures)
        draft = outbox_notes.Draft(source=source, visibility=visibility, files=files, **fields)
        return await outbox_notes.publish(self.ctx, draft)

    async def message(self, people: Sequence[int], source: str) -> Message:
        """Have the owner send a message."""
        self.clock.forward(seconds=1)
        return await outbox_messages.send(self.ctx, list(people), source)

    async def meet(self, actor: RemoteActor) -> Actor:
        """Know somebody, as after an earlier activity of theirs."""
        return await lookup.kept_actor(self.ctx, actor.uri)

    async def followed_by(self, actor: RemoteActor) -> Actor:
        """Have somebody follow the owner, accepted."""
        met = await self.meet(actor)
        uri = f"{actor.uri}/follows/1"
        await self.ctx.db.write(
            lambda tx: followers.put(tx, met.id, uri, "accepted", self.clock.now)
        )
        return met

    async def follow(self, actor: RemoteActor) -> Actor:
        """Have the owner follow somebody, accepted."""
        met = await self.meet(actor)
        uri = f"{US}/follows/{actor.username}"
        await self.ctx.db.write(
            lambda tx: following.put(tx, met.id, uri, "accepted", self.clock.now)
        )
        return met

    async def theirs(self, author: RemoteActor, **fields: Any) -> str:
        """Have a post of somebody else's arrive; it mentions the owner. Return its id."""
        self.clock.forward(seconds=1)
        self._written += 1
        uri = f"{author.uri}/notes/{self._written}"
        note = {
            "id": uri,
            "type": "Note",
            "attributedTo": author.uri,
            "content": f"<p>post {self._written}</p>",
            "published": self.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "to": [AS2_PUBLIC],
            "cc": [US],
            "tag": [{"type": "Mention", "href": US, "name": f"@{HANDLE}@us.example"}],
        } | fields
        await self.deliver(
            author,
            {
                "@context": AS2,
                "id": f"{uri}/create",
                "type": "Create",
                "actor": author.uri,
                "to": note["to"],
                "cc": note["cc"],
                "object": note,
            },
        )
        return uri

    async def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that is in the database."""

        def question(reader: Reader) -> dict[str, list[tuple[Any, ...]]]:
            names = [row["name"] for row in reader.all(_TABLES)]
            return {
                name: [tuple(row) for row in reader.all(f'SELECT * FROM "{name}"')]  # noqa: S608
                for name in names
            }

        return await self.ctx.db.read(question)

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        return len((await self.rows())[table])


@dataclass(frozen=True)
class Lived:
    """A directory right after its setup, and what only its owner knows."""

    files: dict[str, bytes]
    secret: str
    recovery_codes: tuple[str, ...]


# Keys and the hash of a password take half a second: they are made once for each kind of server.
_lived: dict[tuple[str, str, int], Lived] = {}


async def _set_up(config: Config) -> Lived:
    """Set up a server like that of `config`, elsewhere, once."""
    kind = (config.base_url, config.domain, config.limits.disk_budget_gb)
    if kind not in _lived:
        with tempfile.TemporaryDirectory() as directory:
            there = replace(config, data_dir=Path(directory) / "data")
            async with start.running(there, now=lambda: NOON) as ctx:
                made = await setup.make_owner(
                    ctx.db, there, handle=HANDLE, name="Maya", password=PASSWORD, now=NOON
                )
            files = {
                path.name: path.read_bytes() for path in there.data_dir.iterdir() if path.is_file()
            }
        factors = made.factors
        _lived[kind] = Lived(files, factors.totp_secret, factors.recovery_codes)
    return _lived[kind]


@contextlib.asynccontextmanager
async def an_app(
    tmp_path: Path, *, with_owner: bool = True, base_url: str = BASE_URL, **settings: Any
) -> AsyncIterator[App]:
    """Run the server in `tmp_path / "data"`; `settings` are those of Config."""
    data_dir = tmp_path / "data"
    config = Config(base_url=base_url, data_dir=data_dir, **settings)
    clock = Clock()
    lived = Lived({}, "", ())
    if with_owner and not data_dir.exists():
        lived = await _set_up(config)
        data_dir.mkdir(mode=0o700, parents=True)
        for name, data in lived.files.items():
            (data_dir / name).write_bytes(data)
            (data_dir / name).chmod(0o600)
    async with another_server() as world:
        remote = world.remote(own_host=config.hostname, development=config.federation.development)
        asgi = create_app(config, remote=remote, now=clock, work=False)
        async with asgi.router.lifespan_context(asgi):
            ctx: Context = asgi.state.ctx
            transport = httpx2.ASGITransport(
                app=asgi, raise_app_exceptions=False, client=("192.0.2.1", 40000)
            )
            async with httpx2.AsyncClient(
                transport=transport, base_url=base_url, headers=PAGE
            ) as client:
                app = App(
                    asgi, ctx, world, client, clock, lived.secret, lived.recovery_codes, data_dir
                )
                try:
                    yield app
                finally:
                    for browser in app._browsers:
                        await browser.aclose()


def texts(answer: httpx2.Response) -> str:
    """What a person reads on a page: its text without the markup."""
    body = re.sub(r"(?s)<(script|style)\b.*?</\1>", "", answer.text)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", body)))
