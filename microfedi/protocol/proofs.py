"""Proofs inside documents: who vouches for one, whoever brings it.

Source: FEP-8b32; W3C Data Integrity EdDSA Cryptosuites 3.3 (eddsa-jcs-2022).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from microfedi.errors import MalformedDocument
from microfedi.protocol import instants, jcs, publickeys
from microfedi.protocol.keys import SigningKey
from microfedi.protocol.vocab import PublicKey

CONTEXT = "https://w3id.org/security/data-integrity/v2"  # must stand in what carries a proof
CRYPTOSUITE = "eddsa-jcs-2022"
MAX_PROOFS = 4  # of one document that are looked at; honest ones have one or two
MAX_SKEW = timedelta(hours=1, minutes=5)  # a clock may be wrong by so much, as with signatures
MAX_KEY_URI_CHARS = 2048  # of a verificationMethod
_PROOF_VALUE_CHARS = 90  # 64 bytes in base58btc are at most 88 and the "z"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Proof:
    """What a document says about its proof: to be verified with the key that it names."""

    key_uri: str
    created: datetime
    options: Document = field(repr=False)
    signature: bytes = field(repr=False)


def create(document: Mapping[str, Any], key: SigningKey, *, now: datetime) -> Document:
    """Return the document with a proof by an Ed25519 key of ours.

    `document` has its `@context`; what is missing for the proof is added to it.

    Source: FEP-8b32; eddsa-jcs-2022 3.3.1: the options come first in what is signed.
    Raises: MalformedDocument if it has no canonical form; ValueError if the key is another kind.
    """
    private = key.private_key
    if not isinstance(private, Ed25519PrivateKey):
        raise ValueError("expected an Ed25519 key")
    unsecured = {**document, "@context": _with_proofs(document.get("@context"))}
    unsecured.pop("proof", None)
    options: Document = {
        "@context": unsecured["@context"],
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        # Without a fraction: some print the time anew before they hash it, and print none.
        "created": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verificationMethod": key.uri,
        "proofPurpose": "assertionMethod",
    }
    signature = private.sign(_hashes(options, unsecured))
    return {**unsecured, "proof": {**options, "proofValue": "z" + publickeys.base58(signature)}}


def read(document: Mapping[str, Any], *, now: datetime) -> list[Proof]:
    """Return the proofs in a document that could be verified; there may be none.

    Left out are other cryptosuites, other purposes, what has expired, and proofs that depend on
    another one.
    """
    found = document.get("proof")
    given = found if isinstance(found, list) else [found]
    proofs = (_read(one, now) for one in given[:MAX_PROOFS] if isinstance(one, dict))
    return [proof for proof in proofs if proof is not None]


def verify(document: Mapping[str, Any], proof: Proof, key: PublicKey) -> bool:
    """True if `key` made this proof for exactly this document.

    Whether the key may speak for the document's actor is another question, and the caller's.
    `signature` (of the older kind) and all proofs are no part of what is proven.

    Source: eddsa-jcs-2022 3.3.2.
    """
    if key.uri != proof.key_uri or key.kind != "ed25519":
        return False
    public = serialization.load_pem_public_key(key.pem.encode())
    if not isinstance(public, Ed25519PublicKey):
        return False
    unsecured = {name: v for name, v in document.items() if name not in ("proof", "signature")}
    try:
        return any(
            _is_signed(public, proof.signature, _hashes(options, proven))
            for options, proven in _readings(unsecured, proof.options)
        )
    except MalformedDocument:
        return False


def _readings(unsecured: Document, options: Document) -> list[tuple[Document, Document]]:
    """What may have been signed: pairs of options and document.

    A context among the options must begin the document's, and then it is the one that counts.
    Without one, the document's own may have been hashed with the options, or none.
    """
    theirs = unsecured.get("@context")
    if "@context" not in options:
        return [({**options, "@context": theirs}, unsecured), (options, unsecured)]
    said = options["@context"]
    listed = theirs if isinstance(theirs, list) else [theirs]
    begins = said if isinstance(said, list) else [said]
    if listed[: len(begins)] != begins:
        raise MalformedDocument("expected a context that begins as the proof's does")
    return [(options, {**unsecured, "@context": said})]


def _read(given: Document, now: datetime) -> Proof | None:
    key_uri = given.get("verificationMethod")
    value = given.get("proofValue")
    if (
        given.get("type") != "DataIntegrityProof"
        or given.get("cryptosuite") != CRYPTOSUITE
        or given.get("proofPurpose") != "assertionMethod"
        or "previousProof" in given
        or not isinstance(key_uri, str)
        or len(key_uri) > MAX_KEY_URI_CHARS
        or not isinstance(value, str)
        or len(value) > _PROOF_VALUE_CHARS
        or not value.startswith("z")
    ):
        return None
    created = instants.from_wire(given.get("created"))
    expires = instants.from_wire(given.get("expires", "9998-12-31T00:00:00Z"))
    if created is None or expires is None or created > now + MAX_SKEW or expires < now - MAX_SKEW:
        return None
    try:
        signature = publickeys.from_base58(value[1:])
    except ValueError:
        return None
    options = {name: one for name, one in given.items() if name != "proofValue"}
    return Proof(key_uri, created, options, signature)


def _with_proofs(context: object) -> list[Any]:
    listed = context if isinstance(context, list) else [context]
    return listed if CONTEXT in listed else [listed[0], CONTEXT, *listed[1:]]


def _hashes(options: Document, document: Document) -> bytes:
    return sha256(jcs.canonical(options)).digest() + sha256(jcs.canonical(document)).digest()


def _is_signed(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True
