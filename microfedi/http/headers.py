"""Plain ASGI middleware in front of everything: the Host check, security headers, a request id."""

import logging
import secrets
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from microfedi.config import Config

log = logging.getLogger(__name__)

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)

# Half a year in seconds: what the HSTS preload guides ask for at least; no subdomains, they may
# belong to somebody else.
HSTS_SECONDS = 15_552_000

_DISCOVERY = ("/.well-known/webfinger", "/.well-known/host-meta", "/.well-known/host-meta.json")


class Headers:
    """Refuses requests that are not for us, and gives every answer its security headers.

    What a route set itself stays: media may be embedded elsewhere, pages may not.
    """

    def __init__(self, app: ASGIApp, config: Config) -> None:
        self._app = app
        self._host = config.host.encode()
        self._handle_domain = config.domain.encode()
        self._is_https = config.is_https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        scope["request_id"] = request_id
        # A proxy comes by http; what we redirect to is what we are.
        scope["scheme"] = "https" if self._is_https else "http"

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if message["status"] >= 500:  # what is in the log; elsewhere answers stay the same
                    headers["X-Request-Id"] = request_id
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
                headers.setdefault("X-Frame-Options", "DENY")
                headers.setdefault("Referrer-Policy", "same-origin")
                headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
                headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
                headers.setdefault(
                    "Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()"
                )
                if self._is_https:
                    headers.setdefault("Strict-Transport-Security", f"max-age={HSTS_SECONDS}")
            await send(message)

        if not self._is_for_us(scope):
            await _refuse(send_with_headers, self._host)
            return
        await self._app(scope, receive, send_with_headers)

    def _is_for_us(self, scope: Scope) -> bool:
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        if not raw_path.startswith(b"/"):
            return False
        if scope["path"] == "/healthz":
            return True
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1:
            return False
        host = hosts[0].lower()
        if host == self._host:
            return True
        return host == self._handle_domain and scope["path"] in _DISCOVERY


async def _refuse(send: Send, host: bytes) -> None:
    body = b"This server answers at " + host + b" only.\n"
    await send(
        {
            "type": "http.response.start",
            "status": 400,
            "headers": [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
