"""How the server is, as far as can be told from here: for `microfedi doctor` and the status page.

Changes nothing, and asks nobody. What comes of other servers is the doctor's alone.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Literal

from microfedi.config import Config
from microfedi.storage import database
from microfedi.storage.checkup import Waiting
from microfedi.words import _

State = Literal["ok", "warn", "bad"]

BAD_FREE_BYTES = 200_000_000  # less, and a busy day ends in a full disk
LOW_FREE_BYTES = 1_000_000_000
LATE = timedelta(minutes=10)  # what is due for so long is not waiting, it is stuck
FAILING = timedelta(days=1)  # hosts are down for hours all the time


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how it is, and what to do about it."""

    state: State
    what: str
    advice: str = ""


def of_settings(settings: Config) -> Iterator[Finding]:
    """Look at what was set."""
    if settings.is_trial:
        yield Finding(
            "ok",
            _("a trial on this machine: it speaks with no other server"),
            _("for the world, set base_url in config.toml and a new data_dir"),
        )
    elif settings.federation.development:
        yield Finding(
            "warn",
            _("development is on: plain http and private addresses are allowed"),
            _("on a public server, set development = false: it opens your network to strangers"),
        )
    elif settings.federation.mode == "closed":
        yield Finding("ok", _("federation is closed, as you chose"))
    if settings.is_https and not settings.trusted_proxies:
        mine = '["unix"]' if settings.listen.startswith("unix:") else '["127.0.0.1"]'
        yield Finding(
            "warn",
            _(
                "no trusted proxy: every visitor seems to come from the same address, so a "
                "stranger who guesses passwords slows you down as well"
            ),
            _("if the proxy sets X-Forwarded-For, set trusted_proxies = %(value)s", value=mine),
        )


def of_files(settings: Config) -> Iterator[Finding]:
    """Look at whose the files are, and who may read them."""
    paths = [settings.data_dir, settings.server_key_file, settings.media_dir, settings.cache_dir]
    paths += sorted(settings.data_dir.glob(f"{database.FILE_NAME}*"))
    open_to_others = [path for path in paths if path.exists() and _mode(path) & 0o077]
    for path in open_to_others:
        wanted = "700" if path.is_dir() else "600"
        yield Finding(
            "bad", _("%(path)s can be read by others", path=path), f"chmod {wanted} {path}"
        )
    strangers = [path for path in paths if path.exists() and path.stat().st_uid != os.geteuid()]
    for path in strangers:
        yield Finding(
            "warn",
            _("%(path)s belongs to another user than the one asking", path=path),
            _("run doctor as the user that the server runs as, or chown it"),
        )
    if not open_to_others and not strangers:
        yield Finding("ok", _("files in %(path)s are yours alone", path=settings.data_dir))
    if (
        settings.is_https
        and settings.server_key_file.parent.resolve() == settings.data_dir.resolve()
    ):
        yield Finding(
            "warn",
            _("the server key lies beside what it seals: a copy of the directory can be read"),
            _(
                "move it out of data_dir and of the backups, and set key_file; "
                "keep a copy elsewhere"
            ),
        )


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def of_disk(settings: Config) -> Iterator[Finding]:
    """Look at how much room there is."""
    free = shutil.disk_usage(settings.data_dir).free
    what = _("%(size)s GB free on the disk", size=f"{free / 1e9:.1f}")
    if free < LOW_FREE_BYTES:
        state: State = "bad" if free < BAD_FREE_BYTES else "warn"
        yield Finding(state, what, _("make room, or set a smaller budget in Settings, Disk"))
    else:
        yield Finding("ok", what)


def of_queues(waits: Waiting, *, is_served: bool) -> Iterator[Finding]:
    """Look at what waits, and for how long."""
    if is_served and (waits.received_late or waits.jobs_late):
        yield Finding(
            "warn",
            _(
                "%(activities)s activities and %(jobs)s jobs are late",
                activities=waits.received_late,
                jobs=waits.jobs_late,
            ),
            _("look into the log; the machine may be too busy"),
        )
    yield Finding(
        "ok",
        _(
            "%(deliveries)s deliveries wait, for %(servers)s servers",
            deliveries=waits.deliveries,
            servers=waits.hosts,
        ),
    )
    if waits.failing:
        yield Finding(
            "warn",
            _("no answer for more than a day from %(servers)s", servers=", ".join(waits.failing)),
            _("mostly they are down themselves; if it is all of them, it is our network"),
        )
