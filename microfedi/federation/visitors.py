"""The way back: from a page of ours to the visitor's own server, where they can follow or answer.

This is the one thing that we ask another server for on a stranger's word. So it is one small
document each time, remembered, and there are few of them: for each address, and in all.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote

from microfedi.account.throttle import network_of
from microfedi.errors import ProtocolError, RemoteError, RemoteRefused, TooBusy
from microfedi.federation import fetching
from microfedi.federation.context import Context
from microfedi.federation.keyring import Remembered
from microfedi.federation.remote import JRD_ACCEPT, JRD_TYPES
from microfedi.protocol import answers, intents, loads, uris, webfinger
from microfedi.protocol.webfinger import Handle

log = logging.getLogger(__name__)

MAX_JRD_BYTES = 64 * 1024  # a WebFinger document has one or two kB
DEADLINE_S = 5.0  # seconds for all of it: somebody waits in front of a page
AT_ONCE = 4  # lookups: slow servers must not fill the process

TRIES = 6  # of one address before it has to wait: two posts and a mistyped handle
TRY_EVERY = timedelta(seconds=20)  # after that
TRIES_IN_ALL = 60  # of all visitors together: a link that many follow at once
ANY_TRY_EVERY = timedelta(seconds=2)
MAX_ADDRESSES = 4096  # that are remembered; strangers need two hours to fill it

MAX_KNOWN = 512  # servers' answers, of 2 kB each at most
KNOWN_FOR = timedelta(hours=1)
UNKNOWN_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Home:
    """What a visitor's own server offers: its templates, and the hosts they may lead to."""

    handle: Handle
    templates: Mapping[str, str]
    hosts: frozenset[str]


@dataclass(slots=True)
class _Bucket:
    left: float
    at: datetime

    def wait(self, most: int, every: timedelta, now: datetime) -> timedelta:
        """Fill up what has come in since; return how long it is until there is one to take."""
        self.left = min(float(most), self.left + max(timedelta(0), now - self.at) / every)
        self.at = now
        return max(timedelta(0), (1 - self.left) * every)


@dataclass(slots=True)
class Visitors:
    """Who asked lately and what was found; one for the server, in memory, bounded."""

    _in_all: _Bucket | None = None
    _by_address: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)
    _homes: Remembered[Home] = field(default_factory=lambda: Remembered(MAX_KNOWN, KNOWN_FOR))
    _none: Remembered[str] = field(default_factory=lambda: Remembered(MAX_KNOWN, UNKNOWN_FOR))
    _busy: int = 0

    async def home_of(self, ctx: Context, handle: Handle, *, address: str) -> Home | None:
        """Return what the server of `handle` offers; None if it cannot be asked or offers nothing.

        `address` is the visitor's. Why there is nothing is not told: a stranger shall not learn
        from us whom we block, nor which machines answer where we are.

        Raises: TooBusy if this address, or everybody together, asked too often.
        """
        now = ctx.now()
        key = str(handle).lower()
        known = self._homes.get(key, now)
        if known is not None or self._none.get(key, now) is not None:
            return known
        self._admit(network_of(address), now)
        self._busy += 1
        try:
            async with asyncio.timeout(DEADLINE_S):
                home = await _asked(ctx, handle)
        except (RemoteError, ProtocolError, TimeoutError) as error:
            log.info("a visitor's server was not found: %s", type(error).__name__)
            home = None
        finally:
            self._busy -= 1
        if home is None:
            self._none.put(key, "", now)
        else:
            self._homes.put(key, home, now)
        return home

    def _admit(self, address: str, now: datetime) -> None:
        if self._in_all is None:
            self._in_all = _Bucket(TRIES_IN_ALL, now)
        mine = self._by_address.pop(address, None) or _Bucket(TRIES, now)
        self._by_address[address] = mine
        while len(self._by_address) > MAX_ADDRESSES:
            self._by_address.popitem(last=False)
        wait = max(
            mine.wait(TRIES, TRY_EVERY, now),
            self._in_all.wait(TRIES_IN_ALL, ANY_TRY_EVERY, now),
        )
        if wait > timedelta(0) or self._busy >= AT_ONCE:
            seconds = max(1, -int(-wait.total_seconds() // 1))
            raise TooBusy("Many are asking at the moment.", retry_after_s=seconds)
        mine.left -= 1
        self._in_all.left -= 1


async def _asked(ctx: Context, handle: Handle) -> Home:
    """Ask the server of a handle, and if it names another one as the account's, that one.

    The second is for people whose handle is at their own domain, which answers with a copy of what
    their server says. It can be another server than the first, and that is the owner of the
    handle's doing: they say at their own domain where they live.
    """
    home, subject = await _ask(ctx, handle)
    if subject is None or subject.matches(handle):
        return home
    final, confirmed = await _ask(ctx, subject)
    return final if confirmed is not None and confirmed.matches(subject) else home


async def _ask(ctx: Context, handle: Handle) -> tuple[Home, Handle | None]:
    # On a development server everybody speaks plain http.
    scheme = "https" if ctx.config.is_https else "http"
    base = f"{scheme}://{handle.host}"
    await fetching.check_host(ctx, base)
    resource = quote(f"acct:{handle}", safe="")
    fetched = await ctx.remote.get_bytes(
        f"{base}/.well-known/webfinger?resource={resource}",
        max_bytes=MAX_JRD_BYTES,
        deadline_s=DEADLINE_S,
        accept=JRD_ACCEPT,
    )
    if answers.media_type(fetched.content_type) not in JRD_TYPES:
        raise RemoteRefused("not the type we asked for", status=fetched.status)
    jrd = loads.document(fetched.body)
    # Where its templates may lead: to the host that was asked, and to where that one sent us for
    # the answer. To nobody else, so that no page of ours is a way to just anywhere.
    hosts = frozenset({handle.host, uris.authority(fetched.url)})
    return Home(handle, intents.templates_in(jrd), hosts), webfinger.subject_of(jrd)
