"""Pictures, films and sounds: as a grid of what somebody posted, and one of them large."""

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.errors import NotFound
from microfedi.federation import media_cache
from microfedi.http import forms
from microfedi.http.context import context_of
from microfedi.http.pages import page
from microfedi.storage import actors, notes
from microfedi.storage.actors import Actor
from microfedi.storage.database import Reader
from microfedi.storage.notes import Note
from microfedi.storage.owner import Owner
from microfedi.web import asked, cards, shown
from microfedi.web.shown import Shown

KINDS = ("image", "video", "audio")


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture of a grid. `src` is "" if there is nothing to see of it, or it is `is_hidden`."""

    url: str
    kind: str
    src: str
    alt: str
    warning: str
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class Viewed:
    """One attachment of a post, large. `number` counts from 1."""

    note: Note
    author: Actor
    one: Shown
    number: int
    count: int
    post_url: str

    @property
    def previous(self) -> str:
        """Where the one before is, "" if there is none."""
        return f"{self.post_url}/media/{self.number - 1}" if self.number > 1 else ""

    @property
    def next(self) -> str:
        """Where the one after is, "" if there is none."""
        return f"{self.post_url}/media/{self.number + 1}" if self.number < self.count else ""


def tiles(reader: Reader, found: Iterable[Note], owner: Owner) -> list[Tile]:
    """Return everything that can be shown of these posts, in their order."""
    made: list[Tile] = []
    for note in found:
        is_ours = note.public_id is not None
        is_hidden = note.sensitive or bool(note.summary)
        playable = [one for one in note.attachments if shown.is_shown(one)]
        for number, one in enumerate(playable[: shown.MAX_SHOWN], start=1):
            kind = one.media_type.partition("/")[0]
            picture = one.url if kind == "image" else one.preview
            if picture and not is_ours:
                picture = media_cache.proxy_path(reader.sealer, picture)
            made.append(
                Tile(
                    url=f"{cards.url_of(note, owner)}/media/{number}",
                    kind=kind,
                    src="" if is_hidden else picture or "",
                    alt=one.alt,
                    warning=note.summary,
                    is_hidden=is_hidden,
                )
            )
    return made


async def show(request: Request) -> Response:
    """GET /posts/{id}/media/{number}: of anybody's post that the owner has."""
    return await of(request, await asked.row(request, notes.by_id))


async def of(request: Request, note: Note) -> Response:
    """Return the page of one attachment of `note`, which whoever asks may see."""
    ctx = context_of(request)
    number = forms.path_id(request, "number")

    def question(reader: Reader) -> Viewed:
        author = actors.by_id(reader, note.actor_id)
        found, _files = shown.of(reader, note.attachments, is_ours=note.public_id is not None)
        if author is None or not 1 <= number <= len(found):
            raise NotFound("no such picture")
        url = cards.url_of(note, ctx.owner)
        return Viewed(note, author, found[number - 1], number, len(found), url)

    return await page(request, "media.html", {"viewed": await ctx.db.read(question)})


owner_routes = [Route("/posts/{id}/media/{number}", show, methods=["GET"])]
