"""What posts link to: a page of the web, read once, for a card below the post.

Only links of open posts are followed: to fetch those of a closed one would tell of it.
"""

import logging
from datetime import timedelta

from microfedi.errors import ProtocolError, RemoteError
from microfedi.federation import fetching
from microfedi.federation.context import Context
from microfedi.protocol import answers, pagecards, sanitize, uris
from microfedi.storage import jobs, previews
from microfedi.storage.database import Transaction
from microfedi.storage.notes import Note
from microfedi.storage.previews import Preview

log = logging.getLogger(__name__)

MAX_PAGE_BYTES = 2 * 1024 * 1024  # of HTML; the largest newspapers stay below
DEADLINE_S = 10.0
MAX_WAITING = 200  # pages; whoever posts more links in a minute gets no card for the rest
KEPT = timedelta(days=30)
# Pages are fetched some time after the post has come: thousands of servers got it in this moment.
SPREAD = timedelta(minutes=1)


def of(note: Note) -> str | None:
    """Return the one link of an open post that is worth a card: none beside pictures or quotes."""
    if not note.visibility.is_open or note.attachments or note.quote or note.poll:
        return None
    if note.links:
        return note.links[0].url
    if "http" not in note.html:
        return None
    return next(iter(sanitize.pages_in(note.html)), None)


def plan(ctx: Context, tx: Transaction, note: Note) -> None:
    """Have the page read that a new post links to."""
    url = of(note)
    if url is None or previews.is_known(tx, url) or fetching.is_ours(ctx, url):
        return
    jobs.add(tx, "preview", url, due_at=ctx.soon(SPREAD), most=MAX_WAITING)


async def read(ctx: Context, url: str) -> timedelta | None:
    """Read a page and keep what it says of itself; key of the job: its address.

    A page that cannot be had is not asked again for a month. No signature goes with the request.

    Source: the Open Graph protocol; security catalogue S-059, S-091.
    """
    card = pagecards.PageCard("", "", None, "")
    try:
        if not uris.is_acceptable(url, allow_http=True):
            return None
        await fetching.check_host(ctx, url)
        fetched = await ctx.remote.get_bytes(
            url, max_bytes=MAX_PAGE_BYTES, deadline_s=DEADLINE_S, accept="text/html"
        )
        if answers.media_type(fetched.content_type) == "text/html":
            card = pagecards.read(fetched.body.decode("utf-8", errors="replace"), fetched.url)
    except (RemoteError, ProtocolError) as error:
        log.info("a page could not be read: %s", error)
    preview = Preview(url, card.title, card.description, card.image_url)
    await ctx.db.write(lambda tx: previews.put(tx, preview, ctx.now()))
    return None
