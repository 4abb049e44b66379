"""Requests to other servers: the one guarded client for everything that leaves.

Whatever a document from elsewhere makes us ask for goes through here, and every request obeys the
same rules: https to port 443 of a public address (in development anything), each redirect checked
like a first request, one deadline for all of it, bodies counted while they come, no compression,
no cookies, no proxy from the environment, never our own host.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urljoin

import httpcore2

from microfedi.errors import (
    ForbiddenAddress,
    RemoteError,
    RemoteGone,
    RemoteRefused,
    RemoteTooLarge,
)
from microfedi.federation import connections
from microfedi.federation.connections import Dial, Resolver
from microfedi.protocol import answers, netguard
from microfedi.protocol.netguard import Target

# Method, URL as it will be asked for, body (None for GET) -> the headers that sign it.
Sign = Callable[[str, str, bytes | None], Mapping[str, str]]

ACTIVITY_ACCEPT = f'application/activity+json, application/ld+json; profile="{answers.AS2_PROFILE}"'
JRD_ACCEPT = "application/jrd+json, application/json"
JRD_TYPES = frozenset({"application/jrd+json", "application/json"})

# Bytes. The largest honest documents (an article with everything) are a tenth of it.
MAX_DOCUMENT_BYTES = 1024 * 1024
# Bytes of an answer to a POST that are read, so that the connection can be used again ...
MAX_ANSWER_BYTES = 16 * 1024
# ... and that are kept, to say why a delivery failed.
MAX_KEPT_ANSWER_BYTES = 1024
MAX_PROBE_BYTES = 64 * 1024
# Every piece of a body counts as at least so many bytes: a body in pieces of one byte each costs
# time instead of space.
MIN_PIECE_BYTES = 512

# Seconds for a whole operation: DNS, redirects, TLS, headers, body.
FETCH_DEADLINE_S = 10.0
MEDIA_DEADLINE_S = 30.0
POST_DEADLINE_S = 30.0

MAX_REDIRECTS = 5
MAX_WEBFINGER_REDIRECTS = 3  # as Mastodon follows
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# 4xx that mean "later", not "no".
_LATER = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document as it came. `url` is where it was in the end, after redirects."""

    url: str
    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer whose body is still arriving: iterate over `pieces` once, within the `async with`.

    The byte limit and the deadline go on counting; `pieces` raises RemoteError when one is reached.
    """

    url: str
    status: int
    content_type: str
    headers: Mapping[str, str]
    pieces: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Response:
    """What a POST was answered with, whatever the status. `body` is the beginning of it.

    `certificate_until` is when the certificate ends that `probe_self` saw.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    retry_after_s: float | None = None
    body: bytes = b""
    certificate_until: datetime | None = None


class Remote:
    """The client. One for the whole process, closed with `close`.

    `own_host` (without a port) is never connected to: what is ours lies in the database, and
    asking ourselves over HTTP could wait for ourselves for ever.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        own_host: str,
        development: bool = False,
        ssl_context: ssl.SSLContext | None = None,
        resolve: Resolver | None = None,
        dial: Dial = connections.dial,
    ) -> None:
        if resolve is None:
            resolve = (
                connections.development_resolver() if development else connections.system_resolver()
            )
        self._user_agent = user_agent
        self._own_host = netguard.host_of(own_host)
        self._development = development
        self._connections = connections.Connections(
            development=development,
            ssl_context=ssl_context or ssl.create_default_context(),
            resolve=resolve,
            dial=dial,
        )

    async def close(self) -> None:
        """Close the connections. Whoever uses it cancels what is under way first."""
        await self._connections.close()

    async def get_json(
        self,
        url: str,
        *,
        sign: Sign | None,
        accept: str = ACTIVITY_ACCEPT,
        max_bytes: int = MAX_DOCUMENT_BYTES,
        deadline_s: float = FETCH_DEADLINE_S,
    ) -> Fetched:
        """Fetch an ActivityPub document; the body is bytes, reading it is `parse`'s.

        `sign` is asked again for each redirect, so a signature never travels to another host.

        Raises: RemoteGone on 404 and 410. RemoteRefused on other 4xx (`status` says which; 401 and
        403 may be worth the owner's key) and on a document that is not declared as ActivityPub: a
        server that lets people upload files must not be made to vouch for them. ForbiddenAddress
        if it lies, or redirects, where we do not connect. RemoteError for everything else.

        Source: ActivityPub 3.2.
        """
        fetched = await self._get(
            url, accept=accept, max_bytes=max_bytes, deadline_s=deadline_s, sign=sign
        )
        if not answers.is_activity_type(fetched.content_type):
            raise _refused_type(fetched)
        return fetched

    async def get_jrd(self, url: str, *, deadline_s: float = FETCH_DEADLINE_S) -> bytes:
        """Fetch a WebFinger answer, or another public JSON document such as NodeInfo.

        Raises: as `get_json`; the type must be a JRD's or plain JSON's.

        Source: RFC 7033 4.
        """
        fetched = await self._get(
            url,
            accept=JRD_ACCEPT,
            max_bytes=MAX_DOCUMENT_BYTES,
            deadline_s=deadline_s,
            max_redirects=MAX_WEBFINGER_REDIRECTS,
        )
        if answers.media_type(fetched.content_type) not in JRD_TYPES:
            raise _refused_type(fetched)
        return fetched.body

    async def get_bytes(
        self,
        url: str,
        *,
        max_bytes: int,
        deadline_s: float = MEDIA_DEADLINE_S,
        accept: str = "*/*",
    ) -> Fetched:
        """Fetch a file of any type into memory. Raises: as `get_json`, whatever the type."""
        return await self._get(url, accept=accept, max_bytes=max_bytes, deadline_s=deadline_s)

    @contextlib.asynccontextmanager
    async def stream(
        self,
        url: str,
        *,
        max_bytes: int,
        deadline_s: float,
        accept: str = "*/*",
        sign: Sign | None = None,
        max_redirects: int = MAX_REDIRECTS,
    ) -> AsyncIterator[Incoming]:
        """Open a file that is too large for memory; what happens inside counts into the deadline.

        Raises: as `get_json`, whatever the type.
        """
        async with _deadline(deadline_s):
            seen: set[str] = set()
            while len(seen) <= max_redirects:
                target = self._checked(url)
                if target.url in seen:
                    raise RemoteError("%(host)s redirects in a circle", host=target.host)
                seen.add(target.url)
                signature = sign("GET", target.url, None) if sign else {}
                async with self._send("GET", target, {**signature, "Accept": accept}) as response:
                    headers = _headers(response)
                    if response.status in _REDIRECTS and "location" in headers:
                        url = _joined(target, headers["location"])
                        continue
                    _check_status(target, response.status, headers)
                    _check_length(target, headers, max_bytes)
                    type_ = headers.get("content-type", "")
                    async with contextlib.aclosing(_counted(target, response, max_bytes)) as pieces:
                        yield Incoming(target.url, response.status, type_, headers, pieces)
                    return
            raise RemoteError("more than %(limit)s redirects", limit=max_redirects)

    async def post(
        self,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str],
        deadline_s: float = POST_DEADLINE_S,
    ) -> Response:
        """Send `body`, signed by `headers`, and return the answer, whatever its status.

        No redirect is followed: the signature was made for this URL and for no other.

        Raises: ForbiddenAddress; RemoteError if there was no answer.
        """
        target = self._checked(url)
        async with _deadline(deadline_s), self._send("POST", target, headers, body) as response:
            return await _whole(response, MAX_ANSWER_BYTES, kept=MAX_KEPT_ANSWER_BYTES)

    async def probe_self(
        self, url: str, *, accept: str = "*/*", deadline_s: float = FETCH_DEADLINE_S
    ) -> Response:
        """GET a URL on our own host, to see what the world sees. For `doctor` alone.

        Raises: ForbiddenAddress if it is not on our own host, or our name has an address that is
        not public; RemoteError if there was no answer.
        """
        target = netguard.target_of(url, development=self._development)
        if target.host != self._own_host:
            raise ForbiddenAddress("%(host)s is not our own host", host=target.host)
        async with _deadline(deadline_s), self._send("GET", target, {"Accept": accept}) as response:
            until = _certificate_until(response)
            whole = await _whole(response, MAX_PROBE_BYTES, kept=MAX_PROBE_BYTES)
            return replace(whole, certificate_until=until)

    async def _get(
        self,
        url: str,
        *,
        accept: str,
        max_bytes: int,
        deadline_s: float,
        sign: Sign | None = None,
        max_redirects: int = MAX_REDIRECTS,
    ) -> Fetched:
        async with self.stream(
            url,
            max_bytes=max_bytes,
            deadline_s=deadline_s,
            accept=accept,
            sign=sign,
            max_redirects=max_redirects,
        ) as incoming:
            body = b"".join([piece async for piece in incoming.pieces])
            return Fetched(
                incoming.url, incoming.status, body, incoming.content_type, incoming.headers
            )

    def _checked(self, url: str) -> Target:
        target = netguard.target_of(url, development=self._development)
        if target.host == self._own_host:
            raise ForbiddenAddress("our own host is not asked over HTTP")
        return target

    def _send(
        self, method: str, target: Target, headers: Mapping[str, str], body: bytes | None = None
    ) -> contextlib.AbstractAsyncContextManager[httpcore2.Response]:
        ours = {
            "Host": target.authority,
            "User-Agent": self._user_agent,
            "Accept-Encoding": "identity",
        }
        if body is not None:
            ours["Content-Length"] = str(len(body))
        reserved = {name.lower() for name in ours}
        theirs = [item for item in headers.items() if item[0].lower() not in reserved]
        request = httpcore2.Request(
            method,
            httpcore2.URL(
                scheme=target.scheme, host=target.host, port=target.port, target=target.path
            ),
            headers=[*ours.items(), *theirs],
            content=body,
        )
        return self._connections.send(request)


@contextlib.asynccontextmanager
async def _deadline(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError as problem:
        if limit.expired():
            raise RemoteError(
                "no complete answer within %(seconds)s s", seconds=f"{seconds:g}", why="timeout"
            ) from problem
        raise


def _headers(response: httpcore2.Response) -> dict[str, str]:
    """Lower-case names; a repeated header is joined with ", "."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _joined(target: Target, location: str) -> str:
    try:
        return urljoin(target.url, location)
    except ValueError as problem:
        raise ForbiddenAddress(
            "%(host)s redirects to what is no URL", host=target.host
        ) from problem


def _check_status(target: Target, status: int, headers: Mapping[str, str]) -> None:
    if 200 <= status < 300:
        return
    kind = RemoteError
    if status in (404, 410):
        kind = RemoteGone
    elif 400 <= status < 500 and status not in _LATER:
        kind = RemoteRefused
    raise kind(
        f"{target.host} answered {status}",
        status=status,
        retry_after_s=answers.retry_after_s(headers),
    )


def _check_length(target: Target, headers: Mapping[str, str], max_bytes: int) -> None:
    if headers.get("content-encoding", "identity").lower() != "identity":
        # We asked for none. What is not inflated cannot explode.
        raise RemoteRefused("%(host)s sent a compressed body", host=target.host)
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:20]) > max_bytes:
        raise RemoteTooLarge(
            "%(host)s sent %(length)s bytes; at most %(limit)s are read",
            host=target.host,
            length=length[:20],
            limit=max_bytes,
        )


async def _counted(
    target: Target, response: httpcore2.Response, max_bytes: int
) -> AsyncGenerator[bytes]:
    received = counted = 0
    with connections.as_remote_errors(target.host):
        async with contextlib.aclosing(response.aiter_stream()) as stream:
            async for piece in stream:
                received += len(piece)
                counted += max(len(piece), MIN_PIECE_BYTES)
                if received > max_bytes or counted > max_bytes + MIN_PIECE_BYTES:
                    raise RemoteTooLarge(
                        "%(host)s sent more than %(limit)s bytes", host=target.host, limit=max_bytes
                    )
                yield piece


async def _whole(response: httpcore2.Response, max_bytes: int, *, kept: int) -> Response:
    """Read an answer that we take whatever it says; too long or broken off, we keep the start."""
    headers = _headers(response)
    body = bytearray()
    counted = 0
    broken = (httpcore2.NetworkError, httpcore2.ProtocolError)
    async with contextlib.aclosing(response.aiter_stream()) as pieces:
        with contextlib.suppress(*broken):
            async for piece in pieces:
                body += piece
                counted += max(len(piece), MIN_PIECE_BYTES)
                if len(body) > max_bytes or counted > max_bytes + MIN_PIECE_BYTES:
                    break
    return Response(response.status, headers, answers.retry_after_s(headers), bytes(body[:kept]))


def _certificate_until(response: httpcore2.Response) -> datetime | None:
    tls = response.extensions["network_stream"].get_extra_info("ssl_object")
    if tls is None:
        return None
    ends = ssl.cert_time_to_seconds(tls.getpeercert()["notAfter"])
    return datetime.fromtimestamp(ends, UTC)


def _refused_type(fetched: Fetched) -> RemoteRefused:
    said = fetched.content_type[:80] or "no type"
    return RemoteRefused(
        "not the type we asked for: %(type)s", type=repr(said), status=fetched.status
    )
