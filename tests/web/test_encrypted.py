"""End-to-end encrypted objects: kept byte for byte, never read, never shown as anything else."""

import json
from pathlib import Path
from typing import Any

import pytest

from microfedi.storage import blocks, encrypted
from tests.another_server import AS2, RemoteActor
from tests.app_fixture import US, App, an_app

ALICE = "https://vic.example/users/alice"
MLS = "https://purl.archive.org/socialweb/mls"


def a_message(author: RemoteActor, number: int = 1, **fields: Any) -> dict[str, Any]:
    """A Create around an encrypted object, with spaces of its own."""
    return {
        "@context": [AS2, MLS],
        "id": f"{author.uri}/mls/{number}/create",
        "type": "Create",
        "actor": author.uri,
        "to": [US],
        "object": {
            "id": f"{author.uri}/mls/{number}",
            "type": ["Object", "PrivateMessage"],
            "attributedTo": author.uri,
            "to": [US],
            "mediaType": "message/mls",
            "encoding": "base64",
            "content": "AAEAAg<b>==",
            "summary": "<script>alert(1)</script>",
        }
        | fields.pop("inside", {}),
    } | fields


async def post(app: App, author: RemoteActor, body: bytes) -> int:
    url = "https://us.example/inbox"
    headers = author.signed_headers("POST", url, body, now=app.clock.now)
    answer = await app.browser().post(url, content=body, headers=headers)
    await app.process()
    return answer.status_code


async def test_it_is_kept_byte_for_byte_and_shown_as_what_it_is(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        doc = a_message(alice)
        body = json.dumps(doc, indent=3, ensure_ascii=True).encode() + b"\n "

        assert await post(app, alice, body) == 202
        assert await post(app, alice, body) == 202

        assert await app.ctx.db.read(lambda r: encrypted.body(r, doc["object"]["id"])) == body
        page = (await app.get("/messages")).text
        assert "Encrypted message, cannot be read here" in page
        assert "alert(1)" not in page
        assert "AAEAAg" not in page
        for table in ("notes", "messages", "conversations", "notifications", "home"):
            assert await app.count(table) == 0
        assert "AAEAAg" not in repr(await app.rows())


async def test_it_is_deleted_by_its_sender_alone(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, bob = app.world.actor(ALICE), app.world.actor("https://vic.example/users/bob")
        doc = a_message(alice)
        await app.deliver(alice, doc)

        for author in (bob, alice):
            assert await app.count("encrypted_objects") == 1
            delete = {
                "@context": AS2, "id": f"{author.uri}/deletes/1", "type": "Delete",
                "actor": author.uri, "object": doc["object"]["id"],
            }  # fmt: skip
            await post(app, author, json.dumps(delete).encode())
        assert await app.count("encrypted_objects") == 0


async def test_the_owner_deletes_what_came_from_somebody(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        await app.deliver(alice, a_message(alice))
        actor = await app.meet(alice)

        answer = await app.post(f"/messages/encrypted/{actor.id}/delete")

        assert answer.status_code == 303
        assert await app.count("encrypted_objects") == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"to": ["as:Public", US], "inside": {"to": ["as:Public", US]}},
        {"inside": {"to": ["https://www.w3.org/ns/activitystreams#Public"], "cc": [US]}},
        {"to": [f"{ALICE}/followers"], "inside": {"to": [f"{ALICE}/followers"]}},
        {"inside": {"type": "KeyPackage"}},
        {"inside": {"attributedTo": "https://vic.example/users/bob"}},
        {"inside": {"id": "https://evil.example/mls/1"}},
    ],
)
async def test_s_150_what_is_not_for_the_owner_alone_leaves_no_trace(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)

        assert await post(app, alice, json.dumps(a_message(alice, **changes)).encode()) < 500

        assert await app.count("encrypted_objects") == 0
        assert await app.count("notes") == 0


async def test_s_150_there_is_an_end_to_what_one_sender_can_fill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        monkeypatch.setattr(encrypted, "MAX_OF_ONE", 2)
        for number in range(4):
            await app.deliver(alice, a_message(alice, number))
        assert await app.count("encrypted_objects") == 2

        bob = app.world.actor("https://vic.example/users/bob")
        monkeypatch.setattr(encrypted, "MAX_BYTES_OF_ONE", 1_500)  # one has about 900
        for number in range(2):
            await app.deliver(bob, a_message(bob, number, inside={"content": "A" * 600}))
        assert await app.count("encrypted_objects") == 3


async def test_a_muted_or_blocked_sender_breaks_no_group_but_a_blocked_server_is_shut_out(
    tmp_path: Path,
) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice = app.world.actor(ALICE)
        actor = await app.meet(alice)
        await app.ctx.db.write(lambda tx: blocks.block_actor(tx, actor.id, app.clock.now))

        await app.deliver(alice, a_message(alice))

        assert await app.count("encrypted_objects") == 1
        assert "Encrypted message" not in (await app.get("/messages")).text
        await app.ctx.db.write(lambda tx: blocks.block_host(tx, "vic.example", app.clock.now))
        await post(app, alice, json.dumps(a_message(alice, 2)).encode())
        assert await app.count("encrypted_objects") == 1
