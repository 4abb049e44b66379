"""HTTP signatures against what others have published: RFC 9421, draft-cavage-12, Mastodon."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from microfedi.errors import BadSignature
from microfedi.protocol import keys, signatures, structured
from microfedi.protocol.keys import SigningKey
from microfedi.protocol.signatures import Claim, Request
from microfedi.protocol.vocab import PublicKey
from tests.corpus import path_of

BOB = "https://b.example/users/bob"


def vectors() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path_of("vectors/signature-vectors.json").read_text())
    return loaded


def pem_of(der_b64: str) -> str:
    key = serialization.load_der_public_key(base64.b64decode(der_b64))
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def test_rfc_9421_appendix_b_2_6() -> None:
    vector = vectors()["rfc9421_b26_ed25519"]
    raw = vector["request"]
    req = Request(
        raw["method"],
        raw["target"],
        tuple((name.lower(), value) for name, value in raw["headers"]),
        raw["body"].encode(),
    )
    given = structured.inputs(vector["signature_input"])["sig-b26"]
    signature = structured.byte_sequences(vector["signature"])["sig-b26"]

    base = signatures._rfc9421_base(req, given, "https://example.com")
    claim = Claim("test-key-ed25519", "rfc9421", (base,), signature, "")

    assert base.decode() == vector["signature_base"]
    key = PublicKey("test-key-ed25519", BOB, "ed25519", pem_of(vector["public_key_der_b64"]))
    assert signatures.verify(claim, key)
    private = serialization.load_der_private_key(
        base64.b64decode(vector["private_key_pkcs8_b64"]), None
    )
    assert isinstance(private, Ed25519PrivateKey)
    assert private.sign(base) == signature


def test_mastodons_own_signed_get() -> None:
    vector = vectors()["rfc9421_mastodon_get"]
    origin = "https://www.example.com"
    req = Request(
        "GET",
        "/activitypub/success",
        (
            ("host", "www.example.com"),
            ("signature-input", vector["signature_input"]),
            ("signature", vector["signature"]),
        ),
    )
    key_uri = "https://remote.domain/users/bob#main-key"
    now = datetime.fromisoformat(vector["now"])

    (claim,) = signatures.read(req, origin=origin, now=now)

    assert claim.bases[0].decode() == vector["signature_base"]
    assert signatures.verify(
        claim,
        PublicKey(key_uri, "https://remote.domain/users/bob", "rsa", vector["public_key_pem"]),
    )


@pytest.mark.parametrize("name", ["c1_default", "c2_basic", "c3_all"])
def test_draft_cavage_12_appendix_c(name: str) -> None:
    vector = vectors()["cavage12_appendix_c"]
    raw, case = vector["request"], vectors()["cavage12_appendix_c"][name]
    req = Request(
        raw["method"],
        raw["target"],
        tuple((key.lower(), value) for key, value in raw["headers"]),
        raw["body"].encode(),
    )
    base = signatures._cavage_base(req, case["headers"].split(), {}, raw["target"])
    signature = base64.b64decode(case["signature"])
    pem = pem_of(vector["public_key_der_b64"])

    assert signatures._is_made_by(signatures._loaded(pem), signature, base)
    assert not signatures._is_made_by(signatures._loaded(pem), signature, base + b" ")
    # The mathematics are right, and yet: 1024 bits prove nothing to us.
    claim = Claim("Test", "cavage", (base,), signature, "rsa-sha256")
    assert not signatures.verify(claim, PublicKey("Test", BOB, "rsa", pem))


# What federation documents print, worked out by hand from the text of the two standards.
SEED_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
FOLLOW = (
    b'{"@context":"https://www.w3.org/ns/activitystreams","id":"https://social.example/follows/1",'
    b'"type":"Follow","actor":"https://social.example/users/alice",'
    b'"object":"https://remote.example/users/bob"}'
)


def test_the_signed_text_of_both_forms_is_what_the_standards_say() -> None:
    moment = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
    key = SigningKey("https://social.example/users/alice#main-key", keys.generate_rsa())
    url = "https://remote.example/users/bob/inbox"
    old = signatures.sign_cavage(
        method="POST",
        url=url,
        body=FOLLOW,
        key=key,
        now=moment,
        content_type="application/activity+json",
    )
    req = Request("POST", "/users/bob/inbox", tuple((n.lower(), v) for n, v in old.items()), FOLLOW)

    (claim,) = signatures.read(req, origin="https://remote.example", now=moment)

    assert old["Digest"] == "SHA-256=i4W8uTGwbK7xnGMNjfcjwsUJtYH1bEWoTwvjjTxM2s4="
    assert (
        hashlib.sha256(claim.bases[0]).hexdigest()
        == "10b832ccff962d43dcfec2deacc97e7dc0fbd5cce562161b99f7120e460fea52"
    )
    signature = base64.b64decode(
        "fp4Hj2KUsY24gr7vT7+CPCwDQiEKRrVLadQLAf5lnRrKs2FjOG30CFdq9d25BPOS130cRMUdc57Hlb72t5NvDQ=="
    )
    params = (
        '("@method" "@target-uri" "content-digest");created=1795370400;'
        'keyid="https://social.example/users/alice#ed25519-key";alg="ed25519"'
    )
    new = Request(
        "POST",
        "/users/bob/inbox",
        (
            ("host", "remote.example"),
            ("content-digest", "sha-256=:i4W8uTGwbK7xnGMNjfcjwsUJtYH1bEWoTwvjjTxM2s4=:"),
            ("signature-input", f"sig1={params}"),
            ("signature", f"sig1=:{base64.b64encode(signature).decode()}:"),
        ),
        FOLLOW,
    )
    (claim,) = signatures.read(new, origin="https://remote.example", now=moment)
    assert (
        hashlib.sha256(claim.bases[0]).hexdigest()
        == "10609c291c63c6f04d1014f8621a3386e7d69ff94045230c2b9e2d4bdea60ad2"
    )
    assert SEED_KEY.sign(claim.bases[0]) == signature


def test_the_signed_text_without_alg_is_what_the_standard_says() -> None:
    moment = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
    params = (
        '("@method" "@target-uri" "content-digest");created=1795370400;'
        'keyid="https://social.example/users/alice#main-key"'
    )
    request = Request(
        "POST",
        "/users/bob/inbox",
        (
            ("host", "remote.example"),
            ("content-digest", "sha-256=:i4W8uTGwbK7xnGMNjfcjwsUJtYH1bEWoTwvjjTxM2s4=:"),
            ("signature-input", f"sig1={params}"),
            ("signature", "sig1=:AAAA:"),
        ),
        FOLLOW,
    )

    (claim,) = signatures.read(request, origin="https://remote.example", now=moment)

    assert (
        hashlib.sha256(claim.bases[0]).hexdigest()
        == "7dc28fe4c4de36cb719663f525e7dbbd09ac2488d85f694f78a1b929781ce14b"
    )


def test_the_published_requests_are_too_old_and_cover_too_little_for_us() -> None:
    vector = vectors()["rfc9421_b26_ed25519"]
    raw = vector["request"]
    headers = tuple((name.lower(), value) for name, value in raw["headers"])
    headers += (("signature-input", vector["signature_input"]), ("signature", vector["signature"]))
    request = Request(raw["method"], raw["target"], headers, raw["body"].encode())
    then = datetime(2021, 4, 20, 2, 7, 55, tzinfo=UTC)

    with pytest.raises(BadSignature, match="@target-uri"):
        signatures.read(request, origin="https://example.com", now=then)


def test_what_we_sign_by_the_newer_standard_is_signed_over_the_standards_text() -> None:
    seed = SEED_KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    headers = signatures.sign_rfc9421(
        method="POST",
        url="https://remote.example/users/bob/inbox",
        body=FOLLOW,
        key=SigningKey("https://social.example/users/alice#ed25519-key", seed),
        now=datetime(2026, 11, 22, 18, 0, tzinfo=UTC),
    )

    assert headers == {
        "Host": "remote.example",
        "Date": "Sun, 22 Nov 2026 18:00:00 GMT",
        "Content-Digest": "sha-256=:i4W8uTGwbK7xnGMNjfcjwsUJtYH1bEWoTwvjjTxM2s4=:",
        "Signature-Input": (
            'sig1=("@method" "@target-uri" "content-digest");created=1795370400;'
            'keyid="https://social.example/users/alice#ed25519-key";alg="ed25519"'
        ),
        "Signature": (
            "sig1=:fp4Hj2KUsY24gr7vT7+CPCwDQiEKRrVLadQLAf5lnRrKs2FjOG30CFdq9d25BPOS130cRMUdc57H"
            "lb72t5NvDQ==:"
        ),
    }
