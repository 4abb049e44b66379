"""The vault stays open for one browser, for a while, and for nobody else."""

import os
import re
from datetime import timedelta

import pytest

from microfedi.account import recovery_key, tokens, unlocked
from microfedi.account.unlocked import IDLE, Unlocked
from microfedi.storage.vault_keys import Opened
from tests.factories import NOON

OPENED = Opened(1, os.urandom(32), {1: os.urandom(32)})
TOKEN, OTHER = tokens.new(), tokens.new()
KEY = tokens.wrap_key(TOKEN)


def held(*sessions: int) -> Unlocked:
    one = Unlocked()
    for session in sessions:
        one.hold(session, OPENED, KEY, NOON)
    return one


def test_the_session_that_opened_it_has_it() -> None:
    assert held(7).use(7, KEY, NOON) == OPENED


def test_no_other_session_and_no_other_cookie_has_it() -> None:
    mine = held(7)
    assert mine.use(8, KEY, NOON) is None
    assert mine.use(7, tokens.wrap_key(OTHER), NOON) is None
    assert mine.use(7, KEY, NOON) == OPENED


def test_it_is_locked_when_nobody_looks() -> None:
    mine = held(7)
    assert mine.use(7, KEY, NOON + IDLE) == OPENED
    assert mine.use(7, KEY, NOON + 2 * IDLE) == OPENED
    assert mine.use(7, KEY, NOON + 3 * IDLE + timedelta(seconds=1)) is None
    assert mine.use(7, KEY, NOON) is None


def test_a_longer_time_opens_nothing_that_is_locked() -> None:
    mine = held(7)
    late = NOON + IDLE + timedelta(seconds=1)
    assert mine.use(7, KEY, late, idle=timedelta(hours=12)) is None
    mine = held(7)
    assert mine.use(7, KEY, NOON, idle=timedelta(hours=12)) == OPENED
    assert mine.use(7, KEY, late) == OPENED


def test_a_clock_that_was_put_back_locks_it() -> None:
    assert held(7).use(7, KEY, NOON - timedelta(seconds=1)) is None


def test_locks() -> None:
    mine = held(1, 2, 3)
    assert mine.lock(1)
    assert not mine.lock(1)
    mine.lock_all(but=3)
    assert mine.use(2, KEY, NOON) is None
    assert mine.use(3, KEY, NOON) == OPENED
    mine.lock_all()
    assert mine.use(3, KEY, NOON) is None


def test_the_idle_are_forgotten_and_so_are_the_oldest_of_many() -> None:
    mine = held(1, 2)
    mine.use(2, KEY, NOON + IDLE)
    assert mine.forget_idle(NOON + IDLE + timedelta(seconds=1)) == 1
    assert mine.use(2, KEY, NOON + IDLE) == OPENED
    many = held(*range(unlocked.MAX_OPEN + 1))
    assert many.use(0, KEY, NOON) is None
    assert many.use(1, KEY, NOON) == OPENED


def test_memory_holds_nothing_that_opens_without_the_cookie() -> None:
    mine = held(7)
    kept = mine._held[7].packed
    for secret in (OPENED.master, OPENED.secrets[1], KEY):
        assert secret not in kept
    assert repr(mine) == "Unlocked(1)"


def test_what_the_database_knows_of_a_token_opens_nothing() -> None:
    assert tokens.hash_of(TOKEN) != tokens.wrap_key(TOKEN)
    assert held(7).use(7, tokens.hash_of(TOKEN), NOON) is None


def test_a_recovery_key_is_recognised_however_it_is_typed() -> None:
    key = recovery_key.new()
    assert re.fullmatch(r"([0-9a-hjkmnp-tv-z]{5}-){7}[0-9a-hjkmnp-tv-z]{5}", key)
    plain = key.replace("-", "")
    assert recovery_key.normalised(key) == plain
    assert recovery_key.normalised(f"  {key.upper().replace('-', ' ')}\n") == plain
    assert recovery_key.normalised(plain.replace("0", "o").replace("1", "L")) == plain
    assert recovery_key.key_of(plain) != recovery_key.key_of(recovery_key.new())


@pytest.mark.parametrize("typed", ["", "0" * 39, "0" * 41, "u" * 40, "é" * 40, "0" * 10_000])
def test_what_cannot_be_a_recovery_key(typed: str) -> None:
    assert recovery_key.normalised(typed) is None


def test_a_slip_of_the_pen_is_mostly_noticed() -> None:
    """Two characters check: one slip in 1,024 is missed, and then the vault does not open."""
    key = recovery_key.new().replace("-", "")
    slips = [
        key[:at] + other + key[at + 1 :]
        for at in range(38)
        for other in "0123456789abcdefghjkmnpqrstvwxyz"
        if other != key[at]
    ]
    assert sum(recovery_key.normalised(slip) is not None for slip in slips) < 20
