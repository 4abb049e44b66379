"""The schema of the database, step by step, and the copies that are taken before it changes."""

import contextlib
import logging
import os
import sqlite3
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from microfedi.errors import ConfigError

log = logging.getLogger(__name__)

_COPIED = "-before-"  # in the name of a copy: which schema came, and which was there


def steps() -> list[tuple[int, str]]:
    """Return every step, by its number, as SQL."""
    directory = resources.files("microfedi.storage") / "migrations"
    found = [
        (int(file.name[:4]), file.read_text("utf-8"))
        for file in directory.iterdir()
        if file.name.endswith(".sql")
    ]
    return sorted(found)


def newest() -> int:
    """Return the schema version that this microfedi works with."""
    return steps()[-1][0]


def version(path: Path) -> int:
    """Return the schema version of the file at `path`; 0 if it is new or missing."""
    if not path.exists():
        return 0
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn:
        return int(conn.execute("PRAGMA user_version").fetchone()[0])


def migrate(path: Path) -> None:
    """Bring the file at `path` (made if it is missing) to this microfedi's schema.

    Each step and its number are one transaction. Before the first step of an upgrade a copy is
    taken beside the file, named by the old version.

    Raises: ConfigError if the file is from a newer microfedi.
    """
    scripts = steps()
    last = scripts[-1][0]
    with private_files():
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as conn:
            conn.execute("PRAGMA journal_mode = WAL")
            conn.execute("PRAGMA synchronous = FULL")
            current = int(conn.execute("PRAGMA user_version").fetchone()[0])
            if current > last:
                raise ConfigError(
                    f"{path} was written by a newer microfedi (schema {current}, this one knows "
                    f"{last}): install the newer version again"
                )
            if 0 < current < last:
                copy = path.with_name(f"{path.stem}{_COPIED}{last:04d}-was-{current:04d}.db")
                copy.unlink(missing_ok=True)
                conn.execute("VACUUM INTO ?", (str(copy),))
                copy.chmod(0o600)
                log.info("copied the database to %s before upgrading it", copy)
            for number, script in scripts:
                if number <= current:
                    continue
                try:
                    conn.executescript(
                        f"BEGIN IMMEDIATE;\n{script}\n;PRAGMA user_version = {number};\nCOMMIT;"
                    )
                except sqlite3.Error:
                    if conn.in_transaction:
                        conn.execute("ROLLBACK")
                    raise
        path.chmod(0o600)


def copies(path: Path) -> dict[Path, int]:
    """Return the copies of the database at `path` that were made before upgrades, and the schema of
    each.
    """
    found = path.parent.glob(
        f"{path.stem}{_COPIED}[0-9][0-9][0-9][0-9]-was-[0-9][0-9][0-9][0-9].db"
    )
    return {one: int(one.stem[-4:]) for one in sorted(found)}


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """Whatever SQLite creates meanwhile (the file, -wal, -shm) is 0600."""
    old = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(old)
