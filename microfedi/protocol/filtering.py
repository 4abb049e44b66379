"""The owner's filters: does a text say one of these words? Plain words alone, no patterns.

Texts and words are compared without case, accents, invisible characters and kinds of quotation
marks, so that `Café` is found as `CAFE`. What is looked for is a text within a text: the time it
takes grows with their lengths and with nothing else, whatever stands in them.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

MAX_FILTERS: Final = 100
MAX_PHRASES: Final = 500  # in all filters together: each costs a look at every post of a page
MAX_PHRASE_CHARS: Final = 100
MAX_NAME_CHARS: Final = 60
MAX_TEXT_CHARS: Final = 20_000  # of a text that is looked at; a long article's beginning

# Thai, Lao, Burmese, Khmer, kana and Han write no spaces between words: a word ends anywhere there.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
_MOST_PLACES: Final = 1000  # where a text says a word within others, before we stop looking
# Letters that no decomposition takes apart, and marks that are typed in several ways.
_SAME: Final = {
    "ı": "i",
    "ł": "l",
    "ø": "o",
    "đ": "d",
    "\u2018": "'",
    "\u2019": "'",
    "ʼ": "'",
    "`": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u201e": '"',
    "\u2010": "-",
    "\u2013": "-",
    "\ufe0e": "",  # how an emoji is drawn
    "\ufe0f": "",
}
_FIRST_ACCENT_CLASS: Final = 10  # combining classes below it are vowel signs: another word
_MOST_KNOWN: Final = 0x20000  # code points whose like is remembered; all scripts in daily use


class Place(StrEnum):
    """Where a filter works."""

    HOME = "home"  # and lists
    NOTIFICATIONS = "notifications"
    THREADS = "threads"
    PROFILES = "profiles"


@dataclass(frozen=True, slots=True)
class Filter:
    """Words and phrases that the owner does not want to meet. `until` is None for good.

    `whole_words`: not within longer words. `hides`: as if it were not there; else it stands behind
    the filter's name.
    """

    id: int
    name: str
    phrases: tuple[str, ...]
    places: frozenset[Place]
    whole_words: bool = True
    hides: bool = False
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What filter a post falls under: it is hidden, or shown behind the filter's name."""

    name: str
    hides: bool


class Filters:
    """Filters made ready to be asked. What has expired is not asked, row or no row."""

    def __init__(self, filters: Collection[Filter] = ()) -> None:
        # Those that hide come first: they decide alone.
        self._ready = [(one, _ready(one)) for one in sorted(filters, key=lambda one: not one.hides)]

    def __bool__(self) -> bool:
        return bool(self._ready)

    def at(self, place: Place, now: datetime) -> bool:
        """Return whether any filter works there now."""
        return any(_works(one, place, now) for one, _ in self._ready)

    def hides_at(self, place: Place, now: datetime) -> bool:
        """Return whether any filter that hides works there now."""
        return any(one.hides and _works(one, place, now) for one, _ in self._ready)

    def verdict(self, place: Place, texts: Iterable[str], now: datetime) -> Verdict | None:
        """Return which filter a post falls under that says all these plain texts; None for none.

        >>> spoilers = Filter(1, "Spoilers", ("season 2",), frozenset(Place))
        >>> noon = datetime(2026, 1, 1)
        >>> Filters([spoilers]).verdict(Place.HOME, ["New: SEASÓN\\n2!"], noon)
        Verdict(name='Spoilers', hides=False)
        >>> Filters([spoilers]).verdict(Place.HOME, ["season 21"], noon)
        """
        working = [(one, ready) for one, ready in self._ready if _works(one, place, now)]
        if not working:
            return None
        # What stands in two texts is not one phrase: no phrase has a line end.
        said = "\n".join(folded(text[:MAX_TEXT_CHARS]) for text in texts if text)
        # Hundreds of words are looked for; most of them do not even begin there.
        begun = {said[at : at + 3] for at in range(len(said))}
        for one, phrases in working:
            for words, is_whole in phrases:
                if (words[:3] in begun or len(words) < 3) and _says(said, words, is_whole):
                    return Verdict(one.name, one.hides)
        return None


class _Likes(dict[int, str]):
    """What stands for a character when texts are compared, found once for each."""

    def __missing__(self, code: int) -> str:
        apart = unicodedata.normalize("NFKD", chr(code)).casefold()
        bare = "".join(
            _SAME.get(char, char)
            for char in unicodedata.normalize("NFKD", apart)
            if unicodedata.combining(char) < _FIRST_ACCENT_CLASS
            and unicodedata.category(char) != "Cf"
        )
        like = unicodedata.normalize("NFC", bare)
        if code < _MOST_KNOWN:
            self[code] = like
        return like


_likes: Final = _Likes()


def folded(text: str) -> str:
    """Return a text as it is compared.

    >>> folded("  Crème\\n BRÛLÉE"), folded("STRASSE") == folded("Straße"), folded("かが")
    ('creme brulee', True, 'かが')
    """
    return " ".join(unicodedata.normalize("NFC", text).translate(_likes).split())


def _works(one: Filter, place: Place, now: datetime) -> bool:
    return place in one.places and (one.until is None or one.until > now)


def _ready(one: Filter) -> tuple[tuple[str, bool], ...]:
    """Return the phrases of a filter, folded, with whether they must be whole words."""
    return tuple((words, one.whole_words) for phrase in one.phrases if (words := folded(phrase)))


def _says(text: str, words: str, is_whole: bool) -> bool:
    """Return whether `text` says `words`, if need be where no longer word goes on."""
    at = text.find(words)
    if not is_whole:
        return at >= 0
    for _ in range(_MOST_PLACES):
        if at < 0:
            return False
        end = at + len(words)
        before, after = text[at - 1 : at] if at else "", text[end : end + 1]
        if not (_joins(before) and _joins(text[at])) and not (
            _joins(text[end - 1]) and _joins(after)
        ):
            return True
        at = text.find(words, at + 1)
    return False


def _joins(char: str) -> bool:
    """Return whether a character makes one word with its like beside it."""
    return (
        char.isalnum() or char == "_" or (char != "" and unicodedata.category(char)[0] == "M")
    ) and not _UNSPACED.match(char)
