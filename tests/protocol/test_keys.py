"""Our own keys: made, kept as PEM, loaded once, never shown."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from microfedi.protocol import keys, publickeys
from microfedi.protocol.keys import SigningKey

ALICE = "https://social.example/users/alice"
KEY = f"{ALICE}#main-key"


def pem_of(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def test_a_fresh_rsa_key_is_what_every_server_accepts() -> None:
    pem = keys.generate_rsa()

    key = SigningKey(KEY, pem).private_key

    assert pem.startswith("-----BEGIN PRIVATE KEY-----\n")  # PKCS #8
    assert isinstance(key, RSAPrivateKey)
    assert key.key_size == 2048
    assert key.public_key().public_numbers().e == 65537


def test_a_fresh_ed25519_key_is_one_and_never_the_same() -> None:
    first, second = keys.generate_ed25519(), keys.generate_ed25519()

    assert first.startswith("-----BEGIN PRIVATE KEY-----\n")
    assert isinstance(SigningKey(KEY, first).private_key, Ed25519PrivateKey)
    assert first != second


def test_the_public_half_is_what_an_actor_document_carries() -> None:
    # The seed 00, 01, ... 1f, and the public key that belongs to it.
    key = SigningKey(KEY, pem_of(Ed25519PrivateKey.from_private_bytes(bytes(range(32)))))

    public = key.public_key

    assert isinstance(public, Ed25519PublicKey)
    assert public.public_bytes_raw().hex() == (
        "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
    )
    assert key.public_pem == (
        "-----BEGIN PUBLIC KEY-----\n"
        "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=\n"
        "-----END PUBLIC KEY-----\n"
    )
    assert (
        publickeys.to_multibase(key.public_pem)
        == "z6MkehRgf7yJbgaGfYsdoAsKdBPE3dj2CYhowQdcjqSJgvVd"
    )


@pytest.mark.parametrize("generate", [keys.generate_rsa, keys.generate_ed25519])
def test_a_key_of_ours_can_be_read_by_others(generate: Callable[[], str]) -> None:
    key = SigningKey(KEY, generate())

    found = publickeys.from_pem(KEY, ALICE, key.public_pem)

    assert found is not None
    assert (found.uri, found.owner_uri, found.pem) == (KEY, ALICE, key.public_pem)


def test_a_key_is_loaded_once() -> None:
    pem = keys.generate_ed25519()

    assert SigningKey(KEY, pem).private_key is SigningKey(f"{KEY}-2", pem).private_key


def test_a_private_key_is_never_printed() -> None:
    pem = keys.generate_ed25519()

    shown = f"{SigningKey(KEY, pem)!r} {SigningKey(KEY, pem)}"

    assert KEY in shown
    assert "PRIVATE" not in shown
    assert pem.splitlines()[1] not in shown


def test_another_kind_of_key_is_refused() -> None:
    curve = pem_of(ec.generate_private_key(ec.SECP256R1()))

    with pytest.raises(ValueError, match="RSA or Ed25519"):
        SigningKey(KEY, curve).private_key  # noqa: B018 - reading it is the point
