"""The vault's format: what opens, and all that must not."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from microfedi.storage import vault

KEY = vault.new_key(1)
OPENED = vault.SecretKeys({1: KEY.secret})
HEAD = 1 + 2 + 32


def sealed_file(data: bytes, *, bound_to: str = "m1") -> tuple[bytes, list[bytes]]:
    """A file's head and its sealed pieces."""
    whole = b"".join(KEY.public.seal_file("file", [data], bound_to=bound_to))
    step = vault.SEALED_PIECE_BYTES
    rest = whole[HEAD:]
    return whole[:HEAD], [rest[at : at + step] for at in range(0, len(rest), step)]


def test_what_was_sealed_opens() -> None:
    sealed = KEY.public.seal("message", b"Meet me at the jetty", bound_to="7/3")
    assert OPENED.open("message", sealed, bound_to="7/3") == b"Meet me at the jetty"
    assert b"jetty" not in sealed


def test_the_format_is_as_it_is_written_down() -> None:
    """Opened by hand, from the description alone."""
    sealed = KEY.public.seal("message", "Über".encode(), bound_to="7/3")
    assert sealed[:3] == b"\x02\x00\x01"
    ephemeral, rest = sealed[3:35], sealed[35:]
    shared = X25519PrivateKey.from_private_bytes(KEY.secret).exchange(
        X25519PublicKey.from_public_bytes(ephemeral)
    )
    key = HKDF(
        hashes.SHA256(), 32, salt=ephemeral + KEY.public.data, info=b"microfedi vault message"
    ).derive(shared)
    plain = ChaCha20Poly1305(key).decrypt(bytes(12), rest, b"7/3")
    assert plain == b"\x00\x00\x00\x05" + "Über".encode() + bytes(247)


@pytest.mark.parametrize(
    ("purpose", "bound_to"), [("message", "7/4"), ("message", ""), ("draft", "7/3")]
)
def test_it_opens_nowhere_else(purpose: str, bound_to: str) -> None:
    sealed = KEY.public.seal("message", b"words", bound_to="7/3")
    with pytest.raises(ValueError, match="does not open"):
        OPENED.open(purpose, sealed, bound_to=bound_to)


def test_another_key_does_not_open_it() -> None:
    sealed = KEY.public.seal("message", b"words", bound_to="1")
    with pytest.raises(ValueError, match="does not open"):
        vault.SecretKeys({1: vault.new_key(1).secret}).open("message", sealed, bound_to="1")
    with pytest.raises(ValueError, match="not here"):
        vault.SecretKeys({2: KEY.secret}).open("message", sealed, bound_to="1")


def test_no_bit_may_change() -> None:
    sealed = KEY.public.seal("message", b"words", bound_to="1")
    for at in range(len(sealed)):
        broken = bytearray(sealed)
        broken[at] ^= 1
        with pytest.raises(ValueError, match="vault"):
            OPENED.open("message", bytes(broken), bound_to="1")


@pytest.mark.parametrize("length", [0, 1, HEAD - 1, HEAD, HEAD + 15, HEAD + 16])
def test_what_is_cut_off_does_not_open(length: int) -> None:
    sealed = KEY.public.seal("message", b"words", bound_to="1")
    with pytest.raises(ValueError, match="vault"):
        OPENED.open("message", sealed[:length], bound_to="1")


def test_a_point_of_low_order_is_refused() -> None:
    with pytest.raises(ValueError, match="damaged"):
        OPENED.open("message", b"\x02\x00\x01" + bytes(32) + bytes(300), bound_to="1")


def test_the_same_words_never_look_the_same() -> None:
    first = KEY.public.seal("message", b"yes", bound_to="1")
    second = KEY.public.seal("message", b"yes", bound_to="1")
    assert first[3:35] != second[3:35]
    assert first[35:] != second[35:]


def test_yes_and_no_are_as_long_as_a_story() -> None:
    assert len({len(KEY.public.seal("m", bytes(n), bound_to="1")) for n in range(252)}) == 1


@given(st.integers(0, 3_000_000))
def test_padding_costs_an_eighth_at_most(size: int) -> None:
    padded = vault.padded_size(size)
    assert padded >= size
    assert padded <= max(256, size * 1.125)
    assert vault.padded_size(padded) == padded


@given(st.binary(max_size=2000))
def test_padding_comes_off_again(data: bytes) -> None:
    assert vault.unpadded(vault.padded(data)) == data


@pytest.mark.parametrize("data", [b"", b"\0\0\0", b"\0\0\0\5abcd", b"\xff\xff\xff\xff"])
def test_what_is_not_padded_is_said(data: bytes) -> None:
    with pytest.raises(ValueError, match="padded value"):
        vault.unpadded(data)


@pytest.mark.parametrize(
    "size",
    [0, 1, vault.PIECE_BYTES - 1, vault.PIECE_BYTES, vault.PIECE_BYTES + 1, 3 * vault.PIECE_BYTES],
)
def test_a_file_opens_whole(size: int) -> None:
    data = bytes(number % 251 for number in range(size))
    head, pieces = sealed_file(data)
    assert len(pieces) == max(1, -(-size // vault.PIECE_BYTES))
    assert b"".join(OPENED.open_file("file", head, pieces, bound_to="m1")) == data


def test_a_part_of_a_file_opens_alone() -> None:
    head, pieces = sealed_file(b"a" * vault.PIECE_BYTES + b"b" * 10)
    opened = OPENED.open_file("file", head, pieces[1:], bound_to="m1", first=1)
    assert b"".join(opened) == b"b" * 10


def test_a_file_cannot_be_cut_swapped_or_moved() -> None:
    data = b"a" * vault.PIECE_BYTES + b"b" * vault.PIECE_BYTES + b"c"
    head, pieces = sealed_file(data)
    for wrong in ([], pieces[:-1], pieces[:1], [pieces[1], pieces[0], pieces[2]], pieces[1:]):
        with pytest.raises(ValueError, match="sealed file"):
            b"".join(OPENED.open_file("file", head, wrong, bound_to="m1"))
    with pytest.raises(ValueError, match="sealed file"):
        b"".join(OPENED.open_file("file", head, pieces, bound_to="m2"))


def test_a_wrap_opens_with_its_key_alone() -> None:
    key = vault.key_of(b"something random", "password")
    wrapped = vault.wrap(key, KEY.secret, bound_to="password 1")
    assert vault.unwrap(key, wrapped, bound_to="password 1") == KEY.secret
    other = vault.key_of(b"something random", "recovery")
    for one, about in ((other, "password 1"), (key, "password 2")):
        with pytest.raises(ValueError, match="does not open the vault"):
            vault.unwrap(one, wrapped, bound_to=about)
    for broken in (b"", b"\x03", wrapped[:-1], b"\x01" + wrapped[1:]):
        with pytest.raises(ValueError, match="does not open the vault"):
            vault.unwrap(key, broken, bound_to="password 1")


def test_halves_know_each_other() -> None:
    assert vault.matches(KEY.public, KEY.secret)
    assert not vault.matches(KEY.public, vault.new_key(1).secret)


def test_nothing_secret_is_printed() -> None:
    assert KEY.secret.hex() not in repr(KEY)
    assert repr(OPENED) == "SecretKeys(…)"
    assert repr(KEY) == "NewKey(1)"


@pytest.mark.parametrize("number", [0, -1, 65536])
def test_keys_have_numbers(number: int) -> None:
    with pytest.raises(ValueError, match="keys 1 to"):
        vault.new_key(number)
