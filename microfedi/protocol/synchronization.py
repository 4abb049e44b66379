"""Do two servers agree on who follows whom? A digest in a header tells.

Source: FEP-8fcf.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

HEADER = "Collection-Synchronization"
MAX_HEADER_CHARS = 4096  # two URIs and a digest
_PARAM = re.compile(r'\s*([A-Za-z]+)="([^"]*)"\s*(?:,|$)')
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a server says about an account's followers on ours: where to read them, and a digest."""

    collection_uri: str
    url: str
    digest: str


def digest(uris: Iterable[str]) -> str:
    """Return the digest of a set of followers: the SHA-256 of each, all combined by XOR, in hex.

    Order does not matter; nobody at all gives zeros.

    >>> digest([])[:8]
    '00000000'
    >>> bob, carol = "https://remote.example/users/bob", "https://remote.example/users/carol"
    >>> digest([carol, bob])
    '0f7fa9dcc2c54ce5c4aca2d551e6f7be697bff4d2dc30029c9b8565608c9d096'
    """
    total = 0
    for uri in set(uris):
        total ^= int.from_bytes(sha256(uri.encode()).digest(), "big")
    return f"{total:064x}"


def header(claim: Claim) -> str:
    """Write the header's value.

    >>> header(Claim("https://a.example/followers", "https://a.example/sync", "0" * 64))[:60]
    'collectionId="https://a.example/followers", url="https://a.e'
    """
    return (
        f'collectionId="{claim.collection_uri}", url="{claim.url}", digest="{claim.digest.lower()}"'
    )


def read(value: str | None) -> Claim | None:
    """Read the header's value; None if it is missing or says something else.

    >>> ours = Claim("https://a.example/followers", "https://a.example/sync", "0" * 64)
    >>> read(header(ours)) == ours, read("digest=0"), read(None)
    (True, None, None)
    """
    if value is None or len(value) > MAX_HEADER_CHARS:
        return None
    params: dict[str, str] = {}
    at = 0
    while at < len(value):
        found = _PARAM.match(value, at)
        if found is None or found[1] in params:
            return None
        params[found[1]] = found[2]
        at = found.end()
    if not {"collectionId", "url", "digest"} <= params.keys():
        return None
    claimed = params["digest"].lower()
    if _DIGEST.fullmatch(claimed) is None:
        return None
    return Claim(params["collectionId"], params["url"], claimed)
