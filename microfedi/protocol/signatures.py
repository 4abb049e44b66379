"""HTTP signatures, both ways and in both forms: draft-cavage-12 and RFC 9421.

Pure: a request comes as it was received, the clock is handed in, keys come from elsewhere. `read`
does everything that needs no key and refuses what is not fully covered; `verify` does the rest.
How we sign stands in `signing` and is offered here too.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from microfedi.errors import BadSignature
from microfedi.protocol import structured
from microfedi.protocol.signing import sign_cavage, sign_rfc9421
from microfedi.protocol.vocab import PublicKey

__all__ = [
    "Claim",
    "Request",
    "Scheme",
    "is_signed",
    "read",
    "sign_cavage",
    "sign_rfc9421",
    "verify",
    "wants_rfc9421",
]

Scheme = Literal["cavage", "rfc9421"]

# How far a sender's clock may be off: an hour, for those who forgot about summer time, and some.
MAX_SKEW = timedelta(hours=1, minutes=5)
# Bits of an RSA key whose signatures count: what everybody has made for ten years. A few old
# accounts list 1024 (Bridgy Fed); we read their documents, but such a key proves nothing any more.
MIN_RSA_BITS = 2048
MAX_SIGNED_HEADERS = 32  # names in one signature
MAX_DATE_CHARS = 64  # an HTTP date has 29
MAX_KEY_URI_CHARS = 2048
MAX_CLAIMS = 3  # RFC 9421 signatures of one request that are looked at; each costs a key


_NAME = re.compile(r"\(request-target\)|\(created\)|\(expires\)|[!#$%&'*+.^_`|~0-9a-z-]{1,64}")
# What a signature may say of its algorithm for each kind of key. "hs2019" means "see the key", and
# for RSA that is SHA-256 with PKCS #1 v1.5, whatever the draft says.
_WORDS: Final[dict[tuple[Scheme, str], frozenset[str]]] = {
    ("cavage", "rsa"): frozenset({"", "hs2019", "rsa-sha256"}),
    ("cavage", "ed25519"): frozenset({"", "hs2019", "ed25519", "ed25519-sha512"}),
    ("rfc9421", "rsa"): frozenset({"", "rsa-v1_5-sha256"}),
    ("rfc9421", "ed25519"): frozenset({"", "ed25519"}),
}
# A second one of these would let us check one value while somebody else reads the other.
_ONCE = ("host", "date", "digest", "content-digest", "signature", "signature-input")


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was received.

    `target` is path and query as they stood in the request line; header names are in lower case,
    in order, repeats kept. Bytes beyond ASCII are read as Latin-1, so that none gets lost.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    _values: dict[str, list[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        values: dict[str, list[str]] = {}
        for name, value in self.headers:
            values.setdefault(name, []).append(value.strip(" \t"))
        object.__setattr__(self, "_values", values)

    def all(self, name: str) -> list[str]:
        """Return every value of a header, trimmed."""
        return self._values.get(name, [])

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
    if claim.algorithm not in _WORDS[claim.scheme, key.kind]:
        return False
    try:
        loaded = _loaded(key.pem)
    except (ValueError, UnsupportedAlgorithm):
        return False
    if isinstance(loaded, RSAPublicKey) != (key.kind == "rsa"):
        return False
    if isinstance(loaded, RSAPublicKey) and loaded.key_size < MIN_RSA_BITS:
        return False
    return any(_is_made_by(loaded, claim.signature, base) for base in claim.bases)


def wants_rfc9421(headers: Mapping[str, str]) -> bool:
    """Return whether an answer asks for RFC 9421; header names are in lower case.

    >>> wants_rfc9421({"accept-signature": 'sig1=("@method");created;keyid'})
    True
    """
    return bool(headers.get("accept-signature", "").strip())


# --- draft-cavage, in


def _read_cavage(request: Request, *, now: datetime) -> Claim:
    try:
        params = structured.cavage_params(request.one("signature") or "")
    except ValueError as error:
        raise BadSignature(f"the Signature header cannot be read: {error}") from error
    key_uri, encoded = params.get("keyId", ""), params.get("signature", "")
    if not key_uri or not encoded:
        raise BadSignature("keyId and signature were expected in the Signature header")
    if len(key_uri) > MAX_KEY_URI_CHARS:
        raise BadSignature(f"a keyId of at most {MAX_KEY_URI_CHARS} characters was expected")
    algorithm = params.get("algorithm", "").lower()
    names = params.get("headers", "(created)" if algorithm == "hs2019" else "date").lower().split()
    if len(names) != len(set(names)) or len(names) > MAX_SIGNED_HEADERS:
        raise BadSignature(
            f"a list of at most {MAX_SIGNED_HEADERS} different header names was expected"
        )
    if not all(_NAME.fullmatch(name) for name in names):
        raise BadSignature("header names were expected in the signature's list")
    needed = ["(request-target)", "host"]
    if _has_body(request):
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
    if without_query != request.target and not _has_body(request):
        # Old software signs its questions without the query. Nothing of ours that takes a POST has
        # a query, so there it would only let somebody else's words into the address.
        bases.append(_cavage_base(request, names, params, without_query))
    return Claim(key_uri, "cavage", tuple(bases), _base64(encoded), algorithm)


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
        _check_date(request, now)
    if "(created)" in names or "created" in params:
        _check_near(_instant(params.get("created", ""), "created"), now)
    if "(expires)" in names or "expires" in params:
        _check_not_over(_instant(params.get("expires", ""), "expires"), now)


def _check_date(request: Request, now: datetime) -> None:
    text = request.one("date") or ""
    try:
        date = parsedate_to_datetime(text[:MAX_DATE_CHARS])
    except (TypeError, ValueError, OverflowError, IndexError):
        raise BadSignature("an HTTP date was expected in Date") from None
    _check_near(date if date.tzinfo else date.replace(tzinfo=UTC), now)


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
    return _encoded(lines)


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
        if label not in signatures or len(claims) == MAX_CLAIMS:
            continue
        try:
            claims.append(_rfc9421_claim(request, given, signatures[label], origin, now))
        except BadSignature as error:
            reason = str(error)
    if not claims:
        raise BadSignature(reason)
    if request.one("content-digest") is not None:
        _check_content_digest(request)
    return tuple(claims)


def _rfc9421_claim(
    request: Request, given: structured.Input, signature: bytes, origin: str, now: datetime
) -> Claim:
    components, params = set(given.components), given.params
    if not given.is_plain or len(components) != len(given.components):
        raise BadSignature("each component was expected once and without parameters")
    names_target = "@target-uri" in components or {"@path", "@authority"} <= components
    if "@path" in components and "@target-uri" not in components and "?" in request.target:
        names_target = "@query" in components and "@authority" in components
    if "@method" not in components or not names_target:
        raise BadSignature("a signature over @method and @target-uri was expected")
    if _has_body(request) and "content-digest" not in components:
        raise BadSignature("a signature over content-digest was expected")
    key_uri, created = params.get("keyid"), params.get("created")
    if not isinstance(key_uri, str) or not 0 < len(key_uri) <= MAX_KEY_URI_CHARS:
        raise BadSignature("a keyid was expected")
    if not isinstance(created, int):
        raise BadSignature("created was expected as a whole number of seconds")
    _check_near(_instant(str(created), "created"), now)
    if "date" in components:
        _check_date(request, now)
    if "expires" in params:
        _check_not_over(_instant(str(params["expires"]), "expires"), now)
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
    return _encoded(lines)


# --- what both share


def _has_body(request: Request) -> bool:
    """True if there is something that a digest must cover, be it an empty body."""
    return bool(request.body) or request.method not in ("GET", "HEAD")


def _check_near(claimed: datetime, now: datetime) -> None:
    if abs(claimed - now) > MAX_SKEW:
        raise BadSignature(f"a time within {MAX_SKEW} of {now:%Y-%m-%dT%H:%M:%SZ} was expected")


def _check_not_over(expires: datetime, now: datetime) -> None:
    if expires + MAX_SKEW < now:
        raise BadSignature("a signature that has not expired was expected")


def _instant(seconds: str, name: str) -> datetime:
    if not re.fullmatch(r"[0-9]{1,11}", seconds):
        raise BadSignature(f"{name} was expected as a whole number of seconds")
    return datetime.fromtimestamp(int(seconds), UTC)


def _base64(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSignature("base64 was expected") from error


def _encoded(lines: Sequence[str]) -> bytes:
    """The bytes that were signed, as they came: Latin-1 is how a request's bytes become text."""
    try:
        return "\n".join(lines).encode("latin-1")
    except UnicodeEncodeError as error:
        raise BadSignature("a signature over bytes that HTTP can carry was expected") from error


def _is_made_by(key: RSAPublicKey | Ed25519PublicKey, signature: bytes, base: bytes) -> bool:
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(signature, base, padding.PKCS1v15(), hashes.SHA256())
        else:
            key.verify(signature, base)
    except InvalidSignature:
        return False
    return True


# Keys of those who write to us in a day: reading one takes as long as using it.
@lru_cache(maxsize=512)
def _loaded(pem: str) -> RSAPublicKey | Ed25519PublicKey:
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey | Ed25519PublicKey):
        raise ValueError("an RSA or Ed25519 key was expected")
    return key
