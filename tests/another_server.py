"""Other servers for tests: real ones, on loopback, over TLS, with real keys.

One listener is every host: whoever asks for vic.example gets vic.example's certificate (made by a
test CA) and vic.example's answers. `remote()` makes our real client and replaces just what is
outside of it: names get their addresses from `name`, and the last step of a connection, dialling
an address that the guard has let through, leads to the listener and is written down in `dialled`.

    async with another_server() as server:
        alice = server.actor("https://vic.example/users/alice")
        remote = server.remote()
        fetched = await remote.get_json(alice.uri, sign=None)
"""

import asyncio
import base64
import contextlib
import dataclasses
import functools
import hashlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import h11
import trustme
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from microfedi.federation import connections
from microfedi.federation.remote import Remote

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ACTIVITY_JSON = "application/activity+json"
AS2 = "https://www.w3.org/ns/activitystreams"
# Where every host lives unless `name` says otherwise. A public address, which nobody dials.
PUBLIC_IP = "93.184.216.34"
# How long a test waits for something that should happen at once.
PATIENCE_S = 10.0
ENDLESS_BYTES = 16 * 1024 * 1024  # more than any limit for what is asked of another server

Certificate = Literal["good", "untrusted", "expired", "wrong-name"]


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived. Header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@dataclass(slots=True)
class Answer:
    """What a URL answers with.

    `wait` is an event that is waited for before anything is sent: never set, it hangs. `raw` are
    the bytes on the wire instead of everything else, piece by piece, and the connection is closed
    after them. `unread` leaves the request's body where it is.
    """

    status: int = 200
    body: bytes = b""
    content_type: str | None = ACTIVITY_JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: asyncio.Event | None = None
    raw: AsyncIterator[bytes] | None = None
    unread: bool = False


Answering = Answer | Mapping[str, Any] | bytes | Callable[[Received], Answer]


class RemoteActor:
    """Somebody on another server, with a real RSA key."""

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        self.uri = uri
        self.host = parts.netloc
        self.username = parts.path.rsplit("/", 1)[-1]
        self.key_id = f"{uri}#main-key"
        self.inbox_url = f"{uri}/inbox"
        self.shared_inbox_url = f"https://{self.host}/inbox"
        self.private_key = _rsa_key(uri)

    @property
    def public_key_pem(self) -> str:
        """The key as it stands in the actor's document."""
        public = self.private_key.public_key()
        return public.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode()

    def document(self, **changes: Any) -> dict[str, Any]:
        """The actor's document; `changes` replace or add properties."""
        return {
            "@context": [AS2, "https://w3id.org/security/v1"],
            "id": self.uri,
            "type": "Person",
            "preferredUsername": self.username,
            "name": self.username.title(),
            "inbox": self.inbox_url,
            "outbox": f"{self.uri}/outbox",
            "followers": f"{self.uri}/followers",
            "following": f"{self.uri}/following",
            "endpoints": {"sharedInbox": self.shared_inbox_url},
            "publicKey": {
                "id": self.key_id,
                "owner": self.uri,
                "publicKeyPem": self.public_key_pem,
            },
        } | changes

    def signed_headers(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        *,
        now: datetime = NOON,
        key_id: str | None = None,
    ) -> dict[str, str]:
        """Sign a request as Mastodon does (draft-cavage-12, rsa-sha256), without our own code."""
        parts = urlsplit(url)
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        signed = {
            "(request-target)": f"{method.lower()} {path}",
            "host": parts.netloc,
            "date": format_datetime(now, usegmt=True),
        }
        if body is not None:
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            signed |= {"digest": f"SHA-256={digest}", "content-type": ACTIVITY_JSON}
        text = "\n".join(f"{name}: {value}" for name, value in signed.items())
        signature = self.private_key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        headers = {name: value for name, value in signed.items() if not name.startswith("(")}
        return headers | {
            "signature": f'keyId="{key_id or self.key_id}",algorithm="rsa-sha256",'
            f'headers="{" ".join(signed)}",signature="{base64.b64encode(signature).decode()}"'
        }


class AnotherServer:
    """Every other host there is. Made by `another_server`.

    `requests` are what arrived, `dialled` the addresses that our client connected to, `resolved`
    the names it asked for, in order.
    """

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.dialled: list[tuple[str, int]] = []
        self.resolved: list[str] = []
        # Addresses where nobody answers.
        self.unreachable: set[str] = set()
        # Where http is spoken without TLS: for servers in development.
        self.plain_ports: set[int] = set()
        # What inboxes say that nothing else was served for.
        self.inbox_answer: Answering = Answer(202, content_type=None)
        self._answers: dict[str, Answering] = {}
        self._addresses: dict[str, list[str]] = {}
        self._certificates: dict[str, Certificate] = {}
        self._arrived = asyncio.Condition()
        self._connections: set[asyncio.Task[None]] = set()
        self._remotes: list[Remote] = []
        self._listener: asyncio.Server | None = None
        self._plain_listener: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it really listens, on 127.0.0.1."""
        assert self._listener is not None
        return _port_of(self._listener)

    def name(self, host: str, *addresses: str) -> None:
        """Let `host` resolve to `addresses` (none: the name does not exist).

        Every name of which nothing is said resolves to `PUBLIC_IP`.
        """
        self._addresses[host] = list(addresses)

    def certificate(self, host: str, kind: Certificate) -> None:
        """Let `host` show a certificate that is not good."""
        self._certificates[host] = kind

    def serve(self, url: str, answer: Answering) -> None:
        """Answer `url` (with its query, without a fragment), for every method, from now on.

        A mapping is sent as an ActivityPub document, bytes as they are, a function is asked for
        each request.
        """
        self._answers[url] = answer

    def redirect(self, url: str, to: str, status: int = 302) -> None:
        """Answer `url` with a redirect."""
        self.serve(url, Answer(status, content_type=None, headers={"location": to}))

    def hang(self, url: str) -> asyncio.Event:
        """Let `url` say nothing until the returned event is set; then 202."""
        event = asyncio.Event()
        self.serve(url, Answer(202, content_type=None, wait=event))
        return event

    def actor(self, uri: str, **changes: Any) -> RemoteActor:
        """Put an actor there: its document, its WebFinger answer, its inbox and a shared one."""
        actor = RemoteActor(uri)
        self.serve(uri, actor.document(**changes))
        subject = f"acct:{actor.username}@{actor.host}"
        links = [{"rel": "self", "type": ACTIVITY_JSON, "href": uri}]
        jrd = json.dumps({"subject": subject, "aliases": [uri], "links": links}).encode()
        for resource in (subject.replace(":", "%3A").replace("@", "%40"), subject):
            self.serve(
                f"https://{actor.host}/.well-known/webfinger?resource={resource}",
                Answer(body=jrd, content_type="application/jrd+json"),
            )
        return actor

    def posts(self, url: str | None = None) -> list[Received]:
        """The POSTs that arrived, at `url` or anywhere."""
        return [r for r in self.requests if r.method == "POST" and url in (None, r.url)]

    def gets(self, url: str | None = None) -> list[Received]:
        """The GETs that arrived, at `url` or anywhere."""
        return [r for r in self.requests if r.method == "GET" and url in (None, r.url)]

    async def wait_for(self, condition: Callable[[], object]) -> None:
        """Wait until `condition` holds; it is asked whenever a request has arrived."""
        async with asyncio.timeout(PATIENCE_S), self._arrived:
            await self._arrived.wait_for(lambda: bool(condition()))

    async def wait_for_posts(self, count: int, url: str | None = None) -> list[Received]:
        """Wait until `count` POSTs have arrived, at `url` or anywhere; return them all."""
        await self.wait_for(lambda: len(self.posts(url)) >= count)
        return self.posts(url)

    def remote(
        self,
        *,
        own_host: str = "us.example",
        development: bool = False,
        resolve: connections.Resolver | None = None,
    ) -> Remote:
        """Make our real client, at home in this world; it is closed with the server."""
        remote = Remote(
            user_agent="microfedi-test",
            own_host=own_host,
            development=development,
            ssl_context=trusting_context(),
            resolve=resolve or self.resolve,
            dial=self.dial,
        )
        self._remotes.append(remote)
        return remote

    async def resolve(self, host: str, port: int) -> list[str]:
        """A `Resolver`: what `name` said."""
        self.resolved.append(host)
        addresses = self._addresses.get(host, [PUBLIC_IP])
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return addresses

    async def dial(self, ip: str, port: int) -> socket.socket:
        """A `Dial`: notes the address, connects to the listener."""
        self.dialled.append((ip, port))
        if ip in self.unreachable:
            raise ConnectionRefusedError(f"{ip} is unreachable")
        if port in self.plain_ports:
            assert self._plain_listener is not None
            return await connections.dial("127.0.0.1", _port_of(self._plain_listener))
        return await connections.dial("127.0.0.1", self.port)

    async def hang_up(self) -> None:
        """Close all connections, as a server does that restarts."""
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def start(self) -> None:
        """Listen."""
        self._listener = await asyncio.start_server(
            self._serve_connection, "127.0.0.1", 0, ssl=self._server_context()
        )
        self._plain_listener = await asyncio.start_server(self._serve_connection, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Close the clients that were made, hang up everywhere, stop listening."""
        for remote in self._remotes:
            await remote.close()
        listeners = [one for one in (self._listener, self._plain_listener) if one is not None]
        for listener in listeners:
            listener.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        for listener in listeners:
            await listener.wait_closed()

    def _server_context(self) -> ssl.SSLContext:
        def choose(tls: ssl.SSLObject, host: str | None, _: ssl.SSLContext) -> None:
            host = host or "nameless.example"
            tls.context = _host_context(host, self._certificates.get(host, "good"))

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = choose
        return context

    async def _serve_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with contextlib.suppress(OSError, h11.RemoteProtocolError):
                while await self._serve_request(h11.Connection(h11.SERVER), reader, writer):
                    pass
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _serve_request(
        self, wire: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Serve one request; tell whether another may follow on this connection."""
        scheme = "http" if writer.get_extra_info("ssl_object") is None else "https"
        received = await self._receive(wire, reader, scheme)
        if received is None:
            return False
        self.requests.append(received)
        async with self._arrived:
            self._arrived.notify_all()
        answer = self._answer_to(received)
        if answer.wait is not None:
            await answer.wait.wait()
        if answer.raw is not None:
            async for piece in answer.raw:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)  # drain alone need not let anybody else run
            return False
        headers = {"date": format_datetime(NOON, usegmt=True), **answer.headers}
        headers.setdefault("content-length", str(len(answer.body)))
        if answer.content_type is not None:
            headers.setdefault("content-type", answer.content_type)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {answer.status} Said\r\n{lines}\r\n".encode() + answer.body)
        await writer.drain()
        return True

    async def _receive(
        self, wire: h11.Connection, reader: asyncio.StreamReader, scheme: str
    ) -> Received | None:
        received: Received | None = None
        body = b""
        while True:
            event = wire.next_event()
            if event is h11.NEED_DATA:
                data = await reader.read(65536)
                if not data and received is None:
                    return None
                wire.receive_data(data)
            elif isinstance(event, h11.Request):
                headers = {name.decode(): value.decode("latin-1") for name, value in event.headers}
                url = f"{scheme}://{headers['host']}{event.target.decode()}"
                received = Received(event.method.decode(), url, headers, b"")
                served = self._answers.get(url)
                if isinstance(served, Answer) and served.unread:
                    return received
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and received is not None:
                return dataclasses.replace(received, body=body)
            else:
                return None

    def _answer_to(self, received: Received) -> Answer:
        answering = self._answers.get(received.url)
        if answering is None and received.method == "POST":
            answering = self.inbox_answer
        if answering is None:
            return Answer(404, content_type="text/plain", body=b"not here")
        if isinstance(answering, Answer):
            return answering
        if isinstance(answering, bytes):
            return Answer(body=answering)
        if isinstance(answering, Mapping):
            return Answer(body=json.dumps(answering).encode())
        return answering(received)


@contextlib.asynccontextmanager
async def another_server() -> AsyncIterator[AnotherServer]:
    """Run the rest of the world for the length of a test."""
    server = AnotherServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def pieces(*parts: bytes, forever: bytes | None = None) -> AsyncIterator[bytes]:
    """Bytes for `Answer.raw`: the parts, then `forever` again and again, then nothing any more.

    "Again and again" is until ENDLESS_BYTES: whoever reads all of that meets their deadline.
    """
    for part in parts:
        yield part
    if forever is not None:
        for _ in range(ENDLESS_BYTES // len(forever)):
            yield forever
    await asyncio.Event().wait()


def trusting_context() -> ssl.SSLContext:
    """A client's TLS context that trusts the test CA and nobody else."""
    return ssl.create_default_context(cadata=_ca().cert_pem.bytes().decode())


def answer_json(document: Mapping[str, Any], *, content_type: str | None = ACTIVITY_JSON) -> Answer:
    """Make an answer of a document, under a type of your choice."""
    return Answer(body=json.dumps(document).encode(), content_type=content_type)


# The CA, certificates and keys are made once for the whole test run: they are slow to make.


@functools.cache
def _ca() -> trustme.CA:
    return trustme.CA()


@functools.cache
def _host_context(host: str, kind: Certificate) -> ssl.SSLContext:
    ca = trustme.CA() if kind == "untrusted" else _ca()
    name = "somebody-else.example" if kind == "wrong-name" else host
    yesterday = datetime.now(UTC) - timedelta(days=1)
    # A name with an underscore is written where certificates had names in the old days.
    has_odd_name = "_" in name
    leaf = ca.issue_cert(
        "127.0.0.1" if has_odd_name else name,
        common_name=name if has_odd_name else None,
        not_before=yesterday - timedelta(days=30),
        not_after=yesterday if kind == "expired" else yesterday + timedelta(days=30),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context


def _port_of(listener: asyncio.Server) -> int:
    port: int = listener.sockets[0].getsockname()[1]
    return port


@functools.cache
def _rsa_key(uri: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
