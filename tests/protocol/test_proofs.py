"""Proofs inside documents, against what others have published."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from microfedi.protocol import jcs, keys, parse, proofs, publickeys
from microfedi.protocol.keys import SigningKey
from microfedi.protocol.vocab import PublicKey
from tests.corpus import path_of

ALICE = "https://social.example/users/alice"
KEY_URI = f"{ALICE}#ed25519-key"
NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
LIKE = {
    "@context": [
        "https://www.w3.org/ns/activitystreams",
        "https://w3id.org/security/data-integrity/v2",
    ],
    "id": f"{ALICE}#likes/7",
    "type": "Like",
    "actor": ALICE,
    "object": "https://remote.example/notes/9",
}


def pem_of(seed: bytes) -> str:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


KEY = SigningKey(KEY_URI, pem_of(bytes(range(32))))


def public(key: SigningKey = KEY, uri: str = KEY_URI) -> PublicKey:
    found = publickeys.from_pem(uri, ALICE, key.public_pem)
    assert found is not None
    return found


def is_proven(document: dict[str, Any], key: PublicKey | None = None, now: datetime = NOW) -> bool:
    found = proofs.read(document, now=now)
    return bool(found) and all(proofs.verify(document, one, key or public()) for one in found)


def vector() -> dict[str, Any]:
    loaded = json.loads(path_of("vectors/signature-vectors.json").read_text())
    found: dict[str, Any] = loaded["fep8b32_eddsa_jcs_2022"]
    return found


def test_a_known_key_makes_a_known_proof() -> None:
    made = proofs.create(LIKE, KEY, now=NOW)

    options = {name: one for name, one in made["proof"].items() if name != "proofValue"}
    assert hashlib.sha256(jcs.canonical(options)).hexdigest() == (
        "6624d4248b7d3c39b48115adb2c7df30cda28e0cd58fd65a519d7438dcf97e03"
    )
    assert hashlib.sha256(jcs.canonical(LIKE)).hexdigest() == (
        "e1eef0dd7f08993173fd9d413c60c49babe18047de8aa5ad89f8d1b4c5233d59"
    )
    assert made["proof"] == {
        "@context": LIKE["@context"],
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": "2026-11-22T18:00:00Z",
        "verificationMethod": KEY_URI,
        "proofPurpose": "assertionMethod",
        "proofValue": (
            "z5BYiTpowJ2XGp4h1MUBzTe5vBUJARoE4hcsVtyDWbsM9A4oy2BPdvh2rwCFHA9zbLxr3cHjdN7PzXKTxi4qd6MgW"
        ),
    }
    assert {**made, "proof": None} == {**LIKE, "proof": None}
    assert is_proven(made)


def test_the_vector_of_the_proposal() -> None:
    published = vector()
    actor = parse.actor(published["actor"] | {"preferredUsername": "alice"})
    (key,) = actor.keys
    later = datetime(2026, 1, 1, tzinfo=UTC)

    assert key.uri == "https://server.example/users/alice#ed25519-key"
    assert is_proven(published["signed"], key, later)

    seed = publickeys.from_base58(published["secret_key_multibase"][1:])[2:]
    made = proofs.create(
        published["unsigned"],
        SigningKey(key.uri, pem_of(seed)),
        now=datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC),
    )
    assert made == published["signed"]


def test_what_is_missing_in_the_context_is_added() -> None:
    plain = {**LIKE, "@context": "https://www.w3.org/ns/activitystreams"}

    made = proofs.create(plain, KEY, now=NOW)

    assert made["@context"] == LIKE["@context"]
    assert made["proof"]["@context"] == LIKE["@context"]
    assert is_proven(made)


def test_a_key_of_another_kind_makes_no_proof() -> None:
    with pytest.raises(ValueError, match="Ed25519"):
        proofs.create(LIKE, SigningKey(KEY_URI, keys.generate_rsa()), now=NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"object": "https://remote.example/notes/10"},
        {"actor": "https://evil.example/users/mallory"},
        {"to": ["https://www.w3.org/ns/activitystreams#Public"]},
        {"@context": ["https://www.w3.org/ns/activitystreams"]},
        {"@context": [*LIKE["@context"][::-1]]},
        {"type": "Announce"},
    ],
)
def test_nothing_in_a_proven_document_can_be_changed(change: dict[str, Any]) -> None:
    made = proofs.create(LIKE, KEY, now=NOW)

    assert not is_proven({**made, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"created": "2026-11-22T17:00:00Z"},
        {"verificationMethod": "https://social.example/users/bob#ed25519-key"},
        {"proofPurpose": "authentication"},
        {"cryptosuite": "ecdsa-jcs-2019"},
        {"type": "RsaSignature2017"},
        {"domain": "remote.example"},
        {"previousProof": "urn:uuid:1"},
        {"proofValue": "z5BYiTpowJ2XGp4h1MUBzTe5vBUJARoE4hcsVtyDWbsM9A4oy2BPdvh2rwCFHA9zbL"},
        {"proofValue": "z"},
        {"proofValue": "z0OIl"},
        {"proofValue": "z" + "2" * 1_000_000},
        {"proofValue": "u" + base64.urlsafe_b64encode(bytes(64)).decode()},
        {"proofValue": 7},
        {"verificationMethod": {"id": KEY_URI}},
        {"created": "yesterday"},
        {"created": None},
        {"expires": 0},
    ],
)
def test_nothing_in_a_proof_can_be_changed(change: dict[str, Any]) -> None:
    made = proofs.create(LIKE, KEY, now=NOW)

    assert not is_proven({**made, "proof": {**made["proof"], **change}})


@pytest.mark.parametrize("proof", [None, [], "z5BY", 7, {}, [[]], [None], {"type": []}])
def test_what_is_no_proof_is_none(proof: object) -> None:
    assert proofs.read({**LIKE, "proof": proof}, now=NOW) == []
    assert proofs.read(LIKE, now=NOW) == []


def test_a_proof_is_of_its_time() -> None:
    made = proofs.create(LIKE, KEY, now=NOW)
    until = {**made, "proof": {**made["proof"], "expires": "2026-11-22T19:00:00Z"}}

    assert proofs.read(made, now=NOW + timedelta(days=400))
    assert proofs.read(made, now=NOW - timedelta(hours=1))
    assert not proofs.read(made, now=NOW - timedelta(hours=2))
    assert proofs.read(until, now=NOW + timedelta(hours=2))
    assert not proofs.read(until, now=NOW + timedelta(hours=3))


def test_only_the_key_that_is_named_counts() -> None:
    made = proofs.create(LIKE, KEY, now=NOW)
    other = SigningKey(KEY_URI, keys.generate_ed25519())
    rsa = SigningKey(KEY_URI, keys.generate_rsa())

    assert is_proven(made, public())
    assert not is_proven(made, public(other))
    assert not is_proven(made, public(uri=f"{ALICE}#another"))
    assert not is_proven(made, public(rsa))


def test_a_signature_of_the_older_kind_is_no_part_of_it() -> None:
    made = proofs.create(LIKE, KEY, now=NOW)

    assert is_proven({**made, "signature": {"type": "RsaSignature2017", "signatureValue": "x"}})


def test_one_of_two_proofs_may_be_of_another_kind() -> None:
    made = proofs.create(LIKE, KEY, now=NOW)
    other = {**made["proof"], "cryptosuite": "bbs-2023"}

    assert is_proven({**made, "proof": [other, made["proof"]]})
    assert len(proofs.read({**made, "proof": [made["proof"]] * 50}, now=NOW)) == proofs.MAX_PROOFS


def test_a_proof_without_a_context_is_read_both_ways() -> None:
    context = LIKE["@context"]
    bare = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": "2026-11-22T18:00:00Z",
        "verificationMethod": KEY_URI,
        "proofPurpose": "assertionMethod",
    }
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    document_hash = hashlib.sha256(jcs.canonical(LIKE)).digest()
    for hashed in (bare, {**bare, "@context": context}):
        signature = private.sign(hashlib.sha256(jcs.canonical(hashed)).digest() + document_hash)
        value = "z" + publickeys.base58(signature)

        assert is_proven({**LIKE, "proof": {**bare, "proofValue": value}})
        assert not is_proven({**LIKE, "id": "x", "proof": {**bare, "proofValue": value}})


def test_a_context_that_was_added_to_later_does_not_count() -> None:
    made = proofs.create(LIKE, KEY, now=NOW)
    longer = {**made, "@context": [*LIKE["@context"], {"actor": "as:object"}]}

    # Contexts are never applied here, so what was added means nothing, to us.
    assert is_proven(longer)
    assert not is_proven({**longer, "@context": [{"actor": "as:object"}, *LIKE["@context"]]})


def test_what_has_no_canonical_form_is_not_proven() -> None:
    made = proofs.create(LIKE, KEY, now=NOW)

    assert not is_proven({**made, "object": 2**60})
    assert not is_proven({**made, "object": "\ud800"})
