"""Who could be taken for whom: by the letters of a handle or a name, or by the picture.

Pure comparison of what people are called with whom somebody knows already. It finds and points out;
it judges nobody. What is compared are skeletons: texts in which everything that looks the same is
the same.

Source: Unicode Technical Standard 39, section 4.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from microfedi.protocol import confusables

# Characters. In shorter words one other letter makes another name: Ann and Ian, Jan and Jon.
MIN_NEAR_CHARS = 6
MIN_NAME_CHARS = 3
# Of a name that two people do not have by chance: first name and family name.
MIN_FULL_NAME_CHARS = 8
MIN_HOST_CHARS = 8
MAX_COMPARED = 50  # of those who share a word: hundreds of numbered accounts are no likeness
MAX_CHARS = 100  # of a name or a handle that are looked at

# Bits of 64 in which two pictures differ that look the same: scaled and compressed they differ in
# 0 to 3; with the same name beside it, a new crop or colour counts too.
SAME_PICTURE_BITS = 3
LIKE_PICTURE_BITS = 8
# A picture of so few changes between light and dark is a letter on a ground, or a ground alone.
MIN_PICTURE_BITS = 10

Part = Literal["handle", "server", "name", "picture"]
How = Literal["letters", "near", "same"]

_SEPARATORS = re.compile(r"[\s._\-]+")


@dataclass(frozen=True, slots=True)
class Person:
    """What somebody looks like. `picture` are 64 bits (see `imagework`), None if there is none.

    `aliases` are the ids of other accounts that this one says are theirs.
    """

    id: int
    uri: str
    username: str
    host: str
    name: str
    picture: int | None = None
    aliases: frozenset[str] = frozenset()

    @property
    def address(self) -> str:
        return f"@{self.username}@{self.host}"


@dataclass(frozen=True, slots=True)
class Reason:
    """In what two people are alike: `letters` that look alike, `near` by one letter, or the same.

    `here` and `there` are what is compared, each as (before, difference, behind).
    """

    part: Part
    how: How
    here: tuple[str, str, str] = ("", "", "")
    there: tuple[str, str, str] = ("", "", "")


@dataclass(frozen=True, slots=True)
class Resemblance:
    """Whom somebody resembles, and in what; the strongest reason first."""

    known: Person
    reasons: tuple[Reason, ...]


class Familiar:
    """The people somebody knows, prepared so that a stranger is compared in microseconds."""

    def __init__(self, people: Iterable[Person]) -> None:
        self._people = {one.id: one for one in people}
        self._by_word: defaultdict[str, set[int]] = defaultdict(set)
        counted = Counter(one.picture for one in self._people.values() if one.picture is not None)
        # What several of them have is the picture that their servers give to newcomers.
        self._pictures = {
            one.id: one.picture
            for one in self._people.values()
            if one.picture is not None and counted[one.picture] == 1
        }
        for one in self._people.values():
            for word in _words(one):
                self._by_word[word].add(one.id)

    def __len__(self) -> int:
        return len(self._people)

    def __contains__(self, person_id: int) -> bool:
        return person_id in self._people

    def resembled_by(self, stranger: Person) -> Resemblance | None:
        """Return whom `stranger` could be taken for; None for whoever is known, or like nobody."""
        if stranger.id in self._people:
            return None
        ids: set[int] = set()
        for word in _words(stranger):
            ids |= self._by_word.get(word, _NOBODY)
        if stranger.picture is not None and _says_something(stranger.picture):
            ids |= {
                known
                for known, picture in self._pictures.items()
                if (picture ^ stranger.picture).bit_count() <= SAME_PICTURE_BITS
            }
        best: Resemblance | None = None
        for one in sorted(ids)[:MAX_COMPARED]:
            known = self._people[one]
            if one not in self._pictures and known.picture is not None:
                known = Person(known.id, known.uri, known.username, known.host, known.name,
                               None, known.aliases)  # fmt: skip
            reasons = compared(stranger, known)
            if reasons and (best is None or _weight(reasons) > _weight(best.reasons)):
                best = Resemblance(known, reasons)
        return best


_NOBODY: frozenset[int] = frozenset()


def compared(stranger: Person, known: Person) -> tuple[Reason, ...]:
    """Return in what `stranger` could be taken for `known`, nothing if they could not.

    >>> rn = Person(1, "", "rnaya", "a.example", "")
    >>> compared(rn, Person(2, "", "maya", "a.example", "Maya"))[0].here
    ('@', 'rn', 'aya@a.example')
    """
    if stranger.id == known.id or (stranger.uri and stranger.uri in known.aliases):
        return ()
    is_same_user = stranger.username.casefold() == known.username.casefold()
    host, known_host = _host(stranger.host), _host(known.host)
    if is_same_user and host == known_host:
        return ()
    has_user = is_same_user or bool(skeletons(stranger.username) & skeletons(known.username))
    has_host = host == known_host
    has_host_alike = has_host or _hosts_alike(host, known_host)
    names = _names(stranger, known)
    is_picture_like = _pictures(stranger, known, LIKE_PICTURE_BITS)
    reasons: list[Reason] = []
    if has_user and has_host_alike:
        part: Part = "handle" if has_host else "server"
        reasons.append(Reason(part, "letters", *marked(stranger.address, known.address)))
    elif (
        has_host_alike
        and _near(stranger.username, known.username)
        and (names is not None or not stranger.name or not known.name or is_picture_like)
    ):
        reasons.append(Reason("handle", "near", *marked(stranger.address, known.address)))
    if names == "letters":
        reasons.append(Reason("name", "letters", *marked(stranger.name, known.name)))
    elif names == "same" and (
        reasons
        or has_user
        or is_picture_like
        or _near(stranger.username, known.username)
        or _is_part(stranger.username, known.username)
        or _is_full(known.name)
    ):
        reasons.append(Reason("name", "same"))
    if (is_picture_like and (reasons or has_user)) or _pictures(stranger, known, SAME_PICTURE_BITS):
        reasons.append(Reason("picture", "same"))
    return tuple(reasons)


@lru_cache(maxsize=16_384)
def skeletons(text: str) -> frozenset[str]:
    """Return what a text looks like: read as small letters, and as it is written.

    Two texts look alike if they have one of these in common. The second is there because a capital
    I looks like a small L, but a small i does not.

    >>> bool(skeletons("Alice") & skeletons("AIice")), bool(skeletons("Alice") & skeletons("ALICE"))
    (True, True)
    >>> bool(skeletons("paypal") & skeletons("\\u0440\\u0430ypal"))
    True
    """
    if not text:
        return frozenset()
    plain = unicodedata.normalize("NFKC", text[:MAX_CHARS])
    small = _skeleton(plain.casefold())
    written = _skeleton(_skeleton(plain).casefold())
    return frozenset((small, written))


def _skeleton(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    looks = unicodedata.normalize("NFD", decomposed.translate(confusables.table()))
    return _SEPARATORS.sub(" ", looks.casefold()).strip()


def distance(one: str, other: str, most: int) -> int:
    """Return how many letters are to be changed, added, left out or swapped; `most` + 1 for more.

    >>> distance("maya", "mya", 1), distance("maya", "amya", 1), distance("maya", "ann", 1)
    (1, 1, 2)
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        line = [row]
        for column, their in enumerate(other, start=1):
            cost = letter != their
            best = min(last[column] + 1, line[column - 1] + 1, last[column - 1] + cost)
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == their:
                best = min(best, before[column - 2] + 1)
            line.append(best)
        if min(line) > most:
            return most + 1
        before, last = last, line
    return min(last[-1], most + 1)


def marked(here: str, there: str) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """Return two texts as what is before their difference, the difference, and what is behind.

    >>> marked("@rnaya", "@maya")
    (('@', 'rn', 'aya'), ('@', 'm', 'aya'))
    """
    shorter = min(len(here), len(there))
    start = 0
    while start < shorter and here[start] == there[start]:
        start += 1
    end = 0
    while end < shorter - start and here[-1 - end] == there[-1 - end]:
        end += 1

    def parts(text: str) -> tuple[str, str, str]:
        return text[:start], text[start : len(text) - end], text[len(text) - end :]

    return parts(here), parts(there)


def _words(person: Person) -> Iterator[str]:
    """Yield under what somebody is looked up: skeletons, and those with one letter left out."""
    for skeleton in skeletons(person.username):
        yield f"@{skeleton}"
        if len(skeleton) >= MIN_NEAR_CHARS - 1:
            for position in range(len(skeleton)):
                yield f"@{skeleton[:position]}{skeleton[position + 1 :]}"
    if len(person.name) >= MIN_NAME_CHARS:
        yield from skeletons(person.name)


def _names(stranger: Person, known: Person) -> Literal["letters", "same"] | None:
    one, other = stranger.name[:MAX_CHARS], known.name[:MAX_CHARS]
    if min(len(one), len(other)) < MIN_NAME_CHARS:
        return None
    if _plain(one) == _plain(other):
        return "same"
    return "letters" if skeletons(one) & skeletons(other) else None


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return _SEPARATORS.sub(" ", folded).strip()


def _near(one: str, other: str) -> bool:
    """True if one letter is the difference; not if it is the number of an account."""
    if min(len(one), len(other)) < MIN_NEAR_CHARS:
        return False
    here, there = one.casefold(), other.casefold()
    if distance(here, there, 1) > 1:
        return False
    (_, mine, _), (_, theirs, _) = marked(here, there)
    return not (mine + theirs).isdigit()


def _is_part(one: str, other: str) -> bool:
    """True if a handle is another one with something before or behind it."""
    here, there = (_SEPARATORS.sub("", text.casefold()) for text in (one, other))
    shorter, longer = sorted((here, there), key=len)
    return len(shorter) >= MIN_NEAR_CHARS - 1 and shorter in longer


def _is_full(name: str) -> bool:
    return len(name) >= MIN_FULL_NAME_CHARS and len(name.split()) > 1


@lru_cache(maxsize=4096)
def _host(host: str) -> str:
    """Return a host as people read it."""
    try:
        return host.encode("ascii").decode("idna").casefold()
    except UnicodeError:
        return host.casefold()


def _hosts_alike(one: str, other: str) -> bool:
    """True for hosts that look alike, or differ in one letter before the last dot, and for one that
    begins with the whole name of the other.
    """
    if skeletons(one) & skeletons(other) or one.startswith(f"{other}."):
        return True
    (here, _, end), (there, _, known_end) = one.rpartition("."), other.rpartition(".")
    if end != known_end or min(len(one), len(other)) < MIN_HOST_CHARS:
        return False
    if min(len(here), len(there)) < MIN_NEAR_CHARS or distance(here, there, 1) > 1:
        return False
    (_, mine, _), (_, theirs, _) = marked(here, there)
    return not (mine + theirs).isdigit()


def _says_something(picture: int) -> bool:
    return MIN_PICTURE_BITS <= picture.bit_count() <= 64 - MIN_PICTURE_BITS


def _pictures(one: Person, other: Person, most: int) -> bool:
    if one.picture is None or other.picture is None:
        return False
    if not (_says_something(one.picture) and _says_something(other.picture)):
        return False
    return (one.picture ^ other.picture).bit_count() <= most


_WEIGHTS = {"handle": 4, "server": 4, "name": 2, "picture": 3}


def _weight(reasons: tuple[Reason, ...]) -> int:
    return sum(_WEIGHTS[one.part] + (one.how == "letters") for one in reasons)
