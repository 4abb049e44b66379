"""Area F, what arrives at the inbox: too much, too deep, and values that break readers."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from microfedi.errors import ProtocolError, RemoteError
from microfedi.federation import fetching, keyring, lookup, receive, threads
from microfedi.protocol.vocab import PUBLIC
from tests.another_server import ACTIVITY_JSON, PATIENCE_S, Answer, Received
from tests.app_fixture import an_app
from tests.factories import NOON
from tests.federation.inbox.world import (
    INBOX,
    OWNER,
    Document,
    Scene,
    a_create,
    a_mention,
    a_note,
    a_scene,
    an_activity,
    cavage,
)

MIB = 1024 * 1024


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with a_scene(tmp_path) as made:
        yield made


@pytest.fixture
async def port(scene: Scene) -> AsyncIterator[int]:
    """The inbox behind a real server on loopback."""
    config = uvicorn.Config(scene.app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await server.shutdown()


async def _answer(port: int, head: str, piece: bytes, times: int) -> tuple[bytes, int]:
    """Send a head and then pieces until there is an answer; return it, and how much was taken."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(reader.readline())
    writer.write(head.encode())
    sent = 0
    try:
        for _ in range(times):
            if answer.done():
                break
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            return await answer, sent
    except ConnectionError:
        return await answer, sent
    finally:
        answer.cancel()
        writer.close()


async def test_s_069_a_large_body_is_not_read(scene: Scene, port: int) -> None:
    head = f"POST /inbox HTTP/1.1\r\nHost: us.example\r\nContent-Type: {ACTIVITY_JSON}\r\n"
    before = await scene.rows()

    declared, sent = await _answer(
        port, f"{head}Content-Length: {50 * MIB}\r\n\r\n", b"x" * 65536, 800
    )
    assert declared.startswith(b"HTTP/1.1 413")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    chunked, _ = await _answer(port, f"{head}Transfer-Encoding: chunked\r\n\r\n", chunk, 800)
    assert chunked.startswith(b"HTTP/1.1 413")

    assert sent < 50 * MIB
    assert await scene.rows() == before


async def test_s_069_one_mib_is_the_limit(scene: Scene) -> None:
    doc = a_create(scene.alice, a_mention(scene.alice))
    room = receive.MAX_ACTIVITY_BYTES - len(json.dumps(doc | {"padding": ""}))
    fits = json.dumps(doc | {"padding": "x" * room}).encode()
    assert len(fits) == receive.MAX_ACTIVITY_BYTES

    assert (await scene.post(scene.alice, fits)).status_code == 202
    await scene.process()
    async with scene.drops():
        assert (await scene.post(scene.alice, fits + b" ")).status_code == 413


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate", "identity, gzip"])
async def test_s_069_an_encoded_body_is_not_inflated(scene: Scene, encoding: str) -> None:
    body = json.dumps(a_create(scene.alice, a_mention(scene.alice))).encode()
    headers = cavage(scene.alice, body) | {"content-encoding": encoding}

    async with scene.drops():
        assert (await scene.send(body, headers)).status_code == 415


@pytest.mark.parametrize("kind", ["application/json", "text/html", "", "multipart/form-data"])
async def test_what_is_no_activity_is_not_read(scene: Scene, kind: str) -> None:
    body = json.dumps(a_create(scene.alice, a_mention(scene.alice))).encode()

    async with scene.drops():
        headers = cavage(scene.alice, body) | {"content-type": kind}
        assert (await scene.send(body, headers)).status_code == 415


@pytest.mark.parametrize("opening", ['{"a":', "["])
@pytest.mark.parametrize("depth", [100, 100_000])
async def test_s_072_deep_nesting_is_refused(scene: Scene, opening: str, depth: int) -> None:
    await scene.meet(scene.alice)
    closing = "}" if opening.startswith("{") else "]"
    nested = opening * depth + "1" + closing * depth
    doc = json.dumps(a_create(scene.alice, a_mention(scene.alice)))
    body = f'{doc[:-1]},"x":{nested}}}'.encode()

    async with scene.drops():
        assert (await scene.post(scene.alice, body)).status_code == 400
    scene.world.serve(f"{scene.alice.uri}/notes/1", body)
    with pytest.raises(ProtocolError):
        await lookup.kept_note(scene.ctx, f"{scene.alice.uri}/notes/1")


async def test_s_074_a_chain_without_end_is_left(scene: Scene) -> None:
    def next_one(received: Received) -> Answer:
        host = received.url.split("/")[2]
        number = int(host.partition(".")[0][1:])
        uri = f"https://{host}/users/troll"
        doc: Document
        if received.url == uri:
            doc = scene.mallory.document(id=uri, inbox=f"{uri}/inbox")
        else:
            parent = f"https://h{number + 1}.evil.example/notes/1"
            _serve(number + 1)
            doc = a_note(scene.mallory, id=received.url, attributedTo=uri, inReplyTo=parent)
        return Answer(body=json.dumps(doc).encode())

    def _serve(number: int) -> None:
        scene.world.serve(f"https://h{number}.evil.example/notes/1", next_one)
        scene.world.serve(f"https://h{number}.evil.example/users/troll", next_one)

    _serve(0)
    await scene.meet(scene.mallory)
    note = a_mention(scene.mallory, inReplyTo="https://h0.evil.example/notes/1")

    await scene.deliver(scene.mallory, a_create(scene.mallory, note))
    assert scene.world.requests == []  # what it answers is a job, for later
    with contextlib.suppress(RemoteError, ProtocolError):
        await threads.upwards(scene.ctx, note["id"])

    assert len(scene.world.requests) <= 100


async def test_s_074_a_budget_ends(scene: Scene) -> None:
    note = a_note(scene.alice)
    scene.world.serve(note["id"], note)

    with pytest.raises(RemoteError, match="too many requests"):
        await lookup.kept_note(scene.ctx, note["id"], fetching.Budget(1))

    assert [request.url for request in scene.world.requests] == [note["id"]]


async def test_s_074_one_activity_has_one_budget(scene: Scene) -> None:
    await scene.meet(scene.mallory)
    people = [f"https://h{number}.evil.example/users/troll" for number in range(200)]
    for uri in people:
        scene.world.serve(uri, scene.mallory.document(id=uri, inbox=f"{uri}/inbox"))
    tag = [{"type": "Mention", "href": uri} for uri in [OWNER, *people]]
    letter = a_note(scene.mallory, to=[OWNER, *people], cc=[], tag=tag)

    await scene.deliver(scene.mallory, a_create(scene.mallory, letter))

    assert len(scene.world.requests) <= fetching.MAX_FETCHES


async def test_s_074_servers_that_hang_keep_no_other_stranger_waiting(scene: Scene) -> None:
    """Names below one's own cost nothing: all of them together are few at once."""
    people = [f"https://h{number}.evil.example/users/troll" for number in range(40)]
    hanging = [scene.world.hang(uri) for uri in people]
    tasks = []
    for uri in people:
        follow = an_activity("Follow", scene.mallory, OWNER) | {"actor": uri, "id": f"{uri}/1"}
        posted = scene.post(scene.mallory, follow, key_id=f"{uri}#main-key")
        tasks.append(asyncio.create_task(posted))
    async with asyncio.timeout(PATIENCE_S):
        finished = asyncio.as_completed(tasks)
        for _ in range(len(people) - keyring.MAX_WAITING_OF_SITE):
            assert (await next(finished)).status_code == 503  # asked to come later

        stranger = await scene.post(scene.alice, an_activity("Follow", scene.alice, OWNER))

    assert stranger.status_code == 202
    assert len({request.url for request in scene.world.requests if "evil" in request.url}) == 2
    for event in hanging:
        event.set()
    await asyncio.gather(*tasks)


async def test_s_076_tags_without_number_are_cut(scene: Scene) -> None:
    await scene.follow(scene.alice)
    tag: list[Document] = []
    for number in range(3_000):
        who = f"https://h{number}.evil.example/users/troll"
        icon = {"type": "Image", "url": "https://e.example/1"}
        tag.append({"type": "Mention", "href": who, "name": f"@troll@h{number}.evil.example"})
        tag.append({"type": "Hashtag", "name": f"#tag{number}"})
        tag.append({"type": "Emoji", "name": f":e{number}:", "icon": icon})
    links = "".join(f'<a href="https://h{n}.evil.example/">x</a>' for n in range(500))
    note = a_note(scene.alice, tag=tag, content=f"<p>{links}</p>")

    await scene.deliver(scene.alice, a_create(scene.alice, note))

    kept = await scene.note(note["id"])
    assert kept is not None
    assert (len(kept.mentions), len(kept.hashtags), len(kept.emojis)) == (50, 50, 50)
    assert scene.world.requests == []


async def test_s_076_options_without_number_are_cut(scene: Scene) -> None:
    await scene.follow(scene.alice)
    options = [{"type": "Note", "name": f"option {number}"} for number in range(900)]
    question = a_note(scene.alice, type="Question", oneOf=options)

    await scene.deliver(scene.alice, a_create(scene.alice, question))

    kept = await scene.note(question["id"])
    assert kept is not None
    assert kept.poll is not None
    assert len(kept.poll.options) == 500


async def test_s_077_long_values_are_cut(scene: Scene) -> None:
    await scene.follow(scene.alice)
    picture = {"type": "Image", "url": "https://vic.example/1.png", "name": "x" * 500}
    long = "x" * 150_000
    note = a_note(
        scene.alice,
        content=f"<p>{long}{long}</p>",
        summary=long,
        name=long,
        attachment=[picture | {"url": f"https://vic.example/{n}.png"} for n in range(500)],
    )

    await scene.deliver(scene.alice, a_create(scene.alice, note))

    kept = await scene.note(note["id"])
    assert kept is not None
    assert len(kept.html) < 200_000
    assert len(kept.summary) <= 500
    assert len(kept.name) <= 500
    assert len(kept.attachments) <= 50


@pytest.mark.parametrize("field", ["id", "actor", "object"])
async def test_s_077_long_ids_are_refused(scene: Scene, field: str) -> None:
    await scene.meet(scene.alice)
    doc = a_create(scene.alice, a_mention(scene.alice))
    doc[field] = f"{scene.alice.uri}/{'x' * 500_000}"

    async with scene.drops():
        assert (await scene.post(scene.alice, doc)).status_code == 400


@pytest.mark.parametrize(
    "published",
    ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "99999-01-01T00:00:00Z",
     "2026-02-30T00:00:00Z", "2026-11-22T12:00:00+99:99", 1795262400, None,
     "soon", "2026-11-23T12:00:00Z", ["2026"]],
)  # fmt: skip
async def test_s_082_nobody_posts_in_the_future(scene: Scene, published: Any) -> None:
    await scene.follow(scene.alice)
    times = {"published": published, "updated": published, "endTime": published}
    note = a_mention(scene.alice) | times
    later = a_note(scene.alice, 2)

    await scene.deliver(scene.alice, a_create(scene.alice, note) | {"published": published})
    scene.clock.forward(minutes=1)
    await scene.deliver(scene.alice, a_create(scene.alice, later))

    kept = await scene.note(note["id"])
    assert kept is not None
    assert NOON - timedelta(days=365 * 60) < kept.published_at <= NOON
    assert kept.updated_at is None or kept.updated_at <= NOON
    assert await scene.home() == [note["id"], later["id"]]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("\x00", 400),
        ("\ud800", 400),
        ("\ufeff", 202),
        ("\ufffe", 202),
        ("\x07\x1b[31m", 202),
        ("a" + "\u0301" * 1000, 202),
        ("\u202e", 202),
    ],
)
async def test_s_083_characters_that_are_none(scene: Scene, text: str, status: int) -> None:
    await scene.follow(scene.alice)
    said = f"before {text} after"
    note = a_mention(scene.alice, content=f"<p>{said}</p>", summary=said, name=said)
    body = json.dumps(a_create(scene.alice, note)).encode()

    response = await scene.post(scene.alice, body)
    await scene.process()

    assert response.status_code == status
    kept = await scene.note(note["id"])
    assert (kept is None) == (status == 400)
    for shown in (kept.html, kept.summary, kept.name) if kept is not None else ():
        shown.encode()
        assert not any(char in shown for char in "\x00\x07\x1b\ufffe\u202e")
        assert shown.count("\u0301") < 20


async def test_s_083_bytes_that_are_no_text(scene: Scene) -> None:
    await scene.meet(scene.alice)
    body = json.dumps(a_create(scene.alice, a_mention(scene.alice, content="HERE"))).encode()

    async with scene.drops():
        for bad in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80"):
            response = await scene.post(scene.alice, body.replace(b"HERE", bad))
            assert response.status_code == 400


async def test_too_many_at_once_are_asked_to_wait(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "MAX_AT_ONCE", 2)
    held = scene.world.hang(scene.mallory.uri)
    body = json.dumps(a_create(scene.mallory, a_mention(scene.mallory))).encode()
    waiting = [asyncio.create_task(scene.send(body, cavage(scene.mallory, body))) for _ in range(2)]
    await scene.world.wait_for(lambda: scene.world.gets(scene.mallory.uri))

    async with scene.drops():
        response = await scene.send(body, cavage(scene.mallory, body))

    assert response.status_code == 429
    assert int(response.headers["retry-after"]) > 0
    held.set()
    await asyncio.gather(*waiting)


async def test_s_147_the_same_activity_twenty_times_at_once_is_one(scene: Scene) -> None:
    await scene.follow(scene.alice)
    ours = await scene.own_note()
    create = json.dumps(a_create(scene.alice, a_mention(scene.alice))).encode()
    like = json.dumps(an_activity("Like", scene.alice, ours.uri)).encode()
    follow = json.dumps(an_activity("Follow", scene.alice, OWNER)).encode()

    for body in (create, like, follow):
        await asyncio.gather(
            *(
                scene.send(body, cavage(scene.alice, body, url=url), url=url)
                for url in (INBOX, "https://us.example/inbox") * 10
            )
        )
    await scene.process()

    assert sorted(await scene.told()) == ["follow", "like", "mention"]
    for table in ("notes", "likes", "followers"):
        assert await scene.count(table) == (2 if table == "notes" else 1)
    assert [one["type"] for one in await scene.sent()] == ["Accept"]


async def test_s_147_a_like_and_its_undo_in_any_order_leave_nothing(scene: Scene) -> None:
    await scene.meet(scene.alice)
    ours = await scene.own_note()
    like = an_activity("Like", scene.alice, ours.uri)
    undo = an_activity("Undo", scene.alice, like)
    boost = an_activity("Announce", scene.alice, ours.uri, to=[PUBLIC])
    unboost = an_activity("Undo", scene.alice, boost, number=2)

    for doc in (undo, like, unboost, boost):
        await scene.deliver(scene.alice, doc)

    after = await scene.note(ours.uri)
    assert after is not None
    assert (after.likes, after.announces) == (0, 0)
    assert await scene.told() == []


async def test_s_076_long_answers_make_no_endless_page_and_hide_no_short_ones(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        post = await app.publish("What do you think?")
        long = "<p>" + "so much to say " * 8_000 + "</p>"
        for number in range(20):
            troll = app.world.actor(f"https://evil.example/users/troll{number}")
            await app.theirs(troll, inReplyTo=post.uri, content=long)
        alice = app.world.actor("https://vic.example/users/alice")
        await app.theirs(alice, inReplyTo=post.uri, content="<p>a short word</p>")
        page = await app.client.get(f"/@maya/{post.public_id}")
        assert "a short word" in page.text
        assert "a page shows only a part of it" in page.text
        assert 500_000 < len(page.content) < 2_000_000
