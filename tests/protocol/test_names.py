"""Names stand beside addresses and must not play one."""

import pytest

from microfedi.protocol import names


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Maya Lind", "Maya Lind"),
        ("O'Brien & Söhne (she/her) #1 ★ 100%", "O'Brien & Söhne (she/her) #1 ★ 100%"),
        ("Иван Петров", "Иван Петров"),
        ("שלום עליכם", "שלום עליכם"),
        ("نیم‌فاصله", "نیم‌فاصله"),  # a joiner that belongs there
        ("क्‍ष", "क्‍ष"),
        ("👩‍👩‍👧 family", "👩‍👩‍👧 family"),
        ("❤️ ann", "❤️ ann"),
        ("J K \U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",) * 2,
        ("Ann\U000e0067\U000e0062", "Ann"),  # letters that nobody sees
        ("Ann :blobcat: :heart_flag:", "Ann :blobcat: :heart_flag:"),
        ("12:30 news", "12:30 news"),
        # What says that somebody checked them.
        ("Maya ✔️", "Maya"),
        ("Maya ✓✅☑ 🛡️", "Maya"),
        ("Maya :verified:", "Maya"),
        ("Maya :Verified_Gold: :blue_check: :checkmark:", "Maya"),
        ("Maya (verified) [Official]", "Maya"),
        ("✔️", "mallory"),
        (":verified:", "mallory"),
        # What is an address.
        ("@maya@us.example", "mallory"),
        ("maya@us.example", "mallory"),
        ("\uff20maya\uff20us.example", "mallory"),
        ("@maya", "maya"),
        ("Maya @maya@us.example", "Maya"),
        ("https://us.example/@maya", "us.example/maya"),
        ("acct:maya@us.example", "mallory"),
        # What turns, hides or stacks.
        ("evil\u202egpj", "evilgpj"),
        ("\u2067Maya\u2069", "Maya"),
        ("Ma\u200bya\u2060\ufeff", "Maya"),
        ("M\u00ada\u034fya", "Maya"),
        ("Ma\u200dya", "Maya"),
        ("a" + "\u0301" * 40, "a" + "\u0301" * 3),
        ("\u0301\u0301Maya", "Maya"),
        ("\u3164", "mallory"),
        ("\u2800\u2800", "mallory"),
        ("\U000e0041\U000e0042", "mallory"),
        ("", "mallory"),
        ("   ", "mallory"),
    ],
)
def test_what_a_name_looks_like(name: str, expected: str) -> None:
    assert names.shown(name, "mallory") == expected


def test_a_name_that_is_shown_once_is_shown_the_same_again() -> None:
    for name in (
        "Maya ✔️ @maya@us.example",
        "@@maya",
        ":veri:verified:fied:",
        "(ver(verified)ified)",
    ):
        once = names.shown(name, "mallory")
        assert names.shown(once, "mallory") == once, name


def test_long_and_odd_names_take_no_time() -> None:
    for name in ("@" * 500, "a@" * 250, ":" * 500, ":verified" * 60, "x" * 500, "\u200d😀" * 250,
                 "a.b" * 160 + "@", "((((" * 100):  # fmt: skip
        assert names.shown(name, "mallory")
