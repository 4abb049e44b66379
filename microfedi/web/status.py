"""How the server is: what waits, who does not answer, the disk, and what should be mended."""

import asyncio
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from microfedi.config import Config
from microfedi.errors import NotFound
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import checkup, condition, deliveries, hosts, media, schema, upkeep
from microfedi.storage.checkup import FailingHost, Queues
from microfedi.storage.condition import Finding
from microfedi.storage.database import Reader
from microfedi.web import troubles

MAX_HOSTS = 40  # that do not answer, on the page; the rest are counted
_STATM = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True)
class Disk:
    """What takes how many bytes. `copies` are those that upgrades made of the database."""

    database: int
    own: int
    cached: int
    copies: int
    copied_at: datetime | None
    free: int


@dataclass(frozen=True, slots=True)
class Here:
    """What the file system and the process say."""

    findings: tuple[Finding, ...]
    copies: int
    copied_at: datetime | None
    free: int
    memory: int | None


async def show(request: Request) -> Response:
    """GET /settings/status: nothing is asked of anybody, and nothing changes."""
    ctx = context_of(request)
    now = ctx.now()

    def question(reader: Reader) -> tuple[Queues, list[FailingHost], tuple[int, int, int]]:
        sizes = (
            upkeep.database_bytes(reader),
            media.total_bytes(reader),
            media.cached_bytes(reader),
        )
        return checkup.queues(reader, now), checkup.failing(reader, MAX_HOSTS + 1), sizes

    queues, failing, (database, own, cached) = await ctx.db.read(question)
    here = await asyncio.to_thread(_look, ctx.config, now)
    values = {
        "queues": queues,
        "most": checkup.MAX_COUNTED,
        "late": now - condition.LATE,
        "failing": failing[:MAX_HOSTS],
        "more_failing": len(failing) > MAX_HOSTS,
        "reasons": {one.id: troubles.in_words(one.problem) for one in failing},
        "disk": Disk(database, own, cached, here.copies, here.copied_at, here.free),
        "budget": ctx.owner.disk_budget_bytes,
        "findings": [one for one in here.findings if one.state != "ok"],
        "fine": [one for one in here.findings if one.state == "ok"],
        "memory": here.memory,
        "started_at": ctx.started_at,
        "data_dir": ctx.config.data_dir,
        "done": request.query_params.get("done", ""),
    }
    return await page(request, "settings_status.html", values)


async def try_now(request: Request) -> Response:
    """POST /settings/status/hosts/{id}/try: send what waits for a server at once."""
    ctx = context_of(request)
    host_id = forms.path_id(request, "id")
    if not await ctx.db.write(lambda tx: hosts.try_now(tx, host_id, ctx.now())):
        raise NotFound("nothing waits for a server of that number")
    ctx.wake.deliveries.set()
    return RedirectResponse("/settings/status?done=try#failing", 303)


async def give_up(request: Request) -> Response:
    """POST /settings/status/hosts/{id}/give-up: throw away what waits for a server."""
    ctx = context_of(request)
    host_id = forms.path_id(request, "id")
    await ctx.db.write(lambda tx: deliveries.drop_host(tx, host_id, problem="owner", now=ctx.now()))
    return RedirectResponse("/settings/status?done=give-up#failing", 303)


def _look(config: Config, now: datetime) -> Here:
    """Look at files and at this process. On a thread: a disk may be slow."""
    findings = (
        *condition.of_disk(config),
        *condition.of_files(config),
        *condition.of_settings(config),
    )
    copies = [one.stat() for one in schema.copies(config.database_file)]
    newest = max((one.st_mtime for one in copies), default=None)
    return Here(
        findings,
        sum(one.st_size for one in copies),
        None if newest is None else datetime.fromtimestamp(newest, now.tzinfo),
        shutil.disk_usage(config.data_dir).free,
        _memory(),
    )


def _memory() -> int | None:
    """Return how many bytes of memory this process has, None if the system does not say."""
    try:
        pages = int(_STATM.read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


owner_routes = [
    Route("/settings/status", show, methods=["GET"]),
    Route("/settings/status/hosts/{id}/try", try_now, methods=["POST"]),
    Route("/settings/status/hosts/{id}/give-up", give_up, methods=["POST"]),
]
