"""From settings to a running Context: keys, database, the way out; and back again."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path

from microfedi import __version__
from microfedi.config import Config
from microfedi.errors import ConfigError
from microfedi.federation.context import Context, system_clock
from microfedi.federation.remote import Remote
from microfedi.protocol import keys
from microfedi.storage import database, sealed
from microfedi.storage import owner as owner_storage
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
        instance = await db.read(owner_storage.instance)
        if instance is None:
            rsa_pem = await asyncio.to_thread(keys.generate_rsa)
            await db.write(
                lambda tx: owner_storage.create_instance(
                    tx,
                    base_url=config.base_url,
                    handle_domain=config.domain,
                    rsa_pem=rsa_pem,
                    now=now(),
                )
            )
        else:
            check_belongs(
                config, base_url=instance.base_url, handle_domain=instance.handle_domain
            )
        way_out = remote or Remote(
            user_agent=user_agent(config),
            own_host=config.host,
            development=config.federation.development,
        )
        ctx = Context(config=config, db=db, remote=way_out, now=now)
        try:
            await ctx.reload_owner()
            yield ctx
        finally:
            if remote is None:
                await way_out.close()


def check_belongs(config: Config, *, base_url: str, handle_domain: str) -> None:
    """Refuse to serve a directory under an address that it was not made for.

    Every address in it is for ever; under another one, nobody would find anything again.

    Raises: ConfigError saying how to go on.
    """
    if base_url != config.base_url:
        raise ConfigError(
            f"{config.data_dir} was made for {base_url} and cannot become {config.base_url}: "
            "addresses are for ever. To start for real, set base_url and a new, empty data_dir in "
            "config.toml; to go on with the old one, set base_url back"
        )
    if handle_domain != config.domain:
        raise ConfigError(
            f"{config.data_dir} was made for handles at {handle_domain}, not {config.domain}: "
            "handles are for ever. Set handle_domain back, or start with a new, empty data_dir"
        )
