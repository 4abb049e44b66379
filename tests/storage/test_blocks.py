"""Blocks: an actor, a server and those below it, known without having met."""

import pytest

from microfedi.errors import InvalidInput
from microfedi.storage import blocks
from microfedi.storage.database import Database
from tests.factories import NOON
from tests.storage.test_followers import met


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://bad.example/users/x", True),
        ("https://BAD.example:8443/users/x", True),
        ("https://deep.sub.bad.example/x", True),
        ("https://notbad.example/users/x", False),
        ("https://bad.example.org/users/x", False),
        ("https://example/users/x", False),
    ],
)
async def test_a_blocked_server_takes_the_ones_below_it_along(
    db: Database, uri: str, expected: bool
) -> None:
    assert await db.write(lambda tx: blocks.block_host(tx, " BAD.example. ", NOON)) == "bad.example"

    assert await db.read(lambda r: blocks.is_blocked(r, uri)) is expected


async def test_blocks_are_listed_and_taken_back(db: Database) -> None:
    bob = await db.write(lambda tx: met(tx, "bob"))
    uri = "https://b.example/users/bob"
    await db.write(lambda tx: blocks.block_actor(tx, bob, NOON))
    await db.write(lambda tx: blocks.block_actor(tx, bob, NOON))
    await db.write(lambda tx: blocks.block_host(tx, "bücher.example", NOON))

    assert await db.read(lambda r: blocks.is_blocked(r, uri))
    assert not await db.read(lambda r: blocks.is_blocked(r, "https://b.example/users/carol"))
    assert [one.actor.id for one in await db.read(blocks.blocked_actors)] == [bob]
    assert [one.host for one in await db.read(blocks.blocked_hosts)] == ["xn--bcher-kva.example"]
    assert await db.read(lambda r: blocks.is_host_blocked(r, "xn--bcher-kva.example:443"))

    carol, dora = "https://b.example/users/carol", "https://sub.xn--bcher-kva.example:8443/dora"
    assert await db.read(lambda r: blocks.blocked_of(r, [uri, carol, dora])) == {uri, dora}
    assert await db.read(lambda r: blocks.blocked_of(r, [])) == set()

    assert await db.write(lambda tx: blocks.unblock_actor(tx, bob))
    assert await db.write(lambda tx: blocks.unblock_host(tx, "xn--bcher-kva.example"))
    assert not await db.write(lambda tx: blocks.unblock_actor(tx, bob))
    assert not await db.read(lambda r: blocks.is_blocked(r, uri))


@pytest.mark.parametrize("name", ["", "a b", "https://bad.example", "..", "x" * 300])
async def test_what_is_no_host_cannot_be_blocked(db: Database, name: str) -> None:
    with pytest.raises(InvalidInput, match="not the name of a server"):
        await db.write(lambda tx: blocks.block_host(tx, name, NOON))


async def test_who_blocked_us_is_remembered_until_they_take_it_back(db: Database) -> None:
    bob = await db.write(lambda tx: met(tx, "bob"))

    await db.write(lambda tx: blocks.blocked_by_add(tx, bob, "https://b.example/b/1"))
    await db.write(lambda tx: blocks.blocked_by_add(tx, bob, "https://b.example/b/2"))
    assert await db.read(lambda r: blocks.has_blocked_us(r, bob))
    assert await db.write(lambda tx: blocks.blocked_by_remove(tx, bob))
    assert not await db.write(lambda tx: blocks.blocked_by_remove(tx, bob))
    assert not await db.read(lambda r: blocks.has_blocked_us(r, bob))
