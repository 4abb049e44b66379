"""What is known of other servers: what they say of themselves, and what was seen of them."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from microfedi.protocol import instants
from microfedi.storage.database import Reader, Transaction

FRESH_FOR = timedelta(days=7)  # then a server is asked again, if somebody of it is looked at
KEPT_FOR = timedelta(days=400)  # after the last look: software changes seldom
MAX_KEPT = 20_000  # servers; whoever has a domain has as many names below it as they like


@dataclass(frozen=True, slots=True)
class Facts:
    """A server. `users`, `open_registrations` are its own words; None is what it does not say.

    `wants_signatures`: it shows profiles to signed requests only. `signs_rfc9421`: its requests
    carry signatures of the newer kind, or it asked for them. `followed` is how many people there
    the owner follows. `first_seen_at` is when we first looked.
    """

    host: str
    first_seen_at: datetime
    checked_at: datetime
    software: str
    version: str
    users: int | None
    open_registrations: bool | None
    wants_signatures: bool | None
    signs_rfc9421: bool
    former_software: str
    changed_at: datetime | None
    is_blocked: bool
    is_muted: bool
    followed: int


@dataclass(frozen=True, slots=True)
class Said:
    """What a server answered just now."""

    software: str = ""
    version: str = ""
    users: int | None = None
    open_registrations: bool | None = None
    wants_signatures: bool | None = None


# Needs the parameters `name` (the host without its port) and `now`.
AS_JSON = """json_array(
    server_facts.host, first_seen_at, checked_at, software, software_version, users,
    open_registrations, wants_signatures,
    coalesce((SELECT prefers_rfc9421 FROM hosts WHERE hosts.name = server_facts.host), 0),
    former_software, changed_at,
    EXISTS (SELECT 1 FROM blocked_hosts
             WHERE blocked_hosts.host = :name OR :name LIKE '%.' || blocked_hosts.host),
    EXISTS (SELECT 1 FROM muted_hosts
             WHERE (muted_hosts.host = :name OR :name LIKE '%.' || muted_hosts.host)
               AND (until IS NULL OR until > :now)),
    (SELECT count(*)
       FROM following
       JOIN actors ON actors.id = following.actor_id
      WHERE following.state = 'accepted'
        AND actors.host = server_facts.host))"""


def of(reader: Reader, host: str, now: datetime) -> Facts | None:
    """Return what is known of a server (host with its port), None if it was never asked."""
    said: str | None = reader.value(
        f"SELECT {AS_JSON} FROM server_facts WHERE host = :host",  # noqa: S608 - columns of ours
        {"host": host, "name": host.partition(":")[0], "now": instants.to_text(now)},
    )
    return None if said is None else from_json(json.loads(said))


def from_json(said: list[Any]) -> Facts:
    """Read what AS_JSON selects."""
    host, first, checked, software, version, users, is_open, wants, rfc9421, *rest = said
    former, changed, is_blocked, is_muted, followed = rest
    return Facts(
        host=host,
        first_seen_at=instants.from_text(first),
        checked_at=instants.from_text(checked),
        software=software,
        version=version,
        users=users,
        open_registrations=_flag(is_open),
        wants_signatures=_flag(wants),
        signs_rfc9421=bool(rfc9421),
        former_software=former,
        changed_at=None if changed is None else instants.from_text(changed),
        is_blocked=bool(is_blocked),
        is_muted=bool(is_muted),
        followed=followed,
    )


def is_fresh(reader: Reader, host: str, now: datetime) -> bool:
    """Whether a server was asked a short while ago."""
    return bool(
        reader.value(
            "SELECT 1 FROM server_facts WHERE host = :host AND checked_at > :after",
            {"host": host, "after": instants.to_text(now - FRESH_FOR)},
        )
    )


def put(tx: Transaction, host: str, said: Said, now: datetime) -> None:
    """Keep what a server said. If it says nothing now, what it ran on before is not forgotten."""
    values = {
        "host": host,
        "now": instants.to_text(now),
        "software": said.software,
        "version": said.version,
        "users": said.users,
        "open": said.open_registrations,
        "wants": said.wants_signatures,
        "most": MAX_KEPT,
    }
    tx.run(
        """
        INSERT INTO server_facts (host, first_seen_at, checked_at, software, software_version,
                                  users, open_registrations, wants_signatures)
        SELECT :host, :now, :now, :software, :version, :users, :open, :wants
         WHERE (SELECT count(*) FROM server_facts) < :most
            OR EXISTS (SELECT 1 FROM server_facts WHERE host = :host)
        ON CONFLICT (host) DO UPDATE
           SET checked_at = excluded.checked_at,
               former_software = iif(excluded.software NOT IN ('', software) AND software != '',
                                     software, former_software),
               changed_at = iif(excluded.software NOT IN ('', software) AND software != '',
                                excluded.checked_at, changed_at),
               software = iif(excluded.software = '', software, excluded.software),
               software_version = iif(excluded.software = '', software_version,
                                      excluded.software_version),
               users = excluded.users,
               open_registrations = excluded.open_registrations,
               wants_signatures = coalesce(excluded.wants_signatures, wants_signatures)
        """,
        values,
    )


def prune(tx: Transaction, before: datetime) -> int:
    """Forget servers that nobody looked at since `before`."""
    return tx.run(
        "DELETE FROM server_facts WHERE checked_at < :before",
        {"before": instants.to_text(before)},
    )


def _flag(value: int | None) -> bool | None:
    return None if value is None else bool(value)
