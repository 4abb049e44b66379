"""Streams of open pages, over real connections: they end when we stop, and when nobody listens."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from microfedi.demo import Instance, Visitor

pytestmark = pytest.mark.timeout(120)

STREAMS = 3
PATIENCE_S = 20.0


async def test_open_streams_do_not_hold_up_the_end(tmp_path: Path) -> None:
    alice = Instance("alice", tmp_path / "alice")
    await alice.prepare()
    await alice.start()
    try:
        visitor = Visitor(alice)
        await visitor.log_in()
        headers = {
            "Host": alice.host,
            "Cookie": "; ".join(f"{name}={value}" for name, value in visitor.cookies.items()),
        }
        heard = asyncio.Semaphore(0)

        async def listen() -> str:
            text = ""
            url = f"http://127.0.0.1:{alice.port}/events"
            async with (
                httpx2.AsyncClient(timeout=PATIENCE_S, trust_env=False) as client,
                client.stream("GET", url, headers=headers) as answer,
            ):
                assert answer.headers["content-type"].startswith("text/event-stream")
                async for piece in answer.aiter_text():
                    if "event: news" in piece:
                        heard.release()
                    text += piece
            return text

        pages = [asyncio.create_task(listen()) for _number in range(STREAMS)]
        async with asyncio.timeout(PATIENCE_S):
            for _page in pages:
                await heard.acquire()
            assert await alice.stop() == 0
            texts = await asyncio.gather(*pages)
        assert "graceful shutdown exceeded" not in alice.log()  # which says who was waited for
        assert all(text.startswith("retry: ") for text in texts)
        assert "event: end" not in "".join(texts)
        assert "Traceback" not in alice.log()
    finally:
        await alice.kill9()
