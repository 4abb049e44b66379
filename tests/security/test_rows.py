"""Every attack that we know of by a number has a test that carries it."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
# The numbers of the attacks, from signatures to exhaustion. Those between were found to be others.
ROWS = """
    001 002 003 004 006 008 009 011 013 014 015 019 020 022 023 025 026 027 029 030 031 032 034 036
    037 039 041 044 046 048 050 051 053 054 055 056 058 059 060 062 064 066 067 068 069 070 071 072
    074 076 077 079 080 082 083 085 086 089 090 091 093 094 095 097 099 100 101 102 104 105 106 107
    110 112 114 115 117 118 119 120 122 124 125 127 129 131 133 134 135 137 139 140 141 143 144 145
    147 148 150
"""
_NUMBERED = re.compile(r"test_((?:s_\d{3}_)+)")


def test_each_row_is_a_test() -> None:
    found: set[str] = set()
    for directory in (
        "account",
        "activitypub",
        "federation",
        "http",
        "protocol",
        "security",
        "web",
    ):
        for path in sorted((TESTS / directory).rglob("test_*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (
                    match := _NUMBERED.match(node.name)
                ):
                    found |= set(re.findall(r"\d{3}", match[1]))
    assert set(ROWS.split()) - found == set()
    assert found - set(ROWS.split()) == set()
