"""The server as a process: its one lock, its socket, its log, its start and its end."""

import asyncio
import contextlib
import errno
import fcntl
import logging
import os
import resource
import signal
import socket
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from microfedi import __version__, config
from microfedi.account import setup
from microfedi.app import create_app
from microfedi.config import Config
from microfedi.errors import ConfigError
from microfedi.federation import start
from microfedi.federation.context import system_clock
from microfedi.storage import database

log = logging.getLogger(__name__)

LOCK_FILE = "lock"
UMASK = 0o077  # whatever we make is the owner's alone
SOCKET_MODE = 0o660  # the reverse proxy comes in by the group
BACKLOG = 1024  # connections that may wait to be accepted while the loop is busy
# Seconds that an idle connection is kept for the next request: longer than a proxy's own patience
# (nginx and Caddy keep theirs for 60 s and more), a proxy would else meet a closing door.
KEEP_ALIVE_S = 75
STOP_S = 5  # seconds that requests under way get at the end
# Request line and headers. Two signatures and a long cookie make 4 kB.
MAX_HEAD_BYTES = 64 * 1024
HEAD_S = 20.0  # seconds within which the head of a request must have come ...
BODY_S = 300.0  # ... and its body after that: four pictures over a slow line


def serve(settings: Config, say: Callable[[str], None] = print) -> None:
    """Serve until SIGTERM or Ctrl+C. `say` tells the person at the terminal what runs where.

    Raises: ConfigError if the directory belongs to another base URL, is served already, or the
    address cannot be listened on.
    """
    os.umask(UMASK)
    # A core dump would put the server key and everybody's messages into a file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    start_logging()
    with only_one(settings), _listening(settings.listen) as listener:
        link = asyncio.run(_ready(settings))
        for line in _greeting(settings, link):
            say(line)
        app = create_app(settings)
        server = _Server(
            app,
            uvicorn.Config(
                app,
                loop="uvloop",
                http=Protocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                # Who the client is, is decided by one function of ours from the proxies that the
                # owner trusts; uvicorn would trust whoever comes from this machine.
                proxy_headers=False,
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=STOP_S,
            ),
        )
        server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """Ends streams as soon as it is asked to stop, and ends well: not by the signal once more."""

    def __init__(self, app: Starlette, settings: uvicorn.Config) -> None:
        super().__init__(settings)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True
        ctx = getattr(self._app.state, "ctx", None)
        if ctx is not None:
            ctx.stopping.set()


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 that hangs up on a head without end and on whoever never finishes a request.

    The parser itself would collect and wait for ever. Behind a good proxy neither arrives here.
    """

    _in_head = True
    _heads = 0
    _head_bytes = 0
    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._within(HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        self._within(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self._heads
        super().data_received(data)
        if self._in_head and self._heads == before:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self.transport.write(_HEAD_TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        self._heads += 1
        if self._limit is None:
            self._within(HEAD_S)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._within(BODY_S)
        if not self.url.startswith(b"/"):
            # A whole URL names a host of its own, beside the Host header that is checked.
            self.send_400_response("a path was expected\n")
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._within(None)
        if not self.transport.is_closing():
            super().on_message_complete()

    def _within(self, seconds: float | None) -> None:
        """Hang up after `seconds` unless called again."""
        if self._limit is not None:
            self._limit.cancel()
        self._limit = None if seconds is None else self.loop.call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        self._limit = None
        self.transport.close()


_HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


@contextlib.contextmanager
def only_one(settings: Config) -> Iterator[None]:
    """Hold the data directory: two processes would send everything twice.

    Raises: ConfigError if another process holds it, or the directory cannot be used.
    """
    start.prepare(settings)
    path = settings.data_dir / LOCK_FILE
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(
                f"a microfedi is running on {settings.data_dir} already: end that one first, or "
                "choose another data_dir"
            ) from error
        yield


def is_served(data_dir: Path) -> bool:
    """True while a process holds the data directory (see `only_one`)."""
    path = data_dir / LOCK_FILE
    if not path.exists():
        return False
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


async def _ready(settings: Config) -> str | None:
    """Bring the directory into order; return a setup link if nobody lives here yet."""
    sealer = start.prepare(settings)
    async with database.opened(settings.database_file, sealer) as db:
        await setup.ensure_instance(db, settings, system_clock())
        if await db.read(setup.has_owner):
            return None
        return await setup.new_link(db, settings, system_clock())


def _greeting(settings: Config, link: str | None) -> Iterator[str]:
    where = settings.listen.removeprefix("unix:")
    yield f"microfedi {__version__} serves {settings.base_url} on {where}"
    yield f"Everything is kept in {settings.data_dir.resolve()}"
    if settings.is_trial:
        yield "This is a trial on this machine: it speaks with no other server."
    elif settings.federation.development:
        yield "Development: plain http and private addresses are allowed."
    if link is not None:
        yield ""
        yield "Nobody lives here yet. Within an hour, open this link; it works once:"
        yield f"  {link}"
        yield "(A new one: microfedi setup-link)"
        yield ""


@contextlib.contextmanager
def _listening(listen: str) -> Iterator[socket.socket]:
    """Open the socket that requests come in by; a unix socket goes away at the end."""
    try:
        if listen.startswith("unix:"):
            path = Path(listen.removeprefix("unix:"))
            with contextlib.closing(_unix_socket(path)) as listener:
                try:
                    yield listener
                finally:
                    path.unlink(missing_ok=True)
        else:
            with contextlib.closing(_tcp_socket(listen)) as listener:
                yield listener
    except OSError as error:
        if error.errno not in _NOT_LISTENING:
            raise
        raise ConfigError(f"cannot listen on {listen}: {os.strerror(error.errno)}") from error


_NOT_LISTENING = {
    errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM, errno.ENOENT,
    errno.ENAMETOOLONG, errno.EAFNOSUPPORT,
}  # fmt: skip


def _unix_socket(path: Path) -> socket.socket:
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
        path.unlink()  # left by a process that was killed; a living one holds the directory's lock
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(os.fspath(path))  # the umask keeps everybody out until it is opened
        path.chmod(SOCKET_MODE)
    except OSError:
        listener.close()
        raise
    return listener


def _tcp_socket(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    name = host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in name else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((name, int(port)))
    except OSError:
        listener.close()
        raise
    return listener


# --- the log


class OneLine(logging.Formatter):
    """One line a record, whatever is in it: nobody writes lines of his own into the log.

    >>> record = logging.LogRecord("a", logging.INFO, "", 1, "b\\nc\\x1b[2J", None, None)
    >>> OneLine("%(message)s").format(record)
    'b | c\\\\x1b[2J'
    """

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        lines = super().format(record).splitlines()
        return " | ".join(
            "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line) for line in lines
        )


def start_logging() -> None:
    """Log to stderr: INFO of ours, WARNING of others, whose INFO names addresses and statements."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("%(asctime)sZ %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(config.__name__.partition(".")[0]).setLevel(logging.INFO)
    logging.captureWarnings(True)
