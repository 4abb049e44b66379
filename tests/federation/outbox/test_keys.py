"""New keys: asked for in Settings, told with the old ones, used, and the old ones removed."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from microfedi.federation.outbox import keys
from microfedi.protocol import parse, proofs
from microfedi.storage import actor_keys, actors, followers
from microfedi.storage.database import Reader
from tests.another_server import Answer, Received, RemoteActor
from tests.app_fixture import HANDLE, PASSWORD, US, App, an_app, texts
from tests.federation.outbox.sent import send_all

OLD_RSA, NEW_RSA = f"{US}#main-key", f"{US}#main-key-2"
OLD_ED25519, NEW_ED25519 = f"{US}#ed25519-key", f"{US}#ed25519-key-2"


@contextlib.asynccontextmanager
async def followed(tmp_path: Path) -> AsyncIterator[App]:
    """frank follows the owner, who is logged in."""
    async with an_app(tmp_path) as app:
        await app.followed_by(app.world.actor("https://fol.example/users/frank"))
        await app.login()
        yield app


async def renew(app: App, **fields: str) -> httpx2.Response:
    app.clock.forward(seconds=30)
    asked = {"password": PASSWORD, "code": app.code()} | fields
    return await app.post("/settings/security/keys", asked)


async def document(app: App) -> dict[str, Any]:
    found: dict[str, Any] = (await app.asked_by(None, US)).json()
    return found


def listed(doc: dict[str, Any]) -> tuple[str, list[str]]:
    return doc["publicKey"]["id"], [one["id"] for one in doc["assertionMethod"]]


def key_of(post: Received) -> str:
    return post.headers["signature"].split('keyId="')[1].split('"')[0]


async def test_new_keys_are_told_by_the_old_and_used_from_then_on(tmp_path: Path) -> None:
    async with followed(tmp_path) as app:
        before = await document(app)
        assert listed(before) == (OLD_RSA, [OLD_ED25519])

        answer = await renew(app)
        await app.publish("Hello")
        update, create = await send_all(app.ctx, app.world)

        assert "You have new keys" in texts(answer)
        now = await document(app)
        assert listed(now) == (NEW_RSA, [NEW_ED25519, OLD_RSA, OLD_ED25519])
        known = {key.uri: key for key in parse.keys(now)}
        then = {key.uri: key for key in parse.keys(before)}
        assert {uri: known[uri].pem for uri in then} == {uri: then[uri].pem for uri in then}
        assert len({key.pem for key in known.values()}) == 4
        # What tells of the new keys can be verified by whoever knows the old ones alone.
        assert (update.json["type"], update.json["object"]["id"]) == ("Update", US)
        assert listed(update.json["object"]) == listed(now)
        assert key_of(update) == OLD_RSA
        (proof,) = proofs.read(update.json, now=app.clock.now)
        assert proof.key_uri == OLD_ED25519
        assert proofs.verify(update.json, proof, then[OLD_ED25519])
        # Everything after it is by the new ones.
        assert key_of(create) == NEW_RSA
        (proof,) = proofs.read(create.json, now=app.clock.now)
        assert proof.key_uri == NEW_ED25519
        assert proofs.verify(create.json, proof, known[NEW_ED25519])


@pytest.mark.parametrize(
    "fields", [{"password": "wrong"}, {"code": "000000"}, {"code": ""}, {"password": ""}]
)
async def test_both_factors_are_asked_for(tmp_path: Path, fields: dict[str, str]) -> None:
    async with followed(tmp_path) as app:
        before = await document(app)

        answer = await renew(app, **fields)

        assert answer.status_code == 422
        assert await document(app) == before
        assert await send_all(app.ctx, app.world) == []


async def test_a_recovery_code_is_as_good(tmp_path: Path) -> None:
    async with followed(tmp_path) as app:
        answer = await renew(app, code=app.recovery_codes[0])

        assert answer.status_code == 200
        assert listed(await document(app))[0] == NEW_RSA


async def test_the_page_says_what_it_does(tmp_path: Path) -> None:
    async with followed(tmp_path) as app:
        said = texts(await app.get("/settings/security"))

        assert "Make new keys" in said
        assert "you lose no followers" in said


async def test_the_old_keys_go_when_everybody_knows(tmp_path: Path) -> None:
    async with followed(tmp_path) as app:
        await renew(app)
        assert await keys.retire(app.ctx, "") == keys.CHECK_EVERY  # nothing was sent yet
        await send_all(app.ctx, app.world)

        assert await keys.retire(app.ctx, "") is None
        (update,) = await send_all(app.ctx, app.world)

        assert listed(await document(app)) == (NEW_RSA, [NEW_ED25519])
        assert listed(update.json["object"]) == (NEW_RSA, [NEW_ED25519])
        assert key_of(update) == NEW_RSA
        assert await keys.retire(app.ctx, "") is None
        assert await send_all(app.ctx, app.world) == []


async def test_the_job_comes_an_hour_later(tmp_path: Path) -> None:
    async with followed(tmp_path) as app:
        await renew(app)

        def waiting(reader: Reader) -> list[str]:
            rows = reader.all("SELECT due_at FROM jobs WHERE kind = 'retire_keys'")
            return [row["due_at"] for row in rows]

        (due_at,) = await app.ctx.db.read(waiting)
        hour = app.clock.now + timedelta(hours=1)
        assert due_at == f"{hour:%Y-%m-%dT%H:%M:%S}.000Z"


async def test_a_server_that_is_away_is_waited_for_two_days(tmp_path: Path) -> None:
    async with followed(tmp_path) as app:
        app.world.inbox_answer = Answer(503, content_type=None)
        await renew(app)
        await send_all(app.ctx, app.world)

        app.clock.forward(hours=47, minutes=50)
        assert await keys.retire(app.ctx, "") == timedelta(minutes=10)
        assert listed(await document(app))[1] == [NEW_ED25519, OLD_RSA, OLD_ED25519]
        app.clock.forward(minutes=10)
        assert await keys.retire(app.ctx, "") is None
        assert listed(await document(app)) == (NEW_RSA, [NEW_ED25519])

        # What still waits is signed by the key that there is.
        app.world.inbox_answer = Answer(202, content_type=None)
        app.clock.forward(days=3)
        late = await send_all(app.ctx, app.world)
        assert [key_of(post) for post in late] == [NEW_RSA, NEW_RSA]


async def test_who_does_not_know_the_old_key_gets_the_new_one(tmp_path: Path) -> None:
    async with followed(tmp_path) as app:

        def knows_the_new_one(request: Received) -> Answer:
            return Answer(202 if key_of(request) == NEW_RSA else 401, content_type=None)

        app.world.serve("https://fol.example/inbox", knows_the_new_one)
        await renew(app)

        posts = await send_all(app.ctx, app.world)

        assert [key_of(post) for post in posts] == [OLD_RSA, NEW_RSA]


async def test_keys_are_not_changed_twice_at_once(tmp_path: Path) -> None:
    async with followed(tmp_path) as app:
        await renew(app)
        now = await document(app)

        again = await renew(app)

        assert again.status_code == 422
        assert "a short while ago" in texts(again)
        assert await document(app) == now
        await send_all(app.ctx, app.world)
        await keys.retire(app.ctx, "")
        assert (await renew(app)).status_code == 200
        assert listed(await document(app))[0] == f"{US}#main-key-3"


async def test_private_keys_are_sealed_old_and_new(tmp_path: Path) -> None:
    async with followed(tmp_path) as app:
        await renew(app)

        owner = str((await app.rows())["owner"])

        assert "PRIVATE" not in owner
        assert app.ctx.owner.old_rsa is not None
        body = app.ctx.owner.old_rsa.pem.splitlines()[1]
        assert body not in owner


async def test_another_server_learns_the_keys_and_believes_what_follows(tmp_path: Path) -> None:
    (here := tmp_path / "here").mkdir()
    (there := tmp_path / "there").mkdir()
    async with (
        an_app(here) as app,
        an_app(there, base_url="https://them.example") as them,
    ):
        # They follow, and know the document as it was.
        me = f"https://them.example/users/{HANDLE}"
        their_actor = (
            await them.get(f"/users/{HANDLE}", accept="application/activity+json")
        ).json()
        app.world.serve(me, their_actor)
        met = await app.ctx.db.write(
            lambda tx: actors.keep(tx, parse.actor(their_actor), handle=None, now=app.clock.now)
        )
        await app.ctx.db.write(
            lambda tx: followers.put(tx, met.id, f"{me}/follows/1", "accepted", app.clock.now)
        )
        them.world.serve(US, await document(app))
        await them.follow(RemoteActor(US))

        await app.login()
        await renew(app)
        await app.publish("Signed anew")
        them.clock.now = app.clock.now
        them.world.requests.clear()
        for post in await send_all(app.ctx, app.world):
            assert post.url == "https://them.example/inbox"
            answer = await them.browser("198.51.100.9").post(
                "/inbox", content=post.body, headers=dict(post.headers)
            )
            assert answer.status_code == 202, answer.text
            await them.process()

        assert await them.count("notes") == 1
        # The new key came with the Update: nobody had to ask for it.
        assert them.world.gets(US) == []

        def kept(reader: Reader) -> set[str]:
            actor = actors.by_uri(reader, US)
            assert actor is not None
            return {
                uri for uri in (NEW_RSA, OLD_RSA, NEW_ED25519) if actor_keys.by_uri(reader, uri)
            }

        assert await them.ctx.db.read(kept) == {NEW_RSA, OLD_RSA, NEW_ED25519}
