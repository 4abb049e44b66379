"""May we connect there? Addresses and URLs that other people's documents name.

A URL in a document is a wish of whoever wrote it. Without a guard it could make this server talk
to its own loopback, to the database next door or to a cloud's metadata service. Nothing here
touches the network: names are resolved by `federation`, which asks `is_public_address` about every
answer and connects to what it asked about.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import quote, urlsplit

import idna

from microfedi.errors import ForbiddenAddress

# Characters. Longer ids exist in no server we know; a line of 100 kB is an attack.
MAX_URL_CHARS = 2048
MAX_HOST_CHARS = 253  # RFC 1035 2.3.4
DEFAULT_PORTS = {"https": 443, "http": 80}

# Whatever the IANA special-purpose registry, multicast and "class E" take out of IPv4. Written
# down, since `ipaddress.is_global` differs between Python versions and misses some of them.
_NOT_PUBLIC_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network; 0.0.0.0 reaches loopback on Linux
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "168.63.129.16/32",  # looks public, is the host agent inside one large cloud
        "169.254.0.0/16",  # link-local, cloud metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo, benchmarks, ORCHID and other protocol assignments
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: any IPv4 address may hide in it
        "3ffe::/16",  # 6bone, returned
        "3fff::/20",  # documentation
    )
)
# An IPv4 address in the last 32 bits: what counts is that one. NAT64 is how a server without IPv4
# reaches most of the world.
_WRAPPED_V4 = (ipaddress.IPv6Network("::ffff:0:0/96"), ipaddress.IPv6Network("64:ff9b::/96"))

_SPLITS_LINES = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\\]|%[01][0-9a-f]|%7f", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]@:%/?#]+)(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# RFC 3986 characters of a path and a query, and "%" since they come percent-encoded already.
_TARGET_SAFE = "%/?:@!$&'()*+,;=-._~[]|^`{}\""

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: a URL taken apart once, so that what was checked is what is asked.

    `host` is lower case, in IDNA's ASCII form, an IPv6 address without its brackets. `path` has
    the query and is what stands in the request line.
    """

    scheme: Literal["https", "http"]
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the Host header says: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL that is really asked for: ASCII, without a fragment.

        >>> target_of("https://Bücher.example/ä?q=1#key", development=False).url
        'https://xn--bcher-kva.example/%C3%A4?q=1'
        """
        return f"{self.scheme}://{self.authority}{self.path}"


def is_public_address(ip: str | IPAddress) -> bool:
    """Tell whether an address belongs to the public internet, so that we may connect to it.

    IPv4 without every special range. IPv6 only where addresses are given out (2000::/3), without
    Teredo, 6to4 and documentation; an IPv4 address wrapped for NAT64 counts as itself. Text that
    is no address, or one with a zone, is not public.

    >>> is_public_address("93.184.216.34"), is_public_address("2606:2800:21f:cb07::1")
    (True, True)
    >>> is_public_address("127.0.0.1"), is_public_address("64:ff9b::7f00:1")
    (False, False)

    Source: IANA IPv4 and IPv6 special-purpose registries (RFC 6890), RFC 6052, RFC 4291.
    """
    if isinstance(ip, str):
        try:
            ip = ipaddress.ip_address(ip)
        except ValueError:
            return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC_V4)
    if ip.scope_id is not None:
        return False
    if any(ip in network for network in _WRAPPED_V4):
        return is_public_address(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return ip in _GLOBAL_V6 and not any(ip in network for network in _NOT_PUBLIC_V6)


def literal_address(host: str) -> IPAddress | None:
    """Read a host that is an address and not a name; None if it is a name.

    >>> literal_address("::1"), literal_address("vic.example")
    (IPv6Address('::1'), None)
    """
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def check_url(url: str, *, development: bool) -> None:
    """Refuse a URL that we never ask for, before anything is resolved.

    Raises: ForbiddenAddress, as `target_of` does.
    """
    target_of(url, development=development)


def target_of(url: str, *, development: bool) -> Target:
    """Take a URL apart, if we may ask for it.

    https on port 443 to a host with a public name or address, no user name or password, at most
    `MAX_URL_CHARS`, nothing in it that could end a line. `development` also allows http, any port,
    `localhost` and private addresses.

    >>> target_of("https://vic.example/users/alice?page=1#main-key", development=False)
    Target(scheme='https', host='vic.example', port=443, path='/users/alice?page=1')

    Raises: ForbiddenAddress with what is wrong; never with the URL's path or query in it.
    """
    if len(url) > MAX_URL_CHARS:
        raise ForbiddenAddress(
            "a URL of %(url)s characters; at most %(limit)s are asked",
            url=len(url),
            limit=MAX_URL_CHARS,
        )
    if _SPLITS_LINES.search(url):
        raise ForbiddenAddress("a URL with a control character, a space or a backslash in it")
    try:
        parts = urlsplit(url)
        path = quote(parts.path or "/", safe=_TARGET_SAFE)
        query = quote(parts.query, safe=_TARGET_SAFE)
    except ValueError as error:  # unbalanced brackets, lone surrogates
        raise ForbiddenAddress("a URL that cannot be read") from error
    if parts.scheme != "https" and not (development and parts.scheme == "http"):
        raise ForbiddenAddress(
            "a URL with the scheme %(scheme)s; only https is asked", scheme=repr(parts.scheme[:20])
        )
    scheme = cast(Literal["https", "http"], parts.scheme)
    authority = _AUTHORITY.fullmatch(parts.netloc)
    if authority is None:
        raise ForbiddenAddress("a URL without a plain host, or with a user name in it")
    host = host_of(authority[1])
    port = int(authority[2] or DEFAULT_PORTS[scheme])
    if not (0 < port < 65536 if development else port == 443):
        raise ForbiddenAddress("port %(port)s of %(host)s; only 443 is asked", port=port, host=host)
    if not development:
        _check_public_host(host)
    return Target(scheme, host, port, f"{path}?{query}" if query else path)


def host_of(text: str) -> str:
    """Spell a host the one way we compare it: lower case, IDNA's ASCII form, no brackets.

    >>> host_of("Bücher.Example"), host_of("[2001:DB8::1]")
    ('xn--bcher-kva.example', '2001:db8::1')

    Raises: ForbiddenAddress if it is neither a name nor an address (nor one in disguise, such as
    127.1 or 0x7f000001).
    """
    if text.startswith("["):
        if (address := literal_address(text[1:-1])) is None:
            raise ForbiddenAddress("a host in brackets that is no IPv6 address")
        return str(address)
    if text.isascii():
        host = text.lower()
    else:
        try:
            host = idna.encode(text, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError) as error:
            raise ForbiddenAddress("a host that is no internationalised name") from error
    labels = host.split(".")
    if len(host) > MAX_HOST_CHARS or not all(_LABEL.fullmatch(label) for label in labels):
        raise ForbiddenAddress("a host that is no domain name")
    # A last label like a number makes the C library read an address, in octal or hex too.
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]) and literal_address(host) is None:
        raise ForbiddenAddress("a host that is an address in disguise")
    return host


def _check_public_host(host: str) -> None:
    address = literal_address(host)
    if address is not None and not is_public_address(address):
        raise ForbiddenAddress("%(host)s is not a public address", host=host)
    if address is None and ("." not in host or host.endswith(".localhost")):
        raise ForbiddenAddress("%(host)s is a name of the local network", host=host)
