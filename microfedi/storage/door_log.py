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
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from microfedi.protocol import instants
from microfedi.storage import alerts
from microfedi.storage.database import Reader, Transaction
from microfedi.words import mark

log = logging.getLogger(__name__)

MAX_LINES = 10_000  # years of one person's logins; as the trigger in the schema says
MAX_DETAIL_CHARS = 200  # a name, a number: what happened is the kind
MAX_BROWSER_CHARS = 300  # of what a browser calls itself
MAX_ADDRESS_CHARS = 64

# Failures are told of at once when there are so many in an hour: who mistypes has fewer.
MANY_FAILURES = 10
# ... and from here on they are written no more in that hour, or day: somebody who tries for half a
# year must not drive older lines out.
MAX_FAILURES = 30
MAX_FAILURES_A_DAY = 60

_PURPOSE = "door log"
_START = bytes(32)


class Kind(StrEnum):
    """What happened at the door."""

    SIGN_IN = "sign_in"
    NEW_BROWSER = "new_browser"  # a sign-in from where there never was one
    NEW_NETWORK = "new_network"  # one from a known browser, elsewhere
    FAILURE = "failure"
    MANY_FAILURES = "many_failures"
    SLOWED = "slowed"  # there were so many that the others of this hour are not written
    SIGN_OUT = "sign_out"
    SESSION_ENDED = "session_ended"
    SESSION_EXPIRED = "session_expired"
    LOCKED = "locked"  # everything: all sessions and tokens
    PASSWORD = "password"  # noqa: S105  # its change
    TOTP = "totp"
    RECOVERY_CODES = "recovery_codes"
    RECOVERY_CODE_USED = "recovery_code_used"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_RENAMED = "passkey_renamed"
    PASSKEY_REMOVED = "passkey_removed"
    TOKEN = "token"  # noqa: S105  # of an app, made
    TOKEN_ENDED = "token_ended"  # noqa: S105
    VAULT_OPENED = "vault_opened"
    VAULT_LOCKED = "vault_locked"
    VAULT_KEY = "vault_key"  # a new one
    VAULT_FOUND = "vault_found"  # one that was lost
    VAULT_EXCHANGED = "vault_exchanged"  # a key of its, by whoever can write the database
    RECOVERY_KEY = "recovery_key"
    EXPORT = "export"
    KEYS = "keys"  # those that sign for the owner
    ALIAS_ADDED = "alias_added"  # an account that may move here
    ALIAS_REMOVED = "alias_removed"
    MOVED_BACK = "moved_back"
    ACT_ASKED = "act_asked"  # something that cannot be undone, in a day
    ACT_CANCELLED = "act_cancelled"
    ACT_DONE = "act_done"
    ACT_FAILED = "act_failed"
    SHELL = "shell"  # somebody on the server itself


NAMES: Mapping[Kind, str] = {
    Kind.SIGN_IN: mark("Logged in"),
    Kind.NEW_BROWSER: mark("In a browser that was never here before"),
    Kind.NEW_NETWORK: mark("From a network that was never here before"),
    Kind.FAILURE: mark("A login failed"),
    Kind.MANY_FAILURES: mark("Many logins failed"),
    Kind.SLOWED: mark("So many failed that the others of this hour are not written down"),
    Kind.SIGN_OUT: mark("Logged out"),
    Kind.SESSION_ENDED: mark("Another session was ended"),
    Kind.SESSION_EXPIRED: mark("A session ran out"),
    Kind.LOCKED: mark("Everything was locked"),
    Kind.PASSWORD: mark("The password was changed"),
    Kind.TOTP: mark("The authenticator app was changed"),
    Kind.RECOVERY_CODES: mark("New recovery codes were made"),
    Kind.RECOVERY_CODE_USED: mark("A recovery code was used"),
    Kind.PASSKEY_ADDED: mark("A passkey was added"),
    Kind.PASSKEY_RENAMED: mark("A passkey was renamed"),
    Kind.PASSKEY_REMOVED: mark("A passkey was removed"),
    Kind.TOKEN: mark("An app got access"),
    Kind.TOKEN_ENDED: mark("An app's access ended"),
    Kind.VAULT_OPENED: mark("The messages were opened"),
    Kind.VAULT_LOCKED: mark("The messages were locked"),
    Kind.VAULT_KEY: mark("The messages got a new key"),
    Kind.VAULT_FOUND: mark("Messages that were sealed for ever were opened"),
    Kind.VAULT_EXCHANGED: mark("The key that seals messages had been exchanged on the disk"),
    Kind.RECOVERY_KEY: mark("A new recovery key was made"),
    Kind.EXPORT: mark("Data was taken out"),
    Kind.KEYS: mark("New keys for signing were made"),
    Kind.ALIAS_ADDED: mark("An account was named that may move here"),
    Kind.ALIAS_REMOVED: mark("An account is named no more"),
    Kind.MOVED_BACK: mark("The move was taken back"),
    Kind.ACT_ASKED: mark("Asked for, to be done in a day"),
    Kind.ACT_CANCELLED: mark("Cancelled"),
    Kind.ACT_DONE: mark("Done, after its day"),
    Kind.ACT_FAILED: mark("Could not be done"),
    Kind.SHELL: mark("Done on the server itself"),
}

# What the owner is told of at once, by every way there is.
ALERTED = frozenset(
    {
        *(Kind.NEW_BROWSER, Kind.NEW_NETWORK, Kind.MANY_FAILURES, Kind.LOCKED, Kind.SHELL),
        *(Kind.PASSWORD, Kind.TOTP, Kind.RECOVERY_CODES, Kind.RECOVERY_CODE_USED),
        *(Kind.PASSKEY_ADDED, Kind.PASSKEY_RENAMED, Kind.PASSKEY_REMOVED, Kind.TOKEN),
        *(Kind.VAULT_KEY, Kind.VAULT_FOUND, Kind.VAULT_EXCHANGED, Kind.RECOVERY_KEY),
        *(Kind.KEYS, Kind.EXPORT, Kind.ALIAS_ADDED, Kind.ALIAS_REMOVED, Kind.MOVED_BACK),
        *(Kind.ACT_ASKED, Kind.ACT_CANCELLED, Kind.ACT_DONE, Kind.ACT_FAILED),
    }
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Where a request comes from, as far as it can be known: what a line says of it."""

    address: str = ""
    browser: str = ""


NOBODY = Visitor()  # the server by itself, or somebody on its command line


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened. `detail` names the thing; the rest says from where."""

    number: int
    at: datetime
    kind: str
    detail: str
    address: str
    browser: str

    def is_of(self, began_at: datetime) -> bool:
        """Whether it is about the login of the session that began then: both are of one instant."""
        return self.at == began_at and self.kind != Kind.VAULT_EXCHANGED


def add(
    tx: Transaction,
    kind: Kind,
    *,
    now: datetime,
    by: Visitor = NOBODY,
    detail: str = "",
) -> int:
    """Write a line; return its number. What the owner is told of at once is sent off with it."""
    newest = tx.one("SELECT number, link FROM door_log ORDER BY number DESC LIMIT 1")
    number, before = (1, _START) if newest is None else (newest["number"] + 1, newest["link"])
    line = Line(
        number,
        now,
        kind.value,
        detail[:MAX_DETAIL_CHARS],
        by.address[:MAX_ADDRESS_CHARS],
        by.browser[:MAX_BROWSER_CHARS],
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
    log.info("door number=%d kind=%s address=%s link=%s", number, kind, by.address, link.hex()[:16])
    if kind in ALERTED:
        alerts.add(tx, kind.value, now=now)
    return number


def add_failure(tx: Transaction, *, now: datetime, by: Visitor) -> None:
    """Write down that somebody did not get in. Of very many in an hour or a day only the first
    are."""
    written: dict[Kind, list[int]] = {Kind.FAILURE: [0, 0], Kind.SLOWED: [0, 0]}
    for row in tx.all(
        """
        SELECT kind, count(*) FILTER (WHERE at > :hour_ago) AS in_hour, count(*) AS in_day
          FROM door_log
         WHERE kind IN ('failure', 'slowed')
           AND at > :day_ago
         GROUP BY kind
        """,
        {
            "hour_ago": instants.to_text(now - timedelta(hours=1)),
            "day_ago": instants.to_text(now - timedelta(days=1)),
        },
    ):
        written[Kind(row["kind"])] = [row["in_hour"], row["in_day"]]
    failed, said = written[Kind.FAILURE], written[Kind.SLOWED]
    for count, most, is_said in zip(failed, (MAX_FAILURES, MAX_FAILURES_A_DAY), said, strict=True):
        if count >= most:
            if not is_said:
                add(tx, Kind.SLOWED, now=now, by=by)
            return
    add(tx, Kind.FAILURE, now=now, by=by)
    if failed[0] + 1 == MANY_FAILURES:
        add(tx, Kind.MANY_FAILURES, now=now, by=by)


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
    return [_from_row(row) for row in rows]


def strange(reader: Reader, *, since: datetime) -> list[Line]:
    """Return what the owner has not said to know: logins from where there never was one, and
    exchanged keys.
    """
    rows = reader.all(
        """
        SELECT number, at, kind, detail, address, browser
          FROM door_log
         WHERE number > (SELECT coalesce(max(door_seen), 0) FROM owner)
           AND kind IN (:browser, :network, :key)
           AND at > :since
         ORDER BY number DESC
        """,
        {
            "browser": Kind.NEW_BROWSER.value,
            "network": Kind.NEW_NETWORK.value,
            "key": Kind.VAULT_EXCHANGED.value,
            "since": instants.to_text(since),
        },
    )
    return [_from_row(row) for row in rows]


def know(tx: Transaction, number: int) -> None:
    """Note that the owner knows of every login up to a line."""
    tx.run("UPDATE owner SET door_seen = max(door_seen, :number)", {"number": number})


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
        line = _from_row(row)
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


def _from_row(row: sqlite3.Row) -> Line:
    return Line(
        row["number"],
        instants.from_text(row["at"]),
        row["kind"],
        row["detail"],
        row["address"],
        row["browser"],
    )


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
