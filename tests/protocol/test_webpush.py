"""Web Push: the example of RFC 8291, and what is refused."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from microfedi.errors import MalformedDocument
from microfedi.protocol import webpush

# RFC 8291, appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
AS_PRIVATE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
UA_PUBLIC = (
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
)
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
    "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
    "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def encrypted(plain: bytes = PLAIN, *, padded: int = 0) -> bytes:
    return webpush.encrypt(
        plain,
        receiver=webpush.read_base64(UA_PUBLIC, webpush.PUBLIC_BYTES),
        auth=webpush.read_base64(AUTH, webpush.AUTH_BYTES),
        sender=webpush.private_key(webpush.read_base64(AS_PRIVATE, 32)),
        salt=webpush.read_base64(SALT, webpush.SALT_BYTES),
        padded=padded,
    )


def test_the_example_of_the_standard() -> None:
    assert webpush.to_base64(encrypted()) == BODY


def test_short_texts_are_as_long_as_others() -> None:
    assert len(encrypted(b"a", padded=256)) == len(encrypted(b"a" * 200, padded=256))


def test_what_does_not_fit_is_not_sent() -> None:
    with pytest.raises(ValueError, match="at most"):
        encrypted(b"a" * (webpush.MAX_PLAIN_BYTES + 1))


@pytest.mark.parametrize(
    "point",
    [b"", b"\x04" * 65, b"\x02" + b"\x01" * 32, b"\x04" + b"\0" * 64, b"\x04" + b"\xff" * 64],
)
def test_a_point_of_no_curve_is_refused(point: bytes) -> None:
    with pytest.raises(MalformedDocument):
        webpush.public_key(point)


@pytest.mark.parametrize("text", ["", "a", "%%%%", "AAEC" * 100, "ä" * 22, "AA+/" * 4])
def test_a_secret_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(MalformedDocument):
        webpush.read_base64(text, webpush.AUTH_BYTES)


def test_a_token_is_signed_for_one_service_and_half_a_day() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    said = webpush.authorization(
        key, audience="https://push.example", subject="https://us.example", now=NOON
    )
    scheme, _, parameters = said.partition(" ")
    token, _, public = parameters.partition(", ")
    assert scheme == "vapid"
    assert public == f"k={webpush.to_base64(webpush.point_of(key))}"
    head, claims, _ = token.removeprefix("t=").split(".")
    assert base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)) == b'{"typ":"JWT","alg":"ES256"}'
    assert base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)) == (
        b'{"aud":"https://push.example","exp":1795392000,"sub":"https://us.example"}'
    )
    assert webpush.is_signed(token.removeprefix("t="), webpush.point_of(key))
    other = ec.generate_private_key(ec.SECP256R1())
    assert not webpush.is_signed(token.removeprefix("t="), webpush.point_of(other))


def test_a_key_is_kept_as_a_number() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    assert webpush.point_of(webpush.private_key(webpush.scalar_of(key))) == webpush.point_of(key)
