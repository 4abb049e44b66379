"""A server to measure: a real process with a prepared database, and what it costs."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pyotp

from bench.world import Author
from microfedi import config as configuration
from microfedi.account import setup
from microfedi.app import create_app
from microfedi.config import Config
from microfedi.federation.context import Context
from microfedi.federation.inbox import HANDLERS
from microfedi.federation.start import prepare
from microfedi.federation.visibility import OWNER
from microfedi.protocol import activities, loads, sanitize, vocab
from microfedi.protocol.vocab import Visibility
from microfedi.storage import actors, database, followers, following, notes, owner, timeline
from microfedi.storage.database import Params, Reader, Transaction
from microfedi.web import thread

HANDLE = "bench"
PASSWORD = "nine violet tractors hum"
_TICK = os.sysconf("SC_CLK_TCK")
READY_S = 20.0  # seconds that a start may take before we give up


@dataclass
class Server:
    """One process under measurement."""

    directory: Path
    port: int
    ca_file: Path | None = None
    totp_secret: str = ""
    recovery_codes: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    client: httpx2.AsyncClient = field(default_factory=httpx2.AsyncClient)

    @property
    def base_url(self) -> str:
        return f"http://me.localhost:{self.port}"

    @property
    def address(self) -> str:
        """Where it listens, for clients that do not know the names."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Host": f"me.localhost:{self.port}"}

    @property
    def config(self) -> Config:
        return configuration.parse(self._settings())

    def _settings(self) -> str:
        return (
            f'base_url = "{self.base_url}"\nlisten = "127.0.0.1:{self.port}"\n'
            f'data_dir = "{self.directory}"\n[federation]\ndevelopment = true\n'
        )

    async def make(self) -> None:
        """Make the directory with its owner."""
        sealer = prepare(self.config)
        async with database.opened(self.config.database_file, sealer) as db:
            await setup.ensure_instance(db, self.config, datetime.now(UTC))
            made = await setup.make_owner(
                db,
                self.config,
                handle=HANDLE,
                name="Bench",
                password=PASSWORD,
                now=datetime.now(UTC),
            )
        self.totp_secret = made.factors.totp_secret
        self.recovery_codes = tuple(made.factors.recovery_codes)
        (self.directory / "config.toml").write_text(self._settings())

    async def fill(
        self,
        *,
        followed: Iterable[Author] = (),
        follower_inboxes: Iterable[str] = (),
        posts: int = 0,
    ) -> None:
        """Put people and posts into the database, by the storage's own functions."""
        now = datetime.now(UTC)
        authors = list(followed)
        sealer = prepare(self.config)
        async with database.opened(self.config.database_file, sealer) as db:

            def people(tx: Transaction) -> list[int]:
                kept = []
                for author in authors:
                    key = vocab.PublicKey(author.key.uri, author.uri, "rsa", author.key.public_pem)
                    actor = vocab.Actor(
                        uri=author.uri,
                        inbox=f"{author.uri}/inbox",
                        preferred_username=author.uri.rsplit("/", 1)[1],
                        followers=f"{author.uri}/followers",
                        keys=(key,),
                    )
                    one = actors.keep(tx, actor, handle=None, now=now)
                    following.put(tx, one.id, f"{self.base_url}/f/{one.id}", "accepted", now)
                    kept.append(one.id)
                for inbox in follower_inboxes:
                    uri = inbox.removesuffix("/inbox")
                    one = actors.keep(
                        tx,
                        vocab.Actor(uri=uri, inbox=inbox, preferred_username="f"),
                        handle=None,
                        now=now,
                    )
                    followers.put(tx, one.id, f"{uri}/follows/1", "accepted", now)
                return kept

            kept = await db.write(people)
            html = sanitize.own("<p>" + "A post that stood there before. " * 8 + "</p>")
            for start in range(0, posts, 500):

                def some(tx: Transaction, start: int = start) -> None:
                    for number in range(start, min(start + 500, posts)):
                        at = now - timedelta(minutes=posts - number)
                        index = number % len(authors)
                        note, _ = notes.keep(
                            tx,
                            vocab.Note(
                                uri=f"{authors[index].uri}/old/{number}",
                                attributed_to=authors[index].uri,
                                content=str(html),
                                to=(vocab.PUBLIC,),
                                published=at,
                            ),
                            actor_id=kept[index],
                            visibility=Visibility.PUBLIC,
                            html=html,
                            now=at,
                        ) or (None, False)
                        if note is not None:
                            timeline.add(tx, note_id=note.id, at=at)

                await db.write(some)

    async def fill_thread(self, authors: list[Author], posts: int) -> int:
        """Put a thread into the database; return the row id of its first post.

        Every post answers the one before it or one of the first, some have a picture, a warning or
        a poll.
        """
        now = datetime.now(UTC)
        html = sanitize.own("<p>" + "An answer in a long thread. " * 6 + "</p>")
        sealer = prepare(self.config)
        async with database.opened(self.config.database_file, sealer) as db:

            def change(tx: Transaction) -> int:
                made: list[notes.Note] = []
                for number in range(posts):
                    author = authors[number % len(authors)]
                    kept = actors.by_uri(tx, author.uri)
                    parent = made[number // 3 if number % 2 else number - 1] if made else None
                    picture = vocab.Attachment(f"{author.uri}/{number}.png", "image/png", "A view")
                    poll = vocab.Poll((vocab.Option("Yes", 3), vocab.Option("No", 1)))
                    found = kept and notes.keep(
                        tx,
                        vocab.Note(
                            uri=f"{author.uri}/thread/{number}",
                            attributed_to=author.uri,
                            type="Note" if number % 20 else "Question",
                            content=str(html),
                            summary="" if number % 10 else "Long",
                            to=(vocab.PUBLIC,),
                            in_reply_to=parent.uri if parent else None,
                            published=now - timedelta(minutes=posts - number),
                            attachments=() if number % 5 else (picture,),
                            poll=None if number % 20 else poll,
                        ),
                        actor_id=kept.id,
                        visibility=Visibility.PUBLIC,
                        html=html,
                        now=now,
                    )
                    if found:
                        made.append(found[0])
                return made[0].id

            return await db.write(change)

    async def queries_of_thread(self, note_id: int) -> int:
        """Return how many questions a page of a thread asks."""

        class Counting(Reader):
            asked = 0

            def one(self, sql: str, params: Params = ()) -> sqlite3.Row | None:
                Counting.asked += 1
                return super().one(sql, params)

            def all(self, sql: str, params: Params = ()) -> list[sqlite3.Row]:
                Counting.asked += 1
                return super().all(sql, params)

            def value(self, sql: str, params: Params = ()) -> Any:
                Counting.asked += 1
                return super().value(sql, params)

        def question(reader: Reader) -> None:
            note = notes.by_id(reader, note_id)
            who = owner.load(reader)
            if note is None or who is None:
                raise RuntimeError("the thread is not there")
            counting = Counting(reader._connection, reader.sealer)
            thread.read(counting, note, who, OWNER)

        async with database.opened(self.config.database_file, prepare(self.config)) as db:
            await db.read(question)
        return Counting.asked

    async def store(self, authors: list[Author], posts: int) -> float:
        """Have posts read and handled in this process; return the CPU time of each, in ms."""
        app = create_app(self.config, work=False)
        async with app.router.lifespan_context(app):
            ctx: Context = app.state.ctx
            bodies = [
                authors[number % len(authors)].post(f"{self.base_url}/inbox")[0]
                for number in range(posts)
            ]

            async def one(body: bytes) -> None:
                activity = activities.read(loads.document(body))

                def change(tx: Transaction) -> None:
                    sender = actors.by_uri(tx, activity.actor_uri)
                    if sender is None:
                        raise RuntimeError("the author is not there")
                    HANDLERS[type(activity)].apply(ctx, tx, activity, sender)

                await ctx.db.write(change)

            began = time.process_time()
            waiting = iter(bodies)

            async def some() -> None:
                for body in waiting:
                    await one(body)

            await asyncio.gather(*(some() for _ in range(32)))
            return (time.process_time() - began) * 1000 / posts

    async def start(self) -> float:
        """Start it; return the seconds until the first 200."""
        environment = dict(os.environ)
        if self.ca_file is not None:
            environment["SSL_CERT_FILE"] = str(self.ca_file)
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "microfedi", "--config", "config.toml", "serve"],
            cwd=self.directory,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=(self.directory / "log").open("wb"),
        )
        while time.perf_counter() - began < READY_S:
            try:
                answer = await self.client.get(self.address + "/healthz", headers=self.headers)
                if answer.status_code == 200:
                    return time.perf_counter() - began
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.01)
        raise RuntimeError(
            f"the server did not start: {(self.directory / 'log').read_text()[-2000:]}"
        )

    async def stop(self) -> None:
        """End it, by its process id."""
        await self.client.aclose()
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    async def log_in(self, code: str = "") -> None:
        """Log in through the form, as a browser does; with the present code if none is given."""
        page = await self.client.get(self.address + "/login", headers=self.headers)
        form = {
            "csrf": csrf_in(page.text),
            "next": "/home",
            "password": PASSWORD,
            "code": code or pyotp.TOTP(self.totp_secret).now(),
        }
        answer = await self.client.post(self.address + "/login", data=form, headers=self.headers)
        if answer.status_code != 303:
            raise RuntimeError(f"login answered {answer.status_code}")

    def cpu_ms(self) -> float:
        """CPU time that the process has used so far, its children's too."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(int(value) for value in fields[11:15]) * 1000 / _TICK

    def resident_mb(self) -> float:
        """Resident memory."""
        return self._status_mb("VmRSS")

    def peak_mb(self) -> float:
        """The most resident memory since the start, or since `forget_peak`."""
        return self._status_mb("VmHWM")

    def forget_peak(self) -> None:
        """Let the peak begin with what is resident now."""
        Path(f"/proc/{self._pid}/clear_refs").write_text("5")

    def _status_mb(self, name: str) -> float:
        for line in Path(f"/proc/{self._pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
        return 0.0

    @property
    def _pid(self) -> int:
        assert self.process is not None
        return self.process.pid


def csrf_in(html: str) -> str:
    """Read a form's token out of a page."""
    return html.partition('name="csrf" value="')[2].partition('"')[0]


def report(name: str, **figures: float | str) -> None:
    """Print a line of figures."""
    shown = {
        key: round(value, 3) if isinstance(value, float) else value
        for key, value in figures.items()
    }
    print(json.dumps({"bench": name, **shown}), flush=True)
