"""HTTP signatures: the published vectors, our own round trips, and everything that is refused."""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from microfedi.errors import BadSignature
from microfedi.protocol import keys, publickeys, signatures, structured
from microfedi.protocol.keys import SigningKey
from microfedi.protocol.signatures import Claim, Request
from microfedi.protocol.vocab import PublicKey
from tests.corpus import path_of
from tests.factories import NOON

US = "https://us.example"
INBOX = f"{US}/users/owner/inbox"
BOB = "https://b.example/users/bob"
BODY = b'{"type":"Follow"}'
RSA = SigningKey(f"{BOB}#main-key", keys.generate_rsa())
ED25519 = SigningKey(f"{BOB}#ed25519-key", keys.generate_ed25519())


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


# --- vectors


def vectors() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path_of("vectors/signature-vectors.json").read_text())
    return loaded


def pem_of(der_b64: str) -> str:
    key = serialization.load_der_public_key(base64.b64decode(der_b64))
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def test_rfc_9421_appendix_b_2_6() -> None:
    vector = vectors()["rfc9421_b26_ed25519"]
    raw = vector["request"]
    req = Request(
        raw["method"],
        raw["target"],
        tuple((name.lower(), value) for name, value in raw["headers"]),
        raw["body"].encode(),
    )
    given = structured.inputs(vector["signature_input"])["sig-b26"]
    signature = structured.byte_sequences(vector["signature"])["sig-b26"]

    base = signatures._rfc9421_base(req, given, "https://example.com")
    claim = Claim("test-key-ed25519", "rfc9421", (base,), signature, "")

    assert base.decode() == vector["signature_base"]
    key = PublicKey("test-key-ed25519", BOB, "ed25519", pem_of(vector["public_key_der_b64"]))
    assert signatures.verify(claim, key)
    private = serialization.load_der_private_key(
        base64.b64decode(vector["private_key_pkcs8_b64"]), None
    )
    assert isinstance(private, Ed25519PrivateKey)
    assert private.sign(base) == signature


def test_mastodons_own_signed_get() -> None:
    vector = vectors()["rfc9421_mastodon_get"]
    origin = "https://www.example.com"
    req = Request(
        "GET",
        "/activitypub/success",
        (
            ("host", "www.example.com"),
            ("signature-input", vector["signature_input"]),
            ("signature", vector["signature"]),
        ),
    )
    key_uri = "https://remote.domain/users/bob#main-key"
    now = datetime.fromisoformat(vector["now"])

    (claim,) = signatures.read(req, origin=origin, now=now)

    assert claim.bases[0].decode() == vector["signature_base"]
    assert signatures.verify(
        claim,
        PublicKey(key_uri, "https://remote.domain/users/bob", "rsa", vector["public_key_pem"]),
    )


@pytest.mark.parametrize("name", ["c2_basic", "c3_all"])
def test_draft_cavage_12_appendix_c(name: str) -> None:
    vector = vectors()["cavage12_appendix_c"]
    raw, case = vector["request"], vectors()["cavage12_appendix_c"][name]
    req = Request(
        raw["method"],
        raw["target"],
        tuple((key.lower(), value) for key, value in raw["headers"]),
        raw["body"].encode(),
    )
    base = signatures._cavage_base(req, case["headers"].split(), {}, raw["target"])
    claim = Claim("Test", "cavage", (base,), base64.b64decode(case["signature"]), "rsa-sha256")

    assert signatures.verify(
        claim, PublicKey("Test", BOB, "rsa", pem_of(vector["public_key_der_b64"]))
    )


# What federation documents print, worked out by hand from the text of the two standards.
SEED_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
FOLLOW = (
    b'{"@context":"https://www.w3.org/ns/activitystreams","id":"https://social.example/follows/1",'
    b'"type":"Follow","actor":"https://social.example/users/alice",'
    b'"object":"https://remote.example/users/bob"}'
)


def test_the_signed_text_of_both_forms_is_what_the_standards_say() -> None:
    moment = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
    key = SigningKey("https://social.example/users/alice#main-key", RSA.pem)
    url = "https://remote.example/users/bob/inbox"
    old = signatures.sign_cavage(
        method="POST",
        url=url,
        body=FOLLOW,
        key=key,
        now=moment,
        content_type="application/activity+json",
    )
    req = Request("POST", "/users/bob/inbox", tuple((n.lower(), v) for n, v in old.items()), FOLLOW)

    (claim,) = signatures.read(req, origin="https://remote.example", now=moment)

    assert old["Digest"] == "SHA-256=i4W8uTGwbK7xnGMNjfcjwsUJtYH1bEWoTwvjjTxM2s4="
    assert (
        hashlib.sha256(claim.bases[0]).hexdigest()
        == "10b832ccff962d43dcfec2deacc97e7dc0fbd5cce562161b99f7120e460fea52"
    )
    signature = base64.b64decode(
        "fp4Hj2KUsY24gr7vT7+CPCwDQiEKRrVLadQLAf5lnRrKs2FjOG30CFdq9d25BPOS130cRMUdc57Hlb72t5NvDQ=="
    )
    params = (
        '("@method" "@target-uri" "content-digest");created=1795370400;'
        'keyid="https://social.example/users/alice#ed25519-key";alg="ed25519"'
    )
    new = Request(
        "POST",
        "/users/bob/inbox",
        (
            ("host", "remote.example"),
            ("content-digest", "sha-256=:i4W8uTGwbK7xnGMNjfcjwsUJtYH1bEWoTwvjjTxM2s4=:"),
            ("signature-input", f"sig1={params}"),
            ("signature", f"sig1=:{base64.b64encode(signature).decode()}:"),
        ),
        FOLLOW,
    )
    (claim,) = signatures.read(new, origin="https://remote.example", now=moment)
    assert (
        hashlib.sha256(claim.bases[0]).hexdigest()
        == "10609c291c63c6f04d1014f8621a3386e7d69ff94045230c2b9e2d4bdea60ad2"
    )
    assert SEED_KEY.sign(claim.bases[0]) == signature


# --- round trips


@pytest.mark.parametrize("sign", [cavage, rfc9421])
@pytest.mark.parametrize("key", [RSA, ED25519])
@pytest.mark.parametrize("target", ["/users/owner/inbox", "/inbox?x=1", "/"])
def test_what_we_sign_we_accept(
    sign: Callable[..., dict[str, str]], key: SigningKey, target: str
) -> None:
    req = request(sign(url=US + target, key=key), target=target)

    assert accepted(req, key)
    assert not accepted(req, SigningKey(key.uri, keys.generate_ed25519()))


@pytest.mark.parametrize("sign", [cavage, rfc9421])
def test_a_signed_get_is_accepted(sign: Callable[..., dict[str, str]]) -> None:
    headers = sign(method="GET", url=f"{US}/@owner?page=1", body=None, content_type=None)

    assert accepted(request(headers, method="GET", target="/@owner?page=1", body=b""))


def test_an_old_sender_may_leave_out_the_query() -> None:
    assert accepted(request(cavage(url=INBOX), target="/users/owner/inbox?x=1"))


def test_created_instead_of_date_as_gotosocial_sends_it() -> None:
    base = (
        "(request-target): post /users/owner/inbox\nhost: us.example\n"
        f"digest: {cavage()['Digest']}\n(created): {int(NOON.timestamp())}"
    )
    headers = {
        "Host": "us.example",
        "Digest": cavage()["Digest"],
        "Signature": f'keyId="{RSA.uri}", algorithm="hs2019", created={int(NOON.timestamp())}, '
        f"expires={int(NOON.timestamp()) + 120}, "
        'headers="(request-target) host digest (created)", '
        f'signature="{signatures._signed(base.encode(), RSA)}"',
    }

    assert accepted(request(headers))


# --- what is refused: the pure half of the rows of area A


def signed_over(names: str, headers: dict[str, str]) -> dict[str, str]:
    """Sign honestly, but over these names only."""
    lines = [
        "(request-target): post /users/owner/inbox"
        if name == "(request-target)"
        else f"{name}: {headers[name.title()]}"
        for name in names.split()
    ]
    signature = signatures._signed("\n".join(lines).encode(), RSA)
    return {
        **headers,
        "Signature": f'keyId="{RSA.uri}",headers="{names}",signature="{signature}"',
    }


@pytest.mark.parametrize(
    "names",
    [
        "date",
        "host date digest",
        "(request-target) date digest",
        "(request-target) host date",
        "(request-target) host digest",
    ],
)
def test_s_003_everything_that_matters_must_be_covered(names: str) -> None:
    assert accepted(request(signed_over("(request-target) host date digest", cavage())))
    assert not accepted(request(signed_over(names, cavage())))


@pytest.mark.parametrize(
    "digest",
    [
        "SHA-256=" + base64.b64encode(hashlib.sha256(b"other").digest()).decode(),
        "MD5=" + base64.b64encode(hashlib.md5(BODY, usedforsecurity=False).digest()).decode(),
        "sha-512=" + base64.b64encode(hashlib.sha512(BODY).digest()).decode(),
        "id-sha-256=" + base64.b64encode(hashlib.sha256(BODY).digest()).decode(),
        "SHA-256={0},SHA-256=" + base64.b64encode(hashlib.sha256(b"other").digest()).decode(),
        "SHA-256=",
        "SHA-256=%%%",
        "",
    ],
)
def test_s_004_the_digest_must_be_one_sha_256_that_matches(digest: str) -> None:
    right = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    headers = {**cavage(), "Digest": digest.replace("{0}", right)}

    assert not accepted(request(signed_over("(request-target) host date digest", headers)))


def test_s_004_other_algorithms_beside_it_are_ignored_and_case_does_not_matter() -> None:
    right = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    headers = {**cavage(), "Digest": f"sha-256={right}, MD5=abc="}

    assert accepted(request(signed_over("(request-target) host date digest", headers)))


@pytest.mark.parametrize(
    ("off", "expected"),
    [
        (timedelta(hours=1, minutes=4), True),
        (timedelta(hours=-1, minutes=-4), True),
        (timedelta(hours=1, minutes=6), False),
        (timedelta(hours=-1, minutes=-6), False),
        (timedelta(hours=25), False),
        (timedelta(hours=-25), False),
    ],
)
@pytest.mark.parametrize("sign", [cavage, rfc9421])
def test_s_006_the_time_must_be_near_on_both_sides(
    sign: Callable[..., dict[str, str]], off: timedelta, expected: bool
) -> None:
    assert accepted(request(sign(now=NOON + off))) is expected


@pytest.mark.parametrize("expires", [-4000, -90000])
def test_s_006_what_has_expired_is_refused(expires: int) -> None:
    headers = cavage()
    headers["Signature"] += f",expires={int(NOON.timestamp()) + expires}"

    assert not accepted(request(headers))


@pytest.mark.parametrize("date", ["yesterday", "", "Sun, 99 Nov 2026 99:99:99 GMT", "1795370400"])
def test_s_006_a_date_that_is_none_is_refused(date: str) -> None:
    headers = {**cavage(), "Date": date}

    assert not accepted(request(signed_over("(request-target) host date digest", headers)))


@pytest.mark.parametrize("doubled", ["Digest", "Date", "Host", "Signature"])
def test_s_008_a_header_that_stands_there_twice_is_refused(doubled: str) -> None:
    headers = cavage()
    req = request(headers)
    more = (*req.headers, (doubled.lower(), headers[doubled]))

    assert not accepted(Request(req.method, req.target, more, req.body))


@pytest.mark.parametrize("name", ["keyId", "headers", "signature"])
def test_s_008_a_parameter_that_stands_there_twice_is_refused(name: str) -> None:
    headers = cavage()
    headers["Signature"] += f',{name}="x"'

    assert not accepted(request(headers))


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("rsa-sha256", True),
        ("hs2019", True),
        ("RSA-SHA256", True),
        ("hmac-sha256", False),
        ("none", False),
        ("rsa-sha1", False),
        ("ed25519", False),
        ("nonsense", False),
    ],
)
def test_s_009_the_key_decides_about_the_algorithm(algorithm: str, expected: bool) -> None:
    headers = cavage()
    headers["Signature"] = headers["Signature"].replace("rsa-sha256", algorithm)

    assert accepted(request(headers)) is expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (' "content-digest")', ")"),
        ('"@method" ', ""),
        ('"@target-uri" ', ""),
        (f";created={int(NOON.timestamp())}", ";created=abc"),
        (f";created={int(NOON.timestamp())}", ";created=1e400"),
        (f";created={int(NOON.timestamp())}", ';created="1"'),
        (f";created={int(NOON.timestamp())}", ""),
        (f'keyid="{RSA.uri}"', "keyid=7"),
        ('alg="rsa-v1_5-sha256"', 'alg="ed25519"'),
        ('alg="rsa-v1_5-sha256"', 'alg="hmac-sha256"'),
        ("sig1=(", "sig2=("),
        ("(", ""),
    ],
)
def test_s_019_an_rfc_9421_signature_that_says_too_little_is_refused(old: str, new: str) -> None:
    headers = rfc9421()
    assert old in headers["Signature-Input"]
    headers["Signature-Input"] = headers["Signature-Input"].replace(old, new)

    assert not accepted(request(headers))


def test_s_019_of_two_labels_one_that_covers_enough_counts() -> None:
    headers = rfc9421()
    headers["Signature-Input"] = "empty=();created=1," + headers["Signature-Input"]
    headers["Signature"] = "empty=:AAAA:," + headers["Signature"]

    assert accepted(request(headers))
    headers["Signature"] = headers["Signature"].replace("sig1=", "other=")
    assert not accepted(request(headers))


@pytest.mark.parametrize(
    "target", ["/users/owner/inbox?x=1", "/users//owner/inbox", "/users%2Fowner/inbox", "/inbox"]
)
def test_s_003_another_target_needs_another_signature(target: str) -> None:
    assert not accepted(request(rfc9421(), target=target))


def test_s_131_a_signature_for_another_host_is_refused() -> None:
    assert not accepted(request(cavage(url="https://other.example/users/owner/inbox")))


@given(
    st.dictionaries(
        st.sampled_from(
            ["signature", "signature-input", "digest", "content-digest", "date", "host"]
        ),
        st.text(max_size=200)
        | st.sampled_from(['sig1=("@method");created=1;keyid="k"', "sig1=:AA==:", "us.example"])
        | st.from_regex(r'keyId="[a-z]*",headers="[a-z ()-]*",signature="[A-Za-z0-9+/=]*"'),
    ),
    st.binary(max_size=20),
    st.text(max_size=30),
)
def test_any_headers_are_read_or_refused(headers: dict[str, str], body: bytes, target: str) -> None:
    headers = {"host": "us.example", **headers}
    try:
        claims = signatures.read(
            Request("POST", target, tuple(headers.items()), body), origin=US, now=NOON
        )
    except BadSignature:
        return
    assert claims


def test_dates_are_written_as_http_wants_them() -> None:
    assert cavage()["Date"] == format_datetime(NOON, usegmt=True) == "Sun, 22 Nov 2026 12:00:00 GMT"
