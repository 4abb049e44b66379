"""What is known of one person, asked for at once: a page of theirs needs all of it."""

import json
from dataclasses import dataclass
from datetime import datetime

from microfedi.protocol import instants
from microfedi.storage import actor_events, server_facts, verified_links
from microfedi.storage.actor_events import Event
from microfedi.storage.database import Reader
from microfedi.storage.server_facts import Facts
from microfedi.storage.verified_links import Link


@dataclass(frozen=True, slots=True)
class Known:
    """Their pages by address, their server, what changed (newest first), what they look like."""

    links: dict[str, Link]
    facts: Facts | None
    events: list[Event]
    picture: int | None


def of(reader: Reader, actor_id: int, host: str, picture_key: str, now: datetime) -> Known:
    """Return what is known of somebody on `host`, whose portrait's copy is called `picture_key`."""
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
        """,  # noqa: S608 - columns of ours
        {
            "actor_id": actor_id,
            "host": host,
            "name": host.partition(":")[0],
            "picture_key": picture_key,
            "now": instants.to_text(now),
        },
    )
    said: dict[str, list[str]] = {"link": [], "event": [], "facts": [], "picture": []}
    for row in rows:
        said[row["what"]].append(row["said"])
    links = [verified_links.from_json(json.loads(one)) for one in said["link"]]
    events = [actor_events.from_json(json.loads(one)) for one in said["event"]]
    facts = next((server_facts.from_json(json.loads(one)) for one in said["facts"]), None)
    if facts is not None and facts.changed_at is not None:
        detail = f"{facts.former_software} > {facts.software}"
        events.append(Event(actor_id, "software", facts.changed_at, detail))
    return Known(
        {one.url: one for one in links},
        facts,
        sorted(events, key=lambda one: one.at, reverse=True),
        next((int(one, 16) for one in said["picture"]), None),
    )
