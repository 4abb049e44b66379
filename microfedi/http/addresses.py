"""Who the client is: one function of ours decides, from the proxies that the owner trusts."""

import ipaddress

from starlette.requests import HTTPConnection, Request

from microfedi.config import Config
from microfedi.http.context import context_of
from microfedi.storage import door_log
from microfedi.storage.door_log import Visitor

UNKNOWN = "unknown"


def visitor(request: Request) -> Visitor:
    """Return who asks: for the door log, the list of logins, and the limits."""
    browser = request.headers.get("user-agent", "")[: door_log.MAX_BROWSER_CHARS]
    return Visitor(client_address(request, context_of(request).config), browser)


def client_address(connection: HTTPConnection, config: Config) -> str:
    """Return the address of whoever asks, as text.

    `X-Forwarded-For` counts only if the peer is a trusted proxy, and then its last entry that is
    not a trusted proxy itself: what stands before it may have been written by the client. No other
    header is looked at.
    """
    peer = connection.client.host if connection.client else ""
    if not _is_trusted(peer or "unix", config):
        return peer or UNKNOWN
    entries = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
    for entry in reversed(entries[-16:]):
        address = entry.strip()
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            break
        if not _is_trusted(address, config):
            return str(parsed)
    return peer or UNKNOWN


def _is_trusted(address: str, config: Config) -> bool:
    for proxy in config.trusted_proxies:
        if proxy == "unix":
            if address == "unix":
                return True
            continue
        try:
            if ipaddress.ip_address(address) in ipaddress.ip_network(proxy):
                return True
        except ValueError:
            continue
    return False
