"""Which addresses and URLs are ever connected to."""

import pytest

from microfedi.errors import ForbiddenAddress
from microfedi.protocol import netguard

PUBLIC = [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "93.184.216.34",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "223.255.255.255",
    "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
    "2a01:4f8::1",
    "2001:4860:4860::8888",
    "64:ff9b::5db8:d822",  # 93.184.216.34 behind NAT64
    "::ffff:93.184.216.34",
]
NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::5db8:d822",
    "100::1",
    "2001::1",
    "2001:0:53aa:64c::1",
    "2001:2::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:5db8:d822::1",
    "3ffe::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "2a01:4f8::1%eth0",
    "fec0::1",
    "ff02::1",
    "",
    "vic.example",
    "127.1",
]


@pytest.mark.parametrize("ip", PUBLIC)
def test_public_addresses_are_public(ip: str) -> None:
    assert netguard.is_public_address(ip)


@pytest.mark.parametrize("ip", NOT_PUBLIC)
def test_everything_else_is_not(ip: str) -> None:
    assert not netguard.is_public_address(ip)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://vic.example", "https://vic.example/"),
        ("https://VIC.Example:443/A?b=c", "https://vic.example/A?b=c"),
        ("HTTPS://vic.example/a#key", "https://vic.example/a"),
        ("https://vic.example?a=1", "https://vic.example/?a=1"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://vic.example/日本", "https://vic.example/%E6%97%A5%E6%9C%AC"),
        ("https://vic.example/%E6%97%A5?q=a%20b", "https://vic.example/%E6%97%A5?q=a%20b"),
        ("https://vic.example/@alice:1;x=[2]", "https://vic.example/@alice:1;x=[2]"),
        ("https://93.184.216.34/", "https://93.184.216.34/"),
        ("https://[2606:2800:21F::1]/", "https://[2606:2800:21f::1]/"),
        (f"https://vic.example/{'a' * 2028}", f"https://vic.example/{'a' * 2028}"),
    ],
)
def test_what_is_asked_for_is_spelled_one_way(url: str, asked: str) -> None:
    netguard.check_url(url, development=False)
    assert netguard.target_of(url, development=False).url == asked


REFUSED = [
    "",
    "vic.example",
    "//vic.example/",
    "https:///path",
    "https://",
    "http://vic.example/",
    "ftp://vic.example/",
    "file:///etc/passwd",
    "gopher://vic.example/",
    "data:application/json,{}",
    "ws://vic.example/",
    "javascript:alert(1)",
    "https://vic.example:22/",
    "https://vic.example:25/",
    "https://vic.example:6379/",
    "https://vic.example:8080/",
    "https://vic.example:80/",
    "https://vic.example:0/",
    "https://vic.example:99999/",
    "https://vic.example:/",
    "https://vic.example:٤٤٣/",
    "https://me@vic.example/",
    "https://me:secret@vic.example/",
    "https://vic.example@127.0.0.1/",
    "https://vic.example\\@evil.example/",
    "https://vic.example/a b",
    "https://vic.example/\r\nX-Evil: 1",
    "https://vic.example/\x00",
    "https://vic.example/\x7f",
    "https://vic.example/%0d%0aX-Evil:%201",
    "https://vic.example/%0A",
    "https://vic.example/%00",
    "https://vic.example\t/",
    " https://vic.example/",
    f"https://vic.example/{'a' * 2029}",
    "https://127.0.0.1/",
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[fe80::1%25eth0]/",
    "https://[127.0.0.1]/",
    "https://[vic.example]/",
    "https://[::1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://127.0.0.1./",
    "https://１２７.０.０.１/",
    "https://localhost/",
    "https://us.localhost/",
    "https://redis/",
    "https://vic.example./",
    "https://vic..example/",
    "https://-vic.example/",
    "https://vic%2eexample/",
    "https://vic.example\u3002\u3002/",
    f"https://{'a.' * 127}example/",
    f"https://{'a' * 64}.example/",
    "https://vic.example/\ud800",
    "https://\ud800.example/",
]


@pytest.mark.parametrize("url", REFUSED)
def test_these_are_never_asked_for(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        netguard.check_url(url, development=False)


def test_development_allows_plain_http_ports_and_the_local_network() -> None:
    for url in ("http://localhost:8000/", "http://127.0.0.1:8000/", "http://bob.localhost:8001/"):
        netguard.check_url(url, development=True)
    assert netguard.target_of("http://a.localhost:8001/x", development=True).authority == (
        "a.localhost:8001"
    )


@pytest.mark.parametrize(
    "url", ["ftp://localhost/", "http://localhost:0/", "http://me@localhost/", "http://a/\r\nb"]
)
def test_development_allows_nothing_else(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        netguard.check_url(url, development=True)


def test_a_refusal_does_not_repeat_what_may_be_secret() -> None:
    with pytest.raises(ForbiddenAddress) as caught:
        netguard.check_url("http://vic.example/reset?token=hunter2", development=False)
    assert "hunter2" not in str(caught.value)
