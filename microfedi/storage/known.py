"""What is known of one person, asked for at once: a page of theirs needs all of it."""

import json
from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import instants
from microfedi.storage import actor_events, server_facts, verified_links
from microfedi.storage.actor_events import Event
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.server_facts import Facts
from microfedi.storage.verified_links import Link


@dataclass(frozen=True, slots=True)
class Known:
    """Their pages by address, their server, what changed (newest first), what they look like; which
    jobs wait to look again.
    """

    links: dict[str, Link]
    facts: Facts | None
    events: list[Event]
    picture: int | None
    waits: frozenset[str]


def of(reader: Reader, actor: Actor, picture_key: str, now: datetime) -> Known:
    """Return what is known of somebody whose portrait's copy is called `picture_key`."""
    rows = reader.all(
        f"""
        SELECT 'link' AS what, {verified_links.AS_JSON} AS said
          FROM verified_links
         WHERE actor_id = :actor_id
         UNION ALL
        SELECT 'event', {actor_events.AS_JSON}
          FROM actor_events
         WHERE actor_id = :actor_id
         UNION ALL
        SELECT 'facts', {server_facts.AS_JSON}
          FROM server_facts
         WHERE host = :host
         UNION ALL
        SELECT 'picture', likeness
          FROM cached_media
         WHERE key = :picture_key
           AND likeness != ''
         UNION ALL
        SELECT 'waits', kind
          FROM jobs
         WHERE kind IN ('verify', 'server_facts')
           AND key = :uri
        """,  # noqa: S608 - columns of ours
        {
            "actor_id": actor.id,
            "uri": actor.uri,
            "host": actor.host,
            "name": actor.host.partition(":")[0],
            "picture_key": picture_key,
            "now": instants.to_text(now),
        },
    )
    kinds = ("link", "event", "facts", "picture", "waits")
    said: dict[str, list[str]] = {kind: [] for kind in kinds}
    for row in rows:
        said[row["what"]].append(row["said"])
    links = [verified_links.from_json(json.loads(one)) for one in said["link"]]
    events = [actor_events.from_json(json.loads(one)) for one in said["event"]]
    facts = next((server_facts.from_json(json.loads(one)) for one in said["facts"]), None)
    if facts is not None and facts.changed_at is not None:
        detail = f"{facts.former_software} > {facts.software}"
        events.append(Event(actor.id, "software", facts.changed_at, detail))
    return Known(
        {one.url: one for one in links},
        facts,
        sorted(events, key=lambda one: one.at, reverse=True),
        next((int(one, 16) for one in said["picture"]), None),
        frozenset(said["waits"]),
    )
