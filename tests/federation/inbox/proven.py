"""Proofs as other servers make them, without our own code: documents of ASCII and integers only."""

import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.another_server import AS2, RemoteActor
from tests.factories import NOON

DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

Document = dict[str, Any]


def key_of(name: str) -> Ed25519PrivateKey:
    """An Ed25519 key that is always the same for this name."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def key_id(actor: RemoteActor) -> str:
    """Where the actor's Ed25519 key is."""
    return f"{actor.uri}#ed25519-key"


def multikey(actor: RemoteActor, key: Ed25519PrivateKey | None = None) -> Document:
    """An entry of `assertionMethod`."""
    raw = (key or key_of(actor.uri)).public_key().public_bytes_raw()
    return {
        "id": key_id(actor),
        "type": "Multikey",
        "controller": actor.uri,
        "publicKeyMultibase": "z" + base58(b"\xed\x01" + raw),
    }


def proven(
    actor: RemoteActor,
    doc: Document,
    *,
    key: Ed25519PrivateKey | None = None,
    created: str = f"{NOON:%Y-%m-%dT%H:%M:%SZ}",
    **options: Any,
) -> Document:
    """Return the document with a proof by the actor; `options` change what is proven."""
    doc = {**doc, "@context": [AS2, DATA_INTEGRITY]}
    said = {
        "@context": doc["@context"],
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "created": created,
        "verificationMethod": key_id(actor),
        "proofPurpose": "assertionMethod",
    } | options
    signature = (key or key_of(actor.uri)).sign(_hash(said) + _hash(doc))
    return {**doc, "proof": {**said, "proofValue": "z" + base58(signature)}}


def base58(raw: bytes) -> str:
    """base58btc of bytes that do not begin with 0."""
    number, digits = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = ALPHABET[digit] + digits
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + digits


def _hash(doc: Document) -> bytes:
    text = json.dumps(doc, sort_keys=True, separators=(",", ":"))
    assert text.isascii()
    return hashlib.sha256(text.encode()).digest()
