"""Two small servers on this machine that talk with each other: the quickest way to see the thing.

Everything goes the way it does for real: two processes, the command line, the pages' forms. An
`Instance` is also what the end-to-end tests start.
"""

import asyncio
import contextlib
import html
import http.client
import json
import re
import secrets
import shutil
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pyotp

from microfedi.account.totp import STEP_S, STEPS_AROUND
from microfedi.errors import ConfigError, MicrofediError
from microfedi.serving import is_served

START_S = 20.0  # seconds until a server must answer: hundred times what it takes
STOP_S = 10.0  # seconds until a server must have ended; it gives itself five
PATIENCE_S = 30.0  # seconds until what one of them did must be seen at the other
POLL_S = 0.1  # seconds between two looks
REQUEST_S = 20.0  # seconds for one page; looking somebody up waits for the other server
CODE_MARGIN_S = 10  # seconds that a code we hand out is good for at least

PORTS = {"alice": 8001, "bob": 8002}  # if they are free

_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class DemoError(MicrofediError):
    """A server of the demo did not do what it should; the message says what was seen."""


@dataclass(slots=True)
class Instance:
    """A server of its own: a directory, an owner, a child process.

    `await prepare()` once, then `start`, `stop` and `kill9` as often as needed. With port 0 a free
    one is taken. `settings` are more lines of TOML for its config.toml.
    """

    name: str
    directory: Path
    port: int = 0
    settings: str = ""
    password: str = field(default_factory=lambda: secrets.token_urlsafe(15))
    totp_secret: str = ""
    recovery_codes: tuple[str, ...] = ()
    process: asyncio.subprocess.Process | None = None
    _last_step: int = 0

    @property
    def host(self) -> str:
        """Its host with the port. Each has a name of its own: ports of one name share cookies."""
        return f"{self.name}.localhost:{self.port}"

    @property
    def base_url(self) -> str:
        """Where it answers."""
        return f"http://{self.host}"

    @property
    def handle(self) -> str:
        """The owner's address, @name@host."""
        return f"@{self.name}@{self.host}"

    @property
    def config_file(self) -> Path:
        """Its settings."""
        return self.directory / "config.toml"

    @property
    def data_dir(self) -> Path:
        """Its data."""
        return self.directory / "data"

    @property
    def log_file(self) -> Path:
        """What it said."""
        return self.directory / "log"

    async def prepare(self) -> None:
        """Write its settings and make its owner.

        Raises: DemoError if that fails.
        """
        self.configure()
        init = await asyncio.create_subprocess_exec(
            *self.command("init", "--json", "--handle", self.name, "--name", self.name.title()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, problem = await init.communicate(f"{self.password}\n".encode())
        if init.returncode != 0:
            raise DemoError(f"init of {self.name} failed: {problem.decode(errors='replace')}")
        made = json.loads(out)
        self.totp_secret = made["totp_secret"]
        self.recovery_codes = tuple(made["recovery_codes"])

    def configure(self) -> None:
        """Write its settings; whoever gets its setup link becomes its owner."""
        self.port = self.port or free_port()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.config_file.write_text(
            f"base_url = {json.dumps(self.base_url)}\n"
            f'listen = "127.0.0.1:{self.port}"\n'
            f"data_dir = {json.dumps(str(self.data_dir.resolve()))}\n"
            f"{self.settings}\n"
            "[federation]\ndevelopment = true\n",
            "utf-8",
        )

    async def start(self) -> None:
        """Start it, and wait until it answers.

        Raises: DemoError if it does not, with the end of its log.
        """
        with self.log_file.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command("serve"), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )
        until = time.monotonic() + START_S
        while not await self._answers():
            if self.process.returncode is not None or time.monotonic() > until:
                await self.kill9()
                raise DemoError(f"{self.name} did not start: {self.log()[-2000:]}")
            await asyncio.sleep(POLL_S / 4)

    async def stop(self) -> int:
        """End it as the system would, and return what it ended with; 0 is well."""
        if self.process is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            code = await asyncio.wait_for(self.process.wait(), STOP_S)
        except TimeoutError:
            await self.kill9()
            raise DemoError(f"{self.name} did not stop: {self.log()[-2000:]}") from None
        self.process = None
        return code

    async def kill9(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
            self.process = None

    def log(self) -> str:
        """Everything it said so far."""
        return self.log_file.read_text("utf-8", "replace") if self.log_file.exists() else ""

    def totp_code(self) -> str:
        """Return a code that was not used before and can be typed now.

        Each can be used once, and codes around the present one are good, too: so nobody waits,
        for two or three codes.

        Raises: DemoError if they are used up for now.
        """
        now = time.time()
        first = int((now + CODE_MARGIN_S) // STEP_S) - STEPS_AROUND
        step = max(first, self._last_step + 1)
        if step > int(now // STEP_S) + STEPS_AROUND:
            raise DemoError("the codes of this minute are used up")
        self._last_step = step
        return pyotp.TOTP(self.totp_secret).generate_otp(step)

    def command(self, *arguments: str) -> list[str]:
        """Return the command line that does something with it."""
        return [sys.executable, "-m", "microfedi", "--config", str(self.config_file), *arguments]

    async def _answers(self) -> bool:
        try:
            return (await asyncio.to_thread(_ask, self.port, "GET", "/healthz", {})).status == 200
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page answered with."""

    status: int
    headers: Mapping[str, str]  # the last of each name, in lower case
    cookies: Mapping[str, str]
    text: str


@dataclass(slots=True)
class Visitor:
    """Somebody with a browser: keeps cookies, fills in forms, follows no redirect unasked."""

    instance: Instance
    cookies: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str) -> Answer:
        """Open a page; one that opens where one stopped, there."""
        answer = await self._send("GET", path, None)
        place = answer.headers.get("location", "").partition("#")[0]
        if answer.status == 303 and place.startswith(f"{path}?"):
            return await self._send("GET", place, None)
        return answer

    async def submit(self, page: str, action: str, **fields: str) -> Answer:
        """Open `page`, and send its form for `action` filled in with `fields`.

        Raises: DemoError if there is no such form, or the answer is no redirect.
        """
        shown = await self.get(page)
        token = _CSRF.search(shown.text)
        if token is None or f'action="{html.escape(action)}"' not in shown.text:
            raise DemoError(f"{self.instance.host}{page} has no form for {action}")
        answer = await self._send("POST", action, {"csrf": html.unescape(token[1]), **fields})
        if answer.status != 303:
            raise DemoError(f"{self.instance.host}{action} answered {answer.status}")
        return answer

    async def log_in(self) -> None:
        """Password and code, as the owner."""
        await self.submit(
            "/login",
            "/login",
            password=self.instance.password,
            code=self.instance.totp_code(),
            next="/home",
        )

    async def until_shown(self, page: str, text: str) -> str:
        """Look at `page` until `text` stands there, and return the page.

        Raises: DemoError if it does not in time.
        """
        until = time.monotonic() + PATIENCE_S
        while True:
            shown = (await self.get(page)).text
            if text in html.unescape(shown):
                return shown
            if time.monotonic() > until:
                raise DemoError(f"{self.instance.host}{page} never showed {text!r}")
            await asyncio.sleep(POLL_S)

    async def find(self, address: str) -> str:
        """Look somebody up in the search box; return the path of their page."""
        answer = await self.submit("/search", "/search", q=address)
        return urlsplit(answer.headers["location"]).path

    async def follow(self, address: str) -> None:
        """Look somebody up and follow them, until they accepted."""
        path = await self.find(address)
        await self.submit(path, f"{path}/follow")
        await self.until_shown(path, "Unfollow")

    async def post(self, text: str, *, reply_to: str = "") -> None:
        """Write a public post; `reply_to` is the number of the post it answers."""
        page = f"/compose?reply_to={reply_to}" if reply_to else "/compose"
        answered = {"reply_to": reply_to} if reply_to else {}
        await self.submit(page, "/compose", source=text, visibility="public", **answered)

    async def message(self, address: str, text: str) -> None:
        """Write a message to one person, who is looked up and named before it goes."""
        person = (await self.find(address)).rpartition("/")[2]
        await self.submit("/messages/new", "/messages/new", to=address, source=text, person=person)

    async def _send(
        self, method: str, path: str, fields: Mapping[str, str | list[str]] | None
    ) -> Answer:
        headers = {
            "Host": self.instance.host,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        body = None
        if fields is not None:
            body = urlencode(fields, doseq=True)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Origin"] = self.instance.base_url
        answer = await asyncio.to_thread(_ask, self.instance.port, method, path, headers, body)
        self.cookies.update(answer.cookies)
        return answer


def _ask(
    port: int, method: str, path: str, headers: Mapping[str, str], body: str | None = None
) -> Answer:
    """One request to a server on this machine, whatever its name."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=REQUEST_S)
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=dict(headers))
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        given = [
            value.partition(";")[0].partition("=")
            for name, value in response.getheaders()
            if name.lower() == "set-cookie"
        ]
        return Answer(
            status=response.status,
            headers={name.lower(): value for name, value in response.getheaders()},
            cookies={name: value for name, _, value in given},
            text=text,
        )


def free_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _usual_port(name: str) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", PORTS[name]))
        except OSError:
            return free_port()
        return PORTS[name]


# --- the demo


async def run(directory: Path, *, say: Callable[[str], None], once: bool = False) -> None:
    """Start both, let them talk, say how to log in, and wait for Ctrl+C unless `once`.

    Raises: ConfigError if `directory` is in use or not ours; DemoError if they do not talk.
    """
    _clear(directory)
    alice, bob = (Instance(name, directory / name, _usual_port(name)) for name in PORTS)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, ended.set)
    try:
        await _until(ended, _both(alice, bob, say))
        if not ended.is_set():
            for instance in (alice, bob):
                for line in _card(instance):
                    say(line)
        if not once and not ended.is_set():
            say("Everything is in demo-data/. Ctrl+C ends both.")
            await ended.wait()
    finally:
        # One after the other, and the second even if the first does not want to.
        try:
            await alice.stop()
        finally:
            await bob.stop()


async def _until(ended: asyncio.Event, work: Awaitable[None]) -> None:
    """Do `work`, or as much of it as there is time for until `ended`."""
    doing = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(ended.wait())
    try:
        await asyncio.wait({doing, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
    finally:
        for task in (doing, waiting):
            task.cancel()
        await asyncio.gather(doing, waiting, return_exceptions=True)


async def _both(alice: Instance, bob: Instance, say: Callable[[str], None]) -> None:
    say("Starting two servers ...")
    for instance in (alice, bob):
        await instance.prepare()
        await instance.start()
    await talk(Visitor(alice), Visitor(bob), say)


async def talk(alice: Visitor, bob: Visitor, say: Callable[[str], None]) -> None:
    """The story: they follow each other, post, reply, and write a message.

    Raises: DemoError at the first thing that does not arrive.
    """
    await alice.log_in()
    await bob.log_in()
    await alice.follow(bob.instance.handle)
    await bob.follow(alice.instance.handle)
    say("They follow each other.")
    hello = "Hello! This is my own server, and it fits into one directory."
    await alice.post(hello)
    home = await bob.until_shown("/home", hello)
    say("Alice posted, and Bob sees it at Home.")
    answer = "Welcome, neighbour. Mine lives two ports away."
    await bob.post(f"{alice.instance.handle} {answer}", reply_to=_number_of(home, hello))
    await alice.until_shown("/notifications", answer)
    say("Bob replied, and Alice was told.")
    secret = "Shall we meet in the garden at six?"  # noqa: S105 - to a friend
    await alice.message(bob.instance.handle, secret)
    await bob.until_shown("/messages", secret)
    say("Alice wrote a message, and Bob has it among his messages.")


def _number_of(page: str, text: str) -> str:
    """Return the number of the post on `page` that says `text`."""
    for article in page.split("<article ")[1:]:
        number = re.search(r'id="n([0-9]+)"', article)
        if number is not None and text in html.unescape(article):
            return number[1]
    raise DemoError(f"no post on the page says {text!r}")


def _card(instance: Instance) -> list[str]:
    return [
        "",
        f"{instance.name.title()}: {instance.base_url}/login",
        f"  address    {instance.handle}",
        f"  password   {instance.password}",
        f"  code now   {pyotp.TOTP(instance.totp_secret).now()} (secret {instance.totp_secret})",
        f"  or a recovery code: {', '.join(instance.recovery_codes[:3])}",
        "",
    ]


def _clear(directory: Path) -> None:
    """Make room for a fresh demo, and take care not to delete anything else."""
    if directory.exists():
        strange = sorted({entry.name for entry in directory.iterdir()} - PORTS.keys())
        if strange:
            raise ConfigError(f"{directory} holds {strange[0]}, which is not of a demo; move it")
        if any(is_served(directory / name / "data") for name in PORTS):
            raise ConfigError(f"a demo is running on {directory} already")
        shutil.rmtree(directory)
    directory.mkdir(mode=0o700)
