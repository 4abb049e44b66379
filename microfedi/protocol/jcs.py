"""JSON in the one way in which everybody writes it, so that it can be hashed.

Source: RFC 8785 (JSON Canonicalization Scheme).
"""

import json
import math
from typing import Any

from microfedi.errors import MalformedDocument

MAX_INTEGER = 2**53 - 1  # beyond it, readers that use doubles see another number
MAX_DEPTH = 64  # levels; what we read has at most half of it


def canonical(value: object) -> bytes:
    r"""Return the canonical UTF-8 of a JSON value, or refuse what has none.

    No whitespace, keys in the order of their UTF-16 code units, texts with as few escapes as JSON
    allows, numbers as ECMAScript prints them. What two readers could understand differently has
    no canonical form: integers beyond 53 bits, NaN and Infinity, lone surrogates, keys that are
    no texts.

    Source: RFC 8785 3.2; RFC 7493 2.
    Raises: MalformedDocument.

    >>> canonical({"b": 1.0, "a": [True, None, "\n€"]}).decode()
    '{"a":[true,null,"\\n€"],"b":1}'
    """
    try:
        return _written(value, MAX_DEPTH).encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedDocument("expected no lone surrogate in a text") from None


def number(value: float) -> str:
    """Print a double as ECMAScript does.

    Source: RFC 8785 3.2.2.3; ECMA-262, Number::toString.
    Raises: MalformedDocument if it is infinite or no number.

    >>> number(1e21), number(1e20), number(0.000001), number(1e-7), number(-0.0)
    ('1e+21', '100000000000000000000', '0.000001', '1e-7', '0')
    """
    if not math.isfinite(value):
        raise MalformedDocument("expected finite numbers")
    if value == 0:
        return "0"
    # Both languages print the shortest digits that mean this double; they place the point apart.
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or 0)  # of the digits, so many stand before the point
    padded = whole + fraction
    digits = padded.lstrip("0")
    point -= len(padded) - len(digits)
    digits = digits.rstrip("0")
    sign = "-" if value < 0 else ""
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{point - 1:+d}"


def _written(value: Any, depth: int) -> str:
    if depth < 0:
        raise MalformedDocument(f"expected at most {MAX_DEPTH} levels")
    match value:
        case None | True | False:
            return {None: "null", True: "true", False: "false"}[value]
        case str():
            # Escapes `"`, `\`, and control characters, in the short form where there is one.
            return json.dumps(value, ensure_ascii=False)
        case int():
            if not -MAX_INTEGER <= value <= MAX_INTEGER:
                raise MalformedDocument("expected integers within 53 bits")
            return str(value)
        case float():
            return number(value)
        case dict():
            if not all(isinstance(key, str) for key in value):
                raise MalformedDocument("expected keys that are texts")
            members = sorted(value.items(), key=lambda item: _code_units(item[0]))
            inner = ",".join(
                f"{_written(key, depth)}:{_written(one, depth - 1)}" for key, one in members
            )
            return "{" + inner + "}"
        case list():
            return "[" + ",".join(_written(one, depth - 1) for one in value) + "]"
    raise MalformedDocument(f"expected JSON, not {type(value).__name__}")


def _code_units(key: str) -> bytes:
    """Big-endian UTF-16 sorts by code units, as the RFC asks (code points do so otherwise)."""
    return key.encode("utf-16-be")
