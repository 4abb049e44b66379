"""Area A and B: what somebody has proven, whoever brings it; and what nobody has.

frank, who is followed, or mallory, who is nobody, brings what alice says; through the real inbox,
with real keys. Every forged post here is one that would be kept if alice had proven it.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.another_server import Answer, RemoteActor
from tests.factories import NOON
from tests.federation.inbox.proven import Document, key_id, key_of, multikey, proven
from tests.federation.inbox.world import (
    OWNER,
    Scene,
    a_create,
    a_mention,
    a_note,
    a_scene,
    an_activity,
)

VIC_1 = "https://vic.example/users/alice/notes/1"


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with a_scene(tmp_path) as made:
        for actor in (made.alice, made.bob, made.mallory):
            made.world.serve(actor.uri, actor.document(assertionMethod=[multikey(actor)]))
        yield made


def a_post(actor: RemoteActor) -> Document:
    return a_create(actor, a_mention(actor))


def asked(scene: Scene) -> list[str]:
    return [request.url for request in scene.world.gets() if "webfinger" not in request.url]


async def test_what_is_proven_is_taken_from_anybody(scene: Scene) -> None:
    await scene.deliver(scene.mallory, proven(scene.alice, a_post(scene.alice)))

    kept = await scene.note(VIC_1)
    assert kept is not None
    assert kept.html == "<p>post 1</p>"
    # Nobody asked for the post itself: the proof is enough.
    assert set(asked(scene)) == {scene.mallory.uri, scene.alice.uri}


async def test_what_is_proven_by_somebody_known_needs_no_request(scene: Scene) -> None:
    await scene.meet(scene.mallory)
    await scene.meet(scene.alice)

    await scene.deliver(scene.mallory, proven(scene.alice, a_post(scene.alice)))

    assert await scene.note(VIC_1) is not None
    assert asked(scene) == []


async def test_a_proven_delete_is_believed_though_the_post_is_there(scene: Scene) -> None:
    alice = await scene.meet(scene.alice)
    await scene.note_of(alice.id, VIC_1)
    scene.world.serve(VIC_1, a_note(scene.alice))

    await scene.deliver(
        scene.mallory, proven(scene.alice, an_activity("Delete", scene.alice, VIC_1))
    )

    assert await scene.note(VIC_1) is None


async def test_it_is_done_once_whoever_brings_it(scene: Scene) -> None:
    note = await scene.own_note()
    like = proven(scene.alice, an_activity("Like", scene.alice, note.uri))

    await scene.deliver(scene.mallory, like)
    await scene.deliver(scene.frank, like)
    await scene.deliver(scene.alice, like)

    assert await scene.told() == ["like"]


@pytest.mark.parametrize("kind", ["Create", "Follow", "Delete", "Undo", "Update"])
@pytest.mark.parametrize("form", ["own key", "alice's key id", "alice's key listed by mallory"])
async def test_s_002_nobody_proves_for_another(scene: Scene, kind: str, form: str) -> None:
    alice = await scene.meet(scene.alice)
    await scene.meet(scene.mallory)
    kept = await scene.note_of(alice.id, f"{scene.alice.uri}/notes/7")
    docs = {
        "Create": a_post(scene.alice),
        "Follow": an_activity("Follow", scene.alice, OWNER),
        "Delete": an_activity("Delete", scene.alice, kept.uri),
        "Undo": an_activity("Undo", scene.alice, f"{scene.alice.uri}/likes/1"),
        "Update": an_activity("Update", scene.alice, a_note(scene.alice, 7, content="forged")),
    }
    hers = key_of(scene.mallory.uri)
    forged = {
        "own key": lambda doc: proven(
            scene.alice, doc, key=hers, verificationMethod=key_id(scene.mallory)
        ),
        "alice's key id": lambda doc: proven(scene.alice, doc, key=hers),
        "alice's key listed by mallory": lambda doc: proven(
            scene.alice, doc, key=hers, verificationMethod=f"{scene.mallory.uri}#alices"
        ),
    }[form](docs[kind])
    listed = {**multikey(scene.alice, hers), "id": f"{scene.mallory.uri}#alices"}
    scene.world.serve(
        scene.mallory.uri, scene.mallory.document(assertionMethod=[multikey(scene.mallory), listed])
    )

    async with scene.drops(scene.alice.uri):
        answer = await scene.post(scene.mallory, forged)

    assert answer.status_code == 403


async def test_a_neighbour_proves_nothing_for_alice(scene: Scene) -> None:
    await scene.meet(scene.alice)
    await scene.meet(scene.mallory)
    await scene.meet(scene.bob)
    forged = proven(
        scene.alice,
        a_post(scene.alice),
        key=key_of(scene.bob.uri),
        verificationMethod=key_id(scene.bob),
    )

    async with scene.drops(scene.bob.uri):
        answer = await scene.post(scene.mallory, forged)

    assert answer.status_code == 403


async def test_s_011_a_key_proves_only_what_its_owner_lists(scene: Scene) -> None:
    await scene.meet(scene.mallory)
    loose = "https://vic.example/uploads/key.json"
    key = {**multikey(scene.alice, key_of(scene.mallory.uri)), "id": loose}
    scene.world.serve(loose, key)
    forged = proven(
        scene.alice, a_post(scene.alice), key=key_of(scene.mallory.uri), verificationMethod=loose
    )

    async with scene.drops(loose, scene.alice.uri):
        answer = await scene.post(scene.mallory, forged)

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"object": {"id": VIC_1, "type": "Note", "content": "forged", "to": [OWNER]}},
        {"type": "Update"},
        {"id": "https://vic.example/activities/other"},
        {"to": [OWNER]},
        {"@context": "https://www.w3.org/ns/activitystreams"},
        {"proof": None},
        {"proof": []},
        {"signature": {"type": "RsaSignature2017", "signatureValue": "eA=="}, "proof": None},
    ],
)
async def test_s_020_nothing_proven_can_be_rearranged(scene: Scene, change: Document) -> None:
    await scene.meet(scene.alice)
    await scene.meet(scene.mallory)
    genuine = proven(scene.alice, a_post(scene.alice))

    async with scene.drops(scene.alice.uri):
        answer = await scene.post(scene.mallory, genuine | change)

    assert answer.status_code == 403


@pytest.mark.parametrize("word", ["@graph", "@included", "@reverse"])
async def test_s_020_what_reorders_a_document_is_refused(scene: Scene, word: str) -> None:
    await scene.meet(scene.mallory)
    hidden = proven(scene.alice, a_post(scene.alice) | {word: [a_post(scene.alice)]})

    async with scene.drops():
        answer = await scene.post(scene.mallory, hidden)

    assert answer.status_code == 400


async def test_a_proof_that_does_not_hold_leaves_a_hint(scene: Scene) -> None:
    await scene.follow(scene.frank)
    await scene.meet(scene.alice)
    scene.world.serve(VIC_1, a_mention(scene.alice))
    broken = proven(scene.alice, a_post(scene.alice))
    broken["object"] = a_mention(scene.alice, content="<p>forged</p>")

    await scene.deliver(scene.frank, broken)

    kept = await scene.note(VIC_1)
    assert kept is not None
    assert kept.html == "<p>post 1</p>"
    assert VIC_1 in asked(scene)


@pytest.mark.parametrize("age", [timedelta(days=8), timedelta(hours=-2)])
async def test_an_old_proof_is_no_proof(scene: Scene, age: timedelta) -> None:
    await scene.meet(scene.alice)
    await scene.meet(scene.mallory)
    made = f"{NOON - age:%Y-%m-%dT%H:%M:%SZ}"

    async with scene.drops():
        answer = await scene.post(
            scene.mallory, proven(scene.alice, a_post(scene.alice), created=made)
        )

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "doc",
    [
        {"object": {"id": "https://evil.example/notes/1", "attributedTo": "ALICE"}},
        {"object": {"id": "https://vic.example/users/bob/notes/1", "attributedTo": "BOB"}},
        {"id": "https://evil.example/activities/1"},
        {"object": {"id": f"{OWNER}/notes/x", "attributedTo": "ALICE"}},
    ],
)
async def test_s_025_a_proof_gives_no_more_than_a_signature(scene: Scene, doc: Any) -> None:
    await scene.meet(scene.alice)
    await scene.meet(scene.mallory)
    if "object" in doc:
        author = {"ALICE": scene.alice.uri, "BOB": scene.bob.uri}[doc["object"]["attributedTo"]]
        doc = {"object": a_mention(scene.alice) | doc["object"] | {"attributedTo": author}}

    async with scene.drops():
        answer = await scene.post(scene.mallory, proven(scene.alice, a_post(scene.alice) | doc))

    assert answer.status_code == 403


async def test_s_058_what_concerns_nobody_here_is_not_even_verified(scene: Scene) -> None:
    await scene.meet(scene.mallory)

    async with scene.drops():
        answer = await scene.post(
            scene.mallory, proven(scene.alice, a_create(scene.alice, a_note(scene.alice)))
        )

    assert answer.status_code == 403


@pytest.mark.parametrize("kind", ["Follow", "Block"])
async def test_what_two_people_have_with_each_other_nobody_brings(scene: Scene, kind: str) -> None:
    await scene.meet(scene.alice)
    await scene.meet(scene.mallory)

    async with scene.drops():
        answer = await scene.post(
            scene.mallory, proven(scene.alice, an_activity(kind, scene.alice, OWNER))
        )

    assert answer.status_code == 403


async def test_an_actor_is_not_changed_by_what_others_bring(scene: Scene) -> None:
    await scene.meet(scene.alice)
    await scene.meet(scene.mallory)
    stale = scene.alice.document(name="As she was", assertionMethod=[multikey(scene.alice)])
    update = proven(scene.alice, an_activity("Update", scene.alice, stale))

    async with scene.drops():
        answer = await scene.post(scene.mallory, update)

    assert answer.status_code == 403


async def test_a_key_that_cannot_be_had_is_not_the_senders_fault(scene: Scene) -> None:
    await scene.meet(scene.mallory)
    scene.world.serve(scene.alice.uri, Answer(500, content_type=None))

    async with scene.drops(scene.alice.uri):
        answer = await scene.post(scene.mallory, proven(scene.alice, a_post(scene.alice)))

    assert answer.status_code == 503


async def test_s_015_many_bad_proofs_make_one_request(scene: Scene) -> None:
    await scene.meet(scene.alice)
    await scene.meet(scene.mallory)
    hers = key_of(scene.mallory.uri)

    for number in range(20):
        doc = a_post(scene.alice) | {"id": f"https://vic.example/activities/{number}"}
        answer = await scene.post(scene.mallory, proven(scene.alice, doc, key=hers))
        assert answer.status_code == 403

    assert asked(scene) == [scene.alice.uri]
