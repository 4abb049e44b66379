"""The pages as an app on a phone's screen: the manifest, the service worker, a page for no network.

The service worker keeps static files and that one page, and nothing of the owner's: what is read
here is gone from the browser when it is closed.
"""

import hashlib
import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from microfedi import words
from microfedi.assets import asset_dir
from microfedi.http.context import context_of
from microfedi.http.pages import page, static_url
from microfedi.words import _

KEEP_SECONDS = 3600  # of the manifest: an hour until a new name is seen
_ICONS = (("icon-192.png", 192, "any"), ("icon-512.png", 512, "any"))
_MASKABLE = ("icon-maskable-512.png", 512, "maskable")
KEPT = ("app.css", "app.js", "icons.svg", "favicon.svg")


async def manifest(request: Request) -> Response:
    """GET /manifest.webmanifest: what the app is called and how it looks (W3C App Manifest)."""
    ctx = context_of(request)
    handle = f"@{ctx.owner.handle}@{ctx.config.domain}" if ctx.has_owner else ctx.config.domain
    document = {
        "id": "/home",
        "name": handle,
        "short_name": ctx.owner.handle if ctx.has_owner else "microfedi",
        "description": _("One person's own place in the Fediverse"),
        "lang": words.language(),
        "dir": words.direction(),
        "start_url": "/home",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f6f5f2",
        "theme_color": "#3a5bc7",
        "icons": [
            {
                "src": static_url(name),
                "sizes": f"{size}x{size}",
                "type": "image/png",
                "purpose": purpose,
            }
            for name, size, purpose in (*_ICONS, _MASKABLE)
        ],
        "shortcuts": [
            {"name": _("New post"), "url": "/compose"},
            {"name": _("Messages"), "url": "/messages"},
            {"name": _("Notifications"), "url": "/notifications"},
        ],
        "share_target": {
            "action": "/share",
            "method": "GET",
            "params": {"title": "title", "text": "text", "url": "url"},
        },
    }
    return Response(
        json.dumps(document, ensure_ascii=False),
        media_type="application/manifest+json",
        headers={
            "Cache-Control": f"private, max-age={KEEP_SECONDS}",
            "Vary": "Accept-Language, Cookie",
        },
    )


async def worker(request: Request) -> Response:
    """GET /sw.js: the service worker, with the names of what it keeps filled in."""
    kept = ["/offline", *(static_url(name) for name in KEPT)]
    source = (asset_dir("static") / "sw.js").read_text("utf-8")
    version = hashlib.sha256("\n".join([source, *kept]).encode()).hexdigest()[:12]
    names = {"VERSION": version, "KEPT": kept, "ICON": static_url("icon-192.png")}
    head = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in names.items())
    text = head + source
    return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


async def offline(request: Request) -> Response:
    """GET /offline: what the app shows when there is no network. Nothing of anybody is on it."""
    return await page(request, "offline.html", {"session": None, "owner": None})


public_routes = [
    Route("/manifest.webmanifest", manifest, methods=["GET"]),
    Route("/sw.js", worker, methods=["GET"]),
    Route("/offline", offline, methods=["GET"]),
]
