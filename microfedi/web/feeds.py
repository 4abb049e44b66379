"""The owner's public posts as an Atom feed."""

import re

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.errors import NotFound
from microfedi.http.context import context_of
from microfedi.http.negotiate import with_etag
from microfedi.http.pages import environment, summary_line
from microfedi.protocol.vocab import Visibility
from microfedi.storage import actors, notes
from microfedi.storage.database import Reader

FEED_NOTES = 20

# What XML 1.0 cannot hold at all, however it is escaped. Source: XML 1.0 2.2.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


async def atom(request: Request) -> Response:
    """GET /@{handle}/feed.atom: the newest public posts, replies to others left out.

    Source: RFC 4287.
    """
    ctx = context_of(request)
    if not ctx.has_owner or request.path_params["handle"] != ctx.owner.handle:
        raise NotFound("nobody of that name lives here")
    owner = ctx.owner

    def question(reader: Reader) -> tuple[actors.Actor | None, list[notes.Note]]:
        found = notes.by_actor(
            reader,
            owner.actor_id,
            visibilities=(Visibility.PUBLIC,),
            limit=FEED_NOTES,
            with_replies=False,
        )
        return actors.by_id(reader, owner.actor_id), found

    me, found = await ctx.db.read(question)
    if me is None:
        raise NotFound("nobody of that name lives here")
    updated = max(
        (note.updated_at or note.published_at for note in found), default=owner.created_at
    )
    xml = (
        environment()
        .get_template("feed.xml")
        .render(
            me=me,
            address=f"@{owner.handle}@{ctx.config.domain}",
            page_url=owner.addresses.page,
            feed_url=f"{owner.addresses.page}/feed.atom",
            updated=updated,
            notes=[
                (
                    note,
                    summary_line(note),
                    owner.addresses.note_page(note.public_id or ""),
                    _content(note),
                )
                for note in found
            ],
        )
    )
    response = Response(_NOT_XML.sub("\ufffd", xml), media_type="application/atom+xml")
    response.headers["Cache-Control"] = "public, max-age=300"
    return with_etag(request, response)


def _content(note: notes.Note) -> Markup:
    """Return a post with its pictures, unless they are for those who ask for them."""
    shown = () if note.sensitive else note.attachments
    pictures = (one for one in shown if one.media_type.startswith("image/"))
    image = Markup('<p><img src="{}" alt="{}"></p>')
    return Markup(str(note.html)) + Markup("").join(  # noqa: S704 - clean since it was written
        image.format(one.url, one.alt) for one in pictures
    )


public_routes = [Route("/@{handle}/feed.atom", atom, methods=["GET"])]
