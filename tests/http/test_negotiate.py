"""Which face of an address is wanted; what a visitor's address is."""

import pytest
from starlette.requests import Request

from microfedi.config import Config
from microfedi.http.addresses import client_address
from microfedi.http.negotiate import wants_activity


def asking(
    headers: dict[str, str], client: tuple[str, int] | None = ("198.51.100.7", 1)
) -> Request:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw, "client": client, "method": "GET"})


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, False),
        ("*/*", False),
        ("text/html", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("application/activity+json", True),
        ('application/ld+json; profile="https://www.w3.org/ns/activitystreams"', True),
        ("application/ld+json", True),
        ("application/json", True),
        ("application/activity+json, text/html;q=0.1", True),
        ("text/html, application/activity+json", False),
        ("application/activity+json, text/html", True),
        ("application/activity+json;q=0.1, text/html", False),
        ("application/activity+json;q=0", False),
        ("application/activity+json;q=abc", False),
        ("APPLICATION/ACTIVITY+JSON", True),
        (",,,;;q=,/", False),
    ],
)
def test_accept_decides_between_page_and_document(accept: str | None, expected: bool) -> None:
    assert wants_activity(asking({} if accept is None else {"Accept": accept})) is expected


PROXY = Config(trusted_proxies=("10.0.0.0/8", "127.0.0.1"))


@pytest.mark.parametrize(
    ("headers", "peer", "config", "expected"),
    [
        # Nobody is trusted: whatever they say of themselves is not looked at.
        ({"X-Forwarded-For": "1.2.3.4"}, "198.51.100.7", Config(), "198.51.100.7"),
        ({"X-Forwarded-For": "1.2.3.4"}, "127.0.0.1", Config(), "127.0.0.1"),
        ({"X-Real-IP": "1.2.3.4", "Forwarded": "for=1.2.3.4"}, "127.0.0.1", PROXY, "127.0.0.1"),
        # The proxy is: its own entry counts, what stands before it does not.
        ({"X-Forwarded-For": "203.0.113.9"}, "127.0.0.1", PROXY, "203.0.113.9"),
        ({"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}, "127.0.0.1", PROXY, "203.0.113.9"),
        ({"X-Forwarded-For": "203.0.113.9, 10.1.1.1"}, "127.0.0.1", PROXY, "203.0.113.9"),
        ({"X-Forwarded-For": "nonsense"}, "127.0.0.1", PROXY, "127.0.0.1"),
        ({"X-Forwarded-For": "203.0.113.9"}, "198.51.100.7", PROXY, "198.51.100.7"),
    ],
)
def test_s_120_only_a_trusted_proxy_is_believed_about_the_address(
    headers: dict[str, str], peer: str, config: Config, expected: str
) -> None:
    assert client_address(asking(headers, (peer, 1)), config) == expected


def test_who_comes_by_the_socket_is_believed_if_the_socket_is_trusted() -> None:
    request = asking({"X-Forwarded-For": "203.0.113.9"}, None)

    assert client_address(request, Config(trusted_proxies=("unix",))) == "203.0.113.9"
    assert client_address(request, Config()) == "unknown"
