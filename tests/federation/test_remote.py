"""The client: what it asks, what it makes of answers. Hostile worlds: tests/security."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from microfedi.errors import ForbiddenAddress, RemoteError, RemoteGone, RemoteRefused
from microfedi.federation import connections
from tests.another_server import (
    ACTIVITY_JSON,
    PUBLIC_IP,
    AnotherServer,
    Answer,
    another_server,
    answer_json,
    pieces,
)

ALICE = "https://vic.example/users/alice"


@pytest.fixture
async def world() -> AsyncIterator[AnotherServer]:
    async with another_server() as server:
        yield server


async def test_a_document_is_fetched_signed_and_uncompressed(world: AnotherServer) -> None:
    alice = world.actor(ALICE)
    asked: list[tuple[str, str, bytes | None]] = []

    def sign(method: str, url: str, body: bytes | None) -> Mapping[str, str]:
        asked.append((method, url, body))
        return {"Date": "now", "Signature": "mine", "Host": "elsewhere.example"}

    fetched = await world.remote().get_json(f"{ALICE}#main-key", sign=sign)

    assert (fetched.url, fetched.status) == (ALICE, 200)
    assert fetched.content_type == ACTIVITY_JSON
    assert alice.key_id.encode() in fetched.body
    assert asked == [("GET", ALICE, None)]
    headers = world.requests[0].headers
    assert headers["host"] == "vic.example"
    assert headers["signature"] == "mine"
    assert headers["accept-encoding"] == "identity"
    assert headers["user-agent"] == "microfedi-test"
    assert headers["accept"].startswith("application/activity+json, application/ld+json;")
    assert "cookie" not in headers
    assert world.dialled == [(PUBLIC_IP, 443)]


async def test_a_connection_is_used_again(world: AnotherServer) -> None:
    world.actor(ALICE)
    remote = world.remote()
    for _ in range(3):
        await remote.get_json(ALICE, sign=None)
        assert (await remote.post(f"{ALICE}/inbox", body=b"{}", headers={})).status == 202
    assert len(world.requests) == 6
    assert len(world.dialled) == 1


async def test_a_connection_that_was_hung_up_meanwhile_is_made_anew(world: AnotherServer) -> None:
    world.actor(ALICE)
    remote = world.remote()
    await remote.get_json(ALICE, sign=None)
    await world.hang_up()
    await remote.get_json(ALICE, sign=None)
    assert len(world.dialled) == 2


async def test_a_connection_that_breaks_with_the_next_request_is_made_anew(
    world: AnotherServer,
) -> None:
    world.actor(ALICE)
    remote = world.remote()
    await remote.get_json(ALICE, sign=None)
    breaking = iter([Answer(raw=nothing()), Answer(202)])
    world.serve(f"{ALICE}/inbox", lambda _: next(breaking))
    assert (await remote.post(f"{ALICE}/inbox", body=b"{}", headers={})).status == 202
    assert len(world.dialled) == 2


async def test_redirects_are_followed(world: AnotherServer) -> None:
    world.actor(ALICE)
    world.redirect("https://vic.example/@alice", "/users/alice", 301)
    world.redirect("https://www.vic.example/@alice", "https://vic.example/@alice", 308)
    fetched = await world.remote().get_json("https://www.vic.example/@alice", sign=None)
    assert fetched.url == ALICE


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, RemoteGone),
        (410, RemoteGone),
        (400, RemoteRefused),
        (401, RemoteRefused),
        (403, RemoteRefused),
        (429, RemoteError),
        (500, RemoteError),
        (503, RemoteError),
        (304, RemoteError),
        (302, RemoteError),
    ],
)
async def test_statuses_become_errors(
    world: AnotherServer, status: int, kind: type[RemoteError]
) -> None:
    world.serve(ALICE, Answer(status, headers={"retry-after": "7"}))
    with pytest.raises(RemoteError) as caught:
        await world.remote().get_json(ALICE, sign=None)
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert caught.value.retry_after_s == 7.0


async def test_webfinger_is_json_of_either_name(world: AnotherServer) -> None:
    world.actor(ALICE)
    remote = world.remote()
    url = "https://vic.example/.well-known/webfinger?resource=acct%3Aalice%40vic.example"
    assert b'"subject": "acct:alice@vic.example"' in await remote.get_jrd(url)
    world.serve(url, answer_json({"subject": "x"}, content_type="application/json; charset=utf-8"))
    assert await remote.get_jrd(url) == b'{"subject": "x"}'
    world.serve(url, answer_json({}, content_type="text/html"))
    with pytest.raises(RemoteRefused):
        await remote.get_jrd(url)


async def test_webfinger_follows_three_redirects(world: AnotherServer) -> None:
    for n in range(4):
        world.redirect(f"https://vic.example/{n}", f"/{n + 1}")
    world.serve("https://vic.example/4", answer_json({}, content_type="application/json"))
    remote = world.remote()
    assert await remote.get_jrd("https://vic.example/1") == b"{}"
    with pytest.raises(RemoteError, match="more than 3 redirects"):
        await remote.get_jrd("https://vic.example/0")


async def test_files_of_any_type_whole_and_in_pieces(world: AnotherServer) -> None:
    url = "https://vic.example/cat.png"
    world.serve(url, Answer(body=b"\x89PNG" * 50_000, content_type="image/png"))
    remote = world.remote()
    assert (await remote.get_bytes(url, max_bytes=200_000)).body == b"\x89PNG" * 50_000
    async with remote.stream(url, max_bytes=200_000, deadline_s=10) as incoming:
        assert incoming.content_type == "image/png"
        assert b"".join([piece async for piece in incoming.pieces]) == b"\x89PNG" * 50_000
    with pytest.raises(RemoteRefused):
        await remote.get_bytes(url, max_bytes=199_999)


async def test_a_failure_of_ours_inside_a_stream_stays_what_it_is(world: AnotherServer) -> None:
    world.serve("https://vic.example/x", Answer(body=b"x" * 1000))
    remote = world.remote()
    for ours in (OSError("disk full"), TimeoutError("a lock")):
        with pytest.raises(type(ours)) as caught:
            async with remote.stream("https://vic.example/x", max_bytes=1000, deadline_s=10):
                raise ours
        assert caught.value is ours


async def test_a_post_returns_whatever_the_answer_says(world: AnotherServer) -> None:
    inbox = f"{ALICE}/inbox"
    headers = {"retry-after": "Sun, 22 Nov 2026 12:05:00 GMT"}
    world.serve(inbox, Answer(503, b"busy " * 1000, "text/plain", headers))
    response = await world.remote().post(
        inbox, body=b'{"a":1}', headers={"Signature": "s", "Content-Type": ACTIVITY_JSON}
    )
    assert (response.status, response.retry_after_s) == (503, 300.0)
    assert response.body == (b"busy " * 1000)[:1024]
    received = world.posts(inbox)[0]
    assert (received.body, received.headers["content-length"]) == (b'{"a":1}', "7")
    assert received.headers["content-type"] == ACTIVITY_JSON
    assert received.headers["signature"] == "s"


async def test_an_early_no_to_a_long_post_is_heard(world: AnotherServer) -> None:
    raw = pieces(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
    world.serve(f"{ALICE}/inbox", Answer(raw=raw, unread=True))
    response = await world.remote().post(f"{ALICE}/inbox", body=b"x" * 5_000_000, headers={})
    assert response.status == 413


async def test_the_next_address_is_tried_when_one_does_not_answer(world: AnotherServer) -> None:
    world.actor(ALICE)
    world.name("vic.example", "2606:2800:21f::1", PUBLIC_IP)
    world.unreachable.add("2606:2800:21f::1")
    await world.remote().get_json(ALICE, sign=None)
    assert world.dialled == [("2606:2800:21f::1", 443), (PUBLIC_IP, 443)]


async def test_a_host_that_is_not_there_is_a_remote_error(world: AnotherServer) -> None:
    world.name("gone.example")
    world.unreachable.add("1.1.1.1")
    world.name("dark.example", "1.1.1.1")
    for url in ("https://gone.example/", "https://dark.example/"):
        with pytest.raises(RemoteError) as caught:
            await world.remote().get_json(url, sign=None)
        assert type(caught.value) is RemoteError
        assert caught.value.status is None


async def test_our_own_host_is_asked_by_the_doctor_only(world: AnotherServer) -> None:
    remote = world.remote(own_host="us.example")
    url = "https://us.example/.well-known/webfinger?resource=acct:owner@us.example"
    world.serve(url, Answer(body=b"hello", content_type="application/jrd+json"))
    for asking in (remote.get_jrd(url), remote.post(url, body=b"", headers={})):
        with pytest.raises(ForbiddenAddress):
            await asking
    assert world.dialled == []
    response = await remote.probe_self(url)
    assert (response.status, response.body) == (200, b"hello")
    with pytest.raises(ForbiddenAddress):
        await remote.probe_self(ALICE)


async def test_many_requests_at_once_and_cancelled_ones_leave_the_client_whole(
    world: AnotherServer,
) -> None:
    never = world.hang(f"{ALICE}/inbox")
    world.actor("https://fol.example/users/frank")
    remote = world.remote()
    hanging = [
        asyncio.create_task(remote.post(f"{ALICE}/inbox", body=b"{}", headers={}))
        for _ in range(connections.MAX_CONNECTIONS)
    ]
    await world.wait_for_posts(connections.MAX_CONNECTIONS)
    waiting = asyncio.create_task(remote.get_json("https://fol.example/users/frank", sign=None))
    for task in hanging:
        task.cancel()
    outcomes = await asyncio.gather(*hanging, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
    assert not never.is_set()
    assert (await waiting).status == 200
    fetches = [remote.get_json("https://fol.example/users/frank", sign=None) for _ in range(200)]
    assert {fetched.status for fetched in await asyncio.gather(*fetches)} == {200}


async def test_the_development_resolver_knows_localhost() -> None:
    resolve = connections.development_resolver()
    assert await resolve("localhost", 8000) == ["127.0.0.1"]
    assert await resolve("bob.localhost", 8001) == ["127.0.0.1"]


async def test_the_system_resolver_asks_the_system() -> None:
    assert "127.0.0.1" in await connections.system_resolver()("127.0.0.1", 443)
    with pytest.raises(OSError, match=r"."):
        await connections.system_resolver()("nothing.invalid", 443)


async def nothing() -> AsyncIterator[bytes]:
    """An answer's bytes: the connection is closed without any."""
    return
    yield b""
