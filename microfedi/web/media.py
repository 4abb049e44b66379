"""Pictures, films and sounds: the owner's own, and others' by way of our copies."""

import logging
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from microfedi.errors import DiskFull, NotAuthorized, NotFound, RemoteError
from microfedi.federation import media_cache, private_media, uploads
from microfedi.http import ranges, vaults
from microfedi.http.context import context_of
from microfedi.protocol import media_types
from microfedi.storage import media

log = logging.getLogger(__name__)

YEAR_SECONDS = 365 * 24 * 3600  # an own picture never changes under its address
COPY_SECONDS = 7 * 24 * 3600  # a copy may be fetched again by then

_SERVED_TYPES = media_types.IMAGE_TYPES | media_types.VIDEO_TYPES | media_types.AUDIO_TYPES

# A file is never a document: no script, no frame, whatever somebody makes of its bytes.
_SANDBOX: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Content-Disposition": "inline",
}


async def own(request: Request) -> Response:
    """GET /media/{public_id}: a picture, a film or a sound of the owner's, or a part of it.

    Those of closed posts and of messages are served too: others' servers fetch them without a
    signature, and the 128 random bits of the address are only in the hands of those it was sent to.
    A day after everybody has a message, its files are for its owner alone, who has the vault open.
    """
    ctx = context_of(request)
    public_id: str = request.path_params["public_id"]
    found = await ctx.db.read(lambda r: media.by_id(r, public_id))
    if found is None or found.media_type not in _SERVED_TYPES:
        raise NotFound("no such picture")
    vault = await vaults.of(request) if found.in_vault else None
    if found.in_vault and vault is None:
        raise NotFound("no such picture")
    headers = {**_SANDBOX, "Cross-Origin-Resource-Policy": "cross-origin"}
    headers["Access-Control-Allow-Origin"] = "*"
    headers["Cache-Control"] = (
        "private, no-store" if found.sealed else f"public, max-age={YEAR_SECONDS}, immutable"
    )
    if found.sealed:
        headers["X-Accel-Buffering"] = "no"  # nor in a temporary file of nginx
    file = ranges.File(
        media_type=found.media_type,
        size_bytes=found.size_bytes,
        etag=f'"{public_id}"',
        part=partial(uploads.part, ctx, found, vault=vault),
    )
    try:
        return await ranges.respond(request, file, headers)
    except FileNotFoundError:
        raise NotFound("no such picture") from None
    except ValueError:
        log.error("picture=%s is damaged, or sealed under another key", public_id)
        raise NotFound("no such picture") from None


async def private(request: Request) -> Response:
    """GET /media/private/{encoded}: our copy of what somebody sent in a message.

    It is sealed by the vault as soon as it is here, and is for its owner alone.
    """
    ctx = context_of(request)
    try:
        url = private_media.url_of(ctx.db.sealer, request.path_params["encoded"])
    except NotAuthorized:
        return _refused()
    keys = await vaults.of(request)
    if keys is None:
        raise NotFound("the messages are locked")
    try:
        found = await private_media.fetch(ctx, url)
    except (RemoteError, DiskFull):
        return _missing()
    file = ranges.File(
        media_type=found.media_type,
        size_bytes=found.size_bytes,
        etag=f'"{found.key}"',
        part=partial(private_media.part, ctx, found, keys),
    )
    try:
        return await ranges.respond(request, file, _SANDBOX)
    except (FileNotFoundError, ValueError):
        return _missing()  # the copy was dropped meanwhile, or is of a vault that is lost


async def proxied(request: Request) -> Response:
    """GET /media/proxy/{signature}/{url}: our copy of somebody's picture, film or sound.

    Only addresses that our own pages made: this is no proxy for others.
    """
    ctx = context_of(request)
    if request.url.query:
        return _refused()
    try:
        url = media_cache.url_of(
            ctx.db.sealer, request.path_params["signature"], request.path_params["encoded"]
        )
    except NotAuthorized:
        return _refused()
    try:
        found = await media_cache.opened(ctx, url)
    except (RemoteError, DiskFull):
        return _missing()
    # Kept by the browser alone: what somebody sent the owner is no shared cache's business.
    headers = {**_SANDBOX, "Cache-Control": f"private, max-age={COPY_SECONDS}, immutable"}
    file = ranges.File(
        media_type=found.media_type,
        size_bytes=found.size_bytes,
        etag=f'"{found.name}-{found.size_bytes}"',
        part=found.part,
    )
    try:
        return await ranges.respond(request, file, headers)
    except (FileNotFoundError, RemoteError, DiskFull):
        return _missing()  # the copy was dropped meanwhile, or never came


def _refused() -> Response:
    return PlainTextResponse("Not one of our addresses.\n", 403)


def _missing() -> Response:
    headers = {"Cache-Control": "no-store"}
    return PlainTextResponse("This could not be fetched.\n", 502, headers=headers)


public_routes = [
    Route("/media/proxy/{signature}/{encoded}", proxied, methods=["GET"]),
    Route("/media/{public_id}", own, methods=["GET"]),
]
owner_routes = [Route("/media/private/{encoded}", private, methods=["GET"])]
