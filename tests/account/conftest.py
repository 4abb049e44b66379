"""An owner to log in as, made once as setup makes them."""

from dataclasses import dataclass, field
from datetime import datetime

import pyotp
import pytest

from microfedi.account import login, setup
from microfedi.account.passkeys import Challenges
from microfedi.account.throttle import Throttle
from microfedi.config import Config
from microfedi.storage.database import Database
from microfedi.storage.door_log import Visitor
from tests.factories import NOON

PASSWORD = "the gull ate my third sandwich"


@dataclass(slots=True)
class Door:
    """The login of one server, with the secrets of its owner."""

    db: Database
    config: Config
    secret: str
    recovery_codes: tuple[str, ...]
    recovery_key: str
    slowed: Throttle = field(default_factory=Throttle)

    @property
    def door(self) -> login.Door:
        """What the login needs."""
        return login.Door(self.db, self.config, self.slowed, Challenges(self.db.sealer))

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
        """Try to log in; everything is right unless it is said otherwise. Returns the token."""
        return (await self.enter(password, code, address=address, now=now, replaces=replaces)).token

    async def enter(
        self,
        password: str = PASSWORD,
        code: str | None = None,
        *,
        address: str = "192.0.2.1",
        now: datetime = NOON,
        replaces: int | None = None,
    ) -> login.SignIn:
        """Try to log in, and see what one gets."""
        return await login.attempt(
            self.door,
            login.Factors(password, self.code(now) if code is None else code),
            by=Visitor(address, "Browser/1"),
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
    factors = made.factors
    return Door(db, config, factors.totp_secret, factors.recovery_codes, factors.recovery_key)
