"""Area B: documents that want to be read as something else."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.another_server import AS2
from tests.federation.inbox.world import (
    OWNER,
    Document,
    Scene,
    a_create,
    a_mention,
    a_note,
    a_scene,
    an_activity,
)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with a_scene(tmp_path) as made:
        yield made


def _ld_signed(scene: Scene) -> Document:
    """What vic really sent once, with the signature of a kind that we do not look at."""
    announce = an_activity("Announce", scene.alice, f"{OWNER}/notes/x1")
    undo = an_activity("Undo", scene.alice, announce)
    return undo | {"signature": {"type": "RsaSignature2017", "signatureValue": "eA=="}}


@pytest.mark.parametrize("keyword", ["@graph", "@included", "@reverse"])
async def test_s_020_a_rearranged_document_is_refused(scene: Scene, keyword: str) -> None:
    await scene.follow(scene.alice)
    await scene.own_note()
    genuine = _ld_signed(scene)
    lifted = genuine["object"] | {"signature": genuine["signature"], keyword: [genuine]}

    await scene.meet(scene.mallory)
    async with scene.drops():
        for doc in (lifted, {keyword: [lifted]}, lifted | {"object": {keyword: lifted}}):
            for sender in (scene.mallory, scene.alice):
                response = await scene.post(sender, doc)
                assert 400 <= response.status_code < 500


async def test_s_020_a_linked_data_signature_makes_nobody_somebody(scene: Scene) -> None:
    await scene.follow(scene.alice)
    await scene.own_note()
    await scene.meet(scene.mallory)
    genuine = _ld_signed(scene)
    lifted = genuine["object"] | {"signature": genuine["signature"]}

    async with scene.drops():
        for doc in (genuine, lifted):
            assert (await scene.post(scene.mallory, doc)).status_code == 403


@pytest.mark.parametrize(
    "context",
    [
        "http://169.254.169.254/x",
        "https://evil.example/ctx",
        [f"https://evil.example/{number}" for number in range(10_000)],
        {"actor": "as:attributedTo", "object": "as:target", "attributedTo": "as:actor"},
        [AS2, {"Like": "as:Create", "type": "as:nothing"}],
        {"@vocab": "https://evil.example/", "@base": "https://vic.example/"},
        None,
        7,
    ],
)
async def test_s_022_contexts_are_neither_fetched_nor_applied(scene: Scene, context: Any) -> None:
    await scene.meet(scene.alice)
    doc = a_create(scene.alice, a_mention(scene.alice)) | {"@context": context}
    body = json.dumps(doc).encode()

    began = time.process_time()
    response = await scene.post(scene.alice, body)
    took_s = time.process_time() - began

    await scene.process()
    assert response.status_code == 202
    assert took_s < 1  # the catalogue says 0.1; this machine may be busy
    kept = await scene.note(f"{scene.alice.uri}/notes/1")
    assert kept is not None
    assert kept.html == "<p>post 1</p>"
    assert scene.world.requests == []
    assert scene.world.resolved == ["vic.example"]  # when we met


_DEEP: Any = "deep"
for _ in range(50):
    _DEEP = {"object": _DEEP}


@pytest.mark.parametrize(
    "change",
    [
        {"type": ["Create", "Delete"]},
        {"type": ["Delete", "Follow"]},
        {"type": "__init__"},
        {"type": "handle_create"},
        {"type": "Create\u0000"},
        {"type": "x" * 10_000},
        {"type": None},
        {"type": {"@id": "Create"}},
        {"actor": ["https://evil.example/users/mallory", "https://vic.example/users/alice"]},
        {"actor": {"id": "https://vic.example/users/alice", "inbox": "https://evil.example/"}},
        {"actor": None},
        {"actor": 7},
        {"object": None},
        {"object": 7},
        {"object": []},
        {"object": [[]]},
        {"object": _DEEP},
        {"id": 7},
        {"id": None},
        {"id": ["https://evil.example/1", "https://evil.example/2"]},
        {"id": "javascript:alert(1)"},
        {"object": ["https://evil.example/users/mallory/notes/1", "https://evil.example/2"]},
        {"type": "Follow", "object": [OWNER, "https://evil.example/2"]},
    ],
)
async def test_s_023_one_type_one_actor_one_object(scene: Scene, change: Document) -> None:
    await scene.meet(scene.mallory)
    doc = a_create(scene.mallory, a_mention(scene.mallory)) | change

    async with scene.drops():
        response = await scene.post(scene.mallory, doc)

    assert response.status_code < 500


@pytest.mark.parametrize(
    "addressed", [{"to": {"@id": OWNER}}, {"to": 7}, {"to": [[OWNER]]}, {"to": None, "cc": None}]
)
async def test_s_023_an_address_that_is_none_reaches_nobody(
    scene: Scene, addressed: Document
) -> None:
    await scene.meet(scene.mallory)
    nobody: Document = {"to": [], "cc": []}
    note = a_note(scene.mallory) | nobody | addressed
    doc = a_create(scene.mallory, note) | nobody | addressed

    async with scene.drops():
        assert (await scene.post(scene.mallory, doc)).status_code == 202


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"Create"',
        b"\xff\xfe{}",
        b'{"type":"Create","type":"Delete"}',
        b'{"type":"Create","x":NaN}',
        b'{"type":"Create","x":1e999}',
        b'{"type":"Create","x":' + b"9" * 100_000 + b"}",
        b'{"type":"Create","x":"\\ud800"}',
        b'{"type":"Create","x":"\\u0000"}',
    ],
)
async def test_what_two_readers_could_read_differently_is_refused(
    scene: Scene, body: bytes
) -> None:
    await scene.meet(scene.mallory)

    async with scene.drops():
        assert (await scene.post(scene.mallory, body)).status_code == 400


async def test_an_unknown_type_gets_its_202_and_leaves_no_trace(scene: Scene) -> None:
    await scene.follow(scene.alice)

    async with scene.drops():
        for kind in ("Arrive", "Dislike", "Offer"):
            doc = an_activity(kind, scene.alice, f"{scene.alice.uri}/notes/1", to=[OWNER])
            assert (await scene.post(scene.alice, doc)).status_code == 202
