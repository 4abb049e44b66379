"""How text becomes the words that are searched for: the same way in posts and in questions.

Words are folded (case, accents, widths) and split where scripts split them. Chinese, Japanese, Thai
and their like write without spaces: their runs become pairs of neighbouring characters.
"""

import re
import unicodedata
from collections.abc import Iterator

MAX_WORD_CHARS = 64  # of a word that can be found; longer ones are noise (keys, addresses)

# Accents of alphabets, points of Hebrew, vowel marks of Arabic: people leave them out.
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0640]+")
_FOLDED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
# What is written without spaces: Thai and Lao, Myanmar, Khmer, kana, bopomofo, Han with all its
# later planes. Hangul is not among them: Korean has spaces.
_RUN = (
    "\u0e01-\u0e4e\u0e81-\u0ece\u1000-\u109f\u1780-\u17d3"
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# Signs of Indian scripts are no letters for Python, but parts of words; their full stops are none.
_SIGNS = "\u0900-\u0963\u0966-\u0dff\u200c\u200d"
_PIECE = re.compile(f"([{_RUN}]+)|((?:(?![{_RUN}])(?:[^\\W_]|[{_SIGNS}]))+)")
_ASCII_WORD = re.compile("[a-z0-9]+")


def fold(text: str) -> str:
    """Return `text` without differences that nobody searches for.

    >>> fold("Crème BRÛLÉE, Straße, Ｆｕｌｌ, Ångström, ёж")
    'creme brulee, strasse, full, angstrom, еж'
    """
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", _MARKS.sub("", apart)).casefold().translate(_FOLDED)


def words(text: str) -> list[str]:
    """Return the words of a text that is kept, in their order.

    Of a run of characters each pair is a word, and its last character: so that a single character
    is the beginning of some word wherever it stands.

    >>> words("Low water, 7:30! #Lakes")
    ['low', 'water', '7', '30', 'lakes']
    >>> words("東京都へ")
    ['東京', '京都', '都へ', 'へ']
    """
    folded = fold(text)
    if folded.isascii():
        return [one[:MAX_WORD_CHARS] for one in _ASCII_WORD.findall(folded)]
    return list(_words(folded))


def _words(folded: str) -> Iterator[str]:
    for match in _PIECE.finditer(folded):
        run, word = match.groups()
        if word:
            yield word[:MAX_WORD_CHARS]
        else:
            for index in range(len(run)):
                yield run[index : index + 2]


def pieces(text: str) -> list[tuple[str, ...]]:
    """Return the words of a question: each piece is what stands side by side in a text.

    A run's last character alone is left out, unless the run is one character.

    >>> pieces("low water"), pieces("東京都 2"), pieces("猫")
    ([('low', 'water')], [('東京', '京都'), ('2',)], [('猫',)])
    """
    found: list[tuple[str, ...]] = []
    side_by_side: list[str] = []
    for match in _PIECE.finditer(fold(text)):
        run, word = match.groups()
        if word:
            side_by_side.append(word[:MAX_WORD_CHARS])
            continue
        if side_by_side:
            found.append(tuple(side_by_side))
            side_by_side = []
        found.append(tuple(run[i : i + 2] for i in range(max(1, len(run) - 1))))
    if side_by_side:
        found.append(tuple(side_by_side))
    return found


def is_character(word: str) -> bool:
    """Return whether a word is one character of a script without spaces.

    >>> is_character("猫"), is_character("a"), is_character("東京")
    (True, False, False)
    """
    match = _PIECE.fullmatch(word)
    return len(word) == 1 and match is not None and match.group(1) is not None


def is_kana(word: str) -> bool:
    """Return whether a word is one sign of a Japanese syllable, of which there are few.

    >>> is_kana("か"), is_kana("ー"), is_kana("猫"), is_kana("かな")
    (True, True, False, False)
    """
    return len(word) == 1 and "\u3041" <= word <= "\u30ff"


def has_words(text: str, wanted: str) -> bool:
    """Return whether the words of `wanted` stand in `text` one after another.

    >>> has_words("Low, low water!", "LOW WATER"), has_words("Low and water", "low water")
    (True, False)
    >>> has_words("東京都へ行く", "京都"), has_words("東京と京", "東京都")
    (True, False)
    """
    return joined(wanted) in joined(text)


def joined(text: str) -> str:
    """Return words between single spaces; a run is spelled out, character by character.

    >>> joined("Low, LOW water!"), joined("東京 2")
    (' low low water ', ' 東 京 2 ')
    """
    parts = []
    for match in _PIECE.finditer(fold(text)):
        run, word = match.groups()
        parts.append(word[:MAX_WORD_CHARS] if word else " ".join(run))
    return f" {' '.join(parts)} "
