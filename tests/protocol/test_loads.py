"""The door for bytes: what is refused, and that it is refused fast."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microfedi.errors import MalformedDocument
from microfedi.protocol import loads

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def nested(depth: int, opening: bytes = b'{"a":', closing: bytes = b"}") -> bytes:
    return b'{"a":' + opening * (depth - 1) + b"1" + closing * (depth - 1) + b"}"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "expected JSON"),
        (b"{", "expected JSON"),
        (b"[]", "expected a JSON object"),
        (b'"text"', "expected a JSON object"),
        (b"null", "expected a JSON object"),
        (b'{"a": "\xff"}', "expected UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "expected UTF-8"),
        (b'{"a": 1, "a": 1}', "every key once"),
        (b'{"a": {"b": 1, "\\u0062": 2}}', "every key once"),
        (b'{"a": NaN}', "not NaN"),
        (b'{"a": -Infinity}', "not -Infinity"),
        (b'{"a": 1e400}', "53 bits"),
        (b'{"a": 9007199254740992}', "53 bits"),
        (b'{"a": -9007199254740992}', "53 bits"),
        (b'{"a": 1e300}', "53 bits"),
        (b'{"a": ' + b"9" * 1_000_000 + b"}", "53 bits"),
        (b'{"a": "\\ud800"}', "lone surrogate"),
        (b'{"a": "\\uDC00x"}', "lone surrogate"),
        (b'{"\\uD83D": 1}', "lone surrogate"),
        (b'{"a": ["\\u0000"]}', "no NUL"),
        (b'{"actor\\u0000": 1}', "no NUL"),
        (b'{"a": "\x00"}', "expected JSON"),
        (b'{"a": "\n"}', "expected JSON"),
        (b'{"@graph": []}', "@graph"),
        (b'{"object": {"@included": []}}', "@included"),
        (b'{"object": [{"\\u0040reverse": {}}]}', "@reverse"),
        (b'{"a": 1} {"b": 2}', "expected JSON"),
        (nested(33), "32 levels"),
        (nested(33, b"[", b"]"), "32 levels"),
        (b'{"a":' + b"[" * 100_000, "levels|expected JSON"),
        (nested(100_000), "32 levels"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedDocument, match=reason):
        loads.document(body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 9007199254740991}', {"a": 9007199254740991}),
        (b'{"a": -0.5, "b": 1E2}', {"a": -0.5, "b": 100.0}),
        (b'{"a": 1.' + b"3" * 100 + b"}", {"a": pytest.approx(4 / 3)}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        (b'{"a": "\\\\u0000 and \\\\ud800"}', {"a": "\\u0000 and \\ud800"}),
        (b'{"a": "' + b"[" * 100 + b'"}', {"a": "[" * 100}),
    ],
)
def test_what_is_odd_but_clear_is_read(body: bytes, expected: object) -> None:
    assert loads.document(body) == expected


def test_32_levels_are_read() -> None:
    assert loads.document(nested(32))
    assert loads.document(nested(32, b"[", b"]"))


@given(st.dictionaries(st.text(), JSON, max_size=6))
def test_whatever_json_writes_is_read_back(doc: dict[str, object]) -> None:
    for ascii_only in (True, False):
        body = json.dumps(doc, ensure_ascii=ascii_only).encode()
        try:
            assert loads.document(body) == doc
        except MalformedDocument as error:
            assert "NUL" in str(error) or "expected none of" in str(error)  # noqa: PT017


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(MalformedDocument):
        assert isinstance(loads.document(body), dict)
