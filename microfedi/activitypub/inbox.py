"""Where other servers put what is for the owner: the owner's inbox and the shared one."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi.errors import NotFound
from microfedi.federation import receive
from microfedi.federation.receive import MAX_ACTIVITY_BYTES
from microfedi.http.context import context_of
from microfedi.protocol import answers, signatures

# What ActivityPub is sent as; the profile of the second is left out by some.
_TYPES = frozenset({"application/activity+json", "application/ld+json"})


async def post(request: Request) -> Response:
    """POST /users/{handle}/inbox and /inbox: take an activity.

    Source: ActivityPub 5.2, 7.
    """
    ctx = context_of(request)
    handle = request.path_params.get("handle")
    if not ctx.config.federates or not ctx.has_owner or handle not in (None, ctx.owner.handle):
        raise NotFound("no such inbox")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "a body without Content-Encoding was expected")
    if answers.media_type(request.headers.get("content-type", "")) not in _TYPES:
        raise HTTPException(415, "application/activity+json was expected")
    status = await receive.receive(ctx, as_signed(request, await request.body()))
    return Response(status_code=status)


def as_signed(request: Request, body: bytes = b"") -> signatures.Request:
    """Return a request as signatures see it: the bytes on the wire, nothing decoded."""
    scope = request.scope
    raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    target = raw_path.partition(b"?")[0] + (b"?" + query if query else b"")
    headers = tuple(
        (name.decode("latin-1").lower(), value.decode("latin-1"))
        for name, value in scope["headers"]
    )
    return signatures.Request(request.method, target.decode("latin-1"), headers, body)


routes = [
    Route("/users/{handle}/inbox", post, methods=["POST"], max_body_size=MAX_ACTIVITY_BYTES),
    Route("/inbox", post, methods=["POST"], max_body_size=MAX_ACTIVITY_BYTES),
]
