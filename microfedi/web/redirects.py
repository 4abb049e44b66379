"""Where to go after a form: only ever to a path of our own."""

from urllib.parse import urlsplit


def local(target: str, fallback: str) -> str:
    """Return `target` if it is a plain local path, else `fallback`.

    Browsers read `//host`, `/\\host` and tabs in odd ways; only what cannot be misread passes.

    >>> local("/home?before=3#n7", "/")
    '/home?before=3#n7'
    >>> [local(evil, "/") for evil in ("//evil.example", "/\\\\x.example", "https:evil", "/\\t/x")]
    ['/', '/', '/', '/']
    >>> local("/%2Fevil.example", "/"), local("javascript:alert(1)", "/")
    ('/', '/')
    """
    if not target.startswith("/") or target.startswith(("//", "/\\")) or len(target) > 2000:
        return fallback
    if not target.isascii() or not target.isprintable() or " " in target or "\\" in target:
        return fallback
    if target.lower().startswith(("/%2f", "/%5c")) or "//" in target.partition("?")[0]:
        return fallback
    parts = urlsplit(target)
    return fallback if parts.scheme or parts.netloc else target
