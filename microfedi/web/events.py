"""Server-sent events for the owner's open pages: how much is new, and never what.

Source: HTML Living Standard, 9.2 (server-sent events).
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from microfedi.federation.context import Context
from microfedi.http import forms
from microfedi.http import sessions as http_sessions
from microfedi.http.context import context_of
from microfedi.storage import conversations, notifications, sessions, stretches
from microfedi.storage.database import Reader
from microfedi.words import ngettext

MAX_STREAMS = 24  # of one person's open windows; each is a connection
MAX_STREAMS_OF_SESSION = 6  # tabs in the foreground of one browser: as many connections as it opens

# Seconds. A comment after so long keeps proxies from hanging up, and shows us who has gone.
KEEP_ALIVE_S = 25.0
# Seconds that news are gathered: a busy minute is a few events, not hundreds.
GATHER_S = 1.5
RETRY_MS = 10_000  # after which a browser asks again when the stream broke off

_open: Counter[int] = Counter()


async def stream(request: Request) -> Response:
    """GET /events: `news` with how many messages and notifications wait, as often as it changes.

    With `after`, a position of Home, also how many posts came above it, in words.
    """
    session = await http_sessions.of(request)
    if session is None or _open.total() >= MAX_STREAMS:
        return Response(status_code=204)  # which tells a browser not to ask again
    if _open[session.id] >= MAX_STREAMS_OF_SESSION:
        return Response(status_code=204)
    events = _events(context_of(request), session.id, forms.query_id(request, "after"))
    return StreamingResponse(
        events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def _events(ctx: Context, session_id: int, after: int | None) -> AsyncIterator[str]:
    _open[session_id] += 1
    try:
        yield f"retry: {RETRY_MS}\n\n"
        told = ""
        while not ctx.stopping.is_set():
            coming = ctx.news.coming()
            found = await ctx.db.read(lambda reader: _news(ctx, reader, session_id, after))
            if found is None:
                return  # logged out, or ended from elsewhere
            if found != told:
                told = found
                yield f"event: news\ndata: {found}\n\n"
            if not await _either(coming, ctx.stopping, KEEP_ALIVE_S):
                yield ": still here\n\n"
            elif not ctx.stopping.is_set():
                await _either(ctx.stopping, ctx.stopping, GATHER_S)
    finally:
        _open[session_id] -= 1
        if not _open[session_id]:
            del _open[session_id]


def _news(ctx: Context, reader: Reader, session_id: int, after: int | None) -> str | None:
    """Return what there is to tell as JSON, None if the session has ended."""
    now = ctx.now()
    if not sessions.is_open(reader, session_id, now=now):
        return None
    posts = stretches.count_after(reader, after, now=now) if after else 0
    return json.dumps(
        {
            "messages": conversations.unread(reader, now=now),
            "notifications": notifications.count_after(
                reader, ctx.owner.notifications_read_id, now=now
            ),
            "words": ngettext("%(num)s new post", "%(num)s new posts", posts) if posts else "",
        }
    )


async def _either(one: asyncio.Event, other: asyncio.Event, wait_s: float) -> bool:
    """Wait for one of them; False if none came in time."""
    tasks = [asyncio.create_task(event.wait()) for event in {one, other}]
    try:
        done, _waiting = await asyncio.wait(
            tasks, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED
        )
        return bool(done)
    finally:
        for task in tasks:
            task.cancel()


owner_routes = [Route("/events", stream, methods=["GET"])]
