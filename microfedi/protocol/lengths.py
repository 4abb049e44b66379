"""How long a text is for those who write it: counted as Mastodon counts.

static/compose.js counts in the same way; tests/protocol/test_lengths.py holds them together.
"""

import re
import unicodedata
from typing import Final

LINK_CHARS: Final = 23  # every address, however long

# An address up to a space or a bracket; punctuation at its end belongs to the sentence.
_LINK = re.compile(r"(?<![\w@])https?://[^\s<>\"`{}|\\^\[\]]*[^\s<>\"`{}|\\^\[\].,:;!?)'*_~]", re.I)
# The domain of a mention is not counted: the name alone stands in the post.
_MENTION = re.compile(
    r"(?<![\w@/])(@[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)@[^\W_][\w.-]*[^\W_](?::[0-9]+)?"
)
_JOINER = "\u200d"
_SKIN = range(0x1F3FB, 0x1F400)  # emoji modifiers
_TAGS = range(0xE0020, 0xE0080)  # of flags such as Scotland's
_REGIONAL = range(0x1F1E6, 0x1F200)  # two of them are a flag


def counted(text: str) -> int:
    """Return how many characters a text counts: what a person would call one, each.

    >>> counted("Look: https://www.example.org/a/very/long/path?with=everything.")
    30
    >>> counted("Hi @bob@social.example!"), counted("e\\u0301"), counted("👩‍👩‍👧 👍🏽 🇫🇷")
    (8, 1, 5)
    """
    text = _LINK.sub("x" * LINK_CHARS, text)
    return _characters(_MENTION.sub(r"\1", text))


def _characters(text: str) -> int:
    """Count letters with their accents, and emoji with what they are made of, as one each."""
    if text.isascii():
        return len(text)
    number = 0
    is_joined = False
    is_half_flag = False
    for char in text:
        code = ord(char)
        if char == _JOINER:
            is_joined = True
            continue
        if code in _SKIN or code in _TAGS or unicodedata.category(char) in ("Mn", "Me", "Mc"):
            continue
        if code in _REGIONAL and is_half_flag:
            is_half_flag = False
            continue
        is_half_flag = code in _REGIONAL
        if not is_joined or code < 0x2000:  # a letter after a joiner stays a letter
            number += 1
        is_joined = False
    return number
