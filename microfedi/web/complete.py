"""What a word that begins with @, # or : may become; for the composer's script."""

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from microfedi.federation import media_cache
from microfedi.http.context import context_of
from microfedi.storage import own_emojis, search
from microfedi.storage.database import Reader

MOST: Final = 8
MAX_QUERY_CHARS = 100

Offered = list[dict[str, str]]


async def show(request: Request) -> Response:
    """GET /complete?kind=person|tag|emoji&q=...: at most eight, from what is known here alone.

    Each has `put`, which stands in the text then, `name`, `more`, and perhaps a `picture`.
    """
    ctx = context_of(request)
    query = request.query_params.get("q", "")[:MAX_QUERY_CHARS]
    kinds: dict[str, Callable[[Reader], Offered]] = {
        "person": lambda reader: _people(reader, query, ctx.owner.actor_id, ctx.config.base_url),
        "tag": lambda reader: _tags(reader, query),
        "emoji": lambda reader: _emojis(reader, query),
    }
    find = kinds.get(request.query_params.get("kind", ""))
    found = await ctx.db.read(find) if find is not None and query else []
    return JSONResponse(found)


def _people(reader: Reader, query: str, owner_id: int, base_url: str) -> Offered:
    found = search.people(reader, query.lstrip("@"), limit=MOST + 1)
    offered = []
    for one in found:
        if one.id == owner_id or one.state != "ok":
            continue
        picture = one.icon_url or ""
        if picture and not picture.startswith(f"{base_url}/media/"):
            picture = media_cache.proxy_path(reader.sealer, picture)
        offered.append(
            {
                "put": one.address,
                "name": one.display_name,
                "more": one.address,
                "picture": picture,
            }
        )
    return offered[:MOST]


def _tags(reader: Reader, query: str) -> Offered:
    found = search.tags(reader, query, limit=MOST)
    return [{"put": f"#{one.name}", "name": f"#{one.name}", "more": ""} for one in found]


def _emojis(reader: Reader, query: str) -> Offered:
    wanted = query.strip(":").lower()
    names = [one for one in own_emojis.all(reader) if wanted in one.shortcode.lower()]
    names.sort(key=lambda one: (not one.shortcode.lower().startswith(wanted), one.shortcode))
    return [
        {
            "put": f":{one.shortcode}:",
            "name": f":{one.shortcode}:",
            "more": "",
            "picture": f"/media/{one.file}",
        }
        for one in names[:MOST]
    ]


owner_routes = [Route("/complete", show, methods=["GET"])]
