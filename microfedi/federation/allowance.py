"""How much of what strangers send is taken in an hour: of one person, of a server, of all of them.

Each activity that is kept leaves a row for two weeks, and may leave more. A valid key costs nothing
to make; so what comes faster than people act is asked to come later. What is long counts as many,
or the disk could be filled with few. Counted in memory, of bounded size: a restart forgets it.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from microfedi.errors import TooBusy

HOUR: Final = timedelta(hours=1)
OF_A_STRANGER: Final = 200  # an hour: somebody who reads all that the owner wrote, and likes it
OF_SOMEBODY_FOLLOWED: Final = 3_000  # a group passes on each vote of its members
OF_A_SERVER: Final = 3_000  # all its strangers together: a post that goes round the largest one
OF_STRANGERS: Final = 10_000  # all of them: names of servers cost nothing, either
MAX_REMEMBERED: Final = 4_096  # people and servers
PIECE_BYTES: Final = 16 * 1024  # that count as one activity; nearly all are shorter
# What only says where it lies: it is fetched, with what it answers, and may be long.
UNSEEN_BYTES: Final = 16 * PIECE_BYTES


@dataclass(slots=True)
class _Left:
    """What may still come, and when that was so."""

    count: float
    at: datetime


class Allowance:
    """What may still come of whom; one for the server, used from its event loop only."""

    def __init__(self) -> None:
        self._left: OrderedDict[str, _Left] = OrderedDict()
        self._strangers: _Left | None = None

    def use(
        self, actor_uri: str, server: str, *, is_followed: bool, size: int = 0, now: datetime
    ) -> None:
        """Count one activity of `actor_uri`, whose signature was right, with `size` bytes.

        Raises: TooBusy if there were too many; that one is not counted.
        """
        pieces = max(1, math.ceil(size / PIECE_BYTES))
        most = OF_SOMEBODY_FOLLOWED if is_followed else OF_A_STRANGER
        counted = [(self._filled(actor_uri, most, now), most)]
        if not is_followed:
            counted.append((self._filled(server, OF_A_SERVER, now), OF_A_SERVER))
            self._strangers = _refilled(self._strangers, OF_STRANGERS, now)
            counted.append((self._strangers, OF_STRANGERS))
        wait_s = max(
            (min(pieces, most) - left.count) * HOUR.total_seconds() / most for left, most in counted
        )
        if wait_s > 0:
            raise TooBusy("too many activities in an hour", retry_after_s=math.ceil(wait_s))
        for left, most in counted:
            left.count -= min(pieces, most)

    def _filled(self, key: str, most: int, now: datetime) -> _Left:
        left = self._left[key] = _refilled(self._left.get(key), most, now)
        self._left.move_to_end(key)
        while len(self._left) > MAX_REMEMBERED:
            self._left.popitem(last=False)
        return left


def _refilled(left: _Left | None, most: int, now: datetime) -> _Left:
    if left is None:
        return _Left(most, now)
    passed = max(timedelta(0), now - left.at) / HOUR
    return _Left(min(most, left.count + passed * most), now)
