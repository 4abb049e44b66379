"""Plain functions that make what tests talk about."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from microfedi.federation import uploads
from microfedi.federation.context import Context
from microfedi.imagework import Picture
from microfedi.protocol import vocab
from microfedi.storage.drafts import Attached
from microfedi.storage.notes import Note

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


async def held(ctx: Context, described: Iterable[tuple[Picture, str]]) -> tuple[Attached, ...]:
    """Files as the owner uploads them, before the post that they will hang on is written."""
    return tuple(
        [
            Attached((await uploads.hold(ctx, picture)).record.public_id, alt, picture.focal_point)
            for picture, alt in described
        ]
    )


def hanging(note: Note) -> tuple[Attached, ...]:
    """The files of a post as the form for a new version of it brings them."""
    return tuple(
        Attached(one.url.rpartition("/")[2], one.alt, one.focal_point) for one in note.attachments
    )
