"""Somebody or something by address, page or handle: where it is asked, and with which signature."""

import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from microfedi.config import Federation
from microfedi.errors import (
    ForbiddenAddress,
    MalformedDocument,
    NotAuthorized,
    NotFound,
    RemoteError,
    RemoteGone,
)
from microfedi.federation import lookup
from microfedi.storage import actors, blocks, hosts, tombstones
from tests.another_server import Answer, Received
from tests.federation import here
from tests.federation.inbox.world import OWNER, Scene, a_create, a_note, a_scene, an_activity


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with a_scene(tmp_path) as made:
        yield made


async def test_somebody_is_found_by_handle_and_kept(scene: Scene) -> None:
    for text in ("@alice@vic.example", "alice@VIC.example", "acct:alice@vic.example"):
        found = await lookup.anything(scene.ctx, text)
        assert found == await scene.ctx.db.read(
            lambda reader: actors.by_uri(reader, scene.alice.uri)
        )

    assert len(scene.world.requests) == 2  # WebFinger and the actor, once


async def test_a_profile_is_fetched_again_after_a_day(scene: Scene) -> None:
    await lookup.kept_actor(scene.ctx, scene.alice.uri)
    scene.world.serve(scene.alice.uri, scene.alice.document(name="New"))
    scene.clock.forward(hours=23)
    assert (await lookup.kept_actor(scene.ctx, scene.alice.uri)).name == "Alice"

    scene.clock.forward(hours=2)
    assert (await lookup.kept_actor(scene.ctx, scene.alice.uri)).name == "New"

    scene.clock.forward(hours=25)
    scene.world.serve(scene.alice.uri, Answer(502))  # away: what we knew is good enough
    assert (await lookup.kept_actor(scene.ctx, scene.alice.uri)).name == "New"
    with pytest.raises(RemoteError):
        await lookup.kept_actor(scene.ctx, scene.alice.uri, fresh=True)


async def test_fetches_are_signed_by_the_server_and_where_needed_by_the_owner(
    scene: Scene,
) -> None:
    note = a_note(scene.alice, to=[f"{scene.alice.uri}/followers", OWNER], cc=[])

    def for_followers(request: Received) -> Answer:
        if f'keyId="{OWNER}#main-key"' not in request.headers["signature"]:
            return Answer(404, content_type=None)
        return Answer(body=json.dumps(note).encode())

    scene.world.serve(note["id"], for_followers)

    kept = await lookup.kept_note(scene.ctx, note["id"])

    assert kept.visibility == "followers"
    signatures = [request.headers["signature"] for request in scene.world.gets(note["id"])]
    assert ["/actor#main-key" in one for one in signatures] == [True, False]


async def test_who_does_not_like_one_signature_is_asked_with_the_other(scene: Scene) -> None:
    document = scene.alice.document()

    def modern(request: Received) -> Answer:
        if "signature-input" not in request.headers:
            return Answer(401, content_type=None)
        return Answer(body=json.dumps(document).encode())

    scene.world.serve(scene.alice.uri, modern)
    await lookup.kept_actor(scene.ctx, scene.alice.uri)
    assert len(scene.world.gets(scene.alice.uri)) == 2

    await scene.ctx.db.write(lambda tx: hosts.prefers(tx, "vic.example", scene.clock()))
    await lookup.kept_actor(scene.ctx, scene.alice.uri, fresh=True)
    assert len(scene.world.gets(scene.alice.uri)) == 3


async def test_a_create_that_answers_for_its_post_leads_to_it(scene: Scene) -> None:
    note = a_note(scene.alice)
    create = a_create(scene.alice, note | {"content": "<p>inline</p>"})
    scene.world.serve(create["id"], create)
    scene.world.serve(note["id"], note)

    kept = await lookup.kept_note(scene.ctx, create["id"])

    assert (kept.uri, kept.html) == (note["id"], "<p>post 1</p>")


async def test_a_message_is_never_kept_as_a_post(scene: Scene) -> None:
    note = a_note(scene.alice, to=[OWNER], cc=[])
    scene.world.serve(note["id"], note)

    with pytest.raises(NotAuthorized):
        await lookup.kept_note(scene.ctx, note["id"])

    assert await scene.count("notes") == 0


async def test_what_was_deleted_is_not_fetched(scene: Scene) -> None:
    uri = f"{scene.alice.uri}/notes/1"
    await scene.ctx.db.write(lambda tx: tombstones.bury(tx, uri, scene.clock()))

    with pytest.raises(RemoteGone):
        await lookup.kept_note(scene.ctx, uri)

    assert scene.world.requests == []


async def test_a_blocked_server_is_not_asked(scene: Scene) -> None:
    await scene.ctx.db.write(lambda tx: blocks.block_host(tx, "vic.example", scene.clock()))

    for ask in (scene.alice.uri, f"{scene.alice.uri}/notes/1", "alice@vic.example"):
        with pytest.raises(ForbiddenAddress):
            await lookup.anything(scene.ctx, ask)

    assert scene.world.resolved == []


@pytest.mark.parametrize(
    "mode", [Federation(mode="closed"), Federation("allowlist", ("a.example",))]
)
async def test_the_settings_say_who_is_asked(scene: Scene, mode: Federation) -> None:
    scene.ctx.config = dataclasses.replace(scene.ctx.config, federation=mode)

    with pytest.raises(ForbiddenAddress):
        await lookup.kept_actor(scene.ctx, scene.alice.uri)

    assert scene.world.resolved == []


async def test_the_owner_is_found_at_home(scene: Scene) -> None:
    found = await lookup.anything(scene.ctx, "@owner@us.example")
    assert found.uri == OWNER
    with pytest.raises(RemoteGone):
        await lookup.anything(scene.ctx, "@nobody@us.example")
    with pytest.raises(NotFound):
        await lookup.anything(scene.ctx, f"{here.BASE_URL}/nowhere")
    assert scene.world.resolved == []


@pytest.mark.parametrize(
    "text", ["", "alice", "http://vic.example/users/alice", "javascript:x", "@"]
)
async def test_what_is_no_address_is_said_to_be_none(scene: Scene, text: str) -> None:
    with pytest.raises(MalformedDocument, match="expected a handle"):
        await lookup.anything(scene.ctx, text)


async def test_what_is_neither_a_person_nor_a_post_is_refused(scene: Scene) -> None:
    like = an_activity("Like", scene.alice, f"{OWNER}/notes/x1")
    scene.world.serve(like["id"], like)

    with pytest.raises(MalformedDocument, match="expected something to read, not a Like"):
        await lookup.anything(scene.ctx, like["id"])
