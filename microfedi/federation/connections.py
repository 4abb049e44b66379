"""How a connection to another server comes about: resolve, check, dial, TLS.

This is the one place where a socket to the outside is opened, and the check stands directly before
it: what was checked is an address, and that address is dialled, so a name that changes its answer
in between gains nothing. `remote` says what is asked over these connections.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import httpcore2

from microfedi.errors import ForbiddenAddress, RemoteError
from microfedi.protocol import netguard

# The addresses of a name, best first.
Resolver = Callable[[str, int], Awaitable[list[str]]]
# An address and a port -> a connected, non-blocking socket.
Dial = Callable[[str, int], Awaitable[socket.socket]]

# Seconds. The C library gives up after 10 to 30 s, which is a whole deadline.
MAX_RESOLVE_S = 5.0
# Seconds for one address of several, so that an address that swallows packets leaves time for the
# next one within the deadline.
MAX_DIAL_S = 4.0
# Addresses tried per connection.
MAX_ADDRESSES = 4
# Lookups at once. A lookup holds a thread until the C library gives up; names that hang must not
# make the others wait.
MAX_RESOLVER_THREADS = 64
# Connections in use at once. More than both lanes of delivery together (128), so that servers that
# hang keep nobody else from one. Whoever waits for one does so within the deadline.
MAX_CONNECTIONS = 192
MAX_IDLE_CONNECTIONS = 20
# Seconds. Shorter than the 5 s after which common servers hang up, so that a request seldom meets
# a connection that is just being closed.
IDLE_S = 4.0
# Bytes that come before a body. Honest servers send 1 to 8 kB; of answers that only say "wait"
# (1xx) others could send without end, and each costs time.
MAX_HEAD_BYTES = 64 * 1024
_HEAD_PIECE_BYTES = 4096  # read of it at once


def system_resolver() -> Resolver:
    """Make a resolver that asks the system, in threads of its own.

    It raises OSError if there is no answer, TimeoutError after `MAX_RESOLVE_S`.
    """
    threads = ThreadPoolExecutor(MAX_RESOLVER_THREADS, thread_name_prefix="resolver")

    def lookup(host: str, port: int) -> list[str]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))

    async def resolve(host: str, port: int) -> list[str]:
        async with asyncio.timeout(MAX_RESOLVE_S):
            return await asyncio.get_running_loop().run_in_executor(threads, lookup, host, port)

    return resolve


def development_resolver() -> Resolver:
    """Make a resolver that knows every `*.localhost` as 127.0.0.1 and asks the system otherwise.

    Not every system resolves names below localhost, and the demo's servers need one each, since
    ports of one host would share cookies.
    """
    system = system_resolver()

    async def resolve(host: str, port: int) -> list[str]:
        if host == "localhost" or host.endswith(".localhost"):
            return ["127.0.0.1"]
        return await system(host, port)

    return resolve


async def dial(ip: str, port: int) -> socket.socket:
    """Connect to an address that was checked. Raises: OSError."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, (ip, port))
    except BaseException:
        sock.close()
        raise
    return sock


class Connections:
    """Guarded connections, kept for a moment after use, since deliveries come in bursts.

    One request at a time on each: HTTP/1.1. Only addresses that `netguard` calls public are
    dialled; in development every address is.
    """

    def __init__(
        self,
        *,
        development: bool,
        ssl_context: ssl.SSLContext,
        resolve: Resolver,
        dial: Dial,
    ) -> None:
        ssl_context.set_alpn_protocols(["http/1.1"])
        self._development = development
        self._ssl_context = ssl_context
        self._resolve = resolve
        self._dial = dial
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)
        self._idle: list[_Connection] = []  # the longest idle first

    async def close(self) -> None:
        """Close the connections that are not in use."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await connection.aclose()

    @contextlib.asynccontextmanager
    async def send(self, request: httpcore2.Request) -> AsyncIterator[httpcore2.Response]:
        """Send a request and hand out the answer, whose body is read inside the `async with`.

        Raises: ForbiddenAddress if the host has an address that is not public; RemoteError if
        nothing answers there, or not in HTTP over TLS.
        """
        origin = request.url.origin
        async with self._slots:
            response = None
            if connection := await self._take_idle(origin):
                # It may have been closed in this very moment; then a new one is made. Everything
                # we send can be sent twice: activities are told apart by their ids.
                with contextlib.suppress(httpcore2.NetworkError, httpcore2.ProtocolError):
                    response = await connection.ask(request)
            if connection is None or response is None:
                stream = await self._connect(origin)
                connection = _Connection(origin, stream)
                with as_remote_errors(request.url.host.decode()):
                    response = await connection.ask(request)
            try:
                yield response
            finally:
                await response.aclose()  # closes the connection unless the body was read to its end
                if connection.is_idle():
                    await self._keep(connection)

    async def _take_idle(self, origin: httpcore2.Origin) -> "_Connection | None":
        for connection in reversed(self._idle):
            if connection.can_handle_request(origin):
                self._idle.remove(connection)
                if not connection.has_expired():
                    return connection
                await connection.aclose()
        return None

    async def _keep(self, connection: "_Connection") -> None:
        self._idle.append(connection)
        while self._idle and (
            len(self._idle) > MAX_IDLE_CONNECTIONS or self._idle[0].has_expired()
        ):
            await self._idle.pop(0).aclose()

    async def _connect(self, origin: httpcore2.Origin) -> "_Stream":
        host = origin.host.decode("ascii")
        context = self._ssl_context if origin.scheme == b"https" else None
        problem: OSError | None = None
        for ip in await self._checked_addresses(host, origin.port):
            try:
                async with asyncio.timeout(MAX_DIAL_S):
                    sock = await self._dial(ip, origin.port)
            except OSError as error:  # TimeoutError is one
                problem = error
                continue
            return await _Stream.open(sock, context, host)
        raise RemoteError(
            "%(host)s could not be reached", host=host, why="unreachable"
        ) from problem

    async def _checked_addresses(self, host: str, port: int) -> list[str]:
        if netguard.literal_address(host) is not None:
            found = [host]
        else:
            try:
                found = await self._resolve(host, port)
            except (OSError, UnicodeError) as problem:
                raise RemoteError("%(host)s has no address", host=host, why="dns") from problem
        # All of them: a name that is public and private at once is no mistake of an honest server.
        if not self._development and not all(netguard.is_public_address(ip) for ip in found):
            raise ForbiddenAddress("%(host)s has an address that is not public", host=host)
        return found[:MAX_ADDRESSES]


class _Connection(httpcore2.AsyncHTTP11Connection):
    """One connection, and how much may come on it before a body does."""

    def __init__(self, origin: httpcore2.Origin, stream: "_Stream") -> None:
        super().__init__(origin, stream, IDLE_S)
        self._stream = stream

    async def ask(self, request: httpcore2.Request) -> httpcore2.Response:
        """Send a request; return the answer once its head is there."""
        with self._stream.reading_head():
            return await self.handle_async_request(request)


class _Stream(httpcore2.AsyncNetworkStream):
    """A connection as the HTTP engine sees it: bytes to write and to read."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._unsent: list[bytes] = []
        self._head_left: int | None = None  # bytes; None while a body is read

    @classmethod
    async def open(cls, sock: socket.socket, context: ssl.SSLContext | None, host: str) -> Self:
        """Begin TLS, verifying the certificate for `host` (without a context: plain text)."""
        try:
            reader, writer = await asyncio.open_connection(
                sock=sock, ssl=context, server_hostname=host if context else None
            )
        except BaseException as problem:
            sock.close()
            if isinstance(problem, ssl.SSLCertVerificationError):
                raise RemoteError(
                    "%(host)s: %(verify_message)s",
                    host=host,
                    verify_message=problem.verify_message,
                    why="tls",
                ) from problem
            if isinstance(problem, OSError):
                raise RemoteError(
                    "%(host)s did not complete TLS", host=host, why="tls"
                ) from problem
            raise
        return cls(reader, writer)

    @contextlib.contextmanager
    def reading_head(self) -> Iterator[None]:
        """Take so much until an answer's head is whole."""
        self._head_left = MAX_HEAD_BYTES
        try:
            yield
        finally:
            self._head_left = None

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109 (the interface's; ours is one deadline)
    ) -> None:
        # Headers and body come in separate calls and leave in one packet, with the next read.
        self._unsent.append(buffer)

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the interface's; ours is one deadline)
    ) -> bytes:
        try:
            if self._unsent:
                # Not drained: all of it is in memory anyway, and a server that answers 413
                # without reading it must be heard.
                self._writer.write(b"".join(self._unsent))
                self._unsent.clear()
            if self._head_left is None:
                data = await self._reader.read(max_bytes)
            else:
                data = await self._reader.read(min(max_bytes, _HEAD_PIECE_BYTES))
                self._head_left -= len(data)
        except OSError as problem:
            raise httpcore2.ReadError(str(problem)) from problem
        if self._head_left is not None and self._head_left < 0:
            raise httpcore2.RemoteProtocolError(f"a head of more than {MAX_HEAD_BYTES} bytes")
        # What is there already is handed out at once: whoever sends fast must not keep others out.
        await asyncio.sleep(0)
        return data

    async def aclose(self) -> None:
        # Everything we wanted has been read: no farewell, nothing to wait for.
        self._writer.transport.abort()

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # asked of idle connections: has the other side hung up?
            return self._reader.at_eof() or self._reader.exception() is not None
        if info == "ssl_object":  # asked by the doctor: how long is the certificate good for?
            return self._writer.get_extra_info("ssl_object")
        return None


@contextlib.contextmanager
def as_remote_errors(host: str) -> Iterator[None]:
    """Turn what the HTTP engine raises into RemoteError."""
    try:
        yield
    except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as problem:
        raise RemoteError(
            "%(host)s: %(problem)s", host=host, problem=problem or type(problem).__name__
        ) from problem
