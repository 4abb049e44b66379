"""The owner's public posts as Atom and as JSON Feed: all of them, or those with a hashtag."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.errors import NotFound
from microfedi.http.context import context_of
from microfedi.http.negotiate import with_etag
from microfedi.http.pages import environment, summary_line
from microfedi.protocol import markup, sanitize, vocab
from microfedi.protocol.vocab import Visibility
from microfedi.storage import actors, note_lists
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note
from microfedi.storage.owner import Owner

FEED_NOTES = 20

# What XML 1.0 cannot hold at all, however it is escaped. Source: XML 1.0 2.2.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Feed:
    """The newest public posts. `page_url` is the page that says the same to people."""

    owner: Owner
    me: Actor
    title: str
    address: str
    page_url: str
    notes: list[Note]
    updated: datetime


async def atom(request: Request) -> Response:
    """GET /@{handle}/feed.atom, /tags/{tag}/feed.atom: replies to others are left out.

    Source: RFC 4287.
    """
    feed = await _read(request)
    owner = feed.owner
    xml = (
        environment()
        .get_template("feed.xml")
        .render(
            me=feed.me,
            title=feed.title,
            address=feed.address,
            author_url=owner.addresses.page,
            page_url=feed.page_url,
            feed_url=f"{feed.page_url}/feed.atom",
            updated=feed.updated,
            notes=[
                (
                    note,
                    summary_line(note),
                    owner.addresses.note_page(note.public_id or ""),
                    _content(note),
                )
                for note in feed.notes
            ],
        )
    )
    response = Response(_NOT_XML.sub("\ufffd", xml), media_type="application/atom+xml")
    return _kept_a_while(request, response)


async def json_feed(request: Request) -> Response:
    """GET /@{handle}/feed.json, /tags/{tag}/feed.json: the same posts.

    Source: JSON Feed 1.1, https://www.jsonfeed.org/version/1.1/.
    """
    feed = await _read(request)
    owner = feed.owner
    author = _without_empty(
        {
            "name": feed.me.name or feed.me.username,
            "url": owner.addresses.page,
            "avatar": feed.me.icon_url,
        }
    )
    document = _without_empty(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": feed.title,
            "home_page_url": feed.page_url,
            "feed_url": f"{feed.page_url}/feed.json",
            "description": " ".join(sanitize.text(feed.me.summary).split()) or feed.address,
            "icon": feed.me.icon_url,
            "authors": [author],
        }
    )
    document["items"] = [_item(owner, note) for note in feed.notes]
    body = json.dumps(document, ensure_ascii=False).encode(errors="replace")
    return _kept_a_while(request, Response(body, media_type="application/feed+json"))


async def _read(request: Request) -> Feed:
    """Read what a feed is made of. Raises: NotFound if nobody of that name lives here."""
    ctx = context_of(request)
    handle, tag = request.path_params.get("handle"), request.path_params.get("tag", "").lower()
    if not ctx.has_owner or handle not in (None, ctx.owner.handle):
        raise NotFound("nobody of that name lives here")
    owner = ctx.owner
    if len(tag) > markup.MAX_HASHTAG_CHARS or not tag.isprintable():
        raise NotFound("no such hashtag")

    def question(reader: Reader) -> tuple[Actor | None, list[Note]]:
        return actors.by_id(reader, owner.actor_id), (
            note_lists.by_tag(reader, tag, limit=FEED_NOTES, own_public=True)
            if tag
            else _all(reader, owner)
        )

    me, found = await ctx.db.read(question)
    if me is None:
        raise NotFound("nobody of that name lives here")
    name = me.name or me.username
    return Feed(
        owner=owner,
        me=me,
        title=f"{name} – #{tag}" if tag else name,
        address=f"@{owner.handle}@{ctx.config.domain}",
        page_url=owner.addresses.tag(quote(tag, safe="")) if tag else owner.addresses.page,
        notes=found,
        updated=max(
            (note.updated_at or note.published_at for note in found), default=owner.created_at
        ),
    )


def _all(reader: Reader, owner: Owner) -> list[Note]:
    return note_lists.by_actor(
        reader,
        owner.actor_id,
        visibilities=(Visibility.PUBLIC,),
        limit=FEED_NOTES,
        with_replies=False,
    )


def _item(owner: Owner, note: Note) -> dict[str, Any]:
    """Return a post as an item. A warning is all that is said of what stands behind it."""
    shown = () if note.sensitive or note.summary else note.attachments
    picture = next((one.url for one in shown if one.media_type.startswith("image/")), None)
    item = {
        "id": note.uri,
        "url": owner.addresses.note_page(note.public_id or ""),
        "title": note.name,
        "date_published": _rfc3339(note.published_at),
        "date_modified": _rfc3339(note.updated_at) if note.updated_at else None,
        "language": note.language,
        "tags": list(note.hashtags),
        "image": picture,
        "attachments": [_attachment(one) for one in shown],
    }
    text = {"content_text": note.summary} if note.summary else {"content_html": _content(note)}
    return _without_empty(item) | {name: str(value) for name, value in text.items()}


def _attachment(one: vocab.Attachment) -> dict[str, Any]:
    return _without_empty(
        {
            "url": one.url,
            "mime_type": one.media_type,
            "title": one.alt,
            "duration_in_seconds": one.duration_s,
        }
    )


def _content(note: Note) -> Markup:
    """Return a post with its pictures, unless they are for those who ask for them."""
    shown = () if note.sensitive else note.attachments
    pictures = (one for one in shown if one.media_type.startswith("image/"))
    image = Markup('<p><img src="{}" alt="{}"></p>')
    return Markup(str(note.html)) + Markup("").join(  # noqa: S704 - clean since it was written
        image.format(one.url, one.alt) for one in pictures
    )


def _rfc3339(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _kept_a_while(request: Request, response: Response) -> Response:
    response.headers["Cache-Control"] = "public, max-age=300"
    return with_etag(request, response)


public_routes = [
    Route("/@{handle}/feed.atom", atom, methods=["GET"]),
    Route("/@{handle}/feed.json", json_feed, methods=["GET"]),
    Route("/tags/{tag}/feed.atom", atom, methods=["GET"]),
    Route("/tags/{tag}/feed.json", json_feed, methods=["GET"]),
]
