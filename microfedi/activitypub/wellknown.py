"""How others find out that we are here: WebFinger, host-meta, NodeInfo, robots, health."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from microfedi import __version__
from microfedi.activitypub.documents import CORS
from microfedi.activitypub.notes import OPEN
from microfedi.errors import NotFound
from microfedi.federation.context import Context
from microfedi.http.context import context_of
from microfedi.protocol import intents, nodeinfo, webfinger
from microfedi.storage import actors, instance, note_lists

# Public copies of discovery documents live so long: a profile picture may change.
DISCOVERY_SECONDS = 3600
# Crawlers ask for the count of posts all the time; counting is not free.
COUNT_FOR = timedelta(minutes=10)


def _public(response: Response) -> Response:
    response.headers.update(CORS)
    response.headers["Cache-Control"] = f"public, max-age={DISCOVERY_SECONDS}"
    return response


def _open(request: Request) -> Context:
    ctx = context_of(request)
    if not ctx.config.federates or not ctx.has_owner:
        raise NotFound("this server speaks with no other")
    return ctx


async def finger(request: Request) -> Response:
    """GET /.well-known/webfinger. Source: RFC 7033 4."""
    ctx = _open(request)
    resources = request.query_params.getlist("resource")
    if len(resources) != 1 or not resources[0]:
        return PlainTextResponse("One resource parameter was expected.\n", 400, headers=CORS)
    config, owner = ctx.config, ctx.owner
    whom = webfinger.resource_handle(
        resources[0],
        handle=owner.handle,
        host=config.host,
        handle_domain=config.domain,
        base_url=config.base_url,
    )
    document: dict[str, Any]
    if whom == "owner":
        me = await ctx.db.read(lambda r: actors.by_id(r, owner.actor_id))
        document = webfinger.owner_jrd(
            handle=owner.handle,
            handle_domain=config.domain,
            base_url=config.base_url,
            avatar_url=me.icon_url if me else None,
        )
        document["links"] += intents.own_links(config.base_url)
    elif whom == "instance":
        document = webfinger.instance_jrd(
            host=config.host, base_url=config.base_url, resource=resources[0]
        )
    else:
        return PlainTextResponse("Nobody of that name lives here.\n", 404, headers=CORS)
    return _public(JSONResponse(document, media_type="application/jrd+json"))


async def host_meta(request: Request) -> Response:
    """GET /.well-known/host-meta. Source: RFC 6415."""
    ctx = _open(request)
    xml = webfinger.host_meta_xml(ctx.config.base_url)
    return _public(Response(xml, media_type="application/xrd+xml"))


async def host_meta_json(request: Request) -> Response:
    """GET /.well-known/host-meta.json. Source: RFC 6415 appendix A."""
    ctx = _open(request)
    return _public(JSONResponse(webfinger.host_meta_json(ctx.config.base_url)))


async def nodeinfo_links(request: Request) -> Response:
    """GET /.well-known/nodeinfo."""
    ctx = _open(request)
    return _public(JSONResponse(nodeinfo.links(ctx.config.base_url)))


@dataclass(slots=True)
class _Count:
    posts: int
    at: datetime


async def show_nodeinfo(request: Request) -> Response:
    """GET /nodeinfo/2.0 and /nodeinfo/2.1."""
    ctx = _open(request)
    version = "2.0" if request.url.path.endswith("2.0") else "2.1"
    known: _Count | None = getattr(request.app.state, "post_count", None)
    now = ctx.now()
    if known is None or now - known.at > COUNT_FOR:
        posts = await ctx.db.read(lambda r: note_lists.count_of(r, ctx.owner.actor_id, OPEN))
        known = request.app.state.post_count = _Count(posts, now)
    document = nodeinfo.document(
        "2.0" if version == "2.0" else "2.1",
        software_version=__version__,
        name=ctx.config.domain,
        description="One person's own server.",
        owner_uri=ctx.owner.uri,
        public_posts=known.posts,
    )
    kind = nodeinfo.content_type("2.0" if version == "2.0" else "2.1")
    return _public(JSONResponse(document, media_type=kind))


async def robots(request: Request) -> Response:
    """GET /robots.txt. Source: RFC 9309."""
    return PlainTextResponse(
        "User-agent: *\n"
        "Disallow: /media/proxy/\nDisallow: /login\nDisallow: /setup/\nDisallow: /users/\n"
    )


async def security(request: Request) -> Response:
    """GET /.well-known/security.txt: whom to tell. Source: RFC 9116."""
    ctx = context_of(request)
    if not ctx.has_owner:
        raise NotFound("nobody lives here yet")
    expires = (ctx.now() + timedelta(days=180)).strftime("%Y-%m-%dT00:00:00Z")
    return PlainTextResponse(
        f"Contact: {ctx.owner.addresses.page}\n"
        f"Expires: {expires}\n"
        f"Canonical: {ctx.config.base_url}/.well-known/security.txt\n"
    )


async def health(request: Request) -> Response:
    """GET /healthz: 200 if the database answers."""
    headers = {"Cache-Control": "no-store"}
    try:
        await context_of(request).db.read(instance.load)
    except (sqlite3.Error, OSError):
        return PlainTextResponse("the database does not answer\n", 503, headers=headers)
    return PlainTextResponse("ok\n", headers=headers)


async def favicon(request: Request) -> Response:
    """GET /favicon.ico: for those who ask without looking."""
    return RedirectResponse("/static/favicon.svg", 301)


routes = [
    Route("/.well-known/webfinger", finger, methods=["GET"]),
    Route("/.well-known/host-meta", host_meta, methods=["GET"]),
    Route("/.well-known/host-meta.json", host_meta_json, methods=["GET"]),
    Route("/.well-known/nodeinfo", nodeinfo_links, methods=["GET"]),
    Route("/nodeinfo/2.0", show_nodeinfo, methods=["GET"]),
    Route("/nodeinfo/2.1", show_nodeinfo, methods=["GET"]),
    Route("/.well-known/security.txt", security, methods=["GET"]),
    Route("/robots.txt", robots, methods=["GET"]),
    Route("/healthz", health, methods=["GET"]),
    Route("/favicon.ico", favicon, methods=["GET"]),
]
