"""Bytes from elsewhere become a JSON object here, or are refused: the door that every body passes.

What two JSON readers could understand differently is refused, not guessed at.
"""

import json
import math
from typing import Any

from microfedi.errors import MalformedDocument

MAX_DEPTH = 32  # levels; honest documents stay below 10
MAX_INTEGER = 2**53 - 1  # beyond it, readers that use doubles see another number
MAX_NUMBER_CHARS = 32  # int() of a million digits takes seconds
FORBIDDEN_KEYS = ("@graph", "@included", "@reverse")


def document(body: bytes) -> dict[str, Any]:
    r"""Read a JSON object strictly.

    UTF-8 (a byte order mark is skipped: RFC 8259 lets readers do so, and the signature covers the
    bytes), no duplicate keys, no NaN or Infinity, integers within 53 bits, at most 32 levels.
    Lone surrogates are refused because nothing could be written with them. NUL is refused, not
    removed: a text that ends at NUL for one reader and not for the next ("Create\0x") is how
    checks are passed by; other control characters do occur in honest posts, and `parse` removes
    them. `@graph`, `@included` and `@reverse` rearrange a document behind the back of a reader
    that takes keys as they stand.

    Source: RFC 8259; RFC 7493 (I-JSON) 2.1 to 2.3.
    Raises: MalformedDocument.

    >>> document(b'{"type": "Note"}')
    {'type': 'Note'}
    >>> document(b'{"type": "Note", "type": "Create"}')
    Traceback (most recent call last):
        ...
    microfedi.errors.MalformedDocument: expected every key once in a JSON object
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedDocument(f"expected UTF-8, byte {error.start} is not") from None
    try:
        value = _DECODER.decode(text.removeprefix("\ufeff"))
    except RecursionError:
        raise MalformedDocument(f"expected at most {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise MalformedDocument(f"expected JSON: {str(error)[:100]}") from None
    if not isinstance(value, dict):
        raise MalformedDocument(f"expected a JSON object, not {type(value).__name__}")
    # The walk costs more than the reading did, so it is only done where it can find something.
    # The counts see brackets inside texts too, and "\\u0000" is no NUL: both only mean a look.
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH or "\\u0000" in text or _has_surrogate(text):
        _look_through(value)
    return value


def _has_surrogate(text: str) -> bool:
    return "\\ud" in text or "\\uD" in text


def _look_through(top: dict[str, Any]) -> None:
    """Check depth and texts without recursion."""
    level: list[Any] = [top]
    depth = 0
    while level:
        depth += 1
        below: list[Any] = []
        for value in level:
            if isinstance(value, str):
                _check_text(value)
            elif isinstance(value, dict):
                below.extend(value)
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
        level = below
        if depth >= MAX_DEPTH and any(isinstance(value, dict | list) for value in level):
            raise MalformedDocument(f"expected at most {MAX_DEPTH} levels")


def _check_text(text: str) -> None:
    if "\0" in text:
        raise MalformedDocument("expected no NUL in a text")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedDocument("expected no lone surrogate in a text") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise MalformedDocument("expected every key once in a JSON object")
    if "@graph" in made or "@included" in made or "@reverse" in made:
        raise MalformedDocument(f"expected none of {', '.join(FORBIDDEN_KEYS)}")
    return made


def _integer(digits: str) -> int:
    if len(digits) > MAX_NUMBER_CHARS or not -MAX_INTEGER <= (number := int(digits)) <= MAX_INTEGER:
        raise MalformedDocument("expected integers within 53 bits")
    return number


def _fraction(digits: str) -> float:
    # Some write a latitude with 40 digits; what is too large is what cannot be told apart.
    number = float(digits[:MAX_NUMBER_CHARS]) if "e" not in digits.lower() else float(digits)
    if not math.isfinite(number) or abs(number) > MAX_INTEGER:
        raise MalformedDocument("expected numbers within 53 bits")
    return number


def _constant(name: str) -> Any:
    raise MalformedDocument(f"expected a number, not {name}")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_integer,
    parse_float=_fraction,
    parse_constant=_constant,
)
