"""The header fields of signatures, read strictly and within limits.

Of RFC 8941 the small part that RFC 9421 needs: labels with lists, labels with bytes. What is read
keeps its own text, since the order of parameters is part of what was signed. And the list of
parameters that draft-cavage has instead.
"""

import base64
import binascii
import re
from dataclasses import dataclass

MAX_LABELS = 8  # signatures on one request; honest ones carry one, proxies add one
MAX_COMPONENTS = 32  # signed parts of one request
MAX_HEADER_CHARS = 8192  # of one header; a signature of 4096 bits takes 700

_LABEL = re.compile(r"[a-z*][a-z0-9_.*-]{0,63}")
_STRING = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_NAME = re.compile(r"[a-z*][a-z0-9_.*-]{0,31}")
_INTEGER = re.compile(r"-?[0-9]{1,15}(?![0-9.])")
_BYTES = re.compile(r":([A-Za-z0-9+/]*={0,2}):")
_TOKEN = re.compile(r"[A-Za-z*][A-Za-z0-9:/!#$%&'*+.^_`|~-]*")
_FLAG = re.compile(r"\?[01]")
_SPACES = re.compile(r" *")
_BLANK = re.compile(r"[ \t]*")

_CAVAGE = re.compile(
    r'[ \t]*([A-Za-z]{1,32})[ \t]*=[ \t]*(?:"([^"\\]*)"|([0-9]{1,15}))[ \t]*(?:,|\Z)'
)

Value = str | int | bytes | bool


@dataclass(frozen=True, slots=True)
class Input:
    """One member of Signature-Input. `text` is its own text after the `=`, as received.

    `is_plain` is false if a component has parameters of its own (`"@query-param";name="a"`).
    """

    components: tuple[str, ...]
    params: dict[str, Value]
    text: str
    is_plain: bool = True


class _Text:
    """A cursor over a header."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_HEADER_CHARS:
            raise ValueError(f"a header of at most {MAX_HEADER_CHARS} characters was expected")
        self.text = text
        self.at = 0

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return match

    def need(self, pattern: re.Pattern[str], what: str) -> re.Match[str]:
        match = self.take(pattern)
        if match is None:
            raise ValueError(f"{what} was expected at character {self.at}")
        return match

    def skip(self, character: str) -> bool:
        if self.text.startswith(character, self.at):
            self.at += 1
            return True
        return False

    @property
    def is_over(self) -> bool:
        return self.at >= len(self.text)


def inputs(header: str) -> dict[str, Input]:
    """Read a Signature-Input header. Source: RFC 9421 4.1.

    Raises: ValueError saying what was expected.

    >>> read = inputs('sig1=("@method" "host");created=7;keyid="k"')["sig1"]
    >>> read.components, read.params, read.text
    (('@method', 'host'), {'created': 7, 'keyid': 'k'}, '("@method" "host");created=7;keyid="k"')
    """
    text, found = _Text(header.strip()), dict[str, Input]()
    while not text.is_over:
        label = _label(text, found)
        start = text.at
        if not text.skip("("):
            raise ValueError("a list in parentheses was expected")
        components: list[str] = []
        is_plain = True
        while True:
            text.take(_SPACES)
            if text.skip(")"):
                break
            components.append(_unescaped(text.need(_STRING, "a name in quotes")[1]))
            if _params(text):
                is_plain = False
            if text.text[text.at : text.at + 1] not in (" ", ")"):
                raise ValueError(f"a space or ) was expected at character {text.at}")
            if len(components) > MAX_COMPONENTS:
                raise ValueError(f"at most {MAX_COMPONENTS} components were expected")
        params = _params(text)
        signed = text.text[start : text.at]
        found[label] = Input(tuple(components), params, signed, is_plain)
        _next(text)
    return found


def byte_sequences(header: str) -> dict[str, bytes]:
    """Read a Signature or Content-Digest header. Source: RFC 9421 4.2, RFC 9530 2.

    Raises: ValueError saying what was expected.

    >>> byte_sequences("sig1=:AAE=:, sig2=:Ag==:")
    {'sig1': b'\\x00\\x01', 'sig2': b'\\x02'}
    """
    text, found = _Text(header.strip()), dict[str, bytes]()
    while not text.is_over:
        label = _label(text, found)
        found[label] = _decoded(text.need(_BYTES, "bytes between colons")[1])
        _params(text)
        _next(text)
    return found


def cavage_params(header: str) -> dict[str, str]:
    """Read a Signature header of the draft. Source: draft-cavage-http-signatures-12 4.1.

    Raises: ValueError saying what was expected.

    >>> cavage_params('keyId="k", created=7,headers="date"')
    {'keyId': 'k', 'created': '7', 'headers': 'date'}
    """
    text, params = _Text(header), dict[str, str]()
    while not text.is_over:
        name, quoted, number = text.need(_CAVAGE, 'name="value" or name=number').groups()
        if name in params:
            raise ValueError(f"{name} stands there twice")
        params[name] = number if quoted is None else quoted
    return params


def _label(text: _Text, found: dict[str, Input] | dict[str, bytes]) -> str:
    label = text.need(_LABEL, "a label")[0]
    if label in found:
        raise ValueError(f"the label {label} stands there twice")
    if len(found) >= MAX_LABELS:
        raise ValueError(f"at most {MAX_LABELS} labels were expected")
    if not text.skip("="):
        raise ValueError("= was expected after a label")
    return label


def _params(text: _Text) -> dict[str, Value]:
    params: dict[str, Value] = {}
    while text.skip(";"):
        text.take(_SPACES)
        name = text.need(_NAME, "a parameter's name")[0]
        if name in params:
            raise ValueError(f"the parameter {name} stands there twice")
        value: Value = True
        if text.skip("="):
            if match := text.take(_STRING):
                value = _unescaped(match[1])
            elif match := text.take(_INTEGER):
                value = int(match[0])
            elif match := text.take(_BYTES):
                value = _decoded(match[1])
            elif match := text.take(_FLAG):
                value = match[0] == "?1"
            elif match := text.take(_TOKEN):
                value = match[0]
            else:
                raise ValueError(f"a text, whole number, flag or bytes were expected for {name}")
        params[name] = value
    return params


def _next(text: _Text) -> None:
    text.take(_BLANK)
    if text.is_over:
        return
    if not text.skip(","):
        raise ValueError("a comma was expected between members")
    text.take(_BLANK)
    if text.is_over:
        raise ValueError("another member was expected after the comma")


def _unescaped(text: str) -> str:
    return text.replace('\\"', '"').replace("\\\\", "\\") if "\\" in text else text


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValueError("base64 was expected between the colons") from error
