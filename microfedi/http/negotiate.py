"""One address, two faces: a page for people, a document for servers."""

import hashlib

from starlette.requests import Request
from starlette.responses import Response

from microfedi.http.sessions import Endpoint

ACTIVITY_TYPE = "application/activity+json"
_ACTIVITY_TYPES = ("application/activity+json", "application/ld+json", "application/json")
_MAX_ACCEPT = 2000  # characters of an Accept header that are looked at


def wants_activity(request: Request) -> bool:
    """Return whether `Accept` prefers an ActivityPub document to a page.

    `*/*` and no header at all mean a page; of equal wishes the first one named wins.
    Source: ActivityPub 3.2, RFC 9110 12.5.1.
    """
    best_activity = best_page = 0.0
    header = ",".join(request.headers.getlist("accept"))[:_MAX_ACCEPT]
    for position, part in enumerate(header.split(",")):
        kind, *params = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for param in params:
            if param.startswith("q="):
                try:
                    quality = min(max(float(param[2:]), 0.0), 1.0)
                except ValueError:
                    quality = 0.0
        weight = quality - position * 1e-6 if quality > 0 else 0.0
        if kind in _ACTIVITY_TYPES:
            best_activity = max(best_activity, weight)
        elif kind in ("text/html", "application/xhtml+xml"):
            best_page = max(best_page, weight)
    return best_activity > best_page


def either(*, html: Endpoint, activity: Endpoint) -> Endpoint:
    """Join two endpoints under one address.

    Whatever is negotiated is never kept by a shared cache: one face would be served for the other.
    """

    async def endpoint(request: Request) -> Response:
        response = await (activity if wants_activity(request) else html)(request)
        vary = {
            part.strip() for part in response.headers.get("vary", "").split(",") if part.strip()
        }
        response.headers["Vary"] = ", ".join(sorted({*vary, "Accept", "Signature", "Cookie"}))
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return response

    return endpoint


def with_etag(request: Request, response: Response) -> Response:
    """Add an ETag over the body, and answer 304 to who has it. Source: RFC 9110 13."""
    etag = '"' + hashlib.sha256(bytes(response.body)).hexdigest()[:32] + '"'
    response.headers["ETag"] = etag
    known = {
        tag.strip().removeprefix("W/")
        for tag in request.headers.get("if-none-match", "").split(",")
    }
    if etag in known and response.status_code == 200:
        kept = {
            name: value
            for name, value in response.headers.items()
            if name in ("etag", "vary", "cache-control", "link")
        }
        return Response(status_code=304, headers=kept)
    return response
