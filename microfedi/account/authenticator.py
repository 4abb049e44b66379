"""Another authenticator app in the place of the one before: shown first, kept once it works."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from microfedi.account import totp
from microfedi.errors import InvalidInput
from microfedi.protocol import instants
from microfedi.storage import credentials, door_log
from microfedi.storage.database import Database, Transaction
from microfedi.storage.door_log import Kind, Visitor
from microfedi.storage.sealed import Sealer

MAX_SEALED_CHARS = 1000
GOOD_FOR: Final = timedelta(minutes=15)  # to find the phone, install an app and scan
_PURPOSE = "new authenticator"


@dataclass(frozen=True, slots=True)
class Pending:
    """A secret that is kept nowhere yet. `sealed` goes into a hidden field and comes back."""

    secret: str
    sealed: str

    def __repr__(self) -> str:
        return "Pending(…)"


def begin(sealer: Sealer, *, bound_to: str, now: datetime) -> Pending:
    """Return a fresh secret for the session that `bound_to` stands for.

    Ask `login.confirm` first: who has what is returned can put it in the place of the present one.
    """
    secret = totp.new_secret()
    plain = json.dumps([secret, instants.to_text(now)]).encode()
    sealed = sealer.seal(_PURPOSE, plain, bound_to=bound_to)
    return Pending(secret, base64.urlsafe_b64encode(sealed).decode("ascii"))


def resumed(sealer: Sealer, sealed: str, *, bound_to: str, now: datetime) -> Pending:
    """Return what `begin` began.

    Raises: InvalidInput if it was another session's, or longer ago than `GOOD_FOR`.
    """
    try:
        raw = base64.b64decode(sealed.encode(), altchars=b"-_", validate=True)
        secret, began = json.loads(sealer.open(_PURPOSE, raw, bound_to=bound_to))
    except (ValueError, binascii.Error):
        began = ""
    if not began or not timedelta() <= now - instants.from_text(began) <= GOOD_FOR:
        raise InvalidInput("", "That took too long. Please begin once more.")
    return Pending(secret, sealed)


async def finish(db: Database, pending: Pending, code: str, *, now: datetime, by: Visitor) -> None:
    """Let the new app take the place of the old one, if it shows the right code.

    Raises: InvalidInput (`code`).
    """
    step = totp.accepted_step(pending.secret, "".join(code.split()), now)
    if step is None:
        raise InvalidInput(
            "code", "This is not the new app's code. The old app goes on until it is."
        )

    def change(tx: Transaction) -> None:
        credentials.set_totp(tx, pending.secret, step)
        door_log.add(tx, Kind.TOTP, now=now, by=by)

    await db.write(change)
