"""Reports: sent to the server of who is reported, by ours; those of others are read here."""

import json
from pathlib import Path

import pytest

from microfedi.config import Federation
from microfedi.protocol import signatures
from microfedi.protocol.signatures import Request
from microfedi.protocol.vocab import PublicKey
from microfedi.storage import notes
from tests.another_server import AS2
from tests.app_fixture import BASE_URL, US, App, an_app, texts
from tests.federation.outbox.sent import send_all

ALICE = "https://vic.example/users/alice"
SERVER = f"{BASE_URL}/actor"


async def row_of(app: App, uri: str) -> int:
    note = await app.ctx.db.read(lambda r: notes.by_uri(r, uri))
    assert note is not None
    return note.id


async def test_a_report_goes_to_their_server_in_the_name_of_ours(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        alice, bob = app.world.actor(ALICE), app.world.actor("https://vic.example/users/bob")
        met = await app.follow(alice)
        await app.follow(bob)
        rude = await app.theirs(alice, content="<p>something rude</p>")
        await app.theirs(alice, content="<p>something else</p>")
        other = await app.theirs(bob, content="<p>of somebody else</p>")
        page = f"/people/{met.id}/report"
        assert f'{page}?post={await row_of(app, rude)}"' in (await app.home()).text
        asked = await app.get(f"{page}?post={await row_of(app, rude)}")
        assert asked.text.count(" checked") == 1
        assert "of somebody else" not in asked.text

        chosen = [await row_of(app, rude), await row_of(app, other)]
        answer = await app.post(page, {"comment": "It is rude.", "post": chosen}, page=page)

        assert answer.headers["location"] == "/settings/reports"
        (sent,) = await send_all(app.ctx, app.world)
        assert sent.url == met.inbox
        flag = json.loads(sent.body)
        assert flag["type"] == "Flag"
        assert flag["actor"] == SERVER
        assert flag["id"].startswith(f"{SERVER}/flags/")
        assert flag["object"] == [ALICE, rude]
        assert flag["content"] == "It is rude."
        assert flag["to"] == [ALICE]
        assert US not in sent.body.decode()
        assert f'keyId="{SERVER}#main-key"' in sent.headers["signature"]
        listed = texts(await app.get("/settings/reports"))
        assert "You reported" in listed
        assert "It is rude." in listed
        assert "something rude" in listed
        stored = str((await app.rows())["reports"])
        assert "rude" not in stored
        assert ALICE not in stored


async def test_the_signature_is_the_servers(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        met = await app.meet(app.world.actor(ALICE))
        await app.post(f"/people/{met.id}/report", {"comment": ""})

        (sent,) = await send_all(app.ctx, app.world)

        server = (await app.asked_by(None, SERVER)).json()
        key = PublicKey(
            server["publicKey"]["id"], SERVER, "rsa", server["publicKey"]["publicKeyPem"]
        )
        request = Request("POST", "/users/alice/inbox", tuple(sent.headers.items()), sent.body)
        (claim,) = signatures.read(request, origin="https://vic.example", now=app.clock.now)
        assert claim.key_uri == key.uri
        assert signatures.verify(claim, key)


@pytest.mark.parametrize("how", ["blocked", "closed"])
async def test_a_report_that_cannot_be_sent_is_not_kept(tmp_path: Path, how: str) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        met = await app.meet(app.world.actor(ALICE))
        if how == "blocked":
            await app.post("/settings/blocks", {"host": "vic.example"})
        else:
            object.__setattr__(app.ctx.config, "federation", Federation(mode="closed"))

        answer = await app.post(f"/people/{met.id}/report", {"comment": "I wrote this"})

        assert answer.status_code == 422
        assert "Nothing is sent to vic.example" in texts(answer)
        assert "I wrote this" in answer.text
        assert await app.count("reports") == 0
        assert await app.count("outgoing") == 0


async def test_a_report_about_us_is_told_and_read(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        server = app.world.actor("https://vic.example/actor", type="Application")
        ours = await app.publish("A bold claim")
        flag = {
            "@context": AS2,
            "id": "https://vic.example/reports/1",
            "type": "Flag",
            "actor": server.uri,
            "object": [US, ours.uri],
            "content": "Too <b>bold</b>.",
        }

        await app.deliver(server, flag)

        assert "sent a report about you" in texts(await app.get("/notifications"))
        listed = await app.get("/settings/reports")
        assert "Too <b>bold</b>." not in listed.text
        assert "bold" in texts(listed)
        assert "A bold claim" in texts(listed)
        assert "vic.example" in texts(listed)


async def test_what_is_too_long_is_said(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await app.login()
        met = await app.meet(app.world.actor(ALICE))
        answer = await app.post(f"/people/{met.id}/report", {"comment": "x" * 5001})
        assert answer.status_code == 422
        me = app.ctx.owner.actor_id
        assert (await app.get(f"/people/{me}/report")).status_code == 404
        assert (await app.post(f"/people/{me}/report", {"comment": ""})).status_code == 404
