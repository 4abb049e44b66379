"""How we sign requests: draft-cavage-12, which everybody reads, and RFC 9421, which is to come."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from types import MappingProxyType
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from microfedi.protocol.keys import SigningKey

_USUAL_PORTS = {"https": 443, "http": 80}


def sign_cavage(
    *,
    method: str,
    url: str,
    body: bytes | None,
    key: SigningKey,
    now: datetime,
    content_type: str | None = None,
    covering: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """Return the headers that sign a request of ours as every server understands it.

    A POST covers (request-target), host, date, digest and, if given, content-type; a GET the first
    three; both the headers `covering`. Only an RSA key is understood by all.

    Source: draft-cavage-http-signatures-12 3.1.
    """
    authority, target = _authority_and_target(url)
    headers = {"Host": authority, "Date": format_datetime(now.astimezone(UTC), usegmt=True)}
    if body is not None:
        headers["Digest"] = "SHA-256=" + _b64(hashlib.sha256(body).digest())
        if content_type is not None:
            headers["Content-Type"] = content_type
    headers |= covering
    lines = [f"(request-target): {method.lower()} {target}"]
    lines += [f"{name.lower()}: {value}" for name, value in headers.items()]
    signature = _signed("\n".join(lines).encode(), key)
    names = " ".join(["(request-target)", *(name.lower() for name in headers)])
    algorithm = "rsa-sha256" if isinstance(key.private_key, RSAPrivateKey) else "hs2019"
    headers["Signature"] = (
        f'keyId="{key.uri}",algorithm="{algorithm}",headers="{names}",signature="{signature}"'
    )
    return headers


def sign_rfc9421(
    *,
    method: str,
    url: str,
    body: bytes | None,
    key: SigningKey,
    now: datetime,
    content_type: str | None = None,
    covering: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """Return the headers that sign a request of ours by the newer standard.

    Covered are @method, @target-uri, with a body content-digest, and the headers `covering`.

    Source: RFC 9421 3.1, RFC 9530 2.
    """
    authority, target = _authority_and_target(url)
    headers = {"Host": authority, "Date": format_datetime(now.astimezone(UTC), usegmt=True)}
    components = {
        "@method": method,
        "@target-uri": f"{urlsplit(url).scheme}://{authority}{target}",
    }
    if body is not None:
        headers["Content-Digest"] = f"sha-256=:{_b64(hashlib.sha256(body).digest())}:"
        components["content-digest"] = headers["Content-Digest"]
        if content_type is not None:
            headers["Content-Type"] = content_type
    headers |= covering
    components |= {name.lower(): value for name, value in covering.items()}
    algorithm = "rsa-v1_5-sha256" if isinstance(key.private_key, RSAPrivateKey) else "ed25519"
    names = " ".join(f'"{name}"' for name in components)
    params = f'({names});created={int(now.timestamp())};keyid="{key.uri}";alg="{algorithm}"'
    lines = [f'"{name}": {value}' for name, value in components.items()]
    lines.append(f'"@signature-params": {params}')
    headers["Signature-Input"] = f"sig1={params}"
    headers["Signature"] = f"sig1=:{_signed(chr(10).join(lines).encode(), key)}:"
    return headers


def _authority_and_target(url: str) -> tuple[str, str]:
    """Return the Host header that goes with a URL, and its path with query.

    >>> _authority_and_target("https://B.Example:443?page=1#top")
    ('b.example', '/?page=1')
    >>> _authority_and_target("http://[::1]:8000/inbox")
    ('[::1]:8000', '/inbox')
    """
    parts = urlsplit(url)
    authority = parts.netloc.rpartition("@")[2].lower()
    if parts.port == _USUAL_PORTS.get(parts.scheme):
        authority = authority.removesuffix(f":{parts.port}")
    return authority, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _signed(base: bytes, key: SigningKey) -> str:
    private = key.private_key
    if isinstance(private, Ed25519PrivateKey):
        return _b64(private.sign(base))
    return _b64(private.sign(base, padding.PKCS1v15(), hashes.SHA256()))


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
