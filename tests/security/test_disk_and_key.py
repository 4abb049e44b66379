"""Somebody has the whole disk, the server key too: what of messages can they open?

Every value that the server key seals is looked at as it is made; those with words of a message in
them are then looked for in every file. While a message is on its way there are some; soon after
that, none.
"""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from microfedi.federation import sealing
from microfedi.storage import database
from microfedi.storage.sealed import Sealer
from tests.another_server import PATIENCE_S
from tests.app_fixture import US, App, an_app
from tests.federation.outbox.sent import send_all
from tests.web.test_vault import ALICE, writes

WORD = b"wombat"
_SLICE = slice(13, 60)  # of a sealed value: behind what each begins with


@dataclass
class Seen:
    """The values that the server key opens, if words of a message are in them."""

    values: list[bytes] = field(default_factory=list)

    def left(self, app: App) -> int:
        """Count those that still lie in some file."""
        files = [path.read_bytes() for path in app.data_dir.rglob("*") if path.is_file()]
        assert not any(WORD in one for one in files)
        return sum(any(value[_SLICE] in one for one in files) for value in self.values)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    found = Seen()
    seal = Sealer.seal

    def watched(self: Sealer, purpose: str, plain: bytes, *, bound_to: str = "") -> bytes:
        value = seal(self, purpose, plain, bound_to=bound_to)
        if WORD in plain:
            found.values.append(value)
        return value

    monkeypatch.setattr(Sealer, "seal", watched)
    return found


async def test_soon_after_a_message_is_delivered_nothing_of_it_opens(
    tmp_path: Path, seen: Seen
) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        met = await app.follow(alice)
        await app.login()
        message = await app.message([met.id], "wombat: sent")
        assert seen.left(app) == 1  # it waits to be delivered
        await send_all(app.ctx, app.world)
        await writes(app, alice, "wombat: an answer")
        talk = f"/messages/{message.conversation_id}"
        fields = {"source": "wombat: a draft", "summary": "wombat"}
        assert (await app.post(f"{talk}/draft", fields, page=talk)).status_code == 303
        fields = {"source": "wombat: with a warning", "summary": "wombat"}
        assert (await app.post(talk, fields, page=talk)).status_code == 303
        edited = {"source": "wombat: edited"}
        answer = await app.post(f"{talk}/{message.id}/edit", edited, page=talk)
        assert answer.status_code == 303
        bob = app.world.actor("https://bob.example/users/bob")
        picture = {
            "type": "Document",
            "mediaType": "image/png",
            "url": "https://bob.example/1.png",
            "name": "wombat: a stranger's picture",
        }
        await app.theirs(
            bob, to=[US], cc=[], content="<p>wombat: first words</p>", attachment=[picture]
        )
        await send_all(app.ctx, app.world)
        assert len(seen.values) >= 5

        assert await app.ctx.db.fold()

        assert seen.left(app) == 0
        assert b"wombat: edited" in (await app.get(talk)).content  # and it is all there


async def test_the_log_of_writes_is_cut_off_by_itself(
    tmp_path: Path, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "FOLD_AFTER_S", 0.05)
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        await app.follow(alice)
        await writes(app, alice, "wombat")
        async with asyncio.timeout(PATIENCE_S):
            while seen.left(app):  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.02)
        assert seen.values


async def test_a_copy_from_before_messages_were_sealed_goes_once_they_are(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        older = app.data_dir / "microfedi-before-0004-was-0002.db"
        newer = app.data_dir / "microfedi-before-0005-was-0004.db"
        for one in (older, newer):
            one.write_bytes(b"a copy")
        await app.message([(await app.follow(app.world.actor(ALICE))).id], "a message")
        await sealing.run(app.ctx, "")
        assert not older.exists()
        assert newer.exists()
