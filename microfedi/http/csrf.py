"""A form changes something only if it came from a page of ours.

Two checks, each enough on its own in today's browsers: where the request comes from (`Origin`,
`Sec-Fetch-Site`), and a token in the form that only our pages know. The token is a MAC over the
session, or before login over a random cookie.
"""

import hashlib
import hmac
import secrets

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from microfedi.errors import MicrofediError
from microfedi.http import forms
from microfedi.http.context import context_of

FIELD = "csrf"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# For a login or setup form. Half a day: a text may wait in it for its author to come back.
_COOKIE_SECONDS = 12 * 3600


class CrossSite(MicrofediError):
    """A change that was not asked for on a page of ours."""


def _cookie_name(request: Request) -> str:
    config = context_of(request).config
    if config.is_https:
        return "__Host-form"
    return "form-" + hashlib.sha256(config.base_url.encode()).hexdigest()[:12]


def _bound_to(request: Request) -> str:
    session = getattr(request.state, "session", None)
    if session is not None:
        # Not the number alone: a later login may get it again.
        return f"session {session.id} {session.created_at.isoformat()}"
    cookie = request.cookies.get(_cookie_name(request), "")
    if not 20 <= len(cookie) <= 64:
        cookie = getattr(request.state, "form_cookie", "")
        if not cookie:
            cookie = request.state.form_cookie = secrets.token_urlsafe(24)
    return f"cookie {cookie}"


def token(request: Request) -> str:
    """Return what the forms of this answer must carry."""
    key = context_of(request).db.sealer.key_for("csrf")
    return hmac.new(key, _bound_to(request).encode(), hashlib.sha256).hexdigest()


def field(request: Request) -> Markup:
    """Return the hidden field for a form."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, token(request))


def set_cookie(request: Request, response: Response) -> None:
    """Hand out the random cookie that forms before login are bound to, if one was made."""
    cookie = getattr(request.state, "form_cookie", "")
    if cookie:
        response.set_cookie(
            _cookie_name(request),
            cookie,
            max_age=_COOKIE_SECONDS,
            path="/",
            secure=context_of(request).config.is_https,
            httponly=True,
            samesite="lax",
        )


def check_origin(request: Request) -> None:
    """Refuse a form that no page of ours sent, by what the browser says alone.

    For forms that do nothing in anybody's name, so that no cookie is needed for them.

    Raises: CrossSite.
    """
    if request.method in _SAFE:
        return
    origins = request.headers.getlist("origin")
    site = request.headers.getlist("sec-fetch-site")
    said = origins == [context_of(request).config.base_url] or (
        not origins and site == ["same-origin"]
    )
    if not said or site not in ([], ["same-origin"]) or not forms.is_form(request):
        raise CrossSite("the form came from another site")


async def check(request: Request) -> None:
    """Refuse a change that another site could have made the browser ask for.

    Raises: CrossSite.
    """
    if request.method in _SAFE:
        return
    origins = request.headers.getlist("origin")
    if origins and origins != [context_of(request).config.base_url]:
        raise CrossSite("the form came from another site")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise CrossSite("the form came from another site")
    if not forms.is_form(request):  # no page of ours sends anything else
        raise CrossSite("what came is no form")
    form = await forms.read(request)
    given = form.get(FIELD, "")
    if not isinstance(given, str) or not hmac.compare_digest(
        given.encode("utf-8", "replace"), token(request).encode()
    ):
        raise CrossSite("the form is no longer valid")
