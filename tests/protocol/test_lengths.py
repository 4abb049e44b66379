"""How long a text counts; the script in the composer must say the same."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from microfedi.protocol.lengths import counted

CASES = [
    ("", 0),
    ("Hello", 5),
    ("https://a.example", 23),
    ("https://example.org/" + "x" * 500, 23),
    ("See https://example.org/a. Bye", 32),
    ("(https://example.org/a)", 25),
    ("https://example.org/a_(b)", 24),
    ("xhttps://example.org/a", 22),
    ("http://x", 23),
    ("https://", 8),
    ("ftp://example.org/a/long/path/to/see", 36),
    ("@bob@social.example", 4),
    ("@bob@social.example, hi", 8),
    ("@bob", 4),
    ("mail bob@social.example", 23),
    ("@bob@social.example:8080 x", 6),
    ("https://social.example/@bob@other.example", 23),
    ("@b.o_b@münchen.example", 6),
    ("naïve", 5),
    ("nai\u0308ve", 5),
    ("👍🏽", 1),
    ("👩‍👩‍👧‍👦!", 2),
    ("🇫🇷🇩🇪", 2),
    ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", 1),
    ("❤️", 1),
    ("नमस्ते", 4),
    ("日本語", 3),
    ("a\nb\n", 4),
    ("z" + "\u0300" * 50, 1),
    ("שלום https://example.org/שלום x", 30),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_a_text_counts_as_a_person_would(text: str, expected: int) -> None:
    assert counted(text) == expected


def test_the_script_counts_alike() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("NOT TESTED against the script: there is no node")
    script = (Path(__file__).parents[2] / "static" / "compose.js").read_text()
    part = script[script.index("const LINK =") : script.index("const compose =")]
    program = (
        f"{part}\nconsole.log(JSON.stringify({json.dumps([t for t, _ in CASES])}.map(counted)))"
    )

    said = subprocess.run([node, "-e", program], capture_output=True, check=True, timeout=60).stdout

    assert json.loads(said) == [expected for _, expected in CASES]


def test_counting_takes_no_time() -> None:
    for piece in ("@a@", "https://", "http://a", "@a@b.", "é", "a.", "://", "@"):
        counted(piece * 5000)
