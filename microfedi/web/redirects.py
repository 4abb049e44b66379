"""Where to go after a form: only ever to a path of our own."""

from urllib.parse import quote, urlsplit

MAX_PATH_CHARS = 2000
# With the query: as long as a text that is shared by an address may make it, percent-encoded.
MAX_TARGET_CHARS = 16_000


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
    path = target.partition("?")[0]
    if not target.startswith("/") or target.startswith(("//", "/\\")):
        return fallback
    if len(path) > MAX_PATH_CHARS or len(target) > MAX_TARGET_CHARS:
        return fallback
    if not target.isascii() or not target.isprintable() or " " in target or "\\" in target:
        return fallback
    if target.lower().startswith(("/%2f", "/%5c")) or "//" in path:
        return fallback
    parts = urlsplit(target)
    return fallback if parts.scheme or parts.netloc else target


def after_sharing(on_success: str, fallback: str) -> str:
    """Return where the owner is shown the way back to the page that they shared; else `fallback`.

    >>> after_sharing("https://b.example/?x=1&y", "/@us/1")
    '/share/done?on-success=https%3A%2F%2Fb.example%2F%3Fx%3D1%26y'
    >>> after_sharing("", "/@us/1")
    '/@us/1'
    """
    return f"/share/done?on-success={quote(on_success, safe='')}" if on_success else fallback
