"""Signatures by RFC 9421: what is accepted, and what says or covers too little."""

import base64
import hashlib

import pytest

from microfedi.protocol import signatures, signing
from microfedi.protocol.signatures import Request
from tests.factories import NOON
from tests.protocol.signed import (
    ALL,
    BODY,
    CREATED,
    INBOX,
    PARAMS,
    RSA,
    US,
    accepted,
    newly_signed,
    request,
    rfc9421,
)


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        (ALL, True),
        (("content-digest", "@target-uri", "@method"), True),
        (("@method", "@authority", "@path", "content-digest"), True),
        (("@method", "@authority", "@path", "@query", "content-digest"), True),
        # What Fedify signs.
        (("@method", "@target-uri", "@authority", "host", "date", "content-digest"), True),
        ((), False),
        (("@method", "@target-uri"), False),
        (("@target-uri", "content-digest"), False),
        (("@method", "content-digest"), False),
        (("@method", "@path", "content-digest"), False),
        (("@method", "@authority", "content-digest"), False),
        ((*ALL, "@method"), False),
    ],
)
def test_s_019_everything_that_matters_must_be_covered(
    components: tuple[str, ...], expected: bool
) -> None:
    assert accepted(request(newly_signed(components))) is expected


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (f';keyid="{RSA.uri}";created={CREATED}', True),
        (f'{PARAMS};nonce="n";tag="fediverse"', True),
        (f"{PARAMS};expires={CREATED + 60}", True),
        (f'{PARAMS};alg="rsa-v1_5-sha256"', True),
        (f'{PARAMS};alg="ed25519"', False),
        (f'{PARAMS};alg="hmac-sha256"', False),
        (f"{PARAMS};alg=7", False),
        (f"{PARAMS};expires={CREATED - 4000}", False),
        (f"{PARAMS};expires=soon", False),
        (f"{PARAMS};expires=-1", False),
        (f"{PARAMS};expires", False),
        (f';keyid="{RSA.uri}"', False),
        (f';created={CREATED - 90_000};keyid="{RSA.uri}"', False),
        (f';created={CREATED + 90_000};keyid="{RSA.uri}"', False),
        (f';created=abc;keyid="{RSA.uri}"', False),
        (f';created="{CREATED}";keyid="{RSA.uri}"', False),
        (f';created=1e400;keyid="{RSA.uri}"', False),
        (f';created={CREATED}.0;keyid="{RSA.uri}"', False),
        (f';created={"9" * 15};keyid="{RSA.uri}"', False),
        (f';created={"9" * 5000};keyid="{RSA.uri}"', False),
        (f';created;keyid="{RSA.uri}"', False),
        (f";created={CREATED}", False),
        (f";created={CREATED};keyid=7", False),
        (f';created={CREATED};keyid=""', False),
        (f"{PARAMS}{PARAMS}", False),
    ],
)
def test_s_019_the_parameters_must_make_sense(params: str, expected: bool) -> None:
    assert accepted(request(newly_signed(ALL, params))) is expected


@pytest.mark.parametrize(
    ("digest", "expected"),
    [
        ("sha-256=:{256}:", True),
        ("sha-512=:{512}:", True),
        ("sha-256=:{256}:, sha-512=:{512}:", True),
        ("md5=:AAAA:, sha-256=:{256}:", True),
        ("sha-256=:{256}:, sha-512=:{256}:", False),
        ("sha-256=:{512}:, sha-512=:{512}:", False),
        ("sha-256={256}", False),
        ("SHA-256={256}", False),
        ("md5=:AAAA:", False),
        ("sha-256=:{256}:, sha-256=:{256}:", False),
        ("", False),
    ],
)
def test_s_004_each_content_digest_must_match(digest: str, expected: bool) -> None:
    digest = digest.replace("{256}", base64.b64encode(hashlib.sha256(BODY).digest()).decode())
    digest = digest.replace("{512}", base64.b64encode(hashlib.sha512(BODY).digest()).decode())

    headers = newly_signed(ALL, **{"content-digest": digest})

    assert accepted(request(headers)) is expected


def test_s_006_a_date_that_is_signed_must_be_near_too() -> None:
    covered = ("date", *ALL)

    assert accepted(request(newly_signed(covered)))
    assert not accepted(request(newly_signed(covered, date="Sat, 21 Nov 2026 12:00:00 GMT")))


@pytest.mark.parametrize("parameter", [";req", ";sf", ';key="a"', ";bs", ";tr"])
def test_s_019_a_component_with_parameters_is_another_component(parameter: str) -> None:
    listed = f'("@method" "@target-uri" "content-digest"{parameter}){PARAMS}'
    plain = newly_signed(ALL)
    base = (
        f'"@method": POST\n"@target-uri": {INBOX}\n"content-digest": {plain["Content-Digest"]}\n'
        f'"@signature-params": {listed}'
    )
    signature = signing._signed(base.encode(), RSA)
    headers = {
        **plain,
        "Signature-Input": f"sig1={listed}",
        "Signature": f"sig1=:{signature}:",
    }

    assert not accepted(request(headers))


def test_a_signed_path_does_not_speak_for_a_query() -> None:
    target = "/users/owner/inbox?x=1"
    without = newly_signed(("@method", "@authority", "@path", "content-digest"))
    covered = ("@method", "@authority", "@path", "@query", "content-digest")

    assert not accepted(request(without, target=target))
    assert accepted(request(newly_signed(covered, **{"@query": "?x=1"}), target=target))


def test_a_label_that_we_do_not_understand_does_not_spoil_the_others() -> None:
    headers = newly_signed(ALL)
    proxy = '("@method" "@query-param";name="x" "date";sf);created=1;ok=?1;raw=:AA==:;word=a/b'
    headers["Signature-Input"] = f"proxy={proxy}, {headers['Signature-Input']}"
    headers["Signature"] = f"proxy=:AAAA:, {headers['Signature']}"

    assert accepted(request(headers))


def test_only_a_few_labels_are_tried() -> None:
    one = newly_signed(ALL)
    listed, signature = one["Signature-Input"][5:], one["Signature"][5:]

    def labelled(count: int) -> Request:
        labels = [f"s{n}" for n in range(count)]
        return request(
            {
                **one,
                "Signature-Input": ",".join(f"{label}={listed}" for label in labels),
                "Signature": ",".join(f"{label}={signature}" for label in labels),
            }
        )

    assert len(signatures.read(labelled(2), origin=US, now=NOON)) == 2
    assert len(signatures.read(labelled(8), origin=US, now=NOON)) == 3
    assert not accepted(labelled(9))


def test_s_019_of_two_labels_one_that_covers_enough_counts() -> None:
    headers = rfc9421()
    headers["Signature-Input"] = "empty=();created=1," + headers["Signature-Input"]
    headers["Signature"] = "empty=:AAAA:," + headers["Signature"]

    assert accepted(request(headers))
    headers["Signature"] = headers["Signature"].replace("sig1=", "other=")
    assert not accepted(request(headers))
