"""Who has the vault open: kept in memory, each under a key that only that browser's cookie has.

A restart forgets it, and so does a while without a look at the messages. Then the password opens it
again; the login itself goes on.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from microfedi.storage import vault_keys
from microfedi.storage.vault_keys import Opened

MAX_OPEN = 32  # browsers of one person at once

# Minutes without a look at the messages after which they are locked: what the owner may choose.
IDLE_CHOICES = (5, 15, 60, 720)
IDLE = timedelta(minutes=IDLE_CHOICES[1])


@dataclass(slots=True)
class _Held:
    packed: bytes
    used_at: datetime
    until: datetime


class Unlocked:
    """The opened vaults by session; one for the server, used from its event loop only."""

    def __init__(self) -> None:
        self._held: OrderedDict[int, _Held] = OrderedDict()

    def __repr__(self) -> str:
        return f"Unlocked({len(self._held)})"

    def hold(
        self,
        session_id: int,
        opened: Opened,
        key: bytes,
        now: datetime,
        *,
        idle: timedelta = IDLE,
    ) -> None:
        """Keep the vault open for a session; `key` is its cookie's (`tokens.wrap_key`)."""
        packed = vault_keys.pack(opened, key, bound_to=str(session_id))
        self._held[session_id] = _Held(packed, now, now + idle)
        self._held.move_to_end(session_id)
        while len(self._held) > MAX_OPEN:
            self._held.popitem(last=False)

    def use(
        self, session_id: int, key: bytes, now: datetime, *, idle: timedelta = IDLE
    ) -> Opened | None:
        """Return the vault if this session has it open, and note that it was looked at.

        Until when it is open was settled by the last look: another `idle` counts from this one.
        """
        self.forget_idle(now)
        held = self._held.get(session_id)
        if held is None:
            return None
        try:
            opened = vault_keys.unpack(held.packed, key, bound_to=str(session_id))
        except ValueError:  # a cookie of another login
            return None
        held.used_at, held.until = now, now + idle
        self._held.move_to_end(session_id)
        return opened

    def hand_over(self, session_id: int, key: bytes, new_key: bytes) -> None:
        """Keep it open for a session whose cookie, and so whose `key`, is another now."""
        held = self._held.get(session_id)
        if held is None:
            return
        try:
            opened = vault_keys.unpack(held.packed, key, bound_to=str(session_id))
        except ValueError:
            return
        held.packed = vault_keys.pack(opened, new_key, bound_to=str(session_id))

    def lock(self, session_id: int) -> bool:
        """Forget it for one session; False if it was not open."""
        return self._held.pop(session_id, None) is not None

    def lock_all(self, *, but: int | None = None) -> None:
        """Forget it for every session, except for the one that says so."""
        kept = self._held.get(but) if but is not None else None
        self._held.clear()
        if but is not None and kept is not None:
            self._held[but] = kept

    def forget_idle(self, now: datetime) -> int:
        """Forget those that nobody looked at for so long; return how many there were."""
        late = [one for one, held in self._held.items() if not held.used_at <= now <= held.until]
        for session_id in late:
            self.lock(session_id)
        return len(late)
