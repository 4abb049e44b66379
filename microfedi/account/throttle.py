"""Tries at the login are slowed: for each address, each network, and all strangers together.

A try counts as failed from its beginning, so that a hundred at once are not all the first one.
Waits are minutes at most and nobody is locked out for good: waiting longer is not made by trying
during the wait, and an address that the owner logged in from lately does not stand in the queue of
strangers, however many there are.

All of it is in memory, and of bounded size; a restart forgets it.
"""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

FREE_TRIES = (
    5  # of one address before it has to wait: a forgotten password, a clock off by a minute
)
FREE_TRIES_OF_NETWORK = 20  # of one IPv6 /48: what a home or a small company is given
FREE_WRONG_CODES = 5  # right password, wrong code, from wherever: six digits are soon guessed
FIRST_WAIT = timedelta(seconds=5)  # doubled with each further failure
MAX_WAIT = timedelta(minutes=5)
MAX_CODE_WAIT = timedelta(minutes=15)  # three codes in a million a try: 0.03 percent a day
FORGET_AFTER = timedelta(hours=6)  # without a try

TRIES_OF_STRANGERS = 20  # at once; each costs the machine a password hash
STRANGER_EVERY = timedelta(seconds=3)  # after that

MAX_REMEMBERED = 10_000  # addresses and networks; strangers need eight hours to fill it
FAMILIAR_FOR = timedelta(days=30)  # after a login
MAX_FAMILIAR = 64  # addresses of one person in a month


@dataclass(slots=True)
class _Failures:
    count: int
    last: datetime


class Throttle:
    """What is known of the tries so far; one for the server, used from its event loop only."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._codes: _Failures | None = None
        self._familiar: OrderedDict[str, datetime] = OrderedDict()
        self._strangers = float(TRIES_OF_STRANGERS)
        self._strangers_at: datetime | None = None

    def admit(self, address: str, now: datetime, *, is_familiar: bool = False) -> timedelta | None:
        """Let one try from `address` go on and count it as failed: None. Or say how long to wait.

        `is_familiar` if it is known otherwise that the owner logged in from there. What has to wait
        is not counted.
        """
        keys = _keys(address)
        familiar = is_familiar or self._is_familiar(keys[0][0], now)
        waits = [self._wait(key, free, now) for key, free in keys]
        if not familiar:
            waits.append(self._wait_of_strangers(now))
            waits.append(_wait(self._codes, FREE_WRONG_CODES, MAX_CODE_WAIT, now))
        longest = max(waits)
        if longest > timedelta(0):
            return longest
        if not familiar:
            self._strangers -= 1
        for key, _ in keys:
            self._count(key, now)
        return None

    def wrong_code(self, now: datetime) -> None:
        """Note that somebody had the right password and a wrong code."""
        if self._codes is None or now - self._codes.last > FORGET_AFTER:
            self._codes = _Failures(0, now)
        self._codes.count += 1
        self._codes.last = now

    def succeeded(self, address: str, now: datetime) -> None:
        """Note a login: its tries are forgiven, and its address is familiar for a month."""
        keys = _keys(address)
        for key, _ in keys:
            self._failures.pop(key, None)
        self._codes = None
        self._familiar[keys[0][0]] = now
        self._familiar.move_to_end(keys[0][0])
        while len(self._familiar) > MAX_FAMILIAR:
            self._familiar.popitem(last=False)

    def forgive(self, address: str) -> None:
        """Take a try back that was right and no login: wrong ones before it still count."""
        for key, _ in _keys(address):
            failures = self._failures.get(key)
            if failures is not None:
                failures.count = max(0, failures.count - 1)

    def _is_familiar(self, key: str, now: datetime) -> bool:
        since = self._familiar.get(key)
        return since is not None and now - since < FAMILIAR_FOR

    def _wait(self, key: str, free: int, now: datetime) -> timedelta:
        return _wait(self._failures.get(key), free, MAX_WAIT, now)

    def _wait_of_strangers(self, now: datetime) -> timedelta:
        if self._strangers_at is not None:
            refilled = max(timedelta(0), now - self._strangers_at) / STRANGER_EVERY
            self._strangers = min(float(TRIES_OF_STRANGERS), self._strangers + refilled)
        self._strangers_at = now
        return max(timedelta(0), (1 - self._strangers) * STRANGER_EVERY)

    def _count(self, key: str, now: datetime) -> None:
        failures = self._failures.get(key)
        if failures is None or now - failures.last > FORGET_AFTER:
            failures = self._failures[key] = _Failures(0, now)
        failures.count += 1
        failures.last = now
        self._failures.move_to_end(key)
        while len(self._failures) > MAX_REMEMBERED:
            self._failures.popitem(last=False)


def network_of(address: str) -> str:
    """Return what counts as one address: IPv4 as it is, of IPv6 the /64 that one line is given.

    >>> network_of("192.0.2.1"), network_of("::ffff:192.0.2.1"), network_of("2001:db8:1:2::9")
    ('192.0.2.1', '192.0.2.1', '2001:db8:1:2::/64')
    """
    return _keys(address)[0][0]


def neighbourhood_of(address: str) -> str:
    """Return the network that somebody comes from whose address changes now and then.

    Of IPv4 the /24, of IPv6 the /48.

    >>> neighbourhood_of("192.0.2.1"), neighbourhood_of("2001:db8:1:2::9")
    ('192.0.2.0/24', '2001:db8:1::/48')
    """
    widest = _keys(address)[-1][0]
    try:
        network = ipaddress.ip_network(widest)
    except ValueError:
        return widest
    return str(network.supernet(new_prefix=24) if network.version == 4 else network)


def _keys(address: str) -> list[tuple[str, int]]:
    """Return under which names a try is counted, and how many are free under each."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return [(address[:64], FREE_TRIES)]  # a socket, or nothing that the proxy could name
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return [
                (str(ipaddress.IPv6Network((parsed, 64), strict=False)), FREE_TRIES),
                (str(ipaddress.IPv6Network((parsed, 48), strict=False)), FREE_TRIES_OF_NETWORK),
            ]
        parsed = parsed.ipv4_mapped
    return [(str(parsed), FREE_TRIES)]


def _wait(failures: _Failures | None, free: int, longest: timedelta, now: datetime) -> timedelta:
    """Return how long is still to wait: doubling from the first failure that is not free."""
    if failures is None or failures.count < free or now - failures.last > FORGET_AFTER:
        return timedelta(0)
    doublings = min(failures.count - free, 16)
    wait: timedelta = min(FIRST_WAIT * 2**doublings, longest)
    # Not longer than that either if the machine's clock was set back meanwhile.
    return min(wait, max(timedelta(0), failures.last + wait - now))
