"""What all files of the inbox share: the shape of a handler."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from microfedi.federation.context import Context
from microfedi.federation.fetching import Budget
from microfedi.storage.actors import Actor
from microfedi.storage.database import Transaction

Worker = Literal["deliveries", "jobs"]


@dataclass(frozen=True, slots=True)
class Handler:
    """How one type of activity is handled.

    `apply` changes things: on the writer's thread, whole or not at all; twice is as once. `fetch`
    gets what it needs from other servers first and returns the activity with it, if `needs` says
    so. `wakes` are the workers that may have something to do afterwards. (The types of the
    activities differ: HANDLERS sees to it that each handler gets its own.)
    """

    apply: Callable[[Context, Transaction, Any, Actor], None]
    needs: Callable[[Context, Any], bool] | None = None
    fetch: Callable[[Context, Any, Budget], Awaitable[Any]] | None = None
    wakes: tuple[Worker, ...] = ()
