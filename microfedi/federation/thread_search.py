"""One look for a thread: what may still be asked, what has come, what could not be had.

Where to ask is in `threads`.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from microfedi.errors import (
    ForbiddenAddress,
    NotFound,
    ProtocolError,
    RemoteError,
    RemoteGone,
    RemoteRefused,
)
from microfedi.federation import keeping, lookup, tagged
from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget
from microfedi.federation.inbox import create
from microfedi.protocol import uris, vocab
from microfedi.protocol.vocab import Visibility
from microfedi.storage import blocks, notes, threads
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction
from microfedi.storage.threads import Problem, What, Why

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_ITEMS = 200  # posts that are fetched in one look, downwards
MAX_PAGES = 30  # collections and pages of them that are read in one look
PER_HOST = 2  # requests at once to one server
HOST_FETCHES = 100  # requests to one server, under all its names, in one look


@dataclass(frozen=True, slots=True)
class Item:
    """A post that was fetched, and its author."""

    note: vocab.Note
    author: Actor


@dataclass(slots=True)
class Search:
    """One look for a thread: what may still be asked, what has come, what could not be had."""

    ctx: Context
    items_left: int = MAX_ITEMS
    pages_left: int = MAX_PAGES
    found: int = 0
    seen: set[str] = field(default_factory=set)
    _fetched: list[Item] = field(default_factory=list)
    _failed: Counter[tuple[What, Why, str]] = field(default_factory=Counter)
    _budgets: dict[str, Budget] = field(default_factory=dict)
    _gates: dict[str, asyncio.Semaphore] = field(default_factory=dict)
    _silent: set[str] = field(default_factory=set)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be had, the most of it first."""
        return tuple(Problem(*key, count) for key, count in self._failed.most_common())

    def note_problem(self, what: What, why: Why = "", host: str = "") -> None:
        """Remember something for the page; that there is more is said once."""
        if what != "more" or not self._failed[what, why, host]:
            self._failed[what, why, host] += 1

    async def ask(
        self, what: What | None, url: str, work: Callable[[Budget], Awaitable[T]]
    ) -> T | Exception:
        """Do `work`, which asks the server of `url`: not more than `PER_HOST` at once, and no more
        at all once it was silent. What goes wrong is remembered as `what`, and returned.
        """
        host = uris.host(url)
        domain = ".".join(host.split(".")[-2:])  # one budget for all names that it may invent
        budget = self._budgets.setdefault(domain, Budget(HOST_FETCHES))
        why: Why
        async with self._gates.setdefault(host, asyncio.Semaphore(PER_HOST)):
            if host in self._silent:
                error: Exception = RemoteError("%(host)s does not answer", host=host)
                why = "silent"
            else:
                try:
                    return await work(budget)
                except (RemoteError, ProtocolError, NotFound) as problem:
                    error = problem
                    why = "limit" if budget.left <= 0 else _why(problem)
                    if why == "silent":
                        self._silent.add(host)
        log.info("left out something of a thread: %s", error)
        if what == "above" or (what is not None and why != "blocked"):
            self.note_problem(what, why, domain if why == "limit" else host)
        return error

    async def fetch(self, uri: str, budget: Budget, *, only_open: bool) -> Item | None:
        """Fetch a post with its author, to be kept; None if it is not for everybody, or a vote.

        Raises: RemoteError, ProtocolError; ForbiddenAddress if its author is blocked.
        """
        ctx = self.ctx
        note = await lookup.fetch_note(ctx, uri, budget, as_owner=not only_open)
        if await ctx.db.read(lambda reader: blocks.is_blocked(reader, note.attributed_to)):
            raise ForbiddenAddress("this is by somebody blocked")
        if create.is_vote(note):
            return None
        author = await lookup.kept_actor(ctx, note.attributed_to, budget)
        visibility = await ctx.db.read(
            lambda reader: keeping.visibility_of(ctx, reader, note, author)
        )
        if visibility is Visibility.DIRECT or (only_open and not visibility.is_open):
            return None
        item = Item(note, author)
        self._fetched.append(item)
        return item

    async def keep(self, *, top: str | None = None) -> None:
        """Keep what was fetched and hangs on the thread; the rest waits for what it answers.

        `top` is kept though it answers nothing that we have.
        """
        waiting, self._fetched = self._fetched, []
        if waiting:
            kept, left = await self.ctx.db.write(lambda tx: _keep(self.ctx, tx, waiting, top))
            self.found += kept
            self._fetched[:0] = left


def _keep(
    ctx: Context, tx: Transaction, items: list[Item], top: str | None
) -> tuple[int, list[Item]]:
    """Keep posts below others that we have; return how many were new, and those left over."""
    count = 0
    while True:
        left: list[Item] = []
        for item in items:
            note, author = item.note, item.author
            hangs = note.in_reply_to is not None and notes.id_of(tx, note.in_reply_to) is not None
            if not hangs and note.uri != top:
                left.append(item)
            elif create.may_answer(ctx, tx, note, author):
                visibility = keeping.visibility_of(ctx, tx, note, author)
                kept = keeping.keep(ctx, tx, note, author, visibility)
                if kept is not None:
                    if kept[1]:
                        count += 1
                        tagged.place(ctx, tx, kept[0])
                    threads.checked(tx, kept[0].id, ctx.now())
        if len(left) == len(items):
            return count, left
        items = left


def _why(problem: Exception) -> Why:
    """Return in a word who did not give us what we asked for."""
    match problem:
        case RemoteGone():
            return "gone"
        case RemoteRefused():
            return "refused"
        case ForbiddenAddress():
            return "blocked"
        case NotFound():
            return "gone"
        case RemoteError(status=None):
            return "silent"
        case RemoteError():
            return "failed"
    return "unreadable"
