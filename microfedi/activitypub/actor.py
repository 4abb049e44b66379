"""The owner and the server as actors: two documents that everybody may read, unsigned, always."""

from dataclasses import dataclass
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.activitypub import documents
from microfedi.errors import NotFound
from microfedi.federation.outbox import profile
from microfedi.http.context import context_of
from microfedi.http.negotiate import ACTIVITY_TYPE
from microfedi.protocol import render
from microfedi.protocol.keys import SigningKey
from microfedi.storage.owner import Owner


@dataclass(slots=True)
class _Rendered:
    """The owner's document as it was last rendered, and for which state of the owner."""

    owner: Owner
    body: bytes
    etag: str


async def owner(request: Request) -> Response:
    """GET /users/{handle}: who the owner is. Rendered once for each change of the profile."""
    documents.demand_handle(request)
    ctx = context_of(request)
    known: _Rendered | None = getattr(request.app.state, "owner_document", None)
    if known is None or known.owner is not ctx.owner:
        current = ctx.owner
        described = await ctx.db.read(lambda reader: profile.describe(reader, current))
        body = render.dumps(render.with_context(render.actor(described)))
        known = _Rendered(current, body, documents.etag_of(body))
        request.app.state.owner_document = known
    return _answer(request, known.body, known.etag)


async def instance(request: Request) -> Response:
    """GET /actor: the server itself, which signs what is fetched."""
    ctx = context_of(request)
    if not ctx.config.federates or not ctx.has_owner:
        raise NotFound("this server speaks with no other")
    body = _instance_document(ctx.config.base_url, ctx.config.host, ctx.owner.instance)
    return _answer(request, body, documents.etag_of(body))


@lru_cache(maxsize=4)
def _instance_document(base_url: str, host: str, key: SigningKey) -> bytes:
    return render.dumps(
        render.with_context(
            render.instance_actor(
                uri=f"{base_url}/actor",
                host=host,
                base_url=base_url,
                key_uri=key.uri,
                public_key_pem=key.public_pem,
            )
        )
    )


def _answer(request: Request, body: bytes, etag: str) -> Response:
    headers = {
        **documents.CORS,
        "Vary": "Accept, Cookie, Signature",
        "Cache-Control": "private, no-cache",
        "ETag": etag,
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=ACTIVITY_TYPE)


routes = [Route("/actor", instance, methods=["GET"])]
