"""While the disk is full, pages are read; only what makes room, or must not wait, goes on."""

import re

from starlette.requests import Request

from microfedi.http.context import context_of

# Getting in and out, deleting, taking back, keeping somebody away: little is written for it, and
# the reserve is kept for that.
_GOES_ON = re.compile(
    r"/(login|logout|lock|unlock|delete|remove|cancel|end|give-up|block|mute|reject|decline"
    r"|dismiss|unsubscribe|unfollow|refuse|revoke)$"
    r"|^/settings/(disk|delete|security/password|blocks|mutes)$"
)


def check(request: Request) -> None:
    """Refuse what would keep something new while the disk is full.

    Raises: DiskFull.
    """
    if request.method in ("GET", "HEAD") or _GOES_ON.search(request.url.path):
        return
    context_of(request).db.room.demand()
