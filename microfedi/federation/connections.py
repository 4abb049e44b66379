"""How a connection to another server comes about: resolve, check, dial, TLS.

This is the one place where a socket to the outside is opened, and the check stands directly before
it: what was checked is an address, and that address is dialled, so a name that changes its answer
in between gains nothing. `remote` says what is asked over these connections.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

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
MAX_RESOLVER_THREADS = 16
# Bytes buffered before the other side has to wait.
BUFFER_BYTES = 64 * 1024


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


class GuardedNetwork(httpcore2.AsyncNetworkBackend):
    """The network as our HTTP engine sees it: only public addresses are in it.

    In development every address is.
    """

    def __init__(self, *, development: bool, resolve: Resolver, dial: Dial) -> None:
        self._development = development
        self._resolve = resolve
        self._dial = dial

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (the interface's; ours is one deadline)
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address of `host` that answers.

        Raises: ForbiddenAddress if one of its addresses is not public; RemoteError if there is
        none or none answers.
        """
        last_problem: OSError | None = None
        for ip in await self._checked_addresses(host, port):
            try:
                async with asyncio.timeout(MAX_DIAL_S):
                    return _Stream(await self._dial(ip, port))
            except OSError as problem:  # TimeoutError is one
                last_problem = problem
        raise RemoteError(f"{host} could not be reached") from last_problem

    async def _checked_addresses(self, host: str, port: int) -> list[str]:
        if netguard.literal_address(host) is not None:
            found = [host]
        else:
            try:
                found = await self._resolve(host, port)
            except (OSError, UnicodeError) as problem:
                raise RemoteError(f"{host} has no address") from problem
        # All of them: a name that is public and private at once is no mistake of an honest server.
        if not self._development and not all(netguard.is_public_address(ip) for ip in found):
            raise ForbiddenAddress(f"{host} has an address that is not public")
        return found[:MAX_ADDRESSES]


class _Stream(httpcore2.AsyncNetworkStream):
    """A connected socket, with TLS as soon as `start_tls` was called."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._unsent: list[bytes] = []

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore2.AsyncNetworkStream:
        await self._open(ssl_context, server_hostname)
        return self

    async def _open(self, context: ssl.SSLContext | None, host: str | None) -> asyncio.StreamReader:
        try:
            self._reader, self._writer = await asyncio.open_connection(
                sock=self._sock,
                ssl=context,
                server_hostname=host if context else None,
                limit=BUFFER_BYTES,
            )
        except BaseException as problem:
            self._sock.close()
            if isinstance(problem, ssl.SSLCertVerificationError):
                raise RemoteError(f"{host}: {problem.verify_message}") from problem
            if isinstance(problem, OSError):
                raise RemoteError(f"{host} did not complete TLS") from problem
            raise
        return self._reader

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> None:
        # Headers and body come in separate calls and leave in one packet, with the next read.
        self._unsent.append(buffer)

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> bytes:
        reader = self._reader or await self._open(None, None)
        if self._unsent and self._writer is not None:
            # Not drained: all of it is in memory anyway, and a server that answers 413 without
            # reading it must be heard.
            self._writer.write(b"".join(self._unsent))
            self._unsent.clear()
        try:
            return await reader.read(max_bytes)
        except OSError as problem:
            raise httpcore2.ReadError(str(problem)) from problem

    async def aclose(self) -> None:
        # Everything we wanted has been read: no farewell, nothing to wait for.
        if self._writer is None:
            self._sock.close()
        else:
            with contextlib.suppress(OSError):
                self._writer.transport.abort()

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object" and self._writer is not None:
            return self._writer.get_extra_info("ssl_object")
        if info == "is_readable":  # asked of idle connections: has the other side hung up?
            return self._reader is None or self._reader.at_eof()
        return None
