"""Private keys of our own: made once, kept as PEM, used to sign."""

from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

RSA_BITS = 2048  # what every server accepts
_EXPONENT = 65537


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key under the id that others know it by. `pem` (PKCS #8) is never shown."""

    uri: str
    pem: str = field(repr=False)

    @property
    def private_key(self) -> RSAPrivateKey | Ed25519PrivateKey:
        """The key, ready to sign."""
        return _loaded(self.pem)

    @property
    def public_key(self) -> RSAPublicKey | Ed25519PublicKey:
        """Its public half."""
        return self.private_key.public_key()

    @property
    def public_pem(self) -> str:
        """Its public half as SubjectPublicKeyInfo."""
        return self.public_key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ).decode("ascii")


def generate_rsa() -> str:
    """Return a fresh RSA key as PEM. It takes up to a second: call it in a thread."""
    return _pem(rsa.generate_private_key(_EXPONENT, RSA_BITS))


def generate_ed25519() -> str:
    """Return a fresh Ed25519 key as PEM."""
    return _pem(ed25519.Ed25519PrivateKey.generate())


def _pem(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode("ascii")


@lru_cache(maxsize=8)  # a handful of our own; checking an RSA key as it is read takes milliseconds
def _loaded(pem: str) -> RSAPrivateKey | Ed25519PrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        raise ValueError("expected an RSA or Ed25519 key")
    return key
