"""What a post said before it was edited: each version with its time, the newest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.errors import NotFound
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.protocol import vocab
from microfedi.protocol.sanitize import SafeHtml
from microfedi.storage import actors, media, notes, versions
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note
from microfedi.web import asked, cards, shown
from microfedi.web.shown import Shown


@dataclass(frozen=True, slots=True)
class Version:
    """A post as it was from `written_at` on."""

    written_at: datetime
    name: str
    summary: str
    html: SafeHtml
    sensitive: bool
    emojis: Mapping[str, str]
    pictures: tuple[Shown, ...]
    files: tuple[vocab.Attachment, ...]
    lost: tuple[str, ...]
    """Descriptions of pictures that were removed from the post, and so from the disk."""
    options: tuple[str, ...]


async def show(request: Request) -> Response:
    """GET /posts/{id}/history: of anybody's post that the owner has."""
    return await of(request, await asked.row(request, notes.by_id))


async def of(request: Request, note: Note) -> Response:
    """Return the page with all versions of `note`, which whoever asks may see."""
    ctx = context_of(request)

    def question(reader: Reader) -> tuple[Actor | None, list[Version]]:
        return actors.by_id(reader, note.actor_id), _versions(reader, note)

    author, found = await ctx.db.read(question)
    if author is None:
        raise NotFound("no such post")
    values = {
        "note": note,
        "author": author,
        "versions": found,
        "url": cards.url_of(note, ctx.owner),
    }
    return await page(request, "history.html", values)


def _versions(reader: Reader, note: Note) -> list[Version]:
    present = versions.Version(
        written_at=note.updated_at or note.published_at,
        name=note.name,
        summary=note.summary,
        html=note.html,
        sensitive=note.sensitive,
        attachments=note.attachments,
        poll=note.poll,
        emojis=note.emojis,
    )
    earlier = versions.of_note(reader, note.id, note.visibility)
    is_ours = note.public_id is not None
    kept = {one.public_id for one in media.of_note(reader, note.id)} if is_ours else set()
    return [_shown(reader, one, kept, is_ours=is_ours) for one in reversed([*earlier, present])]


def _shown(reader: Reader, one: versions.Version, kept: set[str], *, is_ours: bool) -> Version:
    there = [a for a in one.attachments if not is_ours or a.url.rpartition("/")[2] in kept]
    pictures, files = shown.of(reader, there, is_ours=is_ours)
    return Version(
        written_at=one.written_at,
        name=one.name,
        summary=one.summary,
        html=one.html,
        sensitive=one.sensitive,
        emojis=one.emojis,
        pictures=pictures,
        files=files,
        lost=tuple(a.alt for a in one.attachments if a not in there),
        options=() if one.poll is None else tuple(option.name for option in one.poll.options),
    )


owner_routes = [Route("/posts/{id}/history", show, methods=["GET"])]
