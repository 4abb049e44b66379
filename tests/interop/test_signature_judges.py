"""Our signatures before independent judges: Misskey's own library, and another RFC 9421.

Both were written by people who know nothing of us. Node and npm are needed for the first.
"""

import json
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    algorithms,
)

from microfedi.errors import BadSignature
from microfedi.protocol import keys, publickeys, signatures
from microfedi.protocol.keys import SigningKey
from microfedi.protocol.signatures import Request
from microfedi.protocol.vocab import PublicKey
from tests.factories import NOON
from tests.interop import installed

JUDGE_S = 60  # a second, on a busy machine some more

US = "https://us.example"
BOB = "https://b.example/users/bob"
BODY = '{"type":"Follow","summary":"Grüße"}'.encode()
RSA = SigningKey(f"{BOB}#main-key", keys.generate_rsa())
ED25519 = SigningKey(f"{BOB}#ed25519-key", keys.generate_ed25519())


def public(key: SigningKey) -> PublicKey:
    found = publickeys.from_pem(key.uri, BOB, key.public_pem)
    assert found is not None
    return found


def received(method: str, target: str, headers: dict[str, str], body: bytes = b"") -> Request:
    lowered = tuple((name.lower(), value) for name, value in headers.items())
    return Request(method, target, lowered, body)


def is_accepted(request: Request, key: SigningKey, now: datetime) -> bool:
    claims = signatures.read(request, origin=US, now=now)
    return any(signatures.verify(claim, public(key)) for claim in claims)


# --- Misskey's library, for draft-cavage


@pytest.fixture(scope="module")
def node() -> Path:
    return installed.judges()


def judged(
    key: SigningKey,
    *,
    method: str = "POST",
    target: str = "/users/owner/inbox",
    body: bytes = BODY,
    **changes: str,
) -> dict[str, Any]:
    """Return a request of ours as the judge wants to see it, spoilt by `changes`."""
    url = f"https://misskey.example{target}"
    is_post = method == "POST"
    headers = signatures.sign_cavage(
        method=method,
        url=url,
        body=BODY if is_post else None,
        key=key,
        now=NOON,
        content_type="application/activity+json" if is_post else None,
    )
    lowered = {name.lower(): value for name, value in headers.items()}
    return {
        "method": method,
        "url": target,
        "headers": {**lowered, **changes},
        "body": body.decode(),
        "key": key.public_pem,
    }


def ask_misskey(node: Path, requests: list[dict[str, Any]], **sign: Any) -> dict[str, Any]:
    done = subprocess.run(
        [str(node), "cavage.mjs"],
        cwd=installed.JUDGES,
        input=json.dumps({"now": NOON.isoformat(), "requests": requests, "sign": sign}),
        capture_output=True,
        text=True,
        timeout=JUDGE_S,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_misskeys_library_and_we_accept_each_other(node: Path) -> None:
    good = [
        judged(RSA),
        judged(RSA, method="GET", target="/users/owner/outbox?page=1", body=b""),
        judged(ED25519),
        judged(ED25519, method="GET", target="/", body=b""),
    ]
    bad = [
        judged(RSA, body=b"another body"),
        judged(RSA, host="other.example"),
        judged(RSA, date="Sun, 22 Nov 2026 12:00:01 GMT"),
        {**judged(RSA), "url": "/users/other/inbox"},
        {**judged(RSA), "key": SigningKey(RSA.uri, keys.generate_rsa()).public_pem},
    ]
    theirs = judged(RSA)["headers"]
    del theirs["signature"]
    theirs["host"] = "us.example"
    names = ["(request-target)", "host", "date", "digest"]

    answer = ask_misskey(
        node,
        good + bad,
        request={"method": "POST", "url": f"{US}/users/owner/inbox", "headers": theirs},
        key_id=RSA.uri,
        key=RSA.pem,
        names=names,
    )

    assert answer["verdicts"][: len(good)] == [True] * len(good)
    assert True not in answer["verdicts"][len(good) :]
    ours = received(
        "POST", "/users/owner/inbox", {**theirs, "signature": answer["signature"]}, BODY
    )
    assert is_accepted(ours, RSA, NOON)


# --- another implementation of RFC 9421


@dataclass
class Message:
    """A request in the shape that the judge asks for."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


class Resolver(HTTPSignatureKeyResolver):
    def __init__(self, key: SigningKey) -> None:
        self.key = key

    def resolve_public_key(self, key_id: str) -> RSAPublicKey | Ed25519PublicKey:
        assert key_id == self.key.uri
        return self.key.public_key

    def resolve_private_key(self, key_id: str) -> RSAPrivateKey | Ed25519PrivateKey:
        return self.key.private_key


def algorithm_of(key: SigningKey) -> type[algorithms.HTTPSignatureAlgorithm]:
    return algorithms.RSA_V1_5_SHA256 if key is RSA else algorithms.ED25519


@pytest.fixture
def now() -> datetime:
    """The judge looks at the real clock, so here we must too."""
    return datetime.now(UTC)


@pytest.mark.parametrize("key", [RSA, ED25519])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("POST", "/users/owner/inbox", BODY), ("GET", "/users/owner/outbox?page=1", None)],
)
def test_another_rfc_9421_accepts_what_we_sign(
    key: SigningKey, method: str, path: str, body: bytes | None, now: datetime
) -> None:
    url = f"https://remote.example{path}"
    headers = signatures.sign_rfc9421(method=method, url=url, body=body, key=key, now=now)
    judge = HTTPMessageVerifier(signature_algorithm=algorithm_of(key), key_resolver=Resolver(key))
    needed = ["@method", "@target-uri", *(["content-digest"] if body else [])]

    (result,) = judge.verify(Message(method, url, headers), body=body, require_components=needed)

    assert result.parameters["keyid"] == key.uri
    assert result.body == body
    for spoilt in (Message(method, f"{url}2", headers), Message("PUT", url, headers)):
        with pytest.raises(InvalidSignature):
            judge.verify(spoilt)
    if body is not None:
        with pytest.raises(InvalidSignature):
            judge.verify(Message(method, url, headers), body=body + b" ")


@pytest.mark.parametrize("key", [RSA, ED25519])
@pytest.mark.parametrize("include_alg", [True, False])
@pytest.mark.parametrize(
    "components",
    [
        ("@method", "@target-uri"),
        ("@method", "@authority", "@path", "@query"),
        ("date", "@target-uri", "host", "@method", "@scheme"),
    ],
)
def test_we_accept_what_another_rfc_9421_signs(
    key: SigningKey, include_alg: bool, components: tuple[str, ...], now: datetime
) -> None:
    message = Message("POST", f"{US}/users/owner/inbox?a=b%20c&d", {"Host": "us.example"})
    message.headers["Date"] = format_datetime(now, usegmt=True)
    judge = HTTPMessageSigner(signature_algorithm=algorithm_of(key), key_resolver=Resolver(key))

    judge.sign(
        message,
        key_id=key.uri,
        created=now,
        label="theirs",
        nonce="a nonce",
        include_alg=include_alg,
        covered_component_ids=components,
        body=BODY,
    )

    target = "/users/owner/inbox?a=b%20c&d"
    assert is_accepted(received("POST", target, message.headers, BODY), key, now)
    with pytest.raises(BadSignature):
        is_accepted(received("POST", target, message.headers, BODY + b" "), key, now)
