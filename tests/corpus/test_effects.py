"""What others do arrives, signed, and has the effect that it should have, and no other.

A document about somebody else's posts is sent twice: as it is, when it concerns nobody here and
leaves no trace, and with an id of ours in the place of theirs.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from microfedi.storage import followers, following, tombstones
from microfedi.storage.database import Reader
from tests.another_server import AS2
from tests.corpus.cases import CASES
from tests.corpus.expected import Effect
from tests.corpus.world import PUBLIC, World, Worlds, load, read, squeezed

pytestmark = pytest.mark.asyncio(loop_scope="package")
EFFECTS = [case for case in CASES if isinstance(case, Effect)]
# What of the database a person would notice, and what others are told.
# fmt: off
NOTICED = (
    "announces", "blocked_by", "bookmarks", "conversations", "deliveries", "encrypted_objects",
    "followers", "following", "group_notes", "home", "likes", "messages", "moves", "notes",
    "notifications", "outgoing", "pinned", "polls", "quotes", "reactions", "reports", "stamps",
    "votes",
)
# fmt: on


@pytest.mark.parametrize("case", EFFECTS, ids=lambda case: case.file)
async def test_what_others_do_has_the_effect_that_it_should(case: Effect, worlds: Worlds) -> None:
    world = await worlds.of(case.by)
    body = read(case.file)
    if case.what == "stamp":
        await _stamp(world, case, body)
        return
    world.serve_all_of(load(case.file), body)
    if case.what == "nothing" or case.ours:
        await world.prepare(() if case.ours else case.needs)
        before = await _noticed(world)
        assert await world.send(case.by, body) == 202
        await world.settle()
        assert await _noticed(world) == before, case.reason
    if case.what == "nothing" and not case.ours:
        return
    if case.ours:
        own = (await world.own_post()).uri if case.ours == "post" else world.owner_uri
        body = body.replace(json.dumps(case.on).encode(), json.dumps(own).encode())
        world.serve_all_of(json.loads(body), body)
        needs = tuple(replace(one, on=own) if one.on == case.on else one for one in case.needs)
        case = replace(case, on=own, needs=needs)
    await world.prepare(case.needs)
    before = await _noticed(world)

    assert await world.send(case.by, body) == 202
    await world.settle()

    if case.what == "nothing":
        assert await _noticed(world) == before, case.reason
        return
    if case.what not in ("deleted", "updated"):  # it may be of an account, which is elsewhere
        assert await _noticed(world) != before, "it was so before"
    await CHECKS[case.what](world, case)


async def _noticed(world: World) -> dict[str, list[tuple[Any, ...]]]:
    rows = await world.app.rows()
    return {table: rows[table] for table in NOTICED}


async def _rows(world: World, sql: str, **values: Any) -> list[Any]:
    return await world.app.ctx.db.read(lambda reader: list(reader.all(sql, values)))


async def _sent(world: World) -> list[dict[str, Any]]:
    """What is on its way to others, in order."""

    def question(reader: Reader) -> list[dict[str, Any]]:
        rows = reader.all("SELECT id, body_sealed FROM outgoing ORDER BY id")
        return [
            json.loads(reader.sealer.open("outgoing", row["body_sealed"], bound_to=str(row["id"])))
            for row in rows
        ]

    return await world.app.ctx.db.read(question)


async def _is_told(world: World, case: Effect, words: str) -> None:
    """The notification says who it was, and what they did."""
    page = squeezed((await world.page("/notifications")).text)
    actor = await world.actor(case.by)
    assert actor is not None
    assert "".join(actor.display_name.split()) in page
    assert "".join(words.split()) in page, f"not told: {words}"


async def _favourite(world: World, case: Effect) -> None:
    assert len(await _rows(world, "SELECT 1 FROM likes")) == 1
    await _is_told(world, case, "favourited your post")


async def _reaction(world: World, case: Effect) -> None:
    rows = await _rows(world, "SELECT name FROM reactions")
    assert [row["name"] for row in rows] == [case.detail]
    await _is_told(world, case, case.detail)


async def _boost(world: World, case: Effect) -> None:
    actor = await world.actor(case.by)
    assert actor is not None
    rows = await _rows(world, "SELECT actor_id FROM announces")
    assert [row["actor_id"] for row in rows] == [actor.id]
    if case.ours:
        await _is_told(world, case, "boosted your post")
        return
    note = await world.note(case.on)
    assert note is not None
    page = await world.page("/home")
    assert f'href="/posts/{note.id}"' in page.text
    assert "".join(f"{actor.display_name} boosted".split()) in squeezed(page.text)


async def _deleted(world: World, case: Effect) -> None:
    if case.on == case.by:
        actor = await world.actor(case.by)
        assert actor is None or actor.state == "gone"
        return
    assert await world.note(case.on) is None
    buried = await world.app.ctx.db.read(lambda reader: tombstones.of(reader, case.on))
    assert buried is not None, "a late Create would bring it back"
    assert (await world.search(case.on)).status_code == 422


async def _unfavourite(world: World, case: Effect) -> None:
    assert await _rows(world, "SELECT 1 FROM likes UNION ALL SELECT 1 FROM reactions") == []


async def _unboost(world: World, case: Effect) -> None:
    assert await _rows(world, "SELECT 1 FROM announces") == []


async def _unfollow(world: World, case: Effect) -> None:
    assert await world.app.ctx.db.read(followers.count) == 0


async def _follow(world: World, case: Effect) -> None:
    actor = await world.actor(case.by)
    assert actor is not None
    found = await world.app.ctx.db.read(lambda reader: followers.by_actor(reader, actor.id))
    assert found is not None
    assert found.state == "accepted"
    assert found.follow_uri == load(case.file)["id"]
    (accept,) = await _sent(world)
    assert (accept["type"], accept["object"]["id"]) == ("Accept", found.follow_uri)
    await _is_told(world, case, "follows you")


async def _state_of_our_follow(world: World, case: Effect) -> str | None:
    actor = await world.actor(case.by)
    assert actor is not None

    def question(reader: Reader) -> str | None:
        found = following.by_actor(reader, actor.id)
        return None if found is None else found.state

    return await world.app.ctx.db.read(question)


async def _accepted(world: World, case: Effect) -> None:
    assert await _state_of_our_follow(world, case) == "accepted"


async def _rejected(world: World, case: Effect) -> None:
    assert await _state_of_our_follow(world, case) in (None, "rejected")


async def _pinned(world: World, case: Effect) -> None:
    assert len(await _rows(world, "SELECT 1 FROM pinned")) == 1
    actor = await world.actor(case.by)
    assert actor is not None
    assert "Pinned" in (await world.page(f"/people/{actor.id}")).text


async def _unpinned(world: World, case: Effect) -> None:
    assert await _rows(world, "SELECT 1 FROM pinned") == []


async def _moved(world: World, case: Effect) -> None:
    old, new = await world.actor(case.by), await world.actor(case.detail)
    assert old is not None
    assert new is not None
    assert old.moved_to == case.detail
    follow = await world.app.ctx.db.read(lambda reader: following.by_actor(reader, new.id))
    assert follow is not None, "our follow did not move along"
    assert case.detail in (await world.page(f"/people/{old.id}")).text


async def _report(world: World, case: Effect) -> None:
    assert len(await _rows(world, "SELECT 1 FROM reports WHERE is_mine = 0")) == 1
    await _is_told(world, case, "report")


async def _quote_request(world: World, case: Effect) -> None:
    rows = await _rows(world, "SELECT state, other_uri FROM stamps WHERE kind = 'quote'")
    assert [(row["state"], row["other_uri"]) for row in rows] == [("accepted", case.detail)]
    (accept,) = await _sent(world)
    assert (accept["type"], accept["object"]["id"]) == ("Accept", load(case.file)["id"])
    assert accept["result"].startswith(world.app.ctx.config.base_url), "no stamp"


async def _block(world: World, case: Effect) -> None:
    assert len(await _rows(world, "SELECT 1 FROM blocked_by")) == 1
    assert await world.app.ctx.db.read(followers.count) == 0


async def _updated(world: World, case: Effect) -> None:
    actor = await world.actor(case.on)
    assert actor is not None
    assert actor.display_name == case.detail
    assert "".join(case.detail.split()) in squeezed((await world.page(f"/people/{actor.id}")).text)


async def _stamp(world: World, case: Effect, body: bytes) -> None:
    """Have a post arrive that quotes another and names the document as its author's consent."""
    stamp = json.loads(body)
    author = case.detail.rpartition("/statuses/")[0]
    world.serve_person(author)
    world.serve_person(case.by)
    quoted = {
        "@context": AS2,
        "id": case.on,
        "type": "Note",
        "attributedTo": case.by,
        "content": "<p>What is quoted</p>",
        "published": "2024-01-01T00:00:00Z",
        "to": [PUBLIC],
    }
    note = quoted | {
        "id": case.detail,
        "attributedTo": author,
        "content": "<p>What quotes it</p>",
        "quote": case.on,
        "quoteAuthorization": stamp["id"],
    }
    world.serve(case.on, json.dumps(quoted).encode())
    world.serve(case.detail, json.dumps(note).encode())
    world.serve(stamp["id"], body)
    await world.follow(author)
    create = {
        "@context": AS2,
        "id": f"{case.detail}/create",
        "type": "Create",
        "actor": author,
        "object": note,
        "to": [PUBLIC],
    }

    assert await world.send(author, json.dumps(create).encode()) == 202
    await world.settle()

    rows = await _rows(world, "SELECT state FROM quotes")
    assert [row["state"] for row in rows] == ["accepted"]
    kept = await world.note(case.detail)
    assert kept is not None
    assert "What is quoted" in (await world.page(f"/posts/{kept.id}")).text


CHECKS: Mapping[str, Callable[[World, Effect], Awaitable[None]]] = {
    "favourite": _favourite,
    "reaction": _reaction,
    "boost": _boost,
    "deleted": _deleted,
    "unfavourite": _unfavourite,
    "unboost": _unboost,
    "unfollow": _unfollow,
    "follow": _follow,
    "accepted": _accepted,
    "rejected": _rejected,
    "pinned": _pinned,
    "unpinned": _unpinned,
    "moved": _moved,
    "report": _report,
    "quote request": _quote_request,
    "block": _block,
    "updated": _updated,
}
