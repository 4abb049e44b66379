"""What a name may look like on a page: it stands beside an address and must not play one.

Names are shown as people chose them, but for what says something that is not for them to say: that
somebody checked them, that they are called something else, or which way the page is read.
"""

import re
import unicodedata
from functools import lru_cache

MAX_ROUNDS = 5
MAX_MARKS = 3  # accents on one letter of a name; what stands taller covers the lines around it

# Direction, invisible characters, variation of emoji, and letters that are drawn as nothing.
# The flags of England, Scotland and others are spelled with such letters behind a black flag.
_UNSEEN = re.compile(
    "(\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f)|"
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffc\U000e0000-\U000e007f]"
)
# Marks that servers and sites use for "this is really them": ticks, seals, shields.
_BADGES = re.compile(
    "[\u00ae\u2122\u221a\u237b\u2611\u2705\u2713\u2714\u26e8"
    "\U0001f396\U0001f3c5\U0001f530\U0001f5f8\U0001f5f9\U0001f6e1]\ufe0f?"
)
_BADGE_EMOJI = re.compile(
    r":[a-z0-9_]*(?:verif|verify|check_?mark|blue_?check|bluetick|badge|official|trusted|twitter_?v)"
    r"[a-z0-9_]*:|:(?:check|tick|admin|mod|staff|root)[0-9_]*:",
    re.IGNORECASE,
)
# Joiners hold emoji and some scripts together; elsewhere, and in a row, they only hide.
_JOINERS = re.compile("[\u200c\u200d\ufe00-\ufe0f]")
_HANDLE = re.compile(
    r"[@\uff20\ufe6b]?[\w.+-]+[@\uff20\ufe6b][\w-]+(?:[.\u3002\uff0e\u2024][\w-]+)+", re.UNICODE
)
_AT = re.compile(r"(?:(?<=\s)|^)[@\uff20\ufe6b]+(?=\w)")
_SCHEME = re.compile(r"\b(?:https?|acct|web\+ap|mailto):(?://)?", re.IGNORECASE)
_HAS_SAID = re.compile(
    r"[(\[{<]\s*(?:verified|official|verifiziert|offiziell|echt)\s*[)\]}>]", re.IGNORECASE
)


@lru_cache(maxsize=4096)
def shown(name: str, username: str) -> str:
    """Return a name as it may stand on a page: `username` if nothing is left of it.

    >>> shown("Ann \\u2714\\ufe0f", "ann"), shown("Ann :verified:", "ann"), shown("\\u2714", "ann")
    ('Ann', 'Ann', 'ann')
    >>> shown("@owner@us.example", "mallory"), shown("https://us.example/@owner", "mallory")
    ('mallory', 'us.example/owner')
    """
    if name.isascii() and name.isalnum():
        return name
    plain = name
    for _ in range(MAX_ROUNDS):  # what is taken out may leave the next one behind
        before, plain = plain, _once(plain)
        if plain == before:
            break
    else:
        return username
    return plain if any(_is_seen(letter) for letter in plain) else username


def _once(name: str) -> str:
    seen = _HAS_SAID.sub(
        "", _BADGE_EMOJI.sub("", _BADGES.sub("", _UNSEEN.sub(lambda found: found[1] or "", name)))
    )
    return " ".join(_without_handles(_thinned(_joined(seen))).split())


def _joined(name: str) -> str:
    """Take out joiners and variations that stand between nothing that they could join."""
    if not _JOINERS.search(name):
        return name
    kept: list[str] = []
    for position, letter in enumerate(name):
        if _JOINERS.match(letter):
            before = kept[-1] if kept else ""
            after = name[position + 1 : position + 2]
            if not before or before.isspace() or before.isascii() or _JOINERS.match(before):
                continue
            if letter == "\u200d" and (not after or after.isascii()):
                continue
        kept.append(letter)
    return "".join(kept)


def _thinned(name: str) -> str:
    """Leave at most MAX_MARKS marks on a letter, and none in front of the first."""
    if name.isascii():
        return name
    kept: list[str] = []
    marks = 0
    for letter in name:
        if unicodedata.combining(letter) or unicodedata.category(letter) == "Me":
            marks += 1
            if marks > MAX_MARKS or not kept:
                continue
        else:
            marks = 0
        kept.append(letter)
    return "".join(kept)


def _without_handles(name: str) -> str:
    """Take away what makes a name look like an address of somebody, here or elsewhere."""
    if not any(sign in name for sign in "@\uff20\ufe6b:"):
        return name
    bare = _SCHEME.sub("", name)
    bare = _AT.sub("", _HANDLE.sub("", bare))
    return re.sub(r"(?<=/)[@\uff20\ufe6b]+", "", bare)


def _is_seen(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LNPS"
