"""What all documents for other servers have in common: who asks, and how it is answered."""

import hashlib
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from microfedi.activitypub.inbox import as_signed
from microfedi.errors import BadSignature, KeyUnavailable, NotFound
from microfedi.federation import verify
from microfedi.federation.visibility import Asker
from microfedi.http.context import context_of
from microfedi.http.negotiate import ACTIVITY_TYPE, with_etag
from microfedi.protocol import render, signatures

CORS = {"Access-Control-Allow-Origin": "*"}


def respond(
    request: Request, document: Mapping[str, Any], *, status_code: int = 200, is_open: bool = True
) -> Response:
    """Answer with a document; whatever is not open to everybody is kept by nobody."""
    body = render.dumps(render.with_context(dict(document)))
    headers = {**CORS, "Vary": "Accept, Cookie, Signature"}
    headers["Cache-Control"] = "private, no-cache" if is_open else "no-store"
    response = Response(body, status_code, headers=headers, media_type=ACTIVITY_TYPE)
    return with_etag(request, response) if is_open else response


async def asker_of(request: Request) -> Asker:
    """Return the actor who signed a GET, None for whoever did not or did it wrongly.

    A wrong signature is no reason to tell more than to a stranger, nor less.
    """
    raw = as_signed(request)
    if not signatures.is_signed(raw):
        return None
    try:
        signer = await verify.signer_of(context_of(request), raw)
    except (BadSignature, KeyUnavailable):
        return None
    return None if signer is None else signer.uri


async def is_unwelcome(request: Request) -> bool:
    """True if a request is signed in the name of somebody who is blocked. Nothing is fetched."""
    raw = as_signed(request)
    if not signatures.is_signed(raw):
        return False
    ctx = context_of(request)
    try:
        claims = verify.read(ctx, raw)
    except BadSignature:
        return False
    is_blocked, _ = await ctx.db.read(lambda reader: verify.look(ctx, reader, claims))
    return is_blocked


async def demand_welcome(request: Request) -> None:
    """As `demand_handle`, and that nobody who is blocked asks.

    Raises: NotFound.
    """
    demand_handle(request)
    if await is_unwelcome(request):
        raise NotFound("nobody of that name speaks with you")


def demand_handle(request: Request) -> None:
    """See that the address names the owner, and that we speak with other servers at all.

    Raises: NotFound.
    """
    ctx = context_of(request)
    if not ctx.config.federates or request.path_params.get("handle") != ctx.owner.handle:
        raise NotFound("nobody of that name speaks here")


def etag_of(body: bytes) -> str:
    """Return the ETag of a body."""
    return '"' + hashlib.sha256(body).hexdigest()[:32] + '"'
