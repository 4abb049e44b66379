"""Slowed, in proportion, and never for good."""

from datetime import timedelta

from microfedi.account import throttle
from microfedi.account.throttle import Throttle
from tests.factories import NOON

SECOND = timedelta(seconds=1)


def test_one_address_has_five_tries_and_then_waits_ever_longer_up_to_five_minutes() -> None:
    slowed = Throttle()
    now = NOON
    for _ in range(5):
        assert slowed.admit("192.0.2.1", now) is None

    waits = []
    for _ in range(9):
        wait = slowed.admit("192.0.2.1", now)
        assert wait is not None
        assert slowed.admit("192.0.2.1", now + wait - SECOND) == SECOND  # asking makes it no longer
        waits.append(wait.total_seconds())
        now += wait
        assert slowed.admit("192.0.2.1", now) is None

    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    assert slowed.admit("192.0.2.2", now) is None


def test_a_hundred_tries_at_once_are_not_all_the_first_one() -> None:
    slowed = Throttle()

    admitted = [slowed.admit("192.0.2.1", NOON) for _ in range(100)]

    assert admitted.count(None) == 5


def test_a_success_and_a_quarter_of_a_day_make_good() -> None:
    slowed = Throttle()
    for _ in range(6):
        slowed.admit("192.0.2.1", NOON)
    assert slowed.admit("192.0.2.1", NOON) is not None

    slowed.succeeded("192.0.2.1", NOON)
    assert [slowed.admit("192.0.2.1", NOON) for _ in range(6)].count(None) == 5
    assert slowed.admit("192.0.2.1", NOON + throttle.FORGET_AFTER + SECOND) is None


def test_ipv6_is_counted_by_64_and_by_48() -> None:
    slowed = Throttle()
    now = NOON
    for host in range(5):
        assert slowed.admit(f"2001:db8:1:1::{host}", now) is None
    assert slowed.admit("2001:db8:1:1:ffff::1", now) is not None

    for subnet in range(2, 5):
        for host in range(5):
            assert slowed.admit(f"2001:db8:1:{subnet}::{host}", now) is None
        now += timedelta(seconds=60)
    # Twenty of the /48 by now: a fifth network of it waits, too.
    for host in range(9):
        slowed.admit(f"2001:db8:1:9::{host}", now)
    assert slowed.admit("2001:db8:1:a::1", now) is not None
    assert slowed.admit("2001:db8:2:1::1", now) is None


def test_many_addresses_together_are_slowed_but_not_where_the_owner_came_from() -> None:
    slowed = Throttle()
    slowed.succeeded("198.51.100.7", NOON - timedelta(days=29))

    admitted = [slowed.admit(f"192.0.2.{n}", NOON) for n in range(200)]

    assert admitted.count(None) == throttle.TRIES_OF_STRANGERS
    assert admitted[-1] == throttle.STRANGER_EVERY
    assert slowed.admit("203.0.113.5", NOON, is_familiar=True) is None
    assert slowed.admit("198.51.100.7", NOON) is None
    assert slowed.admit("203.0.113.9", NOON + throttle.STRANGER_EVERY) is None
    assert slowed.admit("203.0.113.9", NOON + timedelta(days=2)) is None
    assert [slowed.admit(f"192.0.2.{n}", NOON + timedelta(days=2)) for n in range(99)].count(
        None
    ) < throttle.TRIES_OF_STRANGERS
    assert slowed.admit("198.51.100.7", NOON + timedelta(days=2)) is not None  # no longer familiar


def test_who_knows_the_password_does_not_try_all_codes() -> None:
    slowed = Throttle()
    now = NOON
    tries = 0
    while now < NOON + timedelta(days=1):
        address = f"2001:db8:{tries:x}::1"  # a new network for each
        wait = slowed.admit(address, now)
        if wait is None:
            slowed.wrong_code(now)
            tries += 1
        else:
            now += wait

    assert tries < 120  # three good codes in a million each: 0.04 percent a day
    assert slowed.admit("198.51.100.7", now, is_familiar=True) is None


def test_what_is_remembered_is_bounded() -> None:
    slowed = Throttle()
    for number in range(throttle.MAX_REMEMBERED + 500):
        slowed.admit(
            f"10.{number // 65536}.{number // 256 % 256}.{number % 256}", NOON, is_familiar=True
        )
        slowed.succeeded(f"odd {number}", NOON)

    assert len(slowed._failures) == throttle.MAX_REMEMBERED
    assert len(slowed._familiar) == throttle.MAX_FAMILIAR


def test_an_address_that_is_none_is_counted_as_one() -> None:
    slowed = Throttle()

    assert [slowed.admit("unknown", NOON) for _ in range(9)].count(None) == 5
    assert [slowed.admit("x" * 100_000, NOON) for _ in range(9)].count(None) == 5
    assert all(len(key) <= 64 for key in slowed._failures)


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    slowed = Throttle()
    for _ in range(6):
        slowed.admit("192.0.2.1", NOON)

    assert slowed.admit("192.0.2.1", NOON - timedelta(days=1)) == 5 * SECOND
    assert slowed.admit("192.0.2.2", NOON - timedelta(days=1)) is None
