"""Requests that never end: the server hangs up, and serves everybody else meanwhile."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from microfedi import serving
from microfedi.demo import Instance

PATIENCE_S = 10.0
KINDS = {"/inbox": "application/activity+json", "/login": "application/x-www-form-urlencoded"}
HEAD = b"POST / HTTP/1.1\r\nHost: us.example\r\n"


async def echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server with our protocol around the smallest of apps."""
    app = Starlette(routes=[Route("/", echo, methods=["POST"])])
    config = uvicorn.Config(app, http=serving.Protocol, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[listener])
        try:
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            try:
                yield reader, writer
            finally:
                writer.close()
        finally:
            await server.shutdown(sockets=[listener])


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Everything until the server hangs up."""
    with contextlib.suppress(ConnectionResetError):
        return await asyncio.wait_for(reader.read(), PATIENCE_S)
    return b""


async def test_a_head_without_end_is_refused() -> None:
    async with connected() as (reader, writer):
        writer.write(HEAD + b"X-Long: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                writer.write(b"a" * serving.MAX_HEAD_BYTES)
                await writer.drain()

        answer = await rest(reader)

    # Whoever goes on sending may lose the answer with the connection.
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("target", ["http://evil.example/", "https://us.example/", "*", "evil"])
async def test_s_131_a_target_that_is_no_path_is_refused(target: str) -> None:
    async with connected() as (reader, writer):
        head = f"POST {target} HTTP/1.1\r\nHost: us.example\r\nContent-Length: 2\r\n\r\nhi"
        writer.write(head.encode())
        await writer.drain()

        answer = await rest(reader)

    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_a_head_in_small_pieces_is_counted_whole() -> None:
    async with connected() as (reader, writer):
        writer.write(HEAD)
        with contextlib.suppress(ConnectionError):
            for number in range(2000):
                writer.write(b"X-%d: %s\r\n" % (number, b"a" * 1000))
                await writer.drain()

        answer = await rest(reader)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")


async def test_a_large_body_is_not_taken_for_a_head() -> None:
    size = 3 * serving.MAX_HEAD_BYTES
    request = HEAD + b"Content-Length: %d\r\n\r\n" % size + b"a" * size
    async with connected() as (reader, writer):
        writer.write(request + request)
        first = await asyncio.wait_for(
            reader.readuntil(b"\r\n\r\n" + str(size).encode()), PATIENCE_S
        )
        second = await asyncio.wait_for(
            reader.readuntil(b"\r\n\r\n" + str(size).encode()), PATIENCE_S
        )

    assert first.startswith(b"HTTP/1.1 200 ")
    assert second.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("limit", "sent"),
    [
        ("HEAD_S", b""),
        ("HEAD_S", HEAD + b"X-Slow: "),
        ("BODY_S", HEAD + b"Content-Length: 10\r\n\r\nabc"),
    ],
)
async def test_who_never_finishes_a_request_is_hung_up_on(
    monkeypatch: pytest.MonkeyPatch, limit: str, sent: bytes
) -> None:
    monkeypatch.setattr(serving, limit, 0.01)

    async with connected() as (reader, writer):
        writer.write(sent)

        answer = await rest(reader)

    assert b" 200 " not in answer


@pytest.mark.parametrize("path", ["/inbox", "/login"])
async def test_who_hangs_up_in_the_middle_of_a_body_does_not_fill_the_log(
    tmp_path: Path, path: str
) -> None:
    alice = Instance("alice", tmp_path / "alice")
    await alice.prepare()
    await alice.start()
    try:
        with socket.create_connection(("127.0.0.1", alice.port)) as connection:
            connection.sendall(
                f"POST {path} HTTP/1.1\r\nHost: {alice.host}\r\nContent-Length: 100\r\n"
                f"Content-Type: {KINDS[path]}\r\nExpect: 100-continue\r\n\r\n".encode()
            )
            assert connection.recv(100).startswith(b"HTTP/1.1 100 ")  # it waits for the body
            connection.sendall(b"abc")
        assert await alice.stop() == 0
    finally:
        await alice.kill9()

    assert "ERROR" not in alice.log()
