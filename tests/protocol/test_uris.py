"""One grammar of URIs, in which every other parser agrees with ours."""

from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microfedi.errors import MalformedDocument
from microfedi.protocol import uris

GOOD = [
    "https://b.example",
    "https://b.example/",
    "https://b.example/users/bob#main-key",
    "https://b.example/?author=1#main-key",
    "https://pfefferle.example?c=148",
    "https://B.Example:8443/@bob/1?page=true&min_id=0",
    "https://xn--bcher-kva.example/a%20b/%C3%A9",
    "https://bsky.example/ap/did:plc:1/at%3A%2F%2Fx",
    "https://b.example/~/Plume/(x)/a;b=1,2/",
    "https://www.threads.example/ap/users/1/",
    "https://under_score.example/",
    "https://192.0.2.1/",
    "https://localhost:8001/carol",
    "https://b.example/.well-known/x",
    "https://b.example/a..b/...",
]
BAD = [
    "",
    "b.example",
    "//b.example/",
    "https:b.example",
    "https:///b.example",
    "https://",
    "https://?x",
    "HTTPS://b.example/",
    "ftp://b.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    "tag:b.example,2026:1",
    "https://user@b.example/",
    "https://user:password@b.example/",
    "https://a.example@b.example/",
    "https://a.example\\@b.example/",
    "https://a.example/\\b",
    "https://b.example:/",
    "https://b.example:0/",
    "https://b.example:65536/",
    "https://b.example:443x/",
    "https://b.example:-1/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://1.2.3.256/",
    "https://b.example./",
    "https://.b.example/",
    "https://b..example/",
    "https://-b.example/",
    "https://b-.example/",
    "https://b%2eexample/",
    "https://b.example%00/",
    "https://bücher.example/",
    "https://b。example/",
    "https://xn--zzzzzz99999999.example/",
    "https://" + "a" * 64 + ".example/",
    "https://" + "a." * 130 + "example/",
    "https://b.example/a b",
    "https://b.example/a\tb",
    "https://b.example/a\r\nX: y",
    "https://b.example/a\0",
    "https://b.example/\n",
    "https://b.example/%0d%0aX:%20y",
    "https://b.example/%00",
    "https://b.example/%7F",
    "https://b.example/%zz",
    "https://b.example/%",
    "https://b.example/é",
    'https://b.example/"',
    "https://b.example/<b>",
    "https://b.example/a/../b",
    "https://b.example/./b",
    "https://b.example/a/..",
    "https://b.example/#a#b",
    " https://b.example/",
    "https://b.example/ ",
    "https://b.example/" + "a" * 2048,
]


@pytest.mark.parametrize("uri", GOOD)
def test_a_plain_https_uri_is_acceptable(uri: str) -> None:
    assert uris.is_acceptable(uri)


@pytest.mark.parametrize("uri", BAD)
def test_an_odd_uri_is_not(uri: str) -> None:
    assert not uris.is_acceptable(uri, allow_http=True)
    assert not uris.same_origin(uri, uri)
    with pytest.raises(MalformedDocument):
        uris.origin(uri)


@pytest.mark.parametrize("value", [None, 7, True, [], {}, b"https://b.example/"])
def test_what_is_no_text_is_no_uri(value: object) -> None:
    assert not uris.is_acceptable(value)


def test_plain_http_is_only_acceptable_where_it_is_allowed() -> None:
    assert not uris.is_acceptable("http://b.example/")
    assert uris.is_acceptable("http://b.example/", allow_http=True)


@pytest.mark.parametrize("uri", GOOD)
def test_all_parsers_see_the_same_host(uri: str) -> None:
    client, library = httpx2.URL(uri), urlsplit(uri)

    assert client.raw_host.decode() == library.hostname == uris.host(uri)
    assert (client.port or 443) == (library.port or 443)
    assert f"https://{uris.host(uri)}:{client.port or 443}" == uris.origin(uri)


@given(
    st.from_regex(
        r"https://[a-zA-Z0-9._@:\\\[\]%-]{1,12}(/[a-z0-9%.?#@:;=&\\ -]{0,12})?", fullmatch=True
    )
)
def test_what_is_acceptable_is_what_the_client_asks_for(uri: str) -> None:
    if uris.is_acceptable(uri):
        client = httpx2.URL(uri)
        host_and_rest = uri.removeprefix("https://")
        rest = host_and_rest[len(host_and_rest.partition("/")[0]) :]

        assert client.raw_host.decode() == uris.host(uri)
        assert client.userinfo == b""
        assert str(client).endswith(rest)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("https://b.example/1", "https://b.example/2", True),
        ("https://b.example/1", "https://B.EXAMPLE:443/2#x", True),
        ("https://b.example/1", "http://b.example/1", False),
        ("https://b.example/1", "https://b.example:444/1", False),
        ("https://b.example/1", "https://www.b.example/1", False),
        ("https://b.example/1", "https://b.example.evil.example/1", False),
        ("https://b.example/1", "https://b.example@evil.example/1", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(a: str, b: str, expected: bool) -> None:
    assert uris.same_origin(a, b) is expected
    assert uris.belongs_to(b, a) is expected


def test_a_long_uri_is_refused_before_it_is_looked_at() -> None:
    assert not uris.is_acceptable("https://b.example/" + "%41" * 1_000_000)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("B.Example", "b.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("b。example", "b.example"),
        ("", None),
        ("b.example/", None),
        ("b.example:443", None),
        ("b..example", None),
        ("💩.example", None),
        ("ü" * 300, None),
    ],
)
def test_a_typed_host_gets_its_travelling_form(typed: str, expected: str | None) -> None:
    assert uris.ascii_host(typed) == expected
