"""Our side of a test: a Context with an owner, on a real database, beside another_server."""

import functools
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from microfedi.config import Config, Federation, Limits
from microfedi.federation.context import Context
from microfedi.protocol import keys
from microfedi.storage import instance, owner
from microfedi.storage.database import Database, Transaction
from tests.another_server import AnotherServer
from tests.factories import NOON

BASE_URL = "https://us.example"
OWNER = f"{BASE_URL}/users/owner"
DISK_BUDGET = 1_000_000_000  # bytes


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@functools.cache
def _pems() -> tuple[str, str]:
    return keys.generate_rsa(), keys.generate_ed25519()


async def context(
    db: Database,
    server: AnotherServer,
    tmp_path: Path,
    *,
    federation: Federation | None = None,
    limits: Limits | None = None,
    now: Callable[[], datetime] | None = None,
) -> Context:
    """Make us.example with its owner."""
    config = Config(
        base_url=BASE_URL,
        data_dir=tmp_path,
        federation=federation or Federation(),
        limits=limits or Limits(),
        handle="owner",
    )
    rsa_pem, ed25519_pem = _pems()

    def create(tx: Transaction) -> None:
        instance.create(
            tx, base_url=BASE_URL, handle_domain="us.example", rsa_pem=rsa_pem, now=NOON
        )
        owner.create(
            tx,
            handle="owner",
            name="Owner",
            password_hash="x",
            totp_secret="JBSWY3DPEHPK3PXP",
            totp_step=0,
            rsa_pem=rsa_pem,
            ed25519_pem=ed25519_pem,
            disk_budget_bytes=DISK_BUDGET,
            recovery_hashes=[],
            now=NOON,
        )

    await db.write(create)
    ctx = Context(config=config, db=db, remote=server.remote(), now=now or (lambda: NOON))
    await ctx.reload_owner()
    return ctx
