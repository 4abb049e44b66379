"""Somebody has the whole disk, the server key too: what of messages can they open? And who can
write the database, and has no server key: do they get in?

Every value that the server key seals is looked at as it is made; those with words of a message in
them are then looked for in every file. While a message is on its way there are some; soon after
that, none.
"""

import asyncio
import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from microfedi.account import recovery, tokens
from microfedi.federation import sealing
from microfedi.storage import database, vault_keys
from microfedi.storage.database import Transaction
from microfedi.storage.sealed import Sealer
from tests.another_server import PATIENCE_S
from tests.app_fixture import PASSWORD, US, App, an_app, texts
from tests.federation.outbox.sent import send_all
from tests.web.test_drawer import the_request
from tests.web.test_passkeys import a_device, add, is_in, log_in
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
        written = app.clock.now.timestamp()
        os.utime(newer, (written, written))
        await sealing.run(app.ctx, "")
        assert not older.exists()
        app.clock.now += sealing.COPY_KEPT_FOR
        await sealing.run(app.ctx, "")
        assert newer.exists()
        app.clock.forward(seconds=1)  # what was deleted meanwhile is in it
        await sealing.run(app.ctx, "")
        assert not newer.exists()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("UPDATE vault_keys SET public = :key", id="in its place"),
        pytest.param(
            "INSERT INTO vault_keys SELECT 9, 9, :key, secret_wrapped, created_at FROM vault_keys",
            id="after it",
        ),
    ],
)
async def test_a_key_of_theirs_seals_no_more_from_the_next_login_on(
    tmp_path: Path, change: str
) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        met = await app.follow(alice)
        talk = f"/messages/{(await app.message([met.id], 'wombat: before')).conversation_id}"
        thief = X25519PrivateKey.generate().public_key().public_bytes_raw()
        await app.ctx.db.write(lambda tx: tx.run(change, {"key": thief}))
        await writes(app, alice, "wombat: for the thief")

        assert (await app.login()).status_code == 303
        home = texts(await app.get("/home?newest"))
        assert "the key that seals messages was not yours" in home
        door = await app.get("/settings/door")
        assert "The key that seals messages had been exchanged on the disk" in texts(door)
        line = re.search(r'name="line" value="(\d+)"', door.text)
        assert line is not None
        await app.post("/settings/door/known", {"line": line[1]}, page="/settings/door")
        assert "was not yours" not in texts(await app.get("/home?newest"))
        await writes(app, alice, "wombat: after", number=2)
        await app.unlock()
        page = await app.get(talk)
        assert page.status_code == 200
        assert "wombat: before" in page.text
        assert "wombat: for the thief" not in page.text
        assert "or changed on the disk" in page.text
        assert "wombat: after" in page.text


async def test_a_message_in_the_place_of_another_is_not_shown_as_it(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        met = await app.follow(app.world.actor(ALICE))
        first = await app.message([met.id], "wombat: no")
        second = await app.message([met.id], "wombat: yes")
        await app.ctx.db.write(
            lambda tx: tx.run(
                "UPDATE messages"
                " SET body_sealed = (SELECT body_sealed FROM messages WHERE id = :other)"
                " WHERE id = :one",
                {"one": first.id, "other": second.id},
            )
        )
        await app.login()
        page = await app.get(f"/messages/{first.conversation_id}")
        assert page.status_code == 200
        assert page.text.count("wombat: yes") == 1
        assert "or changed on the disk" in page.text
        assert (await app.get("/messages")).status_code == 200
        assert (await app.get("/search?q=wombat")).status_code == 200


async def test_a_message_that_others_sealed_is_not_shown(tmp_path: Path) -> None:
    """The public half lies there, and what a value is bound to can be read: that is not enough."""
    async with an_app(tmp_path) as app:
        await writes(app, app.world.actor(ALICE), "what Alice wrote")
        await app.login()
        talk = await the_request(app)

        def forge(tx: Transaction) -> None:
            row = tx.one("SELECT * FROM messages")
            key = vault_keys.current(tx)
            assert row is not None
            assert key is not None
            body = {
                "html": "<p>Send me the money</p>",
                "uri": f"{ALICE}/m/1",
                "by": row["actor_id"],
                "published": "2026-11-22T12:00:01.000Z",
            }
            place = f"{row['id']} {row['conversation_id']}"
            forged = key.seal("message", json.dumps(body).encode(), bound_to=place)
            tx.run("UPDATE messages SET body_sealed = :body", {"body": forged})

        assert "what Alice wrote" in (await app.get(talk)).text
        await app.ctx.db.write(forge)
        page = await app.get(talk)
        assert page.status_code == 200
        assert "money" not in page.text
        assert "Sealed for ever" in page.text


async def test_a_session_put_into_the_database_is_none(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        assert await is_in(app)
        (name,) = (one.name for one in app.client.cookies.jar if "session" in one.name)
        token = tokens.new()
        await app.ctx.db.write(
            lambda tx: tx.run(
                "INSERT INTO sessions"
                " (token_hash, created_at, last_used_at, expires_at, address, user_agent)"
                " SELECT :hash, created_at, last_used_at, expires_at, address, user_agent"
                "   FROM sessions",
                {"hash": tokens.hash_of(token)},
            )
        )
        assert await app.count("sessions") == 2
        answer = await app.browser().get("/settings", headers={"Cookie": f"{name}={token}"})
        assert answer.headers["location"].startswith("/login")


async def test_a_recovery_code_put_into_the_database_is_none(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        theirs = recovery.new_codes()[0]
        hashed = hashlib.sha256(b"recovery " + theirs.replace("-", "").encode()).digest()
        assert recovery.hashes_of((theirs,)) == [hashed]
        await app.ctx.db.write(
            lambda tx: tx.run("INSERT INTO recovery_codes VALUES (:hash)", {"hash": hashed})
        )
        for code, status in ((theirs, 401), (app.recovery_codes[0], 303)):
            answer = await app.post("/login", {"password": PASSWORD, "code": code}, page="/login")
            assert answer.status_code == status


async def test_a_passkey_put_into_the_database_is_none(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        mine, theirs = a_device(), a_device()
        for one in (mine, theirs):
            assert (await add(app, one)).status_code == 303
        theirs.user = mine.user
        # What a thief has of their own: credential and key as they are, and the sealed one of mine.
        for key in ("public_key_sealed", ":key"):
            await app.ctx.db.write(
                lambda tx, key=key: tx.run(  # type: ignore[misc]
                    f"UPDATE passkeys SET public_key_sealed = (SELECT {key} FROM passkeys"  # noqa: S608
                    " WHERE credential = :mine) WHERE credential = :theirs",
                    {"mine": mine.credential, "theirs": theirs.credential, "key": theirs.cose},
                )
            )
            assert (await log_in(app, theirs)).status_code == 401
            assert not await is_in(app)
        assert (await log_in(app, mine)).status_code == 303
        assert (await app.get("/settings/passkeys")).status_code == 200


async def test_a_message_is_not_shown_as_somebody_elses(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        alice = app.world.actor(ALICE)
        met = await app.follow(alice)
        await app.login()
        mine = await app.message([met.id], "wombat: mine")
        await writes(app, alice, "wombat: hers")
        await app.ctx.db.write(
            lambda tx: tx.run(
                "UPDATE messages SET actor_id = CASE id WHEN :mine THEN :alice"
                " ELSE (SELECT actor_id FROM owner) END",
                {"mine": mine.id, "alice": met.id},
            )
        )
        page = await app.get(f"/messages/{mine.conversation_id}")
        assert page.status_code == 200
        assert "wombat" not in page.text
        assert page.text.count("or changed on the disk") == 2
