"""What reads bytes of strangers survives what nobody meant; `make fuzz` tries for longer."""

import pytest

from microfedi.protocol import alternates, answers
from tests import fuzzing

ROUNDS = 150  # of each target, the same ones in every run
ROUNDS_IN_CHILDREN = 3  # where each one starts a process


@pytest.mark.parametrize("name", fuzzing.TARGETS)
def test_a_reader_survives(name: str) -> None:
    rounds = ROUNDS_IN_CHILDREN if name in fuzzing.SLOW else ROUNDS
    problems = [fuzzing.attempt(name, number) for number in range(rounds)]
    assert not any(problems), "\n".join(filter(None, problems))


def test_the_harness_would_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(data: bytes) -> None:
        raise IndexError(len(data))

    monkeypatch.setitem(fuzzing.TARGETS, "uris", fuzzing.Target(breaks, lambda: (b"x",)))
    assert "IndexError" in fuzzing.attempt("uris", 1)


@pytest.mark.parametrize(
    "link",
    [
        '<x>; rel=""; type="application/activity+json"',
        '<x>; rel="alternate"; type=""',
    ],
)
def test_a_link_header_with_an_empty_parameter_leads_nowhere(link: str) -> None:
    assert alternates.in_header(link) is None


@pytest.mark.parametrize("header", ["retry-after", "date"])
def test_a_year_beyond_all_numbers_is_no_date(header: str) -> None:
    date = "Sun, 22 Nov 2026 12:00:00 GMT"
    headers = {"retry-after": date, "date": date}
    headers[header] = "Sun, 22 Nov 20999999999999999999999 12:00:00 GMT"
    assert answers.retry_after_s(headers) is None
