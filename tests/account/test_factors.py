"""Codes of the app, recovery codes, tokens."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from microfedi.account import recovery, tokens, totp

# RFC 6238 appendix B, SHA-1: the secret is "12345678901234567890", the codes are cut to six digits.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
    ],
)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    now = datetime.fromtimestamp(seconds, UTC)

    assert totp.accepted_step(RFC_SECRET, code, now) == seconds // 30


def test_a_code_is_good_one_step_around_its_own() -> None:
    made_at = datetime.fromtimestamp(1111111111, UTC)
    step = 1111111111 // 30
    accepted = {
        offset: totp.accepted_step(RFC_SECRET, "050471", made_at + timedelta(seconds=30 * offset))
        for offset in (-2, -1, 0, 1, 2)
    }

    assert accepted == {-2: None, -1: step, 0: step, 1: step, 2: None}


@pytest.mark.parametrize(
    "code",
    ["０５０４７１", "٠٥٠٤٧١", "50471", "0050471", " 050471", "050471\n", "05047l", "", "-50471"],
)
def test_only_six_ascii_digits_are_a_code(code: str) -> None:
    assert totp.accepted_step(RFC_SECRET, code, datetime.fromtimestamp(1111111111, UTC)) is None


def test_secrets_are_160_random_bits() -> None:
    secrets = {totp.new_secret() for _ in range(20)}

    assert len(secrets) == 20
    assert {len(secret) for secret in secrets} == {32}  # of Base32, five bits each


def test_the_app_is_told_whose_code_it_is() -> None:
    uri = totp.provisioning_uri(RFC_SECRET, handle="owner@us.example", host="us.example")

    assert uri == (
        "otpauth://totp/us.example:owner%40us.example"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=us.example"
    )


def test_the_qr_code_is_svg_without_style_or_script() -> None:
    drawn = totp.qr_svg("otpauth://totp/x?secret=<&>")

    root = ElementTree.fromstring(drawn)  # noqa: S314 - our own
    assert root.tag.endswith("svg")
    assert "style" not in drawn
    assert "script" not in drawn
    assert hasattr(drawn, "__html__")


def test_recovery_codes_are_ten_unlike_ones_of_60_bits() -> None:
    codes = recovery.new_codes()

    assert len(set(codes)) == 10
    assert all(len(code) == 14 and code[4] == code[9] == "-" for code in codes)
    assert len(set(recovery._ALPHABET)) == 32  # five bits a character, twelve characters
    assert not set("ol01") & set("".join(codes))


def test_a_recovery_code_is_recognised_as_people_type_it() -> None:
    for code in recovery.new_codes():
        expected = recovery.hashes_of((code,))[0]
        for typed in (code, code.upper(), f" {code.replace('-', ' ')} ", code.replace("i", "1")):
            normal = recovery.normalise(typed)
            assert normal is not None
            assert recovery.hash_of(normal) == expected
    for typed in ("", "123456", "abcd-efgh-ijk", "abcd-efgh-ijk!", "x" * 1_000_000):
        assert recovery.normalise(typed) is None


def test_tokens_are_256_random_bits_and_kept_as_hashes() -> None:
    token = tokens.new()

    assert len(token) == 43  # of base64url, six bits each
    assert token != tokens.new()
    assert token.encode() not in tokens.hash_of(token)
    assert len(tokens.hash_of("\udc80")) == 32
