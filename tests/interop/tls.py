"""TLS on loopback: a test CA, and what a reverse proxy does for a server that speaks plain http."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import trustme

PIECE_BYTES = 65536
START_S = 10.0


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA that only this test trusts. Paths of files, as other programs want them."""

    ca: Path
    certificate: Path  # without the .pem and .key

    def trusting(self) -> ssl.SSLContext:
        """Return what a client uses."""
        return ssl.create_default_context(cafile=str(self.ca))


def authority(directory: Path) -> Authority:
    """Make a CA and one certificate for everything on loopback."""
    ca = trustme.CA()
    found = Authority(directory / "ca.pem", directory / "loopback")
    ca.cert_pem.write_to_path(found.ca)
    issued = ca.issue_cert("localhost", "peer.localhost", "127.0.0.1")
    issued.private_key_pem.write_to_path(f"{found.certificate}.key")
    for pem in issued.cert_chain_pems:
        pem.write_to_path(f"{found.certificate}.pem", append=True)
    return found


@contextlib.contextmanager
def front(authority: Authority, *, port: int, upstream: int) -> Iterator[None]:
    """Take TLS off connections to `port` and pass on what is inside to `upstream`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(f"{authority.certificate}.pem", f"{authority.certificate}.key")
    is_up, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", upstream)
            await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        server = await asyncio.start_server(passed_on, "127.0.0.1", port, ssl=context)
        is_up.set()
        await stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert is_up.wait(START_S)
        yield
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(START_S)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    finally:
        writer.close()
