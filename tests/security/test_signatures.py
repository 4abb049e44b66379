"""Area A: who may say they are whom. Through the real inbox route, with real keys and real TLS.

Every forged post here is one that would be kept if it were signed well: it mentions the owner.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import padding

from microfedi.errors import BadSignature
from microfedi.federation import keyring, verify
from microfedi.federation.verify import Signer
from microfedi.protocol import signatures
from tests.another_server import ACTIVITY_JSON, AS2, Answer, RemoteActor, answer_json
from tests.factories import NOON
from tests.federation.inbox.world import (
    INBOX,
    OWNER,
    SHARED,
    US,
    Document,
    Scene,
    a_create,
    a_mention,
    a_scene,
    an_activity,
    cavage,
    digest,
    rfc9421,
)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with a_scene(tmp_path) as made:
        yield made


def a_body(actor: RemoteActor, number: int = 1) -> bytes:
    return json.dumps(a_create(actor, a_mention(actor, number))).encode()


async def is_kept(scene: Scene, actor: RemoteActor, number: int = 1) -> bool:
    await scene.process()
    return await scene.note(f"{actor.uri}/notes/{number}") is not None


# What is signed well is kept, in every form: without these, the refusals below would prove nothing.


@pytest.mark.parametrize("url", [INBOX, SHARED])
async def test_a_well_signed_post_of_a_stranger_is_kept(scene: Scene, url: str) -> None:
    body = a_body(scene.alice)

    response = await scene.send(body, cavage(scene.alice, body, url=url), url=url)

    assert response.status_code == 202
    assert await is_kept(scene, scene.alice)


async def test_a_post_signed_by_rfc_9421_is_kept_and_the_scheme_remembered(scene: Scene) -> None:
    body = a_body(scene.alice)

    response = await scene.send(body, rfc9421(scene.alice, body))

    assert response.status_code == 202
    assert await is_kept(scene, scene.alice)
    assert [(row[1], row[7]) for row in (await scene.rows())["hosts"]] == [("vic.example", 1)]


async def test_s_001_what_is_not_signed_is_nobodys(scene: Scene) -> None:
    body = a_body(scene.alice)
    plain = {"content-type": ACTIVITY_JSON, "digest": digest(body)}
    invalid = cavage(scene.alice, body, signature=b"x" * 256)

    async with scene.drops(scene.alice.uri):
        for url in (INBOX, SHARED):
            for headers in (plain, plain | {"signature": ""}, invalid):
                response = await scene.send(body, headers, url=url)
                assert response.status_code == 401


@pytest.mark.parametrize("kind", ["Create", "Follow", "Delete", "Undo", "Update"])
@pytest.mark.parametrize("is_known", [True, False])
async def test_s_002_the_key_says_who_acts(scene: Scene, kind: str, is_known: bool) -> None:
    if is_known:
        alice = await scene.follow(scene.alice)
        await scene.note_of(alice.id, f"{scene.alice.uri}/notes/7")
        await scene.meet(scene.mallory)
    note = a_mention(scene.alice, 8) | {"updated": "2026-11-22T11:59:30Z"}
    objects: dict[str, Any] = {
        "Create": note,
        "Follow": OWNER,
        "Delete": f"{scene.alice.uri}/notes/7",
        "Undo": an_activity("Follow", scene.alice, OWNER),
        "Update": note | {"id": f"{scene.alice.uri}/notes/7"},
    }
    doc = an_activity(kind, scene.alice, objects[kind], to=[OWNER])

    async with scene.drops(scene.mallory.uri):
        response = await scene.post(scene.mallory, doc)

    assert response.status_code in (401, 403)


@pytest.mark.parametrize("missing", ["(request-target)", "host", "date", "digest"])
async def test_s_003_everything_that_matters_is_signed(scene: Scene, missing: str) -> None:
    await scene.meet(scene.alice)
    body = a_body(scene.alice)

    async with scene.drops():
        response = await scene.send(body, cavage(scene.alice, body, without=missing))

    assert response.status_code == 401


@pytest.mark.parametrize(
    "sent_to",
    [
        f"{SHARED}?x=1",
        f"{US}//inbox",
        f"{US}/inbox/",
        f"{US}/%69nbox",
        f"{US}/inbox%2F",
        f"{US}/users%2Fowner/inbox",
        INBOX,
    ],
)
async def test_s_003_the_signature_is_for_this_address_alone(scene: Scene, sent_to: str) -> None:
    await scene.meet(scene.alice)
    body = a_body(scene.alice)

    async with scene.drops(scene.alice.uri):
        response = await scene.send(body, cavage(scene.alice, body, url=SHARED), url=sent_to)

    assert 400 <= response.status_code < 500 or response.status_code == 307


@pytest.mark.parametrize(
    "changed",
    [
        lambda body: {"digest": digest(body)},  # signed for this body, another one is sent
        lambda body: {"digest": "MD5=" + digest(body)[8:]},
        lambda body: {"digest": digest(body).replace("SHA-256", "sha-512")},
        lambda body: {"digest": digest(body).replace("SHA-256", "id-sha-256")},
        lambda body: {"digest": digest(b"{}") + "," + digest(body)},
        lambda body: {"digest": digest(body) + ", " + digest(b"{}")},
    ],
)
async def test_s_004_the_digest_is_of_this_body(scene: Scene, changed: Any) -> None:
    await scene.meet(scene.alice)
    body = a_body(scene.alice)
    lines = changed(body)
    sent = a_body(scene.alice, 2) if lines == {"digest": digest(body)} else body

    async with scene.drops():
        response = await scene.send(sent, cavage(scene.alice, body, lines=lines))

    assert response.status_code == 401


async def test_a_digest_in_another_spelling_is_taken(scene: Scene) -> None:
    body = a_body(scene.alice)
    lines = {"digest": "sha-256=" + digest(body)[8:] + ",unixsum=30637"}

    assert (await scene.send(body, cavage(scene.alice, body, lines=lines))).status_code == 202
    assert await is_kept(scene, scene.alice)


@pytest.mark.parametrize("off", [timedelta(hours=25), timedelta(hours=-25), timedelta(minutes=70)])
async def test_s_006_a_date_from_another_time_is_refused(scene: Scene, off: timedelta) -> None:
    await scene.meet(scene.alice)
    body = a_body(scene.alice)

    async with scene.drops():
        response = await scene.send(body, cavage(scene.alice, body, now=NOON + off))

    assert response.status_code == 401


async def test_s_006_created_and_expires_count_too(scene: Scene) -> None:
    await scene.meet(scene.alice)
    body = a_body(scene.alice)
    noon = int(NOON.timestamp())
    wrong = [
        {"lines": {"(created)": str(noon + 90_000)}, "extra": f"created={noon + 90_000},"},
        {"lines": {"(expires)": str(noon - 90_000)}, "extra": f"expires={noon - 90_000},"},
        {"without": "date"},
    ]

    async with scene.drops():
        for one in wrong:
            headers = cavage(scene.alice, body, algorithm="hs2019", **one)  # type: ignore[arg-type]
            assert (await scene.send(body, headers)).status_code == 401

    right = {"(created)": str(noon), "(expires)": str(noon + 120)}
    headers = cavage(
        scene.alice,
        body,
        algorithm="hs2019",
        lines=right,
        extra=f"created={noon},expires={noon + 120},",
    )
    assert (await scene.send(body, headers)).status_code == 202


@pytest.mark.parametrize("name", ["keyId", "headers", "signature"])
async def test_s_008_a_parameter_stands_once(scene: Scene, name: str) -> None:
    await scene.meet(scene.alice)
    await scene.meet(scene.mallory)
    body = a_body(scene.alice)
    other = {"keyId": scene.mallory.key_id, "headers": "date", "signature": "eA=="}[name]

    async with scene.drops():
        for where in ("before", "after"):
            headers = cavage(scene.alice, body)
            twice = f'{name}="{other}"'
            signature = headers["signature"]
            headers["signature"] = (
                f"{twice},{signature}" if where == "before" else f"{signature},{twice}"
            )
            assert (await scene.send(body, headers)).status_code in (400, 401)


@pytest.mark.parametrize("name", ["digest", "date", "host", "signature"])
async def test_s_008_a_header_stands_once(scene: Scene, name: str) -> None:
    await scene.meet(scene.alice)
    body = a_body(scene.alice)
    headers = cavage(scene.alice, body)
    second = {"digest": digest(b"{}"), "host": "evil.example"}.get(name, headers[name])

    async with scene.drops():
        response = await scene.send(body, [*headers.items(), (name, second)])

    assert response.status_code in (400, 401)


@pytest.mark.parametrize("algorithm", ["hmac-sha256", "none", "rsa-sha1", "unknown"])
async def test_s_009_the_key_says_how_it_signs(scene: Scene, algorithm: str) -> None:
    await scene.meet(scene.alice)
    body = a_body(scene.alice)
    signed = cavage(scene.alice, body, algorithm=algorithm)
    mac = hmac.HMAC(scene.alice.public_key_pem.encode(), hashes.SHA256())
    text = "\n".join(
        [
            "(request-target): post /users/owner/inbox",
            *(f"{name}: {signed[name]}" for name in ("host", "date", "digest")),
        ]
    )
    mac.update(text.encode())
    sha1 = scene.alice.private_key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
    made = {"hmac-sha256": mac.finalize(), "rsa-sha1": sha1, "none": b"\0"}.get(algorithm)

    async with scene.drops(scene.alice.uri):
        forged = cavage(scene.alice, body, algorithm=algorithm, signature=made)
        assert (await scene.send(body, forged)).status_code == 401
        # The same under a word that is known: what counts is the signature.
        if made is not None:
            forged = cavage(scene.alice, body, algorithm="hs2019", signature=made)
            assert (await scene.send(body, forged)).status_code == 401


@pytest.mark.parametrize("algorithm", ["hs2019", "rsa-sha256", ""])
async def test_s_009_hs2019_and_nothing_mean_what_the_key_is(scene: Scene, algorithm: str) -> None:
    body = a_body(scene.alice)

    response = await scene.send(body, cavage(scene.alice, body, algorithm=algorithm))

    assert response.status_code == 202


def _forged_key_documents(scene: Scene, url: str) -> dict[str, Document]:
    pem = scene.mallory.public_key_pem
    key = {"id": url, "owner": scene.alice.uri, "publicKeyPem": pem}
    return {
        "key": {"@context": AS2, "type": "Key", **key},
        "controller": {
            "type": "Key",
            "id": url,
            "controller": scene.alice.uri,
            "publicKeyPem": pem,
        },
        "actor": scene.alice.document(publicKey=key),
        "actor of evil": scene.alice.document(id=url, publicKey=key),
    }


@pytest.mark.parametrize("form", ["key", "controller", "actor", "actor of evil"])
async def test_s_011_an_owner_must_list_the_key(scene: Scene, form: str) -> None:
    url = "https://evil.example/key.json"
    scene.world.serve(url, _forged_key_documents(scene, url)[form])
    body = a_body(scene.alice)

    async with scene.drops(url, scene.alice.uri):
        response = await scene.send(body, cavage(scene.mallory, body, key_id=url))
        # Uploaded to vic, as a file that its server vouches for with nothing but the address.
        on_vic = "https://vic.example/uploads/key.json"
        scene.world.serve(on_vic, _forged_key_documents(scene, on_vic)[form])
    async with scene.drops(on_vic, scene.alice.uri):
        from_vic = await scene.send(body, cavage(scene.mallory, body, key_id=on_vic))

    assert (response.status_code, from_vic.status_code) == (401, 401)


async def test_s_011_an_owner_lists_keys_of_their_own_server(scene: Scene) -> None:
    """Whoever else could change that document would speak for them."""
    url = "https://evil.example/key.json"
    key = {"id": url, "owner": scene.alice.uri, "publicKeyPem": scene.mallory.public_key_pem}
    scene.world.serve(url, {"@context": AS2} | key)
    scene.world.serve(scene.alice.uri, scene.alice.document(publicKey=key))
    body = a_body(scene.alice)

    async with scene.drops(url, scene.alice.uri):
        response = await scene.send(body, cavage(scene.mallory, body, key_id=url))

    assert response.status_code == 401


async def test_s_011_also_for_a_signed_get(scene: Scene) -> None:
    url = "https://evil.example/key.json"
    scene.world.serve(url, _forged_key_documents(scene, url)["key"])
    target = f"{OWNER}/notes/x1"
    forged = scene.mallory.signed_headers("GET", target, key_id=url)
    honest = scene.mallory.signed_headers("GET", target)

    def request(headers: Mapping[str, str]) -> signatures.Request:
        return signatures.Request("GET", "/users/owner/notes/x1", tuple(headers.items()))

    with pytest.raises(BadSignature):
        await verify.signer_of(scene.ctx, request(forged))
    signer = await verify.signer_of(scene.ctx, request(honest))

    assert isinstance(signer, Signer)
    assert signer.uri == scene.mallory.uri


async def test_a_key_with_an_address_of_its_own_is_found(scene: Scene) -> None:
    # GoToSocial: the key's address answers with a stub of the actor, the actor lists the key.
    url = f"{scene.alice.uri}/main-key"
    key = {"id": url, "owner": scene.alice.uri, "publicKeyPem": scene.alice.public_key_pem}
    scene.world.serve(url, {"@context": AS2, "id": scene.alice.uri, "publicKey": key})
    scene.world.serve(scene.alice.uri, scene.alice.document(publicKey=key))
    body = a_body(scene.alice)

    response = await scene.send(body, cavage(scene.alice, body, key_id=url))

    assert response.status_code == 202
    assert await is_kept(scene, scene.alice)


async def test_s_013_a_redirect_to_another_server_lends_nobody_a_key(scene: Scene) -> None:
    stolen = scene.mallory.document()
    scene.world.redirect("https://vic.example/out?to=key", "https://evil.example/key.json")
    key_id = "https://vic.example/out?to=key"
    key = {"id": key_id, "owner": scene.alice.uri, "publicKeyPem": scene.mallory.public_key_pem}
    scene.world.serve("https://evil.example/key.json", scene.alice.document(publicKey=key))
    body = a_body(scene.alice)

    async with scene.drops(key_id, "https://evil.example/key.json", scene.alice.uri):
        response = await scene.send(body, cavage(scene.mallory, body, key_id=key_id))
    assert response.status_code == 401

    # alice's own address serves mallory, by a redirect or as if it were hers.
    scene.world.redirect(scene.alice.uri, scene.mallory.uri)
    async with scene.drops(scene.alice.uri, scene.mallory.uri):
        response = await scene.send(body, cavage(scene.mallory, body, key_id=scene.alice.key_id))
    assert response.status_code == 401
    scene.clock.forward(hours=1)
    scene.world.serve(scene.alice.uri, stolen)
    async with scene.drops(scene.alice.uri, scene.mallory.uri):
        headers = cavage(scene.mallory, body, key_id=scene.alice.key_id, now=scene.clock())
        response = await scene.send(body, headers)
    assert response.status_code == 401


@pytest.mark.parametrize(
    "key_id",
    [f"{OWNER}#main-key", f"{US}/actor#main-key", f"{US}/nowhere", INBOX, "https://US.example/x"],
)
async def test_s_014_our_own_keys_are_not_asked_for(scene: Scene, key_id: str) -> None:
    body = a_body(scene.mallory)

    async with scene.drops():
        response = await scene.send(body, cavage(scene.mallory, body, key_id=key_id))

    assert response.status_code == 401
    assert scene.world.resolved == []


async def test_s_015_garbage_under_a_known_key_is_asked_about_once(scene: Scene) -> None:
    await scene.meet(scene.alice)
    body = a_body(scene.alice)
    garbage = cavage(scene.alice, body, signature=b"x" * 256)

    for _ in range(50):
        together = await asyncio.gather(*(scene.send(body, garbage) for _ in range(20)))
        assert {one.status_code for one in together} <= {401, 503}

    assert len(scene.world.gets()) == 1
    # She herself is heard all the same.
    assert (await scene.send(body, cavage(scene.alice, body))).status_code == 202
    # After some minutes it may be asked again: she may have a new key.
    scene.clock.forward(minutes=6)
    headers = cavage(scene.alice, body, signature=b"x" * 256, now=scene.clock())
    assert (await scene.send(body, headers)).status_code == 401
    assert len(scene.world.gets()) == 2


async def test_s_015_a_dead_host_is_asked_once(scene: Scene) -> None:
    scene.world.name("dead.example")
    body = a_body(scene.mallory)

    for number in range(1000):
        key_id = f"https://dead.example/users/{number}#main-key"
        response = await scene.send(body, cavage(scene.mallory, body, key_id=key_id))
        assert response.status_code == 503
        assert response.headers["retry-after"]

    assert scene.world.resolved == ["dead.example"]


async def test_a_host_that_hangs_holds_up_nobody_else(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "DEADLINE_S", 0.2)
    scene.world.hang(scene.mallory.uri)
    bad, good = a_body(scene.mallory), a_body(scene.alice)

    hanging = asyncio.create_task(scene.send(bad, cavage(scene.mallory, bad)))
    await scene.world.wait_for(lambda: scene.world.gets(scene.mallory.uri))
    answer = await scene.send(good, cavage(scene.alice, good))

    assert answer.status_code == 202
    assert (await hanging).status_code == 503
    assert (await scene.send(bad, cavage(scene.mallory, bad))).status_code == 503
    assert len(scene.world.gets(scene.mallory.uri)) == 1


async def test_a_new_key_is_found_and_kept(scene: Scene) -> None:
    await scene.follow(scene.alice)
    rotated = RemoteActor("https://vic.example/users/alice-with-a-new-key")
    key = {"id": scene.alice.key_id, "owner": scene.alice.uri}
    scene.world.serve(
        scene.alice.uri,
        scene.alice.document(publicKey=key | {"publicKeyPem": rotated.public_key_pem}),
    )
    body = a_body(scene.alice)

    for number in (1, 2):
        body = a_body(scene.alice, number)
        headers = cavage(rotated, body, key_id=scene.alice.key_id)
        assert (await scene.send(body, headers)).status_code == 202

    assert len(scene.world.gets(scene.alice.uri)) == 1
    assert [row[3] for row in (await scene.rows())["actor_keys"]] == [rotated.public_key_pem]


@pytest.mark.parametrize(
    "made",
    [
        {"components": ("@method", "@target-uri")},
        {"components": ("@target-uri", "content-digest")},
        {"components": ("@method", "content-digest")},
        {"params": ';alg="ed25519"'},
        {"params": ';alg="hmac-sha256"'},
        {"created": "abc"},
        {"created": "1e400"},
        {"created": "99999999999999"},
        {"created": "1795262400.5"},
        {"url": SHARED},
    ],
)
async def test_s_019_rfc_9421_covers_what_matters(scene: Scene, made: dict[str, Any]) -> None:
    await scene.meet(scene.alice)
    body = a_body(scene.alice)

    async with scene.drops(scene.alice.uri):
        response = await scene.send(body, rfc9421(scene.alice, body, **made))

    assert response.status_code == 401


async def test_s_019_a_label_that_covers_nothing_counts_for_nothing(scene: Scene) -> None:
    await scene.meet(scene.alice)
    body = a_body(scene.alice)
    empty = rfc9421(scene.alice, body, components=(), label="empty")
    full = rfc9421(scene.alice, b"another", label="full")
    both = {name: f"{empty[name]}, {full[name]}" for name in ("signature-input", "signature")} | {
        "content-type": ACTIVITY_JSON,
        "content-digest": empty["content-digest"],
    }

    async with scene.drops(scene.alice.uri):
        for headers in (empty, both):
            assert (await scene.send(body, headers)).status_code == 401


async def test_a_self_delete_of_a_stranger_is_forgotten_before_its_key_is_fetched(
    scene: Scene,
) -> None:
    doc = an_activity("Delete", scene.mallory, scene.mallory.uri)

    async with scene.drops():
        signed = await scene.post(scene.mallory, doc)
        unsigned = await scene.send(json.dumps(doc).encode(), {"content-type": ACTIVITY_JSON})

    assert (signed.status_code, unsigned.status_code) == (202, 401)


async def test_keys_in_memory_are_few_whoever_writes(scene: Scene) -> None:
    for number in range(20):
        stranger = RemoteActor("https://evil.example/users/many")
        uri = f"https://h{number}.evil.example/users/many"
        key = {"id": f"{uri}#k", "owner": uri, "publicKeyPem": stranger.public_key_pem}
        scene.world.serve(uri, stranger.document(id=uri, inbox=f"{uri}/inbox", publicKey=key))
        doc = an_activity("Like", stranger, "https://vic.example/notes/1")
        doc |= {"id": f"{uri}#likes/1", "actor": uri}
        body = json.dumps(doc).encode()
        headers = cavage(stranger, body, key_id=f"{uri}#k")
        assert (await scene.send(body, headers)).status_code == 202

    kept = scene.ctx.keyring.actors
    assert len(kept) == 20
    for number in range(keyring.MAX_ACTORS * 2):
        kept.put(f"https://h{number}.evil.example/#k", _anybody(), NOON)
    assert len(kept) == keyring.MAX_ACTORS
    assert await scene.count("actors") == 1  # the owner


def _anybody() -> Any:
    return object()


async def test_what_is_sent_as_something_else_is_no_key(scene: Scene) -> None:
    scene.world.serve(
        scene.alice.uri, answer_json(scene.alice.document(), content_type="application/json")
    )
    body = a_body(scene.alice)

    async with scene.drops(scene.alice.uri):
        assert (await scene.send(body, cavage(scene.alice, body))).status_code == 401


async def test_a_key_server_that_stumbles_is_not_the_senders_fault(scene: Scene) -> None:
    scene.world.serve(scene.alice.uri, Answer(502, content_type="text/html"))
    body = a_body(scene.alice)

    async with scene.drops(scene.alice.uri):
        response = await scene.send(body, cavage(scene.alice, body))

    assert response.status_code == 503
    assert response.headers["retry-after"]
