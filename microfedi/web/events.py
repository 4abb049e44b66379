"""Server-sent events for the owner's open pages: how much is new, and never what.

Source: HTML Living Standard, 9.2 (server-sent events).
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from microfedi.federation.context import Context
from microfedi.http import forms
from microfedi.http import sessions as http_sessions
from microfedi.http.context import context_of
from microfedi.storage import conversations, notifications, sessions
from microfedi.storage.database import Reader
from microfedi.storage.owner import Owner
from microfedi.storage.sessions import Session
from microfedi.web import reading
from microfedi.words import _, ngettext

# Seconds. A comment after so long keeps proxies from hanging up, shows us who has gone, and is when
# a login is seen to have run out by itself.
KEEP_ALIVE_S = 25.0
# Seconds that news are gathered: a busy minute is a few events, not hundreds, and each open page
# asks the database no more often than that.
GATHER_S = 1.5
RETRY_MS = 10_000  # after which a browser asks again when the stream broke off
MOST_COUNTED = 100  # posts; then it says that there are many


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the page shows that listens: Home up to a position, or a conversation."""

    after: int | None
    talk: int | None


async def stream(request: Request) -> Response:
    """GET /events: `news` with how many messages and notifications wait, as often as it changes.

    In words, too, what the page itself does not show: with `after`, a position of Home, how many
    posts came above it; with `talk`, a conversation, how many messages the owner has not seen.
    `end` says that there is nothing more to come here, and not to ask again.
    """
    session = await http_sessions.of(request)
    if session is None:
        return Response(status_code=204)  # which tells a browser not to ask again
    asked = _Asked(forms.query_id(request, "after"), forms.query_id(request, "talk"))
    events = _events(context_of(request), session, asked)
    return StreamingResponse(
        events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def _events(ctx: Context, session: Session, asked: _Asked) -> AsyncIterator[str]:
    with ctx.news.seat(session.id) as taken:
        yield f"retry: {RETRY_MS}\n\n"
        told = ""
        while not ctx.stopping.is_set():
            coming = ctx.news.coming()
            found = await ctx.db.read(lambda reader: _news(ctx, reader, session, asked))
            if found is None or taken.is_set():
                yield "event: end\ndata:\n\n"
                return
            if found != told:
                told = found
                yield f"event: news\ndata: {found}\n\n"
            if not await _first(KEEP_ALIVE_S, coming, ctx.stopping, taken):
                yield ": still here\n\n"
            await _first(GATHER_S, ctx.stopping, taken)


def _news(ctx: Context, reader: Reader, session: Session, asked: _Asked) -> str | None:
    """Return what there is to tell as JSON, None if the session has ended."""
    now, owner = ctx.now(), ctx.owner
    if not sessions.is_open(reader, session, now=now):
        return None
    return json.dumps(
        {
            "messages": conversations.unread(reader, now=now),
            "notifications": notifications.count_after(
                reader, owner.notifications_read_id, now=now, wanted=owner.filters
            ),
            "words": _in_words(reader, asked, owner, now),
        }
    )


def _in_words(reader: Reader, asked: _Asked, owner: Owner, now: datetime) -> str:
    if asked.talk is not None:
        talk = conversations.by_id(reader, asked.talk, now=now)
        if talk is None or not talk.unread or talk.state != "open":
            return ""
        return ngettext("%(num)s new message", "%(num)s new messages", talk.unread)
    if asked.after is None:
        return ""
    count = reading.count_new(reader, asked.after, owner, now=now, most=MOST_COUNTED)
    if not count:
        return ""
    if count >= MOST_COUNTED:
        return _("Many new posts")
    return ngettext("%(num)s new post", "%(num)s new posts", count)


async def _first(wait_s: float, *events: asyncio.Event) -> bool:
    """Wait for one of them; False if none came in time."""
    tasks = [asyncio.create_task(event.wait()) for event in events]
    try:
        done, _waiting = await asyncio.wait(
            tasks, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED
        )
        return bool(done)
    finally:
        for task in tasks:
            task.cancel()


owner_routes = [Route("/events", stream, methods=["GET"])]
