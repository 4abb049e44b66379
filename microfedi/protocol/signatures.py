"""HTTP signatures, both ways and in both forms: draft-cavage-12 and RFC 9421.

Pure: a request comes as it was received, the clock is handed in, keys come from elsewhere. `read`
does everything that needs no key and refuses what is not fully covered; `verify` does the rest.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from microfedi.errors import BadSignature
from microfedi.protocol import structured
from microfedi.protocol.keys import SigningKey
from microfedi.protocol.vocab import PublicKey

Scheme = Literal["cavage", "rfc9421"]

# How far a sender's clock may be off: an hour, for those who forgot about summer time, and some.
MAX_SKEW = timedelta(hours=1, minutes=5)
MAX_SIGNED_HEADERS = 32  # names in one signature
MAX_HEADER_CHARS = 8192  # of a Signature header; a 4096-bit signature takes 700
MAX_KEY_URI_CHARS = 2048
MAX_CLAIMS = 3  # RFC 9421 signatures of one request that are looked at; each costs a key

# What we ask of somebody whose signature we could not accept. Source: RFC 9421 5.1.
ACCEPT_SIGNATURE: Final = 'sig1=("@method" "@target-uri" "content-digest");created;keyid'

_PARAM = re.compile(r'\s*([A-Za-z]{1,32})\s*=\s*(?:"([^"\\]*)"|([0-9]{1,15}))\s*(?:,|$)')
_NAME = re.compile(r"\(request-target\)|\(created\)|\(expires\)|[!#$%&'*+.^_`|~0-9a-z-]{1,64}")
_RSA_WORDS = frozenset({"", "hs2019", "rsa-sha256"})
_ED25519_WORDS = frozenset({"", "hs2019", "ed25519", "ed25519-sha512"})
# A second one of these would let us check one value while somebody else reads the other.
_ONCE = ("host", "date", "digest", "content-digest", "signature", "signature-input")


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was received.

    `target` is path and query as they stood in the request line; header names are in lower case,
    in order, repeats kept.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        """Return every value of a header, trimmed."""
        return [value.strip() for key, value in self.headers if key == name]

    def one(self, name: str) -> str | None:
        """Return a header's value; repeats are joined, as signatures do. None if it is missing."""
        values = self.all(name)
        return ", ".join(values) if values else None


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of itself: this key signed one of these texts.

    `bases` are the texts that may have been signed, the likeliest first.
    """

    key_uri: str
    scheme: Scheme
    bases: tuple[bytes, ...]
    signature: bytes
    algorithm: str


def is_signed(request: Request) -> bool:
    """Return whether there is anything that looks like a signature."""
    return bool(request.one("signature"))


def read(request: Request, *, origin: str, now: datetime) -> tuple[Claim, ...]:
    """Read the signature of a request to us, and refuse it unless it covers what it must.

    `origin` is our base URL. A request with a body must cover it by a digest that matches.

    Source: draft-cavage-http-signatures-12; RFC 9421 3.2; RFC 9530 2.
    Raises: BadSignature saying what was expected.
    """
    for name in _ONCE:
        if len(request.all(name)) > 1:
            raise BadSignature(f"one {name} header was expected, not several")
    host = urlsplit(origin).netloc
    if (request.one("host") or "").lower() != host:
        raise BadSignature(f"a Host header that says {host} was expected")
    if not request.one("signature"):
        raise BadSignature("a Signature header was expected")
    if request.one("signature-input") is not None:
        return _read_rfc9421(request, origin=origin, now=now)
    return (_read_cavage(request, now=now),)


def verify(claim: Claim, key: PublicKey) -> bool:
    """Return whether `key` made the signature. The algorithm is the key's, whatever is claimed."""
    if claim.key_uri != key.uri:
        return False
    loaded = _loaded(key.pem)
    for base in claim.bases:
        try:
            if key.kind == "rsa" and isinstance(loaded, RSAPublicKey):
                if not _is_rsa(claim):
                    return False
                loaded.verify(claim.signature, base, padding.PKCS1v15(), hashes.SHA256())
                return True
            if key.kind == "ed25519" and isinstance(loaded, Ed25519PublicKey):
                if not _is_ed25519(claim):
                    return False
                loaded.verify(claim.signature, base)
                return True
        except InvalidSignature:
            continue
    return False


def wants_rfc9421(headers: Mapping[str, str]) -> bool:
    """Return whether an answer asks for RFC 9421; header names are in lower case.

    >>> wants_rfc9421({"accept-signature": 'sig1=("@method");created;keyid'})
    True
    """
    return bool(headers.get("accept-signature", "").strip())


# --- draft-cavage, in


def _read_cavage(request: Request, *, now: datetime) -> Claim:
    header = request.one("signature") or ""
    params = _cavage_params(header)
    key_uri, encoded = params.get("keyId", ""), params.get("signature", "")
    if not key_uri or not encoded:
        raise BadSignature("keyId and signature were expected in the Signature header")
    if len(key_uri) > MAX_KEY_URI_CHARS:
        raise BadSignature("a shorter keyId was expected")
    algorithm = params.get("algorithm", "").lower()
    names = params.get("headers", "(created)" if algorithm == "hs2019" else "date").lower().split()
    if len(names) != len(set(names)) or len(names) > MAX_SIGNED_HEADERS:
        raise BadSignature("a short list of different header names was expected")
    if not all(_NAME.fullmatch(name) for name in names):
        raise BadSignature("header names were expected in the signature's list")
    needed = ["(request-target)", "host"]
    if request.method not in ("GET", "HEAD"):
        needed.append("digest")
    missing = [name for name in needed if name not in names]
    if missing or not {"date", "(created)"} & set(names):
        raise BadSignature(
            f"a signature over {', '.join(needed)} and date or (created) was expected"
        )
    if "digest" in names:
        _check_digest(request)
    _check_cavage_time(request, names, params, now)
    bases = [_cavage_base(request, names, params, request.target)]
    without_query = request.target.partition("?")[0]
    if without_query != request.target:
        bases.append(_cavage_base(request, names, params, without_query))
    return Claim(key_uri, "cavage", tuple(bases), _base64(encoded), algorithm)


def _cavage_params(header: str) -> dict[str, str]:
    if len(header) > MAX_HEADER_CHARS:
        raise BadSignature("a shorter Signature header was expected")
    params: dict[str, str] = {}
    at = 0
    while at < len(header):
        match = _PARAM.match(header, at)
        if match is None:
            raise BadSignature('name="value" pairs with commas were expected in Signature')
        if match[1] in params:
            raise BadSignature(f"{match[1]} was expected once in the Signature header")
        params[match[1]] = match[2] if match[2] is not None else match[3]
        at = match.end()
    return params


def _check_digest(request: Request) -> None:
    """The body must have the SHA-256 that the Digest header says. Source: RFC 3230."""
    entries = [entry.strip() for entry in (request.one("digest") or "").split(",")]
    values = [entry[8:] for entry in entries if entry[:8].lower() == "sha-256="]
    if len(values) != 1:
        raise BadSignature("one SHA-256 in the Digest header was expected")
    if not hmac.compare_digest(_base64(values[0]), hashlib.sha256(request.body).digest()):
        raise BadSignature("a Digest that matches the body was expected")


def _check_cavage_time(
    request: Request, names: Sequence[str], params: Mapping[str, str], now: datetime
) -> None:
    if "date" in names:
        try:
            date = parsedate_to_datetime(request.one("date") or "")
        except (TypeError, ValueError, OverflowError, IndexError):
            raise BadSignature("an HTTP date was expected in Date") from None
        _check_near(date if date.tzinfo else date.replace(tzinfo=UTC), now)
    if "(created)" in names or "created" in params:
        _check_near(_instant(params.get("created", ""), "created"), now)
    if "(expires)" in names or "expires" in params:
        expires = _instant(params.get("expires", ""), "expires")
        if expires + MAX_SKEW < now:
            raise BadSignature("a signature that has not expired was expected")


def _cavage_base(
    request: Request, names: Sequence[str], params: Mapping[str, str], target: str
) -> bytes:
    """The text that was signed. Source: draft-cavage-http-signatures-12 2.3."""
    lines = []
    for name in names:
        if name == "(request-target)":
            lines.append(f"(request-target): {request.method.lower()} {target}")
        elif name in ("(created)", "(expires)"):
            lines.append(f"{name}: {params.get(name[1:-1], '')}")
        else:
            value = request.one(name)
            if value is None:
                raise BadSignature(f"the signed header {name} was expected on the request")
            lines.append(f"{name}: {value}")
    return "\n".join(lines).encode("utf-8", "surrogateescape")


# --- RFC 9421, in


def _read_rfc9421(request: Request, *, origin: str, now: datetime) -> tuple[Claim, ...]:
    try:
        inputs = structured.inputs(request.one("signature-input") or "")
        signatures = structured.byte_sequences(request.one("signature") or "")
    except ValueError as error:
        raise BadSignature(f"Signature-Input or Signature cannot be read: {error}") from error
    claims: list[Claim] = []
    reason = "Signature-Input and Signature with the same label were expected"
    for label, given in inputs.items():
        if label not in signatures:
            continue
        try:
            claims.append(_rfc9421_claim(request, given, signatures[label], origin, now))
        except BadSignature as error:
            reason = str(error)
    if not claims:
        raise BadSignature(reason)
    return tuple(claims[:MAX_CLAIMS])


def _rfc9421_claim(
    request: Request, given: structured.Input, signature: bytes, origin: str, now: datetime
) -> Claim:
    components, params = set(given.components), given.params
    if len(components) != len(given.components):
        raise BadSignature("each component was expected once")
    names_target = "@target-uri" in components or {"@path", "@authority"} <= components
    if "@path" in components and "@target-uri" not in components and "?" in request.target:
        names_target = "@query" in components and "@authority" in components
    if "@method" not in components or not names_target:
        raise BadSignature("a signature over @method and @target-uri was expected")
    has_body = bool(request.body) or request.method not in ("GET", "HEAD")
    if has_body and "content-digest" not in components:
        raise BadSignature("a signature over content-digest was expected")
    if "content-digest" in components:
        _check_content_digest(request)
    key_uri, created = params.get("keyid"), params.get("created")
    if not isinstance(key_uri, str) or not 0 < len(key_uri) <= MAX_KEY_URI_CHARS:
        raise BadSignature("a keyid was expected")
    if not isinstance(created, int) or isinstance(created, bool):
        raise BadSignature("created was expected as a whole number of seconds")
    _check_near(_instant(str(created), "created"), now)
    if "date" in components:
        _check_cavage_time(request, ("date",), {}, now)
    expires = params.get("expires")
    if expires is not None:
        if not isinstance(expires, int) or isinstance(expires, bool):
            raise BadSignature("expires was expected as a whole number of seconds")
        if _instant(str(expires), "expires") + MAX_SKEW < now:
            raise BadSignature("a signature that has not expired was expected")
    algorithm = params.get("alg", "")
    if not isinstance(algorithm, str):
        raise BadSignature("alg was expected as a text")
    base = _rfc9421_base(request, given, origin)
    return Claim(key_uri, "rfc9421", (base,), signature, algorithm.lower())


def _check_content_digest(request: Request) -> None:
    """Every SHA-2 digest that is given must match the body. Source: RFC 9530 2."""
    try:
        digests = structured.byte_sequences(request.one("content-digest") or "")
    except ValueError as error:
        raise BadSignature(f"Content-Digest cannot be read: {error}") from error
    known = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
    if not known.keys() & digests.keys():
        raise BadSignature("sha-256 or sha-512 was expected in Content-Digest")
    for name, value in digests.items():
        if name in known and not hmac.compare_digest(value, known[name](request.body).digest()):
            raise BadSignature("a Content-Digest that matches the body was expected")


def _rfc9421_base(request: Request, given: structured.Input, origin: str) -> bytes:
    """The text that was signed. Source: RFC 9421 2.5."""
    parts = urlsplit(origin)
    path, _, query = request.target.partition("?")
    derived = {
        "@method": request.method,
        "@target-uri": origin + request.target,
        "@authority": parts.netloc,
        "@scheme": parts.scheme,
        "@request-target": request.target,
        "@path": path or "/",
        "@query": "?" + query,
    }
    lines = []
    for name in given.components:
        value = derived.get(name) if name.startswith("@") else request.one(name)
        if value is None:
            raise BadSignature(f"the signed component {name} was expected on the request")
        lines.append(f'"{name}": {value}')
    lines.append(f'"@signature-params": {given.text}')
    return "\n".join(lines).encode("utf-8", "surrogateescape")


# --- what both share


def _check_near(claimed: datetime, now: datetime) -> None:
    if abs(claimed - now) > MAX_SKEW:
        raise BadSignature(f"a time within {MAX_SKEW} of {now:%Y-%m-%dT%H:%M:%SZ} was expected")


def _instant(seconds: str, name: str) -> datetime:
    if not re.fullmatch(r"[0-9]{1,11}", seconds):
        raise BadSignature(f"{name} was expected as a whole number of seconds")
    return datetime.fromtimestamp(int(seconds), UTC)


def _base64(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSignature("base64 was expected") from error


def _is_rsa(claim: Claim) -> bool:
    words = _RSA_WORDS if claim.scheme == "cavage" else ("", "rsa-v1_5-sha256")
    return claim.algorithm in words


def _is_ed25519(claim: Claim) -> bool:
    words = _ED25519_WORDS if claim.scheme == "cavage" else ("", "ed25519")
    return claim.algorithm in words


@lru_cache(maxsize=512)  # people who write to us in a day; reading a key costs as much as using it
def _loaded(pem: str) -> object:
    return serialization.load_pem_public_key(pem.encode())


# --- out


def sign_cavage(
    *,
    method: str,
    url: str,
    body: bytes | None,
    key: SigningKey,
    now: datetime,
    content_type: str | None = None,
) -> dict[str, str]:
    """Return the headers that sign a request of ours as every server understands it.

    A POST covers (request-target), host, date, digest and, if given, content-type; a GET the first
    three. Only an RSA key is understood by all.

    Source: draft-cavage-http-signatures-12 3.1.
    """
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"Host": _authority(url), "Date": format_datetime(now.astimezone(UTC), usegmt=True)}
    if body is not None:
        headers["Digest"] = "SHA-256=" + _b64(hashlib.sha256(body).digest())
        if content_type is not None:
            headers["Content-Type"] = content_type
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
) -> dict[str, str]:
    """Return the headers that sign a request of ours by the newer standard.

    Covered are @method, @target-uri and, with a body, content-digest.

    Source: RFC 9421 3.1, RFC 9530 2.
    """
    headers = {"Host": _authority(url), "Date": format_datetime(now.astimezone(UTC), usegmt=True)}
    components = {"@method": method, "@target-uri": url}
    if body is not None:
        headers["Content-Digest"] = f"sha-256=:{_b64(hashlib.sha256(body).digest())}:"
        components["content-digest"] = headers["Content-Digest"]
        if content_type is not None:
            headers["Content-Type"] = content_type
    algorithm = "rsa-v1_5-sha256" if isinstance(key.private_key, RSAPrivateKey) else "ed25519"
    names = " ".join(f'"{name}"' for name in components)
    params = f'({names});created={int(now.timestamp())};keyid="{key.uri}";alg="{algorithm}"'
    lines = [f'"{name}": {value}' for name, value in components.items()]
    lines.append(f'"@signature-params": {params}')
    headers["Signature-Input"] = f"sig1={params}"
    headers["Signature"] = f"sig1=:{_signed(chr(10).join(lines).encode(), key)}:"
    return headers


def _authority(url: str) -> str:
    """The Host header that goes with a URL: the port only if it is unusual."""
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    host = parts.hostname or ""
    return host if parts.port in (None, usual) else f"{host}:{parts.port}"


def _signed(base: bytes, key: SigningKey) -> str:
    private = key.private_key
    if isinstance(private, Ed25519PrivateKey):
        return _b64(private.sign(base))
    return _b64(private.sign(base, padding.PKCS1v15(), hashes.SHA256()))


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
