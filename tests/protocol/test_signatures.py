"""HTTP signatures: our own round trips, and everything that is refused."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from microfedi.errors import BadSignature
from microfedi.protocol import keys, signatures, signing
from microfedi.protocol.keys import SigningKey
from microfedi.protocol.signatures import Claim, Request
from microfedi.protocol.vocab import PublicKey
from tests.factories import NOON
from tests.protocol.signed import (
    BOB,
    BODY,
    CREATED,
    ED25519,
    RSA,
    US,
    accepted,
    cavage,
    public,
    request,
    rfc9421,
)

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


def test_an_old_sender_may_leave_out_the_query_when_it_asks() -> None:
    headers = cavage(method="GET", url=f"{US}/users/owner/outbox", body=None, content_type=None)
    target = "/users/owner/outbox?page=1"

    assert accepted(request(headers, method="GET", target=target, body=b""))
    assert not accepted(request(headers, method="GET", target="/users/owner/inbox", body=b""))


def test_bytes_beyond_ascii_are_signed_as_they_came() -> None:
    headers = {**cavage(), "X-Name": "Zo\u00c3\u00ab"}  # UTF-8 on the wire, read as Latin-1
    lines = [
        "(request-target): post /users/owner/inbox",
        *(f"{name.lower()}: {headers[name]}" for name in ("Host", "Date", "Digest", "X-Name")),
    ]
    signature = signing._signed("\n".join(lines).encode("latin-1"), RSA)
    headers["Signature"] = (
        f'keyId="{RSA.uri}",headers="(request-target) host date digest x-name",'
        f'signature="{signature}"'
    )

    assert accepted(request(headers))


@pytest.mark.parametrize("url", [f"{US}", f"{US}:443/", "https://US.example/#top"])
def test_the_address_is_signed_in_its_usual_spelling(url: str) -> None:
    for sign in (cavage, rfc9421):
        assert accepted(request(sign(url=url), target="/"))


def test_an_answer_can_ask_for_the_newer_standard() -> None:
    asked = {"accept-signature": 'sig1=("@method" "@target-uri" "content-digest");created;keyid'}

    assert signatures.wants_rfc9421(asked)
    assert not signatures.wants_rfc9421({"content-type": "text/html", "accept-signature": " "})


def test_whether_a_request_is_signed() -> None:
    assert signatures.is_signed(request(cavage()))
    assert signatures.is_signed(request(rfc9421()))
    assert not signatures.is_signed(request({"Host": "us.example"}))
    assert not signatures.is_signed(request({"Host": "us.example", "Signature": ""}))


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
        f'signature="{signing._signed(base.encode(), RSA)}"',
    }

    assert accepted(request(headers))


# --- what is refused: the pure half of the rows of area A


@pytest.mark.parametrize("signature", [None, "", " ", "Bearer x", 'keyId="k"', "sig1=:AA==:"])
def test_s_001_a_request_without_a_signature_is_refused(signature: str | None) -> None:
    headers = {name: value for name, value in cavage().items() if name != "Signature"}
    if signature is not None:
        headers["Signature"] = signature

    with pytest.raises(BadSignature):
        signatures.read(request(headers), origin=US, now=NOON)


def signed_over(names: str, headers: dict[str, str]) -> dict[str, str]:
    """Sign honestly, but over these names only."""
    lines = [
        "(request-target): post /users/owner/inbox"
        if name == "(request-target)"
        else f"{name}: {headers[name.title()]}"
        for name in names.split()
    ]
    signature = signing._signed("\n".join(lines).encode(), RSA)
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
        "(request-target) host host date digest",
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


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        (f"{CREATED}", True),
        (f'"{CREATED}"', True),
        (f"{CREATED + 3800}", True),
        (f"{CREATED + 4000}", False),
        (f"{CREATED - 4000}", False),
        ("9" * 15, False),
        ('"soon"', False),
        ('""', False),
    ],
)
def test_s_006_what_was_created_at_another_time_is_refused(created: str, expected: bool) -> None:
    digest = cavage()["Digest"]
    base = (
        "(request-target): post /users/owner/inbox\nhost: us.example\n"
        f"digest: {digest}\n(created): {created.strip(chr(34))}"
    )
    headers = {
        "Host": "us.example",
        "Digest": digest,
        "Signature": f'keyId="{RSA.uri}",algorithm="hs2019",created={created},'
        'headers="(request-target) host digest (created)",'
        f'signature="{signing._signed(base.encode(), RSA)}"',
    }

    assert accepted(request(headers)) is expected


@pytest.mark.parametrize("expires", [-4000, -90000])
def test_s_006_what_has_expired_is_refused(expires: int) -> None:
    headers = cavage()
    headers["Signature"] += f",expires={int(NOON.timestamp()) + expires}"

    assert not accepted(request(headers))


@pytest.mark.parametrize("date", ["yesterday", "", "Sun, 99 Nov 2026 99:99:99 GMT", "1795370400"])
def test_s_006_a_date_that_is_none_is_refused(date: str) -> None:
    headers = {**cavage(), "Date": date}

    assert not accepted(request(signed_over("(request-target) host date digest", headers)))


@pytest.mark.parametrize("other", [None, "x", ""])
@pytest.mark.parametrize(
    ("sign", "doubled"),
    [
        (cavage, "Digest"),
        (cavage, "Date"),
        (cavage, "Host"),
        (cavage, "Signature"),
        (rfc9421, "Content-Digest"),
        (rfc9421, "Signature-Input"),
        (rfc9421, "Signature"),
        (rfc9421, "Host"),
    ],
)
def test_s_008_a_header_that_stands_there_twice_is_refused(
    sign: Callable[..., dict[str, str]], doubled: str, other: str | None
) -> None:
    headers = sign()
    req = request(headers)
    again = (doubled.lower(), headers[doubled] if other is None else other)

    assert accepted(req)
    for more in ((*req.headers, again), (again, *req.headers)):
        with pytest.raises(BadSignature, match=r"one .* header was expected"):
            signatures.read(Request(req.method, req.target, more, req.body), origin=US, now=NOON)


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
        ("", True),  # as if it said nothing
        ("hmac-sha512", False),
        ("rsa-sha512", False),
        ("rsa-v1_5-sha256", False),
        ("ed25519", False),
        ("nonsense", False),
    ],
)
def test_s_009_the_key_decides_about_the_algorithm(algorithm: str, expected: bool) -> None:
    headers = cavage()
    headers["Signature"] = headers["Signature"].replace("rsa-sha256", algorithm)

    assert accepted(request(headers)) is expected


@pytest.mark.parametrize("algorithm", ["hmac-sha256", "hs2019", "none", ""])
def test_s_009_a_public_key_is_no_shared_secret(algorithm: str) -> None:
    headers = cavage()
    (claim,) = signatures.read(request(headers), origin=US, now=NOON)
    mac = hmac.digest(RSA.public_pem.encode(), claim.bases[0], "sha256")
    headers["Signature"] = (
        f'keyId="{RSA.uri}",algorithm="{algorithm}",headers="(request-target) host date digest '
        f'content-type",signature="{base64.b64encode(mac).decode()}"'
    )

    assert not accepted(request(headers))


@pytest.mark.parametrize(
    ("scheme", "key", "algorithm", "expected"),
    [
        ("cavage", ED25519, "hs2019", True),
        ("cavage", ED25519, "", True),
        ("cavage", ED25519, "ed25519", True),
        ("cavage", ED25519, "rsa-sha256", False),
        ("rfc9421", RSA, "", True),
        ("rfc9421", RSA, "rsa-v1_5-sha256", True),
        ("rfc9421", RSA, "ed25519", False),
        ("rfc9421", RSA, "rsa-pss-sha512", False),
        ("rfc9421", RSA, "hmac-sha256", False),
        ("rfc9421", ED25519, "", True),
        ("rfc9421", ED25519, "ed25519", True),
        ("rfc9421", ED25519, "rsa-v1_5-sha256", False),
    ],
)
def test_s_009_what_is_claimed_may_not_contradict_the_key(
    scheme: signatures.Scheme, key: SigningKey, algorithm: str, expected: bool
) -> None:
    made = base64.b64decode(signing._signed(b"text", key))
    claim = Claim(key.uri, scheme, (b"text",), made, algorithm)

    assert signatures.verify(claim, public(key)) is expected


def test_a_key_proves_nothing_under_another_name_or_if_it_is_none() -> None:
    made = base64.b64decode(signing._signed(b"text", RSA))
    claim = Claim(RSA.uri, "cavage", (b"text",), made, "")
    key = public(RSA)

    assert signatures.verify(claim, key)
    assert not signatures.verify(claim, replace(key, uri=f"{RSA.uri}-2"))
    assert not signatures.verify(claim, replace(key, pem="no key"))
    assert not signatures.verify(claim, replace(key, kind="ed25519"))
    assert not signatures.verify(claim, public(SigningKey(RSA.uri, ED25519.pem)))
    assert not signatures.verify(replace(claim, signature=b""), key)


def test_a_short_rsa_key_proves_nothing() -> None:
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is the point
    pem = short.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    key = SigningKey(RSA.uri, pem)

    assert accepted(request(cavage()), RSA)
    assert not signatures.verify(
        signatures.read(request(cavage(key=key)), origin=US, now=NOON)[0],
        PublicKey(key.uri, BOB, "rsa", key.public_pem),
    )


@pytest.mark.parametrize(
    "target",
    [
        "/users/owner/inbox?x=1",
        "/users/owner/inbox?",
        "/users//owner/inbox",
        "//users/owner/inbox",
        "/users%2Fowner/inbox",
        "/users/owner/inbox/",
        "/Users/owner/inbox",
        "/inbox",
        "*",
        "",
        "/\u00e9",
        "/\ud800",
    ],
)
@pytest.mark.parametrize("sign", [cavage, rfc9421])
def test_s_003_another_target_needs_another_signature(
    sign: Callable[..., dict[str, str]], target: str
) -> None:
    assert not accepted(request(sign(), target=target))


@pytest.mark.parametrize("sign", [cavage, rfc9421])
def test_s_003_a_signed_question_cannot_be_sent_as_a_post(
    sign: Callable[..., dict[str, str]],
) -> None:
    asked = sign(method="GET", body=None, content_type=None)
    with_digest = {**asked, **{n: v for n, v in sign().items() if "Digest" in n}}

    assert accepted(request(asked, method="GET", body=b""))
    assert not accepted(request(asked))
    assert not accepted(request(with_digest))
    assert not accepted(request(asked, method="GET"))  # with a body that nobody signed


@pytest.mark.parametrize("sign", [cavage, rfc9421])
def test_s_004_another_body_needs_another_signature(
    sign: Callable[..., dict[str, str]],
) -> None:
    assert not accepted(request(sign(), body=BODY + b" "))
    assert not accepted(request(sign(), body=b""))


def test_s_131_a_signature_for_another_host_is_refused() -> None:
    assert not accepted(request(cavage(url="https://other.example/users/owner/inbox")))


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)
PIECES = st.lists(
    st.sampled_from(
        [
            *'"(),;=:?. \\\t\x00\n\ud800\xe9',
            *("sig1", "created", "expires", "keyid", "alg", "9" * 400, "-1", "?1", str(CREATED)),
            *('"@method"', '"@target-uri"', '"content-digest"', "sha-256", "SHA-256", "AA=="),
            *("keyId", "headers", "signature", "algorithm", "hs2019", "host", "date", "digest"),
            *("(request-target)", "(created)", "Sun, 22 Nov 2026 12:00:00 GMT", "+9999", RSA.uri),
        ]
    ),
    max_size=40,
).map("".join)


@given(
    wanted=st.sampled_from([cavage(), rfc9421()]),
    changed=st.dictionaries(
        st.sampled_from(
            ["Signature", "Signature-Input", "Digest", "Content-Digest", "Date", "Host"]
        ),
        ANY_TEXT | PIECES | st.none(),
        max_size=3,
    ),
    method=st.sampled_from(["POST", "GET", "get", ""]),
    target=ANY_TEXT,
    body=st.binary(max_size=20) | st.just(BODY),
)
def test_any_headers_are_read_or_refused(
    wanted: dict[str, str],
    changed: dict[str, str | None],
    method: str,
    target: str,
    body: bytes,
) -> None:
    headers = {name: value for name, value in {**wanted, **changed}.items() if value is not None}
    try:
        claims = signatures.read(
            request(headers, method=method, target=target, body=body), origin=US, now=NOON
        )
    except BadSignature:
        return
    assert 1 <= len(claims) <= 3
    assert {type(signatures.verify(claim, public(RSA))) for claim in claims} == {bool}


@given(
    where=st.sampled_from(["Signature", "Signature-Input"]),
    at=st.integers(0, 400),
    cut=st.integers(0, 5),
    added=PIECES,
)
def test_a_damaged_signature_is_read_or_refused(where: str, at: int, cut: int, added: str) -> None:
    for headers in (cavage(), rfc9421()):
        text = headers.get(where, "")
        headers[where] = text[:at] + added + text[at + cut :]

        assert accepted(request(headers)) in (True, False)


@pytest.mark.parametrize(
    "header",
    [
        'keyId="' * 2000,
        "a" * 8000,
        " " * 8000,
        'keyId="k",' * 900,
        "," * 8000,
        'keyId="k",signature="' + "A" * 7900 + '"',
        "x" * 1_000_000,
        'keyId="k",headers="' + "a " * 3900 + '",signature="AA=="',
    ],
)
def test_long_nonsense_is_refused(header: str) -> None:
    assert not accepted(request({**cavage(), "Signature": header}))
    assert not accepted(request({**rfc9421(), "Signature": header}))
    assert not accepted(request({**rfc9421(), "Signature-Input": header}))


def test_dates_are_written_as_http_wants_them() -> None:
    assert cavage()["Date"] == format_datetime(NOON, usegmt=True) == "Sun, 22 Nov 2026 12:00:00 GMT"
