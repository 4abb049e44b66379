"""Every message of the corpus reaches its conversation, and nobody but the owner sees it."""

import dataclasses
import json
from typing import Any

import pytest

from microfedi.storage import actors, messages
from microfedi.storage.messages import Message as Kept
from tests.corpus.cases import CASES, NOT_YET
from tests.corpus.expected import Message
from tests.corpus.test_posts import create_of, medium
from tests.corpus.world import World, Worlds, load, read, squeezed, text_of

pytestmark = pytest.mark.asyncio(loop_scope="package")
MESSAGES = [case for case in CASES if isinstance(case, Message) and case.file not in NOT_YET]


@pytest.mark.parametrize("case", MESSAGES, ids=lambda case: case.file)
async def test_a_message_is_shown_to_the_owner_alone(case: Message, worlds: Worlds) -> None:
    world = await worlds.of(case.uri)
    document = load(case.file)
    body = read(case.file) if document["type"] == "Create" else create_of(document)
    owner = json.dumps(world.owner_uri).encode()
    body = body.replace(json.dumps(case.to).encode(), owner)
    world.serve_all_of(json.loads(body), body)
    await world.prepare(case.needs)
    sender = json.loads(body)["actor"]
    await world.follow(sender)

    assert await world.send(sender, body) == 202
    await world.settle()

    if case.encrypted:
        rows = await world.app.rows()
        assert len(rows["encrypted_objects"]) == 1
        assert "encrypted" in text_of((await world.page("/messages")).text)
        return
    kept = await world.app.ctx.db.read(lambda reader: messages.by_uri(reader, case.uri))
    assert kept is not None
    assert await _seen(world, kept) == _expected(case)
    page = squeezed((await world.page(f"/messages/{kept.conversation_id}")).text)
    for one in (case.text, case.warning, case.author, *(alt for _, _, alt in case.media)):
        assert "".join(one.split()) in page, f"not on the page: {one}"
    assert await world.note(case.uri) is None, "it is not only a message"


async def _seen(world: World, kept: Kept) -> dict[str, Any]:
    author = await world.app.ctx.db.read(lambda reader: actors.by_id(reader, kept.actor_id))
    assert author is not None
    return {
        "author": author.address,
        "text": text_of(kept.html),
        "warning": kept.summary,
        "media": tuple(medium(one) for one in kept.attachments),
        "reply_to": kept.in_reply_to,
        "time": kept.published_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _expected(case: Message) -> dict[str, Any]:
    apart = {"file", "uri", "to", "encrypted", "needs"}
    names = [one.name for one in dataclasses.fields(case) if one.name not in apart]
    return {name: getattr(case, name) for name in names}
