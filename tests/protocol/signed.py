"""Requests with honest signatures, for the tests to spoil."""

import base64
import hashlib
from datetime import datetime
from typing import Any

from microfedi.errors import BadSignature
from microfedi.protocol import keys, publickeys, signatures, signing
from microfedi.protocol.keys import SigningKey
from microfedi.protocol.signatures import Request
from microfedi.protocol.vocab import PublicKey
from tests.factories import NOON

US = "https://us.example"
INBOX = f"{US}/users/owner/inbox"
BOB = "https://b.example/users/bob"
BODY = b'{"type":"Follow"}'
RSA = SigningKey(f"{BOB}#main-key", keys.generate_rsa())
ED25519 = SigningKey(f"{BOB}#ed25519-key", keys.generate_ed25519())

# What a signature by RFC 9421 has to say here, and to cover.
CREATED = int(NOON.timestamp())
PARAMS = f';created={CREATED};keyid="{RSA.uri}"'
ALL = ("@method", "@target-uri", "content-digest")


def public(key: SigningKey) -> PublicKey:
    found = publickeys.from_pem(key.uri, BOB, key.public_pem)
    assert found is not None
    return found


def request(
    headers: dict[str, str],
    *,
    method: str = "POST",
    target: str = "/users/owner/inbox",
    body: bytes = BODY,
) -> Request:
    return Request(
        method, target, tuple((name.lower(), value) for name, value in headers.items()), body
    )


def cavage(**changes: Any) -> dict[str, str]:
    wanted: dict[str, Any] = {"method": "POST", "url": INBOX, "body": BODY, "key": RSA, "now": NOON}
    return signatures.sign_cavage(
        **{**wanted, "content_type": "application/activity+json", **changes}
    )


def rfc9421(**changes: Any) -> dict[str, str]:
    wanted: dict[str, Any] = {"method": "POST", "url": INBOX, "body": BODY, "key": RSA, "now": NOON}
    return signatures.sign_rfc9421(**{**wanted, **changes})


def accepted(req: Request, key: SigningKey = RSA, now: datetime = NOON) -> bool:
    try:
        claims = signatures.read(req, origin=US, now=now)
    except BadSignature:
        return False
    return any(signatures.verify(claim, public(key)) for claim in claims)


def newly_signed(
    components: tuple[str, ...], params: str = PARAMS, **changes: str
) -> dict[str, str]:
    """Sign honestly by RFC 9421, over these components and with these parameters only."""
    known = {
        "@method": "POST",
        "@target-uri": INBOX,
        "@authority": "us.example",
        "@path": "/users/owner/inbox",
        "@query": "?",
        "@scheme": "https",
        "host": "us.example",
        "date": "Sun, 22 Nov 2026 12:00:00 GMT",
        "content-digest": f"sha-256=:{base64.b64encode(hashlib.sha256(BODY).digest()).decode()}:",
        **changes,
    }
    listed = "({}){}".format(" ".join(f'"{name}"' for name in components), params)
    lines = [*(f'"{name}": {known[name]}' for name in components), f'"@signature-params": {listed}']
    return {
        "Host": known["host"],
        "Date": known["date"],
        "Content-Digest": known["content-digest"],
        "Signature-Input": f"sig1={listed}",
        "Signature": f"sig1=:{signing._signed(chr(10).join(lines).encode(), RSA)}:",
    }
