"""Mentions of people we never met: fetched from their real server before anything is written."""

from pathlib import Path

import pytest

from microfedi.federation.outbox import notes, writing
from microfedi.federation.outbox.notes import Draft
from microfedi.storage import actors, blocks
from microfedi.storage.sealed import Sealer
from tests.another_server import another_server
from tests.factories import NOON
from tests.federation.outbox.world import ALICE, VIC_SHARED, a_context, sent

WEBFINGER = "https://vic.example/.well-known/webfinger?resource=acct%3Aalice%40vic.example"


async def test_a_stranger_is_fetched_and_gets_the_post(tmp_path: Path, sealer: Sealer) -> None:
    async with another_server() as world:
        world.actor(ALICE)
        async with a_context(tmp_path, sealer, remote=world.remote()) as ctx:
            note = await notes.publish(ctx, Draft("Hi @alice@vic.example, and @no@vic.example"))

            (create,) = await sent(ctx)
            assert create.inboxes == {VIC_SHARED}
            assert [one.href for one in note.mentions] == [ALICE]
            assert "and @no@vic.example" in note.html
            assert await ctx.db.read(lambda reader: actors.by_uri(reader, ALICE))


async def test_a_server_that_hangs_does_not_keep_the_post(
    tmp_path: Path, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "LOOKUP_S", 0.1)
    async with another_server() as world:
        world.hang(WEBFINGER)
        async with a_context(tmp_path, sealer, remote=world.remote()) as ctx:
            note = await notes.publish(ctx, Draft("Hi @alice@vic.example"))

            assert note.mentions == ()


async def test_a_blocked_server_is_not_asked(tmp_path: Path, sealer: Sealer) -> None:
    async with another_server() as world:
        world.actor(ALICE)
        async with a_context(tmp_path, sealer, remote=world.remote()) as ctx:
            await ctx.db.write(lambda tx: blocks.block_host(tx, "vic.example", NOON))

            note = await notes.publish(ctx, Draft("Hi @alice@vic.example"))

            assert note.mentions == ()
            assert world.requests == []
