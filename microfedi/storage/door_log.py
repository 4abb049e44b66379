"""The door log: who came to the door, and what was done there. Added to, never changed.

Every line carries a keyed digest of itself and of the line before it, and the end of the log is
noted beside it: what was altered, left out or cut off afterwards shows, unless whoever did it has
the server key too, or puts back an older copy of the whole database. So each line also goes to the
program's log, which lies elsewhere.
"""

import hashlib
import hmac
import json
import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction

log = logging.getLogger(__name__)

MAX_LINES = 10_000  # years of one person's logins; as the trigger in the schema says
MAX_DETAIL_CHARS = 200  # a name, a number: what happened is the kind
MAX_BROWSER_CHARS = 300  # of what a browser calls itself
MAX_ADDRESS_CHARS = 64

_PURPOSE = "door log"
_START = bytes(32)


class Kind(StrEnum):
    """What happened at the door."""

    SIGN_IN = "sign_in"
    NEW_BROWSER = "new_browser"  # a sign-in from where there never was one
    FAILURE = "failure"
    SLOWED = "slowed"
    SIGN_OUT = "sign_out"
    SESSION_ENDED = "session_ended"
    LOCKED = "locked"  # everything: all sessions and tokens
    PASSWORD = "password"  # noqa: S105  # its change
    TOTP = "totp"
    RECOVERY_CODES = "recovery_codes"
    RECOVERY_CODE_USED = "recovery_code_used"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    TOKEN = "token"  # noqa: S105  # of an app, made
    TOKEN_ENDED = "token_ended"  # noqa: S105
    VAULT_OPENED = "vault_opened"
    VAULT_LOCKED = "vault_locked"
    VAULT_KEY = "vault_key"  # a new one
    RECOVERY_KEY = "recovery_key"
    EXPORT = "export"
    KEYS = "keys"  # those that sign for the owner
    ACT_ASKED = "act_asked"  # something that cannot be undone, in a day
    ACT_CANCELLED = "act_cancelled"
    ACT_DONE = "act_done"
    ACT_FAILED = "act_failed"
    SHELL = "shell"  # somebody on the server itself


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened. `detail` names the thing; the rest says from where."""

    number: int
    at: datetime
    kind: str
    detail: str
    address: str
    browser: str


def add(
    tx: Transaction,
    kind: Kind,
    *,
    now: datetime,
    address: str = "",
    browser: str = "",
    detail: str = "",
) -> int:
    """Write a line; return its number."""
    newest = tx.one("SELECT number, link FROM door_log ORDER BY number DESC LIMIT 1")
    number, before = (1, _START) if newest is None else (newest["number"] + 1, newest["link"])
    line = Line(
        number,
        now,
        kind.value,
        detail[:MAX_DETAIL_CHARS],
        address[:MAX_ADDRESS_CHARS],
        browser[:MAX_BROWSER_CHARS],
    )
    link = _link(tx, line, before)
    tx.run(
        """
        INSERT INTO door_log (number, at, kind, detail, address, browser, link)
        VALUES (:number, :at, :kind, :detail, :address, :browser, :link)
        """,
        {
            "number": number,
            "at": instants.to_text(now),
            "kind": line.kind,
            "detail": line.detail,
            "address": line.address,
            "browser": line.browser,
            "link": link,
        },
    )
    tx.run("UPDATE instance SET door_log_end = :end", {"end": _end(tx, number, link)})
    tx.run("DELETE FROM door_log WHERE number <= :last", {"last": number - MAX_LINES})
    log.info("door number=%d kind=%s address=%s link=%s", number, kind, address, link.hex()[:16])
    return number


def page(reader: Reader, *, before: int | None = None, limit: int) -> list[Line]:
    """Return the newest lines, or the newest ones before a number, newest first."""
    rows = reader.all(
        """
        SELECT number, at, kind, detail, address, browser
          FROM door_log
         WHERE number < :before
         ORDER BY number DESC
         LIMIT :limit
        """,
        {"before": 2**63 - 1 if before is None else before, "limit": limit},
    )
    return [Line(**{**row, "at": instants.from_text(row["at"])}) for row in map(dict, rows)]


def has_browser(reader: Reader, kind: Kind, browser: str) -> bool:
    """Whether this happened before in a browser that calls itself so."""
    return bool(
        reader.value(
            "SELECT EXISTS (SELECT 1 FROM door_log WHERE kind = :kind AND browser = :browser)",
            {"kind": kind.value, "browser": browser[:MAX_BROWSER_CHARS]},
        )
    )


def broken_at(reader: Reader) -> int | None:
    """Return the number of the first line that is not as it was written; None if all are.

    A missing line counts as broken; what was cut off counts as the line after the last one.
    """
    rows = reader.all(
        "SELECT * FROM door_log ORDER BY number LIMIT :limit", {"limit": MAX_LINES + 1}
    )
    end = reader.value("SELECT door_log_end FROM instance")
    if not rows:
        return None if end is None else 1
    before = None if rows[0]["number"] > 1 else _START
    expected = rows[0]["number"]
    for row in rows:
        line = Line(
            row["number"],
            instants.from_text(row["at"]),
            row["kind"],
            row["detail"],
            row["address"],
            row["browser"],
        )
        if line.number != expected:
            return int(expected)
        # The oldest line that is kept leans on one that was dropped.
        if before is not None and not hmac.compare_digest(row["link"], _link(reader, line, before)):
            return line.number
        before = row["link"]
        expected += 1
    last = rows[-1]
    if end is None or not hmac.compare_digest(end, _end(reader, last["number"], last["link"])):
        return int(last["number"]) + 1
    return None


def _link(reader: Reader, line: Line, before: bytes) -> bytes:
    parts = [
        line.number,
        instants.to_text(line.at),
        line.kind,
        line.detail,
        line.address,
        line.browser,
        before.hex(),
    ]
    text = json.dumps(parts, ensure_ascii=True).encode()
    return hmac.digest(reader.sealer.key_for(_PURPOSE), text, hashlib.sha256)


def _end(reader: Reader, number: int, link: bytes) -> bytes:
    text = b"end %d " % number + link
    return hmac.digest(reader.sealer.key_for(_PURPOSE), text, hashlib.sha256)
