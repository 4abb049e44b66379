"""Passwords that guessing programs try first, although they are long enough.

Published lists hold millions of passwords, but nearly all are shorter than our minimum, and the
long ones are nearly all made the same few ways: a word twice, a run along the alphabet or the
keyboard, one or two favourite words with a number or a year behind. So we ship the ways instead of
the list, plus the well-known exceptions. It is meant to stop the obvious, not to judge: a phrase of
four words passes, whatever they are.
"""

import re
import string
from collections.abc import Iterable

MIN_DISTINCT = 5  # different characters; "aaaa1111aaaa" has two
MAX_FAVOURITES = 3  # favourite words in a row that do not yet make a phrase
MAX_YEAR_CHARS = 4  # digits together that are no more than one guess
MIN_REST_CHARS = 6  # characters beside favourite words that make it somebody's own

_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
    "a1b2c3d4e5f6g7h8i9j0",
    "aabbccddeeffgghhiijj",
    "00112233445566778899",
    "!@#$%^&*()_+",
)
_MIN_RUN = 3  # characters along a row that count as a run

_LOOKS_LIKE = str.maketrans("@4831!057$€", "aabeiiostse")
_DECORATION = string.digits + string.punctuation + " "
_REST = re.compile(r"\d+|([\W_])\1*")

_FAVOURITES = frozenset(
    """
    password passwort passwd pass motdepasse contrasena senha parola haslo wachtwoord kennwort
    welcome willkommen bienvenue bienvenido hello hallo letmein let me in open sesame iloveyou love
    loveyou you my mine the is not this that and
    admin administrator root user guest test testing tester demo default system server master owner
    login logon signin account access secret secure security private change changeme changeit temp
    temporary qwerty qwertz azerty asdf zxcv abc abcd monkey dragon tiger lion eagle shadow super
    superman batman spiderman ironman starwars pokemon naruto matrix football soccer baseball
    basketball hockey liverpool arsenal chelsea barcelona realmadrid juventus bayern
    princess queen king prince angel baby babygirl sweetheart darling lovely beautiful sunshine
    flower butterfly chocolate cookie cheese banana orange apple cherry summer winter spring autumn
    january february march april may june july august september october november december monday
    tuesday wednesday thursday friday saturday sunday michael jennifer jessica ashley daniel thomas
    jordan charlie robert william anthony nicole michelle samantha jasmine amanda andrew joshua
    matthew george hunter jesus christ god blessed faith family friends mother father mummy daddy
    computer internet google facebook twitter instagram youtube microsoft windows samsung linux
    ubuntu mastodon fediverse microfedi activitypub whatever trustno one blink fuckyou fuck shit
    asshole bitch killer hacker ninja pirate freedom forever happy lucky money dollar music guitar
    metallica nirvana eminem london paris berlin america england germany france india china happy
    birthday year new old number
    """.split()  # noqa: SIM905 - a page of quotes and commas would not be read
)

# Well known and made otherwise.
_EXCEPTIONS = frozenset(
    """
    correcthorsebatterystaple correcthorsebattery thequickbrownfox thequickbrownfoxjumps
    thequickbrownfoxjumpsoverthelazydog loremipsumdolorsitamet maytheforcebewithyou tobeornottobe
    supercalifragilisticexpialidocious neverwouldhaveguessed iamnotarobot openthedoor
    thisisapassword mypasswordissecret nopasswordneeded ilovemyfamily ilovemyself imissyousomuch
    fuckyoubitch onceuponatime helloworldhello goodmorning heavenlyfather jesusislord jesuslovesme
    jesuschrist lordjesuschrist godisgood godislove manchesterunited manutdforever
    """.split()  # noqa: SIM905 - a page of quotes and commas would not be read
)


def is_weak(password: str, *, own_words: Iterable[str] = ()) -> bool:
    """True if a guessing program would have this within minutes.

    `own_words` are what anybody can know of this owner: handle, host.

    >>> [is_weak(one) for one in ("passwordpassword", "qwertyuiop123", "Summer-2026!!")]
    [True, True, True]
    >>> is_weak("the gull ate my third sandwich"), is_weak("kR7#vw0pLq2x")
    (False, False)
    """
    folded = password.casefold()
    if len(set(folded)) < MIN_DISTINCT or _is_repetition(folded) or _is_runs(folded):
        return True
    favourites = _FAVOURITES | {word for own in own_words for word in _words_of(own)}
    # As it stands; with signs read as the letters they look like; and the same without what is
    # before and behind, where digits are mostly digits.
    before, core, behind = _core(folded)
    decoration = _rest(before) + _rest(behind)
    readings = {
        (folded, 0),
        (folded.translate(_LOOKS_LIKE), 0),
        (core.translate(_LOOKS_LIKE), decoration),
    }
    return any(
        _letters(text) in _EXCEPTIONS or _is_favourites(text, favourites, extra)
        for text, extra in readings
    )


def _core(text: str) -> tuple[str, str, str]:
    """Return the digits and signs before, what is between, and the digits and signs behind."""
    rest = text.lstrip(_DECORATION)
    core = rest.rstrip(_DECORATION)
    return text[: len(text) - len(rest)], core, rest[len(core) :]


def _letters(text: str) -> str:
    return "".join(char for char in text if char.isalpha())


def _rest(text: str) -> int:
    """Return how much of a password its digits and signs are worth, in characters.

    A year, a row of digits or a sign that is repeated counts as one.
    """
    return sum(
        1 if len(piece) <= MAX_YEAR_CHARS or _run_at(piece, 0) == len(piece) else len(piece)
        for piece in (match[0] for match in _REST.finditer(text))
    )


def _words_of(own: str) -> set[str]:
    parts = re.split(r"[^\w]+|_", own.casefold())
    return {_letters(own.casefold()), *(_letters(part) for part in parts)} - {""}


def _is_repetition(text: str) -> bool:
    """True for something said two or more times: the text is found inside itself, shifted."""
    return text in (text + text)[1:-1]


def _is_runs(text: str) -> bool:
    """True if hardly anything is left besides runs along the alphabet or the keyboard."""
    left = 0
    start = 0
    while start < len(text):
        length = _run_at(text, start)
        if length < _MIN_RUN:
            left += 1
            length = 1
        start += length
    return left < MIN_REST_CHARS - 2


def _run_at(text: str, start: int) -> int:
    """Return how many characters from `start` on lie along one row, or are all the same."""
    longest = 1
    while start + longest < len(text) and text[start + longest] == text[start]:
        longest += 1
    for row in _ROWS:
        for way in (row, row[::-1]):
            length = _MIN_RUN
            while start + length <= len(text) and text[start : start + length] in way:
                longest = max(longest, length)
                length += 1
    return longest


def _is_favourites(text: str, favourites: frozenset[str], extra: int) -> bool:
    """True if the text is one to three favourite words, and next to nothing else.

    `least[n]` is the smallest number of letters left over, at each place, with n words.
    """
    letters = _letters(text)
    longest = max(map(len, favourites))
    least: list[list[int]] = [[0] + [len(letters)] * MAX_FAVOURITES]
    for end in range(1, len(letters) + 1):
        here = [left + 1 for left in least[end - 1]]
        for start in range(max(0, end - longest), end):
            if letters[start:end] in favourites:
                for words in range(MAX_FAVOURITES):
                    here[words + 1] = min(here[words + 1], least[start][words])
        least.append(here)
    return min(least[-1][1:]) + _rest(text) + extra < MIN_REST_CHARS
