"""An owner to log in as, made once as setup makes them."""

from dataclasses import dataclass, field
from datetime import datetime

import pyotp
import pytest

from microfedi.account import login, setup
from microfedi.account.throttle import Throttle
from microfedi.config import Config
from microfedi.storage.database import Database
from tests.factories import NOON

PASSWORD = "the gull ate my third sandwich"


@dataclass(slots=True)
class Door:
    """The login of one server, with the secrets of its owner."""

    db: Database
    config: Config
    secret: str
    recovery_codes: tuple[str, ...]
    slowed: Throttle = field(default_factory=Throttle)

    def code(self, now: datetime = NOON) -> str:
        """What the owner's app shows."""
        return pyotp.TOTP(self.secret).at(now)

    async def attempt(
        self,
        password: str = PASSWORD,
        code: str | None = None,
        *,
        address: str = "192.0.2.1",
        now: datetime = NOON,
        replaces: int | None = None,
    ) -> str:
        """Try to log in; everything is right unless it is said otherwise."""
        return await login.attempt(
            self.db,
            self.slowed,
            password=password,
            code=self.code(now) if code is None else code,
            address=address,
            user_agent="Browser/1",
            now=now,
            replaces=replaces,
        )


@pytest.fixture
def config() -> Config:
    return Config(base_url="https://us.example")


@pytest.fixture
async def door(db: Database, config: Config) -> Door:
    await setup.ensure_instance(db, config, NOON)
    made = await setup.make_owner(
        db, config, handle="alice", name="The Owner", password=PASSWORD, now=NOON
    )
    return Door(db, config, made.factors.totp_secret, made.factors.recovery_codes)
