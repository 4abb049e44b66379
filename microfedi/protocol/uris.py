"""URIs of other servers and ours: acceptable? same origin? ours?

There is one grammar here, narrower than every parser that will see the URI later (ours, the HTTP
client's, other servers'), so that no two of them can disagree about the host. What is outside of it
is refused, never repaired; only links to look at or to load may be tidied first.
"""

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address
from urllib.parse import quote

import idna

from microfedi.errors import MalformedDocument

MAX_URI_CHARS = 2048  # characters; what Mastodon stores

# RFC 3986 without IP literals in brackets, credentials, empty ports, and escaped control
# characters. Brackets, backslash, quotes and non-ASCII are read differently by different parsers.
# (The possessive quantifiers keep matching linear.)
_PATH = r"(?:[A-Za-z0-9._~:@!$&'()*+,;=/-]++|%(?:[2-689A-Fa-f][0-9A-Fa-f]|7[0-9A-Ea-e]))*+"
_REST = _PATH.replace(":@", ":@?")  # query and fragment may also hold "?"
_HOST = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?"
_URI = re.compile(
    rf"(https?)://({_HOST})(?::([1-9][0-9]{{0,4}}))?"
    rf"((?:/{_PATH})?)(?:\?{_REST})?(?:\#{_REST})?"
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_DEFAULT_PORTS = {"https": "443", "http": "80"}


def is_acceptable(uri: object, *, allow_http: bool = False) -> bool:
    """True if this is a URI that we keep and may ask: https, a clear host, nothing odd.

    `allow_http` is for reading documents: whether plain http may be used is decided by whoever
    connects. IDN hosts have to come in their ASCII form (xn--), as all known software writes them.

    >>> is_acceptable("https://b.example/users/bob#main-key")
    True
    >>> is_acceptable("https://us.example@evil.example/"), is_acceptable("https://a.example\\\\@b.example")
    (False, False)
    >>> is_acceptable("http://b.example/"), is_acceptable("http://b.example/", allow_http=True)
    (False, True)
    """
    if not isinstance(uri, str):
        return False
    parts = _parts(uri)
    return parts is not None and (allow_http or parts[0] == "https")


def origin(uri: str) -> str:
    """Return scheme, host and port of a URI in one spelling; the port is always there.

    Source: RFC 6454 4.
    Raises: MalformedDocument if it is not a URI that `is_acceptable`.

    >>> origin("https://B.Example/users/bob")
    'https://b.example:443'
    """
    scheme, name, port = _demand(uri)
    return f"{scheme}://{name}:{port}"


def same_origin(a: str, b: str) -> bool:
    """True if one server vouches for both; false if either is not acceptable.

    >>> same_origin("https://b.example/1", "https://b.example:443/2")
    True
    >>> same_origin("https://b.example/1", "https://b.example:8443/1")
    False
    """
    ours, theirs = _parts(a), _parts(b)
    return ours is not None and ours == theirs


def are_neighbours(one: str, other: str) -> bool:
    """True if two URIs are of one host, or of a host and one below it: of one owner.

    >>> are_neighbours("https://a.example/users/ann", "https://ap.a.example/inbox")
    True
    >>> are_neighbours("https://a.example/users/ann", "https://b.example/inbox")
    False
    """
    return are_kin(host(one), host(other))


def are_kin(one: str, other: str) -> bool:
    """True if two host names are the same, or one is below the other.

    >>> are_kin("www.a.example", "a.example"), are_kin("a.example", "ba.example")
    (True, False)
    """
    return f".{one}".endswith(f".{other}") or f".{other}".endswith(f".{one}")


def host(uri: str) -> str:
    """Return the host of a URI: lower case, without the port.

    Raises: MalformedDocument if it is not a URI that `is_acceptable`.

    >>> host("https://B.Example:8443/")
    'b.example'
    """
    return _demand(uri)[1]


def authority(uri: str) -> str:
    """Return the host as it stands in a handle: with the port only if it is not the usual one.

    Raises: MalformedDocument if it is not a URI that `is_acceptable`.

    >>> authority("https://b.example/users/bob"), authority("http://bob.localhost:8002/")
    ('b.example', 'bob.localhost:8002')
    """
    scheme, name, port = _demand(uri)
    return name if _DEFAULT_PORTS[scheme] == port else f"{name}:{port}"


def belongs_to(uri: str, base_url: str) -> bool:
    """True if `uri` is on the server at `base_url`: with our own base URL, "is this ours?".

    >>> belongs_to("https://US.example/notes/1", "https://us.example")
    True
    >>> belongs_to("https://us.example.evil.example/notes/1", "https://us.example")
    False
    """
    return same_origin(uri, base_url)


def without_fragment(uri: str) -> str:
    """Return what can be fetched of a URI.

    >>> without_fragment("https://b.example/users/bob#main-key")
    'https://b.example/users/bob'
    """
    return uri.partition("#")[0]


def tidy(link: str) -> str:
    """Escape what people leave unescaped in a link: spaces, quotes, letters outside ASCII.

    For links to look at and media to load, never for ids, which are compared as they are.

    >>> tidy("https://b.example/media/été 1.jpg")
    'https://b.example/media/%C3%A9t%C3%A9%201.jpg'
    """
    return quote(link[:MAX_URI_CHARS], safe="%/:?#@!$&'()*+,;=-._~\\", errors="replace")


def ascii_host(name: str) -> str | None:
    """Return a host name that somebody typed in the form that travels: lower case, IDNA.

    None if it is no host name.

    >>> ascii_host("Bücher.example")
    'xn--bcher-kva.example'
    >>> ascii_host("b.example/..") is None
    True
    """
    if len(name) > 253:
        return None
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True, transitional=False).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    name = name.lower()
    return name if _is_host(name) else None


def _demand(uri: str) -> tuple[str, str, str]:
    parts = _parts(uri)
    if parts is None:
        raise MalformedDocument(f"expected an https URI, not {uri[:100]!r}")
    return parts


def _parts(uri: str) -> tuple[str, str, str] | None:
    """Return (scheme, host, port), None if the URI is not in our grammar."""
    return _matched(uri) if len(uri) <= MAX_URI_CHARS else None


@lru_cache(maxsize=4096)  # of 60 characters each usually, at most 2048
def _matched(uri: str) -> tuple[str, str, str] | None:
    match = _URI.fullmatch(uri)
    if match is None:
        return None
    scheme, name, port, path = match.groups()
    name = name.lower()
    # Some clients take "." and ".." out of a path: the id would be another one than was asked.
    if "/." in path and not {".", ".."}.isdisjoint(path.split("/")):
        return None
    if not _is_host(name) or (port is not None and int(port) > 65535):
        return None
    return scheme, name, port or _DEFAULT_PORTS[scheme]


@lru_cache(maxsize=1024)
def _is_host(name: str) -> bool:
    """True for a lower-case host name or a dotted IPv4 address in its usual spelling."""
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return False
    if labels[-1][0].isdigit():
        # 127.1, 0x7f.1 and 2130706433 are the same address to some resolvers, a name to others.
        try:
            return str(IPv4Address(name)) == name
        except AddressValueError:
            return False
    if "xn--" in name:
        try:
            idna.decode(name)
        except (idna.IDNAError, UnicodeError):
            return False
    return True
