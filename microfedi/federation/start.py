"""From settings to a running Context: keys, database, the way out; and back again."""

import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path

from microfedi import __version__
from microfedi.account import setup
from microfedi.config import Config
from microfedi.errors import ConfigError
from microfedi.federation.context import Context, system_clock
from microfedi.federation.remote import Remote
from microfedi.storage import database, sealed
from microfedi.storage.sealed import Sealer

log = logging.getLogger(__name__)


def user_agent(config: Config) -> str:
    """How we introduce ourselves to other servers."""
    return f"microfedi/{__version__} (+{config.base_url}/)"


def prepare(config: Config) -> Sealer:
    """Make the data directory and the server key if they are missing; return the key's Sealer.

    Raises: ConfigError if what is there cannot be used, or a database stands there without its key.
    """
    _private_directory(config.data_dir)
    key_file = config.server_key_file
    if not key_file.exists():
        if config.database_file.exists():
            raise ConfigError(
                f"{config.database_file} is there but its server key {key_file} is not: put the "
                "key back; without it nothing that is not public can be read"
            )
        key_file.parent.mkdir(parents=True, exist_ok=True)
        sealed.create_key(key_file)
    return sealed.load(key_file)


def _private_directory(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = path.stat().st_mode & 0o777
        if mode & 0o077:
            path.chmod(0o700)
            log.warning("%s was readable by others (mode %o); it is 0700 now", path, mode)
        if not os.access(path, os.W_OK):
            raise ConfigError(f"the data directory {path} is not writable")
    except OSError as error:
        raise ConfigError(f"the data directory {path} cannot be used: {error.strerror}") from error


@contextlib.asynccontextmanager
async def running(
    config: Config,
    *,
    remote: Remote | None = None,
    now: Callable[[], datetime] = system_clock,
) -> AsyncIterator[Context]:
    """Open everything for `config`, and close it at the end.

    Raises: ConfigError if the directory belongs to another base URL or cannot be used.
    """
    sealer = prepare(config)
    async with database.opened(config.database_file, sealer) as db:
        await setup.ensure_instance(db, config, now())
        way_out = remote or Remote(
            user_agent=user_agent(config),
            own_host=config.hostname,
            development=config.federation.development,
        )
        ctx = Context(config=config, db=db, remote=way_out, now=now)
        try:
            await ctx.reload_owner()
            yield ctx
        finally:
            if remote is None:
                await way_out.close()
