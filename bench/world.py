"""A fake remote world for the benchmarks: one TLS listener for every host, and actors with keys.

Hosts are `h<n>.bench.localhost`, which the server's development resolver finds here.
"""

import asyncio
import contextlib
import json
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import trustme

from microfedi.protocol import keys, signatures
from microfedi.protocol.keys import SigningKey

AS2 = "https://www.w3.org/ns/activitystreams"


@dataclass
class World:
    """Counts what arrives in its inboxes. `hangs(host)` says who never answers."""

    port: int = 0
    ca_file: Path = Path()
    received: int = 0
    by_host: dict[str, int] = field(default_factory=dict)
    hangs: Callable[[str], bool] = lambda host: False
    _server: asyncio.Server | None = None
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """Listen on a free port with a certificate for every host that is asked for."""
        authority = trustme.CA()
        directory = Path(tempfile.mkdtemp(prefix="microfedi-bench-"))
        self.ca_file = directory / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("*.bench.localhost", key_type=trustme.KeyType.ECDSA).configure_cert(
            context
        )
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", 0, ssl=context, backlog=4096
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the listener."""
        if self._server is not None:
            self._server.close()

    async def wait_for(self, count: int, timeout_s: float) -> int:
        """Wait until `count` posts have arrived, or the time is over; return how many have."""

        async def enough() -> None:
            while self.received < count:
                self._arrived.clear()
                await self._arrived.wait()

        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(enough(), timeout_s)
        return self.received

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                headers = dict(
                    line.lower().split(b": ", 1)
                    for line in head.split(b"\r\n")[1:]
                    if b": " in line
                )
                await reader.readexactly(int(headers.get(b"content-length", b"0")))
                host = headers.get(b"host", b"").decode().partition(":")[0]
                if self.hangs(host):
                    await asyncio.sleep(3600)
                if head.startswith(b"POST"):
                    self.received += 1
                    self.by_host[host] = self.by_host.get(host, 0) + 1
                    self._arrived.set()
                    writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
                else:
                    writer.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError, asyncio.CancelledError):
            pass  # hung up, or the bench is over
        finally:
            writer.close()


@dataclass
class Author:
    """A remote person with a real key. `post` makes the signed request of a Create."""

    uri: str
    key: SigningKey
    count: int = 0

    @classmethod
    def on(cls, host: str, name: str, pem: str | None = None) -> "Author":
        """Make one; keys may be shared, making one takes a tenth of a second."""
        uri = f"https://{host}/users/{name}"
        return cls(uri, SigningKey(f"{uri}#main-key", pem or keys.generate_rsa()))

    def post(self, inbox: str) -> tuple[bytes, dict[str, str]]:
        """Return body and headers of a new public post of average size."""
        self.count += 1
        now = datetime.now(UTC)
        note = f"{self.uri}/notes/{self.count}"
        published = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        text = (
            "<p>A post of an ordinary length, about the weather and a walk, with a "
            '<a href="https://example.org/walk">link</a> and a <a href="https://example.org/tags/walk"'
            ' class="mention hashtag" rel="tag">#<span>walk</span></a>. '
            + "So it goes. " * 12
            + "</p>"
        )
        body = render_create(self.uri, note, published, text)
        headers = signatures.sign_cavage(
            method="POST",
            url=inbox,
            body=body,
            key=self.key,
            now=now,
            content_type="application/activity+json",
        )
        return body, headers


def render_create(actor: str, note: str, published: str, text: str) -> bytes:
    """Return a Create as Mastodon writes it."""
    public, followers = f"{AS2}#Public", f"{actor}/followers"
    return json.dumps(
        {
            "@context": [AS2, {"sensitive": "as:sensitive", "Hashtag": "as:Hashtag"}],
            "id": f"{note}/activity",
            "type": "Create",
            "actor": actor,
            "published": published,
            "to": [public],
            "cc": [followers],
            "object": {
                "id": note,
                "type": "Note",
                "summary": None,
                "inReplyTo": None,
                "published": published,
                "url": note,
                "attributedTo": actor,
                "to": [public],
                "cc": [followers],
                "sensitive": False,
                "content": text,
                "contentMap": {"en": text},
                "attachment": [],
                "tag": [
                    {"type": "Hashtag", "href": "https://example.org/tags/walk", "name": "#walk"}
                ],
                "replies": {"id": f"{note}/replies", "type": "Collection"},
            },
        }
    ).encode()
