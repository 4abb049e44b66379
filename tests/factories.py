"""Plain functions that make what tests talk about."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from microfedi.protocol import vocab

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def an_actor(username: str, host: str = "b.example", /, **fields: Any) -> vocab.Actor:
    """Somebody on another server, as their document says it; `fields` replace what is said."""
    uri = f"https://{host}/users/{username}"
    actor = vocab.Actor(
        uri=uri,
        inbox=f"{uri}/inbox",
        preferred_username=username,
        name=username.title(),
        url=f"https://{host}/@{username}",
        shared_inbox=f"https://{host}/inbox",
        outbox=f"{uri}/outbox",
        followers=f"{uri}/followers",
    )
    return replace(actor, **fields)
