"""Colours can be read, whichever the owner chose: the tokens of static/app.css, counted."""

import itertools
import re
from pathlib import Path
from typing import Final

import pytest

from microfedi.storage.looks import Accent

CSS: Final = (Path(__file__).resolve().parent.parent / "static" / "app.css").read_text("utf-8")
GROUNDS: Final = ("paper", "ground", "raised", "sunken")
AA: Final = 4.5  # WCAG 2.2, 1.4.3
AAA: Final = 7.0  # 1.4.6: what high contrast is for

_TOKEN = re.compile(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")

Tokens = dict[str, tuple[str, str]]


def tokens(selector: str) -> Tokens:
    """The colours that a rule sets: in the light, and in the dark."""
    start = CSS.index(f"{selector} {{") + len(selector)
    rule = CSS[start : CSS.index("}", start)]
    return {name: (light, dark) for name, light, dark in _TOKEN.findall(rule)}


def contrast(one: str, other: str) -> float:
    """WCAG 2.2: relative luminance and contrast ratio."""

    def light(colour: str) -> float:
        parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def pairs() -> list[tuple[str, str]]:
    """Which word stands on which ground."""
    words = ("ink", "ink-soft", "accent", "message", "good", "warn", "bad")
    return [
        *itertools.product(("ink", "ink-soft", "accent"), (*GROUNDS, "accent-soft")),
        *itertools.product(words, ("paper", "ground", "raised")),
        *(("ink", "message-soft"), ("ink-soft", "message-soft"), ("message", "message-soft")),
        *(("warn", "warn-soft"), ("bad", "bad-soft"), ("good", "accent-soft")),
        *(("accent-ink", "accent"), ("message-ink", "message")),
    ]


THEMES: Final[dict[str, Tokens]] = {
    accent or "blue": tokens(":root") | (tokens(f':root[data-accent="{accent}"]') if accent else {})
    for accent in Accent
}


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_accent_can_be_read_on_every_ground(name: str, scheme: str) -> None:
    theme, at = THEMES[name], ("light", "dark").index(scheme)

    pale = {
        pair: round(ratio, 2)
        for pair in pairs()
        if (ratio := contrast(theme[pair[0]][at], theme[pair[1]][at])) < AA
    }

    assert pale == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_high_contrast_is_high(scheme: str) -> None:
    theme, at = tokens(':root[data-theme="contrast"]'), ("light", "dark").index(scheme)

    pale = {
        pair: round(ratio, 2)
        for pair in pairs()
        if (ratio := contrast(theme[pair[0]][at], theme[pair[1]][at])) < AAA
    }

    assert pale == {}


def test_what_the_system_asks_for_is_the_same_high_contrast() -> None:
    chosen = tokens(':root[data-theme="contrast"]')

    assert tokens(':root:not([data-theme="light"], [data-theme="dark"])') == chosen


def test_sides_are_those_of_the_text() -> None:
    """Margins, paddings and borders: where one reads from right to left, they change sides."""
    found = re.findall(
        r"\b(?:(?:margin|padding|border)-(?:left|right)|text-align: (?:left|right)|float: left)\b",
        CSS,
    )
    found += re.findall(r"(?<![-\w])(?:left|right): ", CSS)

    assert found == []


def test_nothing_is_loaded_from_elsewhere() -> None:
    assert re.findall(r"url\(|@import|@font-face", CSS) == []
