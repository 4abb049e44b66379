"""Keys as actor documents carry them."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from microfedi.protocol import parse, publickeys

BOB = "https://b.example/users/bob"
KEY = f"{BOB}#main-key"
ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()
ED25519_PEM = ED25519.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
ED25519_MULTIBASE = "z6MkehRgf7yJbgaGfYsdoAsKdBPE3dj2CYhowQdcjqSJgvVd"  # known for this seed


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPublicKey:
    return rsa.generate_private_key(65537, 2048).public_key()


def pem_of(key: rsa.RSAPublicKey, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> str:
    return key.public_bytes(Encoding.PEM, form).decode()


def test_both_pem_forms_are_the_same_key(rsa_key: rsa.RSAPublicKey) -> None:
    old = publickeys.from_pem(KEY, BOB, pem_of(rsa_key, PublicFormat.PKCS1))
    new = publickeys.from_pem(KEY, BOB, f"\n{pem_of(rsa_key)}\n\n")

    assert old == new
    assert new is not None
    assert (new.uri, new.owner_uri, new.kind, new.pem) == (KEY, BOB, "rsa", pem_of(rsa_key))


def test_a_multikey_is_known_by_its_prefix(rsa_key: rsa.RSAPublicKey) -> None:
    der = rsa_key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    as_base64url = base64.urlsafe_b64encode(b"\x85\x24" + der).decode().rstrip("=")

    ed25519 = publickeys.from_multibase(KEY, BOB, ED25519_MULTIBASE)
    large = publickeys.from_multibase(KEY, BOB, f"u{as_base64url}")

    assert ed25519 is not None
    assert (ed25519.kind, ed25519.pem) == ("ed25519", ED25519_PEM)
    assert large is not None
    assert (large.kind, large.pem) == ("rsa", pem_of(rsa_key))


def test_a_key_is_written_as_a_multikey(rsa_key: rsa.RSAPublicKey) -> None:
    large = publickeys.to_multibase(pem_of(rsa_key))
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()

    assert publickeys.to_multibase(ED25519_PEM) == ED25519_MULTIBASE
    read = publickeys.from_multibase(KEY, BOB, large)
    assert read is not None
    assert (read.kind, read.pem) == ("rsa", pem_of(rsa_key))
    with pytest.raises(ValueError, match="Ed25519 or RSA"):
        publickeys.to_multibase(
            curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        )


@pytest.mark.parametrize(
    "encoded",
    ["", "z", "z6Mk", "zI0", "f00", "u!!", "u7QE", "z" + "1" * 100_000, None, 7, "é", "z\ud800"],
)
def test_what_is_no_multikey_is_none(encoded: object) -> None:
    assert publickeys.from_multibase(KEY, BOB, encoded) is None


def test_what_is_no_usable_pem_is_none() -> None:
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    long_pem = "-----BEGIN PUBLIC KEY-----\n" + "A" * 1_000_000

    assert publickeys.from_pem(KEY, BOB, long_pem) is None
    assert publickeys.from_pem(KEY, BOB, "-----BEGIN PUBLIC KEY-----\n") is None
    assert publickeys.from_pem(KEY, BOB, None) is None
    assert (
        publickeys.from_pem(
            KEY,
            BOB,
            curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        )
        is None
    )


@given(st.binary(max_size=64))
def test_base58_is_read_back(raw: bytes) -> None:
    assert publickeys.from_base58(publickeys.base58(raw)) == raw


@given(st.text(max_size=40))
def test_any_text_is_a_key_or_none(text: str) -> None:
    assert publickeys.from_pem(KEY, BOB, text) is None
    publickeys.from_multibase(KEY, BOB, f"z{text}")
    publickeys.from_multibase(KEY, BOB, f"u{text}")


def test_keys_are_read_from_actors_stubs_and_keys_alone(rsa_key: rsa.RSAPublicKey) -> None:
    pem = pem_of(rsa_key)
    key = {"id": KEY, "owner": BOB, "publicKeyPem": pem}
    multikey = {
        "id": f"{BOB}#ed25519-key",
        "type": "Multikey",
        "controller": BOB,
        "publicKeyMultibase": ED25519_MULTIBASE,
    }
    stub = {"id": BOB, "type": "Person", "publicKey": key, "assertionMethod": [multikey, KEY]}

    assert [found.kind for found in parse.keys(stub)] == ["rsa", "ed25519"]
    assert [found.uri for found in parse.keys(key)] == [KEY]
    assert [found.owner_uri for found in parse.keys(multikey)] == [BOB]
    assert len(parse.keys({"publicKey": [{**key, "id": f"{KEY}{n}"} for n in range(50)]})) == 10
    assert len(parse.keys({"publicKey": key, "assertionMethod": {**multikey, "id": KEY}})) == 1
    assert parse.keys({"publicKey": {"id": KEY, "publicKeyPem": pem}}) == ()
