"""Answers to the owner's posts are passed on to the owner's followers, and nothing else is."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from microfedi.federation import forwarding
from microfedi.protocol.vocab import PUBLIC, Visibility
from microfedi.storage import followers
from tests.another_server import Received, RemoteActor
from tests.federation.inbox.proven import multikey, proven
from tests.federation.inbox.world import (
    OWNER,
    Document,
    Scene,
    a_create,
    a_note,
    a_scene,
    an_activity,
)
from tests.federation.outbox.sent import send_all

FOLLOWERS = f"{OWNER}/followers"
PARENT = f"{OWNER}/notes/x1"
LD_SIGNATURE = {"type": "RsaSignature2017", "creator": "x", "signatureValue": "eA=="}


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """alice answers; bob of her own server and frank of another one follow the owner."""
    async with a_scene(tmp_path) as made:
        alice = made.alice
        made.world.serve(alice.uri, alice.document(assertionMethod=[multikey(alice)]))
        for one in (made.bob, made.frank):
            await followed_by(made, one)
        await made.own_note()
        yield made


async def followed_by(scene: Scene, actor: RemoteActor) -> None:
    met = await scene.meet(actor)
    uri = f"{actor.uri}/follows/1"
    await scene.ctx.db.write(lambda tx: followers.put(tx, met.id, uri, "accepted", scene.clock()))


def an_answer(actor: RemoteActor, number: int = 1, **fields: Any) -> Document:
    fields = {"inReplyTo": PARENT, "to": [PUBLIC], "cc": [OWNER, FOLLOWERS]} | fields
    return a_create(actor, a_note(actor, number, **fields))


async def passed_on(scene: Scene) -> list[Received]:
    return await send_all(scene.ctx, scene.world)


async def deliver(scene: Scene, doc: Document | bytes) -> bytes:
    # Spaces that our own JSON has not: whoever writes it anew is found out.
    body = doc if isinstance(doc, bytes) else json.dumps(doc, indent=1).encode()
    answer = await scene.post(scene.alice, body)
    assert answer.status_code == 202, answer.text
    await scene.process()
    return body


async def test_a_proven_answer_is_passed_on_as_it_came(scene: Scene) -> None:
    body = await deliver(scene, proven(scene.alice, an_answer(scene.alice)))

    assert scene.ctx.wake.deliveries.is_set()
    (post,) = await passed_on(scene)
    assert post.url == scene.frank.shared_inbox_url  # not to where it comes from
    assert post.body == body
    assert f'keyId="{scene.ctx.owner.rsa.uri}"' in post.headers["signature"]


async def test_another_server_believes_what_we_pass_on(scene: Scene, tmp_path: Path) -> None:
    body = await deliver(scene, proven(scene.alice, an_answer(scene.alice)))
    (other := tmp_path / "other").mkdir()

    async with a_scene(other) as frank:
        frank.world.serve(
            scene.alice.uri, scene.alice.document(assertionMethod=[multikey(scene.alice)])
        )
        frank.world.actor(scene.mallory.uri)
        answer = await frank.post(scene.mallory, body)
        await frank.process()

        assert answer.status_code == 202
        assert await frank.note(f"{scene.alice.uri}/notes/1") is not None


async def test_one_with_a_signature_of_the_older_kind_too(scene: Scene) -> None:
    body = await deliver(scene, an_answer(scene.alice) | {"signature": LD_SIGNATURE})

    assert [post.body for post in await passed_on(scene)] == [body]


async def test_edit_and_deletion_follow_their_answer(scene: Scene) -> None:
    create = await deliver(scene, proven(scene.alice, an_answer(scene.alice)))
    addressed = {"to": [PUBLIC], "cc": [FOLLOWERS]}
    note = an_answer(scene.alice, content="<p>edited</p>", updated="2026-11-22T12:00:00Z")["object"]
    edit = proven(scene.alice, an_activity("Update", scene.alice, note, **addressed))
    gone = proven(scene.alice, an_activity("Delete", scene.alice, note["id"], **addressed))

    update = await deliver(scene, edit)
    delete = await deliver(scene, gone)

    assert [post.body for post in await passed_on(scene)] == [create, update, delete]


async def test_it_is_passed_on_once(scene: Scene) -> None:
    doc = proven(scene.alice, an_answer(scene.alice))

    await deliver(scene, doc)
    await deliver(scene, doc)
    await deliver(scene, proven(scene.alice, {**doc, "id": doc["id"] + "-again"}))

    assert len(await passed_on(scene)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"cc": [OWNER]},
        {"to": [OWNER], "cc": [FOLLOWERS]},
        {"to": [FOLLOWERS], "cc": [OWNER]},
        {"inReplyTo": None},
        {"inReplyTo": f"{OWNER}/notes/never"},
        {"inReplyTo": f"{OWNER}/notes/closed"},
        {"inReplyTo": "https://vic.example/users/bob/notes/7"},
    ],
)
async def test_only_open_answers_to_open_posts_are_passed_on(
    scene: Scene, fields: Document
) -> None:
    await scene.own_note("closed", visibility=Visibility.FOLLOWERS, to=(FOLLOWERS,))
    bob = await scene.meet(scene.bob)
    await scene.note_of(bob.id, "https://vic.example/users/bob/notes/7")

    await deliver(scene, proven(scene.alice, an_answer(scene.alice, **fields)))

    assert await passed_on(scene) == []


@pytest.mark.parametrize(
    ("activity", "note"),
    [
        ({"to": [FOLLOWERS], "cc": [OWNER]}, {}),
        ({"to": [PUBLIC], "cc": [FOLLOWERS]}, {"to": [FOLLOWERS, OWNER], "cc": []}),
    ],
)
async def test_activity_and_post_must_both_be_open(
    scene: Scene, activity: Document, note: Document
) -> None:
    await deliver(scene, proven(scene.alice, an_answer(scene.alice, **note) | activity))

    assert await scene.note(f"{scene.alice.uri}/notes/1") is not None
    assert await passed_on(scene) == []


async def test_what_nobody_can_verify_is_not_passed_on(scene: Scene) -> None:
    await deliver(scene, an_answer(scene.alice))

    assert await scene.note(f"{scene.alice.uri}/notes/1") is not None
    assert await passed_on(scene) == []


async def test_what_is_large_is_not_passed_on(scene: Scene) -> None:
    text = "<p>" + "x" * forwarding.MAX_BYTES + "</p>"

    await deliver(scene, proven(scene.alice, an_answer(scene.alice, content=text)))

    assert await scene.note(f"{scene.alice.uri}/notes/1") is not None
    assert await passed_on(scene) == []


async def test_nobody_floods_followers_through_us(scene: Scene) -> None:
    most = forwarding.MAX_PER_AUTHOR_PER_HOUR
    for number in range(most + 5):
        await deliver(scene, proven(scene.alice, an_answer(scene.alice, number)))
    assert len(await passed_on(scene)) == most

    scene.clock.forward(minutes=59)
    await deliver(scene, proven(scene.alice, an_answer(scene.alice, 100)))
    assert await passed_on(scene) == []

    scene.clock.forward(minutes=2)
    await deliver(scene, proven(scene.alice, an_answer(scene.alice, 101)))
    assert len(await passed_on(scene)) == 1


async def test_nor_do_many_together(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forwarding, "MAX_PER_HOUR", 2)
    for name in ("ann", "ben", "eve"):
        other = scene.world.actor(f"https://{name}.example/users/{name}")
        doc = an_answer(other) | {"signature": LD_SIGNATURE}
        assert (await scene.post(other, doc)).status_code == 202
        await scene.process()

    assert len({post.body for post in await passed_on(scene)}) == 2


async def test_it_waits_sealed(scene: Scene) -> None:
    await deliver(scene, proven(scene.alice, an_answer(scene.alice, content="<p>pumpernickel</p>")))

    rows = await scene.rows()
    assert len(rows["outgoing"]) == 1
    assert not any(b"pumpernickel" in str(row).encode() for row in rows["outgoing"])
