"""What every piece of work needs at hand: made once by `app`, handed to everyone."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from microfedi.account.login import Door
from microfedi.account.passkeys import Challenges
from microfedi.account.throttle import Throttle
from microfedi.account.unlocked import Unlocked
from microfedi.config import Config
from microfedi.errors import NotFound
from microfedi.federation.allowance import Allowance
from microfedi.federation.keyring import Keyring, Remembered
from microfedi.federation.news import News
from microfedi.federation.remote import Remote
from microfedi.protocol.vocab import Activity
from microfedi.storage import door_log, pending_acts
from microfedi.storage import owner as owner_storage
from microfedi.storage.database import Database
from microfedi.storage.door_log import Line
from microfedi.storage.owner import Owner
from microfedi.storage.pending_acts import Act

log = logging.getLogger(__name__)

MAX_SYNCHRONIZED = 1024  # authors
SYNCHRONIZED_FOR = timedelta(hours=6)  # then their list may be asked for again
# Pages of the owner's that hear of news while they are open; each holds a connection ...
MAX_LISTENERS = 24
# ... and a browser opens no more than six to a server, of which some are for loading pages.
MAX_LISTENERS_OF_SESSION = 3
STRANGE_FOR = timedelta(days=7)  # a login from somewhere new stands on every page
MAX_JUST_READ = 256  # activities, of 2 to 50 kB: twice what one round of the worker takes


def system_clock() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Wake:
    """Set one to tell a worker that a row waits for it; the worker clears it."""

    received: asyncio.Event = field(default_factory=asyncio.Event)
    deliveries: asyncio.Event = field(default_factory=asyncio.Event)
    jobs: asyncio.Event = field(default_factory=asyncio.Event)


class Context:
    """Settings, database, the way out, the clock, the owner, and who tried to log in.

    `now()` is the clock; tests hand in their own. `started_at` is when the process began to work;
    `stopping` is set when it was asked to end: streams and workers watch it.
    """

    def __init__(
        self,
        *,
        config: Config,
        db: Database,
        remote: Remote,
        now: Callable[[], datetime] = system_clock,
    ) -> None:
        self.config = config
        self.db = db
        self.remote = remote
        self.now = now
        self.started_at = now()
        self.wake = Wake()
        self.keyring = Keyring()
        self.allowance = Allowance()
        # What `receive` has just kept, as it was read: spares `process` reading it again. The
        # database has it all; whatever is missing here is read from there.
        self.just_read: Remembered[Activity] = Remembered(MAX_JUST_READ, timedelta(minutes=1))
        # Whose list of followers was asked for, or will be, a short while ago.
        self.synchronized: Remembered[bool] = Remembered(MAX_SYNCHRONIZED, SYNCHRONIZED_FOR)
        self.door = Door(db, config, Throttle(), Challenges(db.sealer))
        self.unlocked = Unlocked()
        # Whatever is written may be news: who waits for some looks for himself.
        self.news = News(most=MAX_LISTENERS, most_each=MAX_LISTENERS_OF_SESSION)
        db.after_commit = self.news.tell
        self.stopping = asyncio.Event()
        self._owner: Owner | None = None
        # What was asked for, cannot be undone, and waits for its day: every page says so.
        self.pending_acts: Sequence[Act] = ()
        # Logins from somewhere new that the owner has not said to know: every page says so, too.
        self.strange_logins: Sequence[Line] = ()

    @property
    def owner(self) -> Owner:
        """The owner as last loaded.

        Raises: NotFound before setup.
        """
        if self._owner is None:
            raise NotFound("nobody lives here yet")
        return self._owner

    @property
    def has_owner(self) -> bool:
        """False before setup."""
        return self._owner is not None

    async def reload_owner(self) -> None:
        """Read the owner, and what waits for its day, again: at start, and after a change."""
        since = self.now() - STRANGE_FOR
        self._owner, self.pending_acts, self.strange_logins = await self.db.read(
            lambda reader: (
                owner_storage.load(reader),
                pending_acts.waiting(reader),
                door_log.strange(reader, since=since),
            )
        )
        self.news.tell()  # who looked between the commit and here saw the owner of before

    def soon(self, spread: timedelta) -> datetime:
        """Return a moment from now on, by chance within `spread`: thousands of servers hear of
        the same thing at once, and should not all ask for it at once.
        """
        return self.now() + spread * random.random()  # noqa: S311 - politeness, no secret

    def may_speak_with(self, host: str) -> bool:
        """Whether the settings let us exchange anything with `host` (blocks are another matter)."""
        if not self.config.federates:
            return False
        if self.config.federation.mode != "allowlist":
            return True
        name = host.lower()
        return any(
            name == one or name.endswith("." + one) for one in self.config.federation.allowlist
        )
