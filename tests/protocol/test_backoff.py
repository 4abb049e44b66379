"""The steps of waiting."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microfedi.protocol import backoff


@pytest.mark.parametrize(
    ("attempt", "minutes"),
    [
        (1, 1),
        (2, 5),
        (3, 30),
        (4, 2 * 60),
        (5, 6 * 60),
        (6, 12 * 60),
        (7, 24 * 60),
        (8, 48 * 60),
        (9, 48 * 60),
        (10_000, 48 * 60),
        (0, 1),
    ],
)
def test_each_attempt_waits_longer_until_two_days(attempt: int, minutes: int) -> None:
    assert backoff.delay(attempt, chance=0.5) == timedelta(minutes=minutes)


@given(st.integers(1, 20), st.floats(0, 1))
def test_jitter_is_at_most_a_fifth(attempt: int, chance: float) -> None:
    exact = backoff.delay(attempt, chance=0.5)

    assert exact * 0.79 <= backoff.delay(attempt, chance=chance) <= exact * 1.21


def test_every_step_comes_before_giving_up() -> None:
    at_most = sum((backoff.delay(attempt, chance=1.0) for attempt in range(1, 9)), timedelta())

    assert at_most < backoff.GIVE_UP_AFTER
