"""What a reaction may be: one emoji, and never a word, which would stand under the owner's post."""

import re

MAX_CHARS = 64  # of one emoji: flags of regions and couples with skin have some 15

# The blocks that emoji are in, and the few outside of them; letters in circles stay letters.
_PICTURE = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001f0ff\U0001f170-\U0001f19a"
    "\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
)
_STYLED = f"{_PICTURE}[\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?\ufe0f?[\U000e0020-\U000e007f]*+"
_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"
_KEY = "[0-9#*]\ufe0f?\u20e3"
_EMOJI = re.compile(f"(?:{_STYLED}(?:\u200d{_STYLED})*+|{_FLAG}|{_KEY})")


def is_emoji(text: str) -> bool:
    """Return whether a text is one emoji, with all its joiners.

    Source: Unicode Technical Standard 51, 1.4.9.

    >>> [is_emoji(one) for one in "🔥 ❤️ 🇫🇷 3️⃣ 👩🏽‍🚀 🏴󠁧󠁢󠁳󠁣󠁴󠁿".split()]
    [True, True, True, True, True, True]
    >>> is_emoji("buy"), is_emoji("🔥🔥"), is_emoji("")
    (False, False, False)
    """
    return len(text) <= MAX_CHARS and _EMOJI.fullmatch(text) is not None
