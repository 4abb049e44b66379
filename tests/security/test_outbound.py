"""Areas E and F, outbound: what the client does in a world that means it ill.

NO-CONNECT is asserted where connections are made: `dialled` has every address that was dialled.
"""

import asyncio
import contextlib
import gzip
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import pytest

from microfedi.errors import ForbiddenAddress, RemoteError, RemoteRefused, RemoteTooLarge
from microfedi.federation.remote import Remote
from tests.another_server import (
    ENDLESS_BYTES,
    PUBLIC_IP,
    AnotherServer,
    Answer,
    Certificate,
    another_server,
    answer_json,
    pieces,
)

VIC = "https://vic.example/users/alice"
EVIL = "https://evil.example/users/mallory"

# Every way a URL of others makes us connect.
Asking = Callable[[Remote, str], Awaitable[object]]
ASKING: dict[str, Asking] = {
    "document": lambda remote, url: remote.get_json(url, sign=None),
    "webfinger": lambda remote, url: remote.get_jrd(url),
    "media": lambda remote, url: remote.get_bytes(url, max_bytes=1000),
    "delivery": lambda remote, url: remote.post(url, body=b"{}", headers={}),
}
FORBIDDEN_V4 = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "0.0.0.0",  # noqa: S104
    "100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
]  # fmt: skip
FORBIDDEN_V6 = [
    "::", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
    "2001:0:7f00:1::", "fc00::1", "fe80::1", "fec0::1",
]  # fmt: skip


@pytest.fixture
async def world() -> AsyncIterator[AnotherServer]:
    async with another_server() as server:
        yield server


@pytest.mark.parametrize("way", ASKING)
async def test_s_059_private_addresses_are_never_dialled(world: AnotherServer, way: str) -> None:
    remote = world.remote()
    for ip in FORBIDDEN_V4:
        world.name("inside.example", ip)
        world.name("both.example", PUBLIC_IP, ip)  # one bad answer spoils the good one
        for host in (ip, "inside.example", "both.example"):
            with pytest.raises(ForbiddenAddress):
                await ASKING[way](remote, f"https://{host}/x")
    world.name("localhost", "127.0.0.1")
    with pytest.raises(ForbiddenAddress):
        await ASKING[way](remote, "https://localhost/x")
    assert world.dialled == []
    # The same request to a public address does connect, so the above means something.
    with contextlib.suppress(RemoteError):  # 404
        await ASKING[way](remote, "https://vic.example/x")
    assert world.dialled == [(PUBLIC_IP, 443)]


@pytest.mark.parametrize("way", ASKING)
async def test_s_060_ipv6_in_all_its_disguises(world: AnotherServer, way: str) -> None:
    remote = world.remote()
    for ip in FORBIDDEN_V6:
        world.name("inside.example", ip)
        for host in (f"[{ip}]", "inside.example"):
            with pytest.raises(ForbiddenAddress):
                await ASKING[way](remote, f"https://{host}/x")
    assert world.dialled == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("way", ["document", "webfinger", "media"])
async def test_s_062_each_hop_is_checked(world: AnotherServer, way: str, status: int) -> None:
    world.name("inside.example", "10.0.0.1")
    remote = world.remote()
    for to in (
        "http://127.0.0.1:6379/",
        "https://127.0.0.1/",
        "https://inside.example/",
        "//inside.example/",
        "http://vic.example/",
        "https://vic.example:8080/",
        "file:///etc/passwd",
        "https://us.example/users/owner",
        "https://[::1",
    ):
        world.redirect("https://evil.example/x", to, status)
        with pytest.raises(ForbiddenAddress):
            await ASKING[way](remote, "https://evil.example/x")
    assert {ip for ip, _ in world.dialled} == {PUBLIC_IP}
    assert {request.url for request in world.requests} == {"https://evil.example/x"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_s_062_a_post_follows_no_redirect(world: AnotherServer, status: int) -> None:
    for to in ("http://127.0.0.1:6379/", "https://vic.example/inbox"):
        world.redirect("https://evil.example/inbox", to, status)
        response = await world.remote().post(
            "https://evil.example/inbox", body=b"{}", headers={"Signature": "ours"}
        )
        assert response.status == status
    assert [request.url for request in world.requests] == ["https://evil.example/inbox"] * 2


async def test_s_062_circles_and_long_chains_end(world: AnotherServer) -> None:
    remote = world.remote()
    world.redirect("https://evil.example/a", "/b")
    world.redirect("https://evil.example/b", "/a#again")
    with pytest.raises(RemoteError, match="circle"):
        await remote.get_json("https://evil.example/a", sign=None)
    assert len(world.requests) == 2

    world.requests.clear()
    for n in range(100):
        world.redirect(f"https://evil.example/{n}", f"/{n + 1}")
    with pytest.raises(RemoteError, match="more than 5 redirects"):
        await remote.get_json("https://evil.example/0", sign=None)
    assert len(world.requests) == 6


@pytest.mark.parametrize("way", ASKING)
@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://vic.example/",
        "gopher://vic.example/",
        "data:application/activity+json,{}",
        "ws://vic.example/",
        "http://vic.example/",
        "http://vic.example:443/",
        "https://vic.example:22/",
        "https://vic.example:25/",
        "https://vic.example:6379/",
        "https://vic.example:8080/",
        "https://vic.example/\r\nX-Evil: 1",
        "https://vic.example/a b",
        "https://vic.example/\x00",
        "https://vic.example/%0d%0aX-Evil:%201",
        "https://alice:secret@vic.example/",
        "https://vic.example/" + "a" * 100_000,
    ],
)
async def test_s_064_https_on_443_and_one_request_line(
    world: AnotherServer, way: str, url: str
) -> None:
    with pytest.raises(ForbiddenAddress):
        await ASKING[way](world.remote(), url)
    assert (world.resolved, world.dialled, world.requests) == ([], [], [])


async def test_s_064_header_values_cannot_split_a_request(world: AnotherServer) -> None:
    with pytest.raises(RemoteError):
        await world.remote().post(VIC, body=b"", headers={"X-A": "1\r\nX-Evil: 1"})
    assert world.requests == []


async def test_s_067_a_signature_stays_with_the_host_it_was_made_for(world: AnotherServer) -> None:
    world.redirect(VIC, EVIL)
    world.serve(EVIL, {"id": EVIL})

    def sign(method: str, url: str, body: bytes | None) -> Mapping[str, str]:
        return {"Signature": f"for {url}", "Authorization": f"for {url}"}

    await world.remote().get_json(VIC, sign=sign)
    assert [request.url for request in world.requests] == [VIC, EVIL]
    for request in world.requests:
        assert request.headers["signature"] == f"for {request.url}"
        assert request.headers["authorization"] == f"for {request.url}"
        assert request.headers["host"] in request.url


@pytest.mark.parametrize("kind", ["untrusted", "expired", "wrong-name"])
@pytest.mark.parametrize("way", ASKING)
async def test_s_068_a_bad_certificate_ends_it(
    world: AnotherServer, way: str, kind: Certificate
) -> None:
    world.certificate("vic.example", kind)
    with pytest.raises(RemoteError) as caught:
        await ASKING[way](world.remote(), VIC)
    assert type(caught.value) is RemoteError
    assert re.search("issuer|expired|mismatch", str(caught.value))
    assert world.dialled
    assert world.requests == []


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\n"


def _endless() -> dict[str, Answer]:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    return {
        "chunked": Answer(raw=pieces(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", forever=chunk)),
        "until closed": Answer(raw=pieces(HEAD + b"\r\n", forever=b" " * 65536)),
        "announced": Answer(raw=pieces(HEAD + b"Content-Length: 99999999999\r\n\r\n")),
        "one byte a piece": Answer(
            raw=pieces(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", forever=b"1\r\n \r\n" * 10_000)
        ),
        "headers": Answer(raw=pieces(HEAD, forever=b"X-More: and more\r\n" * 1000)),
        "one header": Answer(raw=pieces(HEAD + b"X-Long: ", forever=b"x" * 65536)),
    }


@pytest.mark.parametrize("shape", _endless())
async def test_s_070_a_body_without_end_is_stopped(world: AnotherServer, shape: str) -> None:
    remote = world.remote()
    asks: list[Callable[[], Awaitable[object]]] = [
        lambda: remote.get_json(VIC, sign=None),
        lambda: remote.get_bytes(VIC, max_bytes=100_000),
    ]
    for ask in asks:
        world.serve(VIC, _endless()[shape])
        with pytest.raises(RemoteError) as caught:
            await ask()
        assert "within" not in str(caught.value)  # the limit stopped it, not the deadline


async def test_s_070_the_limit_is_exact(world: AnotherServer) -> None:
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    remote = world.remote()
    for size, fits in ((1000, True), (1001, False)):
        raw = _then_closed(head + b"%x\r\n" % size + b"x" * size + b"\r\n0\r\n\r\n")
        world.serve(VIC, Answer(raw=raw))
        if fits:
            assert len((await remote.get_bytes(VIC, max_bytes=1000)).body) == 1000
        else:
            with pytest.raises(RemoteRefused):
                await remote.get_bytes(VIC, max_bytes=1000)


async def test_s_070_a_body_shorter_than_announced_is_no_document(world: AnotherServer) -> None:
    world.serve(VIC, Answer(raw=_then_closed(HEAD + b"Content-Length: 500\r\n\r\n{}")))
    with pytest.raises(RemoteError):
        await world.remote().get_json(VIC, sign=None)


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "deflate", "gzip, gzip", "x-unknown"])
async def test_s_070_nothing_is_inflated(world: AnotherServer, coding: str) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000, 9)
    world.serve(VIC, Answer(body=bomb, headers={"content-encoding": coding}))
    remote = world.remote()
    with pytest.raises(RemoteRefused, match="compressed"):
        await remote.get_json(VIC, sign=None)
    with pytest.raises(RemoteRefused, match="compressed"):
        await remote.get_bytes(VIC, max_bytes=10_000_000)
    response = await remote.post(VIC, body=b"", headers={})
    assert response.body == bomb[:1024]
    assert all(request.headers["accept-encoding"] == "identity" for request in world.requests)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HTTP/1.1 200",
        HEAD,
        HEAD + b"Content-Length: 10\r\n\r\n{",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    ],
)
async def test_s_071_one_deadline_for_all_of_it(world: AnotherServer, sent: bytes) -> None:
    remote = world.remote()
    # A slow server has sent so much when the deadline comes; each byte would have reset a
    # timeout that is counted per read.
    asks: list[Callable[[], Awaitable[object]]] = [
        lambda: remote.get_json(VIC, sign=None, deadline_s=0.05),
        lambda: remote.get_jrd(VIC, deadline_s=0.05),
        lambda: remote.get_bytes(VIC, max_bytes=100, deadline_s=0.05),
        lambda: remote.post(VIC, body=b"{}", headers={}, deadline_s=0.05),
    ]
    for ask in asks:
        world.serve(VIC, Answer(raw=pieces(sent)))
        with pytest.raises(RemoteError, match="no complete answer within"):
            await ask()


async def test_s_071_a_drip_does_not_push_the_deadline_on(world: AnotherServer) -> None:
    dripping = asyncio.Event()

    async def drip() -> AsyncIterator[bytes]:
        yield HEAD + b"Content-Length: 1000000\r\n\r\n"
        while True:
            yield b" "
            dripping.set()

    world.serve(VIC, Answer(raw=drip()))
    with pytest.raises(RemoteError):
        await world.remote().get_bytes(VIC, max_bytes=10_000_000, deadline_s=0.2)
    assert dripping.is_set()


async def test_s_071_the_deadline_covers_names_and_redirects(world: AnotherServer) -> None:
    async def never(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(RemoteError, match="no complete answer within"):
        await world.remote(resolve=never).get_json(VIC, sign=None, deadline_s=0.05)

    world.redirect(EVIL, VIC)
    world.hang(VIC)
    with pytest.raises(RemoteError, match="no complete answer within"):
        await world.remote().get_json(EVIL, sign=None, deadline_s=0.5)
    assert [request.url for request in world.requests] == [EVIL, VIC]


async def test_s_014_s_032_our_own_host_is_never_asked(world: AnotherServer) -> None:
    remote = world.remote(own_host="us.example")
    for ask in ASKING.values():
        for url in ("https://us.example/users/owner", "https://US.Example:443/inbox#main-key"):
            with pytest.raises(ForbiddenAddress):
                await ask(remote, url)
    assert world.dialled == []


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "text/html",
        "application/json",
        "application/ld+json",
        'application/ld+json; profile="https://example.org/"',
        "image/png",
        "application/activity+json, text/plain",
        "application/activity+jsonx",
    ],
)
async def test_s_030_an_upload_is_no_document(
    world: AnotherServer, content_type: str | None
) -> None:
    world.serve(VIC, answer_json({"id": VIC, "type": "Person"}, content_type=content_type))
    with pytest.raises(RemoteRefused):
        await world.remote().get_json(VIC, sign=None)


async def test_the_environment_has_no_say(
    world: AnotherServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    world.actor(VIC)
    await world.remote().get_json(VIC, sign=None)
    assert world.dialled == [(PUBLIC_IP, 443)]


async def test_cookies_are_not_kept(world: AnotherServer) -> None:
    world.serve(VIC, Answer(body=b"{}", headers={"set-cookie": "a=b"}))
    remote = world.remote()
    for _ in range(2):
        await remote.get_json(VIC, sign=None)
    assert "cookie" not in world.requests[1].headers


async def _then_closed(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def test_s_071_answers_that_only_say_wait_come_to_an_end() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(ENDLESS_BYTES // 1024):
            piece = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 40
            sent += len(piece)
            yield piece

    async with another_server() as server:
        server.serve("https://evil.example/1", lambda _: Answer(raw=endless()))
        server.serve("https://evil.example/2", lambda _: Answer(raw=hinted()))
        remote = server.remote()
        with pytest.raises(RemoteError, match="head of more than 65536 bytes"):
            await remote.get_json("https://evil.example/1", sign=None)
        assert sent < ENDLESS_BYTES
        assert (await remote.get_json("https://evil.example/2", sign=None)).body == b"{}"


async def hinted() -> AsyncIterator[bytes]:
    yield b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\n"
    yield b"content-type: application/activity+json\r\ncontent-length: 2\r\n\r\n{}"


async def test_s_071_a_body_in_tiny_pieces_is_a_large_one() -> None:
    async with another_server() as server:
        head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n"
        head += b"content-type: application/activity+json\r\n\r\n"
        for name, count in (("many", 4000), ("some", 1000)):
            body = b"1\r\n7\r\n" * count + b"0\r\n\r\n"
            server.serve(f"https://evil.example/{name}", Answer(raw=one_piece(head + body)))
        remote = server.remote()
        with pytest.raises(RemoteTooLarge):
            await remote.get_json("https://evil.example/many", sign=None)
        found = await remote.get_json("https://evil.example/some", sign=None)
        assert found.body == b"7" * 1000


async def test_s_071_an_answer_in_tiny_pieces_is_not_read_to_its_end() -> None:
    async with another_server() as server:
        head = b"HTTP/1.1 202 Said\r\ntransfer-encoding: chunked\r\n\r\n"
        answer = Answer(raw=one_piece(head + b"1\r\n7\r\n" * 1000 + b"0\r\n\r\n"))
        server.serve("https://evil.example/inbox", answer)
        found = await server.remote().post("https://evil.example/inbox", body=b"{}", headers={})
        assert found.status == 202
        assert 0 < len(found.body) < 100


async def one_piece(data: bytes) -> AsyncIterator[bytes]:
    yield data
