"""Words that filters look for: what is the same word, and where one ends."""

from datetime import UTC, datetime, timedelta

import pytest

from microfedi.protocol import filtering
from microfedi.protocol.filtering import Filter, Filters, Place, Verdict

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def catches(phrase: str, text: str, *, whole: bool = True) -> bool:
    one = Filter(1, "F", (phrase,), frozenset(Place), whole_words=whole)
    return Filters([one]).verdict(Place.HOME, [text], NOON) is not None


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("cat", "A CAT."),
        ("cat", "(cat)"),
        ("cat", "the cat's tail"),
        ("café", "CAFE"),
        ("cafe", "cafe\u0301"),
        ("strasse", "Hauptstr. ist keine Straße"),
        ("İstanbul", "istanbul"),
        ("łódź", "LODZ"),
        ("naïve", "na\u00efve"),
        ("it’s on", "It's on"),
        ("e-mail", "E\u2011Mail"),
        ("season 2", "season\u00a02"),
        ("#cats", "see #Cats!"),
        ("c++", "I like C++."),
        ("🏉", "today 🏉🏉"),
        ("❤️", "I ❤ you"),
        ("猫", "吾輩は猫である"),
        ("แมว", "ฉันมีแมวสองตัว"),
        ("高い", "とても高いです"),
        ("한국", "한국 음식"),
        ("привет", "ПРИВЕТ, мир"),
        ("किताब", "एक किताब है"),
        ("cat", "concat, cat"),
        ("a.b*", "really a.b* yes"),
        ("cat", "soft\u00adcat cat"),
        ("catalogue", "cata\u200blogue"),
    ],
)
def test_it_is_the_same_word(phrase: str, text: str) -> None:
    assert catches(phrase, text)


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("cat", "catalogue"),
        ("cat", "concat"),
        ("cat", "cat_food"),
        ("cat", "cat2"),
        ("séance", "seances"),
        ("한", "한국"),
        ("か", "が"),
        ("a.c", "abc"),
        (".*", "anything"),
        ("кот", "который"),
        ("कित", "किताब"),
        ("#cats", "#catsofmastodon"),
    ],
)
def test_it_is_another_word(phrase: str, text: str) -> None:
    assert not catches(phrase, text)


def test_parts_of_words_if_that_is_wanted() -> None:
    assert catches("cat", "catalogue", whole=False)
    assert not catches("cat", "dog", whole=False)


def test_a_filter_works_in_its_places_until_its_time() -> None:
    one = Filter(1, "F", ("x",), frozenset({Place.HOME}), until=NOON)
    assert Filters([one]).verdict(Place.HOME, ["x"], NOON - timedelta(seconds=1))
    assert Filters([one]).verdict(Place.HOME, ["x"], NOON) is None
    assert Filters([one]).verdict(Place.THREADS, ["x"], NOON - timedelta(days=1)) is None
    assert not Filters([one]).at(Place.HOME, NOON)


def test_hiding_counts_more_than_warning() -> None:
    warns = Filter(1, "A", ("x",), frozenset(Place))
    hides = Filter(2, "B", ("x",), frozenset(Place), hides=True)
    assert Filters([warns, hides]).verdict(Place.HOME, ["x"], NOON) == Verdict("B", True)
    assert not Filters()
    assert Filters().verdict(Place.HOME, ["x"], NOON) is None


@pytest.mark.parametrize(
    "text",
    [
        "a" * 1_000_000,
        "a " * 500_000,
        "é" * 100_000,
        "\u200b" * 100_000,
        "ﷺ" * 50_000,
        "a\u0301" * 9,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    """Nothing is measured here: it would not end if time grew with the square of the length."""
    phrases = tuple("a" * (count + 1) + "b" for count in range(90))
    many = [Filter(n, "F", phrases, frozenset(Place)) for n in range(5)]
    assert Filters(many).verdict(Place.HOME, [text], NOON) is None
    assert len(filtering.folded(text[: filtering.MAX_TEXT_CHARS])) <= 20 * filtering.MAX_TEXT_CHARS
