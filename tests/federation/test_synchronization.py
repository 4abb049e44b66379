"""Two servers and who follows whom: said with every post for followers, asked, and repaired."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from microfedi.federation import synchronization
from microfedi.federation.jobs import JobsWorker
from microfedi.protocol.vocab import Visibility
from microfedi.storage import following
from tests.another_server import Answer, Received, RemoteActor, answer_json
from tests.app_fixture import BASE_URL, HANDLE, US, an_app
from tests.federation.inbox.world import (
    INBOX,
    OWNER,
    Document,
    Scene,
    a_create,
    a_note,
    a_scene,
    cavage,
)
from tests.federation.outbox.sent import send_all

PATH = f"/users/{HANDLE}/followers_synchronization"
NOBODY = "0" * 64


def sha(uri: str) -> str:
    return hashlib.sha256(uri.encode()).hexdigest()


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with a_scene(tmp_path) as made:
        yield made


# What we say.


async def test_a_post_for_followers_brings_a_digest_of_those_there(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        bob = app.world.actor("https://vic.example/users/bob")
        carol = app.world.actor("https://vic.example/users/carol")
        frank = app.world.actor("https://fol.example/users/frank")
        for one in (bob, carol, frank):
            await app.followed_by(one)
        both = int(sha(bob.uri), 16) ^ int(sha(carol.uri), 16)

        await app.publish("For followers", Visibility.FOLLOWERS)
        posts = await send_all(app.ctx, app.world)

        said = {post.url: post.headers["collection-synchronization"] for post in posts}
        begins = f'collectionId="{US}/followers", url="{BASE_URL}{PATH}", digest='
        assert said == {
            bob.shared_inbox_url: f'{begins}"{both:064x}"',
            frank.shared_inbox_url: f'{begins}"{sha(frank.uri)}"',
        }
        for post in posts:
            listed = post.headers["signature"].split('headers="')[1].split('"')[0]
            assert "collection-synchronization" in listed.split()


async def test_the_newer_signature_covers_it_too(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        bob = app.world.actor("https://vic.example/users/bob")
        await app.followed_by(bob)

        def picky(request: Received) -> Answer:
            return Answer(202 if "signature-input" in request.headers else 401)

        app.world.serve(bob.shared_inbox_url, picky)
        await app.publish("For followers", Visibility.FOLLOWERS)
        posts = await send_all(app.ctx, app.world)

        assert len(posts) == 2
        assert '"collection-synchronization"' in posts[1].headers["signature-input"]
        assert sha(bob.uri) in posts[1].headers["collection-synchronization"]


@pytest.mark.parametrize("visibility", [Visibility.PUBLIC, Visibility.UNLISTED])
async def test_open_posts_bring_none(tmp_path: Path, visibility: Visibility) -> None:
    async with an_app(tmp_path) as app:
        bob = await app.followed_by(app.world.actor("https://vic.example/users/bob"))
        await app.publish("For everybody", visibility)
        await app.message([bob.id], "For one")

        posts = await send_all(app.ctx, app.world)

        assert len(posts) == 2
        assert not any("collection-synchronization" in post.headers for post in posts)


async def test_a_server_reads_its_own_people_and_nobody_elses(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        bob = app.world.actor("https://vic.example/users/bob")
        carol = app.world.actor("https://vic.example/users/carol")
        frank = app.world.actor("https://fol.example/users/frank")
        mallory = app.world.actor("https://evil.example/users/mallory")
        for one in (bob, carol, frank):
            await app.followed_by(one)
        await app.meet(mallory)

        found = {
            one.username: await app.asked_by(one, f"{BASE_URL}{PATH}")
            for one in (bob, carol, frank, mallory)
        }

        assert {name: answer.json()["orderedItems"] for name, answer in found.items()} == {
            "bob": [bob.uri, carol.uri],
            "carol": [bob.uri, carol.uri],
            "frank": [frank.uri],
            "mallory": [],
        }
        assert found["bob"].json()["id"] == f"{BASE_URL}{PATH}"
        assert found["bob"].json()["type"] == "OrderedCollection"
        assert all(answer.headers["cache-control"] == "no-store" for answer in found.values())


async def test_whoever_does_not_sign_well_reads_nothing(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        bob = app.world.actor("https://vic.example/users/bob")
        await app.followed_by(bob)
        url = f"{BASE_URL}{PATH}"

        unsigned = await app.asked_by(None, url)
        for_another = await app.asked_by(None, url, **bob.signed_headers("GET", f"{url}?x=1"))

        assert unsigned.status_code == 401
        assert for_another.status_code == 401
        assert bob.uri not in unsigned.text + for_another.text


# What we hear.


def a_closed_post(actor: RemoteActor, number: int = 1) -> Document:
    return a_create(actor, a_note(actor, number, to=[f"{actor.uri}/followers"], cc=[]))


def header(actor: RemoteActor, digest: str, **changes: str) -> str:
    said = {
        "collectionId": f"{actor.uri}/followers",
        "url": f"{actor.uri}/sync",
        "digest": digest,
    } | changes
    return ", ".join(f'{name}="{value}"' for name, value in said.items())


async def hear(scene: Scene, value: str, *, number: int = 1) -> None:
    body = json.dumps(a_closed_post(scene.alice, number)).encode()
    lines = {"collection-synchronization": value}
    answer = await scene.send(body, cavage(scene.alice, body, lines=lines, now=scene.clock()))
    assert answer.status_code == 202, answer.text
    await scene.process()


def a_list(*uris: str, **changes: Any) -> Document:
    return {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": "https://vic.example/users/alice/sync",
        "type": "OrderedCollection",
        "orderedItems": list(uris),
    } | changes


async def repair(scene: Scene) -> None:
    """Do what waits, a while later; other kinds of jobs are not of interest."""
    scene.clock.forward(minutes=5)
    worker = JobsWorker(scene.ctx, table={synchronization.KIND: synchronization.run})
    for _ in range(3):
        await worker.turn()
        for task in list(worker._running.values()):
            await task


async def state(scene: Scene) -> str | None:
    def question(reader: Any) -> str | None:
        row = reader.one("SELECT state FROM following")
        return None if row is None else str(row["state"])

    return await scene.ctx.db.read(question)


def asked(scene: Scene) -> list[Received]:
    return scene.world.gets(f"{scene.alice.uri}/sync")


@pytest.mark.parametrize("follows", [True, False])
async def test_who_agrees_asks_nothing(scene: Scene, follows: bool) -> None:
    if follows:
        await scene.follow(scene.alice)
    else:
        await scene.meet(scene.alice)

    await hear(scene, header(scene.alice, sha(OWNER) if follows else NOBODY))
    await repair(scene)

    assert asked(scene) == []
    assert await state(scene) == ("accepted" if follows else None)


async def test_a_follow_that_is_none_there_is_forgotten(scene: Scene) -> None:
    await scene.follow(scene.alice)
    scene.world.serve(f"{scene.alice.uri}/sync", a_list())

    await hear(scene, header(scene.alice, NOBODY))
    assert await state(scene) == "accepted"
    await repair(scene)

    assert await state(scene) is None
    (request,) = asked(scene)
    assert f'keyId="{scene.ctx.owner.rsa.uri}"' in request.headers["signature"]


async def test_it_stays_if_the_list_is_not_what_the_post_said(scene: Scene) -> None:
    await scene.follow(scene.alice)
    scene.world.serve(f"{scene.alice.uri}/sync", a_list())

    await hear(scene, header(scene.alice, sha("https://us.example/users/another")))
    await repair(scene)

    assert len(asked(scene)) == 1
    assert await state(scene) == "accepted"


async def test_a_follow_that_is_none_here_is_taken_back(scene: Scene) -> None:
    await scene.meet(scene.alice)
    scene.world.serve(f"{scene.alice.uri}/sync", a_list(OWNER))

    await hear(scene, header(scene.alice, sha(OWNER)))
    await repair(scene)

    (undo,) = await scene.sent()
    assert undo["type"] == "Undo"
    assert (undo["object"]["type"], undo["object"]["actor"]) == ("Follow", OWNER)
    assert undo["object"]["object"] == scene.alice.uri
    (post,) = await send_all(scene.ctx, scene.world)
    assert post.url == scene.alice.inbox_url


async def test_an_answer_that_was_lost_is_made_up_for(scene: Scene) -> None:
    await scene.follow(scene.alice, state="requested")
    scene.world.serve(f"{scene.alice.uri}/sync", a_list(OWNER))

    await hear(scene, header(scene.alice, sha(OWNER)))
    await repair(scene)

    assert await state(scene) == "accepted"
    assert await scene.told() == ["follow_accepted"]
    assert await scene.sent() == []


async def test_a_list_in_pages_is_read_to_the_end(scene: Scene) -> None:
    await scene.follow(scene.alice)
    sync = f"{scene.alice.uri}/sync"
    others = [f"https://us.example/users/{name}" for name in ("ann", "ben")]
    page = {"type": "OrderedCollectionPage", "partOf": sync}
    scene.world.serve(
        sync,
        a_list(first={**page, "id": f"{sync}?1", "orderedItems": others[:1], "next": f"{sync}?2"}),
    )
    scene.world.serve(f"{sync}?2", {**page, "id": f"{sync}?2", "orderedItems": others[1:]})
    both = int(sha(others[0]), 16) ^ int(sha(others[1]), 16)

    await hear(scene, header(scene.alice, f"{both:064x}"))
    await repair(scene)

    assert await state(scene) is None


async def test_a_list_that_goes_on_is_not_read_for_ever(scene: Scene) -> None:
    await scene.follow(scene.alice)
    sync = f"{scene.alice.uri}/sync"

    def another(request: Received) -> Answer:
        number = int(request.url.partition("?")[2] or 0) + 1
        scene.world.serve(f"{sync}?{number}", another)
        return answer_json(a_list(id=request.url, next=f"{sync}?{number}"))

    scene.world.serve(sync, another)

    await hear(scene, header(scene.alice, NOBODY))
    await repair(scene)

    assert await state(scene) == "accepted"
    assert len(scene.world.gets()) == 5


async def test_a_list_is_asked_for_once_in_a_while(scene: Scene) -> None:
    await scene.follow(scene.alice)
    scene.world.serve(f"{scene.alice.uri}/sync", Answer(404, content_type=None))

    for number in range(10):
        await hear(scene, header(scene.alice, sha(str(number))), number=number)
    await repair(scene)
    assert len(asked(scene)) == 1

    scene.clock.forward(hours=7)
    await hear(scene, header(scene.alice, sha("again")), number=11)
    await repair(scene)
    assert len(asked(scene)) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"collectionId": "https://evil.example/users/mallory/followers"},
        {"collectionId": "https://vic.example/users/bob/followers"},
        {"collectionId": OWNER + "/followers"},
        {"url": "https://evil.example/sync"},
        {"url": "http://vic.example/users/alice/sync"},
        {"url": "https://vic.example:8443/users/alice/sync"},
        {"url": OWNER + "/followers_synchronization"},
        {"url": "https://169.254.169.254/sync"},
        {"url": "https://vic.example/users/alice/sync x"},
        {"digest": "0"},
        {"digest": "x" * 64},
        {"digest": ""},
    ],
)
async def test_s_056_a_header_names_the_authors_own_followers_or_nothing(
    scene: Scene, changes: dict[str, str]
) -> None:
    await scene.follow(scene.alice)

    await hear(scene, header(scene.alice, **({"digest": NOBODY} | changes)))
    assert [row for row in (await scene.rows())["jobs"] if row[1] == synchronization.KIND] == []
    await repair(scene)

    assert scene.world.gets() == []
    assert await state(scene) == "accepted"


@pytest.mark.parametrize(
    "value", ["", "x", 'digest="', "collectionId=,url=,digest=", 'a="b",' * 2000, '"' * 100]
)
async def test_s_056_what_is_no_such_header_is_nothing(scene: Scene, value: str) -> None:
    await scene.follow(scene.alice)

    await hear(scene, value)
    await repair(scene)

    assert scene.world.gets() == []


async def test_s_056_a_list_that_leads_elsewhere_is_not_believed(scene: Scene) -> None:
    await scene.follow(scene.alice)
    scene.world.redirect(f"{scene.alice.uri}/sync", "https://evil.example/sync")
    scene.world.serve("https://evil.example/sync", a_list())

    await hear(scene, header(scene.alice, NOBODY))
    await repair(scene)

    assert await state(scene) == "accepted"


async def test_s_056_nobody_speaks_for_anothers_followers(scene: Scene) -> None:
    await scene.follow(scene.alice)
    await scene.follow(scene.mallory)
    scene.world.serve(f"{scene.alice.uri}/sync", a_list())
    body = json.dumps(a_closed_post(scene.mallory)).encode()
    lines = {"collection-synchronization": header(scene.alice, NOBODY)}

    await scene.send(body, cavage(scene.mallory, body, lines=lines), url=INBOX)
    await scene.process()
    await repair(scene)

    assert asked(scene) == []
    met = await scene.meet(scene.alice)
    assert await scene.ctx.db.read(lambda reader: following.is_followed(reader, met.id))


async def test_a_stranger_makes_us_ask_nothing(scene: Scene) -> None:
    async with scene.drops(scene.alice.uri):
        await hear(scene, header(scene.alice, sha(OWNER)))
        await repair(scene)
