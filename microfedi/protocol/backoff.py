"""How long to wait before the next attempt, and when to give up."""

from datetime import timedelta

# Short at first: most failures are a restart. Two days at the end: some servers are mended on
# weekends. 92.6 hours in all before the last step repeats.
DELAYS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
    timedelta(hours=48),
)
JITTER = 0.2  # so that what failed together does not come back together
GIVE_UP_AFTER = timedelta(days=7)  # from the first failure on; then the delivery is dropped


def delay(attempt: int, *, chance: float) -> timedelta:
    """Return how long to wait after failed attempt number `attempt` (1 is the first).

    `chance`, from 0 to 1, spreads it over ± 20 %. After the eighth it stays at two days.

    >>> delay(1, chance=0.5)
    datetime.timedelta(seconds=60)
    >>> delay(2, chance=0.0), delay(2, chance=1.0)
    (datetime.timedelta(seconds=240), datetime.timedelta(seconds=360))
    """
    step = DELAYS[min(max(attempt, 1), len(DELAYS)) - 1]
    return step * (1 - JITTER + 2 * JITTER * chance)
