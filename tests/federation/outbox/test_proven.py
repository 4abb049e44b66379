"""What the owner says to everybody carries a proof; what is for some carries none."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from microfedi.federation.outbox import announces, likes, notes, profile, sending
from microfedi.protocol import publickeys
from microfedi.protocol.vocab import Visibility
from microfedi.storage import notes as note_storage
from tests.another_server import Received, RemoteActor
from tests.app_fixture import US, App, an_app
from tests.federation.inbox.proven import DATA_INTEGRITY
from tests.federation.outbox.sent import send_all


async def a_world(app: App) -> None:
    await app.followed_by(app.world.actor("https://fol.example/users/frank"))
    await app.follow(app.world.actor("https://vic.example/users/alice"))


def is_proven(document: dict[str, Any], actor: dict[str, Any]) -> bool:
    """Verify a proof with what the actor's document says, without our own code for proofs."""
    unsecured = {name: one for name, one in document.items() if name != "proof"}
    options = {name: one for name, one in document["proof"].items() if name != "proofValue"}
    (key,) = [one for one in actor["assertionMethod"] if one["id"] == options["verificationMethod"]]
    raw = publickeys.from_base58(key["publicKeyMultibase"][1:])
    assert raw[:2] == b"\xed\x01"
    signature = publickeys.from_base58(document["proof"]["proofValue"][1:])
    try:
        Ed25519PublicKey.from_public_bytes(raw[2:]).verify(
            signature, _hash(options) + _hash(unsecured)
        )
    except InvalidSignature:
        return False
    return True


def _hash(doc: dict[str, Any]) -> bytes:
    # Canonical as long as keys are ASCII and there are no fractions, which is so here.
    text = json.dumps(doc, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


async def test_whatever_is_open_is_proven(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await a_world(app)
        theirs = await app.theirs(app.world.actor("https://vic.example/users/alice"))
        boosted = await app.ctx.db.read(lambda reader: note_storage.by_uri(reader, theirs))
        assert boosted is not None

        note = await app.publish("Zoë says hello 😀 #day")
        await app.publish("Quietly", Visibility.UNLISTED)
        await notes.edit(app.ctx, note.id, notes.Draft("Edited", Visibility.PUBLIC))
        await notes.delete(app.ctx, note.id)
        await announces.announce(app.ctx, boosted.id)
        await announces.unannounce(app.ctx, boosted.id)
        await profile.update(app.ctx, profile.Profile("Maya", "Hello"))
        posts = await send_all(app.ctx, app.world)

        actor = (await app.asked_by(None, US)).json()
        frank = [post.json for post in posts if post.url == "https://fol.example/inbox"]
        kinds = [one["type"] for one in frank]
        assert kinds == ["Create", "Create", "Update", "Delete", "Announce", "Undo", "Update"]
        for one in frank:
            assert DATA_INTEGRITY in one["@context"]
            assert one["proof"]["verificationMethod"] == f"{US}#ed25519-key"
            assert is_proven(one, actor), one["type"]
            assert not is_proven(one | {"type": "Like"}, actor)
            assert not is_proven(one | {"actor": "https://evil.example/users/mallory"}, actor)


async def test_what_is_for_some_is_not(tmp_path: Path) -> None:
    async with an_app(tmp_path) as app:
        await a_world(app)
        alice = app.world.actor("https://vic.example/users/alice")
        theirs = await app.theirs(alice)
        liked = await app.ctx.db.read(lambda reader: note_storage.by_uri(reader, theirs))
        assert liked is not None

        closed = await app.publish("For followers", Visibility.FOLLOWERS)
        edited = notes.Draft("For followers still", Visibility.FOLLOWERS)
        await notes.edit(app.ctx, closed.id, edited)
        await notes.delete(app.ctx, closed.id)
        await app.message([liked.actor_id], "For one")
        await likes.like(app.ctx, liked.id)
        posts = await send_all(app.ctx, app.world)

        kinds = sorted(post.json["type"] for post in posts)
        assert kinds == ["Create", "Create", "Delete", "Like", "Update"]
        assert not any("proof" in post.json for post in posts)
        assert not any(DATA_INTEGRITY in str(post.json["@context"]) for post in posts)


async def test_a_post_goes_without_rather_than_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with an_app(tmp_path) as app:
        await a_world(app)
        await app.publish("Hello")
        (small,) = await sent_to_frank(app)
        # Signatures in base58 differ by a character or two.
        monkeypatch.setattr(sending, "MAX_PROVEN_BYTES", len(small.body) + 5)
        await app.publish("Hello")
        await app.publish("Hello" + "!" * 20)

        fits, larger = await sent_to_frank(app)

        assert "proof" in fits.json
        assert "proof" not in larger.json


async def sent_to_frank(app: App) -> list[Received]:
    posts = await send_all(app.ctx, app.world)
    return [post for post in posts if post.url == "https://fol.example/inbox"]


async def test_another_server_takes_it_from_a_third(tmp_path: Path) -> None:
    (here := tmp_path / "here").mkdir()
    (there := tmp_path / "there").mkdir()
    async with an_app(here) as app, an_app(there, base_url="https://them.example") as them:
        await a_world(app)
        note = await app.publish("Grüße, mit π ≈ 3.14 😀")
        (post,) = await sent_to_frank(app)
        them.clock.now = app.clock.now
        them.world.serve(US, (await app.asked_by(None, US)).json())
        mallory = them.world.actor("https://evil.example/users/mallory")
        await them.follow(RemoteActor(US))

        url = "https://them.example/inbox"
        answers = []
        for body in (post.body.replace("Grüße".encode(), b"Forged"), post.body):
            headers = mallory.signed_headers("POST", url, body, now=them.clock.now)
            browser = them.browser("198.51.100.9")
            answers.append(await browser.post(url, content=body, headers=headers))
            await them.process()

        assert [answer.status_code for answer in answers] == [403, 202]
        kept = await them.ctx.db.read(lambda reader: note_storage.by_uri(reader, note.uri))
        assert kept is not None
        assert "Grüße" in str(kept.html)
